import { db, Prisma } from '@/lib/db'
import { MINUTE_MS } from '@/lib/kit'
import { deliverOrderJob, resolveDeliveryJob } from './jobs'

/** Older than any delivery that goes its normal way, so that the sweep meets only what was left behind. */
const LEFT_BEHIND_AFTER_MS = 3 * MINUTE_MS

/**
 * Looks for orders that nobody works on (a job that used up its attempts during a long outage, a queue restored from a backup) and promises
 * their jobs again. Handlers are safe to run twice, so one job too many does no harm, and none too few is left. Returns how many.
 */
export async function sweepOrders(): Promise<number> {
  const before = new Date(Date.now() - LEFT_BEHIND_AFTER_MS)
  return db().$executeRaw(Prisma.sql`
    INSERT INTO outbox_jobs (name, payload)
    SELECT CASE WHEN d.id IS NULL THEN ${deliverOrderJob.name} ELSE ${resolveDeliveryJob.name} END,
           CASE WHEN d.id IS NULL THEN jsonb_build_object('orderId', o.id) ELSE jsonb_build_object('deliveryId', d.id) END
    FROM orders o LEFT JOIN deliveries d ON d.order_id = o.id AND d.state IN ('calling', 'unknown')
    WHERE o.state IN ('placed', 'delivering', 'unknown') AND o.placed_at < ${before} AND coalesce(d.started_at, o.placed_at) < ${before}
      AND NOT EXISTS (SELECT 1 FROM graphile_worker._private_jobs j
        WHERE j.attempts < j.max_attempts AND (j.payload ->> 'orderId' = o.id OR j.payload ->> 'deliveryId' = d.id))
    LIMIT 1000`)
}
