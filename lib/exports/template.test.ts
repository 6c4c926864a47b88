import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import { execFileSync } from 'node:child_process'
import { parseStock } from '@/lib/provisioning/parse-stock'
import { builtInWriter, writeAll } from './formats'
import { compileTemplate, type ExportedProxy, type TemplateKind, type Writer } from './template'

const PROXY: ExportedProxy = {
  host: '192.0.2.7',
  port: 8080,
  username: 'anna',
  password: 'pw',
  protocols: ['http'],
  countryCode: 'NL',
  expiresAt: new Date('2030-01-02T03:04:05Z'),
  label: 'office',
  orderId: 'ord_1',
}
const withLogin = (username: string, password: string) => ({ ...PROXY, username, password })

function compiled(kind: TemplateKind, text: string): Writer {
  const result = compileTemplate(kind, text)
  if (!result.ok) throw new Error(result.refusal.code)
  return result.value
}

/** Any text of the length and signs that stock and suppliers may bring: no control characters, no blank at either end. */
const nasty = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .map((text) => text.replace(/[\p{C}\p{Z}]/gu, '').trim())
  .filter((text) => text !== '')

test('every field has its value', () => {
  const text = '{host}|{ip}|{port}|{user}|{pass}|{protocol}|{country}|{expires}|{label}|{order}'
  expect(compiled('line', text).row(PROXY, 0)).toBe(
    '192.0.2.7|192.0.2.7|8080|anna|pw|http|NL|2030-01-02T03:04:05.000Z|office|ord_1\n',
  )
  expect(compiled('line', '{host}:{port}').row({ ...PROXY, host: '2001:db8::1' }, 0)).toBe('[2001:db8::1]:8080\n')
})

test('what cannot be is refused with the place', () => {
  const refusal = (kind: TemplateKind, text: string) => {
    const result = compileTemplate(kind, text)
    return result.ok ? null : result.refusal
  }
  expect(refusal('line', '{host}:{prot}')).toMatchObject({
    code: 'template_field_unknown',
    facts: { name: 'prot', place: 8, field: 'text' },
  })
  expect(refusal('line', ' ')?.code).toBe('template_empty')
  expect(refusal('line', `{host}${'x'.repeat(495)}`)?.code).toBe('template_too_long')
  expect(refusal('line', '{host}\n{port}')?.code).toBe('template_one_line')
  expect(refusal('json', '{"user": {user}}')?.code).toBe('template_not_json')
  expect(refusal('json', '{"user": "{user}", "port": {port}}')).toBe(null)
  for (const text of [`x '{user}'`, `x "{user}"`, `x \\{user}`, `x "it's {user}`])
    expect(refusal('shell', text)?.code, text).toBe('template_field_quoted')
  expect(refusal('shell', `x 'a' "b\\"" {user} 'c'`)).toBe(null)
})

/** The reader of stock takes any separator for one, so its own signs decide what a plain line can say. */
const READERS_SIGNS = ':;,|@'

test('a plain line is read back as it was written, or is told to be unclear', () => {
  fc.assert(
    fc.property(nasty, nasty, (username, password) => {
      const proxy = withLogin(username, password)
      for (const writer of [
        compiled('line', '{host}:{port}:{user}:{pass}'),
        compiled('line', '{user}:{pass}@{host}:{port}'),
        compiled('line', '{host};{port};{user};{pass}'),
        builtInWriter('txt', ''),
        builtInWriter('at', ''),
      ]) {
        if (writer.isUnclear(proxy)) continue
        // Another separator than the line's own is only this one reader's.
        if ([...READERS_SIGNS].some((sign) => (username + password).includes(sign))) continue
        expect(parseStock(writer.row(proxy, 0))[0]?.unit).toMatchObject({
          host: PROXY.host,
          port: 8080,
          username,
          password,
        })
      }
    }),
    { numRuns: 500 },
  )
})

test('brackets in a login stay what they are', () => {
  const proxy = withLogin('a[1]', '[f]')
  expect(parseStock(builtInWriter('txt', '').row(proxy, 0))[0]?.unit).toMatchObject({
    username: 'a[1]',
    password: '[f]',
  })
})

test('a plain line with a separator in the login is told to be unclear', () => {
  expect(builtInWriter('txt', '').isUnclear(withLogin('a', 'p:w'))).toBe(true)
  expect(builtInWriter('txt', '').isUnclear(withLogin('a', 'p@w'))).toBe(false)
  expect(builtInWriter('at', '').isUnclear(withLogin('a', 'p@w'))).toBe(true)
  expect(builtInWriter('proxychains', '').isUnclear(withLogin('a', 'p w'))).toBe(true)
  expect(builtInWriter('url', '').isUnclear(withLogin('a:', 'p @w'))).toBe(false)
  expect(compiled('line', '{host}|{pass}').isUnclear(withLogin('a', 'p|w'))).toBe(true)
})

test('a URL is read back, whatever the login', () => {
  fc.assert(
    fc.property(nasty, nasty, (username, password) => {
      const proxy = withLogin(username, password)
      for (const writer of [compiled('url', '{protocol}://{user}:{pass}@{host}:{port}'), builtInWriter('url', '')]) {
        const line = writer.row(proxy, 0).trim()
        const unit = parseStock(line)[0]?.unit
        // The reader of stock takes an address as it stands: where it bounds a login, ours are longer once escaped.
        if (line.length < 200) {
          expect(decodeURIComponent(unit!.username)).toBe(username)
          expect(decodeURIComponent(unit!.password)).toBe(password)
        }
        const url = new URL(line)
        expect(decodeURIComponent(url.password)).toBe(password)
      }
    }),
    { numRuns: 500 },
  )
})

test('JSON and CSV are read back, and no cell is a formula', () => {
  fc.assert(
    fc.property(nasty, nasty, (username, password) => {
      const proxy = withLogin(username, password)
      const own = compiled('json', '{"u": "{user}", "p": ["{pass}", {port}]}')
      expect(JSON.parse(writeAll(own, [proxy, proxy]))).toEqual(
        [1, 2].map(() => ({ u: username, p: [password, 8080] })),
      )
      for (const format of ['json', 'sing_box'] as const) {
        const list = JSON.parse(writeAll(builtInWriter(format, ''), [proxy, proxy])) as unknown
        expect(JSON.stringify(list)).toContain(JSON.stringify(password))
      }
      const [, row] = readCsv(writeAll(compiled('csv', '{host},{user}:{pass},{pass}'), [proxy]))
      expect(row).toHaveLength(3)
      for (const cell of row!) expect(cell).not.toMatch(/^[=+\-@\t\r\n]/)
      expect(row![2]).toBe(/^[=+\-@]/.test(password) ? `'${password}` : password)
    }),
    { numRuns: 300 },
  )
})

test('a login that a table cannot say, because it looks like a formula, is told to be unclear', () => {
  for (const writer of [builtInWriter('csv', ''), compiled('csv', '{host},{user},{pass}')]) {
    for (const password of ['=1+1', '-abc', '+x', '@home'])
      expect(writer.isUnclear(withLogin('a', password))).toBe(true)
    for (const password of ['a=b', 'p,w', 'p"w', '"', '"pw"', "'pw", '#1'])
      expect(writer.isUnclear(withLogin('a', password)), password).toBe(false)
  }
  expect(compiled('csv', '{host},{user}:{pass}').isUnclear(withLogin('a', '=1'))).toBe(false)
})

test('a proxy that is bound to addresses has no login, and none is written', () => {
  const bound = withLogin('', '')
  const row = (format: Parameters<typeof builtInWriter>[0], proxy = bound) =>
    builtInWriter(format, 'http://a.test/').row(proxy, 0).trim()
  expect(row('txt')).toBe('192.0.2.7:8080')
  expect(row('at')).toBe('192.0.2.7:8080')
  expect(row('url')).toBe('http://192.0.2.7:8080')
  expect(row('url', { ...bound, host: '2001:db8::1' })).toBe('http://[2001:db8::1]:8080')
  expect(row('curl')).toBe('curl -x http://192.0.2.7:8080 http://a.test/')
  expect(row('proxychains')).toBe('http 192.0.2.7 8080')
  for (const format of ['txt', 'at', 'proxychains'] as const)
    expect(builtInWriter(format, '').isUnclear(bound)).toBe(false)
})

test('a list without proxies is a list', () => {
  expect(writeAll(builtInWriter('mihomo', ''), [])).toBe('proxies: [\n\n  ]\n')
  expect(JSON.parse(writeAll(builtInWriter('sing_box', ''), []))).toEqual({ outbounds: [] })
})

test('a shell takes each value as one word', () => {
  const logins = ["a'b", '$(id)', '`id`', 'a b', '"', '\\', '!x', '*', '-n', '~', 'ü€']
  const writer = compiled('shell', 'printf "%s" {user}/{pass}')
  for (const password of logins)
    expect(execFileSync('/bin/sh', ['-c', writer.row(withLogin('u', password), 0)], { encoding: 'utf8' })).toBe(
      `u/${password}`,
    )
})

test('a value cannot begin a line of its own', () => {
  for (const kind of ['line', 'url', 'csv', 'shell'] as const)
    expect(
      compiled(kind, '{label}')
        .row({ ...PROXY, label: 'a\nb\u2028c' }, 0)
        .trim()
        .split(/[\r\n\u2028]/),
    ).toHaveLength(1)
})

it('writes the formats of tools', () => {
  const socks = { ...PROXY, protocols: ['socks5'], password: 'p"w' }
  expect(writeAll(builtInWriter('mihomo', ''), [socks])).toBe(
    'proxies: [\n  {name: "NL 1 192.0.2.7:8080", type: socks5, server: "192.0.2.7", port: 8080, username: "anna", password: "p\\"w"}\n  ]\n',
  )
  expect(JSON.parse(writeAll(builtInWriter('sing_box', ''), [PROXY, socks]))).toEqual({
    outbounds: [
      {
        type: 'http',
        tag: 'NL 1 192.0.2.7:8080',
        server: '192.0.2.7',
        server_port: 8080,
        username: 'anna',
        password: 'pw',
      },
      {
        type: 'socks',
        tag: 'NL 2 192.0.2.7:8080',
        server: '192.0.2.7',
        server_port: 8080,
        version: '5',
        username: 'anna',
        password: 'p"w',
      },
    ],
  })
  expect(writeAll(builtInWriter('foxyproxy', ''), [PROXY])).toBe(
    'http://anna:pw@192.0.2.7:8080?title=office&countryCode=NL\n',
  )
  expect(writeAll(builtInWriter('proxychains', ''), [socks])).toBe('[ProxyList]\nsocks5 192.0.2.7 8080 anna p"w\n')
  expect(writeAll(builtInWriter('curl', 'http://a.test/?b=1&c'), [withLogin('a', "p'w")])).toBe(
    "curl -x http://a:p%27w@192.0.2.7:8080 'http://a.test/?b=1&c'\n",
  )
  expect(writeAll(builtInWriter('json', ''), [])).toBe('[\n\n]\n')
})

/** Rows of cells, by RFC 4180. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]]
  for (const match of text.matchAll(/("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|$)/g)) {
    if (match[0] === '') break
    rows.at(-1)!.push(match[1]!.startsWith('"') ? match[1]!.slice(1, -1).replaceAll('""', '"') : match[1]!)
    if (match[2] === '\r\n') rows.push([])
  }
  return rows.filter((row) => row.length > 0)
}
