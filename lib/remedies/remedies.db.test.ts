import { checkBooks } from '@/lib/admin'
import { COMMON_POLICY, findPlan, type Policy, savePolicy } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import { getBalance } from '@/lib/ledger'
import { expireOrders, findOrder, placeOrder, renewOrder, switchRenewal } from '@/lib/orders'
import { listAllocations } from '@/lib/provisioning'
import { giveCredit } from './refund-proxies'
import { newId, OperationalError } from '@/lib/kit'
import type { Supplier } from '@/lib/suppliers'
import { makePlan, orderFor } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { type Bought, buyDelivered, letHoursPass } from '@/test/factories/orders'
import { afterAll, describe, expect, it } from 'vitest'
import {
  creditDowntime,
  listCredits,
  listReplacements,
  previewRefund,
  previewReplacement,
  refundProxies,
  replaceDead,
  replaceProxies,
} from './index'

const STAFF = { kind: 'staff' as const, id: 'usr_test' }
const HOUR_MS = 3_600_000

afterAll(async () => {
  expect((await checkBooks()).findings).toEqual([])
})

const GENEROUS: Policy = {
  rows: [
    ...COMMON_POLICY.rows,
    { when: 'any', withinHours: 24, maxTrafficPercent: null, remedy: 'refund', refundPercent: 100, of: 'paid' },
    { when: 'any', withinHours: null, maxTrafficPercent: null, remedy: 'refund', refundPercent: 50, of: 'remaining' },
  ],
  replacementsPerProxy: 2,
  downtimeHours: 12,
}

async function planWith(rules: Policy, units = 20) {
  const plan = await makePlan({ units })
  const { product } = (await findPlan(plan.planId, { fresh: true }))!
  const saved = await savePolicy(STAFF, { productId: product.id, version: 0, rules })
  if (!saved.ok) throw new Error(saved.refusal.code)
  return { ...plan, productId: product.id }
}

/** As the checks of lib/checks would have left it. */
async function checked(orderId: string, allocationId: string, checks: { at: Date; ok: boolean }[]) {
  for (const { at, ok } of checks)
    await db().proxyCheck.create({
      data: {
        id: newId('chk'),
        allocationId,
        orderId,
        kind: 'schedule',
        at,
        ok,
        ...(ok ? { exitAddress: '192.0.2.1', latencyMs: 5 } : { failure: 'timeout' }),
      },
    })
  const last = checks.at(-1)!
  const state = {
    orderId,
    lastOk: last.ok,
    lastAt: last.at,
    failingSince: last.ok ? null : checks.findLast((check) => !check.ok)!.at,
  }
  await db().proxyHealth.upsert({ where: { allocationId }, create: { allocationId, ...state }, update: state })
}
const kill = (orderId: string, allocationId: string) => checked(orderId, allocationId, [{ at: new Date(), ok: false }])
const balanceOf = async (userId: string) => (await getBalance({ userId })).balanceMicros

describe('a policy', () => {
  it('is versioned, and an order keeps the one of its day', async () => {
    const plan = await planWith(GENEROUS)
    const before = await buyDelivered({ plan })
    const strict: Policy = { rows: [], replacementsPerProxy: 0, downtimeHours: null }
    expect(await savePolicy(STAFF, { productId: plan.productId, version: 0, rules: strict })).toMatchObject({
      refusal: { code: 'changed_meanwhile' },
    })
    expect(await savePolicy(STAFF, { productId: plan.productId, version: 1, rules: strict })).toMatchObject({
      value: { version: 2 },
    })
    const later = await buyDelivered({ plan })
    expect(await previewRefund(before.customer, before)).toMatchObject({ value: { totalMicros: 1_000_000n } })
    expect(await previewRefund(later.customer, later)).toMatchObject({ value: { totalMicros: 0n } })
    await expect(db().productPolicy.updateMany({ data: { rules: {} } })).rejects.toMatchObject({ code: 'P2003' }) // as Prisma names restrict_violation
  })
})

describe('a refund by rule', () => {
  it('returns the exact sum that was previewed, once, and ends those proxies only', async () => {
    const plan = await planWith(GENEROUS)
    const { customer, orderId, allocationIds } = await buyDelivered({ plan, quantity: 3 })
    const ids = allocationIds.slice(0, 2)
    expect(await previewRefund(customer, { orderId, allocationIds: ids })).toMatchObject({
      value: { totalMicros: 2_000_000n },
    })
    const input = { orderId, allocationIds: ids, totalMicros: 2_000_000n, requestKey: newId('req') }
    const results = await Promise.all(Array.from({ length: 10 }, () => refundProxies(customer, input)))
    expect(results.every((result) => result.ok)).toBe(true)
    expect(await balanceOf(customer.id)).toBe(2_000_000n)
    expect(await listAllocations({ userId: customer.id, orderId })).toHaveLength(1)
    expect(await findOrder({ orderId })).toMatchObject({ state: 'active' })
    expect(await refundProxies(customer, { ...input, allocationIds: ids.slice(1) })).toMatchObject({
      refusal: { code: 'key_reused' },
    })
    expect(await refundProxies(customer, { ...input, requestKey: newId('req') })).toMatchObject({
      refusal: { code: 'not_found' },
    })
    const last = { orderId, allocationIds: allocationIds.slice(2), totalMicros: 1_000_000n, requestKey: newId('req') }
    expect(await refundProxies(customer, last)).toMatchObject({ ok: true })
    expect(await findOrder({ orderId })).toMatchObject({ state: 'refunded', dueAt: null })
  })

  it('by time, with renewals in it, never more than was paid', async () => {
    const plan = await planWith(GENEROUS)
    const { customer, orderId } = await buyDelivered({ plan, leftMicros: 1_000_000n })
    await renewOrder(customer, { orderId, periodDays: 30, totalMicros: 1_000_000n, requestKey: newId('req') })
    await letHoursPass(orderId, 15 * 24)
    const preview = await previewRefund(customer, { orderId })
    // half of the 45 days that are left of 60 which cost 2.00
    expect(Number(preview.ok && preview.value.totalMicros)).toBeCloseTo(750_000, -2)
    expect(
      await refundProxies(customer, { orderId, allocationIds: [], totalMicros: 0n, requestKey: newId('req') }),
    ).toMatchObject({ refusal: { code: 'not_found' } })
  })

  it('two forms for the same proxy at once: one is given', async () => {
    const plan = await planWith(GENEROUS)
    const { customer, orderId, allocationIds } = await buyDelivered({ plan })
    const send = () =>
      refundProxies(customer, { orderId, allocationIds, totalMicros: 1_000_000n, requestKey: newId('req') })
    const results = await Promise.all([send(), send(), send(), send()])
    expect(results.filter((result) => result.ok)).toHaveLength(1)
    expect(await balanceOf(customer.id)).toBe(1_000_000n)
  })

  it('a sum other than was shown, somebody else’s proxy anywhere in the list, a rule that gives nothing: refused, nothing done', async () => {
    const plan = await planWith(COMMON_POLICY)
    const mine = await buyDelivered({ plan, quantity: 2 })
    const other = await buyDelivered({ plan: await planWith(GENEROUS) })
    const ask = (more: Partial<Parameters<typeof refundProxies>[1]>) =>
      refundProxies(mine.customer, {
        orderId: mine.orderId,
        allocationIds: mine.allocationIds,
        totalMicros: 2_000_000n,
        requestKey: newId('req'),
        ...more,
      })
    expect(await ask({})).toMatchObject({ refusal: { code: 'nothing_to_refund' } })
    expect(await ask({ allocationIds: [...mine.allocationIds, ...other.allocationIds] })).toMatchObject({
      refusal: { code: 'not_found' },
    })
    expect(await ask({ orderId: other.orderId, allocationIds: other.allocationIds })).toMatchObject({
      refusal: { code: 'not_found' },
    })
    expect(
      await refundProxies(other.customer, {
        orderId: other.orderId,
        allocationIds: other.allocationIds,
        totalMicros: 999_000_000n,
        requestKey: newId('req'),
      }),
    ).toMatchObject({
      refusal: { code: 'price_changed', facts: { totalMicros: 1_000_000n } },
    })
    expect(await balanceOf(mine.customer.id)).toBe(0n)
  })
})

describe('a replacement', () => {
  it('does what its dry run said: another proxy from stock to the same end, once, on record', async () => {
    const plan = await planWith(COMMON_POLICY, 4)
    const { customer, orderId, allocationIds } = await buyDelivered({ plan, quantity: 2 })
    for (const id of allocationIds) await kill(orderId, id)
    const before = await listAllocations({ userId: customer.id, orderId })
    const dry = await previewReplacement(customer, { orderId, allocationIds })
    expect(dry).toMatchObject({ value: { inStock: 2, proxies: [{ outcome: 'replaced' }, { outcome: 'replaced' }] } })
    expect(await listAllocations({ userId: customer.id, orderId })).toEqual(before)
    const input = {
      orderId,
      allocationIds: allocationIds.slice(0, 1),
      reason: 'dead' as const,
      requestKey: newId('req'),
    }
    await Promise.all(Array.from({ length: 5 }, () => replaceProxies(customer, input)))
    expect(await replaceProxies(customer, input)).toMatchObject({ value: { replaced: 1 } })
    const now = await listAllocations({ userId: customer.id, orderId })
    expect(now.map((proxy) => proxy.expiresAt)).toEqual(before.map((proxy) => proxy.expiresAt))
    expect(now.map((proxy) => proxy.id)).toContain(allocationIds[1])
    expect(now.map((proxy) => proxy.id)).not.toContain(allocationIds[0])
    expect(await listReplacements({ orderId })).toMatchObject([{ state: 'replaced', reason: 'dead', asked: true }])
    expect(await db().stockUnit.count({ where: { offerId: plan.offerId, state: 'withdrawn' } })).toBe(1)
    // alive again: the policy has no row for it
    const fresh = now.find((proxy) => proxy.id !== allocationIds[1])!
    expect(
      await replaceProxies(customer, { ...input, allocationIds: [fresh.id], requestKey: newId('req') }),
    ).toMatchObject({ value: { refused: 1 } })
    expect(
      await replaceProxies(customer, { ...input, allocationIds: [allocationIds[0]!], requestKey: newId('req') }),
    ).toMatchObject({ refusal: { code: 'not_found' } })
  })

  it('nothing in stock: the policy’s money, and the place ends', async () => {
    const plan = await planWith(COMMON_POLICY, 1)
    const { customer, orderId, allocationIds } = await buyDelivered({ plan })
    await kill(orderId, allocationIds[0]!)
    expect(await previewReplacement(customer, { orderId, allocationIds })).toMatchObject({
      value: { proxies: [{ outcome: 'credited', moneyMicros: 1_000_000n }] },
    })
    expect(
      await Promise.all([replaceDead({ orderId, allocationIds }), replaceDead({ orderId, allocationIds })]),
    ).toContainEqual({ replaced: 0, requested: 0, waiting: 0, credited: 1, refused: 0 })
    await replaceDead({ orderId, allocationIds })
    expect(await balanceOf(customer.id)).toBe(1_000_000n)
    expect(await findOrder({ orderId })).toMatchObject({ state: 'refunded' })
    expect(await listReplacements({ orderId })).toMatchObject([{ state: 'credited', newPlace: null, asked: false }])
  })

  it('comes from another host where there is one, else from the same one under another login', async () => {
    const plan = await planWith(COMMON_POLICY, 4)
    const { customer, orderId, allocationIds } = await buyDelivered({ plan, quantity: 1 })
    const hostOf = async (id: string) => (await db().allocation.findUniqueOrThrow({ where: { id } })).host
    const old = await hostOf(allocationIds[0]!)
    const free = await db().stockUnit.findMany({
      where: { offerId: plan.offerId, state: 'free' },
      orderBy: { rank: 'asc' },
    })
    await db().stockUnit.updateMany({
      where: { id: { in: free.slice(0, 2).map((unit) => unit.id) } },
      data: { host: old },
    })
    for (const expected of [free[2]!.host, old]) {
      const [held] = await listAllocations({ userId: customer.id, orderId })
      await kill(orderId, held!.id)
      expect(await replaceDead({ orderId, allocationIds: [held!.id] })).toMatchObject({ replaced: 1 })
      const [now] = await listAllocations({ userId: customer.id, orderId })
      expect(now!.host).toBe(expected)
    }
  })

  it('dies between the money and its record: neither stands, and the next try does both', async () => {
    const plan = await planWith(COMMON_POLICY, 1)
    const { customer, orderId, allocationIds } = await buyDelivered({ plan })
    const credit = {
      orderId,
      key: `not_replaced:${allocationIds[0]}`,
      cause: 'not_replaced' as const,
      amountMicros: 1_000_000n,
      allocationIds,
      evidence: {},
      givenBy: null,
    }
    const dying = giveCredit(credit, async () => {
      throw new Error('the process died here')
    })
    await expect(dying).rejects.toThrow('the process died here')
    expect(await balanceOf(customer.id)).toBe(0n)
    expect(await findOrder({ orderId })).toMatchObject({ state: 'active' })
    await kill(orderId, allocationIds[0]!)
    expect(await replaceDead({ orderId, allocationIds })).toMatchObject({ credited: 1 })
    expect(await balanceOf(customer.id)).toBe(1_000_000n)
    expect(await listReplacements({ orderId })).toMatchObject([{ state: 'credited' }])
  })

  it('the last unit, wanted by ten at once: one gets it, the others get their money', async () => {
    const plan = await planWith(COMMON_POLICY, 11)
    const orders = await Promise.all(Array.from({ length: 10 }, () => buyDelivered({ plan })))
    for (const { orderId, allocationIds } of orders) await kill(orderId, allocationIds[0]!)
    const results = await Promise.all(orders.map((order) => replaceDead(order)))
    expect(results.filter((result) => result.replaced === 1)).toHaveLength(1)
    expect(results.filter((result) => result.credited === 1)).toHaveLength(9)
  })

  it('more often than the policy says: refused; what was paid stays with the place', async () => {
    const plan = await planWith({ ...COMMON_POLICY, replacementsPerProxy: 1 }, 5)
    const { customer, orderId, allocationIds } = await buyDelivered({ plan })
    await kill(orderId, allocationIds[0]!)
    await replaceDead({ orderId, allocationIds })
    const [second] = await listAllocations({ userId: customer.id, orderId })
    await kill(orderId, second!.id)
    expect(await replaceDead({ orderId, allocationIds: [second!.id] })).toEqual({
      replaced: 0,
      requested: 0,
      waiting: 0,
      credited: 0,
      refused: 1,
    })
  })
})

describe('downtime', () => {
  it('longer than promised is credited in proportion, once however often the job runs; the rest the next night', async () => {
    const plan = await planWith(COMMON_POLICY)
    const { customer, orderId, allocationIds } = await buyDelivered({ plan, quantity: 2 })
    await letHoursPass(orderId, 10 * 24)
    const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS)
    await checked(orderId, allocationIds[0]!, [
      // 36 of 720 hours: 5 %
      { at: ago(60), ok: true },
      { at: ago(54), ok: false },
      { at: ago(30), ok: false },
      { at: ago(18), ok: true },
    ])
    await checked(orderId, allocationIds[1]!, [
      { at: ago(20), ok: false },
      { at: ago(9), ok: true },
      { at: ago(6), ok: false },
    ])
    await Promise.all([creditDowntime(), creditDowntime(), creditDowntime()])
    await creditDowntime()
    expect(await balanceOf(customer.id)).toBe(50_000n)
    const [credit] = await listCredits({ orderId, userId: customer.id })
    expect(credit).toMatchObject({
      cause: 'downtime',
      amountMicros: 50_000n,
      evidence: { failedChecks: 2, promisedHours: 12 },
    })
    // the second still fails: after the promise is broken the whole stretch counts, then each night its part
    await creditDowntime(new Date(Date.now() + 8 * HOUR_MS))
    await creditDowntime(new Date(Date.now() + 30 * HOUR_MS))
    const second = (await listCredits({ orderId })).filter((each) => each.allocationIds[0] === allocationIds[1])
    expect(second).toHaveLength(2)
    expect(Number(second.reduce((sum, each) => sum + each.amountMicros, 0n))).toBeCloseTo(50_000, -2)
  })

  it('is owed for a proxy that was exchanged, and for one whose time ended, before the night came', async () => {
    const plan = await planWith(COMMON_POLICY)
    const { customer, orderId, allocationIds } = await buyDelivered({ plan, quantity: 2 })
    await letHoursPass(orderId, 10 * 24)
    const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS)
    for (const id of allocationIds)
      await checked(orderId, id, [
        { at: ago(48), ok: false },
        { at: ago(12), ok: false },
      ])
    const ask = { orderId, allocationIds: allocationIds.slice(0, 1), reason: 'dead', requestKey: newId('req') } as const
    expect(await replaceProxies(customer, ask)).toMatchObject({ value: { replaced: 1 } })
    await db().allocation.updateMany({ where: { id: allocationIds[1] }, data: { expiresAt: ago(1), state: 'expired' } })
    await Promise.all([creditDowntime(), creditDowntime()])
    const credits = await listCredits({ orderId })
    // 36 of 720 hours, and of the 239 that the second had
    expect(credits.map((credit) => credit.allocationIds[0]).toSorted()).toEqual(allocationIds.toSorted())
    expect(credits.find((credit) => credit.allocationIds[0] === allocationIds[0])!.amountMicros).toBe(50_000n)
  })
})

/** A renewal of these proxies that waits for a supplier, at 1.00 a piece for 30 days. */
async function holdRenewal({ customer, orderId, plan }: Bought, ids: string[], due: Date | null = null, days = 30) {
  const [row] = await db().$queryRaw<{ outcome: string; renewal_id: string }[]>(Prisma.sql`
    SELECT outcome, renewal_id FROM renew_order(${newId('rnw')}, ${orderId}, ${customer.id}, ${newId('req')}, ${due}::timestamptz, ${ids}::text[], '{}',
      (SELECT revision FROM plans WHERE id = ${plan.planId}), ${days}::int, ${ids.length}::int, 1000000, 0, ${ids.length * 1_000_000}, 'USD')`)
  return row!
}
const endRenewal = (renewalId: string, told: { id: string; expiresAt: Date }[]) =>
  db()
    .$queryRaw`SELECT * FROM end_renewal(${renewalId}, ${JSON.stringify(told)}::jsonb, '{}', NULL, now() + interval '4 hours')`
const endOf = async (id: string) => (await db().allocation.findUniqueOrThrow({ where: { id } })).expiresAt

describe('a renewal that a supplier did otherwise', () => {
  it('in part: its money is that of the proxies it renewed, and so are its words', async () => {
    const plan = await planWith(GENEROUS)
    const bought = await buyDelivered({ plan, quantity: 2, leftMicros: 2_000_000n })
    const { customer, orderId, allocationIds } = bought
    const [first, second] = allocationIds as [string, string]
    const until = new Date((await endOf(first)).getTime() + 30 * 24 * HOUR_MS)
    const { renewal_id: renewalId } = await holdRenewal(bought, allocationIds)
    // told twice of the same proxy
    await endRenewal(renewalId, [
      { id: first, expiresAt: until },
      { id: first, expiresAt: until },
    ])
    expect(await db().renewal.findUnique({ where: { id: renewalId } })).toMatchObject({ capturedMicros: 1_000_000n })
    expect(await previewRefund(customer, { orderId })).toMatchObject({
      value: {
        proxies: [
          { allocationId: first, moneyMicros: 2_000_000n },
          { allocationId: second, moneyMicros: 1_000_000n },
        ],
      },
    })
    const event = await db().orderEvent.findFirstOrThrow({ where: { orderId, kind: 'renewed' } })
    expect(event.data).toMatchObject({ quantity: 1 })
    expect(new Date((event.data as { until: string }).until)).toEqual(until)
    const all = { orderId, allocationIds, totalMicros: 3_000_000n, requestKey: newId('req') }
    expect(await refundProxies(customer, all)).toMatchObject({ ok: true })
    expect(await balanceOf(customer.id)).toBe(4_000_000n)
  })

  it('for less time than was paid for: the rest of the money is back', async () => {
    const bought = await buyDelivered({ quantity: 2, leftMicros: 2_000_000n })
    const { customer, orderId, allocationIds } = bought
    const end = (await endOf(allocationIds[0]!)).getTime()
    const { renewal_id: renewalId } = await holdRenewal(bought, allocationIds)
    await endRenewal(renewalId, [
      { id: allocationIds[0]!, expiresAt: new Date(end + 15 * 24 * HOUR_MS) },
      { id: allocationIds[1]!, expiresAt: new Date(end + 31 * 24 * HOUR_MS) },
    ])
    expect(await balanceOf(customer.id)).toBe(500_000n)
    expect(await listCredits({ orderId })).toMatchObject([
      { cause: 'late', amountMicros: 500_000n, allocationIds: [allocationIds[0]] },
    ])
  })

  it('while it is under way the order’s other proxies end when that was promised', async () => {
    const bought = await buyDelivered({ quantity: 2, leftMicros: 1_000_000n })
    const { orderId, allocationIds } = bought
    const { renewal_id: renewalId } = await holdRenewal(bought, allocationIds.slice(0, 1))
    const end = await endOf(allocationIds[0]!)
    await letHoursPass(orderId, 31 * 24)
    await expireOrders()
    await expireOrders()
    expect(await db().allocation.findUnique({ where: { id: allocationIds[1] } })).toMatchObject({ state: 'expired' })
    expect(await db().allocation.findUnique({ where: { id: allocationIds[0] } })).toMatchObject({ state: 'active' })
    await endRenewal(renewalId, [{ id: allocationIds[0]!, expiresAt: new Date(end.getTime() + 30 * 24 * HOUR_MS) }])
    expect(await findOrder({ orderId })).toMatchObject({ state: 'active' })
    expect(await db().renewal.findUnique({ where: { id: renewalId } })).toMatchObject({ state: 'done' })
  })

  it('by itself it is of the terms that stand when it happens', async () => {
    const bought = await buyDelivered({ leftMicros: 5_000_000n })
    const { customer, orderId, allocationIds } = bought
    await switchRenewal(customer, { orderId, isOn: true, periodDays: 30, totalMicros: 1_000_000n })
    const due = (await findOrder({ orderId }))!.dueAt!
    // The run read the terms; then the customer chose another period, or agreed to less.
    expect(await holdRenewal(bought, allocationIds, due, 60)).toMatchObject({ outcome: 'switched_off' })
    await db().order.update({ where: { id: orderId }, data: { renewUnitMicros: 999_999n } })
    expect(await holdRenewal(bought, allocationIds, due)).toMatchObject({ outcome: 'switched_off' })
    await db().order.update({ where: { id: orderId }, data: { renewUnitMicros: 1_000_000n } })
    expect(await holdRenewal(bought, allocationIds, due)).toMatchObject({ outcome: 'held' })
  })

  it('a day has 24 hours, whatever the server’s calendar says', async () => {
    const [row] = await db().$transaction(async (tx) => {
      await tx.$executeRaw`SET LOCAL TimeZone = 'Europe/Berlin'`
      return tx.$queryRaw<{ hours: number }[]>`
        SELECT (extract(epoch FROM renewed_until('2040-03-15T12:00:00Z', 30) - '2040-03-15T12:00:00Z'::timestamptz) / 3600)::int AS hours`
    })
    expect(row!.hours).toBe(30 * 24)
  })
})

describe('what a supplier delivers otherwise', () => {
  const waiting = async (supplier: 'px6' | 'iproyal-residential', quantity: number) => {
    const plan = await makePlan({ supplier })
    const { product } = (await findPlan(plan.planId, { fresh: true }))!
    await savePolicy(STAFF, { productId: product.id, version: 0, rules: COMMON_POLICY })
    const customer = await insertCustomer({ balanceMicros: BigInt(quantity) * 1_000_000n })
    const placed = await placeOrder(customer, await orderFor(plan, quantity))
    if (!placed.ok) throw new Error(placed.refusal.code)
    return { customer, orderId: placed.value.orderId }
  }
  const hand = async (orderId: string, proxies: object[]) => {
    const login = { supplierRef: 'r', username: 'u', password: 'p', protocols: ['http'] }
    const told = proxies.map((proxy, index) => ({ ...login, host: '192.0.2.9', port: 1_000 + index, ...proxy }))
    const [row] = await db().$queryRaw<{ outcome: string }[]>(
      Prisma.sql`SELECT outcome FROM complete_delivery(${orderId}, NULL, NULL, NULL, NULL, ${JSON.stringify(told)}::jsonb)`,
    )
    return row!.outcome
  }

  it('a proxy whose end is over already is not paid for', async () => {
    const { customer, orderId } = await waiting('px6', 2)
    expect(await hand(orderId, [{ expiresAt: '2001-01-01T00:00:00Z' }, {}])).toBe('delivered')
    expect(await balanceOf(customer.id)).toBe(1_000_000n)
  })

  it('the time that is missing was not paid for: it does not come back twice', async () => {
    const plan = await makePlan({ supplier: 'px6' })
    const { product } = (await findPlan(plan.planId, { fresh: true }))!
    await savePolicy(STAFF, { productId: product.id, version: 0, rules: GENEROUS })
    const customer = await insertCustomer({ balanceMicros: 1_000_000n })
    const placed = await placeOrder(customer, await orderFor(plan))
    const orderId = placed.ok ? placed.value.orderId : ''
    const expiresAt = new Date(Date.now() + 15 * 24 * HOUR_MS)
    await hand(orderId, [{ expiresAt }])
    expect(Number(await balanceOf(customer.id))).toBeCloseTo(500_000, -2)
    await letHoursPass(orderId, 7.5 * 24)
    // half of what is left of the half that was paid
    const preview = await previewRefund(customer, { orderId })
    expect(Number(preview.ok && preview.value.totalMicros)).toBeCloseTo(125_000, -2)
  })

  it('of gigabytes whole ones are paid for', async () => {
    const { customer, orderId } = await waiting('iproyal-residential', 2)
    expect(await hand(orderId, [{ grantedBytes: '1700000000' }])).toBe('delivered')
    expect(await balanceOf(customer.id)).toBe(1_000_000n)
  })

  it('a login with less than a gigabyte is nothing, and nothing is left of it', async () => {
    const { orderId } = await waiting('iproyal-residential', 1)
    expect(await hand(orderId, [{ grantedBytes: '500000000' }])).toBe('nothing_to_deliver')
    expect(await db().allocation.count({ where: { orderId } })).toBe(0)
  })

  it('traffic is given back by what is used when it is given back, not an hour before', async () => {
    const { customer, orderId } = await waiting('iproyal-residential', 1)
    await hand(orderId, [{ grantedBytes: '1000000000' }])
    const { id } = await db().allocation.findFirstOrThrow({ where: { orderId } })
    let usedBytes = 900_000_000n
    const supplierFor = (isThere: boolean) => async () => {
      const readSubAccount = async () => {
        if (!isThere) throw new OperationalError('iproyal-residential', 'away')
        return { usedBytes }
      }
      return { traffic: { readSubAccount } } as unknown as Supplier
    }
    const ask = () => ({ orderId, allocationIds: [id], totalMicros: 1_000_000n, requestKey: newId('req') })
    expect(await previewRefund(customer, ask())).toMatchObject({ value: { totalMicros: 1_000_000n } })
    expect(await refundProxies(customer, ask(), supplierFor(false))).toMatchObject({
      refusal: { code: 'supplier_unavailable' },
    })
    expect(await refundProxies(customer, ask(), supplierFor(true))).toMatchObject({
      refusal: { code: 'nothing_to_refund' },
    })
    usedBytes = 50_000_000n
    expect(await refundProxies(customer, ask(), supplierFor(true))).toMatchObject({ ok: true })
    expect(await balanceOf(customer.id)).toBe(1_000_000n)
  })
})
