import fc from 'fast-check'
import { expect, it } from 'vitest'
import { priceOf } from './price'

const plan = {
  minQuantity: 1,
  maxQuantity: 100,
  periods: [
    { days: 7, unitPriceMicros: 400_000n },
    { days: 30, unitPriceMicros: 1_200_000n },
  ],
  steps: [
    { fromQuantity: 50, discountBasisPoints: 1000 },
    { fromQuantity: 10, discountBasisPoints: 500 },
  ],
}

it('a worked example: 12 pieces for 30 days at 5 % off, and what the next step would bring', () => {
  expect(priceOf(plan, { periodDays: 30, quantity: 12 })).toEqual({
    quantity: 12,
    periodDays: 30,
    unitPriceMicros: 1_200_000n,
    grossMicros: 14_400_000n,
    discountBasisPoints: 500,
    discountMicros: 720_000n,
    totalMicros: 13_680_000n,
    nextStep: { fromQuantity: 50, discountBasisPoints: 1000, unitPriceMicros: 1_080_000n },
  })
})

it.each([0, -1, 1.5, 101, Number.NaN, Number.POSITIVE_INFINITY])('does not sell %d pieces', (quantity) => {
  expect(priceOf(plan, { periodDays: 30, quantity })).toBeNull()
})

it('does not sell a period that is not on the list', () => {
  expect(priceOf(plan, { periodDays: 31, quantity: 1 })).toBeNull()
})

it('always: total is list price less discount, positive, and rounding never costs the customer a micro', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.bigInt({ min: 1n, max: 10n ** 12n }),
      fc.integer({ min: 1, max: 9000 }),
      (quantity, unitPriceMicros, bp) => {
        const price = priceOf(
          { ...plan, periods: [{ days: 30, unitPriceMicros }], steps: [{ fromQuantity: 2, discountBasisPoints: bp }] },
          { periodDays: 30, quantity },
        )!
        expect(price.grossMicros - price.discountMicros).toBe(price.totalMicros)
        expect(price.totalMicros > 0n).toBe(true)
        const isRoundedDown =
          price.totalMicros * 10_000n <= price.grossMicros * BigInt(10_000 - price.discountBasisPoints)
        expect(isRoundedDown || price.totalMicros === 1n).toBe(true)
      },
    ),
    // Half a micro a piece: all that rounding leaves is the last one.
    { examples: [[2, 1n, 5001]] },
  )
})

it('always: prices in whole steps make totals in whole steps, and never dearer ones', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 100 }),
      fc.bigInt({ min: 1n, max: 10n ** 4n }),
      fc.constantFrom(10_000n, 50_000n, 1_000_000n),
      fc.integer({ min: 1, max: 9000 }),
      (quantity, pieces, totalStepMicros, bp) => {
        const stepped = {
          ...plan,
          periods: [{ days: 30, unitPriceMicros: pieces * totalStepMicros }],
          steps: [{ fromQuantity: 2, discountBasisPoints: bp }],
        }
        const exact = priceOf(stepped, { periodDays: 30, quantity })!
        const price = priceOf({ ...stepped, totalStepMicros }, { periodDays: 30, quantity })!
        expect(price.totalMicros <= exact.totalMicros && price.totalMicros > 0n).toBe(true)
        expect(price.totalMicros % totalStepMicros === 0n || price.totalMicros === exact.totalMicros).toBe(true)
      },
    ),
    // A step off two steps at 60 % would leave nothing: there the exact price holds.
    { examples: [[2, 1n, 10_000n, 6000]] },
  )
})

it('a price off the step is not rounded while there is no discount: nobody agreed to another', () => {
  const odd = { ...plan, periods: [{ days: 30, unitPriceMicros: 1_203_000n }], totalStepMicros: 50_000n }
  expect(priceOf(odd, { periodDays: 30, quantity: 1 })?.totalMicros).toBe(1_203_000n)
})
