import type { Fake } from '@/fakes/kit'
import { startProxySellerFake } from '@/fakes/proxy-seller'
import { checkBooks } from '@/lib/admin'
import { SYSTEM } from '@/lib/audit'
import { COMMON_POLICY, findPlan, type Policy, saveOffer, savePolicy } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import { DAY_MS, HOUR_MS, newId } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import { expireOrders, findOrder, placeOrder, quoteRenewal, renewOrder, runRenewals, switchRenewal } from '@/lib/orders'
import { deliverOrder, renewAtSuppliers } from '@/lib/provisioning'
import { createProxySeller, type Supplier } from '@/lib/suppliers'
import { addUnits, makePlan, orderFor } from '@/test/factories/catalog'
import { giveMoney, insertCustomer } from '@/test/factories/customer'
import { letHoursPass } from '@/test/factories/orders'
import { checked } from '@/test/factories/remedies'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  countLateExchanges,
  creditDowntime,
  exchangeProxy,
  listLateExchanges,
  listReplacements,
  previewReplacement,
  refundProxies,
  replaceDead,
  replaceProxies,
  settleLateExchange,
  sweepExchanges,
} from './index'

const STAFF = { kind: 'staff' as const, id: 'usr_test' }
const KEY = 'exchange-test-key'
const PRICE = 20_000_000n
const NOTHING_DONE = { replaced: 0, requested: 0, waiting: 0, credited: 0, refused: 0 }

let seller: Fake
beforeAll(async () => {
  seller = await startProxySellerFake({ port: 0, apiKey: KEY, exitPort: 1 })
  await tell('delivery', { afterMs: 0 })
})
afterAll(async () => {
  await seller.close()
  expect((await checkBooks()).findings).toEqual([])
})
beforeEach(async () => {
  await tell('reset', {})
  await tell('door', { times: 0 })
  await tell('replacement', { outcome: 'replaced' })
  await db().supplierHealth.deleteMany()
})

const tell = (call: string, body: object) =>
  fetch(`${seller.controlUrl}/${call}`, { method: 'POST', body: JSON.stringify(body) })
const adapter = (): Supplier =>
  createProxySeller({
    baseUrl: `${seller.url}/personal/api/v2`,
    apiKey: KEY,
    timeoutMs: 700,
    waitForTurn: async () => {},
    pollDelaysMs: [0, 0, 0],
  })
class Killed extends Error {}
/** The adapter, counting how often it is asked to exchange; in a worker that dies before or after that, when told to. */
function watched(dies: 'before' | 'after' | 'never' = 'never') {
  const told = { calls: 0 }
  const supplierFor = (): Supplier => {
    const real = adapter()
    return {
      ...real,
      replace: async (request) => {
        if (dies === 'before') throw new Killed('the process died here')
        told.calls += 1
        const answer = await real.replace!(request)
        if (dies === 'after') throw new Killed('the process died here')
        return answer
      },
    }
  }
  return { told, supplierFor }
}

/** An order of proxies from the supplier, delivered, all of them found dead. */
async function boughtDead(quantity = 1, rules: Policy = COMMON_POLICY) {
  const plan = await makePlan({
    supplier: 'proxy-seller',
    unitPriceMicros: PRICE,
    params: { section: 'ipv4', purpose: 'Tests', protocol: 'http' },
  })
  const { product } = (await findPlan(plan.planId, { fresh: true }))!
  const saved = await savePolicy(STAFF, { productId: product.id, version: 0, rules })
  if (!saved.ok) throw new Error(saved.refusal.code)
  const customer = await insertCustomer({ balanceMicros: BigInt(quantity) * PRICE })
  const placed = await placeOrder(customer, await orderFor(plan, quantity))
  if (!placed.ok) throw new Error(placed.refusal.code)
  const { orderId } = placed.value
  await deliverOrder({ orderId }, adapter)
  const allocationIds = (await held(orderId)).map((row) => row.id)
  for (const id of allocationIds) await checked(orderId, id, [{ at: new Date(), ok: false }])
  return { plan, productId: product.id, customer, orderId, allocationIds }
}
type Bought = Awaited<ReturnType<typeof boughtDead>>

const held = (orderId: string) =>
  db().allocation.findMany({ where: { orderId, state: 'active' }, orderBy: { position: 'asc' } })
const rowOf = (order: Bought, index = 0) =>
  db().replacement.findFirstOrThrow({ where: { oldAllocationId: order.allocationIds[index] }, orderBy: { id: 'desc' } })
const idOf = async (order: Bought, index = 0) => ({ replacementId: (await rowOf(order, index)).id })
const balanceOf = async ({ customer }: Bought) => (await getBalance({ userId: customer.id })).balanceMicros
const kinds = async (orderId: string) => (await findOrder({ orderId }))!.events.map((event) => event.kind)
const placesThere = async () => {
  const orders = (await (await fetch(`${seller.controlUrl}/orders`)).json()) as {
    proxies: { host: string; endsAt: number }[]
  }[]
  return orders.flatMap((order) => order.proxies.filter((proxy) => proxy.endsAt > 0).map((proxy) => proxy.host))
}
/** The time of the row's next run comes, and so much more of its patience is over. */
const letTimePass = (replacementId: string, ms = 0) =>
  db().$executeRaw(Prisma.sql`
    UPDATE replacements SET look_at = least(look_at, now()), created_at = created_at - make_interval(secs => ${ms / 1000}::float8),
      give_up_at = give_up_at - make_interval(secs => ${ms / 1000}::float8) WHERE id = ${replacementId}`)
const ask = (order: Bought, more: Partial<Parameters<typeof replaceProxies>[1]> = {}) =>
  replaceProxies(
    order.customer,
    {
      orderId: order.orderId,
      allocationIds: order.allocationIds,
      reason: 'dead',
      requestKey: newId('req'),
      ...more,
    },
    adapter,
  )

describe('an exchange at the supplier that a proxy came from', () => {
  it('does what its dry run said: asked by a job, another proxy to the same end, on record, free', async () => {
    const order = await boughtDead()
    const [old] = await held(order.orderId)
    expect(await previewReplacement(order.customer, order, new Date(), adapter)).toMatchObject({
      value: { proxies: [{ outcome: 'requested', moneyMicros: PRICE }] },
    })
    expect(await db().replacement.count({ where: { orderId: order.orderId } })).toBe(0)
    const before = await adapter().getBalance()
    expect(await ask(order)).toEqual({ ok: true, value: { ...NOTHING_DONE, requested: 1 } })
    const { id } = await rowOf(order)
    expect(await held(order.orderId)).toEqual([old])
    expect(await db().outboxJob.count({ where: { payload: { path: ['replacementId'], equals: id } } })).toBe(1)
    await exchangeProxy({ replacementId: id }, adapter)
    const [now, ...others] = await held(order.orderId)
    expect(others).toEqual([])
    expect(now).toMatchObject({
      expiresAt: old!.expiresAt,
      deliveryId: old!.deliveryId,
      offerId: old!.offerId,
      position: 2,
      countryCode: old!.countryCode,
    })
    expect(now!.host).not.toBe(old!.host)
    expect(await placesThere()).toContain(now!.host)
    expect(await listReplacements({ orderId: order.orderId, userId: order.customer.id })).toMatchObject([
      { state: 'replaced', oldPlace: `${old!.host}:${old!.port}`, newPlace: `${now!.host}:${now!.port}`, until: null },
    ])
    expect(await kinds(order.orderId)).toEqual(expect.arrayContaining(['replacement_asked', 'replaced']))
    expect(await db().outgoingEmail.count({ where: { key: `replaced:${old!.id}` } })).toBe(1)
    const checks = { name: 'checks.check_order', payload: { path: ['orderId'], equals: order.orderId } }
    expect(await db().outboxJob.count({ where: checks })).toBe(2) // at hand-over, and for the new one
    expect(await adapter().getBalance()).toEqual(before)
    expect(await balanceOf(order)).toBe(0n)
    expect(await findOrder({ orderId: order.orderId })).toMatchObject({ state: 'active' })
    // The new one is exchanged in its turn, at the same order there, until the policy has given what it gives.
    await checked(order.orderId, now!.id, [{ at: new Date(), ok: false }])
    expect(await replaceDead({ orderId: order.orderId, allocationIds: [now!.id] }, adapter)).toMatchObject({
      requested: 1,
    })
    const second = await db().replacement.findFirstOrThrow({ where: { oldAllocationId: now!.id } })
    await exchangeProxy({ replacementId: second.id }, adapter)
    expect(await held(order.orderId)).toMatchObject([{ position: 3 }])
  })

  it('comes after stock, which is there at once', async () => {
    const order = await boughtDead(2)
    const offer = await saveOffer(STAFF, {
      planId: order.plan.planId,
      countryCode: 'NL',
      supplier: 'stock',
      priority: 9,
      isActive: true,
    })
    await addUnits(offer.ok ? offer.value.offerId : '', 1)
    await findPlan(order.plan.planId, { fresh: true })
    const dry = await previewReplacement(order.customer, order, new Date(), adapter)
    expect(dry).toMatchObject({ value: { proxies: [{ outcome: 'replaced' }, { outcome: 'requested' }] } })
    expect(await ask(order)).toMatchObject({ value: { replaced: 1, requested: 1 } })
  })

  it('asked for ten times by all and worked on by five at once: one call, one new proxy', async () => {
    const order = await boughtDead()
    const { told, supplierFor } = watched()
    const requestKey = newId('req')
    await Promise.all([
      ...Array.from({ length: 5 }, () => ask(order, { requestKey })),
      ...Array.from({ length: 5 }, () => replaceDead(order, adapter)),
    ])
    expect(await db().replacement.count({ where: { orderId: order.orderId } })).toBe(1)
    const turn = await idOf(order)
    await Promise.all(Array.from({ length: 5 }, () => exchangeProxy(turn, supplierFor)))
    await letTimePass(turn.replacementId)
    await exchangeProxy(turn, supplierFor)
    expect(told.calls).toBe(1)
    expect(await held(order.orderId)).toHaveLength(1)
    expect(await db().allocation.count({ where: { orderId: order.orderId } })).toBe(2)
  })

  it('of several proxies of one order at once: each gets one of its own', async () => {
    const order = await boughtDead(4)
    expect(await ask(order)).toMatchObject({ value: { requested: 4 } })
    const rows = await db().replacement.findMany({ where: { orderId: order.orderId } })
    await Promise.all(rows.map(({ id }) => exchangeProxy({ replacementId: id }, adapter)))
    for (const { id } of rows) {
      await letTimePass(id)
      await exchangeProxy({ replacementId: id }, adapter)
    }
    const now = await held(order.orderId)
    expect(new Set(now.map((row) => row.host)).size).toBe(4)
    for (const { host } of now) expect(await placesThere()).toContain(host)
    expect(await db().replacement.count({ where: { orderId: order.orderId, state: 'replaced' } })).toBe(4)
  })

  it('one is exchanged and one refused: that one is paid back at once, and nobody is asked for it again', async () => {
    const order = await boughtDead(2)
    await ask(order)
    await exchangeProxy(await idOf(order, 0), adapter)
    await tell('replacement', { outcome: 'refused' })
    await exchangeProxy(await idOf(order, 1), adapter)
    expect(await rowOf(order, 0)).toMatchObject({ state: 'replaced' })
    expect(await rowOf(order, 1)).toMatchObject({
      state: 'credited',
      step: 'refused',
      detail: 'Monthly replacement limit is reached',
      lookAt: null,
    })
    expect(await balanceOf(order)).toBe(PRICE)
    expect(await held(order.orderId)).toHaveLength(1)
  })

  it('refused where the policy gives no money: it stays, the customer reads so, and it is not asked for again', async () => {
    const free: Policy = {
      ...COMMON_POLICY,
      rows: COMMON_POLICY.rows.slice(0, 1).map((row) => ({ ...row, refundPercent: 0 })),
    }
    const order = await boughtDead(1, free)
    await tell('replacement', { outcome: 'refused' })
    await replaceDead(order, adapter)
    await exchangeProxy(await idOf(order), adapter)
    expect(await rowOf(order)).toMatchObject({ state: 'refused' })
    expect(await kinds(order.orderId)).toContain('not_replaced')
    expect(await held(order.orderId)).toHaveLength(1)
    expect(await replaceDead(order, adapter)).toEqual({ ...NOTHING_DONE, refused: 1 })
    expect(await ask(order)).toEqual({ ok: true, value: { ...NOTHING_DONE, refused: 1 } })
    expect(await db().replacement.count({ where: { orderId: order.orderId } })).toBe(1)
  })
})

const GENEROUS: Policy = {
  ...COMMON_POLICY,
  rows: [
    ...COMMON_POLICY.rows,
    { when: 'any', withinHours: null, maxTrafficPercent: null, remedy: 'refund', refundPercent: 100, of: 'paid' },
  ],
}
async function pending(quantity = 1, rules: Policy = GENEROUS) {
  const order = await boughtDead(quantity, rules)
  await tell('replacement', { outcome: 'pending' })
  await ask(order, { allocationIds: order.allocationIds.slice(0, 1) })
  const turn = await idOf(order)
  const { told, supplierFor } = watched()
  await exchangeProxy(turn, supplierFor)
  expect(await rowOf(order)).toMatchObject({ state: 'open', step: 'pending' })
  return { order, turn, told, supplierFor }
}

describe('a ticket at the supplier', () => {
  it('is looked at and never sent again, until the new proxy shows', async () => {
    const { order, turn, told, supplierFor } = await pending()
    for (let look = 0; look < 3; look += 1) {
      await letTimePass(turn.replacementId)
      await Promise.all([exchangeProxy(turn, supplierFor), exchangeProxy(turn, supplierFor)])
      expect(await rowOf(order)).toMatchObject({ state: 'open', lookups: look + 2 })
    }
    // A supplier that cannot be asked is asked later, and nothing is given meanwhile.
    await tell('fail', { times: 1, match: 'proxy/list', status: 503 })
    await letTimePass(turn.replacementId)
    await exchangeProxy(turn, supplierFor)
    await tell('tickets', { outcome: 'replaced' })
    expect(await rowOf(order)).toMatchObject({ state: 'open' })
    await letTimePass(turn.replacementId)
    await Promise.all([exchangeProxy(turn, supplierFor), exchangeProxy(turn, supplierFor)])
    expect(await rowOf(order)).toMatchObject({ state: 'replaced', lookAt: null })
    expect(told.calls).toBe(1)
    expect(await balanceOf(order)).toBe(0n)
  })

  it('keeps its proxy from being renewed, given back and exchanged again; downtime is credited as always', async () => {
    const { order } = await pending(2)
    const [id, other] = order.allocationIds as [string, string]
    expect(await ask(order, { allocationIds: [id] })).toEqual({ ok: true, value: { ...NOTHING_DONE, waiting: 1 } })
    expect(await replaceDead({ ...order, allocationIds: [id] }, adapter)).toMatchObject({ waiting: 1 })
    expect(await previewReplacement(order.customer, { ...order, allocationIds: [id] })).toMatchObject({
      value: { proxies: [{ outcome: 'waiting', moneyMicros: 0n }] },
    })
    const refund = { ...order, totalMicros: 2n * PRICE, requestKey: newId('req') }
    expect(await refundProxies(order.customer, refund)).toMatchObject({ refusal: { code: 'proxy_being_replaced' } })
    const renewal = { orderId: order.orderId, periodDays: 30, totalMicros: PRICE, requestKey: newId('req') }
    expect(await renewOrder(order.customer, { ...renewal, allocationIds: [id] })).toMatchObject({
      refusal: { code: 'proxy_being_replaced' },
    })
    expect(await quoteRenewal(order.customer, { orderId: order.orderId })).toMatchObject({
      value: { allocationIds: [other] },
    })
    // The functions of the database say so themselves, to whoever asks past the commands.
    const [credit] = await db().$queryRaw<{ outcome: string }[]>(Prisma.sql`
      SELECT outcome FROM credit_order('ocr_past', ${order.orderId}, 'past', 'not_replaced', 1, ARRAY[${id}], '{}'::jsonb, NULL)`)
    expect(credit!.outcome).toBe('being_replaced')
    const [stock] = await db().$queryRaw<{ outcome: string }[]>(Prisma.sql`
      SELECT outcome FROM replace_from_stock('rpl_past', ${order.orderId}, ${id}, '{}', 'past', 'dead', NULL)`)
    expect(stock!.outcome).toBe('being_replaced')
    await letHoursPass(order.orderId, 48)
    const ago = (hours: number) => new Date(Date.now() - hours * HOUR_MS)
    await checked(order.orderId, id, [
      { at: ago(40), ok: false },
      { at: ago(4), ok: false },
    ])
    await creditDowntime()
    expect(await balanceOf(order)).toBeGreaterThan(0n)
  })

  it('that nobody decides falls to the policy’s money, less what downtime gave; what comes after is shown to staff', async () => {
    const { order, turn, supplierFor } = await pending()
    await letHoursPass(order.orderId, 48)
    await checked(order.orderId, order.allocationIds[0]!, [
      { at: new Date(Date.now() - 40 * HOUR_MS), ok: false },
      { at: new Date(Date.now() - 4 * HOUR_MS), ok: false },
    ])
    await creditDowntime()
    const forDowntime = await balanceOf(order)
    expect(forDowntime).toBeGreaterThan(0n)
    await letTimePass(turn.replacementId, 2 * DAY_MS)
    await Promise.all(Array.from({ length: 4 }, () => exchangeProxy(turn, supplierFor)))
    expect(await rowOf(order)).toMatchObject({ state: 'credited' })
    expect(await balanceOf(order)).toBe(PRICE)
    expect(await findOrder({ orderId: order.orderId })).toMatchObject({ state: 'refunded' })
    await letTimePass(turn.replacementId)
    await exchangeProxy(turn, supplierFor)
    expect((await listReplacements({ orderId: order.orderId }))[0]).toMatchObject({ latePlace: null })
    await tell('tickets', { outcome: 'replaced' })
    await db().$executeRaw(Prisma.sql`UPDATE replacements SET look_at = now() WHERE id = ${turn.replacementId}`)
    await Promise.all([exchangeProxy(turn, supplierFor), exchangeProxy(turn, supplierFor)])
    const [shown] = await listReplacements({ orderId: order.orderId })
    expect(shown).toMatchObject({ state: 'credited', newPlace: null })
    expect(await placesThere()).toContain(shown!.latePlace!.split(':')[0])
    expect(await held(order.orderId)).toEqual([])
    expect(await balanceOf(order)).toBe(PRICE)
    // It waits for a person, and is settled once, with what became of it in the audit.
    const waiting = await countLateExchanges()
    const late = (await listLateExchanges()).find(({ id }) => id === turn.replacementId)
    expect(late).toMatchObject({ latePlace: shown!.latePlace, state: 'credited', supplier: 'proxy-seller' })
    const word = { replacementId: turn.replacementId, reason: 'put into stock' }
    const ends = await Promise.all([settleLateExchange(SYSTEM, word), settleLateExchange(SYSTEM, word)])
    expect(ends.filter((end) => end.ok)).toHaveLength(1)
    expect(await settleLateExchange(SYSTEM, word)).toMatchObject({ refusal: { code: 'not_waiting' } })
    expect(await countLateExchanges()).toBe(waiting - 1)
    const audits = { subjectId: order.orderId, action: 'remedies.late_exchange_settled' }
    expect(await db().auditEntry.count({ where: audits })).toBe(1)
  })

  it('falls to stock first, where some came in meanwhile', async () => {
    const { order, turn } = await pending()
    const offer = await saveOffer(STAFF, {
      planId: order.plan.planId,
      countryCode: 'NL',
      supplier: 'stock',
      priority: 9,
      isActive: true,
    })
    await addUnits(offer.ok ? offer.value.offerId : '', 1)
    await findPlan(order.plan.planId, { fresh: true })
    await letTimePass(turn.replacementId, 2 * DAY_MS)
    await exchangeProxy(turn, adapter)
    expect(await rowOf(order)).toMatchObject({ state: 'replaced' })
    expect(await held(order.orderId)).toHaveLength(1)
    expect(await balanceOf(order)).toBe(0n)
    // The supplier still has its ticket: what it gives is looked for.
    await tell('tickets', { outcome: 'replaced' })
    await letTimePass(turn.replacementId)
    await exchangeProxy(turn, adapter)
    expect((await rowOf(order)).latePlace).not.toBeNull()
  })

  it('its proxy does not expire under it, the others do; the money falls when its time is over', async () => {
    const { order, turn } = await pending(2)
    await letHoursPass(order.orderId, 30 * 24 + 1)
    await expireOrders()
    const states = await db().allocation.findMany({
      where: { orderId: order.orderId },
      orderBy: { position: 'asc' },
      select: { state: true },
    })
    expect(states.map((row) => row.state)).toEqual(['active', 'expired'])
    await letTimePass(turn.replacementId, 2 * DAY_MS)
    await exchangeProxy(turn, adapter)
    expect(await rowOf(order)).toMatchObject({ state: 'credited' })
    await expireOrders()
    expect(await findOrder({ orderId: order.orderId })).toMatchObject({ state: 'expired' })
  })

  it('automatic renewal takes the others, and then the new one, each once', async () => {
    const { order, turn } = await pending(2)
    const { customer, orderId } = order
    await giveMoney(customer.id, 2n * PRICE)
    await switchRenewal(customer, { orderId, isOn: true, periodDays: 30, totalMicros: PRICE })
    await letHoursPass(orderId, 29 * 24 + 1)
    expect(await runRenewals()).toMatchObject({ held: 1 })
    const first = await db().renewal.findFirstOrThrow({ where: { orderId } })
    expect(first.allocationIds).toEqual([order.allocationIds[1]])
    await renewAtSuppliers({ renewalId: first.id }, adapter)
    expect(await runRenewals()).toMatchObject({ held: 0 })
    await tell('tickets', { outcome: 'replaced' })
    await letTimePass(turn.replacementId)
    await exchangeProxy(turn, adapter)
    const fresh = (await rowOf(order)).newAllocationId!
    expect(await runRenewals()).toMatchObject({ held: 1 })
    const second = await db().renewal.findFirstOrThrow({ where: { orderId, state: 'held' } })
    expect(second.allocationIds).toEqual([fresh])
    await renewAtSuppliers({ renewalId: second.id }, adapter)
    expect(await balanceOf(order)).toBe(0n)
    expect(await runRenewals()).toMatchObject({ held: 0 })
  })
})

describe('an answer that is missing', () => {
  it.each([
    ['a time-out', { timeout: true }],
    ['a 500', { status: 500 }],
  ])('%s after it was exchanged: found in the order there, once', async (_, failure) => {
    const order = await boughtDead()
    const { told, supplierFor } = watched()
    await ask(order)
    const turn = await idOf(order)
    await tell('fail', { times: 1, match: 'proxy/replace', after: true, ...failure })
    await exchangeProxy(turn, supplierFor)
    expect(await rowOf(order)).toMatchObject({ state: 'open', step: 'unknown' })
    await letTimePass(turn.replacementId)
    await Promise.all([exchangeProxy(turn, supplierFor), exchangeProxy(turn, supplierFor)])
    expect(await rowOf(order)).toMatchObject({ state: 'replaced' })
    expect(told.calls).toBe(1)
    expect(await held(order.orderId)).toHaveLength(1)
  })

  it('a time-out before it was exchanged: not asked again, and paid back when the time is over', async () => {
    const order = await boughtDead()
    const { told, supplierFor } = watched()
    await ask(order)
    const turn = await idOf(order)
    await tell('fail', { times: 1, match: 'proxy/replace', timeout: true })
    await exchangeProxy(turn, supplierFor)
    for (let look = 0; look < 4; look += 1) {
      await letTimePass(turn.replacementId)
      await exchangeProxy(turn, supplierFor)
      expect(await rowOf(order)).toMatchObject({ state: 'open', step: 'unknown' })
    }
    await letTimePass(turn.replacementId, 2 * HOUR_MS)
    await exchangeProxy(turn, supplierFor)
    expect(await rowOf(order)).toMatchObject({ state: 'credited' })
    expect(told.calls).toBe(1)
    expect(await balanceOf(order)).toBe(PRICE)
  })

  it('“too many requests”: certainly not done, asked again; never reached for two hours: paid back', async () => {
    const [order, other] = [await boughtDead(), await boughtDead()]
    for (const each of [order, other]) await ask(each)
    await tell('door', { match: 'proxy/replace', times: 1 })
    await exchangeProxy(await idOf(order), adapter)
    expect(await rowOf(order)).toMatchObject({ state: 'open', step: 'waiting' })
    await letTimePass((await rowOf(order)).id)
    await exchangeProxy(await idOf(order), adapter)
    expect(await rowOf(order)).toMatchObject({ state: 'replaced' })
    const down = () => createProxySeller({ baseUrl: 'http://127.0.0.1:9/personal/api/v2', apiKey: KEY, timeoutMs: 200 })
    await exchangeProxy(await idOf(other), down)
    expect(await rowOf(other)).toMatchObject({ state: 'open', step: 'waiting' })
    await letTimePass((await rowOf(other)).id, 2 * HOUR_MS)
    await exchangeProxy(await idOf(other), down)
    expect(await rowOf(other)).toMatchObject({ state: 'credited', lookAt: null })
    expect(await balanceOf(other)).toBe(PRICE)
  })

  it('killed between the call and taking over: the promised look takes over, and nothing is asked again', async () => {
    const order = await boughtDead()
    const dying = watched('after')
    await ask(order)
    const turn = await idOf(order)
    await expect(exchangeProxy(turn, dying.supplierFor)).rejects.toThrow(Killed)
    expect(await rowOf(order)).toMatchObject({ state: 'open', step: 'calling' })
    // The queue tries the same job again: it is not its turn.
    const { told, supplierFor } = watched()
    await exchangeProxy(turn, supplierFor)
    expect(await rowOf(order)).toMatchObject({ state: 'open' })
    await letTimePass(turn.replacementId)
    await exchangeProxy(turn, supplierFor)
    expect(await rowOf(order)).toMatchObject({ state: 'replaced' })
    expect([dying.told.calls, told.calls]).toEqual([1, 0])
  })

  it('killed between the row and the call: nobody knows that, so it is looked for, and paid back in the end', async () => {
    const order = await boughtDead()
    await ask(order)
    const turn = await idOf(order)
    await expect(exchangeProxy(turn, watched('before').supplierFor)).rejects.toThrow(Killed)
    const { told, supplierFor } = watched()
    await letTimePass(turn.replacementId)
    await exchangeProxy(turn, supplierFor)
    expect(await rowOf(order)).toMatchObject({ state: 'open', step: 'calling' })
    await letTimePass(turn.replacementId, 2 * HOUR_MS)
    await exchangeProxy(turn, supplierFor)
    expect(await rowOf(order)).toMatchObject({ state: 'credited' })
    expect(told.calls).toBe(0)
    expect(await balanceOf(order)).toBe(PRICE)
  })

  it('the queue lost everything: the sweep promises it anew', async () => {
    const order = await boughtDead()
    await ask(order)
    const { id } = await rowOf(order)
    await db().outboxJob.deleteMany({ where: { payload: { path: ['replacementId'], equals: id } } })
    await db().$executeRaw(
      Prisma.sql`UPDATE replacements SET look_at = look_at - interval '4 minutes' WHERE id = ${id}`,
    )
    expect(await sweepExchanges()).toBeGreaterThan(0)
    const jobs = await db().outboxJob.findMany({ where: { payload: { path: ['replacementId'], equals: id } } })
    expect(jobs.map((job) => job.name)).toEqual(['remedies.exchange'])
  })
})

describe('what a supplier must not hand out', () => {
  it.each(['this order’s other proxy', 'another customer’s proxy', 'the dead one itself'])(
    'told for the new one: %s. It is not taken; what is in the order there is',
    async (which) => {
      const [order, other] = [await boughtDead(2), await boughtDead()]
      await ask(order, { allocationIds: order.allocationIds.slice(0, 1) })
      const [dead, good] = await held(order.orderId)
      const [foreign] = await held(other.orderId)
      const told = { 'this order’s other proxy': good, 'another customer’s proxy': foreign }[which] ?? dead
      const lying = (): Supplier => {
        const real = adapter()
        return {
          ...real,
          replace: async (request) => {
            const [answer] = await real.replace!(request)
            const { host, port, username, password, expiresAt } = told!
            const replacement = {
              supplierRef: 'x',
              host,
              port,
              username,
              password,
              protocols: ['http' as const],
              expiresAt,
            }
            return [{ ...answer!, kind: 'replaced', replacement }]
          },
        }
      }
      const turn = await idOf(order)
      await exchangeProxy(turn, lying)
      expect(await rowOf(order)).toMatchObject({ state: 'open', step: 'unknown' })
      await letTimePass(turn.replacementId)
      await exchangeProxy(turn, lying)
      expect(await rowOf(order)).toMatchObject({ state: 'replaced' })
      const hosts = (await held(order.orderId)).map((row) => row.host)
      expect(new Set(hosts).size).toBe(2)
      expect(hosts).not.toContain(foreign!.host)
      expect(hosts).not.toContain(dead!.host)
    },
  )
})

describe('at once with other things', () => {
  it('given back and exchanged in the same moment: one of them happens', async () => {
    for (let round = 0; round < 4; round += 1) {
      const order = await boughtDead(1, GENEROUS)
      const [refund] = await Promise.all([
        refundProxies(order.customer, { ...order, totalMicros: PRICE, requestKey: newId('req') }),
        ask(order),
      ])
      const open = await db().replacement.count({ where: { orderId: order.orderId, state: 'open' } })
      expect(Number(refund.ok) + open).toBe(1)
      if (open === 0) continue
      await exchangeProxy(await idOf(order), adapter)
      expect(await balanceOf(order)).toBe(0n)
    }
  })

  it('the order is withdrawn while its supplier works: nothing is handed over, and the exchange ends', async () => {
    const { order, turn } = await pending()
    await db().$transaction([
      db().allocation.updateMany({ where: { orderId: order.orderId }, data: { state: 'withdrawn' } }),
      db().$executeRaw(Prisma.sql`SELECT refresh_order(${order.orderId})::text`),
    ])
    await tell('tickets', { outcome: 'replaced' })
    await letTimePass(turn.replacementId)
    await exchangeProxy(turn, adapter)
    expect(await rowOf(order)).toMatchObject({ state: 'refused', newAllocationId: null })
    expect(await balanceOf(order)).toBe(0n)
  })
})
