import { z } from 'zod'
import { type CatalogPlan, findPlan, type Price, readCatalog, renewalPriceOf, STOCK_SUPPLIERS } from '@/lib/catalog'
import { db, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { defineJob } from '@/lib/jobs'
import { DAY_MS, HOUR_MS, invariant, newId } from '@/lib/kit'
import { callRenewOrder } from './renew-order'
import { renewalRules, SHORT_NOTICE_DAYS } from './rules'

export const runRenewalsJob = defineJob({ name: 'orders.run_renewals', payload: z.object({}), maxAttempts: 1 })
export const tellShortJob = defineJob({ name: 'orders.tell_short', payload: z.object({}), maxAttempts: 3 })
export const expireOrdersJob = defineJob({ name: 'orders.expire', payload: z.object({}), maxAttempts: 1 })

/** Orders read at a time: the memory of a run does not grow with the night. */
const PAGE = 500
/** Renewed in one transaction: more, and others wait too long for the locks (facts: batches of 100 do 3.4 times of one by one). */
const BATCH = 100

/** Not a proxy whose supplier has been asked for another one: that one's time is bought on, if it comes. */
const NOT_BEING_REPLACED = Prisma.sql`NOT EXISTS (SELECT 1 FROM replacements x WHERE x.order_id = a.order_id AND x.state = 'open' AND x.old_allocation_id = a.id)`

type DueOrder = {
  id: string
  userId: string
  planId: string
  dueAt: Date
  periodDays: number
  agreedUnitMicros: bigint
  quantity: number
}
type Priced = DueOrder & { plan: CatalogPlan; price: Price }

export type RenewalRun = { renewed: number; held: number; short: number; dearer: number; passed: number }

/**
 * Renews by itself what falls due and whose customer asked for it, at today's price if that is not above what was agreed. In batches where all
 * comes from stock, one by one where that fails or a supplier must renew. What cannot be paid is told once and tried again until the grace ends.
 * Safe at any time and any number at once: each order is renewed under its lock, once per end, and a switch that was turned off is honoured.
 */
export async function runRenewals(): Promise<RenewalRun> {
  const rules = await renewalRules.read()
  const run: RenewalRun = { renewed: 0, held: 0, short: 0, dearer: 0, passed: 0 }
  const until = new Date(Date.now() + rules.leadHours * HOUR_MS)
  await readCatalog({ fresh: true })
  let after: { dueAt: Date; id: string } | undefined
  for (;;) {
    const page = await listDue(until, after)
    const priced: Priced[] = []
    for (const order of page) {
      const found = await findPlan(order.planId)
      const price = found && renewalPriceOf(found.plan, order)
      if (!found || !price) await giveUpForNow(order, 'no_longer_sold', rules.retryHours)
      else if (price.totalMicros > order.agreedUnitMicros * BigInt(order.quantity)) {
        await tellDearer(order, price, rules.retryHours)
        run.dearer += 1
      } else priced.push({ ...order, plan: found.plan, price })
    }
    for (let start = 0; start < priced.length; start += BATCH)
      await renewBatch(priced.slice(start, start + BATCH), run, rules.retryHours)
    if (page.length < PAGE) return run
    after = page.at(-1)!
  }
}

function listDue(until: Date, after: { dueAt: Date; id: string } | undefined): Promise<DueOrder[]> {
  const from = after ? Prisma.sql`AND (o.due_at, o.id) > (${after.dueAt}::timestamptz, ${after.id})` : Prisma.empty
  return db().$queryRaw<DueOrder[]>(Prisma.sql`
    SELECT o.id, o.user_id AS "userId", o.plan_id AS "planId", o.due_at AS "dueAt", o.renew_period_days AS "periodDays",
           o.renew_unit_micros AS "agreedUnitMicros", a.n::int AS quantity
    FROM orders o CROSS JOIN LATERAL (
      SELECT count(*) AS n FROM allocations a WHERE a.order_id = o.id AND a.granted_bytes IS NULL AND a.expires_at < o.due_at + interval '1 day'
        AND (a.state = 'active' OR a.state = 'in_grace' AND a.grace_until > now()) AND ${NOT_BEING_REPLACED}) a
    WHERE o.auto_renew AND o.state IN ('active', 'in_grace') AND o.due_at <= ${until}::timestamptz AND (o.retry_at IS NULL OR o.retry_at <= now())
      AND a.n > 0 ${from}
    ORDER BY o.due_at, o.id LIMIT ${PAGE}::int`)
}

async function renewBatch(orders: Priced[], run: RenewalRun, retryHours: number): Promise<void> {
  const rows = orders.map(({ id, dueAt, plan, price }) => ({
    orderId: id,
    renewalId: newId('rnw'),
    due: dueAt,
    days: price.periodDays,
    quantity: price.quantity,
    unitPrice: price.unitPriceMicros.toString(),
    discount: price.discountMicros.toString(),
    total: price.totalMicros.toString(),
    revision: plan.revision,
  }))
  const outcomes = await db().$queryRaw<{ order_id: string; outcome: 'renewed' | 'alone' | 'passed' }[]>(
    Prisma.sql`SELECT order_id, outcome FROM renew_due_orders(${JSON.stringify(rows)}::jsonb, ${[...STOCK_SUPPLIERS]}::text[], ${env().SHOP_CURRENCY})`,
  )
  const alone = new Set<string>()
  for (const { order_id, outcome } of outcomes) {
    if (outcome === 'alone') alone.add(order_id)
    else run[outcome] += 1
  }
  for (const order of orders) if (alone.has(order.id)) await renewAlone(order, run, retryHours)
}

async function renewAlone(order: Priced, run: RenewalRun, retryHours: number): Promise<void> {
  const due = await db().$queryRaw<{ id: string }[]>(Prisma.sql`
    SELECT a.id FROM allocations a WHERE a.order_id = ${order.id} AND a.granted_bytes IS NULL AND a.expires_at < ${order.dueAt}::timestamptz + interval '1 day'
      AND (a.state = 'active' OR a.state = 'in_grace' AND a.grace_until > now()) AND ${NOT_BEING_REPLACED} ORDER BY a.position`)
  if (due.length !== order.quantity) {
    run.passed += 1
    return
  }
  const row = await callRenewOrder(db(), {
    orderId: order.id,
    userId: order.userId,
    key: automaticKey(order.dueAt),
    due: order.dueAt,
    allocationIds: due.map((each) => each.id),
    plan: order.plan,
    price: order.price,
  })
  switch (row.outcome) {
    case 'renewed':
    case 'held':
      run[row.outcome] += 1
      return
    case 'in_debt':
    case 'insufficient_balance':
      run.short += 1
      await tellNotPaid(order, row.outcome === 'in_debt' ? 0n : row.available!, retryHours)
      return
    case 'repeated':
    case 'key_reused': // its terms were changed while it is under way at a supplier
    case 'switched_off':
    case 'already_renewed':
    case 'renewal_open':
    case 'plan_changed':
    case 'being_replaced':
    case 'not_renewable':
      // the next minute's run sees what it is by then
      run.passed += 1
      return
    default:
      invariant(false, `renew_order answered ${row.outcome}`)
  }
}

/** The name of an automatic renewal: the end that it follows. The SQL function renew_due_orders makes the same. */
export function automaticKey(dueAt: Date): string {
  return `auto:${dueAt.toISOString()}`
}

async function tellNotPaid(order: Priced, balanceMicros: bigint, retryHours: number): Promise<void> {
  await db().$transaction(async (tx) => {
    await putOff(tx, order, retryHours, 'renewal_short')
    await tx.$executeRaw(
      Prisma.sql`SELECT queue_user_email(${`renewal_short:${order.id}:${order.dueAt.toISOString()}:0`}, ${order.userId}, 'renewal_short', ${JSON.stringify(
        {
          orderId: order.id,
          neededMicros: order.price.totalMicros.toString(),
          balanceMicros: balanceMicros.toString(),
          currency: env().SHOP_CURRENCY,
          dueAt: order.dueAt.toISOString(),
          daysLeft: 0,
        },
      )}::jsonb)`,
    )
  })
}

async function tellDearer(order: DueOrder, price: Price, retryHours: number): Promise<void> {
  await db().$transaction(async (tx) => {
    await putOff(tx, order, retryHours, 'renewal_dearer')
    await tx.$executeRaw(
      Prisma.sql`SELECT queue_user_email(${`renewal_dearer:${order.id}:${order.dueAt.toISOString()}`}, ${order.userId}, 'renewal_dearer', ${JSON.stringify(
        {
          orderId: order.id,
          agreedMicros: (order.agreedUnitMicros * BigInt(order.quantity)).toString(),
          totalMicros: price.totalMicros.toString(),
          currency: env().SHOP_CURRENCY,
          dueAt: order.dueAt.toISOString(),
        },
      )}::jsonb)`,
    )
  })
}

async function giveUpForNow(order: DueOrder, reason: 'no_longer_sold', retryHours: number): Promise<void> {
  await db().$transaction(async (tx) => {
    await putOff(tx, order, retryHours, 'renewal_failed')
    await tx.$executeRaw(
      Prisma.sql`SELECT queue_user_email(${`renewal_failed:${order.id}:${order.dueAt.toISOString()}`}, ${order.userId}, 'renewal_failed', ${JSON.stringify(
        { orderId: order.id, refundedMicros: '0', currency: env().SHOP_CURRENCY, reason },
      )}::jsonb)`,
    )
  })
}

/** Not tried again before the time is up; written into the timeline once per end. */
async function putOff(
  tx: Tx,
  order: DueOrder,
  retryHours: number,
  kind: 'renewal_short' | 'renewal_dearer' | 'renewal_failed',
): Promise<void> {
  await tx.order.updateMany({
    where: { id: order.id, dueAt: order.dueAt },
    data: { retryAt: new Date(Date.now() + retryHours * HOUR_MS) },
  })
  await tx.$executeRaw(Prisma.sql`
    INSERT INTO order_events (order_id, kind, data) SELECT ${order.id}, ${kind}, jsonb_build_object('due', ${order.dueAt.toISOString()}::text, 'releasedMicros', '0')
    WHERE NOT EXISTS (SELECT 1 FROM order_events e WHERE e.order_id = ${order.id} AND e.kind = ${kind} AND e.data ->> 'due' = ${order.dueAt.toISOString()})`)
}

/**
 * Tells customers whose balance will not cover their automatic renewals of the coming week: once seven, three and one days before the first end
 * that is not covered, counting everything that falls due before it. Returns how many were told now or earlier today.
 */
export async function tellShort(now: Date = new Date()): Promise<number> {
  const horizon = new Date(now.getTime() + SHORT_NOTICE_DAYS[0] * DAY_MS)
  let after = ''
  let told = 0
  for (;;) {
    const orders = await db().$queryRaw<(DueOrder & { balanceMicros: bigint })[]>(Prisma.sql`
      SELECT o.id, o.user_id AS "userId", o.plan_id AS "planId", o.due_at AS "dueAt", o.renew_period_days AS "periodDays",
             o.renew_unit_micros AS "agreedUnitMicros", n.n::int AS quantity, greatest(0, u.balance)::bigint AS "balanceMicros"
      FROM (SELECT DISTINCT o.user_id, coalesce(b.balance_micros, 0) - ledger_debt(o.user_id, ${env().SHOP_CURRENCY}) AS balance
            FROM orders o LEFT JOIN ledger_accounts b ON b.owner = o.user_id AND b.kind = 'customer_balance' AND b.currency = ${env().SHOP_CURRENCY}
            WHERE o.auto_renew AND o.state IN ('active', 'in_grace') AND o.due_at <= ${horizon}::timestamptz AND o.user_id > ${after}
            ORDER BY o.user_id LIMIT ${PAGE}::int) u
      JOIN orders o ON o.user_id = u.user_id AND o.auto_renew AND o.state IN ('active', 'in_grace') AND o.due_at <= ${horizon}::timestamptz
      CROSS JOIN LATERAL (SELECT count(*) AS n FROM allocations a WHERE a.order_id = o.id AND a.state IN ('active', 'in_grace') AND a.granted_bytes IS NULL
        AND a.expires_at < o.due_at + interval '1 day') n
      ORDER BY o.user_id, o.due_at, o.id`)
    if (orders.length === 0) return told
    for (const ofOne of byCustomer(orders)) if (await tellIfShort(ofOne, now)) told += 1
    after = orders.at(-1)!.userId
  }
}

function byCustomer<Row extends { userId: string }>(rows: readonly Row[]): Row[][] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) groups.set(row.userId, [...(groups.get(row.userId) ?? []), row])
  return [...groups.values()]
}

async function tellIfShort(orders: (DueOrder & { balanceMicros: bigint })[], now: Date): Promise<boolean> {
  let neededMicros = 0n
  for (const order of orders) {
    const found = await findPlan(order.planId)
    neededMicros += (found && renewalPriceOf(found.plan, order))?.totalMicros ?? 0n
    if (neededMicros <= order.balanceMicros) continue
    const left = (order.dueAt.getTime() - now.getTime()) / DAY_MS
    const daysLeft = SHORT_NOTICE_DAYS.findLast((days) => left <= days)
    // Whose end has come was told by the run itself, and does not keep the others from being told of.
    if (left <= 0) continue
    if (daysLeft === undefined) return false
    const key = `renewal_short:${order.id}:${order.dueAt.toISOString()}:${daysLeft}`
    const props = {
      orderId: order.id,
      neededMicros: neededMicros.toString(),
      balanceMicros: order.balanceMicros.toString(),
      currency: env().SHOP_CURRENCY,
      dueAt: order.dueAt.toISOString(),
      daysLeft,
    }
    await db().$executeRaw(
      Prisma.sql`SELECT queue_user_email(${key}, ${order.userId}, 'renewal_short', ${JSON.stringify(props)}::jsonb)`,
    )
    return true
  }
  return false
}

/** Orders looked at in one transaction. */
const EXPIRE_BATCH = 500

/** Ends what is over, and the grace of what could not be renewed. Returns how many orders were looked at. Safe any number of times at once. */
export async function expireOrders(): Promise<number> {
  const { graceHours } = await renewalRules.read()
  let total = 0
  for (;;) {
    const [row] = await db().$queryRaw<{ done: number }[]>(
      Prisma.sql`SELECT expire_orders(${EXPIRE_BATCH}::int, make_interval(hours => ${graceHours}::int)) AS done`,
    )
    total += row!.done
    if (row!.done < EXPIRE_BATCH) return total
  }
}
