import fc from 'fast-check'
import { expect, test } from 'vitest'
import { splitTax } from './split-tax'

test('net and tax make the total to the last micro, and neither is negative', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, 10n ** 15n), fc.integer({ min: 1, max: 5_000 }), (totalMicros, rate) => {
      const { netMicros, taxMicros } = splitTax(totalMicros, rate)
      expect(netMicros + taxMicros).toBe(totalMicros)
      expect(netMicros >= 0n && taxMicros >= 0n).toBe(true)
      expect(taxMicros % 10_000n).toBe(0n)
    }),
  )
})

test('the tax of whole cents is within half a cent of the exact one', () => {
  fc.assert(
    fc.property(fc.bigInt(1n, 10n ** 10n), fc.integer({ min: 1, max: 5_000 }), (cents, rate) => {
      const { taxMicros } = splitTax(cents * 10_000n, rate)
      const offBy = taxMicros * BigInt(10_000 + rate) - cents * 10_000n * BigInt(rate)
      const halfACent = 5_000n * BigInt(10_000 + rate)
      expect(offBy <= halfACent && offBy >= -halfACent).toBe(true)
    }),
  )
})

test('what an accountant would write', () => {
  expect(splitTax(119_000_000n, 1_900)).toEqual({ netMicros: 100_000_000n, taxMicros: 19_000_000n })
  expect(splitTax(3_600_000n, 2_000)).toEqual({ netMicros: 3_000_000n, taxMicros: 600_000n })
  expect(splitTax(9_990_000n, 2_100)).toEqual({ netMicros: 8_260_000n, taxMicros: 1_730_000n })
})
