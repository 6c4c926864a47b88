import { db, Prisma, type Tx } from '@/lib/db'
import { invariant } from '@/lib/kit'
import { accountId, type SystemAccountKind } from './accounts'

type Movement = {
  key: string
  owner: string
  shopKind: SystemAccountKind
  amountMicros: bigint
  currency: string
  source: { kind: 'payment'; id: string }
  happenedAt: Date
}

/**
 * Takes money back from a customer, whether they still have it or not: what the balance lacks becomes a debt, which blocks buying until money that
 * comes in has paid it. `owedMicros` is that part. Locks the balance. The caller has made sure, under a lock of its own, that the
 * fact behind the key is booked once; a key that was used is a bug and throws. Amounts are positive micros.
 */
export async function takeMoney(tx: Tx, movement: Movement): Promise<{ takenMicros: bigint; owedMicros: bigint }> {
  const { key, owner, shopKind, amountMicros, currency, source, happenedAt } = movement
  const to = await accountId(tx, { owner: 'shop', kind: shopKind, currency })
  const [row] = await tx.$queryRaw<{ takenMicros: bigint; owedMicros: bigint }[]>(Prisma.sql`
    SELECT taken AS "takenMicros", owed AS "owedMicros"
    FROM ledger_take(${key}, ${owner}, ${to}, ${amountMicros}, ${currency}, ${source.kind}, ${source.id}, ${happenedAt})`)
  return row!
}

/**
 * Gives a customer money; what they owe is paid from it first, by a transfer of its own. The same key with the same content gives once. A key that
 * was used for something else is a bug and throws. Amounts are positive micros.
 */
export async function giveMoney(tx: Tx, movement: Movement): Promise<void> {
  const { key, owner, shopKind, amountMicros, currency, source, happenedAt } = movement
  const from = await accountId(tx, { owner: 'shop', kind: shopKind, currency })
  const [row] = await tx.$queryRaw<{ outcome: string }[]>(Prisma.sql`
    SELECT outcome
    FROM ledger_give(${key}, ${from}, ${owner}, ${amountMicros}, ${currency}, ${source.kind}, ${source.id}, ${happenedAt})`)
  invariant(row?.outcome === 'posted' || row?.outcome === 'repeated', `giving under ${key} was ${row?.outcome}`)
}

/** What a customer owes the shop, as a positive amount; 0 for nearly everyone. */
export async function getDebt(query: { userId: string; currency: string }, tx?: Tx): Promise<bigint> {
  const [row] = await (tx ?? db()).$queryRaw<{ debt: bigint }[]>(
    Prisma.sql`SELECT ledger_debt(${query.userId}, ${query.currency}) AS debt`,
  )
  return row!.debt
}
