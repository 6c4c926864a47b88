import { type Database, db, Prisma } from '@/lib/db'

/** Something that should not be: which rule, and examples of the rows that break it (ids and amounts only). */
export type Finding = { rule: string; count: number; examples: string[] }

/** A rule of the books: a sentence, and a query that returns the `id` of whatever breaks it. */
export type Rule = { rule: string; sql: string }

/** The ledger's own rules; they need no other module's tables. */
export const LEDGER_RULES: readonly Rule[] = [
  {
    rule: 'every transfer has exactly two entries that sum to zero',
    sql: `SELECT t.id FROM ledger_transfers t LEFT JOIN ledger_entries e ON e.transfer_id = t.id
          GROUP BY t.id, t.from_account_id, t.to_account_id, t.amount_micros
          HAVING count(e.id) <> 2 OR sum(e.amount_micros) <> 0
             OR count(*) FILTER (WHERE e.account_id = t.from_account_id AND e.amount_micros = -t.amount_micros) <> 1
             OR count(*) FILTER (WHERE e.account_id = t.to_account_id AND e.amount_micros = t.amount_micros) <> 1`,
  },
  {
    rule: 'entries sum to zero per currency',
    sql: `SELECT a.currency AS id FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id GROUP BY a.currency HAVING sum(e.amount_micros) <> 0`,
  },
  {
    rule: 'a guarded account’s chain has no gap and each balance follows from the one before',
    sql: `SELECT id FROM (SELECT e.account_id AS id, e.account_version, e.balance_before_micros,
            row_number() OVER w AS place, lag(e.balance_after_micros, 1, 0) OVER w AS previous
          FROM ledger_entries e WHERE e.account_version IS NOT NULL WINDOW w AS (PARTITION BY e.account_id ORDER BY e.account_version)) c
          WHERE account_version <> place OR balance_before_micros <> previous GROUP BY id`,
  },
  {
    rule: 'a guarded account’s balance and version are those of its last entry',
    sql: `SELECT a.id FROM ledger_accounts a
          LEFT JOIN LATERAL (SELECT e.balance_after_micros, e.account_version FROM ledger_entries e
            WHERE e.account_id = a.id AND e.account_version IS NOT NULL ORDER BY e.account_version DESC LIMIT 1) l ON true
          WHERE a.is_guarded AND (a.balance_micros <> coalesce(l.balance_after_micros, 0) OR a.version <> coalesce(l.account_version, 0))`,
  },
  {
    rule: 'a guarded account’s balance is the sum of its entries, all of which are in its chain',
    sql: `SELECT a.id FROM ledger_accounts a JOIN ledger_entries e ON e.account_id = a.id WHERE a.is_guarded
          GROUP BY a.id, a.balance_micros HAVING sum(e.amount_micros) <> a.balance_micros OR count(*) <> count(e.account_version)`,
  },
  {
    rule: 'no balance was ever below zero, and no debt above it',
    sql: `SELECT e.account_id AS id FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id WHERE a.is_guarded
          AND CASE WHEN a.kind IN ('customer_debt', 'referral_debt') THEN e.balance_after_micros > 0 ELSE e.balance_after_micros < 0 END GROUP BY e.account_id`,
  },
  {
    rule: 'what of a balance is a gift is the sum of its entries’ gifts, and was never below zero nor above the balance',
    sql: `SELECT account_id AS id FROM (
            SELECT e.account_id, e.balance_after_micros, sum(coalesce(e.gift_micros, 0)) OVER w AS gift, a.gift_micros AS said, lead(e.id) OVER w IS NULL AS is_last
            FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id WHERE a.kind = 'customer_balance' AND e.account_version IS NOT NULL
            WINDOW w AS (PARTITION BY e.account_id ORDER BY e.account_version)) g
          WHERE gift < 0 OR gift > balance_after_micros OR (is_last AND gift <> said) GROUP BY account_id`,
  },
  {
    rule: 'what of a hold is a gift was one on the balance, and returned as one',
    sql: `SELECT h.id FROM ledger_holds h
          LEFT JOIN ledger_transfers held ON held.key = 'hold:' || h.id
          LEFT JOIN ledger_entries taken ON taken.transfer_id = held.id AND taken.account_id = h.account_id
          LEFT JOIN ledger_transfers back ON back.key = 'release:' || h.id
          LEFT JOIN ledger_entries given ON given.transfer_id = back.id AND given.account_id = h.account_id
          WHERE coalesce(-taken.gift_micros, 0) <> h.gift_micros
             OR (h.captured_micros + h.released_micros = h.amount_micros AND coalesce(given.gift_micros, 0) <> h.gift_micros - h.captured_gift_micros)`,
  },
  {
    rule: 'what is held is what the open holds say',
    sql: `SELECT c.currency AS id FROM (SELECT DISTINCT currency FROM ledger_accounts) c WHERE
          coalesce((SELECT sum(e.amount_micros) FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id
                    WHERE a.kind = 'held_for_orders' AND a.currency = c.currency), 0)
          <> coalesce((SELECT sum(h.amount_micros - h.captured_micros - h.released_micros) FROM ledger_holds h WHERE h.currency = c.currency), 0)`,
  },
  {
    rule: 'each part of a hold has its transfer',
    sql: `SELECT h.id FROM ledger_holds h
          LEFT JOIN ledger_transfers held ON held.key = 'hold:' || h.id
          LEFT JOIN ledger_transfers captured ON captured.key = 'capture:' || h.id
          LEFT JOIN ledger_transfers released ON released.key = 'release:' || h.id
          WHERE held.amount_micros IS DISTINCT FROM h.amount_micros OR coalesce(captured.amount_micros, 0) <> h.captured_micros
             OR coalesce(released.amount_micros, 0) <> h.released_micros`,
  },
]

export type LedgerReport = { findings: Finding[]; rules: number; transfers: bigint }

/** Holds the books against the rules, in one consistent snapshot. No `findings` means that every rule holds. Reads whole tables. */
export async function checkRules(rules: readonly Rule[], database: Database = db()): Promise<LedgerReport> {
  return database.$transaction(
    async (tx) => {
      const findings: Finding[] = []
      for (const { rule, sql } of rules) {
        const rows = await tx.$queryRaw<{ id: string; broken: bigint }[]>(
          Prisma.sql`SELECT id, count(*) OVER () AS broken FROM (${Prisma.raw(sql)}) AS broken LIMIT 5`,
        )
        if (rows.length > 0)
          findings.push({ rule, count: Number(rows[0]!.broken), examples: rows.map((row) => row.id) })
      }
      const [count] = await tx.$queryRaw<{ transfers: bigint }[]>(
        Prisma.sql`SELECT count(*) AS transfers FROM ledger_transfers`,
      )
      return { findings, rules: rules.length, transfers: count!.transfers }
    },
    { isolationLevel: 'RepeatableRead', timeout: 600_000, maxWait: 30_000 },
  )
}
