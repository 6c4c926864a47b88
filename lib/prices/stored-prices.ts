import type { CatalogPlan } from '@/lib/catalog'
import type { Prices } from './schemas'

/** Prices as JSON keeps them, in the order they are read in. */
export function toStored(prices: Prices) {
  return {
    periods: prices.periods
      .toSorted((a, b) => a.days - b.days)
      .map(({ days, unitPriceMicros }) => ({ days, unitPriceMicros: unitPriceMicros.toString() })),
    steps: prices.steps
      .toSorted((a, b) => a.fromQuantity - b.fromQuantity)
      .map(({ fromQuantity, discountBasisPoints }) => ({ fromQuantity, discountBasisPoints })),
  }
}

export type PriceDifference = {
  /** Null before: newly sold; null after: no longer sold. */
  periods: { days: number; beforeMicros: bigint | null; afterMicros: bigint | null }[]
  /** The quantity steps afterwards, where they differ. */
  steps: Prices['steps'] | null
}

/** What differs between two lists of prices; periods that stay as they are are left out. */
export function differenceOf(before: Pick<CatalogPlan, 'periods' | 'steps'> | Prices, after: Prices): PriceDifference {
  const of = (prices: Pick<Prices, 'periods'>, days: number) =>
    prices.periods.find((each) => each.days === days)?.unitPriceMicros ?? null
  const days = [...new Set([...before.periods, ...after.periods].map((each) => each.days))].toSorted((a, b) => a - b)
  const isSameSteps =
    JSON.stringify(toStored({ ...after, steps: [...before.steps] }).steps) === JSON.stringify(toStored(after).steps)
  return {
    periods: days
      .map((each) => ({ days: each, beforeMicros: of(before, each), afterMicros: of(after, each) }))
      .filter((each) => each.beforeMicros !== each.afterMicros),
    steps: isSameSteps ? null : after.steps.toSorted((a, b) => a.fromQuantity - b.fromQuantity),
  }
}
