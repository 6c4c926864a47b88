import { z } from 'zod'
import { accepted, DAY_MS, type Refusal, refused, type Result } from '@/lib/kit'
import { readStatementSpan, type StatementSpan } from '@/lib/ledger'

/** No law asks anybody to keep books for longer. */
export const SPAN_YEARS_MAX = 10

export type Statement = StatementSpan & { from: string; to: string }

const daySchema = z.iso.date()

/**
 * A customer's movements of whole days in UTC, both included, as "2026-03-01". Refuses `span_invalid` for anything that is no day, or a first day
 * after the last; `span_too_long` for more than ten years.
 */
export async function openStatement(input: {
  userId: string
  from: string
  to: string
}): Promise<Result<Statement, Refusal<'span_invalid' | 'span_too_long'>>> {
  const [from, to] = [daySchema.safeParse(input.from), daySchema.safeParse(input.to)]
  // A year of four digits that JavaScript and PostgreSQL both take; nothing was booked before this century.
  if (!from.success || !to.success || from.data > to.data || from.data < '2000-01-01') return refused('span_invalid')
  const first = new Date(`${from.data}T00:00:00Z`)
  const until = new Date(new Date(`${to.data}T00:00:00Z`).getTime() + DAY_MS)
  const limit = new Date(first)
  limit.setUTCFullYear(limit.getUTCFullYear() + SPAN_YEARS_MAX)
  if (until > limit) return refused('span_too_long', { years: SPAN_YEARS_MAX })
  return accepted({
    ...(await readStatementSpan({ userId: input.userId, from: first, until })),
    from: from.data,
    to: to.data,
  })
}
