import { startIproyalFake } from '@/fakes/iproyal'
import { startIproyalResidentialFake } from '@/fakes/iproyal-residential'
import type { Fake } from '@/fakes/kit'
import { startProxySellerFake } from '@/fakes/proxy-seller'
import { startPx6Fake } from '@/fakes/px6'
import { checkBooks } from '@/lib/admin'
import { SYSTEM } from '@/lib/audit'
import { saveOffer, type SaveOfferInput } from '@/lib/catalog'
import { db } from '@/lib/db'
import { newId, OperationalError } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import { expireOrders, findOrder, placeOrder } from '@/lib/orders'
import {
  createIproyal,
  createIproyalResidential,
  createProxySeller,
  createPx6,
  type Supplier,
  UnknownOutcomeError,
} from '@/lib/suppliers'
import { addUnits, makePlan, orderFor, type PlanOnSale } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { letHoursPass } from '@/test/factories/orders'
import { insertSupplier } from '@/test/factories/supplier'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { giveBack } from './deliver-order'
import { daysUntilDry } from './forecast'
import {
  askSupplier,
  closeTraffic,
  countRunningDry,
  countUnknownOutcomes,
  decideDelivery,
  deliverOrder,
  findSupplierForAdmin,
  forgetSupplier,
  getOrderMargin,
  listMargins,
  listUnknownOutcomes,
  pollBalances,
  readTraffic,
  resolveDelivery,
  supplyRules,
  syncStock,
} from './index'
import { costInShop } from './judge-cost'

const KEY = 'router-test-key'
let px6: Fake, seller: Fake, royal: Fake, traffic: Fake
const away = new Set<string>()

beforeAll(async () => {
  const at = { port: 0, apiKey: KEY, exitPort: 1 }
  ;[px6, seller, royal, traffic] = await Promise.all([
    startPx6Fake(at),
    startProxySellerFake(at),
    startIproyalFake(at),
    startIproyalResidentialFake(at),
  ])
  await tell(seller, 'delivery', { afterMs: 0 })
})
afterAll(async () => {
  await Promise.all([px6, seller, royal, traffic].map((fake) => fake.close()))
  expect((await checkBooks()).findings).toEqual([])
})
beforeEach(async () => {
  away.clear()
  await db().supplierHealth.deleteMany()
  for (const fake of [px6, seller, royal, traffic]) await tell(fake, 'reset', {})
  await tell(px6, 'limit', { perSecond: 0 })
  await tell(px6, 'balance', { amount: '1000.00' })
  await tell(px6, 'stock', { country: 'nl', count: 200 })
  await supplyRules.save(SYSTEM, { allowLoss: false, needsQuote: false, unknownAfterMinutes: 15, warnDays: 7 })
})

const tell = (fake: Fake, call: string, body: object) =>
  fetch(`${fake.controlUrl}/${call}`, { method: 'POST', body: JSON.stringify(body) })
const sold = async (fake: Fake) => ((await (await fetch(`${fake.controlUrl}/orders`)).json()) as unknown[]).length
const noWait = { timeoutMs: 700, waitForTurn: async () => {} }

/** The real adapters against their stand-ins; those in `away` are at an address where nobody answers. */
function adapter(name: string): Supplier {
  const at = (fake: Fake, path: string) => ({
    baseUrl: away.has(name) ? 'http://127.0.0.1:2' : `${fake.url}${path}`,
    apiKey: KEY,
  })
  if (name === 'px6') return createPx6({ ...at(px6, '/api'), ...noWait })
  if (name === 'iproyal') return createIproyal({ ...at(royal, '/v1/reseller'), ...noWait })
  if (name === 'iproyal-residential') return createIproyalResidential({ ...at(traffic, '/v1'), ...noWait })
  return createProxySeller({ ...at(seller, '/personal/api/v2'), ...noWait, pollDelaysMs: [0, 0, 0] })
}

const PARAMS: Record<string, Record<string, string>> = {
  px6: { version: '4' },
  'proxy-seller': { section: 'ipv4', purpose: 'Tests', protocol: 'http' },
  iproyal: { productId: '3', plans: '30=31, 60=32', locations: 'nl=21' },
}

/** One more offer behind the plan. */
async function addOffer(plan: PlanOnSale, supplier: SaveOfferInput['supplier'], more: Partial<SaveOfferInput> = {}) {
  const saved = await saveOffer(SYSTEM, {
    planId: plan.planId,
    countryCode: 'NL',
    supplier,
    priority: 5,
    isActive: true,
    params: PARAMS[supplier],
    ...more,
  })
  if (!saved.ok) throw new Error(saved.refusal.code)
  return saved.value.offerId
}
const px6Plan = (unitPriceMicros = 5_000_000n) => makePlan({ supplier: 'px6', unitPriceMicros, params: PARAMS.px6 })

async function buy(plan: PlanOnSale, quantity = 1) {
  const customer = await insertCustomer({ balanceMicros: 500_000_000n })
  const placed = await placeOrder(customer, await orderFor(plan, quantity))
  if (!placed.ok) throw new Error(placed.refusal.code)
  return { customer, orderId: placed.value.orderId }
}
const held = (orderId: string) => db().allocation.findMany({ where: { orderId }, orderBy: { position: 'asc' } })
const kinds = async (orderId: string) => (await findOrder({ orderId }))!.events.map((event) => event.kind)
const lastRun = (orderId: string) =>
  db().delivery.findFirstOrThrow({ where: { orderId }, orderBy: { startedAt: 'desc' } })
/** As if the run had been sent so long ago. */
const letRunAge = (id: string, minutes: number) =>
  db().delivery.update({ where: { id }, data: { startedAt: new Date(Date.now() - minutes * 60_000) } })

it('no money goes back while another job of the order is buying', async () => {
  const { customer, orderId } = await buy(await px6Plan())
  const buying = {
    ...adapter('px6'),
    buy: async (...request: Parameters<Supplier['buy']>) => {
      // Meanwhile a look-up of an earlier run gives up.
      await giveBack({ orderId, reason: 'supplier_failed' })
      return adapter('px6').buy(...request)
    },
  }
  await deliverOrder({ orderId }, async () => buying)
  expect((await findOrder({ orderId }))!.state).toBe('active')
  expect((await getBalance({ userId: customer.id })).balanceMicros).toBe(495_000_000n)
})

it('several alike that a supplier accepts now and delivers later: each finds its own by the number it was given', async () => {
  await tell(royal, 'deliver', { later: true })
  const plan = await makePlan({ supplier: 'iproyal', unitPriceMicros: 90_000_000n, params: PARAMS.iproyal })
  const orders = await Promise.all(Array.from({ length: 3 }, () => buy(plan, 2)))
  await Promise.all(orders.map(({ orderId }) => deliverOrder({ orderId }, adapter)))
  for (const { orderId } of orders) {
    expect((await findOrder({ orderId }))!.state).toBe('unknown')
    await expect(resolveDelivery({ deliveryId: (await lastRun(orderId)).id }, adapter)).rejects.toBeInstanceOf(
      OperationalError,
    )
  }
  await tell(royal, 'confirm', {})
  await tell(royal, 'deliver', { later: false })
  await Promise.all(
    orders.map(async ({ orderId }) => resolveDelivery({ deliveryId: (await lastRun(orderId)).id }, adapter)),
  )
  const runs = await Promise.all(orders.map(({ orderId }) => lastRun(orderId)))
  for (const run of runs) expect(run).toMatchObject({ state: 'delivered', supplierOrderId: run.takenAs })
  expect(new Set(runs.map((run) => run.supplierOrderId)).size).toBe(3)
})

describe('the next source of the same country', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['is sold out', () => tell(px6, 'stock', { country: 'nl', count: 0 })],
    ['cannot be reached', async () => away.add('px6')],
    ['has no money of ours', () => tell(px6, 'balance', { amount: '0.00' })],
    ['refuses our address', () => tell(px6, 'callers', { allowed: false })],
    ['says too many requests', () => tell(px6, 'fail', { times: 1, match: 'getprice', status: 429 })],
    ['talks nonsense to a question', () => tell(px6, 'nonsense', { match: 'getprice', times: 1 })],
  ])('takes over at once when the first %s', async (_, happen) => {
    const plan = await px6Plan()
    const next = await addOffer(plan, 'proxy-seller')
    const { customer, orderId } = await buy(plan, 2)
    await happen()
    await deliverOrder({ orderId }, adapter)
    await tell(px6, 'callers', { allowed: true })
    expect((await findOrder({ orderId }))!.state).toBe('active')
    expect((await held(orderId)).map((row) => row.offerId)).toEqual([next, next])
    expect(await kinds(orderId)).toContain('source_changed')
    expect((await getBalance({ userId: customer.id })).heldMicros).toBe(0n)
  })

  it('is stock that lies free, reserved for the order in one call', async () => {
    const plan = await px6Plan()
    const next = await addOffer(plan, 'stock')
    await addUnits(next, 3)
    const { orderId } = await buy(plan, 2)
    away.add('px6')
    await Promise.all(Array.from({ length: 4 }, () => deliverOrder({ orderId }, adapter).catch(() => {})))
    expect((await held(orderId)).map((row) => row.offerId)).toEqual([next, next])
    expect(await db().stockUnit.count({ where: { offerId: next, state: 'free' } })).toBe(1)
  })

  it('is never one of another country: the money goes back', async () => {
    const plan = await px6Plan()
    const abroad = await addOffer(plan, 'stock', { countryCode: 'DE' })
    await addUnits(abroad, 5)
    const other = await buy(plan)
    const { customer, orderId } = await buy(plan)
    await tell(px6, 'stock', { country: 'nl', count: 0 })
    await deliverOrder({ orderId }, adapter)
    expect(await findOrder({ orderId })).toMatchObject({ state: 'failed', failure: 'sold_out' })
    expect((await getBalance({ userId: customer.id })).balanceMicros).toBe(500_000_000n)
    const [row] = await db().$queryRaw<
      { outcome: string }[]
    >`SELECT move_order_to_offer(${orderId}, ${abroad}, true) AS outcome`
    expect(row!.outcome).toBe('ended')
    const [moved] = await db().$queryRaw<{ outcome: string }[]>`
      SELECT move_order_to_offer(${other.orderId}, ${abroad}, true) AS outcome`
    expect(moved!.outcome).toBe('other_place')
    await tell(px6, 'stock', { country: 'nl', count: 200 })
    await deliverOrder({ orderId: other.orderId }, adapter)
  })

  it('is not asked while an outcome is open: nothing is bought a second time', async () => {
    const plan = await px6Plan()
    await addOffer(plan, 'proxy-seller')
    const { orderId } = await buy(plan)
    const before = [await sold(px6), await sold(seller)]
    await tell(px6, 'fail', { times: 1, match: 'buy', after: true, timeout: true })
    await Promise.all([deliverOrder({ orderId }, adapter), deliverOrder({ orderId }, adapter)])
    await deliverOrder({ orderId }, adapter)
    expect((await findOrder({ orderId }))!.state).toBe('unknown')
    expect([await sold(px6), await sold(seller)]).toEqual([before[0]! + 1, before[1]])
    await resolveDelivery({ deliveryId: (await lastRun(orderId)).id }, adapter)
    expect(await held(orderId)).toHaveLength(1)
    // What the look-up does not tell, the quote of the run stands in for.
    expect(await lastRun(orderId)).toMatchObject({ costMicros: 600_000n, costCurrency: 'USD' })
    expect(await getOrderMargin({ orderId })).toEqual({
      revenueMicros: 5_000_000n,
      costMicros: 600_000n,
      unknownCosts: 0,
    })
  })

  it('is not asked again for an order it refused for good', async () => {
    const plan = await px6Plan()
    await addOffer(plan, 'proxy-seller')
    const { orderId } = await buy(plan)
    await tell(px6, 'balance', { amount: '0.00' })
    away.add('proxy-seller')
    await expect(deliverOrder({ orderId }, adapter)).rejects.toThrow(OperationalError)
    await expect(deliverOrder({ orderId }, adapter)).rejects.toThrow(OperationalError)
    expect(await db().delivery.count({ where: { orderId, supplier: 'px6' } })).toBe(1)
    away.clear()
    await deliverOrder({ orderId }, adapter)
    expect((await findOrder({ orderId }))!.state).toBe('active')
  })
})

describe('never at a loss', () => {
  it('a source that asks for more than the customer paid is passed over, and staff see why', async () => {
    const plan = await px6Plan(500_000n)
    const next = await addOffer(plan, 'stock')
    await addUnits(next, 1)
    const first = await buy(plan)
    const before = await sold(px6)
    await deliverOrder({ orderId: first.orderId }, adapter)
    expect((await held(first.orderId))[0]!.offerId).toBe(next)
    expect(await lastRun(first.orderId)).toMatchObject({
      state: 'refused',
      refusal: 'too_dear',
      quotedMicros: 600_000n,
    })
    const second = await buy(plan)
    await deliverOrder({ orderId: second.orderId }, adapter)
    expect(await findOrder({ orderId: second.orderId })).toMatchObject({ state: 'failed', failure: 'supplier_failed' })
    expect(await sold(px6)).toBe(before)
    await supplyRules.save(SYSTEM, { allowLoss: true, needsQuote: false, unknownAfterMinutes: 15, warnDays: 7 })
    const third = await buy(plan)
    await deliverOrder({ orderId: third.orderId }, adapter)
    expect(await sold(px6)).toBe(before + 1)
    expect(await getOrderMargin({ orderId: third.orderId })).toMatchObject({ costMicros: 600_000n })
  })

  it('a supplier that takes more than it quoted, and more than was paid, is bought from once: its offer is switched off', async () => {
    const plan = await px6Plan(1_000_000n)
    const liar: Supplier = {
      ...adapter('px6'),
      buy: async (request) => {
        const outcome = await adapter('px6').buy(request)
        return outcome.kind === 'delivered' ? { ...outcome, costMicros: 1_000_001n } : outcome
      },
    }
    const { orderId } = await buy(plan)
    await deliverOrder({ orderId }, () => liar)
    expect(await held(orderId)).toHaveLength(1)
    expect(await getOrderMargin({ orderId })).toMatchObject({ revenueMicros: 1_000_000n, costMicros: 1_000_001n })
    expect(await db().offer.findUniqueOrThrow({ where: { id: plan.offerId } })).toMatchObject({ isActive: false })
    expect(
      await db().auditEntry.count({ where: { subjectId: plan.offerId, action: 'provisioning.offer_stopped' } }),
    ).toBe(1)
    await expect(buy(plan)).rejects.toThrow('plan_not_found')
  })

  it('other currencies are compared by the operator’s rate, rounded against us; without one the rule decides', async () => {
    expect(costInShop(100_000_000n, '0.0125')).toBe(1_250_000n)
    expect(costInShop(1n, '0.0125')).toBe(1n)
    const inRoubles: Supplier = {
      ...adapter('px6'),
      quote: async () => ({ costMicros: 90_000_000n, currency: 'RUB' }),
    }
    const plan = await px6Plan(1_000_000n)
    await supplyRules.save(SYSTEM, { allowLoss: false, needsQuote: true, unknownAfterMinutes: 15, warnDays: 7 })
    const unknown = await buy(plan)
    await deliverOrder({ orderId: unknown.orderId }, () => inRoubles)
    expect((await findOrder({ orderId: unknown.orderId }))!.state).toBe('failed')
    await insertSupplier('px6', { apiUrl: `${px6.url}/api`, apiKey: KEY }, { costCurrency: 'RUB', costRate: '0.0125' })
    const dear = await buy(plan)
    await deliverOrder({ orderId: dear.orderId }, () => inRoubles)
    expect(await lastRun(dear.orderId)).toMatchObject({ refusal: 'too_dear' })
    await insertSupplier('px6', {}, { costCurrency: 'RUB', costRate: '0.011' })
    const fine = await buy(plan)
    await deliverOrder({ orderId: fine.orderId }, () => inRoubles)
    expect((await findOrder({ orderId: fine.orderId }))!.state).toBe('active')
  })
})

describe('the circuit', () => {
  it('opens after five failures in a row for every process, and lets exactly one through to try', async () => {
    const plan = await px6Plan()
    const next = await addOffer(plan, 'stock')
    await addUnits(next, 20)
    away.add('px6')
    for (let order = 0; order < 5; order += 1) await deliverOrder({ orderId: (await buy(plan)).orderId }, adapter)
    const health = await db().supplierHealth.findUniqueOrThrow({ where: { supplier: 'px6' } })
    expect(health).toMatchObject({ failures: 5 })
    expect(health.openUntil!.getTime()).toBeGreaterThan(Date.now())
    away.clear()
    const { orderId } = await buy(plan)
    const before = await sold(px6)
    await deliverOrder({ orderId }, adapter)
    expect(await sold(px6)).toBe(before)
    expect((await held(orderId))[0]!.offerId).toBe(next)

    await db().supplierHealth.update({ where: { supplier: 'px6' }, data: { openUntil: new Date(Date.now() - 1000) } })
    const claims = await Promise.all(
      Array.from({ length: 10 }, () => db().$queryRaw<{ may: boolean }[]>`SELECT claim_supplier_call('px6') AS may`),
    )
    expect(claims.filter(([row]) => row!.may)).toHaveLength(1)
    await db().supplierHealth.update({ where: { supplier: 'px6' }, data: { openUntil: new Date(Date.now() - 1000) } })
    await deliverOrder({ orderId: (await buy(plan)).orderId }, adapter)
    expect(await db().supplierHealth.findUniqueOrThrow({ where: { supplier: 'px6' } })).toMatchObject({
      failures: 0,
      openUntil: null,
    })
  })

  it('with no other source the order waits, its money held', async () => {
    const plan = await px6Plan()
    const { customer, orderId } = await buy(plan)
    await db().supplierHealth.create({
      data: { supplier: 'px6', failures: 9, openUntil: new Date(Date.now() + 60_000) },
    })
    await expect(deliverOrder({ orderId }, adapter)).rejects.toThrow(OperationalError)
    expect((await getBalance({ userId: customer.id })).heldMicros).toBe(5_000_000n)
    await db().supplierHealth.deleteMany()
    await deliverOrder({ orderId }, adapter)
    expect((await findOrder({ orderId }))!.state).toBe('active')
  })
})

describe('a supplier that keeps no reference of ours', () => {
  const royalPlan = () => makePlan({ supplier: 'iproyal', unitPriceMicros: 5_000_000n, params: PARAMS.iproyal })

  it('a lost answer is found by what was asked and when, once, though another purchase is like it', async () => {
    const plan = await royalPlan()
    const known = await buy(plan)
    await deliverOrder({ orderId: known.orderId }, adapter)
    const { orderId } = await buy(plan)
    const before = await sold(royal)
    await tell(royal, 'fail', { times: 1, match: 'orders', method: 'POST', after: true, timeout: true })
    await deliverOrder({ orderId }, adapter)
    expect((await findOrder({ orderId }))!.state).toBe('unknown')
    const run = await lastRun(orderId)
    await Promise.all([
      resolveDelivery({ deliveryId: run.id }, adapter),
      resolveDelivery({ deliveryId: run.id }, adapter),
    ])
    expect(await sold(royal)).toBe(before + 1)
    const [mine, theirs] = [await held(orderId), await held(known.orderId)]
    expect(mine).toHaveLength(1)
    expect(`${mine[0]!.host}:${mine[0]!.username}`).not.toBe(`${theirs[0]!.host}:${theirs[0]!.username}`)
  })

  it('an order id that was handed over before is handed over to nobody else: a person decides', async () => {
    const plan = await px6Plan()
    const first = await buy(plan)
    await deliverOrder({ orderId: first.orderId }, adapter)
    const { supplierOrderId } = await lastRun(first.orderId)
    const doubled: Supplier = {
      ...adapter('px6'),
      buy: async (request) => {
        const outcome = await adapter('px6').buy(request)
        return outcome.kind === 'delivered' ? { ...outcome, supplierOrderId } : outcome
      },
    }
    const second = await buy(plan)
    await deliverOrder({ orderId: second.orderId }, () => doubled)
    expect((await findOrder({ orderId: second.orderId }))!.state).toBe('unknown')
    expect(await held(second.orderId)).toEqual([])
    await resolveDelivery({ deliveryId: (await lastRun(second.orderId)).id }, adapter)
    expect(await held(second.orderId)).toHaveLength(1)
  })
})

describe('unknown outcomes', () => {
  /** An order whose purchase was sent without anybody knowing what came of it, twenty minutes ago. */
  async function waiting(isBought: boolean) {
    const plan = await px6Plan()
    const { customer, orderId } = await buy(plan, 2)
    await tell(px6, 'fail', { times: 1, match: 'buy', after: isBought, timeout: true })
    await deliverOrder({ orderId }, adapter)
    const { id } = await lastRun(orderId)
    await letRunAge(id, 20)
    return { customer, orderId, deliveryId: id }
  }
  const PROXIES = '203.0.113.7:8000:u1:p1\n203.0.113.8:8000:u2:p2'
  const decision = { supplierOrderId: '', proxies: '', reason: 'looked at their page' }

  it('appear with all facts after the minutes of the rules, and nothing that is younger', async () => {
    const before = await countUnknownOutcomes()
    const { orderId, customer, deliveryId } = await waiting(true)
    await letRunAge(deliveryId, 10)
    expect(await countUnknownOutcomes()).toBe(before)
    await letRunAge(deliveryId, 16)
    expect(await countUnknownOutcomes()).toBe(before + 1)
    expect((await listUnknownOutcomes()).find(({ id }) => id === deliveryId)).toMatchObject({
      kind: 'delivery',
      orderId,
      userId: customer.id,
      supplier: 'px6',
      reference: deliveryId,
      countryCode: 'NL',
      quantity: 2,
      periodDays: 30,
      totalMicros: 10_000_000n,
      lookups: 0,
    })
    expect(await askSupplier(SYSTEM, { deliveryId }, adapter)).toEqual({ ok: true, value: 'found' })
    expect(await held(orderId)).toHaveLength(2)
    expect(await countUnknownOutcomes()).toBe(before)
    expect(await askSupplier(SYSTEM, { deliveryId }, adapter)).toMatchObject({ refusal: { code: 'not_waiting' } })
  })

  it('bought, by a person’s word: what they paste is handed over once, with their order’s number', async () => {
    const { orderId, deliveryId, customer } = await waiting(false)
    expect(await askSupplier(SYSTEM, { deliveryId }, adapter)).toEqual({ ok: true, value: 'nothing' })
    away.add('px6')
    expect(await askSupplier(SYSTEM, { deliveryId }, adapter)).toMatchObject({
      refusal: { code: 'supplier_unavailable' },
    })
    const bought = { ...decision, deliveryId, decision: 'bought' as const, supplierOrderId: 'their-77' }
    expect(await decideDelivery(SYSTEM, { ...bought, proxies: 'what' })).toMatchObject({
      refusal: { code: 'proxies_unreadable', facts: { line: 1 } },
    })
    const ends = await Promise.all([
      decideDelivery(SYSTEM, { ...bought, proxies: PROXIES }),
      decideDelivery(SYSTEM, { ...bought, proxies: PROXIES }),
    ])
    expect(ends.some((end) => end.ok)).toBe(true)
    expect((await held(orderId)).map((row) => row.host)).toEqual(['203.0.113.7', '203.0.113.8'])
    expect(await lastRun(orderId)).toMatchObject({
      state: 'delivered',
      supplierOrderId: 'their-77',
      costMicros: 1_200_000n,
    })
    expect((await getBalance({ userId: customer.id })).balanceMicros).toBe(490_000_000n)
    const audited = await db().auditEntry.findMany({
      where: { subjectId: orderId, action: 'provisioning.outcome_decided' },
    })
    expect(audited[0]!.data).toMatchObject({ reason: 'looked at their page', decision: 'bought' })
    away.clear()
    const other = await waiting(false)
    expect(await decideDelivery(SYSTEM, { ...bought, deliveryId: other.deliveryId, proxies: PROXIES })).toMatchObject({
      refusal: { code: 'purchase_taken' },
    })
    await decideDelivery(SYSTEM, { ...decision, deliveryId: other.deliveryId, decision: 'give_back' })
  })

  it('not bought: the money goes back, or the order is delivered anew; a call that is still under way is nobody’s to decide', async () => {
    const first = await waiting(false)
    await letRunAge(first.deliveryId, 0)
    const back = { ...decision, deliveryId: first.deliveryId, decision: 'give_back' as const }
    expect(await decideDelivery(SYSTEM, back)).toMatchObject({ refusal: { code: 'not_waiting' } })
    await letRunAge(first.deliveryId, 20)
    expect(await decideDelivery(SYSTEM, back)).toMatchObject({ ok: true })
    expect((await getBalance({ userId: first.customer.id })).balanceMicros).toBe(500_000_000n)
    expect(await decideDelivery(SYSTEM, back)).toMatchObject({ refusal: { code: 'not_waiting' } })
    const second = await waiting(false)
    await db().outboxJob.deleteMany({})
    await decideDelivery(SYSTEM, { ...decision, deliveryId: second.deliveryId, decision: 'try_again' })
    expect((await db().outboxJob.findFirstOrThrow({})).payload).toEqual({ orderId: second.orderId })
    await deliverOrder({ orderId: second.orderId }, adapter)
    expect(await held(second.orderId)).toHaveLength(2)
  })
})

describe('what lies at suppliers', () => {
  it('is polled from those that are switched on, kept, and foreseen', async () => {
    await insertSupplier('px6', { apiUrl: `${px6.url}/api`, apiKey: KEY })
    await insertSupplier('iproyal-residential', { apiUrl: `${traffic.url}/v1`, apiKey: KEY })
    await insertSupplier('iproyal', { apiUrl: `${royal.url}/v1/reseller`, apiKey: KEY }, { isEnabled: false })
    await db().supplierBalance.create({
      data: { supplier: 'px6', balanceMicros: 1n, currency: 'USD', at: new Date(Date.now() - 91 * 86_400_000) },
    })
    await tell(px6, 'balance', { amount: '3.00' })
    expect(await pollBalances(adapter)).toBe(2)
    const rows = await db().supplierBalance.findMany({ orderBy: { supplier: 'asc' } })
    expect(rows.map((row) => [row.supplier, row.balanceMicros, row.availableBytes])).toEqual([
      ['iproyal-residential', null, 500_000_000_000n],
      ['px6', 3_000_000n, null],
    ])
    const view = (await findSupplierForAdmin('px6'))!
    expect(view.forecast).toMatchObject({ unit: 'money', left: 3_000_000n, currency: 'USD' })
    const spent = await db().delivery.aggregate({
      where: { supplier: 'px6', state: 'delivered', costCurrency: 'USD' },
      _sum: { costMicros: true },
    })
    expect(view.forecast!.spentPerDay).toBe(spent._sum.costMicros! / 14n)
    expect(view.forecast!.dryInDays).toBe(daysUntilDry(3_000_000n, view.forecast!.spentPerDay, new Map()))
    expect(await countRunningDry()).toBe(view.forecast!.dryInDays! < 7 ? 1 : 0)
    const margins = await listMargins()
    expect(margins.find(({ supplier }) => supplier === 'px6')!.costMicros).toBeGreaterThan(0n)
  })

  it('a proxy that its supplier exchanged costs at its renewal what the one before did', async () => {
    await insertSupplier('px6', { apiUrl: `${px6.url}/api`, apiKey: KEY })
    await pollBalances(adapter)
    const { orderId } = await buy(await px6Plan(), 2)
    await deliverOrder({ orderId }, adapter)
    const renewals = async () => (await findSupplierForAdmin('px6'))!.forecast!.renewals
    const before = await renewals()
    await db().order.update({
      where: { id: orderId },
      data: { autoRenew: true, renewPeriodDays: 30, renewUnitMicros: 5_000_000n },
    })
    const cost = (await lastRun(orderId)).costMicros!
    expect(await renewals()).toBe(before + cost)
    const [old] = await held(orderId)
    const { id, ...same } = old!
    const newer = { ...same, id: newId('alc'), position: 9, port: same.port + 1 }
    await db().allocation.update({ where: { id }, data: { state: 'replaced' } })
    await db().allocation.create({ data: newer })
    const { userId } = same
    await db().replacement.create({
      data: {
        id: newId('rpl'),
        orderId,
        userId,
        oldAllocationId: id,
        newAllocationId: newer.id,
        key: 'k',
        reason: 'dead',
        state: 'replaced',
        endedAt: new Date(),
      },
    })
    expect(await renewals()).toBe(before + cost)
    await db().order.update({ where: { id: orderId }, data: { autoRenew: false } })
  })

  it('lasts until the first day that needs more than is left', () => {
    expect(daysUntilDry(10n, 0n, new Map())).toBeNull()
    expect(daysUntilDry(10n, 3n, new Map())).toBe(3)
    expect(daysUntilDry(9n, 3n, new Map())).toBe(3)
    expect(daysUntilDry(10n, 0n, new Map([[20, 11n]]))).toBe(20)
    expect(daysUntilDry(0n, 1n, new Map())).toBe(0)
  })
})

describe('traffic', () => {
  const gigabyte = 1_000_000_000n
  const trafficPlan = () =>
    makePlan({
      supplier: 'iproyal-residential',
      kind: 'residential',
      unitPriceMicros: 3_000_000n,
      params: { location: '_country-nl' },
    })
  const users = async () =>
    (await (await fetch(`${traffic.controlUrl}/subusers`)).json()) as { username: string; available: string }[]

  it('is one login with as many gigabytes as were bought; read while it runs, closed when it ends', async () => {
    const before = (await users()).length
    const plan = await trafficPlan()
    const { customer, orderId } = await buy(plan, 5)
    await Promise.all([deliverOrder({ orderId }, adapter), deliverOrder({ orderId }, adapter)])
    const [login, ...others] = await held(orderId)
    expect(others).toEqual([])
    expect(login).toMatchObject({ grantedBytes: 5n * gigabyte, usedBytes: null, accountClosedAt: null })
    expect(login!.password).toContain('_country-nl')
    expect((await getBalance({ userId: customer.id })).balanceMicros).toBe(485_000_000n)
    await tell(traffic, 'use', { username: login!.username, bytes: '1500000000' })
    await readTraffic(adapter)
    expect((await held(orderId))[0]!.usedBytes).toBe(1_500_000_000n)
    expect(await closeTraffic(adapter)).toBe(0)
    await letHoursPass(orderId, 31 * 24)
    await expireOrders()
    // Without its key nobody could close what is left there.
    expect(await forgetSupplier(SYSTEM, 'iproyal-residential')).toMatchObject({
      refusal: { code: 'supplier_in_use', facts: { count: 1 } },
    })
    expect(await Promise.all([closeTraffic(adapter), closeTraffic(adapter)])).toContain(1)
    expect((await users()).length).toBe(before)
    const [ended] = await held(orderId)
    expect(ended!.accountClosedAt).not.toBeNull()
    expect(ended!.usedBytes).toBe(1_500_000_000n)
    expect(await closeTraffic(adapter)).toBe(0)
  })

  it('made without an answer: found by its name, granted once', async () => {
    const plan = await trafficPlan()
    const { orderId } = await buy(plan, 2)
    const before = (await users()).length
    await tell(traffic, 'fail', { times: 1, match: 'subusers', method: 'POST', after: true, timeout: true })
    await deliverOrder({ orderId }, adapter)
    expect((await findOrder({ orderId }))!.state).toBe('unknown')
    await resolveDelivery({ deliveryId: (await lastRun(orderId)).id }, adapter)
    expect((await users()).length).toBe(before + 1)
    expect((await held(orderId))[0]).toMatchObject({ grantedBytes: 2n * gigabyte })
  })

  it('a parent with too little: the money goes back, and its offer shows whole gigabytes', async () => {
    const plan = await trafficPlan()
    const { customer, orderId } = await buy(plan, 4)
    await tell(traffic, 'traffic', { bytes: '2900000000' })
    await deliverOrder({ orderId }, adapter)
    expect(await findOrder({ orderId })).toMatchObject({ state: 'failed', failure: 'supplier_failed' })
    expect((await getBalance({ userId: customer.id })).balanceMicros).toBe(500_000_000n)
    await syncStock(adapter)
    expect((await db().offer.findUniqueOrThrow({ where: { id: plan.offerId } })).stockCount).toBe(2)
    await tell(traffic, 'traffic', { bytes: '500000000000' })
  })
})

it('killed between the purchase and the hand-over at the second source: looked up there, not bought again', async () => {
  const plan = await px6Plan()
  await addOffer(plan, 'proxy-seller')
  const { orderId } = await buy(plan)
  await tell(px6, 'stock', { country: 'nl', count: 0 })
  const before = await sold(seller)
  // The purchase happens, and then the process is gone: nothing after the call runs.
  let isBought = false
  const dying = (name: string): Supplier => {
    const real = adapter(name)
    if (name !== 'proxy-seller') return real
    return {
      ...real,
      buy: async (request) => {
        await real.buy(request)
        isBought = true
        return new Promise(() => {})
      },
    }
  }
  void deliverOrder({ orderId }, dying)
  await expect.poll(() => isBought).toBe(true)
  await deliverOrder({ orderId }, adapter)
  await resolveDelivery({ deliveryId: (await lastRun(orderId)).id }, adapter)
  expect(await sold(seller)).toBe(before + 1)
  expect(await held(orderId)).toHaveLength(1)
})

it('a bug of ours in a purchase leaves the run open and looked after, never bought over', async () => {
  const plan = await px6Plan()
  const { orderId } = await buy(plan)
  const unclear: Supplier = {
    ...adapter('px6'),
    buy: async () => {
      throw new UnknownOutcomeError('px6', 'half an answer')
    },
  }
  await deliverOrder({ orderId }, () => unclear)
  expect(await db().delivery.count({ where: { orderId, state: 'unknown' } })).toBe(1)
  for (let look = 0; look < 3; look += 1) await resolveDelivery({ deliveryId: (await lastRun(orderId)).id }, adapter)
  await deliverOrder({ orderId }, adapter)
  expect(await held(orderId)).toHaveLength(1)
})

it('one job gives up while another is buying: the money stays until the purchase has its end', async () => {
  const plan = await px6Plan()
  const { customer, orderId } = await buy(plan)
  let goOn: () => void = () => {}
  let isCalling = false
  const slow: Supplier = {
    ...adapter('px6'),
    buy: async (request) => {
      isCalling = true
      await new Promise<void>((resolve) => (goOn = resolve))
      return adapter('px6').buy(request)
    },
  }
  // It has seen the offer before the other began, and hears only now that there is nothing like it.
  let answer: (() => void) | undefined
  const late: Supplier = {
    ...adapter('px6'),
    quote: () => new Promise((resolve) => (answer = () => resolve(null))),
  }
  const giving = deliverOrder({ orderId }, () => late)
  await expect.poll(() => answer !== undefined).toBe(true)
  const buying = deliverOrder({ orderId }, () => slow)
  await expect.poll(() => isCalling).toBe(true)
  answer!()
  await giving
  expect((await getBalance({ userId: customer.id })).heldMicros).toBe(5_000_000n)
  goOn()
  await buying
  expect(await held(orderId)).toHaveLength(1)
})
