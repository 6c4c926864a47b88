import type { Actor } from '@/lib/audit'
import { db, inTransaction, Prisma } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { accepted, MINUTE_MS, newId, refused, type Refusal, type Result, SECOND_MS } from '@/lib/kit'
import { checkOnDemandJob } from './jobs'
import { CHECKABLE, type Prober, REAL_PROBER, workThrough } from './work-through'

/** Between two requests for one order: what is wrong with a proxy does not change faster, and each check costs the supplier a connection. */
export const REQUEST_EVERY_MS = 2 * MINUTE_MS
/** How many orders of one customer may be under check at a time, so that one person's do not fill the queue. */
export const OPEN_RUNS_MAX = 3
/** A run that has not ended by then lost its job; it does not stand in the way of the next. */
export const STALE_AFTER_MS = 30 * MINUTE_MS
/** When a run looks again for proxies that somebody else is checking. */
const LOOK_AGAIN_MS = 15 * SECOND_MS

type NoCheck = Refusal<'not_found' | 'nothing_to_check' | 'check_running' | 'checked_just_now' | 'too_many_checks'>

/**
 * Asks for a check of one proxy of an order or of all of them, soon, by a job. `userId` is who must hold the order; staff leave it out. Refuses
 * `not_found` (no such order or proxy, or somebody else's), `nothing_to_check` (nothing that still runs), `check_running`,
 * `checked_just_now` (with the `seconds` to wait) and `too_many_checks` (three other orders of this customer are being checked).
 */
export async function requestCheck(
  actor: Actor & { id: string },
  input: { orderId: string; userId?: string; allocationId?: string },
): Promise<Result<{ runId: string }, NoCheck>> {
  const { orderId, userId, allocationId } = input
  return inTransaction<{ runId: string }, NoCheck>(async (tx) => {
    const order = await tx.order.findFirst({ where: { id: orderId, userId }, select: { id: true, userId: true } })
    if (!order) return refused('not_found')
    // Requests of one customer stand in line, so that two at once are counted.
    await tx.$queryRaw(
      Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended('checks:' || ${order.userId}, 0))::text`,
    )
    const [held] = await tx.$queryRaw<{ all: number; live: number }[]>(Prisma.sql`
      SELECT count(*)::int AS all, count(*) FILTER (WHERE ${CHECKABLE})::int AS live FROM allocations a
      WHERE a.order_id = ${orderId} AND (${allocationId ?? null}::text IS NULL OR a.id = ${allocationId ?? null})`)
    if (allocationId !== undefined && held!.all === 0) return refused('not_found')
    if (held!.live === 0) return refused('nothing_to_check')
    const now = Date.now()
    await tx.checkRun.updateMany({
      where: { userId: order.userId, endedAt: null, requestedAt: { lt: new Date(now - STALE_AFTER_MS) } },
      data: { endedAt: new Date(now) },
    })
    const open = await tx.checkRun.findMany({
      where: { userId: order.userId, endedAt: null },
      select: { orderId: true },
    })
    if (open.some((run) => run.orderId === orderId)) return refused('check_running')
    const last = await tx.checkRun.findFirst({
      where: { orderId, requestedAt: { gt: new Date(now - REQUEST_EVERY_MS) } },
      orderBy: { requestedAt: 'desc' },
      select: { requestedAt: true },
    })
    if (last) {
      const seconds = Math.ceil((last.requestedAt.getTime() + REQUEST_EVERY_MS - now) / SECOND_MS)
      return refused('checked_just_now', { seconds: Math.max(1, seconds) })
    }
    if (userId !== undefined && open.length >= OPEN_RUNS_MAX) return refused('too_many_checks')
    const run = { id: newId('ckr'), orderId, userId: order.userId, allocationId, requestedBy: actor.id }
    await tx.checkRun.create({ data: { ...run, requestedAt: new Date(now) }, select: { id: true } })
    await tx.$executeRaw(Prisma.sql`
      INSERT INTO proxy_health (allocation_id, order_id, next_check_at)
      SELECT a.id, a.order_id, now() FROM allocations a WHERE a.order_id = ${orderId} AND ${CHECKABLE} ON CONFLICT (allocation_id) DO NOTHING`)
    await enqueue(tx, checkOnDemandJob, { runId: run.id })
    return accepted({ runId: run.id })
  })
}

/**
 * Checks what a run asks for: each of its proxies that has not been checked since it was asked for. Goes on where it was stopped; a check by anybody
 * else in the meantime counts.
 */
export async function checkOnDemand(
  { runId }: { runId: string },
  prober: Prober = REAL_PROBER,
  runMs?: number,
): Promise<void> {
  const run = await db().checkRun.findUnique({
    where: { id: runId },
    select: { orderId: true, allocationId: true, requestedAt: true, endedAt: true },
  })
  if (!run || run.endedAt) return
  const due = Prisma.sql`h.order_id = ${run.orderId} AND (${run.allocationId}::text IS NULL OR h.allocation_id = ${run.allocationId})
    AND (h.last_at IS NULL OR h.last_at < ${run.requestedAt}::timestamptz)`
  const isDone = await workThrough('demand', due, prober, runMs)
  const [left] = await db().$queryRaw<{ count: number }[]>(Prisma.sql`
    SELECT count(*)::int AS count FROM proxy_health h JOIN allocations a ON a.id = h.allocation_id WHERE ${due} AND ${CHECKABLE}`)
  if (left!.count === 0) {
    await db().checkRun.updateMany({ where: { id: runId, endedAt: null }, data: { endedAt: new Date() } })
    return
  }
  const runAt = new Date(Date.now() + (isDone ? LOOK_AGAIN_MS : 0))
  await db().$transaction((tx) => enqueue(tx, checkOnDemandJob, { runId }, { runAt }))
}
