import { type CatalogPlan, findPlan, type Price, renewalPriceOf, STOCK_SUPPLIERS, unitOf } from '@/lib/catalog'
import { type Database, db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, inLane, invariant, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { LIVE_ORDER_STATES, type OrderState } from './states'

export type RenewOrderInput = {
  orderId: string
  /** Which of the order's proxies; all that are held when left out. */
  allocationIds?: readonly string[]
  periodDays: number
  /** What the customer was shown; any other price is asked about again. */
  totalMicros: bigint
  requestKey: string
}

export type RenewalQuote = {
  orderId: string
  allocationIds: string[]
  price: Price
  /** What one piece comes to, rounded up: the bound of automatic renewals at this price. */
  unitMicros: bigint
  /** Every period this order can be renewed for now. */
  periods: { days: number; totalMicros: bigint }[]
}

export type QuoteRenewalRefusal = Refusal<'not_found' | 'not_renewable' | 'proxy_being_replaced' | 'period_unavailable'>
export type RenewOrderRefusal =
  | QuoteRenewalRefusal
  | Refusal<'price_changed' | 'in_debt' | 'insufficient_balance' | 'renewal_open' | 'key_reused'>

export type Renewed = { renewalId: string; state: 'renewed' | 'held'; isRepeat: boolean }

/**
 * What renewing would cost now, without doing it: for the proxies named, or all that the order still has. `periodDays` left out: the order's own.
 * Refuses `not_found` (also for somebody else's), `not_renewable` (over, exchanged, given back, or sold by the gigabyte), `proxy_being_replaced` (its supplier
 * exchanges one of those named; of all it is left out), `period_unavailable` {periods}.
 */
export async function quoteRenewal(
  actor: { id: string },
  input: { orderId: string; allocationIds?: readonly string[]; periodDays?: number },
): Promise<Result<RenewalQuote, QuoteRenewalRefusal>> {
  const order = await db().order.findFirst({
    where: { id: input.orderId, userId: actor.id },
    select: { id: true, planId: true, state: true, periodDays: true },
  })
  if (!order) return refused('not_found')
  if (!LIVE_ORDER_STATES.includes(order.state as OrderState)) return refused('not_renewable')
  const held = await listRenewable(order.id)
  const chosen = input.allocationIds ?? held
  const isHeld = new Set(held)
  if (chosen.length === 0 || new Set(chosen).size !== chosen.length || !chosen.every((id) => isHeld.has(id))) {
    const open = await listBeingReplaced(order.id)
    const isWaiting = input.allocationIds ? input.allocationIds.some((id) => open.includes(id)) : open.length > 0
    return refused(isWaiting ? 'proxy_being_replaced' : 'not_renewable')
  }
  const found = await findPlan(order.planId)
  const periods = (found?.plan.periods ?? []).flatMap(({ days }) => {
    const price = found && renewalPriceOf(found.plan, { periodDays: days, quantity: chosen.length })
    return price ? [{ days, totalMicros: price.totalMicros }] : []
  })
  const periodDays = input.periodDays ?? order.periodDays
  const price = found && renewalPriceOf(found.plan, { periodDays, quantity: chosen.length })
  if (!price) return refused('period_unavailable', { periods: periods.map((period) => period.days) })
  return accepted({
    orderId: order.id,
    allocationIds: held.filter((id) => chosen.includes(id)),
    price,
    unitMicros: unitOf(price),
    periods,
  })
}

/**
 * Renews proxies of an order for a period, once per request key, at the price that was shown. From stock the money is taken and the ends move at once
 * (`renewed`); where a supplier must renew, the money is held and the call is promised (`held`). The period follows the old end.
 * Refuses as quoteRenewal does, and `price_changed` {totalMicros}, `in_debt` {owedMicros}, `insufficient_balance` {balanceMicros, missingMicros},
 * `renewal_open` (another one of this order is under way), `key_reused`.
 */
export async function renewOrder(
  actor: { id: string },
  input: RenewOrderInput,
  database: Database = db(),
): Promise<Result<Renewed, RenewOrderRefusal>> {
  // A repeat is answered with what was done, whatever the order and its price have become since.
  const done = await findRenewal(actor, input)
  if (done) return done
  return inLane(`orders:${actor.id}`, async () => {
    const quote = await quoteRenewal(actor, input)
    if (!quote.ok) return quote
    const { price, allocationIds } = quote.value
    if (price.totalMicros !== input.totalMicros) return refused('price_changed', { totalMicros: price.totalMicros })
    const found = await findPlan((await planIdOf(input.orderId))!, { fresh: true })
    // Priced again by the catalogue as it is now; what the copy said may be two seconds old.
    const fresh = found && renewalPriceOf(found.plan, { periodDays: input.periodDays, quantity: allocationIds.length })
    if (!found || !fresh) return refused('period_unavailable', { periods: [] })
    if (fresh.totalMicros !== input.totalMicros) return refused('price_changed', { totalMicros: fresh.totalMicros })
    const row = await callRenewOrder(database, {
      orderId: input.orderId,
      userId: actor.id,
      key: input.requestKey,
      due: null,
      allocationIds,
      plan: found.plan,
      price: fresh,
    })
    return readRenewed(row, fresh.totalMicros)
  })
}

async function findRenewal(
  actor: { id: string },
  input: RenewOrderInput,
): Promise<Result<Renewed, RenewOrderRefusal> | null> {
  const old = await db().renewal.findFirst({
    where: { orderId: input.orderId, userId: actor.id, key: input.requestKey },
    select: { id: true, state: true, periodDays: true, totalMicros: true, allocationIds: true },
  })
  if (!old) return null
  const isSame =
    old.periodDays === input.periodDays &&
    old.totalMicros === input.totalMicros &&
    (input.allocationIds === undefined ||
      (input.allocationIds.length === old.allocationIds.length &&
        input.allocationIds.every((id) => old.allocationIds.includes(id))))
  if (!isSame) return refused('key_reused')
  return accepted({ renewalId: old.id, state: old.state === 'held' ? 'held' : 'renewed', isRepeat: true })
}

async function planIdOf(orderId: string): Promise<string | undefined> {
  return (await db().order.findUnique({ where: { id: orderId }, select: { planId: true } }))?.planId
}

/** Proxies of an order whose supplier has been asked for others: until that has an end, their time is not bought on. */
async function listBeingReplaced(orderId: string): Promise<string[]> {
  const open = await db().replacement.findMany({
    where: { orderId, state: 'open' },
    select: { oldAllocationId: true },
  })
  return open.map((row) => row.oldAllocationId)
}

/** The proxies of an order whose time can be bought on, in their order; without those that their supplier exchanges just now. */
export async function listRenewable(orderId: string, now = new Date()): Promise<string[]> {
  const open = await listBeingReplaced(orderId)
  const rows = await db().allocation.findMany({
    where: {
      orderId,
      id: { notIn: open },
      grantedBytes: null,
      OR: [
        { state: 'active', expiresAt: { gt: now } },
        { state: 'in_grace', graceUntil: { gt: now } },
      ],
    },
    orderBy: { position: 'asc' },
    select: { id: true },
  })
  return rows.map((row) => row.id)
}

export type RenewOrderRow = { outcome: string; renewal_id: string | null; available: bigint | null }

/** One round trip to the SQL function renew_order; `due` names the end that an automatic renewal follows. */
export async function callRenewOrder(
  database: Database,
  call: {
    orderId: string
    userId: string
    key: string
    due: Date | null
    allocationIds: readonly string[]
    plan: CatalogPlan
    price: Price
  },
): Promise<RenewOrderRow> {
  const { price, plan } = call
  const [row] = await database.$queryRaw<RenewOrderRow[]>(Prisma.sql`
    SELECT outcome, renewal_id, available FROM renew_order(
      ${newId('rnw')}, ${call.orderId}, ${call.userId}, ${call.key}, ${call.due}::timestamptz, ${[...call.allocationIds]}::text[], ${[...STOCK_SUPPLIERS]}::text[],
      ${plan.revision}::int, ${price.periodDays}::int, ${price.quantity}::int, ${price.unitPriceMicros}, ${price.discountMicros}, ${price.totalMicros},
      ${env().SHOP_CURRENCY})`)
  return row!
}

function readRenewed(row: RenewOrderRow, totalMicros: bigint): Result<Renewed, RenewOrderRefusal> {
  switch (row.outcome) {
    case 'renewed':
    case 'held':
      return accepted({ renewalId: row.renewal_id!, state: row.outcome, isRepeat: false })
    case 'repeated':
      return accepted({ renewalId: row.renewal_id!, state: 'renewed', isRepeat: true })
    case 'plan_changed':
      // between the fresh reading and the call; whoever clicks again sees the new price
      return refused('price_changed', { totalMicros })
    case 'in_debt':
      return refused('in_debt', { owedMicros: row.available! })
    case 'insufficient_balance':
      return refused('insufficient_balance', {
        balanceMicros: row.available!,
        missingMicros: totalMicros - row.available!,
      })
    case 'being_replaced':
      return refused('proxy_being_replaced')
    case 'not_found':
    case 'not_renewable':
    case 'renewal_open':
    case 'key_reused':
      return refused(row.outcome)
    default:
      invariant(false, `renew_order answered ${row.outcome}`)
  }
}
