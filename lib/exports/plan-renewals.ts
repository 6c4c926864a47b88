import { findPlan, renewalPriceOf } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import { DAY_MS, HOUR_MS } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import { renewalRules } from '@/lib/orders'
import { PLANNER_DAYS, type PlannedItem } from './plan-days'

type Group = {
  orderId: string
  planId: string
  countryCode: string
  periodDays: number
  isAutomatic: boolean
  renewPeriodDays: number | null
  renewUnitMicros: bigint | null
  isByVolume: boolean
  placedAt: Date
  endsAt: Date
  quantity: number
}

export type RenewalPlan = {
  /** By when the money is needed. */
  items: PlannedItem[]
  currency: string
  /** What can be spent now, less what is owed. */
  balanceMicros: bigint
  /** How long before an end what renews itself is paid for. */
  leadHours: number
}

/**
 * What of a customer's proxies falls due within 90 days, at today's prices. What renews itself is counted each time it would, as long as the price is
 * not above what was agreed; what needs a hand once. Proxies of an order that end within a day of each other are one item, as the run that renews
 * them takes them. A renewal that is under way at a supplier is paid for already and counts from the end it leads to.
 */
export async function planRenewals(input: { userId: string; now?: Date }): Promise<RenewalPlan> {
  const now = input.now ?? new Date()
  const until = new Date(now.getTime() + PLANNER_DAYS * DAY_MS)
  const [groups, balance, { leadHours }] = await Promise.all([
    readGroups(input.userId),
    getBalance({ userId: input.userId }),
    renewalRules.read(),
  ])
  const items: PlannedItem[] = []
  for (const group of together(groups)) items.push(...(await itemsOf(group, { now, until, leadHours })))
  return {
    items: items.toSorted((a, b) => a.dueAt.getTime() - b.dueAt.getTime() || (a.orderId < b.orderId ? -1 : 1)),
    currency: balance.currency,
    balanceMicros: balance.balanceMicros - balance.owedMicros,
    leadHours,
  }
}

/** Proxies counted by order and end: an order of thousands is a row or two. */
function readGroups(userId: string): Promise<Group[]> {
  return db().$queryRaw<Group[]>(Prisma.sql`
    SELECT o.id AS "orderId", o.plan_id AS "planId", o.country_code AS "countryCode", o.period_days AS "periodDays", o.auto_renew AS "isAutomatic",
           o.renew_period_days AS "renewPeriodDays", o.renew_unit_micros AS "renewUnitMicros", a.granted_bytes IS NOT NULL AS "isByVolume",
           o.placed_at AS "placedAt", a.expires_at + make_interval(days => coalesce(r.period_days, 0)) AS "endsAt", count(*)::int AS quantity
    FROM allocations a JOIN orders o ON o.id = a.order_id
    LEFT JOIN renewals r ON r.order_id = o.id AND r.state = 'held' AND a.id = ANY (r.allocation_ids)
    WHERE a.user_id = ${userId} AND o.state IN ('active', 'in_grace')
      AND (a.state = 'active' AND a.expires_at > now() OR a.state = 'in_grace' AND a.grace_until > now())
    GROUP BY o.id, a.granted_bytes IS NOT NULL, a.expires_at + make_interval(days => coalesce(r.period_days, 0))
    ORDER BY o.id, "isByVolume", "endsAt"`)
}

/** Joins what ends within a day of the first. */
function together(groups: readonly Group[]): Group[] {
  const joined: Group[] = []
  for (const group of groups) {
    const last = joined.at(-1)
    const isNear =
      last?.orderId === group.orderId &&
      last.isByVolume === group.isByVolume &&
      group.endsAt.getTime() < last.endsAt.getTime() + DAY_MS
    if (isNear) last.quantity += group.quantity
    else joined.push({ ...group })
  }
  return joined
}

async function itemsOf(group: Group, span: { now: Date; until: Date; leadHours: number }): Promise<PlannedItem[]> {
  const { orderId, planId, countryCode, quantity, placedAt } = group
  const periodDays = group.isAutomatic ? (group.renewPeriodDays ?? group.periodDays) : group.periodDays
  const found = group.isByVolume ? null : await findPlan(planId)
  const totalMicros = (found && renewalPriceOf(found.plan, { periodDays, quantity }))?.totalMicros ?? null
  const isDearer = totalMicros !== null && totalMicros > (group.renewUnitMicros ?? 0n) * BigInt(quantity)
  const way = totalMicros === null ? 'ends' : group.isAutomatic && !isDearer ? 'by_itself' : 'by_hand'
  const reason = group.isByVolume
    ? 'by_volume'
    : way === 'ends'
      ? 'not_sold'
      : group.isAutomatic && isDearer
        ? 'dearer'
        : null
  const items: PlannedItem[] = []
  for (let endsAt = group.endsAt; endsAt <= span.until; endsAt = new Date(endsAt.getTime() + periodDays * DAY_MS)) {
    const dueAt = way === 'by_itself' ? endsAt.getTime() - span.leadHours * HOUR_MS : endsAt.getTime()
    items.push({
      orderId,
      planId,
      countryCode,
      quantity,
      placedAt,
      endsAt,
      dueAt: new Date(Math.max(dueAt, span.now.getTime())),
      periodDays,
      totalMicros,
      way,
      reason,
    })
    if (way !== 'by_itself') break
  }
  return items
}
