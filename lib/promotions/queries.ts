import { db, Prisma } from '@/lib/db'
import type { PromotionKind } from './schemas'

export type PromotionFigures = { reserved: number; consumed: number; givenMicros: bigint }

/** All codes with what came of them, newest first: uses that wait, uses that were consumed, and what was given (less what came back). For staff. */
export async function listPromotions() {
  const rows = await db().promotion.findMany({ orderBy: { id: 'desc' }, take: 500 })
  const figures = await readFigures(rows.map((row) => row.id))
  return rows.map((row) => ({
    ...row,
    kind: row.kind as PromotionKind,
    ...(figures.get(row.id) ?? { reserved: 0, consumed: 0, givenMicros: 0n }),
  }))
}
export type PromotionRow = Awaited<ReturnType<typeof listPromotions>>[number]

async function readFigures(ids: readonly string[]): Promise<Map<string, PromotionFigures>> {
  const rows = await db().$queryRaw<({ id: string } & PromotionFigures)[]>(Prisma.sql`
    SELECT promotion_id AS id, count(*) FILTER (WHERE state = 'reserved')::int AS reserved, count(*) FILTER (WHERE state = 'consumed')::int AS consumed,
      coalesce(sum(amount_micros - returned_micros) FILTER (WHERE state = 'consumed'), 0)::bigint AS "givenMicros"
    FROM promotion_uses WHERE promotion_id = ANY (${[...ids]}::text[]) GROUP BY promotion_id`)
  return new Map(rows.map(({ id, ...figures }) => [id, figures]))
}

/** One code with its figures; null when there is none. For staff. */
export async function findPromotion(promotionId: string): Promise<PromotionRow | null> {
  const row = await db().promotion.findUnique({ where: { id: promotionId } })
  if (!row) return null
  const figures = await readFigures([row.id])
  return {
    ...row,
    kind: row.kind as PromotionKind,
    ...(figures.get(row.id) ?? { reserved: 0, consumed: 0, givenMicros: 0n }),
  }
}

/** The last uses of a code, newest first. For staff. */
export async function listUses(promotionId: string) {
  return db().promotionUse.findMany({
    where: { promotionId },
    orderBy: { id: 'desc' },
    take: 100,
    select: {
      id: true,
      userId: true,
      subjectKind: true,
      subjectId: true,
      amountMicros: true,
      returnedMicros: true,
      currency: true,
      state: true,
      reason: true,
      createdAt: true,
    },
  })
}

/** The texts of codes, by id: what orders and payments print. */
export async function nameCodes(promotionIds: readonly (string | null)[]): Promise<Map<string, string>> {
  const ids = [...new Set(promotionIds.filter((id) => id !== null))]
  if (ids.length === 0) return new Map()
  const rows = await db().promotion.findMany({ where: { id: { in: ids } }, select: { id: true, code: true } })
  return new Map(rows.map((row) => [row.id, row.code]))
}

/** The code and the discount of each of these orders that was bought with one, by order. */
export async function listOrderDiscounts(
  orderIds: readonly string[],
): Promise<Map<string, { code: string; amountMicros: bigint }>> {
  if (orderIds.length === 0) return new Map()
  const rows = await db().promotionUse.findMany({
    where: { subjectKind: 'order', subjectId: { in: [...new Set(orderIds)] }, state: { not: 'released' } },
    select: { subjectId: true, amountMicros: true, promotion: { select: { code: true } } },
  })
  return new Map(
    rows.map((row) => [row.subjectId, { code: row.promotion.code, amountMicros: row.amountMicros }] as const),
  )
}

/** All batches of vouchers with how many of them were redeemed, newest first. For staff. */
export async function listBatches() {
  const rows = await db().voucherBatch.findMany({ orderBy: { id: 'desc' }, take: 500 })
  const redeemed = await db().voucher.groupBy({
    by: ['batchId'],
    where: { batchId: { in: rows.map((row) => row.id) }, redeemedAt: { not: null } },
    _count: true,
  })
  const counts = new Map(redeemed.map((group) => [group.batchId, group._count]))
  return rows.map((row) => ({ ...row, redeemed: counts.get(row.id) ?? 0 }))
}

/** One batch with its figures; null when there is none. For staff. */
export async function findBatch(batchId: string) {
  const row = await db().voucherBatch.findUnique({ where: { id: batchId } })
  if (!row) return null
  return { ...row, redeemed: await db().voucher.count({ where: { batchId, redeemedAt: { not: null } } }) }
}
