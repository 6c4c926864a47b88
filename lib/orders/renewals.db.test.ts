import { checkBooks } from '@/lib/admin'
import { findPlan, savePlan } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import { newId } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import { listAllocations } from '@/lib/provisioning'
import { makePlan, orderFor } from '@/test/factories/catalog'
import { giveMoney, insertCustomer } from '@/test/factories/customer'
import { type Bought, buyDelivered, letHoursPass } from '@/test/factories/orders'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import {
  cancelOrder,
  expireOrders,
  findOrder,
  placeOrder,
  quoteRenewal,
  renewOrder,
  runRenewals,
  switchRenewal,
  tellShort,
} from './index'

const DAY_MS = 86_400_000

afterAll(async () => {
  expect((await checkBooks()).findings).toEqual([])
})

// The runs take whatever is due; what an earlier test left must not wait in them.
beforeEach(async () => {
  await db().order.updateMany({ where: { autoRenew: true }, data: { autoRenew: false } })
})

const stateOf = async (orderId: string) => (await findOrder({ orderId }))!.state
const kinds = async (orderId: string) => (await findOrder({ orderId }))!.events.map((event) => event.kind)
const mails = (key: string) => db().outgoingEmail.count({ where: { key: { startsWith: key } } })
const balanceOf = async (userId: string) => (await getBalance({ userId })).balanceMicros
const endsOf = async (orderId: string) =>
  (
    await db().allocation.findMany({ where: { orderId }, orderBy: { position: 'asc' }, select: { expiresAt: true } })
  ).map((row) => row.expiresAt.getTime())

async function setPrice(planId: string, unitPriceMicros: bigint, days = 30) {
  const { plan, product } = (await findPlan(planId, { fresh: true }))!
  const { slug, nameEn, nameRu, minQuantity, maxQuantity, revision, steps, isActive } = plan
  const saved = await savePlan(
    { kind: 'staff', id: 'usr_test' },
    {
      slug,
      nameEn,
      nameRu,
      minQuantity,
      maxQuantity,
      isActive,
      steps,
      planId,
      revision,
      productId: product.id,
      periods: [{ days, unitPriceMicros }],
    },
  )
  if (!saved.ok) throw new Error(saved.refusal.code)
}

async function automatic(options: Parameters<typeof buyDelivered>[0] = {}): Promise<Bought> {
  const bought = await buyDelivered(options)
  const quote = await quoteRenewal(bought.customer, { orderId: bought.orderId })
  if (!quote.ok) throw new Error(quote.refusal.code)
  const { price } = quote.value
  const switched = await switchRenewal(bought.customer, {
    orderId: bought.orderId,
    isOn: true,
    periodDays: price.periodDays,
    totalMicros: price.totalMicros,
  })
  if (!switched.ok) throw new Error(switched.refusal.code)
  return bought
}

describe('by hand', () => {
  it('renews some or all, from their old ends, once per form however often and at once it is sent', async () => {
    const { customer, orderId, allocationIds } = await buyDelivered({ quantity: 3, leftMicros: 10_000_000n })
    const before = await endsOf(orderId)
    const input = {
      orderId,
      allocationIds: allocationIds.slice(0, 2),
      periodDays: 30,
      totalMicros: 2_000_000n,
      requestKey: newId('req'),
    }
    const results = await Promise.all(Array.from({ length: 20 }, () => renewOrder(customer, input)))
    expect(results.every((result) => result.ok)).toBe(true)
    expect(new Set(results.map((result) => result.ok && result.value.renewalId)).size).toBe(1)
    expect(await endsOf(orderId)).toEqual([before[0]! + 30 * DAY_MS, before[1]! + 30 * DAY_MS, before[2]!])
    expect(await balanceOf(customer.id)).toBe(8_000_000n)
    expect(await findOrder({ orderId })).toMatchObject({
      dueAt: new Date(before[2]!),
      expiresAt: new Date(before[0]! + 30 * DAY_MS),
    })
    expect(await mails('renewed:')).toBeGreaterThan(0)
    expect((await kinds(orderId)).filter((kind) => kind === 'renewed')).toHaveLength(1)
    // the same key for something else
    expect(await renewOrder(customer, { ...input, allocationIds })).toMatchObject({ refusal: { code: 'key_reused' } })
  })

  it('two forms at once with money for one: one is renewed', async () => {
    const { customer, orderId } = await buyDelivered({ leftMicros: 1_500_000n })
    const send = () =>
      renewOrder(customer, { orderId, periodDays: 30, totalMicros: 1_000_000n, requestKey: newId('req') })
    const results = await Promise.all([send(), send(), send()])
    expect(results.filter((result) => result.ok)).toHaveLength(1)
    for (const result of results) if (!result.ok) expect(result.refusal.code).toBe('insufficient_balance')
    expect(await balanceOf(customer.id)).toBe(500_000n)
  })

  it('refuses what is somebody else’s, in part or whole, and then does nothing', async () => {
    const mine = await buyDelivered({ leftMicros: 10_000_000n })
    const other = await buyDelivered()
    const ask = (orderId: string, allocationIds: string[]) =>
      renewOrder(mine.customer, {
        orderId,
        allocationIds,
        periodDays: 30,
        totalMicros: 1_000_000n,
        requestKey: newId('req'),
      })
    expect(await ask(other.orderId, other.allocationIds)).toMatchObject({ refusal: { code: 'not_found' } })
    expect(await ask(mine.orderId, [...mine.allocationIds, ...other.allocationIds])).toMatchObject({
      refusal: { code: 'not_renewable' },
    })
    expect(await ask(mine.orderId, [])).toMatchObject({ refusal: { code: 'not_renewable' } })
    expect(await ask(mine.orderId, [mine.allocationIds[0]!, mine.allocationIds[0]!])).toMatchObject({
      refusal: { code: 'not_renewable' },
    })
    expect(await balanceOf(mine.customer.id)).toBe(10_000_000n)
  })

  it('refuses what is over, a period that is not sold, another price', async () => {
    const { customer, orderId, plan } = await buyDelivered({ leftMicros: 10_000_000n })
    const ask = (more: object = {}) =>
      renewOrder(customer, { orderId, periodDays: 30, totalMicros: 1_000_000n, requestKey: newId('req'), ...more })
    expect(await ask({ periodDays: 31 })).toMatchObject({
      refusal: { code: 'period_unavailable', facts: { periods: [30] } },
    })
    expect(await ask({ totalMicros: 1n })).toMatchObject({
      refusal: { code: 'price_changed', facts: { totalMicros: 1_000_000n } },
    })
    await setPrice(plan.planId, 2_000_000n)
    expect(await ask()).toMatchObject({ refusal: { code: 'price_changed', facts: { totalMicros: 2_000_000n } } })
    await letHoursPass(orderId, 30 * 24 + 1)
    expect(await ask({ totalMicros: 2_000_000n })).toMatchObject({ refusal: { code: 'not_renewable' } })
    await expireOrders()
    expect(await stateOf(orderId)).toBe('expired')
    expect(await ask({ totalMicros: 2_000_000n })).toMatchObject({ refusal: { code: 'not_renewable' } })
  })

  it('fewer than the plan’s smallest order may be renewed; a debt comes first', async () => {
    const plan = await makePlan({ units: 9, minQuantity: 3 })
    const { customer, orderId, allocationIds } = await buyDelivered({ plan, quantity: 3, leftMicros: 5_000_000n })
    const input = { orderId, allocationIds: allocationIds.slice(0, 1), periodDays: 30, totalMicros: 1_000_000n }
    expect(await renewOrder(customer, { ...input, requestKey: newId('req') })).toMatchObject({ ok: true })
    await db().$queryRaw(
      Prisma.sql`SELECT taken FROM ledger_take(${`dispute:${newId('dsp')}`}, ${customer.id}, ledger_account('shop', 'chargeback_loss', 'USD'), 9000000::bigint, 'USD', 'adjustment', ${customer.id}, now())`,
    )
    expect(await renewOrder(customer, { ...input, requestKey: newId('req') })).toMatchObject({
      refusal: { code: 'in_debt' },
    })
  })
})

describe('by itself', () => {
  it('renews a day before the end, once, whatever runs at the same time', async () => {
    const { customer, orderId } = await automatic({ quantity: 2, leftMicros: 10_000_000n })
    const before = await endsOf(orderId)
    await runRenewals()
    expect(await endsOf(orderId)).toEqual(before)
    await letHoursPass(orderId, 29 * 24 + 1)
    const moved = await endsOf(orderId)
    await Promise.all(Array.from({ length: 6 }, () => runRenewals()))
    await runRenewals()
    expect(await endsOf(orderId)).toEqual(moved.map((end) => end + 30 * DAY_MS))
    expect(await balanceOf(customer.id)).toBe(8_000_000n)
    expect(await db().renewal.count({ where: { orderId } })).toBe(1)
    expect(await mails(`renewed:${(await db().renewal.findFirstOrThrow({ where: { orderId } })).id}`)).toBe(1)
  })

  it('by hand and by itself at once: both may happen, but no end is paid for twice', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { customer, orderId } = await automatic({ leftMicros: 10_000_000n })
      await letHoursPass(orderId, 29 * 24 + 1)
      const [end] = await endsOf(orderId)
      await Promise.all([
        runRenewals(),
        renewOrder(customer, { orderId, periodDays: 30, totalMicros: 1_000_000n, requestKey: newId('req') }),
        runRenewals(),
      ])
      const times = await db().renewal.count({ where: { orderId } })
      expect((await endsOf(orderId))[0]).toBe(end! + times * 30 * DAY_MS)
      expect(await balanceOf(customer.id)).toBe(10_000_000n - BigInt(times) * 1_000_000n)
      expect(times).toBeLessThanOrEqual(2)
    }
  })

  it('many orders of one customer and money for some: the first ends first, the rest are told once and wait', async () => {
    const plan = await makePlan({ units: 40 })
    const customer = await insertCustomer({ balanceMicros: 23_500_000n })
    const orders: string[] = []
    for (let index = 0; index < 20; index += 1) {
      const { orderId } = await automatic({ plan, customer })
      await letHoursPass(orderId, 29 * 24 + 1 + index * 0.1)
      orders.push(orderId)
    }
    const run = await runRenewals()
    expect(run).toMatchObject({ renewed: 3, short: 17 })
    expect(await balanceOf(customer.id)).toBe(500_000n)
    for (const [index, orderId] of orders.entries())
      expect(await db().renewal.count({ where: { orderId } })).toBe(index >= 17 ? 1 : 0) // those that end first
    expect(await runRenewals()).toMatchObject({ renewed: 0, short: 0 })
    expect(await mails(`renewal_short:${orders[0]}`)).toBe(1)
    expect(await kinds(orders[0]!)).toContain('renewal_short')
  })

  it('a price above what was agreed is told, not charged', async () => {
    const { customer, orderId, plan } = await automatic({ leftMicros: 10_000_000n })
    await setPrice(plan.planId, 1_000_001n)
    await letHoursPass(orderId, 29 * 24 + 1)
    expect(await runRenewals()).toMatchObject({ dearer: 1, renewed: 0 })
    expect(await balanceOf(customer.id)).toBe(10_000_000n)
    expect(await mails(`renewal_dearer:${orderId}`)).toBe(1)
    // a lower price is what it costs
    await setPrice(plan.planId, 400_000n)
    await db().order.update({ where: { id: orderId }, data: { retryAt: null } })
    await runRenewals()
    expect(await balanceOf(customer.id)).toBe(9_600_000n)
  })

  it('switched off before or during the run: not renewed', async () => {
    const { customer, orderId } = await automatic({ leftMicros: 10_000_000n })
    await letHoursPass(orderId, 29 * 24 + 1)
    // the run has read the order, the switch is turned, then the run comes to it
    const row = {
      orderId,
      renewalId: newId('rnw'),
      due: (await findOrder({ orderId }))!.dueAt,
      days: 30,
      quantity: 1,
      unitPrice: '1000000',
      discount: '0',
      total: '1000000',
      revision: 1,
    }
    expect(await switchRenewal(customer, { orderId, isOn: false })).toEqual({ ok: true, value: { isOn: false } })
    const outcomes = await db().$queryRaw(
      Prisma.sql`SELECT outcome FROM renew_due_orders(${JSON.stringify([row])}::jsonb, ARRAY['stock'], 'USD')`,
    )
    expect(outcomes).toEqual([{ outcome: 'passed' }])
    await runRenewals()
    expect(await balanceOf(customer.id)).toBe(10_000_000n)
    await letHoursPass(orderId, 24)
    await expireOrders()
    expect(await stateOf(orderId)).toBe('expired')
    expect(await mails(`expired:${orderId}`)).toBe(1)
  })

  it('in grace it is tried again: money that comes renews it from its old end; none ends it', async () => {
    const [paid, lost] = [await automatic(), await automatic()]
    for (const { orderId } of [paid, lost]) {
      await letHoursPass(orderId, 30 * 24 + 1)
      await runRenewals()
      await expireOrders()
      expect(await stateOf(orderId)).toBe('in_grace')
    }
    const [end] = await endsOf(paid.orderId)
    await giveMoney(paid.customer.id, 1_000_000n)
    await db().order.update({ where: { id: paid.orderId }, data: { retryAt: null } })
    await runRenewals()
    expect(await stateOf(paid.orderId)).toBe('active')
    expect(await endsOf(paid.orderId)).toEqual([end! + 30 * DAY_MS])
    await letHoursPass(lost.orderId, 48)
    await runRenewals()
    await expireOrders()
    expect(await stateOf(lost.orderId)).toBe('expired')
    expect(await listAllocations({ userId: lost.customer.id, orderId: lost.orderId })).toMatchObject([
      { state: 'expired' },
    ])
    expect(await mails(`expired:${lost.orderId}`)).toBe(1)
  })

  it('a short balance is told of 7, 3 and 1 days before, once each, counting what falls due before', async () => {
    const plan = await makePlan({ units: 9 })
    const customer = await insertCustomer({ balanceMicros: 3_000_000n })
    const first = await automatic({ plan, customer })
    const second = await automatic({ plan, customer })
    await letHoursPass(first.orderId, 23.5 * 24)
    await letHoursPass(second.orderId, 23.2 * 24)
    expect(await mailsAbout(second.orderId)).toEqual([])
    await tellShort()
    await tellShort()
    expect(await mailsAbout(first.orderId)).toEqual([])
    expect(await mailsAbout(second.orderId)).toEqual([7])
    await tellShort(new Date(Date.now() + 4 * DAY_MS))
    await tellShort(new Date(Date.now() + 4.5 * DAY_MS))
    expect(await mailsAbout(second.orderId)).toEqual([7, 3])
    await tellShort(new Date(Date.now() + 5.9 * DAY_MS))
    expect(await mailsAbout(second.orderId)).toEqual([7, 3, 1])
    await giveMoney(customer.id, 1_000_000n)
    await tellShort()
    expect(await mailsAbout(second.orderId)).toEqual([7, 3, 1])
  })

  it('and of what falls due later while another waits in grace for its money', async () => {
    const plan = await makePlan({ units: 9 })
    const customer = await insertCustomer({ balanceMicros: 2_000_000n })
    const first = await automatic({ plan, customer })
    const second = await automatic({ plan, customer })
    await letHoursPass(first.orderId, 30 * 24 + 1)
    await letHoursPass(second.orderId, 27.5 * 24)
    await expireOrders()
    expect(await stateOf(first.orderId)).toBe('in_grace')
    await tellShort()
    expect(await mailsAbout(second.orderId)).toEqual([3])
  })
})

async function mailsAbout(orderId: string): Promise<number[]> {
  const rows = await db().outgoingEmail.findMany({
    where: { key: { startsWith: `renewal_short:${orderId}` } },
    orderBy: { id: 'asc' },
    select: { props: true },
  })
  return rows.map((row) => (row.props as { daysLeft: number }).daysLeft)
}

describe('cancelling', () => {
  it('gives the whole hold back while nobody works on it, once; later it is refused', async () => {
    const plan = await makePlan({ units: 2 })
    const customer = await insertCustomer({ balanceMicros: 2_000_000n })
    const placed = await placeOrder(customer, await orderFor(plan, 2))
    const orderId = placed.ok ? placed.value.orderId : ''
    const results = await Promise.all(Array.from({ length: 5 }, () => cancelOrder(customer, { orderId })))
    expect(results.filter((result) => result.ok)).toHaveLength(1)
    expect(await balanceOf(customer.id)).toBe(2_000_000n)
    expect(await stateOf(orderId)).toBe('cancelled')
    expect(await db().stockUnit.count({ where: { offerId: plan.offerId, state: 'free' } })).toBe(2)
    const bought = await buyDelivered()
    expect(await cancelOrder(bought.customer, bought)).toMatchObject({ refusal: { code: 'already_ended' } })
    expect(await cancelOrder(customer, bought)).toMatchObject({ refusal: { code: 'not_found' } })
  })
})
