import { findPlan, sellsFromStock } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import { accepted, invariant, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { log } from '@/lib/log'
import { decideRemedy } from './decide-remedy'
import { type OrderFacts, readFacts } from './facts'
import { choose, giveCredit } from './refund-proxies'

export const REPLACE_REASONS = ['dead', 'wrong_country', 'slow', 'blocked', 'other'] as const
export type ReplaceReason = (typeof REPLACE_REASONS)[number]

export type ReplacementPlan = {
  allocationId: string
  position: number
  host: string
  port: number
  /** What would happen: another proxy, this much money instead (nothing is in stock), or nothing by the policy. */
  outcome: 'replaced' | 'credited' | 'refused'
  moneyMicros: bigint
}
export type ReplacementPreview = { orderId: string; currency: string; proxies: ReplacementPlan[]; inStock: number }

/**
 * What exchanging proxies of an order would do at this moment, without doing it: which would get another one of the same plan and country, which would get
 * money, which the policy does not cover. Refuses `not_found` when the order is somebody else's or a proxy is not held: the whole question.
 */
export async function previewReplacement(
  actor: { id: string },
  input: { orderId: string; allocationIds: readonly string[] },
  now: Date = new Date(),
): Promise<Result<ReplacementPreview, Refusal<'not_found'>>> {
  const facts = await readFacts({ orderId: input.orderId, userId: actor.id })
  const chosen = facts && choose(facts, input.allocationIds)
  if (!facts || !chosen) return refused('not_found')
  const offers = await stockOffersFor(facts)
  const inStock = await countFree(offers)
  let left = inStock
  const proxies = chosen.map(({ allocationId, position, host, port, ...rest }) => {
    const remedy = decideRemedy(facts.policy, { allocationId, ...rest }, now, 'replace')
    const outcome: ReplacementPlan['outcome'] = !remedy
      ? 'refused'
      : left > 0
        ? 'replaced'
        : remedy.moneyMicros > 0n
          ? 'credited'
          : 'refused'
    if (outcome === 'replaced') left -= 1
    const moneyMicros = outcome === 'credited' ? remedy!.moneyMicros : 0n
    return { allocationId, position, host, port, outcome, moneyMicros }
  })
  return accepted({ orderId: facts.orderId, currency: facts.currency, proxies, inStock })
}

export type Replaced = { replaced: number; credited: number; refused: number }

/**
 * Exchanges proxies of an order by the policy of its day, each once per request key: for another one of the same plan and country from stock, else
 * for the policy's money. Each is its own deed: one that cannot be exchanged does not keep the others from it. Refuses `not_found` as
 * previewReplacement, and then does nothing at all.
 */
export async function replaceProxies(
  actor: { id: string },
  input: { orderId: string; allocationIds: readonly string[]; reason: ReplaceReason; requestKey: string },
): Promise<Result<Replaced, Refusal<'not_found'>>> {
  const facts = await readFacts({ orderId: input.orderId, userId: actor.id })
  if (!facts) return refused('not_found')
  const done = await db().replacement.findMany({
    where: { orderId: input.orderId, key: { startsWith: `${input.requestKey}:` } },
    select: { oldAllocationId: true, state: true },
  })
  const isDone = new Set(done.map((row) => row.oldAllocationId))
  const open = input.allocationIds.filter((id) => !isDone.has(id))
  const chosen = open.length === 0 ? [] : choose(facts, open)
  if (!chosen) return refused('not_found')
  const result: Replaced = { replaced: 0, credited: 0, refused: 0 }
  for (const row of done) if (row.state !== 'open') result[row.state as keyof Replaced] += 1
  for (const proxy of chosen)
    result[
      await replaceOne(facts, proxy, { ...input, key: `${input.requestKey}:${proxy.allocationId}`, askedBy: actor.id })
    ] += 1
  return accepted(result)
}

/** For proxies that failed at hand-over, twice: exchanged or paid back by the policy, without being asked. Safe to call twice. */
export async function replaceDead(input: { orderId: string; allocationIds: readonly string[] }): Promise<Replaced> {
  const result: Replaced = { replaced: 0, credited: 0, refused: 0 }
  const facts = await readFacts({ orderId: input.orderId })
  for (const proxy of facts?.proxies ?? []) {
    if (!input.allocationIds.includes(proxy.allocationId) || !proxy.isDead) continue
    const key = `dead:${proxy.allocationId}`
    result[await replaceOne(facts!, proxy, { orderId: input.orderId, reason: 'dead', key, askedBy: null })] += 1
  }
  return result
}

async function replaceOne(
  facts: OrderFacts,
  proxy: OrderFacts['proxies'][number],
  ask: { orderId: string; reason: ReplaceReason; key: string; askedBy: string | null },
): Promise<keyof Replaced> {
  const remedy = decideRemedy(facts.policy, proxy, new Date(), 'replace')
  if (!remedy) return 'refused'
  const replacementId = newId('rpl')
  const offers = (await stockOffersFor(facts)).map((offer) => offer.id)
  const [row] = await db().$queryRaw<{ outcome: string; new_id: string | null }[]>(Prisma.sql`
    SELECT outcome, new_id FROM replace_from_stock(${replacementId}, ${ask.orderId}, ${proxy.allocationId}, ${offers}::text[], ${ask.key}, ${ask.reason}, ${ask.askedBy})`)
  switch (row!.outcome) {
    case 'replaced':
    case 'repeated':
      return 'replaced'
    case 'not_found':
    case 'not_live':
      return 'refused'
    default:
      invariant(row!.outcome === 'sold_out', `replace_from_stock answered ${row!.outcome}`)
  }
  if (remedy.moneyMicros === 0n) return 'refused'
  const credited = await giveCredit(
    {
      orderId: ask.orderId,
      key: `not_replaced:${proxy.allocationId}`,
      cause: 'not_replaced',
      amountMicros: remedy.moneyMicros,
      allocationIds: [proxy.allocationId],
      evidence: { rule: remedy.row, reason: ask.reason },
      givenBy: null,
    },
    // In one transaction: money for a proxy that could not be exchanged never stands without its record.
    (tx, creditId) =>
      tx.replacement.createMany({
        data: [
          {
            id: replacementId,
            orderId: ask.orderId,
            userId: facts.userId,
            oldAllocationId: proxy.allocationId,
            key: ask.key,
            reason: ask.reason,
            askedBy: ask.askedBy,
            state: 'credited',
            outcome: creditId,
            endedAt: new Date(),
          },
        ],
        skipDuplicates: true,
      }),
  )
  if (!credited.ok) return 'refused'
  log('remedies').info({ orderId: ask.orderId }, 'a proxy could not be exchanged and was paid back')
  return 'credited'
}

/** The stock offers of the order's plan and country, in the order in which they are tried. Never of another country. */
async function stockOffersFor(facts: Pick<OrderFacts, 'planId' | 'countryCode'>): Promise<{ id: string }[]> {
  const found = await findPlan(facts.planId)
  return (found?.plan.offers ?? []).filter(
    (offer) => offer.isActive && offer.countryCode === facts.countryCode && sellsFromStock(offer.supplier),
  )
}

async function countFree(offers: readonly { id: string }[]): Promise<number> {
  return db().stockUnit.count({ where: { offerId: { in: offers.map((offer) => offer.id) }, state: 'free' } })
}

/** Every exchange of an order, oldest first: what was, what is, why, when. For its customer, or for staff without `userId`. */
export async function listReplacements(input: { orderId: string; userId?: string }) {
  return db().$queryRaw<
    { id: string; reason: string; state: string; oldPlace: string; newPlace: string | null; asked: boolean; at: Date }[]
  >(Prisma.sql`
    SELECT r.id, r.reason, r.state, o.host || ':' || o.port AS "oldPlace", n.host || ':' || n.port AS "newPlace", r.asked_by IS NOT NULL AS asked, r.created_at AS at
    FROM replacements r JOIN allocations o ON o.id = r.old_allocation_id LEFT JOIN allocations n ON n.id = r.new_allocation_id
    WHERE r.order_id = ${input.orderId} AND (${input.userId ?? null}::text IS NULL OR r.user_id = ${input.userId ?? null}) ORDER BY r.id`)
}
