import { expect, test } from 'vitest'
import { findPlan } from '@/lib/catalog'
import { db } from '@/lib/db'
import { newId, OperationalError } from '@/lib/kit'
import { makePlan, type PlanOnSale } from '@/test/factories/catalog'
import {
  applyRules,
  findPriceRule,
  listCosts,
  listPastChanges,
  planPriceChange,
  type PriceRuleInput,
  previewPriceRule,
  saveCosts,
  savePriceRule,
  switchPriceRule,
} from '.'

const STAFF = { kind: 'staff' as const, id: newId('usr') }
const rule = (planId: string, changed: Partial<PriceRuleInput> = {}): PriceRuleInput => ({
  planId,
  version: 0,
  periods: [{ days: 30, marginBasisPoints: 2000, fixedMicros: 50_000n, minimumMicros: 0n }],
  stepMicros: 50_000n,
  belowMicros: 0n,
  thresholdBasisPoints: 100,
  isLossAllowed: false,
  costCurrency: null,
  costRate: null,
  ...changed,
})
const typed = (plan: PlanOnSale, costMicros: bigint, currency = 'USD') =>
  saveCosts(STAFF, { offerId: plan.offerId, currency, costs: [{ days: 30, costMicros }] })
const priceNow = async ({ planId }: PlanOnSale) => (await findPlan(planId, { fresh: true }))!.plan

/** A stock plan at 1.00 whose rule (cost 1.00, a fifth and 0.05 on top) is on and makes it 1.25. */
async function ruledPlan() {
  const plan = await makePlan()
  await typed(plan, 1_000_000n)
  await savePriceRule(STAFF, rule(plan.planId))
  const on = await switchPriceRule(STAFF, { planId: plan.planId, version: 1, isActive: true })
  if (!on.ok) throw new Error(on.refusal.code)
  return plan
}

test('a rule is looked at, switched on and applied once, and the change says from which cost', async () => {
  const plan = await makePlan()
  await typed(plan, 1_000_000n)
  expect(await savePriceRule(STAFF, rule(plan.planId))).toMatchObject({ ok: true, value: { version: 1 } })
  expect(await previewPriceRule(plan)).toMatchObject({ moves: true, periods: [{ afterMicros: 1_250_000n }] })
  await applyRules({ planId: plan.planId })
  expect((await priceNow(plan)).revision).toBe(plan.revision)

  await switchPriceRule(STAFF, { planId: plan.planId, version: 1, isActive: true })
  await Promise.all(Array.from({ length: 10 }, () => applyRules({ planId: plan.planId })))
  expect(await priceNow(plan)).toMatchObject({
    revision: plan.revision + 1,
    periods: [{ unitPriceMicros: 1_250_000n }],
    steps: [{ fromQuantity: 10, discountBasisPoints: 500 }],
  })
  expect(await findPriceRule(plan)).toMatchObject({ isActive: true, outcome: 'unchanged' })
  expect(await listPastChanges(plan)).toMatchObject([
    { cause: 'rule', state: 'applied', why: { costs: [{ days: 30, costMicros: '1000000', offerId: plan.offerId }] } },
  ])
  const audit = await db().auditEntry.findFirst({ where: { subjectId: plan.planId, action: 'catalog.plan_changed' } })
  expect(audit?.actorKind).toBe('system')
})

test('a cost that moves a little moves no price, one that moves more does', async () => {
  const plan = await ruledPlan()
  await applyRules({ planId: plan.planId })
  // 1.25 becomes 1.30 at the next step of the ending: four per cent, less than the ten that are asked for.
  await savePriceRule(STAFF, rule(plan.planId, { version: 1, thresholdBasisPoints: 1000 }))
  await switchPriceRule(STAFF, { planId: plan.planId, version: 2, isActive: true })
  await typed(plan, 1_010_000n)
  expect(await applyRules({ planId: plan.planId })).toBe(0)
  await typed(plan, 1_300_000n)
  expect(await applyRules({ planId: plan.planId })).toBe(1)
  expect((await priceNow(plan)).periods[0]!.unitPriceMicros).toBe(1_650_000n)
})

test('without a cost, without a rate or below cost a rule is not switched on, and one that is on says why it rests', async () => {
  const plan = await makePlan()
  await savePriceRule(STAFF, rule(plan.planId))
  const on = (version = 1) => switchPriceRule(STAFF, { planId: plan.planId, version, isActive: true })
  expect(await on()).toMatchObject({ refusal: { code: 'cost_missing', facts: { days: 30 } } })
  await typed(plan, 1_000_000n, 'EUR')
  expect(await on()).toMatchObject({ refusal: { code: 'rate_missing' } })
  await savePriceRule(STAFF, rule(plan.planId, { version: 1, costCurrency: 'EUR', costRate: '1.1' }))
  expect(await on(1)).toMatchObject({ refusal: { code: 'rule_changed_meanwhile' } })
  expect(await on(2)).toMatchObject({ ok: true })
  await applyRules({ planId: plan.planId })
  expect((await priceNow(plan)).periods[0]!.unitPriceMicros).toBe(1_400_000n)

  // The supplier's currency changes under the rule: the price stays, and the rule says why.
  await typed(plan, 1_000_000n, 'JPY')
  expect(await applyRules({ planId: plan.planId })).toBe(0)
  expect(await findPriceRule(plan)).toMatchObject({ isActive: true, outcome: 'rate_missing' })
  expect((await priceNow(plan)).periods[0]!.unitPriceMicros).toBe(1_400_000n)

  const thin = [{ days: 30, marginBasisPoints: 100, fixedMicros: 0n, minimumMicros: 0n }]
  await typed(plan, 1_000_000n)
  await savePriceRule(STAFF, rule(plan.planId, { version: 2, periods: thin, stepMicros: null }))
  expect(await on(3)).toMatchObject({ refusal: { code: 'price_below_cost' } })
})

test('a rule and planned changes exclude each other, also at the same moment', async () => {
  const plan = await makePlan()
  await typed(plan, 1_000_000n)
  await savePriceRule(STAFF, rule(plan.planId))
  const [planned, on] = await Promise.all([
    planPriceChange(STAFF, {
      planId: plan.planId,
      at: new Date(Date.now() + 3_600_000),
      periods: [{ days: 30, unitPriceMicros: 2_000_000n }],
      steps: [],
    }),
    switchPriceRule(STAFF, { planId: plan.planId, version: 1, isActive: true }),
  ])
  expect([planned.ok ? 'ok' : planned.refusal.code, on.ok ? 'ok' : on.refusal.code].toSorted()).toEqual(
    planned.ok ? ['changes_planned', 'ok'] : ['ok', 'rule_sets_prices'],
  )
})

test('two staff saving one rule: the second is told, and a changed rule is off until it was looked at', async () => {
  const plan = await ruledPlan()
  const saves = await Promise.all([1, 2].map(() => savePriceRule(STAFF, rule(plan.planId, { version: 1 }))))
  expect(saves.map((each) => (each.ok ? 'ok' : each.refusal.code)).toSorted()).toEqual(['ok', 'rule_changed_meanwhile'])
  expect(await findPriceRule(plan)).toMatchObject({ version: 2, isActive: false })
})

test('suppliers are asked for a piece, typed costs stay, and one that is away keeps its last quote', async () => {
  const plan = await makePlan({ supplier: 'px6', minQuantity: 3 })
  await savePriceRule(STAFF, rule(plan.planId))
  const asked: unknown[] = []
  await applyRules({ planId: plan.planId }, async (offer, choice) => {
    asked.push([offer.supplier, choice])
    return { costMicros: 1_000_001n, currency: 'USD' }
  })
  expect(asked).toEqual([['px6', { periodDays: 30, quantity: 3 }]])
  expect(await listCosts(plan)).toMatchObject([{ costMicros: 333_334n, source: 'quote' }])
  await applyRules({ planId: plan.planId }, () => Promise.reject(new OperationalError('px6', 'away')))
  expect(await listCosts(plan)).toMatchObject([{ costMicros: 333_334n, source: 'quote' }])
  await typed(plan, 400_000n)
  await applyRules({ planId: plan.planId }, async () => ({ costMicros: 900_000n, currency: 'USD' }))
  expect(await listCosts(plan)).toMatchObject([{ costMicros: 400_000n, source: 'staff' }])
  await saveCosts(STAFF, { offerId: plan.offerId, currency: 'USD', costs: [] })
  await applyRules({ planId: plan.planId }, async () => ({ costMicros: 900_000n, currency: 'USD' }))
  expect(await listCosts(plan)).toMatchObject([{ costMicros: 300_000n, source: 'quote' }])
  await applyRules({ planId: plan.planId }, async () => null)
  expect(await listCosts(plan)).toEqual([])
})
