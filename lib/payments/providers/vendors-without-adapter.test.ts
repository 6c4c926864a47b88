import { createHash, createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { isSameHex } from './call'

/**
 * Vendors that the shop does not take money through. Their published vectors are kept as recipes, so that whoever writes the adapter begins with numbers
 * that hold; the mistakes beside them are the ones that are easy to make.
 */
const md5 = (...parts: string[]): string => createHash('md5').update(parts.join(':')).digest('hex')

test('Robokassa: the form under the first password, the call about the result under the second, over the amount as it was received', () => {
  expect(md5('demo-shop', '100.00', '42', 'rk-pass-1')).toBe('1dfcf9b70d31051c29e990d79f331680')
  const result = md5('100.000000', '42', 'rk-pass-2')
  expect(result).toBe('06bfb04177f24c6fffa2c56ae7d02163')
  const rewritten = md5('100.00', '42', 'rk-pass-2')
  expect(rewritten).toBe('257fbb8d4a80b04cd5e459c4bfb67f97')
  expect(isSameHex(rewritten, Buffer.from(result, 'hex'))).toBe(false)
  // It comes in either case, and our comparison knows one.
  expect(isSameHex(result.toUpperCase().toLowerCase(), Buffer.from(result, 'hex'))).toBe(true)
})

test('FreeKassa: merchant, amount, second word, order', () => {
  expect(md5('9001', '100', 'fk-word-2', 'topup_8f3a')).toBe('b5bc746751360cfc466445de1e278c2b')
})

test('LAVA: the body as it is sent, under the shop’s secret', () => {
  const body = '{"sum":300.09,"orderId":"topup_8f3a","shopId":"00000000-0000-4000-8000-000000000001"}'
  const sign = (text: string): string => createHmac('sha256', 'lava-demo-secret').update(text).digest('hex')
  expect(sign(body)).toBe('d5d1155191a629884d3c445a085bc067c1a95939ba27eec6d5945fb287bec93e')
  expect(sign(body.replace('300.09', '300.9'))).not.toBe(sign(body))
})
