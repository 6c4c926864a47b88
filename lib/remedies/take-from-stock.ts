import { findPlan, sellsFromStock } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import { invariant } from '@/lib/kit'
import type { OrderFacts } from './facts'

export const REPLACE_REASONS = ['dead', 'wrong_country', 'slow', 'blocked', 'other'] as const
export type ReplaceReason = (typeof REPLACE_REASONS)[number]

/**
 * Exchanges one proxy for a free unit of the order's plan and country (SQL function replace_from_stock), once per key. `repeated`: the key was used, and not for this;
 * `being_replaced`: its supplier has been asked, by another one than `replacementId`.
 */
export async function takeFromStock(
  facts: Pick<OrderFacts, 'planId' | 'countryCode'>,
  ask: {
    replacementId: string
    orderId: string
    allocationId: string
    key: string
    reason: ReplaceReason
    askedBy: string | null
  },
): Promise<'replaced' | 'repeated' | 'not_found' | 'not_live' | 'being_replaced' | 'sold_out'> {
  const offers = (await stockOffersFor(facts)).map((offer) => offer.id)
  const [row] = await db().$queryRaw<{ outcome: string; new_id: string | null }[]>(Prisma.sql`
    SELECT outcome, new_id FROM replace_from_stock(${ask.replacementId}, ${ask.orderId}, ${ask.allocationId}, ${offers}::text[], ${ask.key}, ${ask.reason}, ${ask.askedBy})`)
  const { outcome, new_id: newAllocationId } = row!
  if (outcome === 'repeated') return newAllocationId ? 'replaced' : 'repeated'
  invariant(
    outcome === 'replaced' ||
      outcome === 'not_found' ||
      outcome === 'not_live' ||
      outcome === 'being_replaced' ||
      outcome === 'sold_out',
    `replace_from_stock answered ${outcome}`,
  )
  return outcome
}

/** The stock offers of the order's plan and country, in the order in which they are tried. Never of another country. */
async function stockOffersFor(facts: Pick<OrderFacts, 'planId' | 'countryCode'>): Promise<{ id: string }[]> {
  const found = await findPlan(facts.planId)
  return (found?.plan.offers ?? []).filter(
    (offer) => offer.isActive && offer.countryCode === facts.countryCode && sellsFromStock(offer.supplier),
  )
}

/** How many units are free for the exchanges of an order. */
export async function countInStock(facts: Pick<OrderFacts, 'planId' | 'countryCode'>): Promise<number> {
  const offers = await stockOffersFor(facts)
  return db().stockUnit.count({ where: { offerId: { in: offers.map((offer) => offer.id) }, state: 'free' } })
}
