import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { formatProxy, proxyUrl } from './proxy-formats'

const proxy = { host: '192.0.2.7', port: 8080, username: 'anna', password: 'pw-1' }
const TARGET = 'https://shop.test/api/health'

it('writes the three forms', () => {
  expect(formatProxy(proxy, 'text', TARGET)).toBe('192.0.2.7:8080:anna:pw-1')
  expect(formatProxy(proxy, 'url', TARGET)).toBe('http://anna:pw-1@192.0.2.7:8080')
  expect(formatProxy(proxy, 'curl', TARGET)).toBe(`curl -x http://anna:pw-1@192.0.2.7:8080 ${TARGET}`)
})

it('puts an IPv6 address in brackets', () => {
  expect(proxyUrl({ ...proxy, host: '2001:db8::1' })).toBe('http://anna:pw-1@[2001:db8::1]:8080')
})

const text = fc.string({ unit: 'grapheme-ascii', minLength: 1 })

it('loses nothing of a login and a password in a URL, whatever they hold', () => {
  fc.assert(
    fc.property(text, text, (username, password) => {
      const url = new URL(proxyUrl({ ...proxy, username, password }))
      expect([url.hostname, url.port]).toEqual(['192.0.2.7', '8080'])
      expect([decodeURIComponent(url.username), decodeURIComponent(url.password)]).toEqual([username, password])
    }),
  )
})

it('is a command of four words to a shell, whatever the parts hold', () => {
  fc.assert(
    fc.property(text, text, (password, path) => {
      const target = `https://shop.test/${path}`
      const command = formatProxy({ ...proxy, password }, 'curl', target)
      const words = execFileSync('sh', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' }).split('\0')
      expect(words).toEqual(['curl', '-x', proxyUrl({ ...proxy, password }), target, ''])
    }),
    { numRuns: 30 },
  )
})
