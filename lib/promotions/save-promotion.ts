import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'
import type { SavePromotionInput } from './schemas'

export type SavePromotionRefusal = Refusal<'code_taken' | 'changed_meanwhile' | 'terms_in_use' | 'not_found'>

/** What stays as it was from the first use on: whoever has the code was shown it. */
const TERMS = [
  'code',
  'kind',
  'percent',
  'amountMicros',
  'gigabytes',
  'minimumMicros',
  'capMicros',
  'firstOnly',
] as const

/**
 * Makes a code, switched on, or changes the one that is named, at the revision that was shown (`changed_meanwhile`). Refuses `code_taken`, and `terms_in_use` {field} when
 * a code that was used would do something else from now on: for that, make another. Limits, dates and the switch may always change; uses
 * that are reserved keep what they were promised. Audited. Whether the actor may is the caller's question.
 */
export async function savePromotion(
  actor: Actor & { id: string },
  input: SavePromotionInput,
): Promise<Result<{ promotionId: string; revision: number }, SavePromotionRefusal>> {
  const { promotionId, revision, ...data } = input
  return inTransaction<{ promotionId: string; revision: number }, SavePromotionRefusal>(async (tx) => {
    const id = promotionId ?? newId('prm')
    const taken = await tx.promotion.findUnique({ where: { code: data.code }, select: { id: true } })
    if (taken && taken.id !== id) return refused('code_taken')
    if (promotionId) {
      await tx.$queryRaw(Prisma.sql`SELECT id FROM promotions WHERE id = ${id} FOR NO KEY UPDATE`)
      const old = await tx.promotion.findUnique({ where: { id } })
      if (!old) return refused('not_found')
      if (old.revision !== revision) return refused('changed_meanwhile')
      const changed = TERMS.find((term) => old[term] !== data[term])
      if (changed && (await isUsed(tx, id))) return refused('terms_in_use', { field: changed })
      await tx.promotion.update({
        where: { id },
        data: { ...data, revision: { increment: 1 }, updatedAt: new Date() },
        select: { id: true },
      })
    } else {
      await tx.promotion.create({
        data: { id, ...data, currency: env().SHOP_CURRENCY, createdBy: actor.id },
        select: { id: true },
      })
    }
    await recordAudit(tx, actor, {
      action: promotionId ? 'promotions.changed' : 'promotions.created',
      subjectKind: 'promotion',
      subjectId: id,
      data: { code: data.code, kind: data.kind },
    })
    return accepted({ promotionId: id, revision: (promotionId ? revision! : 0) + 1 })
  }).catch((error: unknown) => {
    // Of two at once that make the same code, the second finds it taken.
    if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002') return refused('code_taken')
    throw error
  })
}

async function isUsed(tx: Tx, promotionId: string): Promise<boolean> {
  return (await tx.promotionUse.findFirst({ where: { promotionId }, select: { id: true } })) !== null
}

/** Switches a code on or off. What is reserved with it stays. Refuses `not_found`. */
export async function switchPromotion(
  actor: Actor & { id: string },
  input: { promotionId: string; isActive: boolean },
): Promise<Result<null, Refusal<'not_found'>>> {
  return inTransaction<null, Refusal<'not_found'>>(async (tx) => {
    const { promotionId: id, isActive } = input
    const { count } = await tx.promotion.updateMany({
      where: { id },
      // Its terms are what they were: the revision stays, and no open form goes out of date by it.
      data: { isActive, updatedAt: new Date() },
    })
    if (count === 0) return refused('not_found')
    await recordAudit(tx, actor, {
      action: isActive ? 'promotions.switched_on' : 'promotions.switched_off',
      subjectKind: 'promotion',
      subjectId: id,
    })
    return accepted(null)
  })
}
