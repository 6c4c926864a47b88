import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ProxySellerFake, startProxySellerFake } from '../../../fakes/proxy-seller'
import { OperationalError } from '@/lib/kit'
import { type BreakHow, type BrokenCall, describeSupplierContract, type SupplierBench } from '../contract'
import { type Purchase, type PurchaseRequest, UnknownOutcomeError } from '../supplier'
import { createProxySeller } from './create-proxy-seller'

const API_KEY = 'ps-key-0123456789abcdef'
const PARAMS = { section: 'ipv4', purpose: 'Market research' }
const CALLS: Record<BrokenCall, string> = {
  buy: 'order/make',
  find: 'proxy/list',
  read: 'proxy/list',
  renew: 'prolong/make',
  replace: 'proxy/replace',
  access: 'auth/',
}

let fake: ProxySellerFake
let bench: SupplierBench

async function tell(path: string, wish: object): Promise<void> {
  const answer = await fetch(`${fake.controlUrl}/${path}`, { method: 'POST', body: JSON.stringify(wish) })
  expect(answer.status).toBe(200)
}

type FakeOrder = { id: string; isExtend: boolean; proxies: { id: string; comment: string }[] }
async function listOrders(): Promise<FakeOrder[]> {
  return (await fetch(`${fake.controlUrl}/orders`)).json() as Promise<FakeOrder[]>
}

const adapter = (more: Partial<Parameters<typeof createProxySeller>[0]> = {}) =>
  createProxySeller({
    baseUrl: `${fake.url}/personal/api/v2`,
    apiKey: API_KEY,
    timeoutMs: 200,
    waitForTurn: () => Promise.resolve(),
    pollDelaysMs: [],
    ...more,
  })

beforeAll(async () => {
  fake = await startProxySellerFake({ port: 0, apiKey: API_KEY, exitPort: 4321 })
  bench = {
    supplier: adapter(),
    apiKey: API_KEY,
    countryCode: 'de',
    params: PARAMS,
    setStock: (count) => tell('stock', { country: 'DEU', count }),
    setBalance: (amount) => tell('balance', { amount }),
    breakNext: async (call: BrokenCall, how: BreakHow) => {
      const match = CALLS[call]
      const method = call === 'find' || call === 'read' ? 'GET' : 'POST'
      if (how === 'nonsense after') return tell('nonsense', { match, method })
      if (how === 'too many requests') return tell('door', { match, method })
      await tell('fail', {
        match,
        method,
        status: 500,
        timeout: how.startsWith('no answer'),
        after: how.endsWith('after'),
      })
    },
    countPurchases: async () => (await listOrders()).filter((order) => !order.isExtend).length,
    removeProxies: (proxies) => tell('expire', { ids: proxies.map((proxy) => proxy.supplierRef) }),
    deliver: () => tell('deliver', {}),
    setReplacement: (outcome) => tell('replacement', { outcome }),
  }
})

afterAll(() => fake.close())

beforeEach(async () => {
  await tell('reset', {})
  await tell('door', { times: 0 })
  await tell('nonsense', { times: 0 })
  await tell('delivery', { afterMs: null })
  await tell('pages', { size: 1000 })
  await tell('zone', { hours: 0 })
  await tell('balance', { amount: '500.00' })
  await tell('stock', { country: 'DEU', count: 100 })
})

describeSupplierContract('Proxy-Seller', () => bench)

describe('Proxy-Seller', () => {
  let counter = 0
  const request = (more: Partial<PurchaseRequest> = {}): PurchaseRequest => ({
    reference: `dlv_ps_${(counter += 1)}`,
    countryCode: 'de',
    quantity: 2,
    periodDays: 30,
    params: PARAMS,
    ...more,
  })
  const known = async () => {
    const { supplier } = bench
    const answer = await fetch(`${fake.controlUrl}/orders`)
    expect(supplier.name).toBe('proxy-seller')
    return ((await answer.json()) as { baseNumber: string }[]).map((order) => order.baseNumber)
  }

  /** A supplier whose other side is this function: for answers that the stand-in does not give. */
  const answering = (answer: (url: string, body: Record<string, unknown>) => unknown) =>
    adapter({
      fetch: (async (url: string, { body }: { body?: string } = {}) =>
        Response.json(answer(url, JSON.parse(body ?? '{}') as Record<string, unknown>))) as typeof fetch,
    })

  test('sends the documented order: from the balance, three letters, a code for the period, a login of its own', async () => {
    const seen: [string, Record<string, unknown>][] = []
    const supplier = answering((url, body) => {
      seen.push([url, body])
      return { status: 'success', data: { orderId: 'a', total: 3, listBaseOrderNumbers: ['NS_1'] }, errors: [] }
    })
    await expect(supplier.buy(request())).rejects.toBeInstanceOf(UnknownOutcomeError)
    expect(seen).toHaveLength(1)
    expect(new URL(seen[0]![0]).pathname).toBe(`/personal/api/v2/${API_KEY}/order/make`)
    expect(seen[0]![1]).toEqual({
      sectionCode: 'ipv4',
      countryId: 'DEU',
      periodId: '1m',
      paymentId: 'balance',
      quantity: 2,
      authorization: '',
      generateAuth: 'Y',
      customTargetName: 'Market research',
    })
  })

  test('what is delivered at once is handed over at once, with its price and our reference beside it', async () => {
    await tell('delivery', { afterMs: 0 })
    const asked = request()
    const outcome = await adapter({ pollDelaysMs: [0] }).buy(asked)
    expect(outcome).toMatchObject({ kind: 'delivered', costMicros: 3_000_000n, currency: 'USD' })
    const [order] = await listOrders()
    expect(order!.proxies.map((proxy) => proxy.comment)).toEqual([asked.reference, asked.reference])
  })

  test('a purchase that was found stays findable by its mark, also when the order is known meanwhile', async () => {
    const knownOrderIds = await known()
    const asked = request()
    const sentAt = new Date()
    await bench.supplier.buy(asked).catch(() => undefined)
    await tell('deliver', {})
    const first = await bench.supplier.findPurchase(asked.reference, { ...asked, sentAt, knownOrderIds })
    const now = { ...asked, sentAt, knownOrderIds: await known() }
    expect(await bench.supplier.findPurchase(asked.reference, now)).toEqual(first)
    expect(first).toMatchObject({ costMicros: 3_000_000n, currency: 'USD' })
  })

  test('two orders that could both be it are not guessed between', async () => {
    const knownOrderIds = await known()
    const asked = request()
    const sentAt = new Date()
    for (let time = 1; time <= 2; time += 1) await bench.supplier.buy(asked).catch(() => undefined)
    await tell('deliver', {})
    await expect(bench.supplier.findPurchase(asked.reference, { ...asked, sentAt, knownOrderIds })).rejects.toThrow(
      'several orders',
    )
    // What tells them apart is enough.
    const other = { ...asked, sentAt, knownOrderIds: [...knownOrderIds, (await known())[0]!] }
    expect((await bench.supplier.findPurchase(asked.reference, other))?.proxies).toHaveLength(2)
  })

  test('an order of which a part is listed is on its way, and never "none"', async () => {
    const knownOrderIds = await known()
    const asked = request({ quantity: 3 })
    const sentAt = new Date()
    await bench.supplier.buy(asked).catch(() => undefined)
    await tell('deliver', {})
    const [order] = await listOrders()
    const hidden = order!.proxies[0]!.id
    const partly = adapter({
      fetch: (async (url: string, init: RequestInit) => {
        const answer = await fetch(url, init)
        if (!url.includes('proxy/list')) return answer
        const body = (await answer.json()) as { data: { items: { id: string }[] } }
        body.data.items = body.data.items.filter((item) => item.id !== hidden)
        return Response.json(body)
      }) as typeof fetch,
    })
    const hint = { ...asked, sentAt, knownOrderIds }
    await expect(partly.findPurchase(asked.reference, hint)).rejects.toThrow('not delivered yet')
    expect((await bench.supplier.findPurchase(asked.reference, hint))?.proxies).toHaveLength(3)
  })

  test.each([-12, -5, 3, 14])(
    'a clock %i hours from UTC does not hide a purchase whose answer was lost',
    async (hours) => {
      await tell('zone', { hours })
      const knownOrderIds = await known()
      const asked = request()
      const sentAt = new Date()
      await bench.breakNext('buy', 'no answer after')
      await expect(bench.supplier.buy(asked)).rejects.toThrow(UnknownOutcomeError)
      await tell('deliver', {})
      const hint = { ...asked, sentAt, knownOrderIds }
      expect((await bench.supplier.findPurchase(asked.reference, hint))?.proxies).toHaveLength(2)
    },
  )

  test('a country that is told by name only does not hide a purchase, and another code does', async () => {
    const asked = request({ quantity: 1 })
    const sentAt = new Date()
    const row = (place: object) => ({
      id: 'a',
      order_id: 'o',
      base_order_number: 'NS_1',
      ip: '192.0.2.1',
      port_http: 1,
      port_socks: 2,
      login: 'u',
      password: 'p',
      // Of the day alone.
      date_start: sentAt.toISOString().slice(0, 10).split('-').toReversed().join('.'),
      date_end: '01.01.2099',
      ...place,
    })
    // Somebody's own, bought there by hand for an address: it has no login, and is no reason not to read the rest.
    const other = { ...row({ country: 'USA' }), id: 'b', base_order_number: 'NS_2', login: null, password: null }
    const find = (place: object) =>
      answering((url) => ({
        status: 'success',
        data: { items: url.includes('order/list') ? [] : [row(place), other] },
        errors: [],
      })).findPurchase(asked.reference, { ...asked, sentAt, knownOrderIds: ['NS_2'] })
    expect((await find({ country: 'Germany' }))?.proxies).toHaveLength(1)
    expect((await find({ country: 'Germany', country_alpha3: 'DEU' }))?.proxies).toHaveLength(1)
    expect(await find({ country: 'United States', country_alpha3: 'USA' })).toBeNull()
    expect(await find({ country: 'USA' })).toBeNull()
  })

  test('pages shorter than asked for are read to the end', async () => {
    await tell('pages', { size: 50 })
    const purchase = await boughtNow(70)
    expect(purchase.proxies).toHaveLength(70)
    expect(await bench.supplier.readProxies!({ ...purchase, params: PARAMS })).toHaveLength(70)
  })

  test('of an order that was renewed in part all is found, and a part of it is still a part', async () => {
    const purchase = await boughtNow(3)
    const held = { ...purchase, params: PARAMS }
    const [first, ...rest] = purchase.proxies
    const renewed = await bench.supplier.renew!({ ...held, proxies: [first!], reference: 'rnw_4', periodDays: 30 })
    expect(renewed.kind).toBe('renewed')
    expect(await bench.supplier.readProxies!(held)).toHaveLength(3)
    for (const proxies of [[first!], rest])
      expect(await bench.supplier.changeCredentials!({ ...held, proxies })).toMatchObject({ kind: 'refused' })
    expect(await bench.supplier.changeCredentials!(held)).toMatchObject({ kind: 'changed' })
    expect(
      await bench.supplier.listOrder!({ supplierOrderId: purchase.supplierOrderId!, params: PARAMS }),
    ).toHaveLength(3)
  })

  test('without what was asked for, a look-up cannot tell', async () => {
    await expect(bench.supplier.findPurchase('dlv_x')).rejects.toBeInstanceOf(OperationalError)
  })

  async function boughtNow(quantity = 2): Promise<Purchase> {
    await tell('delivery', { afterMs: 0 })
    const outcome = await adapter({ pollDelaysMs: [0] }).buy(request({ quantity }))
    expect(outcome.kind).toBe('delivered')
    return outcome as Purchase & { kind: 'delivered' }
  }

  test('ids are others after a renewal, and the proxies are found all the same', async () => {
    const { supplier } = bench
    const purchase = await boughtNow()
    const held = { ...purchase, params: PARAMS }
    const outcome = await supplier.renew!({ ...held, reference: 'rnw_1', periodDays: 30 })
    expect(outcome.kind).toBe('renewed')
    if (outcome.kind !== 'renewed') return
    const before = purchase.proxies.map((proxy) => proxy.supplierRef)
    for (const proxy of outcome.proxies) expect(before).not.toContain(proxy.supplierRef)
    expect(await supplier.readProxies!(held)).toEqual(outcome.proxies)
  })

  test('a renewal that is under way already is not asked for again: its outcome is unknown', async () => {
    const purchase = await boughtNow()
    await tell('renewing', {})
    await expect(
      bench.supplier.renew!({ ...purchase, params: PARAMS, reference: 'rnw_2', periodDays: 30 }),
    ).rejects.toBeInstanceOf(UnknownOutcomeError)
  })

  test('a renewal that went through and cannot be looked at is not reported as a failure', async () => {
    const purchase = await boughtNow()
    let isMade = false
    const blind = adapter({
      fetch: (async (url: string, init: RequestInit) => {
        if (url.includes('proxy/list') && isMade) return new Response('', { status: 502 })
        isMade ||= url.includes('prolong/make')
        return fetch(url, init)
      }) as typeof fetch,
    })
    const held = { ...purchase, params: PARAMS }
    await expect(blind.renew!({ ...held, reference: 'rnw_3', periodDays: 30 })).rejects.toBeInstanceOf(
      UnknownOutcomeError,
    )
    const [now] = await bench.supplier.readProxies!(held)
    expect(now!.expiresAt > purchase.proxies[0]!.expiresAt).toBe(true)
  })

  test('login and addresses belong to the order: a part of it is refused, and nothing changes', async () => {
    const purchase = await boughtNow()
    const part = { ...purchase, proxies: purchase.proxies.slice(0, 1), params: PARAMS }
    expect(await bench.supplier.changeCredentials!(part)).toMatchObject({ kind: 'refused' })
    expect(await bench.supplier.bindAddresses!({ ...part, addresses: ['203.0.113.7'] })).toMatchObject({
      kind: 'refused',
    })
    expect(await bench.supplier.readProxies!({ ...purchase, params: PARAMS })).toEqual(purchase.proxies)
  })

  test('the login of one order does not open another, and a new password closes the old one', async () => {
    const [first, second] = [await boughtNow(), await boughtNow()]
    const login = first.proxies[0]!
    expect(login.username).not.toBe(second.proxies[0]!.username)
    expect(fake.isSold(login.username, login.password)).toBe(true)
    await bench.supplier.changeCredentials!({ ...first, params: PARAMS })
    expect(fake.isSold(login.username, login.password)).toBe(false)
  })

  test('one call can replace some and leave others to a person', async () => {
    const purchase = await boughtNow(3)
    const [first, second, third] = purchase.proxies
    const item = (id: string, ip: string) => ({
      id,
      order_id: 'o',
      base_order_number: purchase.supplierOrderId,
      ip,
      port_http: 4321,
      port_socks: 4321,
      login: 'u',
      password: 'p',
      country: 'DEU',
      date_start: '01.11.2026 00:00:00',
      date_end: '01.12.2026 00:00:00',
    })
    let isDone = false
    const supplier = answering((url) => {
      if (!url.includes('proxy/replace')) {
        const items = [
          item('2', second!.host),
          item('3', third!.host),
          item(isDone ? '4' : '1', isDone ? '127.0.2.9' : first!.host),
        ]
        return { status: 'success', data: { items }, errors: [] }
      }
      isDone = true
      return {
        status: 'success',
        data: { replaced: { ips: [first!.host], msg: '' }, rejected: { ips: [second!.host], msg: 'Monthly limit' } },
        errors: [],
      }
    })
    expect(await supplier.replace!({ ...purchase, params: PARAMS, reason: 'other' })).toMatchObject([
      { kind: 'replaced', host: first!.host, replacement: { host: '127.0.2.9', supplierRef: '4' } },
      { kind: 'refused', host: second!.host, detail: 'Monthly limit' },
      { kind: 'pending', host: third!.host },
    ])
  })

  test.each([
    ['a number', 12.3, 12_300_000n],
    ['a number with six decimals', 0.000001 + 1, 1_000_001n],
    ['a whole number', 40, 40_000_000n],
    ['text', '40.40', 40_400_000n],
    ['text with a sign', '$1.05', 1_050_000n],
    ['text with a sign behind', '1.05 €', 1_050_000n],
  ])('reads a balance that is %s exactly', async (_name, summ, micros) => {
    const supplier = answering(() => ({ status: 'success', data: { summ }, errors: [] }))
    expect(await supplier.getBalance()).toEqual({ balanceMicros: micros, currency: 'USD' })
    const bare = answering(() => ({ status: 'success', data: summ, errors: [] }))
    expect((await bare.getBalance()).balanceMicros).toBe(micros)
  })

  test('an answer at the door says when to come again, whatever was asked, and hides an echoed key', async () => {
    const purchase = await boughtNow()
    await tell('door', { match: '', times: 1 })
    const error: unknown = await bench.supplier.readProxies!({ ...purchase, params: PARAMS }).catch((thrown) => thrown)
    expect(error).toMatchObject({ name: 'OperationalError', retryAfterMs: 60_000 })
    const echoing = answering(() => ({
      status: 'error',
      data: null,
      errors: [{ message: `no such key ${API_KEY}`, code: 0 }],
    }))
    await expect(echoing.getBalance()).rejects.toThrow('no such key [key]')
    expect(await echoing.buy(request())).toMatchObject({
      kind: 'refused',
      code: 'rejected',
      detail: 'code 0: no such key [key]',
    })
  })

  test('a quote above the balance is still a price', async () => {
    await tell('balance', { amount: '0.10' })
    const { reference: _, ...asked } = request()
    expect(await bench.supplier.quote(asked)).toEqual({ costMicros: 3_000_000n, currency: 'USD' })
  })
})
