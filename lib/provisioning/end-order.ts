import { type Database, db, Prisma, type Tx } from '@/lib/db'
import { invariant } from '@/lib/kit'
import type { HandedProxy } from './buy-from'

/**
 * Hands over what was delivered and takes the money for it (SQL function complete_delivery). Safe to call twice: the second call finds
 * the order ended. `proxies` null means the units that are reserved from stock. `taken`: the supplier's order was handed over before, to this order or another;
 * nothing was done.
 */
export async function completeDelivery(input: {
  orderId: string
  delivery: {
    id: string
    supplierOrderId: string | null
    costMicros: bigint | null
    costCurrency: string | null
  } | null
  proxies: HandedProxy[] | null
}): Promise<'delivered' | 'already_ended' | 'not_found' | 'nothing_to_deliver' | 'taken'> {
  const { orderId, delivery } = input
  const proxies = input.proxies && JSON.stringify(input.proxies)
  let outcome: string
  try {
    const [row] = await db().$queryRaw<{ outcome: string }[]>(Prisma.sql`
      SELECT outcome FROM complete_delivery(${orderId}, ${delivery?.id ?? null}, ${delivery?.supplierOrderId ?? null},
        ${delivery?.costMicros ?? null}::bigint, ${delivery?.costCurrency ?? null}, ${proxies}::jsonb)`)
    outcome = row!.outcome
  } catch (error) {
    if (isTaken(error)) return 'taken'
    throw error
  }
  invariant(
    outcome === 'delivered' ||
      outcome === 'already_ended' ||
      outcome === 'not_found' ||
      outcome === 'nothing_to_deliver',
    `complete_delivery answered ${outcome}`,
  )
  return outcome
}

/** Whether the fence one_delivery_per_supplier_order stopped it. */
function isTaken(error: unknown): boolean {
  return (
    error instanceof Prisma.PrismaClientKnownRequestError && error.message.includes('one_delivery_per_supplier_order')
  )
}

/** Why an order failed, as the customer is told. What the supplier said in detail stays with the delivery, for staff. */
export type OrderFailure = 'sold_out' | 'supplier_failed'

/** Gives the money back and tells the customer (SQL function fail_order). Safe to call twice. */
export async function failOrder(
  input: { orderId: string; reason: OrderFailure },
  tx: Database | Tx = db(),
): Promise<'failed' | 'already_ended' | 'not_found'> {
  const [row] = await tx.$queryRaw<{ outcome: string }[]>(
    Prisma.sql`SELECT outcome FROM fail_order(${input.orderId}, ${input.reason})`,
  )
  const outcome = row!.outcome
  invariant(
    outcome === 'failed' || outcome === 'already_ended' || outcome === 'not_found',
    `fail_order answered ${outcome}`,
  )
  return outcome
}
