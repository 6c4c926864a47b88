import fc from 'fast-check'
import { expect, it } from 'vitest'
import { amountText, ceilToCents, formatMoney, MAX_AMOUNT_MICROS, parseAmount } from './money'

it.each([
  ['12.50', 12_500_000n],
  ['0,5', 500_000n],
  [' 7 ', 7_000_000n],
  ['0.000001', 1n],
  ['19.99', 19_990_000n],
])('reads %j exactly', (text, micros) => expect(parseAmount(text)).toBe(micros))

it.each([
  '',
  '-1',
  '+1',
  '1e3',
  '0x10',
  '1.1234567',
  '1.2.3',
  'NaN',
  'Infinity',
  '1 000',
  '1000000000001',
  '.5',
  '5.',
  '１',
])('refuses %j', (text) => expect(parseAmount(text)).toBeNull())

it('what is written is read back', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: MAX_AMOUNT_MICROS }), (micros) => parseAmount(amountText(micros)) === micros),
  )
})

it('shows hundredths, and more only where the amount has them', () => {
  expect(formatMoney(12_500_000n, 'USD', 'en')).toBe('12.50\u00a0USD')
  expect(formatMoney(4_000n, 'USD', 'en')).toBe('0.004\u00a0USD')
  expect(formatMoney(-1_234_500_000n, 'USD', 'en')).toBe('−1,234.50\u00a0USD')
  expect(formatMoney(12_500_000n, 'USD', 'ru')).toBe('12,50\u00a0USD')
})

it('what is missing is asked for in whole hundredths, never less', () => {
  expect(ceilToCents(1n)).toBe(10_000n)
  expect(ceilToCents(10_000n)).toBe(10_000n)
})
