import { type PricedPlan, roundUp } from '@/lib/catalog/price'
import { convertCost, costPlusPrice } from './cost-plus'
import type { PriceRuleTerms } from './schemas'

// Pure: the preview, the job and the simulator compute with it.

/** What one piece of an offer costs for a period, as it was told. */
export type KnownCost = { offerId: string; supplier: string; days: number; costMicros: bigint; currency: string }
/** What one unit of a supplier's currency is in the shop's; null where nobody said. */
export type RateFor = (supplier: string, currency: string) => string | null

export type RuleProblem = 'cost_missing' | 'rate_missing' | 'price_below_cost' | 'price_of_nothing'
export type ComputedPeriod = {
  days: number
  beforeMicros: bigint
  /** The dearest of the plan's offers for this period, in the shop's currency: the price holds for all of them. */
  costMicros: bigint | null
  costOfferId: string | null
  /** Null: there is a problem, or no line of the rule for this period, which keeps its price. */
  afterMicros: bigint | null
  problem: RuleProblem | null
}

/** The costs of a plan's periods in the shop's currency: for each the dearest of its active offers, or why it cannot be told. */
export function costOf(
  offers: readonly { id: string; supplier: string }[],
  days: number,
  costs: readonly KnownCost[],
  rateFor: RateFor,
): { costMicros: bigint; offerId: string } | { problem: 'cost_missing' | 'rate_missing'; offerId: string | null } {
  let dearest: { costMicros: bigint; offerId: string } | undefined
  for (const offer of offers) {
    const cost = costs.find((each) => each.offerId === offer.id && each.days === days)
    if (!cost) return { problem: 'cost_missing', offerId: offer.id }
    const rate = rateFor(offer.supplier, cost.currency)
    const costMicros = rate === null ? null : convertCost(cost.costMicros, rate)
    if (costMicros === null) return { problem: 'rate_missing', offerId: offer.id }
    if (!dearest || costMicros > dearest.costMicros) dearest = { costMicros, offerId: offer.id }
  }
  return dearest ?? { problem: 'cost_missing', offerId: null }
}

/**
 * The prices that a rule makes of a plan's costs, period by period, and whether they move enough to be applied. One problem anywhere and nothing is applied:
 * a plan is not half priced. `priceStepMicros` is the shop's own step, on top of the rule's ending.
 */
export function computeRule(input: {
  plan: PricedPlan & { offers: readonly { id: string; supplier: string }[] }
  terms: PriceRuleTerms
  costs: readonly KnownCost[]
  rateFor: RateFor
  priceStepMicros: bigint | null
}): { periods: ComputedPeriod[]; problem: ComputedPeriod | null; moves: boolean } {
  const { plan, terms, costs, rateFor } = input
  const priceStepMicros = input.priceStepMicros ?? 1n
  const periods = plan.periods.map(({ days, unitPriceMicros: beforeMicros }): ComputedPeriod => {
    const line = terms.periods.find((each) => each.days === days)
    const cost = costOf(plan.offers, days, costs, rateFor)
    const known = 'costMicros' in cost ? cost.costMicros : null
    const told = { days, beforeMicros, costMicros: known, costOfferId: cost.offerId }
    if (!line) return { ...told, afterMicros: null, problem: null }
    if ('problem' in cost) return { ...told, afterMicros: null, problem: cost.problem }
    const afterMicros = roundUp(costPlusPrice(cost.costMicros, line, terms), priceStepMicros)
    if (afterMicros === 0n) return { ...told, afterMicros: null, problem: 'price_of_nothing' }
    const isLoss = !terms.isLossAllowed && isBelowCost(plan, afterMicros, cost.costMicros, priceStepMicros)
    return { ...told, afterMicros, problem: isLoss ? 'price_below_cost' : null }
  })
  const problem = periods.find((each) => each.problem !== null) ?? null
  const moves = periods.some(
    ({ beforeMicros, afterMicros }) =>
      afterMicros !== null &&
      distance(afterMicros, beforeMicros) * 10_000n > beforeMicros * BigInt(terms.thresholdBasisPoints),
  )
  return { periods, problem, moves: problem === null && moves }
}

const distance = (a: bigint, b: bigint) => (a > b ? a - b : b - a)

/**
 * Whether somebody could buy at less than cost with the plan's quantity steps. Looked at for the fewest pieces of each step, with a whole price step taken off
 * for its rounding: what holds there holds for more pieces.
 */
function isBelowCost(plan: PricedPlan, priceMicros: bigint, costMicros: bigint, stepMicros: bigint): boolean {
  return plan.steps.some(({ fromQuantity, discountBasisPoints }) => {
    if (fromQuantity > plan.maxQuantity) return false
    const pieces = BigInt(Math.max(fromQuantity, plan.minQuantity))
    const least = (priceMicros * pieces * BigInt(10_000 - discountBasisPoints)) / 10_000n - (stepMicros - 1n)
    return least < costMicros * pieces
  })
}
