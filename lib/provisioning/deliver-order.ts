import { recordAudit, SYSTEM } from '@/lib/audit'
import { readCatalog, sellsFromStock, STOCK_SUPPLIERS } from '@/lib/catalog'
import { type Database, db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { accepted, HOUR_MS, invariant, newId, OperationalError, SECOND_MS } from '@/lib/kit'
import { log } from '@/lib/log'
import { OPEN_ORDER_STATES, type OrderState } from '@/lib/orders'
import { type Quote, type Supplier, UnknownOutcomeError } from '@/lib/suppliers'
import { buyFrom, quoteAt, type Supplied, type SupplyOutcome } from './buy-from'
import { completeDelivery, failOrder, type OrderFailure } from './end-order'
import { resolveDeliveryJob } from './jobs'
import { isTooDear } from './judge-cost'
import { supplierForCall, watching } from './supplier-health'
import { getOrderMargin } from './supplier-queries'
import { enabledSupplierOf, type SupplierFor } from './suppliers-in-use'
import { supplyRules } from './supply-rules'

/**
 * When a run is looked up at its supplier if nothing has ended it: longer than the purchase call may take, so that a look-up never
 * overtakes the call it asks about. The job is promised before the call, in the same transaction as the run, so that a worker killed
 * in the middle leaves nothing waiting silently.
 */
export const FIRST_LOOKUP_AFTER_MS = 45 * SECOND_MS

/**
 * How long an order waits for a supplier that cannot be reached before its money goes back: longer than the outages that pass by themselves,
 * shorter than a customer's patience.
 */
export const GIVE_BACK_AFTER_MS = 2 * HOUR_MS

type OpenOrder = {
  id: string
  planId: string
  offerId: string
  countryCode: string
  quantity: number
  periodDays: number
  totalMicros: bigint
  placedAt: Date
}
type Source = { offerId: string; supplier: string; supplierParams: Record<string, unknown>; refusal: string | null }
/** What trying one source came to. `ended`: the order is delivered, or a run's end is open: nothing more is tried now. */
type Try = { kind: 'ended' } | { kind: 'refused'; refusal: string } | { kind: 'unreachable'; error: unknown }

/** Refusals that hold for this order: the same source is not asked again for it. */
const FINAL_REFUSALS = ['sold_out', 'supplier_unfunded', 'rejected', 'too_dear', 'not_offered']

/**
 * Delivers one order, once. From stock: one SQL call. From a supplier: asks what it costs, notes the run, buys outside of any transaction, then hands
 * over, or leaves the order `unknown` for resolveDelivery. A source that is sold out, cannot be reached or asks for more than the customer paid gives way to
 * the next one of the same plan and country at once; when none is left, the money goes back, or, while one could not be reached, the job tries again for two
 * hours. Safe to run twice and at once: a run whose end is open is never joined by a second one (unique index one_open_delivery_per_order).
 */
export async function deliverOrder(
  { orderId }: { orderId: string },
  supplierFor: SupplierFor = enabledSupplierOf,
): Promise<void> {
  const order = await db().order.findUnique({
    where: { id: orderId },
    select: {
      id: true,
      state: true,
      planId: true,
      offerId: true,
      countryCode: true,
      quantity: true,
      periodDays: true,
      totalMicros: true,
      placedAt: true,
    },
  })
  if (!order || !OPEN_ORDER_STATES.includes(order.state as OrderState)) return
  const current = await db().offer.findUniqueOrThrow({ where: { id: order.offerId }, select: { supplier: true } })
  if (sellsFromStock(current.supplier)) {
    // The ordinary way: the units were reserved when the order was placed.
    const outcome = await completeDelivery({ orderId, delivery: null, proxies: null })
    if (outcome !== 'nothing_to_deliver') return
  }

  const refusals: string[] = []
  let unreachable: unknown
  for (const source of await listSources(order)) {
    const tried: Try =
      source.refusal !== null
        ? { kind: 'refused', refusal: source.refusal }
        : sellsFromStock(source.supplier)
          ? await deliverFromStock(order, source)
          : await deliverFromSupplier(order, source, supplierFor)
    if (tried.kind === 'ended') return
    if (tried.kind === 'refused') refusals.push(tried.refusal)
    else unreachable = tried.error
  }
  if (unreachable !== undefined && Date.now() - order.placedAt.getTime() < GIVE_BACK_AFTER_MS) throw unreachable
  const isSoldOut = unreachable === undefined && refusals.every((refusal) => refusal === 'sold_out')
  const reason = isSoldOut ? 'sold_out' : 'supplier_failed'
  await giveBack({ orderId, reason })
}

/** Ends an order badly, unless another job of it is buying just now: what that one buys is the order's, and nothing goes back before its end is known. */
export async function giveBack(input: { orderId: string; reason: OrderFailure }): Promise<void> {
  await db().$transaction(async (tx) => {
    if (!(await lockOpenOrder(tx, input.orderId)) || (await hasOpenRun(tx, input.orderId))) return
    await failOrder(input, tx)
  })
}

/**
 * Where an order may come from: the active offers of its plan in its country, never of another one. Those whose supplier's circuit is closed come first,
 * then those that have enough, then the one the order stands at, then by priority, and of equals the one that cost less. A source that told this order a
 * final "no", or that is known to have too little, carries its refusal.
 */
async function listSources(order: OpenOrder): Promise<Source[]> {
  return db().$queryRaw<Source[]>(Prisma.sql`
    SELECT s.id AS "offerId", s.supplier, s.supplier_params AS "supplierParams",
           CASE WHEN s.told IS NOT NULL THEN s.told WHEN NOT s.has_enough AND NOT s.is_current THEN 'sold_out' END AS refusal
    FROM (
      SELECT f.*, f.id = ${order.offerId} AS is_current, coalesce(h.open_until > now(), false) AS is_broken,
        (SELECT d.refusal FROM deliveries d WHERE d.order_id = ${order.id} AND d.offer_id = f.id AND d.refusal = ANY (${FINAL_REFUSALS}) LIMIT 1) AS told,
        CASE WHEN f.supplier = ANY (${[...STOCK_SUPPLIERS]})
          THEN (SELECT count(*) FROM (SELECT 1 FROM stock_units u WHERE u.offer_id = f.id AND u.state = 'free' LIMIT ${order.quantity}) free)
          ELSE coalesce(f.stock_count, ${order.quantity}) END >= ${order.quantity} AS has_enough
      FROM offers f LEFT JOIN supplier_health h ON h.supplier = f.supplier
      WHERE f.plan_id = ${order.planId} AND f.country_code = ${order.countryCode} AND (f.is_active OR f.id = ${order.offerId})) s
    ORDER BY s.is_broken, s.has_enough DESC, s.is_current DESC, s.priority, s.cost_micros, s.id`)
}

async function deliverFromStock(order: OpenOrder, source: Source): Promise<Try> {
  const moved = await moveOrder(db(), { orderId: order.id, offerId: source.offerId, isStock: true })
  if (moved === 'ended' || moved === 'under_way') return { kind: 'ended' }
  if (moved !== 'moved') return { kind: 'refused', refusal: 'sold_out' }
  const outcome = await completeDelivery({ orderId: order.id, delivery: null, proxies: null })
  return outcome === 'nothing_to_deliver' ? { kind: 'refused', refusal: 'sold_out' } : { kind: 'ended' }
}

async function deliverFromSupplier(order: OpenOrder, source: Source, supplierFor: SupplierFor): Promise<Try> {
  const name = source.supplier
  const request = {
    countryCode: order.countryCode.toLowerCase(),
    quantity: order.quantity,
    periodDays: order.periodDays,
    params: source.supplierParams,
  }
  let supplier: Supplier
  let quoted: { quote: Quote | null } | null
  try {
    supplier = await supplierForCall(name, supplierFor)
    quoted = await watching(name, () => quoteAt(supplier, request))
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    return { kind: 'unreachable', error }
  }
  if (!quoted) return passOver(order, source, 'not_offered', null)
  if (await isTooDear(name, quoted.quote, order.totalMicros)) {
    log('provisioning').error({ orderId: order.id, supplier: name }, 'an order would be sold at a loss there')
    return passOver(order, source, 'too_dear', quoted.quote)
  }
  const run = await beginRun(order, source, quoted.quote)
  if (!run) return { kind: 'ended' }
  let outcome: SupplyOutcome
  try {
    outcome = await watching(name, () => buyFrom(supplier, { reference: run.reference, ...request }))
  } catch (error) {
    if (error instanceof UnknownOutcomeError) {
      await markUnknown(run.id, order.id, error.takenAs)
      return { kind: 'ended' }
    }
    // What is no word of the supplier's is a bug of ours: the run stays open, and is looked up.
    if (!(error instanceof OperationalError)) throw error
    // The supplier certainly did nothing (it could not even be reached): the run ends.
    await closeRun(run.id, order.id, 'unreachable')
    return { kind: 'unreachable', error }
  }
  if (outcome.kind === 'delivered') {
    await handOver({ orderId: order.id, deliveryId: run.id, supplied: outcome })
    return { kind: 'ended' }
  }
  await closeRun(run.id, order.id, outcome.code)
  if (outcome.code === 'sold_out')
    await db().offer.update({ where: { id: source.offerId }, data: { stockCount: 0 }, select: { id: true } })
  if (outcome.code === 'supplier_unfunded')
    log('provisioning').error({ orderId: order.id }, 'our balance at the supplier does not cover an order')
  return { kind: 'refused', refusal: outcome.code }
}

/** Hands over what a supplier gave. Shared by the purchase itself, a look-up that found it, and a person who did. */
export async function handOver(input: {
  orderId: string
  deliveryId: string
  supplied: Supplied
}): Promise<'delivered' | 'already_ended' | 'nothing_delivered' | 'taken'> {
  const { orderId, deliveryId, supplied } = input
  const run = await db().delivery.findUniqueOrThrow({
    where: { id: deliveryId },
    select: { supplier: true, offerId: true, quotedMicros: true, quotedCurrency: true },
  })
  const isTold = supplied.costMicros !== null && supplied.currency !== null
  const ended = await completeDelivery({
    orderId,
    delivery: {
      id: deliveryId,
      supplierOrderId: supplied.supplierOrderId,
      // A purchase that was looked up does not tell its price again: what it was quoted at stands in.
      costMicros: isTold ? supplied.costMicros : run.quotedMicros,
      costCurrency: isTold ? supplied.currency : run.quotedCurrency,
    },
    proxies: supplied.proxies,
  })
  if (ended === 'delivered' && isTold && run.quotedMicros !== null && supplied.costMicros! > run.quotedMicros) {
    log('provisioning').error(
      { orderId, deliveryId, supplier: run.supplier },
      'a supplier took more than it had quoted',
    )
    await stopLosses({ orderId, offerId: run.offerId })
  }
  if (ended === 'taken') {
    // Its order was handed over to somebody else: whose it is, a person finds out.
    log('provisioning').error({ orderId, deliveryId }, 'a supplier told an order that was handed over before')
    await markUnknown(deliveryId, orderId)
    return 'taken'
  }
  if (ended !== 'nothing_to_deliver') return ended === 'delivered' ? 'delivered' : 'already_ended'
  // Taken, but nothing handed over: our money there is for a person to claim back; the customer's returns now.
  log('provisioning').error({ orderId, deliveryId }, 'a supplier took an order and delivered nothing')
  await closeRun(deliveryId, orderId, 'nothing_delivered')
  await giveBack({ orderId, reason: 'supplier_failed' })
  return 'nothing_delivered'
}

/**
 * A supplier took more than it had quoted, and the order was sold at a loss: its quotes cannot be gone by, so its offer is switched off until a person has
 * looked, unless the operator allows losses. The order itself is delivered: what was bought cannot be given back.
 */
async function stopLosses({ orderId, offerId }: { orderId: string; offerId: string }): Promise<void> {
  const [margin, { allowLoss }] = await Promise.all([getOrderMargin({ orderId }), supplyRules.read()])
  if (allowLoss || !margin || margin.costMicros <= margin.revenueMicros) return
  await inTransaction(async (tx) => {
    const stopped = await tx.offer.updateMany({ where: { id: offerId, isActive: true }, data: { isActive: false } })
    if (stopped.count > 0)
      await recordAudit(tx, SYSTEM, {
        action: 'provisioning.offer_stopped',
        subjectKind: 'offer',
        subjectId: offerId,
        data: { orderId, reason: 'cost_above_quote' },
      })
    return accepted(undefined)
  })
  await readCatalog({ fresh: true })
}

/** Notes why a source was not asked to deliver, for staff. */
async function passOver(order: OpenOrder, source: Source, refusal: string, quote: Quote | null): Promise<Try> {
  const id = newId('dlv')
  const now = new Date()
  await db().delivery.create({
    data: {
      id,
      reference: id,
      orderId: order.id,
      offerId: source.offerId,
      supplier: source.supplier,
      state: 'refused',
      refusal,
      quotedMicros: quote?.costMicros,
      quotedCurrency: quote?.currency,
      startedAt: now,
      endedAt: now,
    },
    select: { id: true },
  })
  return { kind: 'refused', refusal }
}

/** Moves the order to this source, notes the run and promises its look-up. Null when the order has ended or a run of it is still open. */
async function beginRun(
  order: OpenOrder,
  source: Source,
  quote: Quote | null,
): Promise<{ id: string; reference: string } | null> {
  return db().$transaction(async (tx) => {
    const moved = await moveOrder(tx, { orderId: order.id, offerId: source.offerId, isStock: false })
    if (moved !== 'moved') return null
    const id = newId('dlv')
    const run = { id, reference: id }
    await tx.delivery.create({
      data: {
        ...run,
        orderId: order.id,
        offerId: source.offerId,
        supplier: source.supplier,
        state: 'calling',
        quotedMicros: quote?.costMicros,
        quotedCurrency: quote?.currency,
      },
      select: { id: true },
    })
    await tx.order.update({ where: { id: order.id }, data: { state: 'delivering' }, select: { id: true } })
    await tx.orderEvent.create({ data: { orderId: order.id, kind: 'supplier_called', data: {} }, select: { id: true } })
    await enqueue(tx, resolveDeliveryJob, { deliveryId: id }, { runAt: new Date(Date.now() + FIRST_LOOKUP_AFTER_MS) })
    return run
  })
}

async function moveOrder(
  tx: Tx | Database,
  to: { orderId: string; offerId: string; isStock: boolean },
): Promise<'moved' | 'ended' | 'under_way' | 'other_place' | 'sold_out'> {
  const [row] = await tx.$queryRaw<{ outcome: string }[]>(
    Prisma.sql`SELECT move_order_to_offer(${to.orderId}, ${to.offerId}, ${to.isStock}) AS outcome`,
  )
  const outcome = row!.outcome
  invariant(
    outcome === 'moved' ||
      outcome === 'ended' ||
      outcome === 'under_way' ||
      outcome === 'other_place' ||
      outcome === 'sold_out',
    `move_order_to_offer answered ${outcome}`,
  )
  return outcome
}

async function markUnknown(deliveryId: string, orderId: string, takenAs?: string | null): Promise<void> {
  await db().$transaction(async (tx) => {
    if (!(await lockOpenOrder(tx, orderId))) return
    const marked = await tx.delivery.updateMany({
      where: { id: deliveryId, state: 'calling' },
      data: { state: 'unknown', takenAs: takenAs ?? undefined },
    })
    if (marked.count === 0) return
    await tx.order.update({ where: { id: orderId }, data: { state: 'unknown' }, select: { id: true } })
    await tx.orderEvent.create({ data: { orderId, kind: 'outcome_unknown', data: {} }, select: { id: true } })
  })
}

/** Ends a run that brought nothing. The order stays open: the caller decides what comes next. */
export async function closeRun(deliveryId: string, orderId: string, refusal: string): Promise<void> {
  await db().$transaction(async (tx) => {
    if (!(await lockOpenOrder(tx, orderId))) return
    const closed = await tx.delivery.updateMany({
      where: { id: deliveryId, state: { in: ['calling', 'unknown'] } },
      data: { state: 'refused', refusal, endedAt: new Date() },
    })
    if (closed.count === 0) return
    await tx.order.update({ where: { id: orderId }, data: { state: 'delivering' }, select: { id: true } })
    await tx.orderEvent.create({ data: { orderId, kind: 'supplier_refused', data: {} }, select: { id: true } })
  })
}

async function hasOpenRun(tx: Tx, orderId: string): Promise<boolean> {
  return (await tx.delivery.count({ where: { orderId, state: { in: ['calling', 'unknown'] } } })) > 0
}

/** Locks the order row, so that two runs of a job stand in line. False when the order has ended. */
async function lockOpenOrder(tx: Tx, orderId: string): Promise<boolean> {
  const rows = await tx.$queryRaw<{ id: string }[]>(
    Prisma.sql`SELECT id FROM orders WHERE id = ${orderId} AND state IN ('placed', 'delivering', 'unknown') FOR NO KEY UPDATE`,
  )
  return rows.length === 1
}
