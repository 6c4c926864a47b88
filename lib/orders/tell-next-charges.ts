import { z } from 'zod'
import { findPlan, renewalPriceOf } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { defineJob } from '@/lib/jobs'
import { DAY_MS, HOUR_MS } from '@/lib/kit'
import { listNextChargeWishes, NEXT_CHARGE_DAYS } from '@/lib/notices'
import { type Fact, tellCustomers } from '@/lib/notifications'
import { renewalRules } from './rules'

export const tellNextChargesJob = defineJob({
  name: 'orders.tell_next_charges',
  payload: z.object({}),
  maxAttempts: 3,
})

/** Customers looked at in one transaction. */
const PAGE = 500
/** What one notice lists; the rest is in its total. */
const LISTED_MAX = 5

type Row = {
  id: string
  userId: string
  planId: string
  dueAt: Date
  periodDays: number
  agreedUnitMicros: bigint
  quantity: number
  balanceMicros: bigint
}
type Charge = { orderId: string; micros: bigint; at: Date; key: string }

/**
 * Tells customers of automatic renewals that will be charged in the coming days (three, unless they chose otherwise), with dates and total; in the app only, unless
 * they want more. A notice is named by the last charge it speaks of: the same coming days are told once, and a charge that enters them is told with all of them.
 * Renewals dearer than agreed are left out: they will not be made. Returns how many customers have something to hear now or heard it before.
 */
export async function tellNextCharges(now: Date = new Date()): Promise<number> {
  const { leadHours } = await renewalRules.read()
  const leadMs = leadHours * HOUR_MS
  const horizon = new Date(now.getTime() + Math.max(...NEXT_CHARGE_DAYS) * DAY_MS + leadMs)
  const currency = env().SHOP_CURRENCY
  let after = ''
  let told = 0
  for (;;) {
    const rows = await db().$queryRaw<Row[]>(Prisma.sql`
      SELECT o.id, o.user_id AS "userId", o.plan_id AS "planId", o.due_at AS "dueAt", o.renew_period_days AS "periodDays",
             o.renew_unit_micros AS "agreedUnitMicros", n.n::int AS quantity, u.balance::bigint AS "balanceMicros"
      FROM (SELECT DISTINCT o.user_id, coalesce(b.balance_micros, 0) AS balance
            FROM orders o LEFT JOIN ledger_accounts b ON b.owner = o.user_id AND b.kind = 'customer_balance' AND b.currency = ${currency}
            WHERE o.auto_renew AND o.state IN ('active', 'in_grace') AND o.due_at <= ${horizon}::timestamptz AND o.user_id > ${after}
            ORDER BY o.user_id LIMIT ${PAGE}::int) u
      JOIN orders o ON o.user_id = u.user_id AND o.auto_renew AND o.state IN ('active', 'in_grace') AND o.due_at <= ${horizon}::timestamptz
      CROSS JOIN LATERAL (SELECT count(*) AS n FROM allocations a WHERE a.order_id = o.id AND a.state IN ('active', 'in_grace') AND a.granted_bytes IS NULL
        AND a.expires_at < o.due_at + interval '1 day') n
      ORDER BY o.user_id, o.due_at, o.id`)
    if (rows.length === 0) return told
    const byUser = new Map<string, Row[]>()
    for (const row of rows) byUser.set(row.userId, [...(byUser.get(row.userId) ?? []), row])
    const wishes = await listNextChargeWishes([...byUser.keys()])
    const facts: Fact<'next_charge'>[] = []
    for (const [userId, orders] of byUser) {
      const { days, isLoud } = wishes.get(userId)!
      if (days === 0) continue
      const until = now.getTime() + days * DAY_MS
      const charges: Charge[] = []
      for (const order of orders) {
        const at = new Date(order.dueAt.getTime() - leadMs)
        // What should have been charged by now is tried again every few hours, and tells of itself.
        if (at <= now || at.getTime() > until || order.quantity === 0) continue
        const found = await findPlan(order.planId)
        const micros = found && renewalPriceOf(found.plan, order)?.totalMicros
        if (!micros || micros > order.agreedUnitMicros * BigInt(order.quantity)) continue
        charges.push({ orderId: order.id, micros, at, key: `${order.id}:${order.dueAt.toISOString()}` })
      }
      if (charges.length === 0) continue
      facts.push({
        key: `next_charge:${charges.at(-1)!.key}`,
        userId,
        template: 'next_charge',
        isQuiet: !isLoud,
        props: {
          totalMicros: charges.reduce((sum, each) => sum + each.micros, 0n).toString(),
          balanceMicros: orders[0]!.balanceMicros.toString(),
          currency,
          charges: charges.slice(0, LISTED_MAX).map(({ orderId, micros, at }) => ({
            orderId,
            amountMicros: micros.toString(),
            at: at.toISOString(),
          })),
          more: Math.max(0, charges.length - LISTED_MAX),
        },
      })
    }
    await db().$transaction((tx) => tellCustomers(tx, facts))
    told += facts.length
    after = rows.at(-1)!.userId
  }
}
