import type { CatalogPlan } from '@/lib/catalog'

/** What somebody chose of a plan, as the address carries it. */
export type Choice = { country: string; days: number; quantity: number }
/** A country a plan is sold in. `available` null: the supplier is asked only when somebody orders. */
export type Place = { code: string; name: string; available: number | null }

/**
 * The countries of a plan by name, each with the most pieces one order can have there: an order is filled by one offer, so offers do not add up.
 */
export function placesOf(plan: CatalogPlan, availability: Map<string, number | null>, locale: string): Place[] {
  const names = new Intl.DisplayNames([locale], { type: 'region' })
  const places = new Map<string, number | null>()
  for (const offer of plan.offers) {
    const known = availability.get(offer.id) ?? null
    const before = places.get(offer.countryCode)
    places.set(offer.countryCode, known === null || before === null ? null : Math.max(known, before ?? 0))
  }
  return [...places]
    .map(([code, available]) => ({ code, name: names.of(code) ?? code, available }))
    .sort((a, b) => a.name.localeCompare(b.name, locale))
}

/** The choice an address asks for; what it leaves out or what is not sold becomes what suits most: somewhere with stock, a month, the least. */
export function readChoice(
  plan: CatalogPlan,
  places: Place[],
  query: Record<string, string | string[] | undefined>,
): Choice {
  const country =
    places.find((place) => place.code === query.country) ?? places.find((place) => place.available !== 0) ?? places[0]
  const period =
    plan.periods.find((each) => String(each.days) === query.days) ??
    plan.periods.find((each) => each.days === 30) ??
    plan.periods[0]
  const quantity = typeof query.quantity === 'string' && /^\d{1,6}$/.test(query.quantity) ? Number(query.quantity) : 0
  const fits = quantity >= plan.minQuantity && quantity <= plan.maxQuantity
  return {
    country: country?.code ?? '',
    days: period?.days ?? 0,
    quantity: fits ? quantity : plan.minQuantity,
  }
}

/** The lowest price per piece that a plan can come to, with its period. Null for a plan without periods. */
export function fromPrice(plan: CatalogPlan): { days: number; unitPriceMicros: bigint } | null {
  return plan.periods.reduce<{ days: number; unitPriceMicros: bigint } | null>(
    (least, period) => (least === null || period.unitPriceMicros < least.unitPriceMicros ? period : least),
    null,
  )
}
