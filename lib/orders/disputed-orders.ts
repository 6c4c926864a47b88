import { z } from 'zod'
import { recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma } from '@/lib/db'
import { defineJob } from '@/lib/jobs'
import { accepted, maskCardNumbers, type Refusal, refused, type Result } from '@/lib/kit'

/** More orders than this after one top-up are not listed one by one; the customer's page shows them all. */
const LISTED_MAX = 500

export const listDisputedJob = defineJob({
  name: 'orders.list_disputed',
  payload: z.object({ disputeId: z.string(), userId: z.string(), since: z.iso.datetime() }),
})

/**
 * Lists for a decision what a customer bought since money came that a bank has now taken back. Which piece was paid by which coin nobody can say, so all of
 * it is listed that is not over. May run any number of times.
 */
export async function listDisputedOrders(dispute: { disputeId: string; userId: string; since: string }): Promise<void> {
  await db().$executeRaw(Prisma.sql`
    INSERT INTO disputed_orders (dispute_id, order_id)
    SELECT ${dispute.disputeId}, id FROM orders
    WHERE user_id = ${dispute.userId} AND placed_at >= ${new Date(dispute.since)}::timestamptz
      AND state IN ('placed', 'delivering', 'unknown', 'active', 'in_grace')
    ORDER BY placed_at LIMIT ${LISTED_MAX}::int
    ON CONFLICT DO NOTHING`)
}

export type DisputedOrderRefusal = Refusal<'not_found' | 'already_decided' | 'order_under_way' | 'reason_missing'>

/**
 * A person decides about an order that may have been bought with money a bank took back: `keep` lets it run, `withdraw` ends it, so that its proxies are
 * no longer shown, and tells the customer. No money moves: the chargeback has taken it. A withdrawn order stays withdrawn. An order that is not yet
 * handed over cannot be decided about (`order_under_way`). Whether the actor may is the caller's question.
 */
export async function decideDisputedOrder(
  actor: { id: string },
  input: { disputeId: string; orderId: string; decision: 'keep' | 'withdraw'; reason: string },
): Promise<Result<{ state: 'kept' | 'withdrawn' }, DisputedOrderRefusal>> {
  const reason = maskCardNumbers(input.reason.trim()).slice(0, 500)
  if (reason === '') return refused('reason_missing')
  const { disputeId, orderId } = input
  return inTransaction<{ state: 'kept' | 'withdrawn' }, DisputedOrderRefusal>(async (tx) => {
    const [order] = await tx.$queryRaw<{ state: string; userId: string }[]>(
      Prisma.sql`SELECT state, user_id AS "userId" FROM orders WHERE id = ${orderId} FOR NO KEY UPDATE`,
    )
    const listed = await tx.disputedOrder.findUnique({
      where: { disputeId_orderId: { disputeId, orderId } },
      select: { state: true },
    })
    if (!order || !listed) return refused('not_found')
    if (listed.state !== 'waiting') return refused('already_decided', { state: listed.state })
    const state = input.decision === 'keep' ? 'kept' : 'withdrawn'
    if (state === 'withdrawn' && ['placed', 'delivering', 'unknown'].includes(order.state))
      return refused('order_under_way')
    await tx.disputedOrder.update({
      where: { disputeId_orderId: { disputeId, orderId } },
      data: { state, reason, decidedBy: actor.id, decidedAt: new Date() },
      select: { orderId: true },
    })
    await recordAudit(
      tx,
      { kind: 'staff', id: actor.id },
      { action: `orders.${state}`, subjectKind: 'order', subjectId: orderId, data: { disputeId, reason } },
    )
    if (state === 'withdrawn' && (order.state === 'active' || order.state === 'in_grace')) {
      // A renewal that is under way at a supplier ends first: its money is held, and what it renews is taken back then.
      if (await tx.renewal.findFirst({ where: { orderId, state: 'held' }, select: { id: true } }))
        return refused('order_under_way')
      await tx.allocation.updateMany({
        where: { orderId, state: { in: ['active', 'in_grace'] } },
        data: { state: 'withdrawn', graceUntil: null },
      })
      await tx.$executeRaw(Prisma.sql`SELECT refresh_order(${orderId})`)
      await tx.order.update({
        where: { id: orderId },
        data: { state: 'withdrawn', autoRenew: false, dueAt: null, lookAt: null },
        select: { id: true },
      })
      await tx.orderEvent.create({ data: { orderId, kind: 'withdrawn', data: {} }, select: { id: true } })
      const props = JSON.stringify({ orderId })
      await tx.$executeRaw(Prisma.sql`
        SELECT queue_user_email(${`withdrawn:${orderId}`}, ${order.userId}, 'order_withdrawn', ${props}::jsonb)`)
    }
    return accepted({ state })
  })
}

/** Orders that wait for such a decision, oldest dispute first; of one payment's disputes, or of all. For staff. */
export async function listOrdersInDispute(query: { disputeIds?: readonly string[] } = {}) {
  const rows = await db().disputedOrder.findMany({
    where: query.disputeIds ? { disputeId: { in: [...query.disputeIds] } } : { state: 'waiting' },
    orderBy: [{ createdAt: 'asc' }, { orderId: 'asc' }],
    take: LISTED_MAX,
    select: { disputeId: true, orderId: true, state: true, createdAt: true },
  })
  const orders = await db().order.findMany({
    where: { id: { in: rows.map((row) => row.orderId) } },
    select: { id: true, userId: true, state: true, totalMicros: true, currency: true, quantity: true, placedAt: true },
  })
  const byId = new Map(orders.map((order) => [order.id, order]))
  return rows.flatMap((row) => {
    const order = byId.get(row.orderId)
    return order ? [{ ...row, order }] : []
  })
}

/** How many orders wait for a decision: the number on the admin's queue. */
export async function countOrdersInDispute(): Promise<number> {
  return db().disputedOrder.count({ where: { state: 'waiting' } })
}
