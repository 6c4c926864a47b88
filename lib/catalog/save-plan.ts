import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction, type Tx } from '@/lib/db'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { roundUp } from './price'
import { priceRounding } from './price-rounding'
import { readCatalog } from './queries'
import { refuseTakenSlug } from './refuse-taken-slug'
import type { SavePlanInput } from './schemas'

type Saved = { planId: string; revision: number; isRounded: boolean }
type SaveRefusal = Refusal<'slug_taken' | 'not_found' | 'changed_meanwhile'>

/**
 * Creates a plan with its periods and quantity steps, or changes the one that is named; its revision grows, so that an order priced by
 * the old one asks again. Prices are rounded up to the shop's step, if it has one (`isRounded`: at least one moved). Refuses `slug_taken`, `not_found`, and
 * `changed_meanwhile` when somebody else saved it after the form was filled.
 */
export async function savePlan(actor: Actor, input: SavePlanInput): Promise<Result<Saved, SaveRefusal>> {
  const result = await inTransaction<Saved, SaveRefusal>(async (tx) => {
    const { stepMicros } = await priceRounding.readFresh(tx)
    const step = stepMicros ?? 1n
    const periods = input.periods.map((each) => ({ ...each, unitPriceMicros: roundUp(each.unitPriceMicros, step) }))
    const isRounded = periods.some((each, index) => each.unitPriceMicros !== input.periods[index]!.unitPriceMicros)
    const written = await writePlan(tx, actor, { ...input, periods }, stepMicros)
    return written.ok ? accepted({ ...written.value, isRounded }) : written
  }).catch(refuseTakenSlug)
  await readCatalog({ fresh: true })
  return result
}

/**
 * Writes a plan as it is given, in the caller's transaction, with its audit; nothing is rounded. Refuses as `savePlan` does. The caller reads the
 * catalogue anew once its transaction is through.
 */
export async function writePlan(
  tx: Tx,
  actor: Actor,
  input: SavePlanInput,
  totalStepMicros: bigint | null,
  /** What led to it, where it was not a form: a planned change, a rule. */
  cause?: { changeId: string },
): Promise<Result<{ planId: string; revision: number }, SaveRefusal>> {
  const { planId, revision: readRevision, periods, steps, ...rest } = input
  const data = { ...rest, totalStepMicros }
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
      ...cause,
    },
  })
  return accepted({ planId: id, revision })
}
