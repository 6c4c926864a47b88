import { db, Prisma } from '@/lib/db'
import { placeOrder } from '@/lib/orders'
import { deliverOrder } from '@/lib/provisioning'
import { makePlan, orderFor, type PlanOnSale } from './catalog'
import { insertCustomer } from './customer'

export type Bought = {
  plan: PlanOnSale
  customer: { id: string; email: string }
  orderId: string
  allocationIds: string[]
}

/** An order from stock at 1.00 a piece for 30 days, delivered. What is left of the balance comes on top of its price. */
export async function buyDelivered(
  options: { plan?: PlanOnSale; customer?: { id: string; email: string }; quantity?: number; leftMicros?: bigint } = {},
): Promise<Bought> {
  const quantity = options.quantity ?? 1
  const plan = options.plan ?? (await makePlan({ units: quantity + 5 }))
  const customer =
    options.customer ??
    (await insertCustomer({ balanceMicros: BigInt(quantity) * 1_000_000n + (options.leftMicros ?? 0n) }))
  const placed = await placeOrder(customer, await orderFor(plan, quantity))
  if (!placed.ok) throw new Error(placed.refusal.code)
  const { orderId } = placed.value
  await deliverOrder({ orderId })
  const rows = await db().allocation.findMany({
    where: { orderId },
    orderBy: { position: 'asc' },
    select: { id: true },
  })
  return { plan, customer, orderId, allocationIds: rows.map((row) => row.id) }
}

/** Moves an order's whole life back, as if so many hours had passed since it was delivered. */
export async function letHoursPass(orderId: string, hours: number): Promise<void> {
  const by = Prisma.sql`make_interval(mins => ${Math.round(hours * 60)}::int)`
  await db().$transaction([
    db().$executeRaw(Prisma.sql`
      UPDATE allocations SET created_at = created_at - ${by}, expires_at = expires_at - ${by}, grace_until = grace_until - ${by} WHERE order_id = ${orderId}`),
    db().$executeRaw(Prisma.sql`
      UPDATE orders SET placed_at = placed_at - ${by}, delivered_at = delivered_at - ${by}, expires_at = expires_at - ${by}, due_at = due_at - ${by},
        look_at = look_at - ${by}, retry_at = retry_at - ${by} WHERE id = ${orderId}`),
  ])
}
