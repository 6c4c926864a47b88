import { type Actor, recordAudit, SYSTEM } from '@/lib/audit'
import { priceRounding, readCatalog, roundUp } from '@/lib/catalog'
import { db, inTransaction, Prisma } from '@/lib/db'
import { accepted, DAY_MS, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { log } from '@/lib/log'
import { lockPlan, writePrices } from './plan-row'
import { type PlanChangeInput, type Prices, storedPricesSchema } from './schemas'
import { toStored } from './stored-prices'

/** A change further away than this is a slip of the year. */
const FURTHEST_MS = 2 * 366 * DAY_MS

export type PlannedChange = { changeId: string; at: Date; prices: Prices; createdBy: string | null; createdAt: Date }

type PlanRefusal = Refusal<'not_found' | 'moment_passed' | 'moment_too_far' | 'change_twice' | 'rule_sets_prices'>

/**
 * Plans other prices for a moment to come; until then nothing changes but what customers are told. Prices are rounded up to the shop's step now, so that
 * what is announced is what holds. Refuses `moment_passed`, `moment_too_far` (two years), `change_twice` (another one is planned for the same
 * moment), `rule_sets_prices` (a rule that is on would set them anew), `not_found`.
 */
export async function planPriceChange(
  actor: Actor & { id: string },
  input: PlanChangeInput,
  now: Date = new Date(),
): Promise<Result<{ changeId: string; isRounded: boolean }, PlanRefusal>> {
  if (input.at <= now) return refused('moment_passed')
  if (input.at.getTime() - now.getTime() > FURTHEST_MS) return refused('moment_too_far')
  return inTransaction<{ changeId: string; isRounded: boolean }, PlanRefusal>(async (tx) => {
    const plan = await lockPlan(tx, input.planId)
    if (!plan) return refused('not_found')
    if (plan.priceRule?.isActive) return refused('rule_sets_prices')
    const twice = await tx.priceChange.findFirst({
      where: { planId: plan.id, at: input.at, state: 'scheduled' },
      select: { id: true },
    })
    // Under the plan's lock nobody adds another one in between.
    if (twice) return refused('change_twice')
    const { stepMicros } = await priceRounding.readFresh(tx)
    const periods = input.periods.map((each) => ({
      ...each,
      unitPriceMicros: roundUp(each.unitPriceMicros, stepMicros ?? 1n),
    }))
    const changeId = newId('pch')
    await tx.priceChange.create({
      data: {
        id: changeId,
        planId: plan.id,
        cause: 'staff',
        at: input.at,
        prices: toStored({ periods, steps: input.steps }),
        createdBy: actor.id,
      },
      select: { id: true },
    })
    await recordAudit(tx, actor, {
      action: 'catalog.price_change_planned',
      subjectKind: 'plan',
      subjectId: plan.id,
      data: { changeId, at: input.at.toISOString() },
    })
    const isRounded = periods.some((each, index) => each.unitPriceMicros !== input.periods[index]!.unitPriceMicros)
    return accepted({ changeId, isRounded })
  })
}

/** Takes a planned change back. Refuses `not_found`, and `change_ended` when it holds already or was taken back. */
export async function withdrawPriceChange(
  actor: Actor & { id: string },
  input: { changeId: string },
): Promise<Result<{ planId: string }, Refusal<'not_found' | 'change_ended'>>> {
  return inTransaction<{ planId: string }, Refusal<'not_found' | 'change_ended'>>(async (tx) => {
    const change = await tx.priceChange.findUnique({ where: { id: input.changeId }, select: { planId: true } })
    if (!change) return refused('not_found')
    const { count } = await tx.priceChange.updateMany({
      where: { id: input.changeId, state: 'scheduled' },
      data: { state: 'withdrawn', endedAt: new Date(), endedBy: actor.id },
    })
    if (count === 0) return refused('change_ended')
    await recordAudit(tx, actor, {
      action: 'catalog.price_change_withdrawn',
      subjectKind: 'plan',
      subjectId: change.planId,
      data: { changeId: input.changeId },
    })
    return accepted({ planId: change.planId })
  })
}

/**
 * Applies what is due, in the order of its moments, each once whatever runs at once; what else staff saved of a plan meanwhile stays. A change that meets a
 * rule which is on is refused and kept as that. One that fails waits for the next minute, and keeps later ones of its plan waiting.
 * Returns how many were applied.
 */
export async function applyDueChanges(now: Date = new Date()): Promise<number> {
  const due = await db().priceChange.findMany({
    where: { state: 'scheduled', at: { lte: now } },
    orderBy: [{ at: 'asc' }, { id: 'asc' }],
    take: 1000,
    select: { id: true, planId: true, at: true },
  })
  let applied = 0
  for (const change of due) {
    try {
      if (await applyChange(change)) applied += 1
    } catch (error) {
      log('prices').error({ changeId: change.id, error }, 'a price change could not be applied')
    }
  }
  if (applied > 0) await readCatalog({ fresh: true })
  return applied
}

async function applyChange({ id, planId, at }: { id: string; planId: string; at: Date }): Promise<boolean> {
  const result = await inTransaction<boolean, never>(async (tx) => {
    // The plan's row comes first, here and everywhere: two runs follow each other, and the second finds the change ended.
    const plan = await lockPlan(tx, planId)
    const rows = await tx.$queryRaw<{ prices: unknown; state: string }[]>(
      Prisma.sql`SELECT prices, state FROM price_changes WHERE id = ${id} FOR UPDATE`,
    )
    if (!plan || rows[0]?.state !== 'scheduled') return accepted(false)
    const earlier = await tx.priceChange.count({ where: { planId, state: 'scheduled', at: { lt: at } } })
    if (earlier > 0) return accepted(false)
    const ended = { endedAt: new Date() }
    if (plan.priceRule?.isActive) {
      await tx.priceChange.update({
        where: { id },
        data: { ...ended, state: 'refused', refusal: 'rule_sets_prices' },
        select: { id: true },
      })
      return accepted(false)
    }
    const { stepMicros } = await priceRounding.readFresh(tx)
    const revision = await writePrices(tx, SYSTEM, plan, storedPricesSchema.parse(rows[0].prices), {
      changeId: id,
      totalStepMicros: stepMicros,
    })
    await tx.priceChange.update({
      where: { id },
      data: { ...ended, state: 'applied', revision, before: toStored(plan) },
      select: { id: true },
    })
    return accepted(true)
  })
  return result.ok && result.value
}

/** The changes that are planned for a plan, the next one first. */
export async function listPlannedChanges(input: { planId: string }): Promise<PlannedChange[]> {
  const rows = await db().priceChange.findMany({
    where: { planId: input.planId, state: 'scheduled' },
    orderBy: { at: 'asc' },
    take: 100,
    select: { id: true, at: true, prices: true, createdBy: true, createdAt: true },
  })
  return rows.map(({ id, prices, ...row }) => ({ ...row, changeId: id, prices: storedPricesSchema.parse(prices) }))
}

/** A planned change with its plan, or null when there is none or it has ended. */
export async function findPlannedChange(input: {
  changeId: string
}): Promise<{ planId: string; at: Date; prices: Prices } | null> {
  const row = await db().priceChange.findFirst({
    where: { id: input.changeId, state: 'scheduled' },
    select: { planId: true, at: true, prices: true },
  })
  return row && { ...row, prices: storedPricesSchema.parse(row.prices) }
}

export type PastChange = {
  changeId: string
  cause: 'staff' | 'rule'
  state: 'applied' | 'withdrawn' | 'refused'
  at: Date
  endedAt: Date
  refusal: string | null
  prices: Prices
  before: Prices | null
  why: unknown
}

/** What became of the changes of a plan, newest first: the last fifty. */
export async function listPastChanges(input: { planId: string }): Promise<PastChange[]> {
  const rows = await db().priceChange.findMany({
    where: { planId: input.planId, state: { not: 'scheduled' } },
    orderBy: { id: 'desc' },
    take: 50,
    select: {
      id: true,
      cause: true,
      state: true,
      at: true,
      endedAt: true,
      refusal: true,
      prices: true,
      before: true,
      why: true,
    },
  })
  return rows.map(({ id, prices, before, cause, state, endedAt, ...row }) => ({
    ...row,
    changeId: id,
    cause: cause as PastChange['cause'],
    state: state as PastChange['state'],
    endedAt: endedAt!,
    prices: storedPricesSchema.parse(prices),
    before: before === null ? null : storedPricesSchema.parse(before),
  }))
}

/**
 * What is planned for an order that renews itself: what a piece costs now and from each moment on, for the period it renews by, without quantity steps.
 * Empty for an order that is somebody else's, over, or does not renew itself.
 */
export async function listRenewalChanges(input: { userId: string; orderId: string }) {
  const order = await db().order.findFirst({
    where: { id: input.orderId, userId: input.userId, autoRenew: true, state: { in: ['active', 'in_grace'] } },
    select: { planId: true, periodDays: true, renewPeriodDays: true },
  })
  if (!order) return []
  const days = order.renewPeriodDays ?? order.periodDays
  const [period, changes] = await Promise.all([
    db().planPeriod.findUnique({
      where: { planId_days: { planId: order.planId, days } },
      select: { unitPriceMicros: true },
    }),
    listPlannedChanges({ planId: order.planId }),
  ])
  let beforeMicros = period?.unitPriceMicros ?? null
  return changes.flatMap(({ changeId, at, prices }) => {
    const afterMicros = prices.periods.find((each) => each.days === days)?.unitPriceMicros ?? null
    if (afterMicros === beforeMicros) return []
    const change = { changeId, at, days, beforeMicros, afterMicros }
    beforeMicros = afterMicros
    return [change]
  })
}
