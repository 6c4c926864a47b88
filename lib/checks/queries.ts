import { db, Prisma } from '@/lib/db'
import { DAY_MS } from '@/lib/kit'
import { KEPT_DAYS } from './check-due'
import type { CheckFailure } from './failures'
import { QUALITY_CHECKS_MIN } from './measure-quality'
import { STALE_AFTER_MS } from './request-check'
import { CHECKABLE, LIVE } from './work-through'

export type CheckView = {
  at: Date
  ok: boolean
  failure: CheckFailure | null
  exitAddress: string | null
  countryCode: string | null
  latencyMs: number | null
}

export type CheckedProxy = {
  allocationId: string
  position: number
  host: string
  port: number
  countryCode: string
  isLive: boolean
  failingSince: Date | null
  /** The check at hand-over; null: not tested then. */
  receipt: CheckView | null
  /** The last check of any kind. */
  last: CheckView | null
}

export type OrderChecks = {
  /** Proxies of the order, and how many of them were tested at hand-over and passed. */
  proxies: number
  tested: number
  passed: number
  /** The first of those tests. */
  testedAt: Date | null
  /** Proxies that still run, and how many of them failed their last check. */
  live: number
  failing: number
  /** The request that is being worked on, with how many of its proxies are done. */
  run: { requestedAt: Date; done: number; total: number } | null
  /** Those that fail first, then in their order; `limit` of them. */
  rows: CheckedProxy[]
}

/** What checks know about an order, for its page. `userId` is who must hold it; staff leave it out. Somebody else's order shows no proxies. */
export async function getOrderChecks(input: {
  orderId: string
  userId?: string
  limit?: number
}): Promise<OrderChecks> {
  const { orderId, limit = 100 } = input
  const theirs = Prisma.sql`a.order_id = ${orderId} AND (${input.userId ?? null}::text IS NULL OR a.user_id = ${input.userId ?? null})`
  const [[counts], rows, [run]] = await Promise.all([
    db().$queryRaw<Omit<OrderChecks, 'rows' | 'run'>[]>(Prisma.sql`
      SELECT count(*)::int AS proxies, count(h.handover_check_id)::int AS tested, count(*) FILTER (WHERE h.handover_ok)::int AS passed,
             min(h.handover_at) AS "testedAt", count(*) FILTER (WHERE ${LIVE})::int AS live,
             count(*) FILTER (WHERE ${CHECKABLE} AND h.last_ok IS FALSE)::int AS failing
      FROM allocations a LEFT JOIN proxy_health h ON h.allocation_id = a.id WHERE ${theirs}`),
    db().$queryRaw<CheckedProxy[]>(Prisma.sql`
      SELECT a.id AS "allocationId", a.position, a.host, a.port, a.country_code AS "countryCode", ${LIVE} AS "isLive",
             h.failing_since AS "failingSince", ${checkColumns('r')} AS receipt, ${checkColumns('l')} AS last
      FROM allocations a LEFT JOIN proxy_health h ON h.allocation_id = a.id
        LEFT JOIN proxy_checks r ON r.id = h.handover_check_id LEFT JOIN proxy_checks l ON l.id = h.last_check_id
      WHERE ${theirs} ORDER BY (${LIVE}) DESC, h.last_ok IS FALSE DESC, a.position LIMIT ${limit}::int`),
    db().$queryRaw<NonNullable<OrderChecks['run']>[]>(Prisma.sql`
      SELECT c.requested_at AS "requestedAt", count(*)::int AS total, count(*) FILTER (WHERE h.last_at >= c.requested_at)::int AS done
      FROM check_runs c JOIN allocations a ON a.order_id = c.order_id AND (c.allocation_id IS NULL OR a.id = c.allocation_id) AND ${CHECKABLE}
        LEFT JOIN proxy_health h ON h.allocation_id = a.id
      WHERE c.order_id = ${orderId} AND c.ended_at IS NULL AND c.requested_at > ${new Date(Date.now() - STALE_AFTER_MS)}::timestamptz AND ${theirs}
      GROUP BY c.id`),
  ])
  return {
    ...counts!,
    rows: rows.map((row) => ({ ...row, receipt: withTime(row.receipt), last: withTime(row.last) })),
    run: run ?? null,
  }
}

function checkColumns(table: 'r' | 'l'): Prisma.Sql {
  const c = Prisma.raw(table)
  return Prisma.sql`CASE WHEN ${c}.id IS NOT NULL THEN jsonb_build_object('at', ${c}.at, 'ok', ${c}.ok, 'failure', ${c}.failure,
    'exitAddress', ${c}.exit_address, 'countryCode', ${c}.country_code, 'latencyMs', ${c}.latency_ms) END`
}

/** In JSON a time is text. */
function withTime(check: CheckView | null): CheckView | null {
  return check && { ...check, at: new Date(check.at) }
}

export type Downtime = {
  allocationId: string
  /** The first check that failed. */
  from: Date
  /** The first that passed again, or the last of a proxy that ended; null while it fails. */
  to: Date | null
  /** How many checks failed in between. */
  failed: number
}

/**
 * When proxies of an order did not work, by their checks, oldest first: the evidence for a downtime credit. Looks back as far as single checks are kept,
 * 45 days, or to `since`. What lay between the last check that passed and the first that failed is not known, and not counted; of a
 * proxy that ended while it failed, or lets in bound addresses only since, only the time up to its last check is.
 */
export async function listDowntimes(input: { orderId: string; userId?: string; since?: Date }): Promise<Downtime[]> {
  const { orderId, userId = null, since = new Date(Date.now() - KEPT_DAYS * DAY_MS) } = input
  return db().$queryRaw<Downtime[]>(Prisma.sql`
    WITH numbered AS (
      SELECT c.allocation_id, ${CHECKABLE} AS is_live, c.at, c.ok, count(*) FILTER (WHERE c.ok) OVER (PARTITION BY c.allocation_id ORDER BY c.at, c.id) AS passed_before
      FROM allocations a JOIN proxy_checks c ON c.allocation_id = a.id
      WHERE a.order_id = ${orderId} AND (${userId}::text IS NULL OR a.user_id = ${userId}) AND c.at >= ${since}::timestamptz
    )
    SELECT f.allocation_id AS "allocationId", min(f.at) AS "from", count(*)::int AS failed,
           coalesce((SELECT p.at FROM numbered p WHERE p.allocation_id = f.allocation_id AND p.ok AND p.passed_before = f.passed_before + 1),
                    CASE WHEN NOT f.is_live THEN max(f.at) END) AS "to"
    FROM numbered f WHERE NOT f.ok GROUP BY f.allocation_id, f.is_live, f.passed_before ORDER BY min(f.at), f.allocation_id`)
}

export type Quality = {
  checks: number
  passed: number
  medianLatencyMs: number | null
  /** Proxies exchanged, or paid back instead, in 30 days. */
  replacements: number
  computedAt: Date
}

/** What a week of checks says about a product, by country. Countries with fewer than 20 checks are left out: they say nothing yet. */
export async function listQuality({ productId }: { productId: string }): Promise<Map<string, Quality>> {
  const rows = await db().productQuality.findMany({
    where: { productId, checks: { gte: QUALITY_CHECKS_MIN } },
    select: {
      countryCode: true,
      checks: true,
      passed: true,
      medianLatencyMs: true,
      replacements: true,
      computedAt: true,
    },
  })
  return new Map(rows.map(({ countryCode, ...quality }) => [countryCode, quality]))
}
