import { db, Prisma } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { DAY_MS, invariant, MINUTE_MS, OperationalError } from '@/lib/kit'
import type { PurchaseHint } from '@/lib/suppliers'
import { findBought, type Supplied } from './buy-from'
import { closeRun, giveBack, handOver } from './deliver-order'
import { deliverOrderJob, resolveDeliveryJob } from './jobs'
import { watching } from './supplier-health'
import { type SupplierFor, supplierOf } from './suppliers-in-use'

/** How often a supplier must say "nothing under that reference" before we believe it: its own list may lag behind a slow purchase. */
export const LOOKUPS_BEFORE_BELIEVED = 3
/** How many runs that turn out never to have happened an order gets before its money goes back. */
export const RUNS_PER_ORDER = 3
/** Orders that ended so long before a purchase was sent began before it, even where a supplier's dates are days off. */
const KNOWN_BEFORE_MS = 7 * DAY_MS

/**
 * Finds out what came of a run whose end is open, before anything is bought again or any money moves: looks the purchase up at the supplier by the
 * reference we sent along. Found: the order is handed over. Not found, three times with growing gaps: the run ends and the order is
 * tried again, or, after three runs, the money goes back. A supplier that cannot be asked: OperationalError, and the job waits.
 */
export async function resolveDelivery(
  { deliveryId }: { deliveryId: string },
  supplierFor: SupplierFor = supplierOf,
): Promise<void> {
  const run = await findOpenRun(deliveryId)
  if (!run) return
  const found = await lookUp(run, supplierFor)
  if (found) {
    const ended = await handOver({ orderId: run.orderId, deliveryId, supplied: found })
    if (ended === 'taken')
      throw new OperationalError(run.supplier, 'it tells an order that was handed over before: a person decides')
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
  if (runs >= RUNS_PER_ORDER) await giveBack({ orderId: run.orderId, reason: 'supplier_failed' })
  else await db().$transaction((tx) => enqueue(tx, deliverOrderJob, { orderId: run.orderId }))
}

export type OpenRun = {
  id: string
  orderId: string
  offerId: string
  supplier: string
  reference: string
  startedAt: Date
  takenAs: string | null
}

/** The run when its end is open, else null. */
export async function findOpenRun(deliveryId: string): Promise<OpenRun | null> {
  return db().delivery.findFirst({
    where: { id: deliveryId, state: { in: ['calling', 'unknown'] } },
    select: { id: true, orderId: true, offerId: true, supplier: true, reference: true, startedAt: true, takenAs: true },
  })
}

/** Asks the supplier what it has under a run's reference, with everything else that is known of the purchase. Throws OperationalError when it cannot tell. */
export async function lookUp(run: OpenRun, supplierFor: SupplierFor): Promise<Supplied | null> {
  const supplier = await supplierFor(run.supplier)
  const hint = await hintOf(run)
  return watching(run.supplier, () => findBought(supplier, run.reference, hint))
}

async function hintOf(run: OpenRun): Promise<PurchaseHint> {
  const [row] = await db().$queryRaw<
    { countryCode: string; quantity: number; periodDays: number; params: Record<string, unknown>; known: string[] }[]
  >(Prisma.sql`
    SELECT lower(o.country_code) AS "countryCode", o.quantity, o.period_days AS "periodDays", f.supplier_params AS params,
      ARRAY(SELECT coalesce(d.supplier_order_id, d.taken_as) FROM deliveries d WHERE d.supplier = ${run.supplier} AND (d.supplier_order_id IS NOT NULL OR d.taken_as IS NOT NULL) AND d.id <> ${run.id}
        AND d.started_at > ${new Date(run.startedAt.getTime() - KNOWN_BEFORE_MS)}) AS known
    FROM orders o JOIN offers f ON f.id = ${run.offerId} WHERE o.id = ${run.orderId}`)
  invariant(row, 'a run has its order and its offer')
  const { known, ...request } = row
  return { ...request, sentAt: run.startedAt, takenAs: run.takenAs, knownOrderIds: known }
}
