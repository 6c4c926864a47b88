import { db, Prisma, type Tx } from '@/lib/db'
import { announce, enqueue } from '@/lib/jobs'
import { MINUTE_MS } from '@/lib/kit'
import { checkOrderJob } from './jobs'
import { CHECKABLE, CLAIM_MS, type Prober, REAL_PROBER, workThrough } from './work-through'

/**
 * When a proxy that failed at hand-over is tried again: suppliers switch proxies on some minutes after they sold them, and a hiccup of the line has
 * passed by then.
 */
export const SECOND_TRY_AFTER_MS = 5 * MINUTE_MS
/** How many dead proxies one announcement names. */
const DEAD_MAX = 500

/**
 * Tests what was handed over with an order and has not been tested yet, and once more what failed the first time, five minutes later. Goes on
 * where a killed run stopped, shares the work with a run at the same time, and promises its own continuation. What failed twice is announced as
 * `checks.dead_on_arrival`, at least once. Safe to call at any time; also for proxies that came into an order later, as replacements.
 */
export async function checkOrder(
  { orderId }: { orderId: string },
  prober: Prober = REAL_PROBER,
  runMs?: number,
): Promise<void> {
  await enrolOrder(orderId)
  const secondTryBefore = new Date(Date.now() - SECOND_TRY_AFTER_MS)
  const due = Prisma.sql`h.order_id = ${orderId} AND (h.handover_tries = 0
    OR h.handover_tries = 1 AND NOT h.handover_ok AND h.handover_at <= ${secondTryBefore}::timestamptz)`
  const isDone = await workThrough('handover', due, prober, runMs)
  const [left] = await db().$queryRaw<{ untested: number; firstFailedAt: Date | null }[]>(Prisma.sql`
    SELECT count(*) FILTER (WHERE h.handover_tries = 0)::int AS untested, min(h.handover_at) FILTER (WHERE h.handover_tries = 1) AS "firstFailedAt"
    FROM proxy_health h JOIN allocations a ON a.id = h.allocation_id
    WHERE h.order_id = ${orderId} AND ${CHECKABLE} AND (h.handover_tries = 0 OR h.handover_tries = 1 AND NOT h.handover_ok)`)
  const { untested, firstFailedAt } = left!
  const again = !isDone
    ? new Date()
    : untested > 0 // claimed by another run, which may have died
      ? new Date(Date.now() + CLAIM_MS)
      : firstFailedAt && new Date(Math.max(firstFailedAt.getTime() + SECOND_TRY_AFTER_MS, Date.now() + MINUTE_MS))
  if (isDone) await announceDead(orderId)
  if (again)
    await db().$transaction((tx) => enqueue(tx, checkOrderJob, { orderId, kind: 'handover' }, { runAt: again }))
}

/**
 * Tells of proxies that failed both tries and still do. Each end of a run tells again of those that are still held: whoever reacts knows by their own
 * rows what is done, and a run killed in between loses nothing.
 */
async function announceDead(orderId: string): Promise<void> {
  const dead = await db().$queryRaw<{ id: string }[]>(Prisma.sql`
    SELECT a.id FROM proxy_health h JOIN allocations a ON a.id = h.allocation_id
    WHERE h.order_id = ${orderId} AND h.handover_tries = 2 AND NOT h.handover_ok AND h.last_ok IS FALSE AND ${CHECKABLE} ORDER BY a.position`)
  for (let from = 0; from < dead.length; from += DEAD_MAX) {
    const allocationIds = dead.slice(from, from + DEAD_MAX).map(({ id }) => id)
    await db().$transaction((tx) => announce(tx, 'checks.dead_on_arrival', { orderId, allocationIds }))
  }
}

/** Gives each proxy of an order its row of health. Their first check by the clock comes with the receipt's; this is for the case that it never does. */
async function enrolOrder(orderId: string, tx: Tx = db()): Promise<void> {
  await tx.$executeRaw(Prisma.sql`
    INSERT INTO proxy_health (allocation_id, order_id, next_check_at)
    SELECT a.id, a.order_id, now() + interval '1 hour' FROM allocations a WHERE a.order_id = ${orderId} AND ${CHECKABLE}
    ON CONFLICT (allocation_id) DO NOTHING`)
}
