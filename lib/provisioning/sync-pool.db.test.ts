import { checkBooks } from '@/lib/admin'
import { db } from '@/lib/db'
import { placeOrder } from '@/lib/orders'
import { createWebshare, type PoolProxy, type Supplier } from '@/lib/suppliers'
import { startWebshareFake, type WebshareFake } from '@/fakes/webshare'
import { addUnits, makePlan, orderFor, type PlanOnSale } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { deliverOrder, importStock, listAllocations, listAvailability, syncPool, syncStock } from './index'

let fake: WebshareFake
let supplier: Supplier
const supplierFor = () => supplier

async function tell(path: string, wish: object): Promise<void> {
  const answer = await fetch(`${fake.controlUrl}/${path}`, { method: 'POST', body: JSON.stringify(wish) })
  expect(answer.status).toBe(200)
}

beforeAll(async () => {
  fake = await startWebshareFake({ port: 0, apiKey: 'webshare-key', exitPort: 4321 })
  supplier = createWebshare({
    baseUrl: fake.url,
    apiKey: 'webshare-key',
    timeoutMs: 1000,
    waitForTurn: () => Promise.resolve(),
  })
})

afterAll(async () => {
  await fake.close()
  expect((await checkBooks()).findings).toEqual([])
})

beforeEach(async () => {
  // The pool is one; the offer of the test before must not take what this test's offer is to get.
  await db().offer.updateMany({ where: { supplier: 'webshare' }, data: { isActive: false } })
  await tell('pool', { count: 0, country: 'DE' })
})

async function poolPlan(count: number): Promise<PlanOnSale> {
  await tell('add', { count, country: 'DE' })
  const plan = await makePlan({ supplier: 'webshare', countryCode: 'DE' })
  await syncPool(supplierFor)
  return plan
}

async function bought(plan: PlanOnSale, quantity = 1) {
  const customer = await insertCustomer({ balanceMicros: 100_000_000n })
  const placed = await placeOrder(customer, await orderFor(plan, quantity))
  if (!placed.ok) throw new Error(placed.refusal.code)
  const { orderId } = placed.value
  return { orderId, held: () => listAllocations({ userId: customer.id, orderId }) }
}

async function delivered(plan: PlanOnSale, quantity = 1) {
  const order = await bought(plan, quantity)
  await deliverOrder({ orderId: order.orderId }, () => {
    throw new Error('nobody is asked when stock is sold')
  })
  const units = await db().stockUnit.findMany({ where: { orderId: order.orderId }, orderBy: { rank: 'asc' } })
  return { ...order, refs: units.map((unit) => unit.supplierRef!) }
}

const units = (plan: PlanOnSale, state: string) => db().stockUnit.count({ where: { offerId: plan.offerId, state } })
/** Customers of earlier tests hold proxies that are gone by now: only what is found of this offer counts. */
const sync = async (plan: PlanOnSale) =>
  (await syncPool(supplierFor)).filter((finding) => finding.offerId === plan.offerId)
const listed = () => supplier.pool!.listPool({})

it('what the pool has in the offer’s country is stock, once however often it is read, and sold as stock', async () => {
  await tell('add', { count: 3, country: 'US' })
  const plan = await poolPlan(4)
  expect(await sync(plan)).toEqual([])
  expect(await units(plan, 'free')).toBe(4)
  expect((await listAvailability()).get(plan.offerId)).toBe(4)
  const { held } = await delivered(plan, 2)
  const [proxy] = await held()
  expect(await held()).toHaveLength(2)
  expect(fake.isSold(proxy!.username, proxy!.password)).toBe(true)
  expect((await listAvailability()).get(plan.offerId)).toBe(2)
  // What a supplier says it can sell is no business of a pool.
  await syncStock(supplierFor)
  expect((await db().offer.findUniqueOrThrow({ where: { id: plan.offerId } })).stockCount).toBeNull()
})

it('a free proxy that is gone, does not work or moved abroad is withdrawn, and comes back with the pool', async () => {
  const plan = await poolPlan(4)
  const [first, second, third] = await listed()
  await tell('remove', { id: first!.supplierRef })
  await tell('change', { id: second!.supplierRef, valid: false })
  await tell('change', { id: third!.supplierRef, country: 'US' })
  expect(await sync(plan)).toEqual([])
  expect([await units(plan, 'free'), await units(plan, 'withdrawn')]).toEqual([1, 3])
  await tell('change', { id: second!.supplierRef, valid: true })
  await tell('change', { id: third!.supplierRef, country: 'DE' })
  await syncPool(supplierFor)
  expect([await units(plan, 'free'), await units(plan, 'withdrawn')]).toEqual([3, 1])
})

it('new login data reach the free unit, the reserved one and the customer, who is told of by one finding', async () => {
  const plan = await poolPlan(3)
  const sold = await delivered(plan)
  const reserved = await bought(plan)
  for (const proxy of await listed()) await tell('change', { id: proxy.supplierRef, pass: `new-${proxy.supplierRef}` })
  expect(await sync(plan)).toMatchObject([{ kind: 'login_changed', orderId: sold.orderId }])
  expect((await sold.held())[0]!.password).toBe(`new-${sold.refs[0]}`)
  await deliverOrder({ orderId: reserved.orderId })
  expect((await reserved.held())[0]!.password).toMatch(/^new-d-/)
  const free = await db().stockUnit.findFirstOrThrow({ where: { offerId: plan.offerId, state: 'free' } })
  expect(free.password).toBe(`new-${free.supplierRef}`)
  expect(await sync(plan)).toEqual([])
})

it('a sold proxy that is gone, broken or abroad is told of as long as it is so, and is nobody else’s when it returns', async () => {
  const plan = await poolPlan(3)
  const { orderId, refs, held } = await delivered(plan, 3)
  const before = await held()
  await tell('change', { id: refs[0], valid: false })
  await tell('change', { id: refs[1], country: 'US' })
  await tell('remove', { id: refs[2] })
  const findings = await sync(plan)
  expect(findings.map((finding) => finding.kind).toSorted()).toEqual(['gone', 'not_working', 'other_country'])
  expect(findings.every((finding) => finding.orderId === orderId && finding.offerId === plan.offerId)).toBe(true)
  expect(await sync(plan)).toEqual(findings)
  await tell('change', { id: refs[0], valid: true })
  await syncPool(supplierFor)
  expect(await units(plan, 'free')).toBe(0)
  expect(await held()).toEqual(before)
})

it('the same proxy under another id is the same unit, sold or not', async () => {
  const plan = await poolPlan(2)
  const { refs } = await delivered(plan)
  const other = (await listed()).find((proxy) => proxy.supplierRef !== refs[0])!
  await tell('rename', { id: refs[0], to: `${refs[0]}-again` })
  await tell('rename', { id: other.supplierRef, to: `${other.supplierRef}-again` })
  expect(await sync(plan)).toEqual([])
  expect([await units(plan, 'free'), await units(plan, 'sold'), await units(plan, 'withdrawn')]).toEqual([1, 1, 0])
})

it('a proxy that a customer held and gave up is not sold again', async () => {
  const plan = await poolPlan(1)
  const { orderId, refs } = await delivered(plan)
  // As an exchange leaves it; made by hand, because this test is not about exchanges.
  await db().allocation.updateMany({ where: { orderId }, data: { state: 'replaced' } })
  await db().stockUnit.updateMany({ where: { orderId }, data: { state: 'withdrawn', orderId: null } })
  await tell('change', { id: refs[0], valid: false })
  await syncPool(supplierFor)
  await tell('change', { id: refs[0], valid: true })
  await syncPool(supplierFor)
  expect([await units(plan, 'free'), await units(plan, 'withdrawn')]).toEqual([0, 1])
  await db().stockUnit.updateMany({ where: { offerId: plan.offerId }, data: { state: 'sold', orderId } })
  await db().allocation.updateMany({ where: { orderId }, data: { state: 'active' } })
})

it('a pool that cannot be listed whole changes nothing', async () => {
  const plan = await poolPlan(3)
  const [first] = await listed()
  await tell('remove', { id: first!.supplierRef })
  for (const how of [{ page: 1, status: 500 }, { page: 1, status: 403 }, { missing: true }]) {
    await tell('list', how)
    expect(await sync(plan)).toEqual([])
    expect(await units(plan, 'free')).toBe(3)
  }
  await syncPool(supplierFor)
  expect(await units(plan, 'free')).toBe(2)
})

it('a proxy that was imported by hand is not a second unit', async () => {
  await tell('add', { count: 2, country: 'DE' })
  const [proxy] = await listed()
  const byHand = await makePlan({ units: 0, countryCode: 'DE' })
  const text = `${proxy!.host}:${proxy!.port}:${proxy!.username}:${proxy!.password}`
  expect(await importStock({ kind: 'staff', id: 'usr_test' }, { offerId: byHand.offerId, text })).toMatchObject({
    ok: true,
  })
  const plan = await poolPlan(0)
  expect(await units(plan, 'free')).toBe(1)
  expect(await sync(plan)).toMatchObject([
    { kind: 'already_in_stock', host: proxy!.host, orderId: null, offerId: plan.offerId },
  ])
})

it('two offers of one pool share it without a proxy in both, and hand-made stock is left alone', async () => {
  const own = await makePlan({ units: 2, countryCode: 'DE' })
  await tell('add', { count: 4, country: 'DE' })
  const plans = [
    await makePlan({ supplier: 'webshare', countryCode: 'DE' }),
    await makePlan({ supplier: 'webshare', countryCode: 'DE' }),
  ]
  await addUnits(own.offerId, 1)
  await Promise.all([syncPool(supplierFor), syncPool(supplierFor), syncPool(supplierFor)])
  const counts = await Promise.all(plans.map((plan) => units(plan, 'free')))
  expect(counts[0]! + counts[1]!).toBe(4)
  expect(await units(own, 'free')).toBe(3)
})

it('an offer that is switched off takes in nothing, and still passes on what its customers need', async () => {
  const plan = await poolPlan(1)
  const { held, refs } = await delivered(plan)
  await db().offer.update({ where: { id: plan.offerId }, data: { isActive: false }, select: { id: true } })
  await tell('add', { count: 2, country: 'DE' })
  await tell('change', { id: refs[0], user: 'other', pass: 'other' })
  expect(await sync(plan)).toMatchObject([{ kind: 'login_changed' }])
  expect((await held())[0]).toMatchObject({ username: 'other', password: 'other' })
  expect(await units(plan, 'free')).toBe(0)
})

it('an older list that arrives later is not applied', async () => {
  const plan = await poolPlan(1)
  const { held, refs } = await delivered(plan)
  let sendOld: (proxies: PoolProxy[]) => void = () => {}
  const old = await listed()
  const late: Supplier = {
    ...supplier,
    pool: { ...supplier.pool!, listPool: () => new Promise((resolve) => (sendOld = resolve)) },
  }
  const slow = syncPool(() => late)
  await expect.poll(() => sendOld.length).toBe(1)
  await tell('change', { id: refs[0], pass: 'newest' })
  await syncPool(supplierFor)
  sendOld(old)
  expect(await slow).toEqual([])
  expect((await held())[0]!.password).toBe('newest')
})

it('bought and brought in at once: nothing is sold twice, and everybody holds the login that works', async () => {
  const plan = await poolPlan(12)
  const orders = Promise.all(Array.from({ length: 8 }, () => delivered(plan)))
  for (let round = 0; round < 4; round += 1) {
    for (const proxy of (await listed()).slice(0, 6)) await tell('change', { id: proxy.supplierRef, pass: `r${round}` })
    await Promise.all([syncPool(supplierFor), syncPool(supplierFor)])
  }
  const done = await orders
  await syncPool(supplierFor)
  const held = (await Promise.all(done.map((order) => order.held()))).flat()
  expect(new Set(held.map((proxy) => proxy.username)).size).toBe(8)
  for (const proxy of held) expect(fake.isSold(proxy.username, proxy.password)).toBe(true)
  expect([await units(plan, 'free'), await units(plan, 'sold')]).toEqual([4, 8])
})
