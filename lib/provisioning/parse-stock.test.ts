import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_STOCK_LINES, parseStock } from './parse-stock'

const unit = { host: '203.0.113.7', port: 8080, username: 'anna', password: 's3cret', protocols: ['http'] }

describe('reads every usual way to write a proxy', () => {
  it.each([
    '203.0.113.7:8080:anna:s3cret',
    'anna:s3cret:203.0.113.7:8080',
    'anna:s3cret@203.0.113.7:8080',
    '203.0.113.7:8080@anna:s3cret',
    'http://anna:s3cret@203.0.113.7:8080',
    'http://203.0.113.7:8080:anna:s3cret/',
    '203.0.113.7;8080;anna;s3cret',
    '203.0.113.7,8080,anna,s3cret',
    '203.0.113.7|8080|anna|s3cret',
    '203.0.113.7\t8080\tanna\ts3cret',
    '  203.0.113.7 8080 anna s3cret  ',
    '[{"ip":"203.0.113.7","port":8080,"login":"anna","pass":"s3cret"}]',
    '["anna:s3cret@203.0.113.7:8080"]',
    'host,port,username,password\n203.0.113.7,8080,anna,s3cret',
    'IP;Port;Login;Password\n"203.0.113.7";8080;anna;s3cret',
  ])('%j', (text) => {
    expect(parseStock(text).map((line) => line.unit)).toEqual([unit])
  })

  it('keeps the scheme as protocol, reads names and bracketed IPv6', () => {
    const lines = parseStock('socks5://a:b@proxy.example.net:1080\n[2001:db8::1]:3128:a:b')
    expect(lines[0]!.unit).toMatchObject({ host: 'proxy.example.net', protocols: ['socks5'] })
    expect(lines[1]!.unit).toMatchObject({ host: '2001:db8::1', port: 3128, username: 'a', password: 'b' })
  })

  it('takes the first pair for the address when the password is a number that could be a port', () => {
    expect(parseStock('203.0.113.7:8080:anna:1234')[0]!.unit).toMatchObject({ port: 8080, password: '1234' })
  })
})

it('says of each broken line what is wrong with it', () => {
  const text = [
    '# a remark',
    '',
    '203.0.113.7:8080',
    'nonsense',
    '203.0.113.7:99999:a:b',
    'localhost:80:a:b',
    'x:y:z:1',
    '203.0.113.7:80:a:b',
    '203.0.113.7:80:a:c',
  ].join('\n')
  expect(parseStock(text).map((line) => [line.lineNumber, line.problem])).toEqual([
    [3, 'no_credentials'],
    [4, 'unreadable'],
    [5, 'bad_port'],
    [6, 'bad_host'],
    [7, 'bad_host'],
    [8, null],
    [9, 'doubled'],
  ])
})

it('never throws, and what it understands can always be a proxy', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (text) => {
      for (const line of parseStock(text)) {
        if (line.unit) expect(line.unit.port).toBeGreaterThan(0)
        else expect(line.problem).not.toBeNull()
      }
    }),
  )
})

describe('what an upload may hold and no proxy does', () => {
  it.each([
    ['[{"host":{"toString":1},"port":80,"username":"a","password":"b"}]', 'bad_port'],
    ['[{"host":"203.0.113.7","port":80,"username":"a\\u0000","password":"b"}]', 'unreadable'],
    ['203.0.113.7:80:a\0:b', 'unreadable'],
    ['host,port,username,password\n203.0.113.7,80,"an,na",secret', 'unreadable'],
    ['[[["203.0.113.7:80:a:b"]]]', 'unreadable'],
    [`[${'['.repeat(50_000)}${']'.repeat(50_000)}]`, 'unreadable'],
  ])('%#: one line with a problem', (text, expected) => {
    expect(parseStock(text)).toMatchObject([{ unit: null }])
    if (expected === 'unreadable') expect(parseStock(text)).toMatchObject([{ problem: expected }])
  })

  it('names the lines beyond the limit instead of dropping them', () => {
    const text = Array.from({ length: MAX_STOCK_LINES + 2 }, (_, index) => `203.0.113.7:80:user${index}:b`).join('\n')
    const lines = parseStock(text)
    expect(lines.filter((line) => line.unit)).toHaveLength(MAX_STOCK_LINES)
    expect(lines.slice(-2).map((line) => line.problem)).toEqual(['too_many', 'too_many'])
  })
})
