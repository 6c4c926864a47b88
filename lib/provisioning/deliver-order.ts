import { sellsFromStock } from '@/lib/catalog'
import { db, Prisma, type Tx } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { HOUR_MS, newId, SECOND_MS } from '@/lib/kit'
import { log } from '@/lib/log'
import { OPEN_ORDER_STATES, type OrderState } from '@/lib/orders'
import { type PurchaseOutcome, type Supplier, UnknownOutcomeError } from '@/lib/suppliers'
import { completeDelivery, failOrder } from './end-order'
import { resolveDeliveryJob } from './jobs'
import { supplierOf } from './suppliers-in-use'

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

/**
 * Delivers one order, once. From stock: one SQL call. From a supplier: notes the run, buys outside of any transaction, then hands over, or gives the
 * money back, or leaves the order `unknown` for resolveDelivery. Safe to run twice and at once: a run whose end is open is never
 * joined by a second one (unique index one_open_delivery_per_order).
 */
export async function deliverOrder(
  { orderId }: { orderId: string },
  supplierFor: (name: string) => Supplier = supplierOf,
): Promise<void> {
  const order = await db().order.findUnique({
    where: { id: orderId },
    select: {
      id: true,
      state: true,
      offerId: true,
      countryCode: true,
      quantity: true,
      periodDays: true,
      placedAt: true,
    },
  })
  if (!order || !OPEN_ORDER_STATES.includes(order.state as OrderState)) return
  const offer = await db().offer.findUniqueOrThrow({
    where: { id: order.offerId },
    select: { id: true, supplier: true, supplierParams: true },
  })

  if (sellsFromStock(offer.supplier)) {
    const outcome = await completeDelivery({ orderId, delivery: null, proxies: null })
    if (outcome === 'nothing_to_deliver') await failOrder({ orderId, reason: 'sold_out' })
    return
  }

  const supplier = supplierFor(offer.supplier)
  const run = await beginRun(order, offer.supplier)
  if (!run) return
  let outcome: PurchaseOutcome
  try {
    outcome = await supplier.buy({
      reference: run.reference,
      countryCode: order.countryCode.toLowerCase(),
      quantity: order.quantity,
      periodDays: order.periodDays,
      params: offer.supplierParams as Record<string, unknown>,
    })
  } catch (error) {
    if (!(error instanceof UnknownOutcomeError)) {
      // The supplier certainly did nothing (it could not even be reached): the run ends, and the job tries again later.
      await closeRun(run.id, orderId, 'unreachable')
      if (Date.now() - order.placedAt.getTime() < GIVE_BACK_AFTER_MS) throw error
      await failOrder({ orderId, reason: 'supplier_failed' })
      return
    }
    await markUnknown(run.id, orderId)
    return
  }
  await applyOutcome({ orderId, deliveryId: run.id, offerId: offer.id, outcome })
}

/** Ends an order by what its supplier said. Shared by the purchase itself and by a look-up that found it. */
export async function applyOutcome(input: {
  orderId: string
  deliveryId: string
  offerId: string
  outcome: PurchaseOutcome
}): Promise<void> {
  const { orderId, deliveryId, offerId, outcome } = input
  if (outcome.kind === 'delivered') {
    const { supplierOrderId, costMicros, currency: costCurrency, proxies } = outcome
    const delivery = { id: deliveryId, supplierOrderId, costMicros, costCurrency }
    const ended = await completeDelivery({ orderId, delivery, proxies })
    if (ended !== 'nothing_to_deliver') return
    // Taken, but nothing handed over: our money there is for a person to claim back; the customer's returns now.
    log('provisioning').error({ orderId, deliveryId }, 'a supplier took an order and delivered nothing')
    await closeRun(deliveryId, orderId, 'nothing_delivered')
    await failOrder({ orderId, reason: 'supplier_failed' })
    return
  }
  await closeRun(deliveryId, orderId, outcome.code)
  if (outcome.code === 'sold_out')
    await db().offer.update({ where: { id: offerId }, data: { stockCount: 0 }, select: { id: true } })
  if (outcome.code === 'supplier_unfunded')
    log('provisioning').error({ orderId }, 'our balance at the supplier does not cover an order')
  await failOrder({ orderId, reason: outcome.code === 'sold_out' ? 'sold_out' : 'supplier_failed' })
}

/** Notes the run and promises its look-up. Null when the order has ended or a run of it is still open. */
async function beginRun(
  order: { id: string; offerId: string },
  supplier: string,
): Promise<{ id: string; reference: string } | null> {
  return db().$transaction(async (tx) => {
    if (!(await lockOpenOrder(tx, order.id))) return null
    const open = await tx.delivery.findFirst({
      where: { orderId: order.id, state: { in: ['calling', 'unknown'] } },
      select: { id: true },
    })
    if (open) return null
    const id = newId('dlv')
    const run = { id, reference: id }
    await tx.delivery.create({
      data: { ...run, orderId: order.id, offerId: order.offerId, supplier, state: 'calling' },
      select: { id: true },
    })
    await tx.order.update({ where: { id: order.id }, data: { state: 'delivering' }, select: { id: true } })
    await tx.orderEvent.create({ data: { orderId: order.id, kind: 'supplier_called', data: {} }, select: { id: true } })
    await enqueue(tx, resolveDeliveryJob, { deliveryId: id }, { runAt: new Date(Date.now() + FIRST_LOOKUP_AFTER_MS) })
    return run
  })
}

async function markUnknown(deliveryId: string, orderId: string): Promise<void> {
  await db().$transaction(async (tx) => {
    if (!(await lockOpenOrder(tx, orderId))) return
    const marked = await tx.delivery.updateMany({
      where: { id: deliveryId, state: 'calling' },
      data: { state: 'unknown' },
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

/** Locks the order row, so that two runs of a job stand in line. False when the order has ended. */
async function lockOpenOrder(tx: Tx, orderId: string): Promise<boolean> {
  const rows = await tx.$queryRaw<{ id: string }[]>(
    Prisma.sql`SELECT id FROM orders WHERE id = ${orderId} AND state IN ('placed', 'delivering', 'unknown') FOR NO KEY UPDATE`,
  )
  return rows.length === 1
}
