import { expect, test } from 'vitest'
import { findPlan, priceRounding, savePlan } from '@/lib/catalog'
import { db } from '@/lib/db'
import { newId } from '@/lib/kit'
import { placeOrder } from '@/lib/orders'
import { makePlan, orderFor, type PlanOnSale } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { buyDelivered } from '@/test/factories/orders'
import {
  applyDueChanges,
  listPastChanges,
  listPlannedChanges,
  listRenewalChanges,
  planPriceChange,
  withdrawPriceChange,
} from '.'

const STAFF = { kind: 'staff' as const, id: newId('usr') }
const inHours = (hours: number) => new Date(Math.floor(Date.now() / 60_000) * 60_000 + hours * 3_600_000)
const at30 = (unitPriceMicros: bigint) => ({ periods: [{ days: 30, unitPriceMicros }], steps: [] })

async function plan(plan: PlanOnSale, hours: number, unitPriceMicros: bigint): Promise<string> {
  const planned = await planPriceChange(STAFF, { planId: plan.planId, at: inHours(hours), ...at30(unitPriceMicros) })
  if (!planned.ok) throw new Error(planned.refusal.code)
  return planned.value.changeId
}
const priceNow = async ({ planId }: PlanOnSale) => (await findPlan(planId, { fresh: true }))!.plan

test('a planned change holds from its moment on, not before, and the plan keeps what else was saved of it', async () => {
  const sold = await makePlan()
  const changeId = await plan(sold, 2, 1_250_000n)
  await applyDueChanges()
  expect((await priceNow(sold)).periods).toEqual([{ days: 30, unitPriceMicros: 1_000_000n }])
  expect(await listPlannedChanges(sold)).toMatchObject([{ changeId, prices: at30(1_250_000n) }])

  const { plan: before, product } = (await findPlan(sold.planId))!
  const saved = await savePlan(STAFF, {
    planId: sold.planId,
    revision: before.revision,
    productId: product.id,
    slug: before.slug,
    nameEn: 'Renamed',
    nameRu: before.nameRu,
    minQuantity: before.minQuantity,
    maxQuantity: before.maxQuantity,
    isActive: before.isActive,
    periods: before.periods,
    steps: before.steps,
  })
  expect(saved.ok).toBe(true)
  await applyDueChanges(inHours(3))
  const after = await priceNow(sold)
  expect(after).toMatchObject({ ...at30(1_250_000n), nameEn: 'Renamed', revision: before.revision + 2 })
  expect(await listPlannedChanges(sold)).toEqual([])
  expect(await listPastChanges(sold)).toMatchObject([
    { changeId, state: 'applied', before: { periods: [{ days: 30, unitPriceMicros: 1_000_000n }] } },
  ])
})

test('ten runs at once apply a change once, and a repeat leaves it alone', async () => {
  const sold = await makePlan()
  await plan(sold, 2, 1_250_000n)
  await Promise.all(Array.from({ length: 10 }, () => applyDueChanges(inHours(3))))
  await applyDueChanges(inHours(4))
  expect((await priceNow(sold)).revision).toBe(sold.revision + 1)
  const audits = await db().auditEntry.count({ where: { subjectId: sold.planId, action: 'catalog.plan_changed' } })
  expect(audits).toBe(1)
})

test('changes that all fell due while nothing ran are applied in their order', async () => {
  const sold = await makePlan()
  await plan(sold, 6, 3_000_000n)
  await plan(sold, 2, 1_250_000n)
  await plan(sold, 4, 2_000_000n)
  await Promise.all([applyDueChanges(inHours(7)), applyDueChanges(inHours(7)), applyDueChanges(inHours(7))])
  await applyDueChanges(inHours(7))
  const after = await priceNow(sold)
  expect(after.periods[0]!.unitPriceMicros).toBe(3_000_000n)
  expect(after.revision).toBe(sold.revision + 3)
})

test('a change taken back is not applied, and one that holds is not taken back', async () => {
  const sold = await makePlan()
  const changeId = await plan(sold, 2, 1_250_000n)
  expect(await withdrawPriceChange(STAFF, { changeId })).toMatchObject({ ok: true })
  expect(await withdrawPriceChange(STAFF, { changeId })).toMatchObject({ ok: false, refusal: { code: 'change_ended' } })
  expect(await withdrawPriceChange(STAFF, { changeId: 'pch_none' })).toMatchObject({ refusal: { code: 'not_found' } })
  const second = await plan(sold, 2, 1_500_000n)
  await applyDueChanges(inHours(3))
  expect((await priceNow(sold)).periods[0]!.unitPriceMicros).toBe(1_500_000n)
  expect(await withdrawPriceChange(STAFF, { changeId: second })).toMatchObject({ refusal: { code: 'change_ended' } })
})

test('withdrawing and applying at once: one of them, and the price says which', async () => {
  const sold = await makePlan()
  const changeId = await plan(sold, 2, 1_250_000n)
  const [withdrawn] = await Promise.all([withdrawPriceChange(STAFF, { changeId }), applyDueChanges(inHours(3))])
  expect((await priceNow(sold)).periods[0]!.unitPriceMicros).toBe(withdrawn.ok ? 1_000_000n : 1_250_000n)
})

test('refuses the past, what is too far away, a second change for the moment, and a plan that is not there', async () => {
  const sold = await makePlan()
  const change = { planId: sold.planId, ...at30(1_250_000n) }
  const now = new Date()
  expect(await planPriceChange(STAFF, { ...change, at: now }, now)).toMatchObject({
    refusal: { code: 'moment_passed' },
  })
  expect(await planPriceChange(STAFF, { ...change, at: inHours(24 * 800) })).toMatchObject({
    refusal: { code: 'moment_too_far' },
  })
  expect(await planPriceChange(STAFF, { ...change, planId: 'pln_none', at: inHours(2) })).toMatchObject({
    refusal: { code: 'not_found' },
  })
  const at = inHours(2)
  const both = await Promise.all([1, 2, 3].map(() => planPriceChange(STAFF, { ...change, at })))
  expect(both.map((each) => (each.ok ? 'ok' : each.refusal.code)).toSorted()).toEqual([
    'change_twice',
    'change_twice',
    'ok',
  ])
})

test('what was announced is what holds, rounded up to the step of the day it was planned', async () => {
  await priceRounding.save(STAFF, { stepMicros: '50000' })
  const sold = await makePlan()
  try {
    await plan(sold, 2, 1_203_000n)
    expect((await listPlannedChanges(sold))[0]!.prices.periods[0]!.unitPriceMicros).toBe(1_250_000n)
  } finally {
    await priceRounding.save(STAFF, { stepMicros: '1000000' })
  }
  try {
    await applyDueChanges(inHours(3))
    expect((await priceNow(sold)).periods[0]!.unitPriceMicros).toBe(1_250_000n)
  } finally {
    await priceRounding.save(STAFF, { stepMicros: null })
  }
})

test('an order placed at the old price is kept at it; one sent after the change is asked again', async () => {
  const sold = await makePlan()
  const customer = await insertCustomer({ balanceMicros: 10_000_000n })
  const old = await orderFor(sold)
  const placed = await placeOrder(customer, old)
  await plan(sold, 2, 1_250_000n)
  await applyDueChanges(inHours(3))
  expect(placed.ok).toBe(true)
  const rows = await db().order.findMany({ where: { userId: customer.id }, select: { totalMicros: true } })
  expect(rows).toEqual([{ totalMicros: 1_000_000n }])
  const again = await placeOrder(customer, { ...old, requestKey: newId('req') })
  expect(again).toMatchObject({ refusal: { code: 'price_changed', facts: { totalMicros: 1_250_000n } } })
})

test('an order that renews itself hears what its period will cost; other orders and other people hear nothing', async () => {
  const { plan: sold, customer, orderId } = await buyDelivered()
  await plan(sold, 2, 1_250_000n)
  await plan(sold, 3, 1_250_000n)
  await plan(sold, 4, 1_500_000n)
  const mine = { userId: customer.id, orderId }
  expect(await listRenewalChanges(mine)).toEqual([])
  // What switching it on leaves behind; the switch has tests of its own.
  await db().order.update({
    where: { id: orderId },
    data: { autoRenew: true, renewPeriodDays: 30, renewUnitMicros: 1_000_000n },
  })
  expect(await listRenewalChanges(mine)).toMatchObject([
    { beforeMicros: 1_000_000n, afterMicros: 1_250_000n },
    { beforeMicros: 1_250_000n, afterMicros: 1_500_000n },
  ])
  expect(await listRenewalChanges({ ...mine, userId: newId('usr') })).toEqual([])
})

test('staff saving a form filled before the change are told; saved at the same moment, neither is lost', async () => {
  const sold = await makePlan()
  await plan(sold, 2, 1_250_000n)
  const { plan: read, product } = (await findPlan(sold.planId, { fresh: true }))!
  const form = {
    planId: sold.planId,
    revision: read.revision,
    productId: product.id,
    slug: read.slug,
    nameEn: 'Renamed at once',
    nameRu: read.nameRu,
    minQuantity: read.minQuantity,
    maxQuantity: read.maxQuantity,
    isActive: read.isActive,
    periods: read.periods,
    steps: read.steps,
  }
  const [saved] = await Promise.all([savePlan(STAFF, form), applyDueChanges(inHours(3))])
  // Saved first: the change came on top of it. Saved second: refused, because the form showed the old prices.
  expect(saved.ok ? 'ok' : saved.refusal.code).toMatch(/^(ok|changed_meanwhile)$/)
  const after = await priceNow(sold)
  expect(after.periods).toEqual([{ days: 30, unitPriceMicros: 1_250_000n }])
  expect(after.nameEn).toBe(saved.ok ? 'Renamed at once' : 'Plan')
  expect(await savePlan(STAFF, form)).toMatchObject({ refusal: { code: 'changed_meanwhile' } })
})
