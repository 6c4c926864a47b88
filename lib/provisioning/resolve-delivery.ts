import { db } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { MINUTE_MS } from '@/lib/kit'
import type { Supplier } from '@/lib/suppliers'
import { applyOutcome, closeRun } from './deliver-order'
import { failOrder } from './end-order'
import { deliverOrderJob, resolveDeliveryJob } from './jobs'
import { supplierOf } from './suppliers-in-use'

/** How often a supplier must say "nothing under that reference" before we believe it: its own list may lag behind a slow purchase. */
export const LOOKUPS_BEFORE_BELIEVED = 3
/** How many runs that turn out never to have happened an order gets before its money goes back. */
export const RUNS_PER_ORDER = 3

/**
 * Finds out what came of a run whose end is open, before anything is bought again or any money moves: looks the purchase up at the supplier by the
 * reference we sent along. Found: the order is handed over. Not found, three times with growing gaps: the run ends and the order is
 * tried again, or, after three runs, the money goes back. A supplier that cannot be asked: OperationalError, and the job waits.
 */
export async function resolveDelivery(
  { deliveryId }: { deliveryId: string },
  supplierFor: (name: string) => Supplier = supplierOf,
): Promise<void> {
  const run = await db().delivery.findUnique({
    where: { id: deliveryId },
    select: { id: true, orderId: true, offerId: true, supplier: true, reference: true, state: true },
  })
  if (!run || (run.state !== 'calling' && run.state !== 'unknown')) return
  const found = await supplierFor(run.supplier).findPurchase(run.reference)
  if (found) {
    await applyOutcome({
      orderId: run.orderId,
      deliveryId,
      offerId: run.offerId,
      outcome: { kind: 'delivered', ...found },
    })
    return
  }
  const { lookups } = await db().delivery.update({
    where: { id: deliveryId },
    data: { lookups: { increment: 1 } },
    select: { lookups: true },
  })
  if (lookups < LOOKUPS_BEFORE_BELIEVED) {
    await db().$transaction(async (tx) => {
      await tx.orderEvent.create({ data: { orderId: run.orderId, kind: 'looked_up', data: {} }, select: { id: true } })
      await enqueue(tx, resolveDeliveryJob, { deliveryId }, { runAt: new Date(Date.now() + lookups * MINUTE_MS) })
    })
    return
  }
  await closeRun(deliveryId, run.orderId, 'not_bought')
  const runs = await db().delivery.count({ where: { orderId: run.orderId, refusal: 'not_bought' } })
  if (runs >= RUNS_PER_ORDER) await failOrder({ orderId: run.orderId, reason: 'supplier_failed' })
  else await db().$transaction((tx) => enqueue(tx, deliverOrderJob, { orderId: run.orderId }))
}
