import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Px6Fake, startPx6Fake } from '../../../fakes/px6'
import { OperationalError } from '@/lib/kit'
import { type BreakHow, type BrokenCall, describeSupplierContract, type SupplierBench } from '../contract'
import { UnknownOutcomeError } from '../supplier'
import { createPx6 } from './create-px6'

const API_KEY = 'px6-key-0123456789abcdef'

let fake: Px6Fake
let bench: SupplierBench

async function tell(path: string, wish: object): Promise<void> {
  const answer = await fetch(`${fake.controlUrl}/${path}`, { method: 'POST', body: JSON.stringify(wish) })
  expect(answer.status).toBe(200)
}

async function listOrders(): Promise<{ descr: string; price: string; proxies: { user: string }[] }[]> {
  return (await fetch(`${fake.controlUrl}/orders`)).json() as Promise<never>
}

beforeAll(async () => {
  fake = await startPx6Fake({ port: 0, apiKey: API_KEY, exitPort: 4321 })
  const breakNext = async (call: BrokenCall, how: BreakHow) => {
    const match = { buy: 'buy', renew: 'prolong', find: 'getproxy', read: 'getproxy', replace: '', access: '' }[call]
    if (how === 'nonsense after') return tell('nonsense', { match })
    if (how === 'too many requests') return tell('fail', { match, status: 429 })
    await tell('fail', { match, status: 500, timeout: how.startsWith('no answer'), after: how.endsWith('after') })
  }
  bench = {
    // The limit is tested by itself; here it would only make the tests slow.
    supplier: createPx6({
      baseUrl: `${fake.url}/api`,
      apiKey: API_KEY,
      timeoutMs: 200,
      waitForTurn: () => Promise.resolve(),
    }),
    apiKey: API_KEY,
    countryCode: 'de',
    params: { version: '4', type: 'http' },
    setStock: (count) => tell('stock', { country: 'de', count }),
    setBalance: (amount) => tell('balance', { amount }),
    breakNext,
    countPurchases: async (reference) => (await listOrders()).filter((order) => order.descr === reference).length,
    removeProxies: async (proxies) => {
      const ids = proxies.map((proxy) => proxy.supplierRef).join(',')
      expect(await (await fetch(`${fake.url}/api/${API_KEY}/delete/?ids=${ids}`)).json()).toMatchObject({
        status: 'yes',
      })
    },
  }
})

afterAll(() => fake.close())

beforeEach(async () => {
  await tell('reset', {})
  await tell('limit', { perSecond: 0 })
  await tell('callers', { allowed: true })
  await tell('balance', { amount: '500.00' })
})

describeSupplierContract('px6', () => bench)

describe('px6', () => {
  /** A supplier whose other side is this function: for answers that the stand-in does not give. */
  const answering = (answer: (url: string) => Response | Promise<Response>) =>
    createPx6({
      baseUrl: 'http://px6.test/api',
      apiKey: `${API_KEY}-${Math.random()}`,
      fetch: (async (url: string) => answer(url)) as typeof fetch,
    })
  const request = { reference: 'dlv_1', countryCode: 'DE', quantity: 1, periodDays: 30, params: {} }
  const proxy = {
    id: '11',
    ip: '10.0.0.1',
    host: '10.0.0.1',
    port: '8000',
    user: 'u',
    pass: 'p',
    type: 'socks',
    unixtime_end: 1_800_000_000,
    active: '1',
  }

  test('sends the documented call: lower-case country, descr, nokey, and never auto_prolong', async () => {
    let seen = ''
    const supplier = answering((url) => {
      seen = url
      return Response.json({
        status: 'yes',
        user_id: '1',
        balance: 48.8,
        currency: 'RUB',
        order_id: 32_145,
        price: 0.6,
        list: [proxy],
      })
    })
    const outcome = await supplier.buy(request)
    const url = new URL(seen)
    expect(url.pathname).toMatch(/^\/api\/px6-key-[^/]+\/buy\/$/)
    expect(Object.fromEntries(url.searchParams)).toEqual({
      count: '1',
      period: '30',
      country: 'de',
      version: '4',
      type: 'http',
      descr: 'dlv_1',
      nokey: '',
    })
    expect(outcome).toMatchObject({ costMicros: 600_000n, currency: 'RUB', supplierOrderId: '32145' })
    expect(outcome).toMatchObject({ proxies: [{ protocols: ['socks5'], port: 8000, supplierRef: '11' }] })
  })

  test('reads a list that is an object by id, an array, and an empty one', async () => {
    const envelope = { status: 'yes', balance: '1.00', currency: 'USD', list_count: '1' }
    const listed = { ...proxy, descr: 'dlv_1', country: 'de' }
    for (const list of [{ 11: listed }, [listed]])
      expect((await answering(() => Response.json({ ...envelope, list })).findPurchase('dlv_1'))?.proxies).toHaveLength(
        1,
      )
    for (const list of [{}, []])
      expect(await answering(() => Response.json({ ...envelope, list })).findPurchase('dlv_1')).toBeNull()
  })

  test('what else the account has there does not stand in the way, unless it is what is looked for', async () => {
    const envelope = { status: 'yes', balance: '1.00', currency: 'USD', list_count: '2' }
    const odd = { id: '12', type: 'mtproto', secret: 'ee00', descr: 'by hand' }
    const supplier = answering(() => Response.json({ ...envelope, list: [odd, { ...proxy, descr: 'dlv_1' }] }))
    expect((await supplier.findPurchase('dlv_1'))?.proxies).toHaveLength(1)
    expect(await supplier.findPurchase('dlv_2')).toBeNull()
    const ours = answering(() => Response.json({ ...envelope, list: [{ ...odd, descr: 'dlv_1' }] }))
    await expect(ours.findPurchase('dlv_1')).rejects.toBeInstanceOf(OperationalError)
    const held = { supplierRef: '12', host: '10.0.0.1', port: 8000, expiresAt: new Date() }
    await expect(ours.readProxies!({ supplierOrderId: '1', params: {}, proxies: [held] })).rejects.toBeInstanceOf(
      OperationalError,
    )
  })

  test('a sum that their machine added up in floating point is the sum', async () => {
    const reply = { status: 'yes', balance: 0.1 + 0.2, currency: 'USD', price: 12.600000000000001 }
    const supplier = answering(() => Response.json(reply))
    expect(await supplier.getBalance()).toEqual({ balanceMicros: 300_000n, currency: 'USD' })
    expect(await supplier.quote(request)).toEqual({ costMicros: 12_600_000n, currency: 'USD' })
  })

  test('a proxy that a list tells twice is one proxy', async () => {
    const reply = { status: 'yes', balance: '1.00', currency: 'USD', order_id: '1', price: '1.00' }
    const listed = { ...proxy, descr: 'dlv_1' }
    const supplier = answering(() => Response.json({ ...reply, list: [listed, listed] }))
    expect(await supplier.buy({ ...request, quantity: 2 })).toMatchObject({ kind: 'delivered', proxies: [{}] })
    expect((await supplier.findPurchase('dlv_1'))?.proxies).toHaveLength(1)
  })

  test('does not take a look-alike note for its own', async () => {
    const list = [{ ...proxy, descr: 'dlv_10' }]
    const supplier = answering(() => Response.json({ status: 'yes', balance: '1.00', currency: 'USD', list }))
    expect(await supplier.findPurchase('dlv_1')).toBeNull()
  })

  test.each([
    ['no list', { status: 'yes', balance: '1.00', currency: 'USD', order_id: '1', price: '1.00' }],
    [
      'a price with an exponent',
      { status: 'yes', balance: '1', currency: 'USD', order_id: '1', price: '1e3', list: [] },
    ],
    [
      'a proxy without a port',
      { status: 'yes', balance: '1', currency: 'USD', order_id: '1', price: '1', list: [{ id: '1' }] },
    ],
    ['an empty object', {}],
    ['a list', []],
  ])('after buying, %s leaves the outcome unknown', async (_name, body) => {
    await expect(answering(() => Response.json(body)).buy(request)).rejects.toBeInstanceOf(UnknownOutcomeError)
  })

  test('a connection that was never made is not an unknown outcome', async () => {
    const supplier = createPx6({ baseUrl: 'http://127.0.0.1:2/api', apiKey: 'nowhere-key' }) // nothing listens there
    const error: unknown = await supplier.buy(request).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OperationalError)
    expect(error).not.toBeInstanceOf(UnknownOutcomeError)
  })

  test('a key bound to another address is rejected for buying and a fault for asking, without the key in the words', async () => {
    await tell('callers', { allowed: false })
    expect(await bench.supplier.buy({ ...request, reference: 'dlv_callers' })).toMatchObject({
      kind: 'refused',
      code: 'rejected',
      detail: 'error 105: Error ip',
    })
    await expect(bench.supplier.getBalance()).rejects.toThrow('error 105')
    const echoing = answering((url) =>
      Response.json({ status: 'no', error_id: 100, error: `bad key ${url.split('/')[4]}` }),
    )
    await expect(echoing.getBalance()).rejects.toThrow('bad key [key]')
  })

  test('a proxy whose address was sold again under another id is not taken for the one we hold', async () => {
    const envelope = { status: 'yes', balance: '1.00', currency: 'USD', list_count: '1' }
    const supplier = answering(() => Response.json({ ...envelope, list: [proxy] }))
    const held = { supplierOrderId: '1', params: {} }
    const known = { supplierRef: '11', host: '10.0.0.1', port: 8000, expiresAt: new Date() }
    expect(await supplier.readProxies!({ ...held, proxies: [known] })).toHaveLength(1)
    expect(await supplier.readProxies!({ ...held, proxies: [{ ...known, supplierRef: '10' }] })).toEqual([])
    expect(await supplier.readProxies!({ ...held, proxies: [{ ...known, host: '10.0.0.2' }] })).toEqual([])
  })

  test('a renewal answered for fewer than were asked for has an unknown outcome', async () => {
    const envelope = { status: 'yes', balance: '1.00', currency: 'USD' }
    const supplier = answering((url) =>
      Response.json(
        url.includes('prolong')
          ? { ...envelope, price: '1.00', list: { 11: { id: '11', unixtime_end: 1_900_000_000 } } }
          : { ...envelope, list: [proxy, { ...proxy, id: '12', port: '8001' }] },
      ),
    )
    const proxies = [8000, 8001].map((port, index) => ({
      supplierRef: String(11 + index),
      host: '10.0.0.1',
      port,
      expiresAt: new Date(),
    }))
    await expect(
      supplier.renew!({ reference: 'rnw_1', supplierOrderId: '1', periodDays: 30, proxies, params: {} }),
    ).rejects.toBeInstanceOf(UnknownOutcomeError)
  })

  test('status 503 to a question means "slow down"; to a purchase, that nobody knows', async () => {
    const supplier = answering(() => new Response('busy', { status: 503 }))
    expect(await supplier.getBalance().catch((error: unknown) => error)).toMatchObject({ retryAfterMs: 2000 })
    await expect(supplier.buy(request)).rejects.toBeInstanceOf(UnknownOutcomeError)
  })

  test('a short delivery shows fewer proxies than were asked for', async () => {
    await tell('stock', { country: 'de', count: 10 })
    await tell('short', { missing: 1 })
    const outcome = await bench.supplier.buy({ ...request, reference: 'dlv_short', quantity: 3 })
    expect(outcome).toMatchObject({ kind: 'delivered', proxies: [{}, {}] })
  })

  test('seven calls at once stay below the documented limit of the other side', async () => {
    await tell('limit', { perSecond: 3 })
    // Two adapters with one key share one limit.
    const adapters = [1, 2].map(() => createPx6({ baseUrl: `${fake.url}/api`, apiKey: API_KEY }))
    const balances = await Promise.all(Array.from({ length: 7 }, (_, index) => adapters[index % 2]!.getBalance()))
    expect(balances).toHaveLength(7)
  }, 15_000)

  test('the other side refuses a fourth call within a second', async () => {
    await tell('limit', { perSecond: 3 })
    const statuses = await Promise.all(
      Array.from({ length: 5 }, async () => (await fetch(`${fake.url}/api/${API_KEY}/`)).status),
    )
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThanOrEqual(2)
  })
})
