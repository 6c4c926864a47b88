import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bonusOf, discountOf, type PricedChoice, type PromotionTerms } from './discount'

const TERMS: PromotionTerms = {
  kind: 'percent',
  percent: 10,
  amountMicros: null,
  gigabytes: null,
  minimumMicros: null,
  capMicros: null,
  productIds: [],
  countries: [],
}
const CHOICE: PricedChoice = {
  productId: 'prd_1',
  productKind: 'isp',
  countryCode: 'NL',
  quantity: 3,
  totalMicros: 3_600_000n,
  totalStepMicros: 10_000n,
}

test.each([
  ['ten per cent', {}, {}, 360_000n],
  ['rounded up to the plan’s step', { percent: 7 }, {}, 260_000n],
  ['to a micro without one', { percent: 7 }, { totalStepMicros: null, totalMicros: 1_000_001n }, 70_001n],
  ['an amount', { kind: 'amount', percent: null, amountMicros: 1_500_000n }, {}, 1_500_000n],
  [
    'an amount above the price leaves a cent',
    { kind: 'amount', percent: null, amountMicros: 9_000_000n },
    {},
    3_590_000n,
  ],
  ['everything leaves a cent', { percent: 100 }, {}, 3_590_000n],
  ['a cap', { percent: 50, capMicros: 1_000_000n }, {}, 1_000_000n],
  [
    'gigabytes, at what one of them costs here',
    { kind: 'gigabytes', percent: null, gigabytes: 1 },
    { productKind: 'residential' },
    1_200_000n,
  ],
  [
    'no more gigabytes than are bought',
    { kind: 'gigabytes', percent: null, gigabytes: 50 },
    { productKind: 'residential' },
    3_590_000n,
  ],
  ['gigabytes of what is not sold by them', { kind: 'gigabytes', percent: null, gigabytes: 1 }, {}, null],
  ['too low a price', { minimumMicros: 3_600_001n }, {}, null],
  ['exactly the least price', { minimumMicros: 3_600_000n }, {}, 360_000n],
  ['another product', { productIds: ['prd_2'] }, {}, null],
  ['its product', { productIds: ['prd_2', 'prd_1'] }, {}, 360_000n],
  ['another country', { countries: ['DE'] }, {}, null],
  ['nothing left to take off', {}, { totalMicros: 10_000n }, null],
  ['a bonus on top-ups', { kind: 'top_up_bonus' }, {}, null],
] as const)('%s', (_, terms, choice, discountMicros) => {
  expect(discountOf({ ...TERMS, ...terms }, { ...CHOICE, ...choice })).toBe(discountMicros)
})

test('a discount is above nothing and leaves at least a cent, whatever the terms and the price', () => {
  const micros = fc.bigInt({ min: 1n, max: 10_000_000_000n })
  fc.assert(
    fc.property(
      fc.constantFrom('percent' as const, 'amount' as const, 'gigabytes' as const),
      fc.integer({ min: 1, max: 100 }),
      micros,
      fc.option(micros, { nil: null }),
      micros,
      fc.integer({ min: 1, max: 1000 }),
      fc.constantFrom(null, 1n, 10_000n, 1_000_000n),
      (kind, number, amountMicros, capMicros, totalMicros, quantity, totalStepMicros) => {
        const discount = discountOf(
          { ...TERMS, kind, percent: number, amountMicros, gigabytes: number, capMicros },
          { ...CHOICE, productKind: 'residential', totalMicros, quantity, totalStepMicros },
        )
        if (discount === null) expect(totalMicros).toBeLessThanOrEqual(10_000n)
        else {
          expect(discount).toBeGreaterThan(0n)
          expect(totalMicros - discount).toBeGreaterThanOrEqual(10_000n)
          if (capMicros !== null) expect(discount).toBeLessThanOrEqual(capMicros)
        }
      },
    ),
  )
})

test('a bonus is a share or an amount, capped, above the least top-up only', () => {
  const bonus: PromotionTerms = { ...TERMS, kind: 'top_up_bonus', percent: 10 }
  expect(bonusOf(bonus, 20_000_000n)).toBe(2_000_000n)
  expect(bonusOf({ ...bonus, capMicros: 1_500_000n }, 20_000_000n)).toBe(1_500_000n)
  expect(bonusOf({ ...bonus, percent: null, amountMicros: 5_000_000n }, 20_000_000n)).toBe(5_000_000n)
  expect(bonusOf({ ...bonus, minimumMicros: 20_000_001n }, 20_000_000n)).toBeNull()
  expect(bonusOf(TERMS, 20_000_000n)).toBeNull()
})
