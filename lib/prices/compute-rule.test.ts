import fc from 'fast-check'
import { expect, it } from 'vitest'
import { priceOf } from '@/lib/catalog/price'
import { computeRule, type KnownCost } from './compute-rule'
import type { PriceRuleTerms } from './schemas'

const offers = [
  { id: 'ofr_a', supplier: 'px6' },
  { id: 'ofr_b', supplier: 'stock' },
]
const plan = {
  minQuantity: 1,
  maxQuantity: 1000,
  periods: [
    { days: 7, unitPriceMicros: 400_000n },
    { days: 30, unitPriceMicros: 1_200_000n },
  ],
  steps: [{ fromQuantity: 10, discountBasisPoints: 1000 }],
  offers,
}
const terms: PriceRuleTerms = {
  periods: [{ days: 30, marginBasisPoints: 2000, fixedMicros: 50_000n, minimumMicros: 0n }],
  stepMicros: 50_000n,
  belowMicros: 0n,
  thresholdBasisPoints: 100,
  isLossAllowed: false,
  costCurrency: null,
  costRate: null,
}
const cost = (offerId: string, costMicros: bigint, currency = 'USD'): KnownCost => ({
  offerId,
  supplier: offerId === 'ofr_a' ? 'px6' : 'stock',
  days: 30,
  costMicros,
  currency,
})
const rateFor = (_: string, currency: string) => (currency === 'USD' ? '1' : currency === 'EUR' ? '1.1' : null)
const compute = (costs: KnownCost[], changed: Partial<PriceRuleTerms> = {}, priceStepMicros: bigint | null = null) =>
  computeRule({ plan, terms: { ...terms, ...changed }, costs, rateFor, priceStepMicros })
const month = (...given: Parameters<typeof compute>) => compute(...given).periods[1]!

it('goes by the dearest offer, and leaves a period without a line alone', () => {
  const { periods, moves, problem } = compute([cost('ofr_a', 800_000n), cost('ofr_b', 1_000_000n)])
  expect(periods[0]).toMatchObject({ days: 7, afterMicros: null, problem: null })
  expect(periods[1]).toMatchObject({ costMicros: 1_000_000n, costOfferId: 'ofr_b', afterMicros: 1_250_000n })
  expect([moves, problem]).toEqual([true, null])
})

it('an offer whose cost nobody knows, or knows only in a currency without a rate, stops the whole rule and is named', () => {
  const a = cost('ofr_a', 800_000n)
  expect(compute([a])).toMatchObject({ moves: false, problem: { problem: 'cost_missing', costOfferId: 'ofr_b' } })
  expect(compute([a, cost('ofr_b', 1n, 'JPY')])).toMatchObject({
    moves: false,
    problem: { problem: 'rate_missing', costOfferId: 'ofr_b' },
  })
  // 1.00 EUR at 1.1 with a fifth and 0.05 on top is 1.37, up to the next 0.05.
  expect(month([a, cost('ofr_b', 1_000_000n, 'EUR')]).afterMicros).toBe(1_400_000n)
})

it('a discount that would lead below the cost stops it, unless the rule says so', () => {
  const costs = [cost('ofr_a', 1_000_000n), cost('ofr_b', 1_000_000n)]
  const thin = { periods: [{ days: 30, marginBasisPoints: 500, fixedMicros: 0n, minimumMicros: 0n }] }
  expect(compute(costs, thin)).toMatchObject({ moves: false, problem: { problem: 'price_below_cost' } })
  expect(compute(costs, { ...thin, isLossAllowed: true })).toMatchObject({ moves: true, problem: null })
})

it('a price of nothing is none', () => {
  const nothing = { periods: [{ days: 30, marginBasisPoints: 0, fixedMicros: 0n, minimumMicros: 0n }] }
  expect(month([cost('ofr_a', 0n), cost('ofr_b', 0n)], nothing)).toMatchObject({ problem: 'price_of_nothing' })
})

it('a small move is no move', () => {
  const costs = [cost('ofr_a', 950_000n), cost('ofr_b', 950_000n)]
  expect(month(costs).afterMicros).toBe(1_200_000n)
  expect(compute(costs, { stepMicros: 1_000n, thresholdBasisPoints: 100 }).moves).toBe(false)
  expect(compute(costs, { stepMicros: 1_000n, thresholdBasisPoints: 0, belowMicros: 1n }).moves).toBe(true)
})

it('always: what a rule lets through never sells below cost, whatever is bought', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n, max: 10n ** 9n }),
      fc.integer({ min: 0, max: 20_000 }),
      fc.integer({ min: 1, max: 9000 }),
      fc.integer({ min: 1, max: 1000 }),
      fc.constantFrom(null, 10_000n, 50_000n),
      (costMicros, marginBasisPoints, discountBasisPoints, quantity, priceStepMicros) => {
        const sold = { ...plan, steps: [{ fromQuantity: 2, discountBasisPoints }], totalStepMicros: priceStepMicros }
        const { periods, problem } = computeRule({
          plan: sold,
          terms: { ...terms, periods: [{ days: 30, marginBasisPoints, fixedMicros: 0n, minimumMicros: 0n }] },
          costs: [cost('ofr_a', costMicros), cost('ofr_b', costMicros)],
          rateFor,
          priceStepMicros,
        })
        if (problem) return
        const priced = { ...sold, periods: [{ days: 30, unitPriceMicros: periods[1]!.afterMicros! }] }
        expect(priceOf(priced, { periodDays: 30, quantity })!.totalMicros >= costMicros * BigInt(quantity)).toBe(true)
      },
    ),
  )
})
