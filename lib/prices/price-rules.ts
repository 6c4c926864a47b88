import { type Actor, recordAudit, SYSTEM } from '@/lib/audit'
import { priceRounding, readCatalog } from '@/lib/catalog'
import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { enqueue } from '@/lib/jobs'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { log } from '@/lib/log'
import { readRates } from '@/lib/provisioning'
import { type ComputedPeriod, computeRule, type RateFor, type RuleProblem } from './compute-rule'
import { listCosts, type QuoteFor, refreshCosts } from './costs'
import { applyRulesJob } from './jobs'
import { lockPlan, type LockedPlan, readPlan, writePrices } from './plan-row'
import { type PriceRuleInput, type PriceRuleTerms, storedRuleSchema } from './schemas'
import { toStored } from './stored-prices'

export type RuleOutcome = 'applied' | 'unchanged' | RuleProblem

export type PriceRuleView = {
  version: number
  isActive: boolean
  terms: PriceRuleTerms
  outcome: RuleOutcome | null
  computedAt: Date | null
}

/** The rule of a plan, or null when nobody wrote one. */
export async function findPriceRule(input: { planId: string }): Promise<PriceRuleView | null> {
  const row = await db().priceRule.findUnique({
    where: { planId: input.planId },
    select: { version: true, isActive: true, rule: true, outcome: true, computedAt: true },
  })
  if (!row) return null
  const { rule, outcome, ...rest } = row
  return { ...rest, terms: storedRuleSchema.parse(rule), outcome: outcome as RuleOutcome | null }
}

/**
 * Keeps a rule, switched off: what it would make is looked at before it is switched on, also when a rule that was on is changed. Asks the suppliers what pieces
 * cost, so that there is something to look at. Refuses `not_found`, and `rule_changed_meanwhile` when somebody else saved it after the form was filled.
 */
export async function savePriceRule(
  actor: Actor & { id: string },
  input: PriceRuleInput,
): Promise<Result<{ version: number }, Refusal<'not_found' | 'rule_changed_meanwhile'>>> {
  return inTransaction<{ version: number }, Refusal<'not_found' | 'rule_changed_meanwhile'>>(async (tx) => {
    const { planId, version: readVersion, ...terms } = input
    if (!(await lockPlan(tx, planId))) return refused('not_found')
    const old = await tx.priceRule.findUnique({ where: { planId }, select: { version: true } })
    if ((old?.version ?? 0) !== readVersion) return refused('rule_changed_meanwhile')
    const version = readVersion + 1
    const data = {
      version,
      isActive: false,
      rule: toStoredRule(terms),
      outcome: null,
      facts: {},
      updatedAt: new Date(),
    }
    await tx.priceRule.upsert({
      where: { planId },
      create: { planId, ...data },
      update: data,
      select: { planId: true },
    })
    await recordAudit(tx, actor, {
      action: 'catalog.price_rule_saved',
      subjectKind: 'plan',
      subjectId: planId,
      data: { version, rule: toStoredRule(terms) },
    })
    await enqueue(tx, applyRulesJob, { planId })
    return accepted({ version })
  })
}

type SwitchRefusal = Refusal<'not_found' | 'rule_changed_meanwhile' | 'changes_planned' | RuleProblem>

/**
 * Switches a rule on or off. On: its prices are applied in a moment, and again whenever costs move. Refuses `not_found`, `rule_changed_meanwhile` (another
 * version than the one that was looked at), `changes_planned` (they would undo each other), and what stops it now: `cost_missing`, `rate_missing`,
 * `price_below_cost`, `price_of_nothing`, each with {days}.
 */
export async function switchPriceRule(
  actor: Actor & { id: string },
  input: { planId: string; version: number; isActive: boolean },
): Promise<Result<null, SwitchRefusal>> {
  const rateFor = await readRates()
  return inTransaction<null, SwitchRefusal>(async (tx) => {
    const { planId, version, isActive } = input
    const plan = await lockPlan(tx, planId)
    const rule = plan && (await readRule(tx, planId))
    if (!plan || !rule) return refused('not_found')
    if (rule.version !== version) return refused('rule_changed_meanwhile')
    if (rule.isActive === isActive) return accepted(null)
    if (isActive) {
      if ((await tx.priceChange.count({ where: { planId, state: 'scheduled' } })) > 0) return refused('changes_planned')
      const { problem } = await computeLocked(tx, plan, rule.terms, rateFor)
      if (problem) return refused(problem.problem!, { days: problem.days })
    }
    await tx.priceRule.update({
      where: { planId },
      data: { isActive, updatedAt: new Date() },
      select: { planId: true },
    })
    await recordAudit(tx, actor, {
      action: isActive ? 'catalog.price_rule_on' : 'catalog.price_rule_off',
      subjectKind: 'plan',
      subjectId: planId,
      data: { version },
    })
    if (isActive) await enqueue(tx, applyRulesJob, { planId })
    return accepted(null)
  })
}

/** What a plan's rule, on or off, would make of its costs now. Null when there is no rule. Changes nothing. */
export async function previewPriceRule(input: { planId: string }): Promise<ReturnType<typeof computeRule> | null> {
  const rateFor = await readRates()
  const result = await inTransaction<ReturnType<typeof computeRule> | null, never>(async (tx) => {
    const plan = await readPlan(tx, input.planId)
    const rule = plan && (await readRule(tx, input.planId))
    return accepted(rule ? await computeLocked(tx, plan, rule.terms, rateFor) : null)
  })
  return result.ok ? result.value : null
}

/**
 * Asks what pieces cost and goes through the rules that are on (of one plan, where it is named): prices that move by more than a rule's threshold are saved, with
 * what they were computed from. What stops a rule is written beside it. One that fails does not keep the others waiting. Returns how many plans got
 * new prices. Safe any number of times at once.
 */
export async function applyRules(input: { planId?: string } = {}, quoteFor?: QuoteFor): Promise<number> {
  await refreshCosts(input, quoteFor)
  const rateFor = await readRates()
  const rules = await db().priceRule.findMany({
    where: { isActive: true, planId: input.planId },
    orderBy: { planId: 'asc' },
    select: { planId: true },
  })
  let applied = 0
  for (const { planId } of rules) {
    try {
      if (await applyRule(planId, rateFor)) applied += 1
    } catch (error) {
      log('prices').error({ planId, error }, 'a price rule could not be applied')
    }
  }
  if (applied > 0) await readCatalog({ fresh: true })
  return applied
}

async function applyRule(planId: string, rateFor: RateFor): Promise<boolean> {
  const result = await inTransaction<boolean, never>(async (tx) => {
    const plan = await lockPlan(tx, planId)
    const rule = plan && (await readRule(tx, planId))
    if (!plan || !rule?.isActive) return accepted(false)
    const { periods, problem, moves, priceStepMicros } = await computeLocked(tx, plan, rule.terms, rateFor)
    const outcome: RuleOutcome = problem?.problem ?? (moves ? 'applied' : 'unchanged')
    const now = new Date()
    await tx.priceRule.update({
      where: { planId },
      data: { outcome, facts: problem ? { days: problem.days, offerId: problem.costOfferId } : {}, computedAt: now },
      select: { planId: true },
    })
    if (!moves) return accepted(false)
    const changeId = newId('pch')
    const prices = {
      periods: periods.map(({ days, afterMicros, beforeMicros }) => ({
        days,
        unitPriceMicros: afterMicros ?? beforeMicros,
      })),
      steps: plan.steps,
    }
    const revision = await writePrices(tx, SYSTEM, plan, prices, { changeId, totalStepMicros: priceStepMicros })
    await tx.priceChange.create({
      data: {
        id: changeId,
        planId,
        cause: 'rule',
        at: now,
        endedAt: now,
        state: 'applied',
        revision,
        prices: toStored(prices),
        before: toStored(plan),
        why: {
          ruleVersion: rule.version,
          costs: periods.flatMap(({ days, costMicros, costOfferId, afterMicros }) =>
            afterMicros === null ? [] : [{ days, costMicros: costMicros!.toString(), offerId: costOfferId }],
          ),
        },
      },
      select: { id: true },
    })
    return accepted(true)
  })
  return result.ok && result.value
}

async function readRule(tx: Tx, planId: string) {
  const row = await tx.priceRule.findUnique({
    where: { planId },
    select: { version: true, isActive: true, rule: true },
  })
  return row && { version: row.version, isActive: row.isActive, terms: storedRuleSchema.parse(row.rule) }
}

async function computeLocked(
  tx: Tx,
  plan: Pick<LockedPlan, 'id' | 'minQuantity' | 'maxQuantity' | 'periods' | 'steps'>,
  terms: PriceRuleTerms,
  rateFor: RateFor,
): Promise<ReturnType<typeof computeRule> & { priceStepMicros: bigint | null }> {
  const [offers, costs, { stepMicros }] = [
    await tx.offer.findMany({
      where: { planId: plan.id, isActive: true },
      orderBy: { id: 'asc' },
      select: { id: true, supplier: true },
    }),
    await listCosts({ planId: plan.id }, tx),
    await priceRounding.readFresh(tx),
  ]
  const computed = computeRule({
    plan: { ...plan, offers },
    terms,
    costs,
    rateFor: withRateOf(terms, rateFor),
    priceStepMicros: stepMicros,
  })
  return { ...computed, priceStepMicros: stepMicros }
}

/** The rates a rule goes by: its own before that of the supplier; the shop's currency is itself. */
export function withRateOf(terms: Pick<PriceRuleTerms, 'costCurrency' | 'costRate'>, rateFor: RateFor): RateFor {
  return (supplier, currency) => {
    if (currency === env().SHOP_CURRENCY) return '1'
    return currency === terms.costCurrency ? terms.costRate : rateFor(supplier, currency)
  }
}

function toStoredRule({ periods, stepMicros, belowMicros, ...rest }: PriceRuleTerms): Prisma.InputJsonObject {
  return {
    ...rest,
    stepMicros: stepMicros?.toString() ?? null,
    belowMicros: belowMicros.toString(),
    periods: periods.map((line) => ({
      days: line.days,
      marginBasisPoints: line.marginBasisPoints,
      fixedMicros: line.fixedMicros.toString(),
      minimumMicros: line.minimumMicros.toString(),
    })),
  }
}

export type { ComputedPeriod, RuleProblem }
