import { db, Prisma, type Tx } from '@/lib/db'
import { accepted, invariant, newId, OperationalError, refused, type Refusal, type Result } from '@/lib/kit'
import { readTrafficOf, type SupplierFor, supplierOf } from '@/lib/provisioning'
import { decideRemedy, type Remedy } from './decide-remedy'
import { type OrderFacts, readFacts } from './facts'

export type ProxyRefund = {
  allocationId: string
  position: number
  moneyMicros: bigint
  remedy: Remedy | null
  /** Its supplier has been asked for another one: until that has an end it is not given back. */
  isBeingReplaced: boolean
}
export type RefundPreview = {
  orderId: string
  currency: string
  /** One line for each proxy that was asked about; `remedy` null where the policy gives nothing. */
  proxies: ProxyRefund[]
  /** What a refund of all that can be refunded comes to, to the micro. */
  totalMicros: bigint
}

/**
 * What giving proxies of an order back would return at this moment, to the micro, without doing it. `allocationIds` left out: all that are held.
 * Refuses `not_found` (somebody else's order, or a proxy that is not one of it or is held no more): the whole question, not only that part.
 */
export async function previewRefund(
  actor: { id: string },
  input: { orderId: string; allocationIds?: readonly string[] },
  now: Date = new Date(),
): Promise<Result<RefundPreview, Refusal<'not_found'>>> {
  const facts = await readFacts({ orderId: input.orderId, userId: actor.id })
  const chosen = facts && choose(facts, input.allocationIds)
  if (!facts || !chosen) return refused('not_found')
  const proxies = chosen.map((proxy) => {
    const { isBeingReplaced } = proxy
    const remedy = isBeingReplaced ? null : decideRemedy(facts.policy, proxy, now, 'refund')
    return {
      allocationId: proxy.allocationId,
      position: proxy.position,
      isBeingReplaced,
      moneyMicros: remedy?.moneyMicros ?? 0n,
      remedy,
    }
  })
  return accepted({
    orderId: facts.orderId,
    currency: facts.currency,
    proxies,
    totalMicros: proxies.reduce((sum, proxy) => sum + proxy.moneyMicros, 0n),
  })
}

/** The proxies asked about, or null when one of them is not held. */
export function choose(facts: OrderFacts, ids: readonly string[] | undefined): OrderFacts['proxies'] | null {
  if (!ids) return facts.proxies
  const chosen = facts.proxies.filter((proxy) => ids.includes(proxy.allocationId))
  return chosen.length === ids.length && ids.length > 0 ? chosen : null
}

export type RefundRefusal = Refusal<
  | 'not_found'
  | 'nothing_to_refund'
  | 'price_changed'
  | 'order_under_way'
  | 'proxy_being_replaced'
  | 'key_reused'
  | 'supplier_unavailable'
>

/**
 * Gives proxies back for money, by the policy of the day they were bought, once per request key: they end, the sum returns to the balance (a debt is
 * paid first). All of them or none. Refuses `not_found` as previewRefund, `nothing_to_refund` when the policy gives nothing for one of them,
 * `price_changed` {totalMicros} when it is another sum than was shown (a share by
 * time shrinks between page and click; up to a thousandth less than shown is given), `proxy_being_replaced` while a supplier exchanges one of them, and
 * `order_under_way` while a supplier renews. What is sold by the gigabyte is asked for its use first: `supplier_unavailable` where that cannot be had.
 */
export async function refundProxies(
  actor: { id: string },
  input: RefundInput,
  supplierFor: SupplierFor = supplierOf,
): Promise<Result<Refunded, RefundRefusal>> {
  const done = await findRefund(actor, input)
  if (done) return done
  const result = await tryToRefund(actor, input, supplierFor)
  // Of the same form sent twice at once the second finds the proxies given back: by its own first.
  return result.ok ? result : ((await findRefund(actor, input)) ?? result)
}

export type RefundInput = { orderId: string; allocationIds: readonly string[]; totalMicros: bigint; requestKey: string }
export type Refunded = { creditId: string; amountMicros: bigint; isRepeat: boolean }

async function findRefund(
  actor: { id: string },
  input: RefundInput,
): Promise<Result<Refunded, Refusal<'key_reused'>> | null> {
  const done = await db().orderCredit.findFirst({
    where: { orderId: input.orderId, userId: actor.id, key: input.requestKey },
    select: { id: true, amountMicros: true, allocationIds: true },
  })
  if (!done) return null
  const isSame =
    done.allocationIds.length === input.allocationIds.length &&
    input.allocationIds.every((id) => done.allocationIds.includes(id))
  return isSame
    ? accepted({ creditId: done.id, amountMicros: done.amountMicros, isRepeat: true })
    : refused('key_reused')
}

async function tryToRefund(
  actor: { id: string },
  input: RefundInput,
  supplierFor: SupplierFor,
): Promise<Result<Refunded, RefundRefusal>> {
  try {
    await readTrafficOf({ ...input, userId: actor.id }, supplierFor)
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    return refused('supplier_unavailable')
  }
  const preview = await previewRefund(actor, input)
  if (!preview.ok) return preview
  const { proxies, totalMicros } = preview.value
  if (proxies.some((proxy) => proxy.isBeingReplaced)) return refused('proxy_being_replaced')
  if (proxies.some((proxy) => proxy.moneyMicros === 0n)) return refused('nothing_to_refund')
  // A share by time shrinks with every second between page and click; what was shown is given if it is that, to a thousandth.
  const shown = input.totalMicros
  const isAsShown = shown >= totalMicros && (shown - totalMicros) * 1000n <= shown
  if (!isAsShown) return refused('price_changed', { totalMicros })
  return giveCredit({
    orderId: input.orderId,
    key: input.requestKey,
    cause: 'refund',
    amountMicros: totalMicros,
    allocationIds: proxies.map((proxy) => proxy.allocationId),
    evidence: {
      proxies: proxies.map(({ allocationId, moneyMicros, remedy }) => ({
        allocationId,
        moneyMicros: moneyMicros.toString(),
        rule: remedy!.row,
      })),
    },
    givenBy: null,
  })
}

export type Credit = {
  orderId: string
  key: string
  cause: 'refund' | 'not_replaced' | 'downtime'
  amountMicros: bigint
  allocationIds: string[]
  evidence: Prisma.InputJsonObject
  givenBy: string | null
}

/** Thrown to undo what a credit's caller wrote first, when the credit was not given. */
class NotGiven extends Error {
  readonly outcome: string
  constructor(outcome: string) {
    super(`the credit was ${outcome}`)
    this.outcome = outcome
  }
}

/**
 * Books money given back for an order (SQL function credit_order), once per key. What `first` (the order is locked by then) and `also` write stands or falls with
 * it; where `first` says false, or the key was used before, nothing is done.
 */
export async function giveCredit(
  credit: Credit,
  also?: (tx: Tx, creditId: string) => Promise<unknown>,
  first?: (tx: Tx) => Promise<boolean>,
): Promise<Result<Refunded, Refusal<'not_found' | 'order_under_way' | 'proxy_being_replaced' | 'nothing_to_refund'>>> {
  let row: { outcome: string; credit_id: string | null } | undefined
  try {
    row = await db().$transaction(async (tx) => {
      if (first) {
        await tx.$queryRaw(Prisma.sql`SELECT id FROM orders WHERE id = ${credit.orderId} FOR NO KEY UPDATE`)
        if (!(await first(tx))) throw new NotGiven('not_found')
      }
      const [booked] = await tx.$queryRaw<{ outcome: string; credit_id: string | null }[]>(Prisma.sql`
      SELECT outcome, credit_id FROM credit_order(${newId('ocr')}, ${credit.orderId}, ${credit.key}, ${credit.cause}, ${credit.amountMicros}::bigint,
        ${credit.allocationIds}::text[], ${JSON.stringify(credit.evidence)}::jsonb, ${credit.givenBy})`)
      if (first && booked!.outcome !== 'given') throw new NotGiven(booked!.outcome)
      if (booked?.credit_id) await also?.(tx, booked.credit_id)
      return booked
    })
  } catch (error) {
    // The function undoes itself when a proxy was given back or exchanged a moment ago.
    if (error instanceof Error && error.message.includes('P0S01')) return refused('not_found')
    if (!(error instanceof NotGiven)) throw error
    invariant(error.outcome !== 'repeated', 'what is open has not been paid')
    row = { outcome: error.outcome, credit_id: null }
  }
  switch (row!.outcome) {
    case 'given':
    case 'repeated':
      return accepted({
        creditId: row!.credit_id!,
        amountMicros: credit.amountMicros,
        isRepeat: row!.outcome === 'repeated',
      })
    case 'not_found':
      return refused('not_found')
    case 'not_live':
      return refused('order_under_way')
    case 'being_replaced':
      return refused('proxy_being_replaced')
    default:
      invariant(row!.outcome === 'more_than_paid', `credit_order answered ${row!.outcome}`)
      return refused('nothing_to_refund')
  }
}
