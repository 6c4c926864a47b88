import { expect, test } from 'vitest'
import { findPlan } from '@/lib/catalog'
import { db } from '@/lib/db'
import { DAY_MS, HOUR_MS } from '@/lib/kit'
import { quoteRenewal, renewalRules, switchRenewal } from '@/lib/orders'
import { insertCustomer } from '@/test/factories/customer'
import { buyDelivered } from '@/test/factories/orders'
import { planRenewals } from '.'

async function renewsItself(customer: { id: string }, orderId: string): Promise<void> {
  const quote = await quoteRenewal(customer, { orderId })
  if (!quote.ok) throw new Error(quote.refusal.code)
  const { price } = quote.value
  const switched = await switchRenewal(customer, {
    orderId,
    isOn: true,
    periodDays: price.periodDays,
    totalMicros: price.totalMicros,
  })
  if (!switched.ok) throw new Error(switched.refusal.code)
}

const ways = (plan: Awaited<ReturnType<typeof planRenewals>>) =>
  plan.items.map(({ way, reason, totalMicros }) => [way, reason, totalMicros])

test('what renews itself is counted each time, what needs a hand once, at what renewing costs', async () => {
  const { customer, orderId } = await buyDelivered({ quantity: 2, leftMicros: 3_000_000n })
  const byHand = await planRenewals({ userId: customer.id })
  expect(ways(byHand)).toEqual([['by_hand', null, 2_000_000n]])
  expect(byHand.balanceMicros).toBe(3_000_000n)
  expect(byHand.items[0]!.dueAt).toEqual(byHand.items[0]!.endsAt)

  await renewsItself(customer, orderId)
  const plan = await planRenewals({ userId: customer.id })
  const { leadHours } = await renewalRules.read()
  expect(ways(plan)).toEqual([
    ['by_itself', null, 2_000_000n],
    ['by_itself', null, 2_000_000n],
    ['by_itself', null, 2_000_000n],
  ])
  const [first, second] = plan.items
  expect(first!.endsAt.getTime() - first!.dueAt.getTime()).toBe(leadHours * HOUR_MS)
  expect(second!.endsAt.getTime() - first!.endsAt.getTime()).toBe(30 * DAY_MS)
  expect((await planRenewals({ userId: (await insertCustomer()).id })).items).toEqual([])
})

test('proxies that end within a day are one item, later ones another; what ended or is by volume is told apart', async () => {
  const { customer, orderId, allocationIds } = await buyDelivered({ quantity: 4 })
  const end = new Date(Date.now() + 10 * DAY_MS)
  const set = (index: number, data: object) =>
    db().allocation.update({ where: { id: allocationIds[index]! }, data, select: { id: true } })
  await set(0, { expiresAt: end })
  await set(1, { expiresAt: new Date(end.getTime() + 20 * HOUR_MS) })
  await set(2, { expiresAt: new Date(end.getTime() + 25 * HOUR_MS) })
  await set(3, { grantedBytes: 1_000n, expiresAt: end })
  const plan = await planRenewals({ userId: customer.id })
  expect(plan.items.map(({ quantity, way, reason }) => [quantity, way, reason]).sort()).toEqual(
    [
      [2, 'by_hand', null],
      [1, 'by_hand', null],
      [1, 'ends', 'by_volume'],
    ].sort(),
  )
  await set(0, { state: 'expired', expiresAt: new Date(Date.now() - DAY_MS) })
  // What is left is within a day of each other.
  expect((await planRenewals({ userId: customer.id })).items.map(({ quantity }) => quantity).sort()).toEqual([1, 2])
  expect(plan.items.every((item) => item.orderId === orderId)).toBe(true)
})

test('dearer than agreed needs a hand, and what is no longer sold just ends', async () => {
  const { customer, orderId, plan: sold } = await buyDelivered({ quantity: 1 })
  await renewsItself(customer, orderId)
  await db().order.update({ where: { id: orderId }, data: { renewUnitMicros: 999_999n }, select: { id: true } })
  expect(ways(await planRenewals({ userId: customer.id }))).toEqual([['by_hand', 'dearer', 1_000_000n]])
  await db().order.update({ where: { id: orderId }, data: { renewPeriodDays: 17 }, select: { id: true } })
  expect(ways(await planRenewals({ userId: customer.id }))).toEqual([['ends', 'not_sold', null]])
  expect((await findPlan(sold.planId))?.plan.periods.some(({ days }) => days === 17)).toBe(false)
})
