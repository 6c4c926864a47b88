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
import { findAgreedDiscount, findDiscount, findReservedDiscount, type FoundPromotion } from '@/lib/promotions'
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
  | 'promotion_not_valid'
  | 'promotion_used_up'
  | 'too_many_tries'
>

/** Who buys, and from which network address where a person's click is behind it: guessing of codes is counted by both. */
export type Buyer = { id: string; address?: string | null }
/** A choice that waited keeps the use of its code: nothing is typed, nothing is guessed. */
type Placing = PlaceOrderInput & { reservedPromotionId?: string | null }

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
 *
 * With a code the total is the one with its discount, and one use of it is reserved in the same call: `promotion_not_valid` for whatever it may lack,
 * `promotion_used_up` only to whoever was shown its discount, `too_many_tries` {seconds} to whoever guesses.
 */
export async function placeOrder(
  actor: Buyer,
  input: Placing,
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
  actor: Buyer,
  input: Placing,
  database: Database,
  fresh: boolean,
): Promise<Result<PlacedOrder, PlaceOrderRefusal> | null> {
  const found = await findPlan(input.planId, { fresh })
  const priced = found && priceChoice(found, input)
  // A refusal on the word of a copy may be out of date, too: read anew before saying no.
  if (!priced || !priced.ok) return fresh ? (priced ?? refused('plan_not_found')) : null
  const { plan, product, price, offers } = priced.value
  const lowered = await lowerPrice(actor, input, priced.value)
  if (!lowered.ok) return (await findRepeat(actor, input)) ?? lowered
  const { discount, totalMicros } = lowered.value
  if (totalMicros !== input.totalMicros)
    return fresh
      ? refused('price_changed', { totalMicros, ...(discount && { promotionMicros: discount.discountMicros }) })
      : null

  let available = 0n
  for (const offer of offers) {
    const row = await callPlaceOrder(database, { actor, input, plan, product, price, offer, discount })
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
          missingMicros: totalMicros - row.available,
        })
      case 'promotion_changed':
        return fresh ? refused('promotion_not_valid') : null
      case 'promotion_not_valid':
      case 'promotion_used_up':
        return refused(row.outcome)
      default:
        invariant(row.outcome === 'sold_out', `place_order answered ${row.outcome}`)
        if (row.available > available) available = row.available
    }
  }
  return refused('sold_out', { available: Number(available) })
}

/** The order that this very click has placed before, when its code has ended or was for a first order since. */
async function findRepeat(actor: Buyer, input: Placing): Promise<Result<PlacedOrder, never> | null> {
  const { planId, countryCode, periodDays, quantity, totalMicros } = input
  const order = await db().order.findFirst({
    where: { userId: actor.id, requestKey: input.requestKey, planId, countryCode, periodDays, quantity, totalMicros },
    select: { id: true },
  })
  return order && accepted({ orderId: order.id, isRepeat: true })
}

type Discount = { promotion: FoundPromotion; discountMicros: bigint; isReserved: boolean }

/** What is to be paid when the code that was typed, or kept with the choice, is taken off. */
async function lowerPrice(
  actor: Buyer,
  input: Placing,
  { product, plan, price }: Pick<PricedChoice, 'product' | 'plan' | 'price'>,
): Promise<
  Result<{ discount: Discount | null; totalMicros: bigint }, Refusal<'promotion_not_valid' | 'too_many_tries'>>
> {
  const { promotionCode, reservedPromotionId, countryCode } = input
  const choice = {
    productId: product.id,
    productKind: product.kind,
    countryCode,
    quantity: price.quantity,
    totalMicros: price.totalMicros,
    totalStepMicros: plan.totalStepMicros ?? null,
  }
  const found = reservedPromotionId
    ? await findReservedDiscount(reservedPromotionId, choice)
    : promotionCode
      ? await findAgreedDiscount(actor, promotionCode, choice, input.totalMicros)
      : null
  if (!found) return accepted({ discount: null, totalMicros: price.totalMicros })
  if (!found.ok) return found
  const discount = { ...found.value, isReserved: Boolean(reservedPromotionId) }
  return accepted({ discount, totalMicros: price.totalMicros - discount.discountMicros })
}

/**
 * The code of a choice that is kept, at the total that was agreed. Refuses `period_unavailable` for a choice that has no price, `price_changed` {totalMicros},
 * and about the code as placeOrder does.
 */
export async function findCodeFor(
  actor: Buyer,
  input: Omit<PlaceOrderInput, 'requestKey'> & { promotionCode: string },
  { plan, product }: { plan: CatalogPlan; product: CatalogProduct },
): Promise<
  Result<Discount, Refusal<'period_unavailable' | 'price_changed' | 'promotion_not_valid' | 'too_many_tries'>>
> {
  const price = priceOf(plan, input)
  if (!price) return refused('period_unavailable')
  const lowered = await lowerPrice(actor, { ...input, requestKey: '' }, { plan, product, price })
  if (!lowered.ok) return lowered
  const { discount, totalMicros } = lowered.value
  invariant(discount, 'a code that is valid takes something off')
  return totalMicros === input.totalMicros ? accepted(discount) : refused('price_changed', { totalMicros })
}

/**
 * What a choice would cost with a code, without buying: the discount and the total that the click then carries. Refuses as placeOrder does about the choice
 * and about the code; `promotion_not_valid` also where its last use is gone.
 */
export async function previewOrder(
  actor: Buyer,
  input: Omit<PlaceOrderInput, 'requestKey' | 'totalMicros' | 'promotionCode'> & { promotionCode: string },
): Promise<Result<{ discountMicros: bigint; totalMicros: bigint; code: string }, PlaceOrderRefusal>> {
  const found = await findPlan(input.planId, { fresh: true })
  if (!found) return refused('plan_not_found')
  const priced = priceChoice(found, input)
  if (!priced.ok) return priced
  const { plan, product, price } = priced.value
  const discounted = await inLane(`orders:${actor.id}`, () =>
    findDiscount(actor, input.promotionCode, {
      productId: product.id,
      productKind: product.kind,
      countryCode: input.countryCode,
      quantity: price.quantity,
      totalMicros: price.totalMicros,
      totalStepMicros: plan.totalStepMicros ?? null,
    }),
  )
  if (!discounted.ok) return discounted
  const { discountMicros, promotion } = discounted.value
  return accepted({ discountMicros, totalMicros: price.totalMicros - discountMicros, code: promotion.code })
}

type PricedChoice = { plan: CatalogPlan; product: CatalogProduct; price: Price; offers: CatalogOffer[] }

/** Everything that can be said about a choice without touching the customer's money. */
function priceChoice(
  { plan, product }: { plan: CatalogPlan; product: CatalogProduct },
  input: Pick<PlaceOrderInput, 'countryCode' | 'quantity' | 'periodDays'>,
): Result<PricedChoice, PlaceOrderRefusal> {
  if (!product.isActive || !isOnSale(plan)) return refused('plan_not_found')
  const offers = plan.offers.filter((offer) => offer.isActive && offer.countryCode === input.countryCode)
  if (offers.length === 0) return refused('place_unavailable')
  if (input.quantity < plan.minQuantity || input.quantity > plan.maxQuantity) {
    return refused('quantity_out_of_range', { min: plan.minQuantity, max: plan.maxQuantity })
  }
  const price = priceOf(plan, input)
  if (!price) return refused('period_unavailable')
  // What a supplier last said is a hint; an offer that says it has too few is not tried.
  const enough = offers.filter((offer) => offer.stockCount === null || offer.stockCount >= input.quantity)
  if (enough.length === 0)
    return refused('sold_out', { available: Math.max(...offers.map((offer) => offer.stockCount ?? 0)) })
  return accepted({ plan, product, price, offers: enough })
}

type PlaceOrderRow = { outcome: string; order_id: string; available: bigint }

async function callPlaceOrder(
  database: Database,
  call: Omit<PricedChoice, 'offers'> & {
    actor: { id: string }
    input: PlaceOrderInput
    offer: CatalogOffer
    discount: Discount | null
  },
): Promise<PlaceOrderRow> {
  const { actor, input, plan, product, price, offer, discount } = call
  const promotionMicros = discount?.discountMicros ?? 0n
  const [row] = await database.$queryRaw<PlaceOrderRow[]>(Prisma.sql`
    SELECT outcome, order_id, available FROM place_order(
      ${newId('ord')}, ${actor.id}, ${input.requestKey}, ${plan.id}, ${plan.revision}::int, ${offer.id}, ${sellsFromStock(offer.supplier)},
      ${product.kind}, ${input.countryCode}, ${input.periodDays}::int, ${input.quantity}::int,
      ${price.unitPriceMicros}, ${price.discountMicros}, ${price.totalMicros - promotionMicros}, ${env().SHOP_CURRENCY},
      ${discount?.promotion.id ?? null}::text, ${discount && !discount.isReserved ? discount.promotion.revision : null}::int, ${promotionMicros}::bigint)`)
  return row!
}
