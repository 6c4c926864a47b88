import { amountText, MAX_AMOUNT_MICROS } from '@/lib/kit'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { inProportion, microsOf } from './decimal'

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

test.each([
  ['33.48', '33.48', 20_000_000n],
  [25.113, 25.113, 20_000_000n],
  ['16.74', 33.48, 10_000_000n],
  // A third is rounded down, once.
  ['1', '3', 6_666_666n],
  [1.2e-7, '0.00000012', 20_000_000n],
  ['1', '0', 0n],
  [null, '1', 0n],
  ['1', undefined, 0n],
  ['-1', '1', 0n],
  ['1e5', '1', 0n],
  ['NaN', '1', 0n],
  ['99999999999999999999', '0.000001', MAX_AMOUNT_MICROS],
])('%s of %s coins pay %s of a price of twenty', (came, due, micros) => {
  expect(inProportion(20_000_000n, came, due)).toBe(micros)
})
