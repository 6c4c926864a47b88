import { readPolicy } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import { type Guarantee, guaranteesOf } from './guarantees'
import type { ProxyStanding } from './list-proxies'
import { STANDING } from './proxy-filter'

type Row = {
  id: string
  orderId: string
  planId: string
  policyId: string | null
  currency: string
  deliveredAt: Date | null
  autoRenew: boolean
  position: number
  host: string
  port: number
  username: string
  password: string
  protocols: string[]
  countryCode: string
  state: string
  standing: ProxyStanding
  isByTraffic: boolean
  addedAt: Date
  expiresAt: Date
  graceUntil: Date | null
  lastAt: Date | null
  lastOk: boolean | null
  lastLatencyMs: number | null
  lastExit: string | null
  failingSince: Date | null
  /** How often this place of the order was exchanged before. */
  replacements: number
  /** When its supplier was asked for another one, and until when that is waited for; null when nobody has been. */
  exchangeAskedAt: Date | null
  exchangeUntil: Date | null
}
export type ProxyDetails = Row & { guarantees: Guarantee[] }

/** One proxy of this customer with all that is known of it now; null for somebody else's. */
export async function findProxy(
  input: { userId: string; allocationId: string },
  now: Date = new Date(),
): Promise<ProxyDetails | null> {
  const [row] = await db().$queryRaw<Row[]>(Prisma.sql`
    WITH RECURSIVE was AS (
      SELECT ${input.allocationId}::text AS id
      UNION ALL SELECT r.old_allocation_id FROM was JOIN replacements r ON r.new_allocation_id = was.id
    )
    SELECT a.id, a.order_id AS "orderId", o.plan_id AS "planId", o.policy_id AS "policyId", o.currency, o.delivered_at AS "deliveredAt", o.auto_renew AS "autoRenew",
           a.position, a.host, a.port, a.username, a.password, a.protocols, a.country_code AS "countryCode", a.state, ${STANDING} AS standing,
           a.granted_bytes IS NOT NULL AS "isByTraffic", a.created_at AS "addedAt", a.expires_at AS "expiresAt", a.grace_until AS "graceUntil",
           h.last_at AS "lastAt", h.last_ok AS "lastOk", h.failing_since AS "failingSince", c.latency_ms AS "lastLatencyMs", c.exit_address AS "lastExit",
           (SELECT count(*) - 1 FROM was)::int AS replacements, x.created_at AS "exchangeAskedAt", x.give_up_at AS "exchangeUntil"
    FROM allocations a JOIN orders o ON o.id = a.order_id LEFT JOIN replacements x ON x.order_id = a.order_id AND x.old_allocation_id = a.id AND x.state = 'open' LEFT JOIN proxy_health h ON h.allocation_id = a.id LEFT JOIN proxy_checks c ON c.id = h.last_check_id
    WHERE a.id = ${input.allocationId} AND a.user_id = ${input.userId}`)
  if (!row) return null
  const policy = await readPolicy(row.policyId)
  const facts = {
    ...row,
    handedOverAt: row.addedAt,
    deliveredAt: row.deliveredAt ?? row.addedAt,
    isHeld: row.standing !== 'ended',
  }
  return { ...row, guarantees: guaranteesOf(policy, facts, now) }
}

export type ProxyChange =
  | { kind: 'handed_over'; at: Date }
  | { kind: 'renewed'; at: Date; days: number }
  | { kind: 'replaced_by' | 'replaces'; at: Date; otherId: string; place: string; reason: string }
  | { kind: 'credited'; at: Date; cause: string }

/** What happened to one proxy of this customer, oldest first: hand-over, renewals, exchanges, money given back. */
export async function listProxyChanges(input: {
  userId: string
  orderId: string
  allocationId: string
}): Promise<ProxyChange[]> {
  const { userId, orderId, allocationId } = input
  const mine = { orderId, userId }
  const [held, renewals, replacements, credits] = await Promise.all([
    db().allocation.findFirst({ where: { id: allocationId, ...mine }, select: { createdAt: true } }),
    db().renewal.findMany({
      where: { ...mine, state: 'done', allocationIds: { has: allocationId } },
      select: { endedAt: true, createdAt: true, periodDays: true },
    }),
    db().$queryRaw<{ at: Date; reason: string; otherId: string; place: string; isOld: boolean }[]>(Prisma.sql`
      SELECT r.created_at AS at, r.reason, a.id AS "otherId", a.host || ':' || a.port AS place, r.old_allocation_id = ${allocationId} AS "isOld"
      FROM replacements r JOIN allocations a ON a.id = CASE WHEN r.old_allocation_id = ${allocationId} THEN r.new_allocation_id ELSE r.old_allocation_id END
      WHERE r.order_id = ${orderId} AND r.user_id = ${userId} AND ${allocationId} IN (r.old_allocation_id, r.new_allocation_id)`),
    db().orderCredit.findMany({
      where: { ...mine, allocationIds: { has: allocationId } },
      select: { createdAt: true, cause: true },
    }),
  ])
  if (!held) return []
  const changes: ProxyChange[] = [
    { kind: 'handed_over', at: held.createdAt },
    ...renewals.map((each): ProxyChange => ({
      kind: 'renewed',
      at: each.endedAt ?? each.createdAt,
      days: each.periodDays,
    })),
    ...replacements.map(({ isOld, ...each }): ProxyChange => ({ kind: isOld ? 'replaced_by' : 'replaces', ...each })),
    ...credits.map((each): ProxyChange => ({ kind: 'credited', at: each.createdAt, cause: each.cause })),
  ]
  return changes.sort((one, other) => one.at.getTime() - other.at.getTime())
}
