import {
  type CatalogOffer,
  type CatalogPlan,
  type CatalogProduct,
  findPlan,
  isOnSale,
  type Price,
  priceOf,
  sellsFromStock,
} from '@/lib/catalog'
import { type Database, db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, inLane, invariant, newId, refused, type Refusal, type Result } from '@/lib/kit'
import type { PlaceOrderInput } from './schemas'

export type PlaceOrderRefusal = Refusal<
  | 'plan_not_found'
  | 'place_unavailable'
  | 'period_unavailable'
  | 'quantity_out_of_range'
  | 'price_changed'
  | 'in_debt'
  | 'insufficient_balance'
  | 'sold_out'
  | 'key_reused'
  | 'not_found'
>

export type PlacedOrder = { orderId: string; isRepeat: boolean }

/**
 * Buys: holds the money, reserves stock where the offer is stock, promises the delivery; all of it or nothing, in one round trip
 * (the SQL function place_order). The same request key with the same content is the same order.
 *
 * Never charges another total than the one that came with the click: `price_changed` carries the new one. Other refusals and their facts:
 * `plan_not_found` (never was, or was withdrawn), `place_unavailable`, `period_unavailable`, `quantity_out_of_range` {min, max},
 * `in_debt` {owedMicros} (a bank took money back that was spent), `insufficient_balance` {balanceMicros, missingMicros}, `sold_out` {available}, `key_reused`, `not_found` (the key is that of a
 * waiting choice that was taken back). Offers are tried in the order of their
 * priority; one that is sold out gives way to the next of the same country.
 */
export async function placeOrder(
  actor: { id: string },
  input: PlaceOrderInput,
  database: Database = db(),
): Promise<Result<PlacedOrder, PlaceOrderRefusal>> {
  return inLane(`orders:${actor.id}`, async () => {
    const first = await tryToPlace(actor, input, database, false)
    // Only a copy of the catalogue that is older than the plan's last change says so; with a fresh one the answer is final.
    return first ?? (await tryToPlace(actor, input, database, true)) ?? refused('plan_not_found')
  })
}

/** Null: the catalogue changed under the price; read it anew. */
async function tryToPlace(
  actor: { id: string },
  input: PlaceOrderInput,
  database: Database,
  fresh: boolean,
): Promise<Result<PlacedOrder, PlaceOrderRefusal> | null> {
  const found = await findPlan(input.planId, { fresh })
  const priced = found && priceChoice(found, input)
  // A refusal on the word of a copy may be out of date, too: read anew before saying no.
  if (!priced || !priced.ok) return fresh ? (priced ?? refused('plan_not_found')) : null
  const { plan, product, price, offers } = priced.value

  let available = 0n
  for (const offer of offers) {
    const row = await callPlaceOrder(database, { actor, input, plan, product, price, offer })
    switch (row.outcome) {
      case 'placed':
      case 'repeated':
        return accepted({ orderId: row.order_id, isRepeat: row.outcome === 'repeated' })
      case 'key_reused':
        return refused('key_reused', { orderId: row.order_id })
      case 'intent_closed':
        return refused('not_found')
      case 'plan_changed':
        return fresh ? refused('plan_not_found') : null
      case 'in_debt':
        return refused('in_debt', { owedMicros: row.available })
      case 'insufficient_balance':
        return refused('insufficient_balance', {
          balanceMicros: row.available,
          missingMicros: price.totalMicros - row.available,
        })
      default:
        invariant(row.outcome === 'sold_out', `place_order answered ${row.outcome}`)
        if (row.available > available) available = row.available
    }
  }
  return refused('sold_out', { available: Number(available) })
}

type PricedChoice = { plan: CatalogPlan; product: CatalogProduct; price: Price; offers: CatalogOffer[] }

/** Everything that can be said about a choice without touching the customer's money. */
function priceChoice(
  { plan, product }: { plan: CatalogPlan; product: CatalogProduct },
  input: PlaceOrderInput,
): Result<PricedChoice, PlaceOrderRefusal> {
  if (!product.isActive || !isOnSale(plan)) return refused('plan_not_found')
  const offers = plan.offers.filter((offer) => offer.isActive && offer.countryCode === input.countryCode)
  if (offers.length === 0) return refused('place_unavailable')
  if (input.quantity < plan.minQuantity || input.quantity > plan.maxQuantity) {
    return refused('quantity_out_of_range', { min: plan.minQuantity, max: plan.maxQuantity })
  }
  const price = priceOf(plan, input)
  if (!price) return refused('period_unavailable')
  if (price.totalMicros !== input.totalMicros) return refused('price_changed', { totalMicros: price.totalMicros })
  // What a supplier last said is a hint; an offer that says it has too few is not tried.
  const enough = offers.filter((offer) => offer.stockCount === null || offer.stockCount >= input.quantity)
  if (enough.length === 0)
    return refused('sold_out', { available: Math.max(...offers.map((offer) => offer.stockCount ?? 0)) })
  return accepted({ plan, product, price, offers: enough })
}

type PlaceOrderRow = { outcome: string; order_id: string; available: bigint }

async function callPlaceOrder(
  database: Database,
  call: Omit<PricedChoice, 'offers'> & { actor: { id: string }; input: PlaceOrderInput; offer: CatalogOffer },
): Promise<PlaceOrderRow> {
  const { actor, input, plan, product, price, offer } = call
  const [row] = await database.$queryRaw<PlaceOrderRow[]>(Prisma.sql`
    SELECT outcome, order_id, available FROM place_order(
      ${newId('ord')}, ${actor.id}, ${input.requestKey}, ${plan.id}, ${plan.revision}::int, ${offer.id}, ${sellsFromStock(offer.supplier)},
      ${product.kind}, ${input.countryCode}, ${input.periodDays}::int, ${input.quantity}::int,
      ${price.unitPriceMicros}, ${price.discountMicros}, ${price.totalMicros}, ${env().SHOP_CURRENCY})`)
  return row!
}
