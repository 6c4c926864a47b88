import { db, Prisma } from '@/lib/db'
import { DAY_MS, SECOND_MS } from '@/lib/kit'
import { checkOrderJob } from './jobs'
import { checkRules } from './rules'
import { CHECKABLE, type Prober, REAL_PROBER, workThrough } from './work-through'

/** Older than a hand-over whose own job is on its way; one promised twice does no harm. */
const MISSED_AFTER_MS = 30 * SECOND_MS
const ENROL_MAX = 5_000
const DISMISS_MAX = 5_000
/** A proxy that ended may be renewed in its grace; after a month nobody renews it. */
const ENDED_FOR_GOOD_DAYS = 30

/**
 * Every minute: finds orders whose receipt nobody promised, sets aside proxies that ended, and checks what is due, the longest due first. Ends within
 * its minute; the next run goes on. Safe beside itself.
 */
export async function checkDue(prober: Prober = REAL_PROBER, runMs?: number): Promise<void> {
  await promiseMissedReceipts()
  await dismissEnded()
  await workThrough('schedule', Prisma.sql`h.next_check_at <= now()`, prober, runMs)
}

/**
 * Enrols proxies of the last day that have no row yet, and promises the receipts of their orders in the same statement. Ids begin with their time, so only
 * that day is read.
 */
async function promiseMissedReceipts(): Promise<void> {
  await db().$executeRaw(Prisma.sql`
    WITH missed AS (
      SELECT a.id, a.order_id FROM allocations a
      WHERE a.id > ${idAt('alc', new Date(Date.now() - DAY_MS))} AND a.id < ${idAt('alc', new Date(Date.now() - MISSED_AFTER_MS))} AND ${CHECKABLE}
        AND NOT EXISTS (SELECT 1 FROM proxy_health h WHERE h.allocation_id = a.id)
      LIMIT ${ENROL_MAX}::int
    ), enrolled AS (
      INSERT INTO proxy_health (allocation_id, order_id, next_check_at) SELECT id, order_id, now() + interval '1 hour' FROM missed
      ON CONFLICT (allocation_id) DO NOTHING RETURNING order_id
    )
    INSERT INTO outbox_jobs (name, payload)
    SELECT DISTINCT ${checkOrderJob.name}, jsonb_build_object('orderId', order_id, 'kind', 'handover') FROM enrolled`)
}

async function dismissEnded(): Promise<void> {
  const { everyHours } = await checkRules.read()
  await db().$executeRaw(Prisma.sql`
    UPDATE proxy_health h SET next_check_at = CASE WHEN e.may_return THEN now() + make_interval(hours => ${everyHours}::int) END
    FROM (
      SELECT h.allocation_id, a.state IN ('active', 'in_grace', 'expired') AND a.expires_at > now() - make_interval(days => ${ENDED_FOR_GOOD_DAYS}::int) AS may_return
      FROM proxy_health h JOIN allocations a ON a.id = h.allocation_id
      WHERE h.next_check_at <= now() AND NOT (${CHECKABLE}) LIMIT ${DISMISS_MAX}::int FOR UPDATE OF h SKIP LOCKED
    ) e WHERE h.allocation_id = e.allocation_id`)
}

/**
 * Every night: gives each proxy that customers hold a place in the schedule, whatever kept it out (an older version of the shop, a renewal long after its
 * end), spread over the hours between two checks. Returns how many.
 */
export async function enrolMissed(): Promise<number> {
  const { everyHours } = await checkRules.read()
  let enrolled = 0
  for (let after = '', id: string | null = ''; id !== null; after = id) {
    const [batch] = await db().$queryRaw<{ last: string | null; enrolled: number }[]>(Prisma.sql`
      WITH held AS (
        SELECT a.id, a.order_id FROM allocations a LEFT JOIN proxy_health h ON h.allocation_id = a.id
        WHERE a.id > ${after} AND ${CHECKABLE} AND h.next_check_at IS NULL ORDER BY a.id LIMIT ${ENROL_MAX}::int
      ), put AS (
        INSERT INTO proxy_health (allocation_id, order_id, next_check_at)
        SELECT id, order_id, now() + random() * make_interval(hours => ${everyHours}::int) FROM held
        ON CONFLICT (allocation_id) DO UPDATE SET next_check_at = excluded.next_check_at RETURNING 1
      )
      SELECT (SELECT max(id) FROM held) AS last, (SELECT count(*) FROM put)::int AS enrolled`)
    id = batch!.last
    enrolled += batch!.enrolled
    if (id === null) break
  }
  return enrolled
}

/** How long a single check is kept: long enough to show any downtime of a month's order that is credited afterwards. */
export const KEPT_DAYS = 45
const REMOVE_BATCH = 10_000

/** Every night: removes single checks older than 45 days, except receipts, which stay with their orders. Returns how many. */
export async function removeOldChecks(now = new Date()): Promise<number> {
  const before = idAt('chk', new Date(now.getTime() - KEPT_DAYS * DAY_MS))
  for (let removed = 0; ;) {
    const batch = await db().$executeRaw(Prisma.sql`
      DELETE FROM proxy_checks WHERE id IN (
        SELECT id FROM proxy_checks WHERE kind <> 'handover' AND id < ${before} ORDER BY id LIMIT ${REMOVE_BATCH}::int)`)
    removed += batch
    if (batch < REMOVE_BATCH) return removed
  }
}

/** The smallest id of its kind that could have been given at that time. */
export function idAt(prefix: 'alc' | 'chk', at: Date): string {
  return `${prefix}_${at.getTime().toString(16).padStart(12, '0')}`
}
