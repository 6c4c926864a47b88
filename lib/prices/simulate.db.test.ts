import { expect, test } from 'vitest'
import { db } from '@/lib/db'
import { newId } from '@/lib/kit'
import { placeOrder, renewOrder } from '@/lib/orders'
import { deliverOrder } from '@/lib/provisioning'
import { makePlan, orderFor } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { buyDelivered } from '@/test/factories/orders'
import { makePromotion } from '@/test/factories/promotions'
import { planPriceChange, saveCosts, savePriceRule, simulatePrices, simulateSales } from '.'

const STAFF = { kind: 'staff' as const, id: newId('usr') }
const ONE = 1_000_000n

/** A plan at 1.00 (5 % off from ten): an order of two, one of ten, and a renewal of the two. 2.00 + 9.50 + 2.00 were taken. */
async function soldPlan() {
  const plan = await makePlan({ units: 40 })
  const two = await buyDelivered({ plan, quantity: 2, leftMicros: 5n * ONE })
  await buyDelivered({ plan, quantity: 10 })
  const renewed = await renewOrder(two.customer, {
    orderId: two.orderId,
    periodDays: 30,
    totalMicros: 2n * ONE,
    requestKey: newId('req'),
  })
  if (!renewed.ok) throw new Error(renewed.refusal.code)
  return { ...plan, orderId: two.orderId }
}
const simulate = async (scenario: Parameters<typeof simulatePrices>[0]) => {
  const result = await simulatePrices(scenario)
  if (!result.ok) throw new Error(result.refusal.code)
  return result.value
}
const month = (unitPriceMicros: bigint) => [{ days: 30, unitPriceMicros }]

test('orders and renewals are priced anew by the shop’s own function, with quantity steps', async () => {
  const { planId } = await soldPlan()
  const now = await simulate({ by: 'percent', planId, basisPoints: 0 })
  expect(now).toMatchObject({
    sales: 3,
    affected: 0,
    unsold: 0,
    nowMicros: 13_500_000n,
    thenMicros: 13_500_000n,
    top: [],
  })

  const typed = await simulate({
    by: 'typed',
    planId,
    prices: { periods: month(1_500_000n), steps: [{ fromQuantity: 2, discountBasisPoints: 1000 }] },
  })
  // 2.70 twice, and ten for 13.50.
  expect(typed).toMatchObject({ sales: 3, affected: 3, nowMicros: 13_500_000n, thenMicros: 18_900_000n })
  expect(typed.top.map((sale) => [sale.kind, sale.quantity, sale.thenMicros])).toEqual([
    ['order', 10, 13_500_000n],
    ['order', 2, 2_700_000n],
    ['renewal', 2, 2_700_000n],
  ])
  expect(typed.byPlan).toMatchObject([{ planId, sum: { thenMicros: 18_900_000n } }])
})

test.each([
  ['a tenth', { kind: 'percent', percent: '10' }, 1_800_000n, 2_700_000n],
  ['an amount', { kind: 'amount', amountMicros: '0.50' }, 1_500_000n, 2_500_000n],
  ['a half of at most 0.30', { kind: 'percent', percent: '50', capMicros: '0.30' }, 1_700_000n, 2_700_000n],
])('an order with a code that took %s off is priced anew with its code', async (_name, code, paid, dearer) => {
  const plan = await makePlan({ units: 5 })
  const promotion = await makePromotion(code)
  const customer = await insertCustomer({ balanceMicros: 2n * ONE })
  const placed = await placeOrder(customer, {
    ...(await orderFor(plan, 2)),
    promotionCode: promotion.code,
    totalMicros: paid,
  })
  if (!placed.ok) throw new Error(placed.refusal.code)
  await deliverOrder({ orderId: placed.value.orderId })
  // Half as much again: three instead of two.
  const at = (basisPoints: number) => simulate({ by: 'percent', planId: plan.planId, basisPoints })
  expect(await at(0)).toMatchObject({ sales: 1, affected: 0, nowMicros: paid, thenMicros: paid })
  expect(await at(5000)).toMatchObject({ affected: 1, nowMicros: paid, thenMicros: dearer })
})

test('a planned change, a rule and a margin are taken as they stand; margins only where the cost is known', async () => {
  const plan = await soldPlan()
  const { planId, offerId } = plan
  const planned = await planPriceChange(STAFF, {
    planId,
    at: new Date(Date.now() + 3_600_000),
    periods: month(2n * ONE),
    steps: [],
  })
  if (!planned.ok) throw new Error(planned.refusal.code)
  expect(await simulate({ by: 'change', changeId: planned.value.changeId })).toMatchObject({
    thenMicros: 28_000_000n,
    costKnown: 0,
    marginNowMicros: 0n,
  })

  expect(await simulate({ by: 'margin', planId, basisPoints: 5000 })).toMatchObject({
    thenMicros: 13_500_000n,
    leftOut: [{ planId, why: 'cost_missing' }],
  })
  expect(await simulate({ by: 'rule', planId })).toMatchObject({ leftOut: [{ planId, why: 'no_rule' }] })
  await saveCosts(STAFF, { offerId, currency: 'USD', costs: [{ days: 30, costMicros: 600_000n }] })
  // 0.90 a piece: 1.80 twice, and ten less 5 % for 8.55. Fourteen pieces cost 8.40.
  expect(await simulate({ by: 'margin', planId, basisPoints: 5000 })).toMatchObject({
    thenMicros: 12_150_000n,
    costKnown: 3,
    marginNowMicros: 13_500_000n - 8_400_000n,
    marginThenMicros: 12_150_000n - 8_400_000n,
    leftOut: [],
  })
  await savePriceRule(STAFF, {
    planId,
    version: 0,
    periods: [{ days: 30, marginBasisPoints: 10_000, fixedMicros: 0n, minimumMicros: 0n }],
    stepMicros: null,
    belowMicros: 0n,
    thresholdBasisPoints: 0,
    isLossAllowed: false,
    costCurrency: null,
    costRate: null,
  })
  // 1.20 a piece: 2.40 twice, 11.40.
  expect(await simulate({ by: 'rule', planId })).toMatchObject({ thenMicros: 16_200_000n })
})

test('a period that would not be sold brings nothing and is counted; what lies longer back is not', async () => {
  const { planId, orderId } = await soldPlan()
  const gone = await simulate({
    by: 'typed',
    planId,
    prices: { periods: [{ days: 7, unitPriceMicros: ONE }], steps: [] },
  })
  expect(gone).toMatchObject({ sales: 3, unsold: 3, thenMicros: 0n })
  const later = await simulatePrices(
    { by: 'percent', planId, basisPoints: 0 },
    new Date(Date.now() + 31 * 24 * 3_600_000),
  )
  expect(later).toMatchObject({ value: { sales: 0 } })
  await db().renewal.updateMany({ where: { orderId }, data: { state: 'failed', capturedMicros: 0n } })
  expect(await simulate({ by: 'percent', planId, basisPoints: 0 })).toMatchObject({ sales: 2 })
})

test('every plan at once adds up to its plans, and the file holds the same sales', async () => {
  const { planId } = await soldPlan()
  const all = await simulate({ by: 'percent', planId: null, basisPoints: 1000 })
  expect(all.byPlan.reduce((sum, { sum: own }) => sum + own.thenMicros, 0n)).toBe(all.thenMicros)
  expect(all.byPlan.find((each) => each.planId === planId)).toMatchObject({ sum: { thenMicros: 14_850_000n } })
  const sales = await simulateSales({ by: 'percent', planId: null, basisPoints: 1000 })
  let count = 0
  let thenMicros = 0n
  if (sales.ok)
    for await (const page of sales.value)
      for (const sale of page) {
        count += 1
        thenMicros += sale.thenMicros ?? 0n
      }
  expect([count, thenMicros]).toEqual([all.sales, all.thenMicros])
})

test('what is not there is refused', async () => {
  expect(await simulatePrices({ by: 'rule', planId: 'pln_none' })).toMatchObject({ refusal: { code: 'not_found' } })
  expect(await simulatePrices({ by: 'change', changeId: 'pch_none' })).toMatchObject({ refusal: { code: 'not_found' } })
})
