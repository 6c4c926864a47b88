import { Prisma } from '@/lib/db'
import { DAY_MS } from '@/lib/kit'
import type { ProxyFilter } from './schemas'

/** What of `allocations a` is in use now, and what waits in its grace. The rest has ended. */
const LIVE = Prisma.sql`(a.state = 'active' AND a.expires_at > now())`
const GRACE = Prisma.sql`(a.state = 'in_grace' AND a.grace_until > now())`

/** `live`, `grace` or `ended`, for a row of `allocations a`. */
/** Its supplier has been asked for another one, and that has no end yet. */
export const BEING_REPLACED = Prisma.sql`EXISTS (SELECT 1 FROM replacements x WHERE x.order_id = a.order_id AND x.state = 'open' AND x.old_allocation_id = a.id)`
export const STANDING = Prisma.sql`CASE WHEN ${LIVE} THEN 'live' WHEN ${GRACE} THEN 'grace' ELSE 'ended' END`

/**
 * The condition over `allocations a` that a filter says, with its owner in it. It stands alone: what lies in other tables is looked up by key for each
 * of the owner's rows. Those look-ups are scalar on purpose: a join could be planned as a walk through everybody's rows.
 */
export function proxyFilter({ userId, filter }: { userId: string; filter: ProxyFilter }): Prisma.Sql {
  const conditions = [Prisma.sql`a.user_id = ${userId}`]
  const { q, state = 'held', country, plan, order, tag, days, check } = filter
  if (state === 'held') conditions.push(Prisma.sql`(${LIVE} OR ${GRACE})`)
  if (state === 'live') conditions.push(LIVE)
  if (state === 'grace') conditions.push(GRACE)
  if (state === 'ended') conditions.push(Prisma.sql`NOT (${LIVE} OR ${GRACE})`)
  if (country) conditions.push(Prisma.sql`a.country_code = ${country}`)
  if (order) conditions.push(Prisma.sql`a.order_id = ${order}`)
  if (plan) conditions.push(Prisma.sql`(SELECT o.plan_id FROM orders o WHERE o.id = a.order_id) = ${plan}`)
  if (days) {
    const until = new Date(Date.now() + days * DAY_MS)
    conditions.push(Prisma.sql`(${LIVE} OR ${GRACE}) AND a.expires_at <= ${until}::timestamptz`)
  }
  if (tag)
    conditions.push(
      Prisma.sql`${tag} = ANY (coalesce((SELECT m.tags FROM proxy_marks m WHERE m.user_id = ${userId} AND m.allocation_id = a.id), '{}'))`,
    )
  if (check) {
    const last = Prisma.sql`(SELECT h.last_ok FROM proxy_health h WHERE h.allocation_id = a.id)`
    conditions.push(
      check === 'working'
        ? Prisma.sql`${last} IS TRUE`
        : check === 'failing'
          ? Prisma.sql`${last} IS FALSE`
          : Prisma.sql`${last} IS NULL`,
    )
  }
  if (q) {
    // A line break stands between the fields, and no search holds one.
    conditions.push(Prisma.sql`strpos(lower(concat_ws(E'\n', a.host || ':' || a.port, a.username, a.order_id,
      (SELECT concat_ws(E'\n', m.label, m.note, array_to_string(m.tags, E'\n')) FROM proxy_marks m WHERE m.user_id = ${userId} AND m.allocation_id = a.id))),
      lower(${q})) > 0`)
  }
  return Prisma.join(conditions, ' AND ')
}
