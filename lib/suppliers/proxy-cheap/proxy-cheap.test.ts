import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type ProxyCheapFake, startProxyCheapFake } from '../../../fakes/proxy-cheap'
import { OperationalError } from '@/lib/kit'
import { type BreakHow, type BrokenCall, describeSupplierContract, type SupplierBench } from '../contract'
import { type Purchase, type PurchaseRequest, UnknownOutcomeError } from '../supplier'
import { createProxyCheap } from './create-proxy-cheap'

const API_KEY = 'pc-key-0123456789abcdef'
const API_SECRET = 'pc-secret-0123456789abcdef'
const PARAMS = { service: 'static-residential-ipv4', planId: 'standard' }
const CALLS: Record<BrokenCall, [string, string]> = {
  buy: ['execute', 'POST'],
  find: ['/proxies', 'GET'],
  read: ['/proxies', 'GET'],
  renew: ['extend-period', 'POST'],
  replace: ['none', 'POST'],
  access: ['change-authentication-type', 'POST'],
}

let fake: ProxyCheapFake
let bench: SupplierBench

async function tell(path: string, wish: object): Promise<void> {
  const answer = await fetch(`${fake.controlUrl}/${path}`, { method: 'POST', body: JSON.stringify(wish) })
  expect(answer.status).toBe(200)
}

const adapter = (more: Partial<Parameters<typeof createProxyCheap>[0]> = {}) =>
  createProxyCheap({
    baseUrl: fake.url,
    apiKey: API_KEY,
    apiSecret: API_SECRET,
    timeoutMs: 200,
    waitForTurn: () => Promise.resolve(),
    pollDelaysMs: [],
    ...more,
  })

beforeAll(async () => {
  fake = await startProxyCheapFake({ port: 0, apiKey: API_KEY, apiSecret: API_SECRET, exitPort: 4321 })
  bench = {
    supplier: adapter(),
    apiKey: API_SECRET,
    countryCode: 'de',
    params: PARAMS,
    setStock: (count) => tell('stock', { country: 'DE', count }),
    setBalance: (amount) => tell('balance', { amount }),
    breakNext: async (call: BrokenCall, how: BreakHow) => {
      const [match, method] = CALLS[call]
      if (how === 'nonsense after') return tell('nonsense', { match, method })
      if (how === 'too many requests') return tell('fail', { match, method, status: 429 })
      await tell('fail', {
        match,
        method,
        status: 500,
        timeout: how.startsWith('no answer'),
        after: how.endsWith('after'),
      })
    },
    countPurchases: async () => {
      const orders = (await (await fetch(`${fake.controlUrl}/orders`)).json()) as unknown[]
      return orders.length
    },
    removeProxies: (proxies) => tell('remove', { ids: proxies.map((proxy) => proxy.supplierRef) }),
    deliver: () => tell('deliver', {}),
  }
})

afterAll(() => fake.close())

beforeEach(async () => {
  await tell('reset', {})
  await tell('nonsense', { times: 0 })
  await tell('delivery', { afterMs: null })
  await tell('billing', { allowed: true })
  await tell('balance', { amount: '500.00' })
  await tell('stock', { country: 'DE', count: 100 })
})

async function listIds(): Promise<string[]> {
  const orders = (await (await fetch(`${fake.controlUrl}/orders`)).json()) as { proxies: { id: number }[] }[]
  return orders.flatMap((order) => order.proxies.map((proxy) => String(proxy.id)))
}

describeSupplierContract('Proxy-Cheap', () => bench)

describe('Proxy-Cheap', () => {
  let counter = 0
  const request = (more: Partial<PurchaseRequest> = {}): PurchaseRequest => ({
    reference: `dlv_pc_${(counter += 1)}`,
    countryCode: 'de',
    quantity: 2,
    periodDays: 30,
    params: PARAMS,
    ...more,
  })

  async function boughtNow(quantity = 2): Promise<Purchase> {
    await tell('delivery', { afterMs: 0 })
    const outcome = await adapter({ pollDelaysMs: [0] }).buy(request({ quantity }))
    expect(outcome.kind).toBe('delivered')
    return outcome as Purchase & { kind: 'delivered' }
  }

  /** A supplier whose other side is this function: for answers that the stand-in does not give. */
  const answering = (answer: (url: string, init: RequestInit) => Response | Promise<Response>) =>
    adapter({ fetch: (async (url: string, init: RequestInit) => answer(url, init)) as typeof fetch })

  test('sends the documented order with both headers, and never lets it renew itself', async () => {
    let seen: { url: string; init: RequestInit } | undefined
    const supplier = answering((url, init) => {
      seen = { url, init }
      return Response.json({ id: '6f1c', periodInMonths: 2, totalPrice: 5.4 })
    })
    await expect(supplier.buy(request({ periodDays: 60, params: { ...PARAMS, ispId: 7 } }))).rejects.toThrow(
      'order 6f1c was accepted',
    )
    expect(seen!.url).toBe(`${fake.url}/v2/order/static-residential-ipv4/execute`)
    expect(seen!.init.headers).toMatchObject({ 'x-api-key': API_KEY, 'x-api-secret': API_SECRET })
    expect(JSON.parse(seen!.init.body as string)).toEqual({
      planId: 'standard',
      quantity: 2,
      country: 'DE',
      period: { unit: 'months', value: 2 },
      ispId: 7,
      autoExtend: { isEnabled: false },
    })
  })

  test('what is active soon is handed over at once, with its price and an id that names its proxies', async () => {
    const purchase = await boughtNow(3)
    expect(purchase).toMatchObject({ costMicros: 8_100_000n, currency: 'USD' })
    const ids = purchase.proxies.map((proxy) => Number(proxy.supplierRef))
    expect(purchase.supplierOrderId).toMatch(new RegExp(`^[0-9a-f-]{36}:${ids[0]}-${ids[2]}$`))
  })

  test('reads the list bare and wrapped', async () => {
    const purchase = await boughtNow()
    for (const shape of ['bare', 'wrapped']) {
      await tell('list', { shape })
      expect(await adapter().readProxies!({ ...purchase, params: PARAMS })).toEqual(purchase.proxies)
    }
  })

  test('proxies of orders that are accounted for are not taken for those of a lost answer', async () => {
    const sentAt = new Date()
    const mine = await boughtNow(2)
    const knownOrderIds = [mine.supplierOrderId!, '?:1-3,5']
    const asked = request()
    const find = () => adapter().findPurchase(asked.reference, { ...asked, sentAt, knownOrderIds })
    // Tests before this one bought in the same minutes.
    knownOrderIds.push(`?:${(await listIds()).join(',')}`)
    expect(await find()).toBeNull()
    const lost = await boughtNow(2)
    expect((await find())?.proxies).toEqual(lost.proxies)
    // A third order that nobody accounts for: no guess.
    await boughtNow(2)
    await expect(find()).rejects.toThrow('several orders')
    // Fewer than were asked for: not all there yet.
    await expect(
      adapter().findPurchase(asked.reference, { ...asked, quantity: 5, sentAt, knownOrderIds }),
    ).rejects.toThrow('not delivered yet')
  })

  test('a renewal of which only the first call got through has an unknown outcome, and a look tells which moved', async () => {
    const purchase = await boughtNow(2)
    const held = { ...purchase, params: PARAMS }
    let extended = 0
    for (const second of [402, 422, 429, 500, 403]) {
      const [first, last] = await adapter().readProxies!(held)
      extended = 0
      const supplier = answering((url, init) => {
        if (url.endsWith('/extend-period') && (extended += 1) === 2)
          return Response.json({ message: 'no' }, { status: second })
        return fetch(url, init)
      })
      await expect(supplier.renew!({ ...held, reference: 'rnw_1', periodDays: 30 })).rejects.toBeInstanceOf(
        UnknownOutcomeError,
      )
      const now = await adapter().readProxies!(held)
      expect(now[0]!.expiresAt > first!.expiresAt).toBe(true)
      expect(now[1]).toEqual(last)
    }
  })

  test('money for only one of two is found out before the first', async () => {
    const purchase = await boughtNow(2)
    await tell('balance', { amount: '3.00' })
    const held = { ...purchase, params: PARAMS }
    expect(await adapter().renew!({ ...held, reference: 'rnw_2', periodDays: 30 })).toMatchObject({
      kind: 'refused',
      code: 'supplier_unfunded',
    })
    expect(await adapter().readProxies!(held)).toEqual(purchase.proxies)
  })

  test('a key without billing rights buys and renews, and says plainly why it cannot tell the balance', async () => {
    const purchase = await boughtNow(1)
    await tell('billing', { allowed: false })
    await expect(adapter().getBalance()).rejects.toThrow('give it billing rights')
    const held = { ...purchase, params: PARAMS }
    expect(await adapter().renew!({ ...held, reference: 'rnw_3', periodDays: 30 })).toMatchObject({ kind: 'renewed' })
  })

  test('wrong credentials are a fault, for buying too: nothing was bought', async () => {
    const supplier = adapter({ apiSecret: 'another' })
    const error: unknown = await supplier.buy(request()).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OperationalError)
    expect(error).not.toBeInstanceOf(UnknownOutcomeError)
  })

  test('a balance that is not in whole cents is not guessed at', async () => {
    for (const balance of [12.5, '1250', null, -1])
      await expect(answering(() => Response.json({ balance })).getBalance()).rejects.toBeInstanceOf(OperationalError)
    expect(await answering(() => Response.json({ balance: 1250 })).getBalance()).toEqual({
      balanceMicros: 12_500_000n,
      currency: 'USD',
    })
  })

  test('a balance that is told in another way is no reason not to renew', async () => {
    const purchase = await boughtNow(1)
    const supplier = answering((url, init) =>
      url.endsWith('/account/balance') ? Response.json({ balance: '12.50', currency: 'USD' }) : fetch(url, init),
    )
    const held = { ...purchase, params: PARAMS }
    expect(await supplier.renew!({ ...held, reference: 'rnw_4', periodDays: 30 })).toMatchObject({ kind: 'renewed' })
  })

  /** The list of their server with this in it, too, or with each row made into something else. */
  const listing = (more: object[], change: (row: Record<string, unknown>) => object = (row) => row) =>
    answering(async (url, init) => {
      const answer = await fetch(url, init)
      if (!url.endsWith('/proxies')) return answer
      const { proxies } = (await answer.json()) as { proxies: Record<string, unknown>[] }
      return Response.json({ proxies: [...more, ...proxies.map(change)] })
    })

  test('another product or state of theirs in the list does not stand in the way, unless it is what is looked for', async () => {
    const purchase = await boughtNow(1)
    const sentAt = new Date()
    const old = { id: 7, status: 'ACTIVE', connection: { httpPort: 'dynamic' }, createdAt: '2020-01-01T00:00:00Z' }
    const paused = { id: 8, status: 'SUSPENDED', createdAt: '2020-01-01T00:00:00Z' }
    const held = { ...purchase, params: PARAMS }
    expect(await listing([old, paused]).readProxies!(held)).toEqual(purchase.proxies)
    const asked = request({ quantity: 1 })
    const hint = { ...asked, sentAt, knownOrderIds: [`?:${(await listIds()).join(',')}`] }
    expect(await listing([old, paused]).findPurchase(asked.reference, hint)).toBeNull()
    await expect(
      listing([{ ...old, createdAt: new Date().toISOString() }]).findPurchase(asked.reference, hint),
    ).rejects.toThrow('cannot tell')
    await expect(listing([], ({ id }) => ({ id })).readProxies!(held)).rejects.toBeInstanceOf(OperationalError)
  })

  test('dates without a zone hide no purchase whose answer was lost, whatever zone they are of', async () => {
    const asked = request({ quantity: 1 })
    const knownOrderIds = [`?:${(await listIds()).join(',') || '1'}`]
    const sentAt = new Date()
    const lost = await boughtNow(1)
    for (const hours of [-12, -5, 0, 3, 14]) {
      const local = (text: unknown) =>
        new Date(Date.parse(String(text)) + hours * 3_600_000).toISOString().slice(0, 19).replace('T', ' ')
      const supplier = listing([], (row) => ({
        ...row,
        createdAt: local(row.createdAt),
        expiresAt: local(row.expiresAt),
      }))
      const found = await supplier.findPurchase(asked.reference, { ...asked, sentAt, knownOrderIds })
      expect(found?.proxies.map((proxy) => proxy.supplierRef)).toEqual([lost.proxies[0]!.supplierRef])
    }
  })

  test('addresses that were accepted and are not there are not told as bound', async () => {
    const purchase = await boughtNow(1)
    const idle = answering((url, init) =>
      url.endsWith('/change-authentication-type')
        ? Response.json({ statusCode: 500, message: 'Internal server error' })
        : fetch(url, init),
    )
    const held = { ...purchase, params: PARAMS }
    await expect(idle.bindAddresses!({ ...held, addresses: ['203.0.113.7'] })).rejects.toBeInstanceOf(
      UnknownOutcomeError,
    )
  })

  test('with addresses bound there is no login, and without them a new one', async () => {
    const purchase = await boughtNow(1)
    const held = { ...purchase, params: PARAMS }
    const [login] = purchase.proxies
    expect(fake.isSold(login!.username, login!.password)).toBe(true)
    const bound = await adapter().bindAddresses!({ ...held, addresses: ['203.0.113.7'] })
    expect(bound).toMatchObject({ kind: 'changed', proxies: [{ username: '', password: '' }] })
    expect(fake.isSold(login!.username, login!.password)).toBe(false)
    const back = await adapter().bindAddresses!({ ...held, addresses: [] })
    if (back.kind !== 'changed') throw new Error(back.detail)
    expect(fake.isSold(back.proxies[0]!.username, back.proxies[0]!.password)).toBe(true)
  })

  test('an address that they do not take is refused, and nothing changes', async () => {
    const purchase = await boughtNow(1)
    const held = { ...purchase, params: PARAMS }
    expect(await adapter().bindAddresses!({ ...held, addresses: ['2001:db8::1'] })).toMatchObject({ kind: 'refused' })
    expect(await adapter().readProxies!(held)).toEqual(purchase.proxies)
  })

  test('neither half of the credentials shows in an error, should they repeat it', async () => {
    const echo = answering(() => Response.json({ message: `${API_KEY} ${API_SECRET}` }, { status: 403 }))
    const error = (await echo.buy(request()).catch((thrown: unknown) => thrown)) as Error
    expect(error.message).toContain('[key] [secret]')
  })
})
