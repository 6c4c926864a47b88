import type { Actor } from '@/lib/audit'
import { writePlan } from '@/lib/catalog'
import { Prisma, type Tx } from '@/lib/db'
import { invariant } from '@/lib/kit'
import type { Prices } from './schemas'

/** A plan with its prices under its row's lock: until the transaction ends nobody else saves it, plans a change of it or switches its rule. Null: none. */
export async function lockPlan(tx: Tx, planId: string) {
  const locked = await tx.$queryRaw<{ id: string }[]>(
    Prisma.sql`SELECT id FROM plans WHERE id = ${planId} FOR NO KEY UPDATE`,
  )
  if (locked.length === 0) return null
  return readPlan(tx, planId)
}

/** The same without its lock. One question after the other: a transaction has one connection. */
export async function readPlan(tx: Tx, planId: string) {
  const plan = await tx.plan.findUnique({
    where: { id: planId },
    select: {
      id: true,
      productId: true,
      slug: true,
      nameEn: true,
      nameRu: true,
      minQuantity: true,
      maxQuantity: true,
      isActive: true,
      revision: true,
    },
  })
  if (!plan) return null
  const periods = await tx.planPeriod.findMany({
    where: { planId },
    orderBy: { days: 'asc' },
    select: { days: true, unitPriceMicros: true },
  })
  const steps = await tx.planQuantityStep.findMany({
    where: { planId },
    orderBy: { fromQuantity: 'asc' },
    select: { fromQuantity: true, discountBasisPoints: true },
  })
  const priceRule = await tx.priceRule.findUnique({ where: { planId }, select: { isActive: true } })
  return { ...plan, periods, steps, priceRule }
}
export type LockedPlan = NonNullable<Awaited<ReturnType<typeof lockPlan>>>

/** Gives a locked plan other prices, exactly as they are; everything else of it stays as it is now. The revision it then has. */
export async function writePrices(
  tx: Tx,
  actor: Actor,
  plan: LockedPlan,
  prices: Prices,
  by: { changeId: string; totalStepMicros: bigint | null },
): Promise<number> {
  const { id, revision, priceRule: _rule, periods: _periods, steps: _steps, ...rest } = plan
  const written = await writePlan(tx, actor, { ...rest, planId: id, revision, ...prices }, by.totalStepMicros, {
    changeId: by.changeId,
  })
  invariant(written.ok, 'a plan under lock is there, keeps its address and its revision')
  return written.value.revision
}
