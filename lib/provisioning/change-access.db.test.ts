import type { Fake } from '@/fakes/kit'
import { startProxySellerFake } from '@/fakes/proxy-seller'
import { db } from '@/lib/db'
import { newId } from '@/lib/kit'
import { findOrder, placeOrder } from '@/lib/orders'
import { createProxySeller, type Supplier } from '@/lib/suppliers'
import { makePlan, orderFor } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { buyDelivered } from '@/test/factories/orders'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type AccessChange, changeAccess, deliverOrder, parseAddresses, previewAccess, readAccess } from './index'

const KEY = 'access-test-key'
let seller: Fake
beforeAll(async () => {
  seller = await startProxySellerFake({ port: 0, apiKey: KEY, exitPort: 1 })
  await tell('delivery', { afterMs: 0 })
})
afterAll(() => seller.close())
beforeEach(() => tell('reset', {}))

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

async function bought(quantity = 2) {
  const plan = await makePlan({
    supplier: 'proxy-seller',
    unitPriceMicros: 20_000_000n,
    params: { section: 'ipv4', purpose: 'Tests', protocol: 'http' },
  })
  const customer = await insertCustomer({ balanceMicros: 900_000_000n })
  const placed = await placeOrder(customer, await orderFor(plan, quantity))
  if (!placed.ok) throw new Error(placed.refusal.code)
  const { orderId } = placed.value
  await deliverOrder({ orderId }, adapter)
  return { customer, orderId, allocationIds: (await held(orderId)).map((row) => row.id) }
}
const held = (orderId: string) => db().allocation.findMany({ where: { orderId }, orderBy: { position: 'asc' } })
const kinds = async (orderId: string) => (await findOrder({ orderId }))!.events.map((event) => event.kind)
type Bought = Awaited<ReturnType<typeof bought>>
const change = (order: Bought, wish: AccessChange, more: Partial<Parameters<typeof changeAccess>[1]> = {}) =>
  changeAccess(
    order.customer,
    { orderId: order.orderId, allocationIds: order.allocationIds, change: wish, requestKey: newId('req'), ...more },
    adapter,
  )

describe('new login data', () => {
  it('are with the customer at once, once per form however often and at once it is sent', async () => {
    const order = await bought()
    const before = await held(order.orderId)
    const requestKey = newId('req')
    const results = await Promise.all(
      Array.from({ length: 4 }, () => change(order, { kind: 'rotate' }, { requestKey })),
    )
    expect(results.some((result) => result.ok)).toBe(true)
    for (const result of results) if (!result.ok) expect(result.refusal.code).toBe('access_under_way')
    expect(await change(order, { kind: 'rotate' }, { requestKey })).toEqual({ ok: true, value: { changed: 2 } })
    const after = await held(order.orderId)
    expect(after[0]!.password).not.toBe(before[0]!.password)
    expect(await db().accessChange.count({ where: { orderId: order.orderId } })).toBe(1)
    expect((await kinds(order.orderId)).filter((kind) => kind === 'access_changed')).toHaveLength(1)
  })

  it.each([
    ['a time-out', { timeout: true }],
    ['a 500', { status: 500 }],
  ])('%s after they were changed: said so, and taken over from what the supplier tells', async (_, failure) => {
    const order = await bought()
    const before = await held(order.orderId)
    await tell('fail', { times: 1, match: 'auth/change', after: true, ...failure })
    expect(await change(order, { kind: 'rotate' })).toMatchObject({ refusal: { code: 'access_unknown' } })
    const { id } = await db().accessChange.findFirstOrThrow({ where: { orderId: order.orderId } })
    await readAccess({ accessChangeId: id }, adapter)
    const told = await adapter().readProxies!({
      supplierOrderId: (await db().delivery.findFirstOrThrow({ where: { orderId: order.orderId } })).supplierOrderId,
      proxies: before.map(({ supplierRef, host, port, expiresAt }) => ({
        supplierRef: supplierRef!,
        host,
        port,
        expiresAt,
      })),
      params: { section: 'ipv4', purpose: 'Tests', protocol: 'http' },
    })
    expect((await held(order.orderId)).map((row) => row.password)).toEqual(told.map((proxy) => proxy.password))
    expect((await held(order.orderId))[0]!.password).not.toBe(before[0]!.password)
  })

  it('a process that died in the call leaves nothing waiting: the promised look takes over and ends it', async () => {
    const order = await bought()
    const id = newId('acs')
    await db().accessChange.create({
      data: {
        id,
        orderId: order.orderId,
        userId: order.customer.id,
        key: 'died',
        kind: 'rotate',
        allocationIds: order.allocationIds,
        addresses: [],
        state: 'calling',
      },
    })
    expect(await change(order, { kind: 'rotate' })).toMatchObject({ refusal: { code: 'access_under_way' } })
    await readAccess({ accessChangeId: id }, adapter)
    expect(await change(order, { kind: 'rotate' })).toMatchObject({ ok: true })
  })

  it('refuses somebody else’s anywhere in the list, and stock, and an order that the supplier changes only whole', async () => {
    const order = await bought()
    const other = await bought(1)
    const all = [...order.allocationIds, ...other.allocationIds]
    expect(await change(order, { kind: 'rotate' }, { allocationIds: all })).toMatchObject({
      refusal: { code: 'not_found' },
    })
    expect(
      await change(order, { kind: 'rotate' }, { orderId: other.orderId, allocationIds: other.allocationIds }),
    ).toMatchObject({
      refusal: { code: 'not_found' },
    })
    expect(await change(order, { kind: 'rotate' }, { allocationIds: order.allocationIds.slice(0, 1) })).toMatchObject({
      refusal: { code: 'access_refused' },
    })
    const stock = await buyDelivered()
    const ask = { orderId: stock.orderId, allocationIds: stock.allocationIds }
    expect(await previewAccess(stock.customer, { ...ask, kind: 'rotate' }, adapter)).toMatchObject({
      value: { changeable: [], unchangeable: 1 },
    })
    expect(
      await changeAccess(stock.customer, { ...ask, change: { kind: 'rotate' }, requestKey: newId('req') }, adapter),
    ).toMatchObject({ refusal: { code: 'access_unchangeable' } })
  })
})

describe('bound addresses', () => {
  it.each([
    ['8.8.4.4, 1.1.1.1\n8.8.4.4', ['8.8.4.4', '1.1.1.1']],
    ['', []],
  ])('%j is read', (text, addresses) => {
    expect(parseAddresses(text)).toEqual({ ok: true, value: addresses })
  })

  it.each([
    ['10.1.2.3', 'address_not_public'],
    ['127.0.0.1', 'address_not_public'],
    ['169.254.169.254', 'address_not_public'],
    ['203.0.113.9', 'address_not_public'],
    ['239.1.1.1', 'address_not_public'],
    ['255.255.255.255', 'address_not_public'],
    ['2001:4860:4860::8888', 'address_unreadable'],
    ['8.8.4', 'address_unreadable'],
    ['8.8.4.4/24', 'address_unreadable'],
    ["8.8.4.4'; DROP TABLE", 'address_unreadable'],
    ['8.8.4.1 8.8.4.2 8.8.4.3 8.8.4.4 8.8.4.5 8.8.4.6', 'too_many_addresses'],
  ])('%s is refused', (text, code) => {
    expect(parseAddresses(text)).toMatchObject({ refusal: { code } })
  })

  it('are bound, exchanged and given up; another customer’s is taken', async () => {
    const [order, other] = [await bought(), await bought(1)]
    expect(await change(order, { kind: 'bind', addresses: ['8.8.4.4'] })).toEqual({ ok: true, value: { changed: 2 } })
    expect((await held(order.orderId)).map((row) => row.boundAddresses)).toEqual([['8.8.4.4'], ['8.8.4.4']])
    expect(await change(other, { kind: 'bind', addresses: ['1.0.0.1', '8.8.4.4'] })).toMatchObject({
      refusal: { code: 'address_taken', facts: { address: '8.8.4.4' } },
    })
    expect(await change(order, { kind: 'bind', addresses: [] })).toMatchObject({ ok: true })
    expect(await change(other, { kind: 'bind', addresses: ['8.8.4.4'] })).toMatchObject({ ok: true })
  })
})

describe('what happens meanwhile', () => {
  it('an address that two customers bind at once is bound by one of them', async () => {
    const orders = await Promise.all([bought(1), bought(1)])
    const results = await Promise.all(orders.map((order) => change(order, { kind: 'bind', addresses: ['9.9.9.9'] })))
    expect(results.filter((result) => result.ok)).toHaveLength(1)
    expect(results.find((result) => !result.ok)).toMatchObject({ refusal: { code: 'address_taken' } })
  })

  it('a proxy that ended before its new login was read does not keep the others from theirs', async () => {
    const order = await bought(2)
    const before = await held(order.orderId)
    await tell('fail', { times: 1, match: 'auth/change', after: true, timeout: true })
    expect(await change(order, { kind: 'rotate' })).toMatchObject({ refusal: { code: 'access_unknown' } })
    await db().allocation.update({ where: { id: order.allocationIds[0] }, data: { state: 'expired' } })
    const { id } = await db().accessChange.findFirstOrThrow({ where: { orderId: order.orderId } })
    await readAccess({ accessChangeId: id }, adapter)
    const after = await held(order.orderId)
    expect(after[0]!.password).toBe(before[0]!.password)
    expect(after[1]!.password).not.toBe(before[1]!.password)
  })
})
