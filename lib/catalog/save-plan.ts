import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { readCatalog } from './queries'
import { refuseTakenSlug } from './refuse-taken-slug'
import type { SavePlanInput } from './schemas'

/**
 * Creates a plan with its periods and quantity steps, or changes the one that is named; its revision grows, so that an order priced by
 * the old one asks again. Refuses `slug_taken`, `not_found`, and `changed_meanwhile` when somebody else saved it after the form was filled.
 */
export async function savePlan(
  actor: Actor,
  input: SavePlanInput,
): Promise<Result<{ planId: string; revision: number }, Refusal<'slug_taken' | 'not_found' | 'changed_meanwhile'>>> {
  type Refused = Refusal<'slug_taken' | 'not_found' | 'changed_meanwhile'>
  const result = await inTransaction<{ planId: string; revision: number }, Refused>(async (tx) => {
    const { planId, revision: readRevision, periods, steps, ...data } = input
    const taken = await tx.plan.findUnique({ where: { slug: data.slug }, select: { id: true } })
    if (taken && taken.id !== planId) return refused('slug_taken')
    const product = await tx.product.findUnique({ where: { id: data.productId }, select: { id: true } })
    if (!product) return refused('not_found')
    const id = planId ?? newId('pln')
    let revision = 1
    if (planId) {
      const changed = await tx.plan.updateMany({
        where: { id, revision: readRevision },
        data: { ...data, revision: { increment: 1 } },
      })
      if (changed.count === 0) {
        const exists = await tx.plan.findUnique({ where: { id }, select: { id: true } })
        return refused(exists ? 'changed_meanwhile' : 'not_found')
      }
      revision = (readRevision ?? 0) + 1
      await tx.planPeriod.deleteMany({ where: { planId: id } })
      await tx.planQuantityStep.deleteMany({ where: { planId: id } })
    } else {
      await tx.plan.create({ data: { id, ...data }, select: { id: true } })
    }
    await tx.planPeriod.createMany({ data: periods.map((period) => ({ planId: id, ...period })) })
    await tx.planQuantityStep.createMany({ data: steps.map((step) => ({ planId: id, ...step })) })
    await recordAudit(tx, actor, {
      action: planId ? 'catalog.plan_changed' : 'catalog.plan_created',
      subjectKind: 'plan',
      subjectId: id,
      data: {
        revision,
        isActive: data.isActive,
        periods: periods.map((period) => ({ days: period.days, unitPriceMicros: period.unitPriceMicros.toString() })),
        steps,
      },
    })
    return accepted({ planId: id, revision })
  }).catch(refuseTakenSlug)
  await readCatalog({ fresh: true })
  return result
}
