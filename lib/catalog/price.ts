// Pure, and safe in the browser: the calculator on the plan page and the command that charges use the very same function.

export type PricedPlan = {
  minQuantity: number
  maxQuantity: number
  periods: readonly { days: number; unitPriceMicros: bigint }[]
  /** In any order; a step holds from its quantity upward. */
  steps: readonly { fromQuantity: number; discountBasisPoints: number }[]
  /** Discounts are rounded up to this, so that totals of prices in whole steps are whole steps, too. Absent or null: exact. */
  totalStepMicros?: bigint | null
}

export type Price = {
  quantity: number
  periodDays: number
  unitPriceMicros: bigint
  grossMicros: bigint
  discountBasisPoints: number
  discountMicros: bigint
  totalMicros: bigint
  /** The next quantity step: from how many pieces, at which discount, and what a piece then costs. */
  nextStep: { fromQuantity: number; discountBasisPoints: number; unitPriceMicros: bigint } | null
}

/**
 * What a number of pieces costs for a period: list price times quantity, less the discount of the highest step reached. The discount is
 * rounded up to the plan's step (to a whole micro where it has none, or where a step would leave nothing to pay), in the customer's favour, but leaves at
 * least one micro: an order moves money, and nothing cannot be moved. Without a discount nothing is rounded. Null when the plan does not sell that period or quantity (quantities are whole numbers).
 */
export function priceOf(plan: PricedPlan, choice: { periodDays: number; quantity: number }): Price | null {
  const { periodDays, quantity } = choice
  const period = plan.periods.find((each) => each.days === periodDays)
  if (!period || !Number.isInteger(quantity) || quantity < plan.minQuantity || quantity > plan.maxQuantity) return null
  const steps = plan.steps.toSorted((a, b) => a.fromQuantity - b.fromQuantity)
  const discountBasisPoints = steps.findLast((step) => step.fromQuantity <= quantity)?.discountBasisPoints ?? 0
  const grossMicros = period.unitPriceMicros * BigInt(quantity)
  const exact = (grossMicros * BigInt(discountBasisPoints) + 9_999n) / 10_000n
  const inSteps = roundUp(exact, plan.totalStepMicros ?? 1n)
  const discountMicros = inSteps < grossMicros ? inSteps : exact < grossMicros ? exact : grossMicros - 1n
  const next = steps.find((step) => step.fromQuantity > quantity && step.fromQuantity <= plan.maxQuantity)
  return {
    quantity,
    periodDays,
    unitPriceMicros: period.unitPriceMicros,
    grossMicros,
    discountBasisPoints,
    discountMicros,
    totalMicros: grossMicros - discountMicros,
    nextStep: next ? { ...next, unitPriceMicros: discounted(period.unitPriceMicros, next.discountBasisPoints) } : null,
  }
}

/**
 * What renewing a number of pieces costs: the plan's price of today, with its quantity steps, for any number of pieces: who has fewer than the
 * plan's smallest order may renew what they have. Null when the plan no longer sells that period.
 */
export function renewalPriceOf(plan: PricedPlan, choice: { periodDays: number; quantity: number }): Price | null {
  return priceOf({ ...plan, minQuantity: 1, maxQuantity: Math.max(plan.maxQuantity, choice.quantity) }, choice)
}

/** What one piece of a price comes to, rounded up to a whole micro: what a customer agrees to who lets an order renew itself. */
export function unitOf(price: Pick<Price, 'totalMicros' | 'quantity'>): bigint {
  return (price.totalMicros + BigInt(price.quantity) - 1n) / BigInt(price.quantity)
}

/** The smallest multiple of the step that is not below the amount. */
export function roundUp(micros: bigint, stepMicros: bigint): bigint {
  return ((micros + stepMicros - 1n) / stepMicros) * stepMicros
}

/** A piece's price after a discount, rounded down to a whole micro. */
export function discounted(unitPriceMicros: bigint, discountBasisPoints: number): bigint {
  return (unitPriceMicros * BigInt(10_000 - discountBasisPoints)) / 10_000n
}
