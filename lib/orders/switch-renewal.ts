import { unitOf } from '@/lib/catalog'
import { inTransaction, Prisma } from '@/lib/db'
import { accepted, refused, type Refusal, type Result } from '@/lib/kit'
import { quoteRenewal } from './renew-order'
import { LIVE_ORDER_STATES, type OrderState } from './states'

export type SwitchRenewalRefusal = Refusal<
  'not_found' | 'not_renewable' | 'proxy_being_replaced' | 'period_unavailable' | 'price_changed'
>

/**
 * Lets an order renew itself from the balance, for a period and at most at the price that was shown, or stops that; a run that is under way
 * honours it. Switching off is always possible while the order lives. Refuses as quoteRenewal does, and `price_changed` {totalMicros}.
 */
export async function switchRenewal(
  actor: { id: string },
  input: { orderId: string } & ({ isOn: false } | { isOn: true; periodDays: number; totalMicros: bigint }),
): Promise<Result<{ isOn: boolean }, SwitchRenewalRefusal>> {
  let terms: { renewPeriodDays: number; renewUnitMicros: bigint } | undefined
  if (input.isOn) {
    const quote = await quoteRenewal(actor, { orderId: input.orderId, periodDays: input.periodDays })
    if (!quote.ok) return quote
    const { price } = quote.value
    if (price.totalMicros !== input.totalMicros) return refused('price_changed', { totalMicros: price.totalMicros })
    terms = { renewPeriodDays: price.periodDays, renewUnitMicros: unitOf(price) }
  }
  return inTransaction<{ isOn: boolean }, SwitchRenewalRefusal>(async (tx) => {
    const [order] = await tx.$queryRaw<{ state: string; autoRenew: boolean }[]>(Prisma.sql`
      SELECT state, auto_renew AS "autoRenew" FROM orders WHERE id = ${input.orderId} AND user_id = ${actor.id} FOR NO KEY UPDATE`)
    if (!order) return refused('not_found')
    if (!LIVE_ORDER_STATES.includes(order.state as OrderState)) return refused('not_renewable')
    await tx.order.update({
      where: { id: input.orderId },
      data: { autoRenew: input.isOn, ...terms, retryAt: null },
      select: { id: true },
    })
    if (order.autoRenew !== input.isOn)
      await tx.orderEvent.create({
        data: { orderId: input.orderId, kind: 'renewal_switched', data: { isOn: input.isOn } },
        select: { id: true },
      })
    return accepted({ isOn: input.isOn })
  })
}
