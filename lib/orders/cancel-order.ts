import { db, Prisma } from '@/lib/db'
import { accepted, invariant, refused, type Refusal, type Result } from '@/lib/kit'

/**
 * Takes an order back that nobody works on yet; its whole hold returns. Refuses `not_found` (also for somebody else's), `already_ended`, and
 * `order_under_way` when a supplier has been called: what it did must be known first. Safe to call twice.
 */
export async function cancelOrder(
  actor: { id: string },
  input: { orderId: string },
): Promise<Result<{ releasedMicros: bigint }, Refusal<'not_found' | 'already_ended' | 'order_under_way'>>> {
  const [row] = await db().$queryRaw<{ outcome: string; released: bigint | null }[]>(
    Prisma.sql`SELECT outcome, released FROM cancel_order(${input.orderId}, ${actor.id})`,
  )
  switch (row!.outcome) {
    case 'cancelled':
      return accepted({ releasedMicros: row!.released! })
    case 'under_way':
      return refused('order_under_way')
    case 'not_found':
      return refused('not_found')
    default:
      invariant(row!.outcome === 'already_ended', `cancel_order answered ${row!.outcome}`)
      return refused('already_ended')
  }
}
