import { beforeEach, expect, test } from 'vitest'
import { db } from '@/lib/db'
import { saveNoticeSettings } from '@/lib/notices'
import type { EmailProps } from '@/lib/notifications'
import { makePlan } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { buyDelivered, letHoursPass } from '@/test/factories/orders'
import { switchRenewal, tellNextCharges } from './index'

const DAY_MS = 86_400_000

beforeEach(async () => {
  await db().order.updateMany({ where: { autoRenew: true }, data: { autoRenew: false } })
})

async function renewing(customer: Awaited<ReturnType<typeof insertCustomer>>, daysToCharge: number) {
  const plan = await makePlan({ units: 3 })
  const bought = await buyDelivered({ plan, customer })
  const switched = await switchRenewal(customer, {
    orderId: bought.orderId,
    isOn: true,
    periodDays: 30,
    totalMicros: 1_000_000n,
  })
  expect(switched.ok).toBe(true)
  // Thirty days were bought; it is charged a day before their end.
  await letHoursPass(bought.orderId, (29 - daysToCharge) * 24)
  return bought.orderId
}
const settings = (userId: string, nextChargeDays: number, isNextChargeLoud: boolean) =>
  saveNoticeSettings(userId, {
    on: new Set(['renewals:app', 'renewals:mail']),
    digestHour: null,
    lowBalanceMicros: null,
    nextChargeDays,
    isNextChargeLoud,
  })
const noticesOf = async (userId: string) =>
  (await db().notice.findMany({ where: { userId, template: 'next_charge' }, orderBy: { id: 'asc' } })).map(
    (row) => row.props as EmailProps['next_charge'],
  )
const mailsOf = (userId: string) => db().outgoingEmail.count({ where: { userId, template: 'next_charge' } })

test('three days before, with dates and total, in the app only, once; a later charge is told with all of them', async () => {
  const customer = await insertCustomer({ balanceMicros: 10_000_000n })
  const first = await renewing(customer, 2.5)
  const second = await renewing(customer, 4.5)
  await tellNextCharges()
  await Promise.all([tellNextCharges(), tellNextCharges()])
  expect(await noticesOf(customer.id)).toMatchObject([
    {
      totalMicros: '1000000',
      balanceMicros: '8000000',
      charges: [{ orderId: first, amountMicros: '1000000' }],
      more: 0,
    },
  ])
  const [charge] = (await noticesOf(customer.id))[0]!.charges
  expect(Math.abs(new Date(charge!.at).getTime() - Date.now() - 2.5 * DAY_MS)).toBeLessThan(DAY_MS / 24)
  await tellNextCharges(new Date(Date.now() + 2 * DAY_MS))
  expect((await noticesOf(customer.id)).at(-1)).toMatchObject({
    totalMicros: '2000000',
    charges: [{ orderId: first }, { orderId: second }],
  })
  expect(await noticesOf(customer.id)).toHaveLength(2)
  expect(await mailsOf(customer.id)).toBe(0)
})

test('by mail for whoever wants it, at the days they chose, and never for whoever wants none', async () => {
  const [loud, never] = await Promise.all([
    insertCustomer({ balanceMicros: 5_000_000n }),
    insertCustomer({ balanceMicros: 5_000_000n }),
  ])
  await settings(loud.id, 7, true)
  await settings(never.id, 0, true)
  await renewing(loud, 6.5)
  await renewing(never, 1.5)
  await tellNextCharges()
  await tellNextCharges()
  expect([await noticesOf(loud.id), await mailsOf(loud.id)]).toMatchObject([[{ totalMicros: '1000000' }], 1])
  expect([await noticesOf(never.id), await mailsOf(never.id)]).toEqual([[], 0])
})

test('what is not charged by itself, or should have been by now, is not told', async () => {
  const customer = await insertCustomer({ balanceMicros: 10_000_000n })
  const off = await renewing(customer, 2)
  await db().order.update({ where: { id: off }, data: { autoRenew: false } })
  await renewing(customer, -0.5)
  const dearer = await renewing(customer, 2)
  await db().order.update({ where: { id: dearer }, data: { renewUnitMicros: 1n } })
  await tellNextCharges()
  expect(await noticesOf(customer.id)).toEqual([])
})
