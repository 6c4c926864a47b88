import { Prisma, type Tx } from '@/lib/db'
import { accepted, invariant, MAX_AMOUNT_MICROS, refused, type Refusal, type Result } from '@/lib/kit'
import { accountId, type AccountRef } from './accounts'

export type Posted = { transferId: string; isRepeat: boolean }
export type PostRefusal = Refusal<'insufficient_balance' | 'key_reused'>

/**
 * Moves money between two accounts, once per key, in the caller's transaction. The key is made from the business fact
 * (`top_up:pay_…`); the same key with the same content returns the first transfer, with other content it is refused as `key_reused`.
 * `insufficient_balance` when a guarded account would fall below zero. Locks the guarded accounts until the transaction ends.
 * Amounts are positive micros; anything else is a bug and throws.
 */
export async function postTransfer(
  tx: Tx,
  transfer: {
    key: string
    from: AccountRef
    to: AccountRef
    amountMicros: bigint
    source: { kind: 'order' | 'payment' | 'adjustment' | 'promotion' | 'referral'; id: string }
    happenedAt: Date
  },
): Promise<Result<Posted, PostRefusal>> {
  const { key, from, to, amountMicros, source, happenedAt } = transfer
  invariant(
    amountMicros > 0n && amountMicros <= MAX_AMOUNT_MICROS,
    'a transfer is positive and within the ledger’s bound',
  )
  invariant(from.currency === to.currency, 'both accounts of a transfer are kept in one currency')
  // An account's first use inserts its row, and that waits for whoever inserts the same one: two transfers in opposite directions
  // between new accounts must therefore make them in one order.
  const isFromFirst = `${from.owner} ${from.kind}` < `${to.owner} ${to.kind}`
  const firstId = await accountId(tx, isFromFirst ? from : to)
  const secondId = await accountId(tx, isFromFirst ? to : from)
  const [fromId, toId] = isFromFirst ? [firstId, secondId] : [secondId, firstId]
  const [row] = await tx.$queryRaw<{ outcome: string; transfer_id: string }[]>(Prisma.sql`
    SELECT outcome, transfer_id FROM ledger_post(${key}, ${fromId}, ${toId}, ${amountMicros}, ${from.currency},
      ${source.kind}, ${source.id}, NULL, ${happenedAt})`)
  return readPosted(row!)
}

/**
 * Takes a transfer back, whole and once, by a new transfer that names it. Refuses `not_found`, `already_reversed` (under another key),
 * `insufficient_balance` when the money has been spent, and `key_reused`.
 */
export async function reverseTransfer(
  tx: Tx,
  reversal: { key: string; transferId: string; happenedAt: Date },
): Promise<Result<Posted, PostRefusal | Refusal<'not_found' | 'already_reversed'>>> {
  const [row] = await tx.$queryRaw<{ outcome: string; transfer_id: string }[]>(Prisma.sql`
    SELECT outcome, transfer_id FROM ledger_reverse(${reversal.key}, ${reversal.transferId}, ${reversal.happenedAt})`)
  if (row!.outcome === 'not_found') return refused('not_found')
  if (row!.outcome === 'already_reversed') return refused('already_reversed', { transferId: row!.transfer_id })
  return readPosted(row!)
}

function readPosted(row: { outcome: string; transfer_id: string }): Result<Posted, PostRefusal> {
  switch (row.outcome) {
    case 'posted':
      return accepted({ transferId: row.transfer_id, isRepeat: false })
    case 'repeated':
      return accepted({ transferId: row.transfer_id, isRepeat: true })
    case 'insufficient_balance':
      return refused('insufficient_balance')
    default:
      invariant(row.outcome === 'key_reused', `ledger_post answered ${row.outcome}`)
      return refused('key_reused', { transferId: row.transfer_id })
  }
}
