import { checkBooks } from '@/lib/admin'
import { SYSTEM } from '@/lib/audit'
import { db } from '@/lib/db'
import { newId } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import { expireOrders, findOrder, placeOrder, quoteRenewal, renewOrder, runRenewals, switchRenewal } from '@/lib/orders'
import { createPx6, type Supplier } from '@/lib/suppliers'
import { startPx6Fake } from '@/fakes/px6'
import { makePlan, orderFor } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { letHoursPass } from '@/test/factories/orders'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  decideRenewalRun,
  deliverOrder,
  listUnknownOutcomes,
  renewAtSuppliers,
  resolveRenewal,
  sweepRenewals,
} from './index'

const DAY_MS = 86_400_000
let px6: Awaited<ReturnType<typeof startPx6Fake>>
beforeAll(async () => {
  px6 = await startPx6Fake({ port: 0, apiKey: 'test-px6-key', exitPort: 1 })
})
afterAll(async () => {
  await px6.close()
  expect((await checkBooks()).findings).toEqual([])
})
beforeEach(async () => {
  await control('limit', { perSecond: 0 })
  await control('reset', {})
  await control('balance', { amount: '500.00' })
})

const adapter = () =>
  createPx6({ baseUrl: `${px6.url}/api`, apiKey: 'test-px6-key', timeoutMs: 500, waitForTurn: async () => {} })
const control = (call: string, body: object) =>
  fetch(`${px6.controlUrl}/${call}`, { method: 'POST', body: JSON.stringify(body) })
const spentThere = async () => 500_000_000n - (await adapter().getBalance()).balanceMicros
const endsOf = async (orderId: string) =>
  (
    await db().allocation.findMany({ where: { orderId }, orderBy: { position: 'asc' }, select: { expiresAt: true } })
  ).map((row) => row.expiresAt.getTime())
const balanceOf = (userId: string) => getBalance({ userId })

/** An order of two from px6, delivered, with 10.00 left; and a renewal of it that waits for its supplier. */
async function heldRenewal() {
  const plan = await makePlan({ supplier: 'px6' })
  const customer = await insertCustomer({ balanceMicros: 12_000_000n })
  const placed = await placeOrder(customer, await orderFor(plan, 2))
  if (!placed.ok) throw new Error(placed.refusal.code)
  const { orderId } = placed.value
  await deliverOrder({ orderId }, adapter)
  const before = await endsOf(orderId)
  await control('balance', { amount: '500.00' })
  const renewed = await renewOrder(customer, {
    orderId,
    periodDays: 30,
    totalMicros: 2_000_000n,
    requestKey: newId('req'),
  })
  if (!renewed.ok) throw new Error(renewed.refusal.code)
  expect(renewed.value.state).toBe('held')
  expect(await balanceOf(customer.id)).toMatchObject({ balanceMicros: 8_000_000n, heldMicros: 2_000_000n })
  return { customer, orderId, before, renewalId: renewed.value.renewalId }
}

describe('a supplier renews', () => {
  it('once, however often and at once the job runs; the customer pays then', async () => {
    const { customer, orderId, before, renewalId } = await heldRenewal()
    // while it is under way, another one is refused
    expect(
      await renewOrder(customer, { orderId, periodDays: 30, totalMicros: 2_000_000n, requestKey: newId('req') }),
    ).toMatchObject({ refusal: { code: 'renewal_open' } })
    await Promise.all(Array.from({ length: 5 }, () => renewAtSuppliers({ renewalId }, adapter)))
    await renewAtSuppliers({ renewalId }, adapter)
    const after = await endsOf(orderId)
    for (const [index, end] of after.entries()) expect(Math.abs(end - before[index]! - 30 * DAY_MS)).toBeLessThan(5_000)
    expect(await spentThere()).toBe(1_200_000n)
    expect(await balanceOf(customer.id)).toMatchObject({ balanceMicros: 8_000_000n, heldMicros: 0n })
    const cost = await db().ledgerTransfer.findMany({ where: { key: { startsWith: 'cost:rnr_' }, sourceId: orderId } })
    expect(cost.map((transfer) => transfer.amountMicros)).toEqual([1_200_000n])
  })

  it.each([
    ['a time-out after', { timeout: true, after: true }],
    ['a 500 after', { status: 500, after: true }],
  ])('%s it had renewed: found by the ends it tells, renewed and paid once', async (_, failure) => {
    const { customer, orderId, before, renewalId } = await heldRenewal()
    await control('fail', { times: 1, match: 'prolong', ...failure })
    await renewAtSuppliers({ renewalId }, adapter)
    expect(await db().renewal.findUnique({ where: { id: renewalId } })).toMatchObject({ state: 'held' })
    await renewAtSuppliers({ renewalId }, adapter)
    await Promise.all([resolveRenewal({ renewalId }, adapter), resolveRenewal({ renewalId }, adapter)])
    expect((await endsOf(orderId))[0]! - before[0]!).toBeGreaterThan(29 * DAY_MS)
    expect(await spentThere()).toBe(1_200_000n)
    expect(await balanceOf(customer.id)).toMatchObject({ balanceMicros: 8_000_000n, heldMicros: 0n })
  })

  it('a time-out before it had: believed after three looks, and the money is back', async () => {
    const { customer, orderId, before, renewalId } = await heldRenewal()
    await control('fail', { times: 1, match: 'prolong', timeout: true })
    await renewAtSuppliers({ renewalId }, adapter)
    for (let look = 0; look < 3; look += 1) {
      expect(await db().renewal.findUnique({ where: { id: renewalId } })).toMatchObject({ state: 'held' })
      await resolveRenewal({ renewalId }, adapter)
    }
    expect(await db().renewal.findUnique({ where: { id: renewalId } })).toMatchObject({
      state: 'failed',
      capturedMicros: 0n,
    })
    expect(await endsOf(orderId)).toEqual(before)
    expect(await spentThere()).toBe(0n)
    expect(await balanceOf(customer.id)).toMatchObject({ balanceMicros: 10_000_000n, heldMicros: 0n })
    expect((await findOrder({ orderId }))!.events.map((event) => event.kind)).toContain('renewal_failed')
  })

  it('our empty account there: the customer’s money comes back and they may try again', async () => {
    const { customer, orderId, renewalId } = await heldRenewal()
    await control('balance', { amount: '0.10' })
    await renewAtSuppliers({ renewalId }, adapter)
    expect((await balanceOf(customer.id)).balanceMicros).toBe(10_000_000n)
    await control('balance', { amount: '500.00' })
    const again = await renewOrder(customer, {
      orderId,
      periodDays: 30,
      totalMicros: 2_000_000n,
      requestKey: newId('req'),
    })
    await renewAtSuppliers({ renewalId: again.ok ? again.value.renewalId : '' }, adapter)
    expect((await balanceOf(customer.id)).balanceMicros).toBe(8_000_000n)
  })

  it('killed between the call and its answer: the promised look-up finds it, and nothing is called again', async () => {
    const { orderId, renewalId, before } = await heldRenewal()
    const dying = {
      ...adapter(),
      renew: async (request: Parameters<NonNullable<ReturnType<typeof adapter>['renew']>>[0]) => {
        await adapter().renew!(request)
        throw new Error('killed')
      },
    }
    await expect(renewAtSuppliers({ renewalId }, () => dying)).rejects.toThrow('killed')
    await db().outboxJob.deleteMany({})
    await db().renewal.update({ where: { id: renewalId }, data: { createdAt: new Date(Date.now() - 600_000) } })
    await sweepRenewals()
    const jobs = await db().outboxJob.findMany({ where: { payload: { path: ['renewalId'], equals: renewalId } } })
    expect(jobs.map((job) => job.name)).toEqual(['provisioning.resolve_renewal'])
    await renewAtSuppliers({ renewalId }, adapter)
    await resolveRenewal({ renewalId }, adapter)
    expect((await endsOf(orderId))[0]! - before[0]!).toBeGreaterThan(29 * DAY_MS)
    expect(await spentThere()).toBe(1_200_000n)
  })

  it('by itself in the night: held by the run, renewed by the supplier, tried again after a failure, not expired meanwhile', async () => {
    const plan = await makePlan({ supplier: 'px6' })
    const customer = await insertCustomer({ balanceMicros: 12_000_000n })
    const placed = await placeOrder(customer, await orderFor(plan, 2))
    const orderId = placed.ok ? placed.value.orderId : ''
    await deliverOrder({ orderId }, adapter)
    const quote = await quoteRenewal(customer, { orderId })
    if (!quote.ok) throw new Error(quote.refusal.code)
    await switchRenewal(customer, { orderId, isOn: true, periodDays: 30, totalMicros: quote.value.price.totalMicros })
    await letHoursPass(orderId, 29 * 24 + 1)
    await control('balance', { amount: '0.10' })
    expect(await runRenewals()).toMatchObject({ held: 1 })
    const first = await db().renewal.findFirstOrThrow({ where: { orderId } })
    await renewAtSuppliers({ renewalId: first.id }, adapter)
    expect(await runRenewals()).toMatchObject({ held: 0 })
    await control('balance', { amount: '500.00' })
    await letHoursPass(orderId, 5)
    expect(await runRenewals()).toMatchObject({ held: 1 })
    const second = await db().renewal.findFirstOrThrow({ where: { orderId, state: 'held' } })
    await letHoursPass(orderId, 20)
    await expireOrders()
    expect((await findOrder({ orderId }))!.state).toBe('active')
    await renewAtSuppliers({ renewalId: second.id }, adapter)
    await expireOrders()
    expect((await findOrder({ orderId }))!.state).toBe('active')
    expect((await balanceOf(customer.id)).balanceMicros).toBe(8_000_000n)
  })

  it('by itself, and switched off before the supplier could be asked: not renewed, and the money is back', async () => {
    const plan = await makePlan({ supplier: 'px6' })
    const customer = await insertCustomer({ balanceMicros: 12_000_000n })
    const placed = await placeOrder(customer, await orderFor(plan, 2))
    const orderId = placed.ok ? placed.value.orderId : ''
    await deliverOrder({ orderId }, adapter)
    await control('balance', { amount: '500.00' })
    await switchRenewal(customer, { orderId, isOn: true, periodDays: 30, totalMicros: 2_000_000n })
    await letHoursPass(orderId, 29 * 24 + 1)
    expect(await runRenewals()).toMatchObject({ held: 1 })
    const { id: renewalId } = await db().renewal.findFirstOrThrow({ where: { orderId } })
    await control('fail', { times: 1, match: 'getprice', status: 500 })
    await expect(renewAtSuppliers({ renewalId }, adapter)).rejects.toThrow()
    await switchRenewal(customer, { orderId, isOn: false })
    await Promise.all([renewAtSuppliers({ renewalId }, adapter), renewAtSuppliers({ renewalId }, adapter)])
    expect(await spentThere()).toBe(0n)
    expect(await balanceOf(customer.id)).toMatchObject({ balanceMicros: 10_000_000n, heldMicros: 0n })
    expect(await db().renewal.findUnique({ where: { id: renewalId } })).toMatchObject({
      state: 'failed',
      failure: 'switched_off',
    })
  })

  it('by itself and in part: the rest is tried again after the time between tries, also at other terms', async () => {
    const plan = await makePlan({ supplier: 'px6' })
    const customer = await insertCustomer({ balanceMicros: 12_000_000n })
    const placed = await placeOrder(customer, await orderFor(plan, 2))
    const orderId = placed.ok ? placed.value.orderId : ''
    await deliverOrder({ orderId }, adapter)
    await switchRenewal(customer, { orderId, isOn: true, periodDays: 30, totalMicros: 2_000_000n })
    await letHoursPass(orderId, 29 * 24 + 1)
    expect(await runRenewals()).toMatchObject({ held: 1 })
    // Its terms change while it is under way: the run passes it, whatever the price is now.
    await db().renewal.updateMany({ where: { orderId }, data: { periodDays: 7 } })
    expect(await runRenewals()).toMatchObject({ held: 0, passed: 1 })
    await db().renewal.updateMany({ where: { orderId }, data: { periodDays: 30 } })
    const first = await db().renewal.findFirstOrThrow({ where: { orderId } })
    const renewed = [{ id: first.allocationIds[0], expiresAt: new Date(Date.now() + 31 * DAY_MS).toISOString() }]
    await db()
      .$queryRaw`SELECT * FROM end_renewal(${first.id}, ${JSON.stringify(renewed)}::jsonb, '{}', 'supplier_failed', now() + interval '4 hours')`
    expect(await balanceOf(customer.id)).toMatchObject({ balanceMicros: 9_000_000n, heldMicros: 0n })
    expect(await runRenewals()).toMatchObject({ held: 0 })
    await letHoursPass(orderId, 5)
    expect(await runRenewals()).toMatchObject({ held: 1 })
    expect(await db().renewal.findFirstOrThrow({ where: { orderId, state: 'held' } })).toMatchObject({
      allocationIds: [first.allocationIds[1]],
      totalMicros: 1_000_000n,
    })
  })
})

describe('money and words about a renewal', () => {
  it('one that costs more than the customer pays is not made: their money is back', async () => {
    const { customer, renewalId } = await heldRenewal()
    const dear: Supplier = {
      ...adapter(),
      quoteRenewal: async () => ({ costMicros: 2_000_001n, currency: 'USD' }),
    }
    await renewAtSuppliers({ renewalId }, () => dear)
    expect(await spentThere()).toBe(0n)
    expect(await balanceOf(customer.id)).toMatchObject({ balanceMicros: 10_000_000n, heldMicros: 0n })
    const run = await db().renewalRun.findFirstOrThrow({ where: { renewalId } })
    expect(run).toMatchObject({ state: 'refused', refusal: 'too_dear', costMicros: null })
  })

  it('a lost answer is booked at what it was quoted', async () => {
    const { renewalId } = await heldRenewal()
    await control('fail', { times: 1, match: 'prolong', after: true, timeout: true })
    await renewAtSuppliers({ renewalId }, adapter)
    await resolveRenewal({ renewalId }, adapter)
    const run = await db().renewalRun.findFirstOrThrow({ where: { renewalId } })
    expect(run).toMatchObject({ state: 'done', costMicros: 1_200_000n, costCurrency: 'USD' })
    const booked = await db().ledgerTransfer.findMany({ where: { key: `cost:${run.id}` } })
    expect(booked.map((transfer) => transfer.amountMicros)).toEqual([1_200_000n])
  })

  it.each([
    ['renewed', 8_000_000n, 30],
    ['not_renewed', 10_000_000n, 0],
  ] as const)(
    'nobody knows, and a person says %s: it ends so, once, with the reason kept',
    async (decision, balance, days) => {
      const { customer, orderId, before, renewalId } = await heldRenewal()
      await control('fail', { times: 1, match: 'prolong', timeout: true })
      await renewAtSuppliers({ renewalId }, adapter)
      const { id: runId } = await db().renewalRun.findFirstOrThrow({ where: { renewalId } })
      const word = { runId, decision, reason: 'asked them by mail' }
      expect(await decideRenewalRun(SYSTEM, word)).toMatchObject({ refusal: { code: 'not_waiting' } })
      await db().renewalRun.update({ where: { id: runId }, data: { startedAt: new Date(Date.now() - 20 * 60_000) } })
      expect((await listUnknownOutcomes()).find(({ id }) => id === runId)).toMatchObject({
        kind: 'renewal',
        renewalId,
        orderId,
        quantity: 2,
      })
      const ends = await Promise.all([decideRenewalRun(SYSTEM, word), decideRenewalRun(SYSTEM, word)])
      expect(ends.some((end) => end.ok)).toBe(true)
      expect(await balanceOf(customer.id)).toMatchObject({ balanceMicros: balance, heldMicros: 0n })
      const after = await endsOf(orderId)
      expect(Math.round((after[0]! - before[0]!) / DAY_MS)).toBe(days)
      expect(await decideRenewalRun(SYSTEM, word)).toMatchObject({ refusal: { code: 'not_waiting' } })
    },
  )
})
