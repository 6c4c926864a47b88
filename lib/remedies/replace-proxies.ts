import { db, Prisma } from '@/lib/db'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { log } from '@/lib/log'
import { listExchangeable, type SupplierFor, supplierOf } from '@/lib/provisioning'
import { decideRemedy } from './decide-remedy'
import { openExchange } from './exchange-proxies'
import { type OrderFacts, readFacts } from './facts'
import { choose, giveCredit } from './refund-proxies'
import { countInStock, type ReplaceReason, takeFromStock } from './take-from-stock'

export type ReplacementPlan = {
  allocationId: string
  position: number
  host: string
  port: number
  /**
   * What would happen: another proxy at once, its own supplier is asked for another one, money instead (neither is to be had), or nothing by the policy.
   * `waiting`: its supplier has been asked before, and nothing more happens now.
   */
  outcome: 'replaced' | 'requested' | 'waiting' | 'credited' | 'refused'
  /** What is given now; for `requested`, what is given where the supplier does not exchange it in time. */
  moneyMicros: bigint
}
export type ReplacementPreview = { orderId: string; currency: string; proxies: ReplacementPlan[]; inStock: number }

/**
 * What exchanging proxies of an order would do at this moment, without doing it and without asking a supplier: which would get another one of the same plan and
 * country, for which their own supplier would be asked, which would get money, which the policy does not cover. Refuses `not_found` when the order is somebody
 * else's or a proxy is not held: the whole question.
 */
export async function previewReplacement(
  actor: { id: string },
  input: { orderId: string; allocationIds: readonly string[] },
  now: Date = new Date(),
  supplierFor: SupplierFor = supplierOf,
): Promise<Result<ReplacementPreview, Refusal<'not_found'>>> {
  const facts = await readFacts({ orderId: input.orderId, userId: actor.id })
  const chosen = facts && choose(facts, input.allocationIds)
  if (!facts || !chosen) return refused('not_found')
  const [inStock, exchangeable] = await Promise.all([countInStock(facts), exchangeableOf(chosen, supplierFor)])
  let left = inStock
  const proxies = chosen.map((proxy): ReplacementPlan => {
    const { allocationId, position, host, port } = proxy
    const plan = { allocationId, position, host, port, moneyMicros: 0n }
    if (proxy.isBeingReplaced) return { ...plan, outcome: 'waiting' }
    const remedy = decideRemedy(facts.policy, proxy, now, 'replace')
    if (!remedy) return { ...plan, outcome: 'refused' }
    if (left > 0) {
      left -= 1
      return { ...plan, outcome: 'replaced' }
    }
    const { moneyMicros } = remedy
    if (exchangeable.has(allocationId)) return { ...plan, outcome: 'requested', moneyMicros }
    return { ...plan, outcome: moneyMicros > 0n ? 'credited' : 'refused', moneyMicros }
  })
  return accepted({ orderId: facts.orderId, currency: facts.currency, proxies, inStock })
}

export type Replaced = { replaced: number; requested: number; waiting: number; credited: number; refused: number }
const NONE: Replaced = { replaced: 0, requested: 0, waiting: 0, credited: 0, refused: 0 }

/**
 * Exchanges proxies of an order by the policy of its day, each once per request key: for another one of the same plan and country from stock, else by the supplier it
 * came from (`requested`: it is asked by a job, and the customer hears of the end), else for the policy's money. Each is its own deed: one that cannot be exchanged
 * does not keep the others from it. Refuses `not_found` as previewReplacement, and then does nothing at all.
 */
export async function replaceProxies(
  actor: { id: string },
  input: { orderId: string; allocationIds: readonly string[]; reason: ReplaceReason; requestKey: string },
  supplierFor: SupplierFor = supplierOf,
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
  const result = { ...NONE }
  for (const row of done) result[row.state === 'open' ? 'requested' : (row.state as keyof Replaced)] += 1
  for (const proxy of chosen) {
    const key = `${input.requestKey}:${proxy.allocationId}`
    result[await replaceOne(facts, proxy, { ...input, key, askedBy: actor.id }, supplierFor)] += 1
  }
  return accepted(result)
}

/** For proxies that failed at hand-over, twice: exchanged or paid back by the policy, without being asked. Safe to call twice. */
export async function replaceDead(
  input: { orderId: string; allocationIds: readonly string[] },
  supplierFor: SupplierFor = supplierOf,
): Promise<Replaced> {
  const result = { ...NONE }
  const facts = await readFacts({ orderId: input.orderId })
  for (const proxy of facts?.proxies ?? []) {
    if (!input.allocationIds.includes(proxy.allocationId) || !proxy.isDead) continue
    const key = `dead:${proxy.allocationId}`
    const ask = { orderId: input.orderId, reason: 'dead', key, askedBy: null } as const
    result[await replaceOne(facts!, proxy, ask, supplierFor)] += 1
  }
  return result
}

/** Which of these have a supplier to ask, with its name: never one that is asked already, or was before. */
function exchangeableOf(proxies: OrderFacts['proxies'], supplierFor: SupplierFor): Promise<Map<string, string>> {
  const ids = proxies.filter((proxy) => !proxy.isBeingReplaced && !proxy.wasAsked).map((proxy) => proxy.allocationId)
  return listExchangeable(ids, supplierFor)
}

async function replaceOne(
  facts: OrderFacts,
  proxy: OrderFacts['proxies'][number],
  ask: { orderId: string; reason: ReplaceReason; key: string; askedBy: string | null },
  supplierFor: SupplierFor,
): Promise<keyof Replaced> {
  if (proxy.isBeingReplaced) return 'waiting'
  const remedy = decideRemedy(facts.policy, proxy, new Date(), 'replace')
  if (!remedy) return 'refused'
  const { allocationId } = proxy
  const replacementId = newId('rpl')
  const taken = await takeFromStock(facts, { ...ask, replacementId, allocationId })
  if (taken === 'replaced') return 'replaced'
  if (taken === 'being_replaced') return 'waiting'
  if (taken !== 'sold_out') return 'refused'
  const supplier = (await exchangeableOf([proxy], supplierFor)).get(allocationId)
  if (supplier !== undefined) return openExchange({ ...ask, facts, allocationId, supplier, remedy })
  if (remedy.moneyMicros === 0n) return 'refused'
  const credited = await giveCredit(
    {
      orderId: ask.orderId,
      key: `not_replaced:${allocationId}`,
      cause: 'not_replaced',
      amountMicros: remedy.moneyMicros,
      allocationIds: [allocationId],
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
            oldAllocationId: allocationId,
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
  if (!credited.ok) return credited.refusal.code === 'proxy_being_replaced' ? 'waiting' : 'refused'
  log('remedies').info({ orderId: ask.orderId }, 'a proxy could not be exchanged and was paid back')
  return 'credited'
}

export type ReplacementView = {
  id: string
  reason: string
  state: 'open' | 'replaced' | 'credited' | 'refused'
  oldPlace: string
  newPlace: string | null
  asked: boolean
  at: Date
  endedAt: Date | null
  /** While it is open: until when its supplier is waited for. */
  until: Date | null
  /** For staff: who was asked, how that stands or stood, what they said, how often it was looked up, and what they gave too late. */
  supplier: string | null
  step: 'waiting' | 'calling' | 'pending' | 'unknown' | 'refused' | null
  detail: string | null
  lookups: number
  latePlace: string | null
}

/** Every exchange of an order, oldest first: what was, what is, why, when. For its customer, or for staff without `userId`. */
export async function listReplacements(input: { orderId: string; userId?: string }): Promise<ReplacementView[]> {
  return db().$queryRaw<ReplacementView[]>(Prisma.sql`
    SELECT r.id, r.reason, r.state, o.host || ':' || o.port AS "oldPlace", n.host || ':' || n.port AS "newPlace", r.asked_by IS NOT NULL AS asked, r.created_at AS at,
           r.ended_at AS "endedAt", CASE WHEN r.state = 'open' THEN r.give_up_at END AS until, r.supplier, r.step, r.detail, r.lookups, r.late_place AS "latePlace"
    FROM replacements r JOIN allocations o ON o.id = r.old_allocation_id LEFT JOIN allocations n ON n.id = r.new_allocation_id
    WHERE r.order_id = ${input.orderId} AND (${input.userId ?? null}::text IS NULL OR r.user_id = ${input.userId ?? null}) ORDER BY r.id`)
}
