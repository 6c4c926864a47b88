import { Prisma, type Tx } from '@/lib/db'
import { accepted, invariant, refused, type Refusal, type Result } from '@/lib/kit'
import { accountId, type SystemAccountKind } from './accounts'

/**
 * Sets a customer's money aside under the id of the fact it waits for. Once per id: a repeat with the same amount is accepted,
 * with another it is `key_reused`; `insufficient_balance` writes nothing. (place_order does the same inside its one call.)
 */
export async function holdMoney(
  tx: Tx,
  hold: { id: string; userId: string; amountMicros: bigint; currency: string; happenedAt: Date },
): Promise<Result<null, Refusal<'insufficient_balance' | 'key_reused'>>> {
  invariant(hold.amountMicros > 0n, 'a hold is positive')
  await accountId(tx, { owner: 'shop', kind: 'held_for_orders', currency: hold.currency }) // in the order postTransfer makes accounts
  const account = await accountId(tx, { owner: hold.userId, kind: 'customer_balance', currency: hold.currency })
  const [row] = await tx.$queryRaw<{ outcome: string }[]>(Prisma.sql`
    SELECT outcome FROM ledger_hold(${hold.id}, ${account}, ${hold.amountMicros}, ${hold.currency}, 'order', ${hold.happenedAt})`)
  const { outcome } = row!
  if (outcome === 'posted' || outcome === 'repeated') return accepted(null)
  invariant(outcome === 'insufficient_balance' || outcome === 'key_reused', `ledger_hold answered ${outcome}`)
  return refused(outcome)
}

export type SettledHold = { capturedMicros: bigint; releasedMicros: bigint; isRepeat: boolean }

/**
 * Ends a hold: `capturedMicros` goes to the named account, the rest returns to the customer. The second of two calls gets the
 * first one's figures and moves nothing. Refuses `not_found` and `more_than_held`.
 */
export async function settleHold(
  tx: Tx,
  settlement: { id: string; capturedMicros: bigint; captureTo: SystemAccountKind; happenedAt: Date },
): Promise<Result<SettledHold, Refusal<'not_found' | 'more_than_held'>>> {
  const [row] = await tx.$queryRaw<{ outcome: string; captured: bigint; released: bigint }[]>(Prisma.sql`
    SELECT outcome, captured, released
    FROM ledger_settle_hold(${settlement.id}, ${settlement.capturedMicros}, ${settlement.captureTo}, 'order', ${settlement.happenedAt})`)
  const { outcome, captured, released } = row!
  if (outcome === 'not_found' || outcome === 'more_than_held') return refused(outcome)
  invariant(outcome === 'settled' || outcome === 'repeated', `ledger_settle_hold answered ${outcome}`)
  return accepted({ capturedMicros: captured, releasedMicros: released, isRepeat: outcome === 'repeated' })
}
