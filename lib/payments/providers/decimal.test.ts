import { amountText } from '@/lib/kit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { microsOf } from './decimal'

test.each([
  ['20.00', 20_000_000n],
  [19.99, 19_990_000n],
  [8.2, 8_200_000n],
  [0.1 + 0.2, 300_000n],
  ['0.0000019', 1n],
  [0, 0n],
  ['1000000000', 1_000_000_000_000_000n],
])('reads %s exactly, rounding down below a micro', (amount, micros) => {
  expect(microsOf(amount)).toBe(micros)
})

test.each([
  '-1',
  '+1',
  '1e3',
  1e-7,
  1e21,
  NaN,
  Infinity,
  -1,
  '',
  ' 1',
  '1,5',
  '.5',
  '5.',
  '0x10',
  '1_000',
  'NaN',
  null,
  undefined,
  true,
  [],
  {},
  '1000000000.01',
  '９',
  '1\n',
])('refuses %j', (amount) => {
  expect(microsOf(amount)).toBeNull()
})

test('any amount of whole micros survives its own text', () => {
  fc.assert(fc.property(fc.bigInt(0n, 10n ** 15n), (micros) => microsOf(amountText(micros)) === micros))
})

test('any amount in cents survives a JSON number', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1_000_000_000 }),
      (cents) => microsOf(Number(amountText(BigInt(cents) * 10_000n))) === BigInt(cents) * 10_000n,
    ),
  )
})
