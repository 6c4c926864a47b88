import { db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { invariant } from '@/lib/kit'

export type Balance = {
  balanceMicros: bigint
  /** Of the balance: what did not come from outside. It is spent first, and is not paid back to a payment's source. */
  giftMicros: bigint
  heldMicros: bigint
  owedMicros: bigint
  currency: string
}

/** What a customer can spend now, what is set aside for orders under way, and what they owe (nothing, for nearly everyone). One index probe each. */
export async function getBalance({ userId }: { userId: string }): Promise<Balance> {
  const currency = env().SHOP_CURRENCY
  const [row] = await db().$queryRaw<{ balance: bigint; gift: bigint; held: bigint; owed: bigint }[]>(Prisma.sql`
    SELECT a.balance_micros AS balance, a.gift_micros AS gift,
           coalesce((SELECT sum(h.amount_micros - h.captured_micros - h.released_micros) FROM ledger_holds h
                     WHERE h.account_id = a.id AND h.captured_micros + h.released_micros < h.amount_micros), 0)::bigint AS held,
           ledger_debt(${userId}, ${currency}) AS owed
    FROM ledger_accounts a WHERE a.owner = ${userId} AND a.kind = 'customer_balance' AND a.currency = ${currency}`)
  return {
    balanceMicros: row?.balance ?? 0n,
    giftMicros: row?.gift ?? 0n,
    heldMicros: row?.held ?? 0n,
    owedMicros: row?.owed ?? 0n,
    currency,
  }
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

export type StatementSpan = {
  currency: string
  /** The balance before the first movement of the span, and after the last. */
  openingMicros: bigint
  closingMicros: bigint
  count: number
  /** The movements, oldest first, read a page at a time: as many are in memory as one page holds. May be walked more than once. */
  lines: () => AsyncGenerator<StatementLine & { bookedAt: Date }>
}

/** How many movements one query of a span reads. */
const SPAN_PAGE = 1_000

/**
 * A customer's movements that were booked from `from` on and before `until`. The span is a piece of the account's chain, cut where the balance was
 * booked: spans that meet share a balance, and opening plus the movements is always closing. What is booked while it is read is not in it.
 */
export async function readStatementSpan(input: { userId: string; from: Date; until: Date }): Promise<StatementSpan> {
  const currency = env().SHOP_CURRENCY
  // The last entry before a moment, found from the newest down along the chain's index.
  const lastBefore = async (moment: Date) => {
    const [row] = await db().$queryRaw<{ version: bigint; balance: bigint }[]>(Prisma.sql`
      SELECT e.account_version AS version, e.balance_after_micros AS balance
      FROM ledger_accounts a JOIN ledger_entries e ON e.account_id = a.id
      WHERE a.owner = ${input.userId} AND a.kind = 'customer_balance' AND a.currency = ${currency} AND e.created_at < ${moment}::timestamptz
      ORDER BY e.account_version DESC LIMIT 1`)
    return row ?? { version: 0n, balance: 0n }
  }
  const last = await lastBefore(input.until)
  const first = await lastBefore(input.from)
  async function* lines() {
    for (let after = first.version; after < last.version;) {
      const page = await db().$queryRaw<(StatementLine & { bookedAt: Date })[]>(Prisma.sql`
        SELECT e.account_version AS version, split_part(t.key, ':', 1) AS cause, t.source_kind AS "sourceKind", t.source_id AS "sourceId",
               e.amount_micros AS "amountMicros", e.balance_after_micros AS "balanceAfterMicros", t.happened_at AS "happenedAt",
               e.created_at AS "bookedAt"
        FROM ledger_accounts a
        JOIN ledger_entries e ON e.account_id = a.id
        JOIN ledger_transfers t ON t.id = e.transfer_id
        WHERE a.owner = ${input.userId} AND a.kind = 'customer_balance' AND a.currency = ${currency}
          AND e.account_version > ${after} AND e.account_version <= ${last.version}
        ORDER BY e.account_version LIMIT ${SPAN_PAGE}::int`)
      invariant(page.length > 0, 'the chain of an account has no gap')
      yield* page
      after = page.at(-1)!.version
    }
  }
  return {
    currency,
    openingMicros: first.balance,
    closingMicros: last.balance,
    count: Number(last.version - first.version),
    lines,
  }
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
