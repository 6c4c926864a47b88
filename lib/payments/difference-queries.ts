import { db, Prisma } from '@/lib/db'
import { isId, type Page, pageOf } from '@/lib/kit'
import type { DifferenceKind } from './judge-difference'
import type { PaymentState } from './states'

const PAGE = 20

export type DifferenceView = {
  id: string
  provider: string
  kind: DifferenceKind
  providerPaymentId: string
  paymentId: string | null
  /** What our payment is now; null when the shop knows none. */
  paymentState: PaymentState | null
  userId: string | null
  theirMicros: bigint | null
  ourMicros: bigint | null
  currency: string
  isTest: boolean
  state: 'open' | 'mended' | 'dismissed'
  foundAt: Date
  endedAt: Date | null
  /** Who ended it; null when it was gone at a later look. */
  endedBy: string | null
  note: string | null
}

/** The last comparison with one provider. */
export type ComparisonView = {
  provider: string
  method: 'list' | 'asked'
  startedAt: Date
  compared: number
  differences: number
  theirMicros: bigint
  ourMicros: bigint
  currency: string
  /** When asking first failed, while it still does; null when the last run went well. */
  failingSince: Date | null
}

/** A page of differences, open or ended, newest first. For staff with `payments.read`. */
export async function listDifferences(query: { isOpen: boolean; before?: string }): Promise<Page<DifferenceView>> {
  const before = query.before && isId('dif', query.before) ? query.before : null
  const rows = await db().$queryRaw<DifferenceView[]>(Prisma.sql`
    SELECT d.id, d.provider, d.kind, d.provider_payment_id AS "providerPaymentId", d.payment_id AS "paymentId", p.state AS "paymentState",
      d.user_id AS "userId", d.their_micros AS "theirMicros", d.our_micros AS "ourMicros", d.currency, d.is_test AS "isTest", d.state,
      d.found_at AS "foundAt", d.ended_at AS "endedAt", d.ended_by AS "endedBy", d.note
    FROM payment_differences d LEFT JOIN payments p ON p.id = d.payment_id
    WHERE (d.state = 'open') = ${query.isOpen}::boolean AND (${before}::text IS NULL OR d.id < ${before})
    ORDER BY d.id DESC LIMIT ${PAGE + 1}::int`)
  return pageOf(rows, PAGE)
}

/** How many differences wait for a person: the number on the admin's queue. */
export async function countOpenDifferences(): Promise<number> {
  return db().paymentDifference.count({ where: { state: 'open' } })
}

/** The last comparison with each provider that was ever compared. */
export async function listLastComparisons(): Promise<ComparisonView[]> {
  return db().$queryRaw<ComparisonView[]>(Prisma.sql`
    SELECT DISTINCT ON (c.provider) c.provider, c.method, c.started_at AS "startedAt", c.compared, c.differences,
      c.their_micros AS "theirMicros", c.our_micros AS "ourMicros", c.currency,
      CASE WHEN c.failure IS NOT NULL THEN (
        SELECT min(f.started_at) FROM payment_comparisons f WHERE f.provider = c.provider AND f.started_at > coalesce(
          (SELECT max(g.started_at) FROM payment_comparisons g WHERE g.provider = c.provider AND g.failure IS NULL), '-infinity')
      ) END AS "failingSince"
    FROM payment_comparisons c ORDER BY c.provider, c.started_at DESC`)
}
