import { type Policy, readPolicy } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import type { ProxyFacts } from './decide-remedy'

export type OrderFacts = {
  orderId: string
  userId: string
  planId: string
  countryCode: string
  currency: string
  policy: Policy
  /** Only proxies that are held now (or were to their end, where that was asked for), in their order. */
  proxies: (ProxyFacts & {
    position: number
    host: string
    port: number
    /** The proxy, and those before it in its place. */
    placeIds: string[]
    /** Its supplier has been asked for another one, and that has no end yet. */
    isBeingReplaced: boolean
    /** Its supplier was asked before: nobody is asked for the same proxy twice. */
    wasAsked: boolean
  })[]
}

/**
 * What is known of an order's proxies that a policy may ask about. A place of the order keeps its history when its proxy is exchanged: what was paid for
 * it and how often it was exchanged. What was paid is shared equally between the places it was paid for, rounded down, less what came
 * back because its time was short from the start. Null: no such order (or not this
 * customer's). `withExpired`: also proxies whose time is over.
 * Read across modules by one query, because only together they say what a proxy is owed.
 */
export async function readFacts(input: {
  orderId: string
  userId?: string
  withExpired?: boolean
}): Promise<OrderFacts | null> {
  const order = await db().order.findFirst({
    where: { id: input.orderId, userId: input.userId },
    select: {
      id: true,
      userId: true,
      planId: true,
      countryCode: true,
      currency: true,
      policyId: true,
      deliveredAt: true,
    },
  })
  if (!order) return null
  const { deliveredAt } = order
  if (!deliveredAt) return { ...identityOf(order), policy: await readPolicy(order.policyId), proxies: [] }
  const states = ['active', 'in_grace', ...(input.withExpired ? ['expired'] : [])]
  const proxies = await db().$queryRaw<OrderFacts['proxies']>(Prisma.sql`
    WITH RECURSIVE places AS (
      -- each proxy, followed back through what it replaced
      SELECT a.id AS held, a.id AS was FROM allocations a WHERE a.order_id = ${order.id} AND a.state = ANY (${states})
      UNION ALL
      SELECT p.held, r.old_allocation_id FROM places p JOIN replacements r ON r.new_allocation_id = p.was
    ), whole AS (
      SELECT count(*) FILTER (WHERE a.state <> 'replaced') AS places FROM allocations a WHERE a.order_id = ${order.id}
    )
    SELECT a.id AS "allocationId", a.position, a.host, a.port, a.created_at AS "handedOverAt", ${deliveredAt}::timestamptz AS "deliveredAt",
           a.expires_at AS "expiresAt", coalesce(h.last_ok IS FALSE, false) AS "isDead", a.granted_bytes AS "grantedBytes", a.used_bytes AS "usedBytes",
           (coalesce((SELECT l.captured_micros / w.places FROM ledger_holds l, whole w WHERE l.id = a.order_id), 0)
            + coalesce((SELECT sum(n.captured_micros / cardinality(n.ids))
                        FROM (SELECT captured_micros, coalesce(nullif(renewed_ids, '{}'), allocation_ids) AS ids FROM renewals WHERE order_id = a.order_id AND state = 'done') n
                        WHERE n.ids && ARRAY(SELECT p.was FROM places p WHERE p.held = a.id)), 0)
            - coalesce((SELECT sum(c.amount_micros / cardinality(c.allocation_ids)) FROM order_credits c WHERE c.order_id = a.order_id AND c.cause = 'late'
                        AND c.allocation_ids && ARRAY(SELECT p.was FROM places p WHERE p.held = a.id)), 0))::bigint AS "paidMicros",
           coalesce((SELECT sum(c.amount_micros / cardinality(c.allocation_ids)) FROM order_credits c WHERE c.order_id = a.order_id AND c.cause <> 'late'
                     AND c.allocation_ids && ARRAY(SELECT p.was FROM places p WHERE p.held = a.id)), 0)::bigint AS "creditedMicros",
           ARRAY(SELECT p.was FROM places p WHERE p.held = a.id) AS "placeIds",
           (SELECT count(*) - 1 FROM places p WHERE p.held = a.id)::int AS replacements,
           EXISTS (SELECT 1 FROM replacements r WHERE r.order_id = a.order_id AND r.old_allocation_id = a.id AND r.state = 'open') AS "isBeingReplaced",
           EXISTS (SELECT 1 FROM replacements r WHERE r.order_id = a.order_id AND r.old_allocation_id = a.id AND r.supplier IS NOT NULL) AS "wasAsked"
    FROM allocations a LEFT JOIN proxy_health h ON h.allocation_id = a.id
    WHERE a.order_id = ${order.id} AND a.state = ANY (${states}) ORDER BY a.position`)
  return { ...identityOf(order), policy: await readPolicy(order.policyId), proxies }
}

function identityOf(order: { id: string; userId: string; planId: string; countryCode: string; currency: string }) {
  return {
    orderId: order.id,
    userId: order.userId,
    planId: order.planId,
    countryCode: order.countryCode,
    currency: order.currency,
  }
}
