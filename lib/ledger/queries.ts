import { db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'

export type Balance = { balanceMicros: bigint; heldMicros: bigint; currency: string }

/** What a customer can spend now, and what is set aside for orders under way. One index probe each. */
export async function getBalance({ userId }: { userId: string }): Promise<Balance> {
  const currency = env().SHOP_CURRENCY
  const [row] = await db().$queryRaw<{ balance: bigint; held: bigint }[]>(Prisma.sql`
    SELECT a.balance_micros AS balance,
           coalesce((SELECT sum(h.amount_micros - h.captured_micros - h.released_micros) FROM ledger_holds h
                     WHERE h.account_id = a.id AND h.captured_micros + h.released_micros < h.amount_micros), 0)::bigint AS held
    FROM ledger_accounts a WHERE a.owner = ${userId} AND a.kind = 'customer_balance' AND a.currency = ${currency}`)
  return { balanceMicros: row?.balance ?? 0n, heldMicros: row?.held ?? 0n, currency }
}

export type StatementLine = {
  /** The entry's place in the account's chain; also the cursor for the next page. */
  version: bigint
  /** What moved the money: the transfer's key up to its first colon (top_up, hold, release, capture, adjustment, reversal). */
  cause: string
  sourceKind: string
  sourceId: string
  amountMicros: bigint
  balanceAfterMicros: bigint
  happenedAt: Date
}

/** A page of a customer's movements, newest first, each with the balance after it. `before` is the version of the last line seen. */
export async function listStatement(input: {
  userId: string
  before?: bigint
  limit?: number
}): Promise<{ lines: StatementLine[]; nextBefore: bigint | null; currency: string }> {
  const limit = Math.min(input.limit ?? 50, 500)
  const currency = env().SHOP_CURRENCY
  const before = input.before ?? 9_223_372_036_854_775_807n
  const rows = await db().$queryRaw<StatementLine[]>(Prisma.sql`
    SELECT e.account_version AS version, split_part(t.key, ':', 1) AS cause, t.source_kind AS "sourceKind", t.source_id AS "sourceId",
           e.amount_micros AS "amountMicros", e.balance_after_micros AS "balanceAfterMicros", t.happened_at AS "happenedAt"
    FROM ledger_accounts a
    JOIN ledger_entries e ON e.account_id = a.id
    JOIN ledger_transfers t ON t.id = e.transfer_id
    WHERE a.owner = ${input.userId} AND a.kind = 'customer_balance' AND a.currency = ${currency} AND e.account_version < ${before}
    ORDER BY e.account_version DESC LIMIT ${limit + 1}`)
  const lines = rows.slice(0, limit)
  return { lines, nextBefore: rows.length > limit ? lines.at(-1)!.version : null, currency }
}
