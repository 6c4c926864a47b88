import { type Actor, recordAudit } from '@/lib/audit'
import { STOCK_SUPPLIERS } from '@/lib/catalog'
import { type Database, db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { accepted, refused, type Refusal, type Result } from '@/lib/kit'
import { log } from '@/lib/log'
import { type QuotedOffer, quoteOffer } from '@/lib/provisioning'
import type { KnownCost } from './compute-rule'
import { applyRulesJob } from './jobs'
import type { SaveCostsInput } from './schemas'

/** Asks a supplier what so many pieces cost; null where it sells no such thing. Tests put their own in its place. */
export type QuoteFor = (
  offer: QuotedOffer,
  choice: { periodDays: number; quantity: number },
) => Promise<{ costMicros: bigint; currency: string } | null>

export type CostRow = KnownCost & { source: 'quote' | 'staff'; at: Date }

/** What is known of the costs of a plan's active offers, or of every plan's. */
export async function listCosts(
  input: { planId?: string } = {},
  database: Database | Tx = db(),
): Promise<(CostRow & { planId: string })[]> {
  return database.$queryRaw(Prisma.sql`
    SELECT c.offer_id AS "offerId", f.plan_id AS "planId", f.supplier, c.days, c.cost_micros AS "costMicros", c.currency, c.source, c.at
    FROM offer_costs c JOIN offers f ON f.id = c.offer_id
    WHERE f.is_active AND (${input.planId ?? null}::text IS NULL OR f.plan_id = ${input.planId ?? null}::text) ORDER BY c.offer_id, c.days`)
}

/**
 * Keeps what staff know of the costs of an offer, in place of what they typed before; what is typed goes before what a supplier quotes. The plan's rule, if
 * one is on, is gone through with them. Refuses `not_found`.
 */
export async function saveCosts(
  actor: Actor & { id: string },
  input: SaveCostsInput,
): Promise<Result<{ planId: string }, Refusal<'not_found'>>> {
  return inTransaction<{ planId: string }, Refusal<'not_found'>>(async (tx) => {
    const offers = await tx.$queryRaw<{ planId: string }[]>(
      Prisma.sql`SELECT plan_id AS "planId" FROM offers WHERE id = ${input.offerId} FOR NO KEY UPDATE`,
    )
    const planId = offers[0]?.planId
    if (planId === undefined) return refused('not_found')
    await tx.offerCost.deleteMany({
      where: {
        offerId: input.offerId,
        OR: [{ source: 'staff' }, { days: { in: input.costs.map((each) => each.days) } }],
      },
    })
    await tx.offerCost.createMany({
      data: input.costs.map((each) => ({
        ...each,
        offerId: input.offerId,
        currency: input.currency,
        source: 'staff',
      })),
    })
    await recordAudit(tx, actor, {
      action: 'catalog.costs_saved',
      subjectKind: 'offer',
      subjectId: input.offerId,
      data: {
        currency: input.currency,
        costs: input.costs.map(({ days, costMicros }) => ({ days, costMicros: costMicros.toString() })),
      },
    })
    await enqueue(tx, applyRulesJob, { planId })
    return accepted({ planId })
  })
}

/**
 * Asks the suppliers behind plans that have a rule, on or off, what a piece costs for each period. The smallest order that the plan sells is quoted, and
 * a piece's part of it rounded up. What staff typed stays; a period that a supplier no longer sells loses its quote; one that does not answer keeps its
 * last one. Calls lie outside of any transaction.
 */
export async function refreshCosts(input: { planId?: string } = {}, quoteFor: QuoteFor = quoteOffer): Promise<void> {
  const offers = await db().offer.findMany({
    where: {
      isActive: true,
      supplier: { notIn: [...STOCK_SUPPLIERS] },
      plan: { priceRule: { isNot: null }, id: input.planId },
    },
    select: {
      id: true,
      supplier: true,
      countryCode: true,
      supplierParams: true,
      plan: { select: { minQuantity: true, periods: { select: { days: true } } } },
    },
  })
  for (const { id, plan, ...offer } of offers) {
    for (const { days } of plan.periods) {
      try {
        const quantity = plan.minQuantity
        const quote = await quoteFor(offer, { periodDays: days, quantity })
        if (quote === null) {
          await db().offerCost.deleteMany({ where: { offerId: id, days, source: 'quote' } })
          continue
        }
        const costMicros = (quote.costMicros + BigInt(quantity) - 1n) / BigInt(quantity)
        await db().$executeRaw(Prisma.sql`
          INSERT INTO offer_costs (offer_id, days, cost_micros, currency, source) VALUES (${id}, ${days}::int, ${costMicros}::bigint, ${quote.currency}, 'quote')
          ON CONFLICT (offer_id, days) DO UPDATE SET cost_micros = excluded.cost_micros, currency = excluded.currency, at = now()
          WHERE offer_costs.source = 'quote'`)
      } catch (error) {
        log('prices').warn({ offerId: id, days, error }, 'a supplier did not say what a piece costs')
      }
    }
  }
}
