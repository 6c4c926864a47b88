import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma } from '@/lib/db'
import { accepted, refused, type Refusal, type Result } from '@/lib/kit'
import { z } from 'zod'

/** A proxy that a supplier gave in exchange after its customer had something else for it. Nobody holds it. */
export type LateExchange = {
  id: string
  orderId: string
  userId: string
  supplier: string
  supplierOrderId: string | null
  countryCode: string
  oldPlace: string
  latePlace: string
  state: 'replaced' | 'credited' | 'refused'
  endedAt: Date
  /** The end it was to have: that of the proxy in whose place it came. */
  expiresAt: Date
}

/** More than that is a supplier gone mad, not a list to read. */
const MAX_LISTED = 200

/** Late exchanges of which nobody has said what became of them, the oldest first. */
export async function listLateExchanges(): Promise<LateExchange[]> {
  return db().$queryRaw<LateExchange[]>(Prisma.sql`
    SELECT r.id, r.order_id AS "orderId", r.user_id AS "userId", r.supplier, d.supplier_order_id AS "supplierOrderId", a.country_code AS "countryCode",
           a.host || ':' || a.port AS "oldPlace", r.late_place AS "latePlace", r.state, r.ended_at AS "endedAt", a.expires_at AS "expiresAt"
    FROM replacements r JOIN allocations a ON a.id = r.old_allocation_id LEFT JOIN deliveries d ON d.id = a.delivery_id
    WHERE r.late_place IS NOT NULL AND r.late_settled_at IS NULL ORDER BY r.id LIMIT ${MAX_LISTED}`)
}

/** How many wait there. */
export async function countLateExchanges(): Promise<number> {
  return db().replacement.count({ where: { latePlace: { not: null }, lateSettledAt: null } })
}

export const settleLateExchangeSchema = z.object({
  replacementId: z.string().regex(/^rpl_[0-9a-f]{32}$/),
  reason: z.string().trim().min(1).max(500),
})

/** A person says what became of such a proxy (put into stock, given back there, left); that stays in the audit. Refuses `not_waiting`. */
export async function settleLateExchange(
  actor: Actor,
  { replacementId, reason }: z.output<typeof settleLateExchangeSchema>,
): Promise<Result<null, Refusal<'not_waiting'>>> {
  return inTransaction<null, Refusal<'not_waiting'>>(async (tx) => {
    const [row] = await tx.$queryRaw<{ orderId: string; place: string }[]>(Prisma.sql`
      UPDATE replacements SET late_settled_at = now() WHERE id = ${replacementId} AND late_place IS NOT NULL AND late_settled_at IS NULL
      RETURNING order_id AS "orderId", late_place AS place`)
    if (!row) return refused('not_waiting')
    await recordAudit(tx, actor, {
      action: 'remedies.late_exchange_settled',
      subjectKind: 'order',
      subjectId: row.orderId,
      data: { replacementId, place: row.place, reason },
    })
    return accepted(null)
  })
}
