import { db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, invariant, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { sealSecret } from '@/lib/settings'
import { type PayoutMethod, referralProgramme } from './rules'

export type Settled = { settlementId: string; amountMicros: bigint }
type SettleRefusal = Refusal<'nothing_available' | 'key_reused'>

/** Where a payout's destination is sealed; it opens at this payout only. */
export const destinationPlace = (settlementId: string) => ({
  group: 'payouts',
  owner: settlementId,
  name: 'destination',
})

/**
 * Moves everything that is available to the balance, at once and whole; debts there are paid first, waiting choices are bought. What arrives is a gift:
 * it is for buying here. Of two at once, whatever they are, the second finds nothing: `nothing_available`. The same request key is the same move.
 */
export async function moveRewards(
  actor: { id: string },
  input: { requestKey: string },
): Promise<Result<Settled, SettleRefusal>> {
  const result = await settle(actor, { ...input, id: newId('rst'), kind: 'move', minimumMicros: 0n })
  if (!result.ok) {
    invariant(result.refusal.code !== 'below_minimum', 'moving has no minimum')
    return refused(result.refusal.code)
  }
  return result
}

/**
 * Asks for everything that is available to be paid out; it is set aside until a person decides. The destination is stored sealed, and only until then.
 * Refuses `payout_method_unknown`, `destination_unreadable`, `below_minimum` {minimumMicros, currency}, `nothing_available`, `key_reused`.
 */
export async function requestPayout(
  actor: { id: string },
  input: { requestKey: string; method: string; destination: string },
): Promise<
  Result<Settled, SettleRefusal | Refusal<'payout_method_unknown' | 'destination_unreadable' | 'below_minimum'>>
> {
  const method = (await referralProgramme.readFresh()).payoutMethods.find(({ id }) => id === input.method)
  if (!method) return refused('payout_method_unknown')
  const destination = input.destination.trim()
  if (!fits(method, destination)) return refused('destination_unreadable')
  const id = newId('rst')
  return settle(actor, {
    requestKey: input.requestKey,
    id,
    kind: 'payout',
    minimumMicros: method.minimumMicros,
    method: method.id,
    destination: sealSecret(destinationPlace(id), destination),
    hint: `…${destination.slice(-4)}`,
  })
}

/** What addresses of coins look like, without knowing each coin: one word of letters and digits, some with a prefix and a colon. */
function fits(method: PayoutMethod, destination: string): boolean {
  return method.kind === 'crypto'
    ? /^(?:[a-z]{3,15}:)?[A-Za-z0-9_-]{20,110}$/.test(destination)
    : destination.length >= 4 && destination.length <= 200 && !/[\u0000-\u001f\u007f]/.test(destination)
}

async function settle(
  actor: { id: string },
  input: {
    id: string
    requestKey: string
    kind: 'move' | 'payout'
    minimumMicros: bigint
    method?: string
    destination?: string
    hint?: string
  },
): Promise<Result<Settled, SettleRefusal | Refusal<'below_minimum'>>> {
  const currency = env().SHOP_CURRENCY
  const [row] = await db().$queryRaw<{ outcome: string; settlement_id: string; amount: bigint }[]>(Prisma.sql`
    SELECT outcome, settlement_id, amount FROM settle_rewards(${input.id}, ${actor.id}, ${input.requestKey}, ${input.kind}, ${input.minimumMicros},
      ${currency}, ${input.method ?? null}, ${input.destination ?? null}, ${input.hint ?? null})`)
  const { outcome, settlement_id, amount } = row!
  if (outcome === 'settled' || outcome === 'repeated')
    return accepted({ settlementId: settlement_id, amountMicros: amount })
  if (outcome === 'below_minimum') return refused('below_minimum', { minimumMicros: input.minimumMicros, currency })
  invariant(outcome === 'nothing_available' || outcome === 'key_reused', `settle_rewards answered ${outcome}`)
  return refused(outcome)
}

/** Takes a payout back that nobody has decided on; its rewards are available again. Refuses `not_found` (also somebody else's) and `payout_ended`. */
export async function withdrawPayout(
  actor: { id: string },
  input: { settlementId: string },
): Promise<Result<null, Refusal<'not_found' | 'payout_ended'>>> {
  const own = await db().referralSettlement.count({
    where: { id: input.settlementId, userId: actor.id, kind: 'payout' },
  })
  if (own === 0) return refused('not_found')
  const [row] = await db().$queryRaw<{ outcome: string }[]>(
    Prisma.sql`SELECT outcome FROM end_payout(${input.settlementId}, 'withdrawn', NULL, NULL, NULL, ${actor.id})`,
  )
  return row!.outcome === 'ended' ? accepted(null) : refused('payout_ended')
}
