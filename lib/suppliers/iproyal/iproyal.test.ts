import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type IproyalFake, startIproyalFake } from '../../../fakes/iproyal'
import { OperationalError } from '@/lib/kit'
import { type BreakHow, type BrokenCall, describeSupplierContract, type SupplierBench } from '../contract'
import { type HeldProxies, type Purchase, type PurchaseHint, type Supplier, UnknownOutcomeError } from '../supplier'
import { createIproyal } from './create-iproyal'

const API_KEY = 'iproyal-key-0123456789abcdef'
const PARAMS = { productId: 9, plans: { '1': 22, '30': 23, '60': 24 }, locations: { de: 2, us: 8 } }

type Order = {
  id: number
  status: string
  endsAt: number
  extensions: { proxies: number }[]
  logins: { user: string }[]
}

let fake: IproyalFake
let supplier: Supplier
let bench: SupplierBench

async function tell(path: string, wish: object = {}): Promise<void> {
  const answer = await fetch(`${fake.controlUrl}/${path}`, { method: 'POST', body: JSON.stringify(wish) })
  expect(answer.status).toBe(200)
}

async function listOrders(): Promise<Order[]> {
  return (await fetch(`${fake.controlUrl}/orders`)).json() as Promise<never>
}

const CALLS = {
  buy: { match: '/reseller/orders', method: 'POST' },
  find: { match: '/reseller/orders', method: 'GET' },
  renew: { match: '/extend', method: 'POST' },
  read: { match: '/reseller/orders/', method: 'GET' },
  access: { match: '/change-credentials', method: 'POST' },
  // They replace nothing.
  replace: { match: '/replace', method: 'POST' },
} as const satisfies Record<BrokenCall, object>

async function breakNext(call: BrokenCall, how: BreakHow): Promise<void> {
  const which = CALLS[call]
  if (how === 'nonsense after') return tell('nonsense', which)
  if (how === 'too many requests') return tell('fail', { ...which, status: 429 })
  await tell('fail', { ...which, status: 500, timeout: how.startsWith('no answer'), after: how.endsWith('after') })
}

beforeAll(async () => {
  fake = await startIproyalFake({ port: 0, apiKey: API_KEY, exitPort: 4321 })
  supplier = createIproyal({ baseUrl: `${fake.url}/v1/reseller`, apiKey: API_KEY, timeoutMs: 400 })
  bench = {
    supplier,
    apiKey: API_KEY,
    countryCode: 'de',
    params: PARAMS,
    setStock: (count) => tell('stock', { location: 2, count }),
    setBalance: (amount) => tell('balance', { amount }),
    breakNext,
    countPurchases: async () => (await listOrders()).length,
    removeProxies: (proxies) => tell('remove', { usernames: proxies.map((proxy) => proxy.username) }),
    deliver: () => tell('confirm'),
  }
})

afterAll(() => fake.close())

beforeEach(async () => {
  await tell('reset')
  await tell('forget')
  await tell('nonsense', { times: 0 })
  await tell('deliver', { later: false })
  await tell('shape', { objects: false })
  await tell('stock', { location: 2, count: 100 })
  await tell('balance', { amount: '500.00' })
})

describe('with orders that take their time', () => {
  beforeEach(() => tell('deliver', { later: true }))
  describeSupplierContract('iproyal', () => bench)
})

describe('iproyal', () => {
  const request = { reference: 'dlv_1', countryCode: 'DE', quantity: 2, periodDays: 30, params: PARAMS }
  const hint = (more: Partial<PurchaseHint> = {}): PurchaseHint => ({
    countryCode: 'de',
    quantity: 2,
    periodDays: 30,
    params: PARAMS,
    sentAt: new Date(),
    knownOrderIds: [],
    ...more,
  })

  async function bought(quantity = 2): Promise<Purchase> {
    const outcome = await supplier.buy({ ...request, quantity })
    if (outcome.kind !== 'delivered') throw new Error(outcome.detail)
    return outcome
  }
  const held = (purchase: Purchase, count = purchase.proxies.length): HeldProxies => ({
    supplierOrderId: purchase.supplierOrderId,
    proxies: purchase.proxies.slice(0, count),
    params: PARAMS,
  })

  test('pays what the price is with tax, and never lets them extend by themselves', async () => {
    const seen: { url: string; body: string | undefined; token: string | null }[] = []
    const spying = createIproyal({
      baseUrl: `${fake.url}/v1/reseller/`,
      apiKey: API_KEY,
      fetch: (async (url: string, init: RequestInit) => {
        seen.push({
          url,
          body: init.body as string | undefined,
          token: new Headers(init.headers).get('x-access-token'),
        })
        return fetch(url, init)
      }) as typeof fetch,
    })
    expect(await spying.buy(request)).toMatchObject({ costMicros: 6_534_000n, currency: 'USD' })
    expect(await spying.getBalance()).toEqual({ balanceMicros: 493_466_000n, currency: 'USD' })
    const [, order] = seen
    expect(JSON.parse(order!.body!)).toEqual({
      product_id: 9,
      product_plan_id: 23,
      product_location_id: 2,
      quantity: 2,
      auto_extend: false,
      product_question_answers: [],
    })
    expect(seen.every(({ url, token }) => token === API_KEY && !url.includes(API_KEY))).toBe(true)
    expect(seen.some(({ url }) => url.includes('expiring'))).toBe(false)
  })

  test('an order in progress is an unknown outcome, a look-up that cannot tell yet, and then the purchase', async () => {
    await tell('deliver', { later: true })
    await expect(supplier.buy(request)).rejects.toBeInstanceOf(UnknownOutcomeError)
    await expect(supplier.findPurchase('dlv_1', hint())).rejects.toBeInstanceOf(OperationalError)
    await tell('confirm')
    expect((await supplier.findPurchase('dlv_1', hint()))?.proxies).toHaveLength(2)
    expect(await listOrders()).toHaveLength(1)
  })

  test('two orders that both fit are for a person; one that is known already is not looked for', async () => {
    const [first, second] = [await bought(), await bought()]
    await expect(supplier.findPurchase('dlv_1', hint())).rejects.toThrow(
      `cannot tell: orders ${second.supplierOrderId} and ${first.supplierOrderId} both fit`,
    )
    const known = [first.supplierOrderId!]
    expect(await supplier.findPurchase('dlv_1', hint({ knownOrderIds: known }))).toMatchObject({
      supplierOrderId: second.supplierOrderId,
      proxies: second.proxies,
    })
    expect(
      await supplier.findPurchase('dlv_1', hint({ knownOrderIds: [...known, second.supplierOrderId!] })),
    ).toBeNull()
  })

  test('another number, period, country or day is another purchase; a refunded one is none', async () => {
    const { supplierOrderId } = await bought()
    for (const other of [
      { quantity: 3 },
      { periodDays: 60 },
      { countryCode: 'us' },
      { sentAt: new Date(Date.now() + 3 * 86_400_000) },
    ])
      expect(await supplier.findPurchase('dlv_1', hint(other))).toBeNull()
    expect(await supplier.findPurchase('dlv_1', hint())).not.toBeNull()
    await tell('status', { id: Number(supplierOrderId), status: 'refunded' })
    expect(await supplier.findPurchase('dlv_1', hint())).toBeNull()
  })

  test('a purchase is found on the third page of their orders', async () => {
    await tell('stock', { location: 2, count: 1000 })
    const first = await bought()
    for (let count = 0; count < 201; count += 1)
      await fetch(`${fake.url}/v1/reseller/orders`, {
        method: 'POST',
        headers: { 'x-access-token': API_KEY },
        body: JSON.stringify({ product_id: 9, product_plan_id: 22, product_location_id: 2, quantity: 1 }),
      })
    expect((await supplier.findPurchase('dlv_1', hint()))?.supplierOrderId).toBe(first.supplierOrderId)
  })

  test('without what was asked for, a look-up cannot tell', async () => {
    await expect(supplier.findPurchase('dlv_1')).rejects.toBeInstanceOf(OperationalError)
  })

  test('reads proxies that are objects, with the port of the order', async () => {
    await tell('shape', { objects: true })
    const { proxies } = await bought()
    expect(proxies).toMatchObject([{ host: expect.stringMatching(/^127\.0\.1\./), port: 4321 }, {}])
    expect(fake.isSold(proxies[0]!.username, proxies[0]!.password)).toBe(true)
  })

  test('extends a whole order and names its proxies; the end moves and the price leaves the balance', async () => {
    const purchase = await bought()
    const quote = await supplier.quoteRenewal!({ ...held(purchase), periodDays: 60 })
    const before = (await supplier.getBalance()).balanceMicros
    const outcome = await supplier.renew!({ ...held(purchase), reference: 'rnw_1', periodDays: 60 })
    expect(outcome).toMatchObject({ kind: 'renewed', costMicros: quote!.costMicros })
    expect(before - (await supplier.getBalance()).balanceMicros).toBe(quote!.costMicros)
    const [was, is] = [purchase.proxies[0]!, (await supplier.readProxies!(held(purchase)))[0]!]
    expect(is.expiresAt.getTime() - was.expiresAt.getTime()).toBe(60 * 86_400_000)
    expect((await listOrders())[0]!.extensions).toMatchObject([{ proxies: 2 }])
  })

  test('a part of an order is not extended: their orders have one end, and which proxies moved could not be told', async () => {
    const purchase = await bought(3)
    expect(await supplier.quoteRenewal!({ ...held(purchase, 2), periodDays: 30 })).toBeNull()
    const outcome = await supplier.renew!({ ...held(purchase, 2), reference: 'rnw_1', periodDays: 30 })
    expect(outcome).toMatchObject({ kind: 'refused', code: 'rejected' })
    const none = { ...held(purchase), proxies: [] }
    await expect(supplier.renew!({ ...none, reference: 'rnw_1', periodDays: 30 })).rejects.toThrow('at least one')
    await expect(supplier.changeCredentials!(none)).rejects.toThrow('at least one')
    expect((await listOrders())[0]!.extensions).toEqual([])
  })

  test('an extension without money, of an order that is gone, or without an answer', async () => {
    const purchase = await bought()
    const renew = () => supplier.renew!({ ...held(purchase), reference: 'rnw_1', periodDays: 30 })
    await tell('balance', { amount: '0.01' })
    expect(await renew()).toMatchObject({ kind: 'refused', code: 'supplier_unfunded' })
    await tell('balance', { amount: '500.00' })
    await breakNext('renew', 'no answer after')
    await expect(renew()).rejects.toBeInstanceOf(UnknownOutcomeError)
    expect((await listOrders())[0]!.extensions).toHaveLength(1)
    await tell('forget')
    expect(await renew()).toMatchObject({ kind: 'refused', code: 'gone' })
    expect(await supplier.readProxies!(held(purchase))).toEqual([])
  })

  test('new passwords for chosen proxies only; the others keep theirs', async () => {
    const purchase = await bought(3)
    const outcome = await supplier.changeCredentials!(held(purchase, 2))
    expect(outcome.kind).toBe('changed')
    const now = await supplier.readProxies!(held(purchase))
    expect(now.map((proxy) => proxy.supplierRef)).toEqual(purchase.proxies.map((proxy) => proxy.supplierRef))
    expect(now.map((proxy, index) => proxy.password === purchase.proxies[index]!.password)).toEqual([
      false,
      false,
      true,
    ])
    expect(fake.isSold(now[0]!.username, now[0]!.password)).toBe(true)
  })

  test('a change of credentials that only their answer knows of is not told as done', async () => {
    const purchase = await bought()
    const idle = createIproyal({
      baseUrl: `${fake.url}/v1/reseller`,
      apiKey: API_KEY,
      fetch: (async (url: string, init: RequestInit) =>
        url.endsWith('change-credentials')
          ? Response.json({ error: 'Internal error', status: 500 })
          : fetch(url, init)) as typeof fetch,
    })
    await expect(idle.changeCredentials!(held(purchase))).rejects.toBeInstanceOf(UnknownOutcomeError)
  })

  test('what another product of theirs looks like does not stand in the way of ours', async () => {
    const other = createIproyal({
      baseUrl: `${fake.url}/v1/reseller`,
      apiKey: API_KEY,
      fetch: (async (url: string, init: RequestInit) => {
        const answer = await fetch(url, init)
        if (!url.endsWith('/products')) return answer
        const { data } = (await answer.json()) as { data: unknown[] }
        return Response.json({ data: [{ id: 3, name: 'Mobile', plans: null, locations: null }, ...data] })
      }) as typeof fetch,
    })
    expect(await other.getStock('de', PARAMS)).toBe(100)
  })

  test('a wrong key is a fault before anything is bought, without the key in the words', async () => {
    const wrong = createIproyal({ baseUrl: `${fake.url}/v1/reseller`, apiKey: 'wrong-key-42' })
    await expect(wrong.getBalance()).rejects.toThrow('status 401: Unauthenticated.')
    await expect(wrong.buy(request)).rejects.toBeInstanceOf(OperationalError)
    const echoing = createIproyal({
      baseUrl: 'http://iproyal.test',
      apiKey: API_KEY,
      fetch: (async () => Response.json({ message: `bad ${API_KEY}` }, { status: 403 })) as unknown as typeof fetch,
    })
    await expect(echoing.getBalance()).rejects.toThrow('bad [key]')
  })

  test.each([
    ['no id', { status: 'confirmed', quantity: 2 }],
    [
      'a proxy that is no proxy',
      { id: 1, status: 'confirmed', quantity: 2, proxy_data: { ports: {}, proxies: ['x'] } },
    ],
    ['confirmed without proxies', { id: 1, status: 'confirmed', quantity: 2, proxy_data: null }],
    ['a list', []],
  ])('after buying, %s leaves the outcome unknown', async (_name, body) => {
    const odd = createIproyal({
      baseUrl: 'http://iproyal.test',
      apiKey: API_KEY,
      fetch: (async (url: string) =>
        Response.json(url.includes('calculate') ? { price_with_vat: 2.904 } : body)) as unknown as typeof fetch,
    })
    await expect(odd.buy(request)).rejects.toBeInstanceOf(UnknownOutcomeError)
  })
})
