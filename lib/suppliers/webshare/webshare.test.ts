import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startWebshareFake, type WebshareFake } from '../../../fakes/webshare'
import { OperationalError } from '@/lib/kit'
import { describePoolContract, type PoolBench, type PoolBreakHow } from '../contract-pool'
import { createWebshare } from './create-webshare'

const API_KEY = 'webshare-key-0123456789abcdef'
const CALLS = {
  list: { match: '/proxy/list/', method: 'GET' },
  replace: { match: '/proxy/replace/', method: 'POST' },
  readReplacement: { match: '/proxy/replace/', method: 'GET' },
} as const

let fake: WebshareFake
let bench: PoolBench

async function tell(path: string, wish: object = {}): Promise<void> {
  const answer = await fetch(`${fake.controlUrl}/${path}`, { method: 'POST', body: JSON.stringify(wish) })
  expect(answer.status).toBe(200)
}

async function breakNext(call: keyof typeof CALLS, how: PoolBreakHow): Promise<void> {
  const which = CALLS[call]
  if (how === 'nonsense after') return tell('nonsense', which)
  if (how === 'too many requests') return tell('fail', { ...which, status: 429 })
  await tell('fail', { ...which, status: 500, timeout: how.startsWith('no answer'), after: how.endsWith('after') })
}

/** The limits are documented ones, tested by themselves; here they would only make the tests slow. */
const atOnce = { waitForTurn: () => Promise.resolve() }

beforeAll(async () => {
  fake = await startWebshareFake({ port: 0, apiKey: API_KEY, exitPort: 4321 })
  bench = {
    supplier: createWebshare({ baseUrl: fake.url, apiKey: API_KEY, timeoutMs: 400, ...atOnce }),
    apiKey: API_KEY,
    params: { planId: 7 },
    severalPages: 205,
    addProxies: (count, country) => tell('add', { count, country }),
    removeProxy: (id) => tell('remove', { id }),
    changePassword: (id, pass) => tell('change', { id, pass }),
    breakProxy: (id) => tell('change', { id, valid: false }),
    breakList: (how) =>
      tell('list', { 'last page': { page: 3 }, 'row twice': { twice: true }, 'row missing': { missing: true } }[how]),
    breakNext,
    endReplacements: (how) =>
      tell('replacing', { states: ['validating', 'processing', how === 'done' ? 'completed' : 'failed'] }),
  }
})

afterAll(() => fake.close())

beforeEach(async () => {
  await tell('reset')
  await tell('nonsense', { times: 0 })
  await tell('list')
  await tell('limit', { times: 0 })
  await tell('pool', { count: 0, country: 'DE' })
})

describePoolContract('webshare', () => bench)

describe('webshare', () => {
  const list = (params = {}) => bench.supplier.pool!.listPool(params)

  test('says which plan, asks for direct proxies, and sends its key to no address but its own', async () => {
    const seen: { url: URL; authorization: string | null }[] = []
    const page = (next: string | null) => ({ count: 0, next, results: [] })
    const supplier = createWebshare({
      baseUrl: 'http://webshare.test/',
      apiKey: API_KEY,
      ...atOnce,
      fetch: (async (url: string, init: RequestInit) => {
        seen.push({ url: new URL(url), authorization: new Headers(init.headers).get('authorization') })
        return Response.json(page(seen.length === 1 ? 'http://elsewhere.test/steal' : null))
      }) as typeof fetch,
    })
    await supplier.pool!.listPool({ planId: 7 })
    expect(seen.map(({ url }) => url.origin)).toEqual(['http://webshare.test', 'http://webshare.test'])
    expect(Object.fromEntries(seen[1]!.url.searchParams)).toEqual({
      mode: 'direct',
      page: '2',
      page_size: '100',
      plan_id: '7',
    })
    expect(seen.every(({ authorization }) => authorization === `Token ${API_KEY}`)).toBe(true)
  })

  test('a list that never ends is a fault', async () => {
    const supplier = createWebshare({
      baseUrl: 'http://webshare.test',
      apiKey: API_KEY,
      ...atOnce,
      fetch: (async () => Response.json({ count: 0, next: 'http://x.test', results: [] })) as unknown as typeof fetch,
    })
    await expect(supplier.pool!.listPool({})).rejects.toThrow('did not end')
  })

  test('a proxy without an address makes the whole list refused: its plan is residential', async () => {
    await tell('add', { count: 2, country: 'DE' })
    const [first] = await list()
    await tell('change', { id: first!.supplierRef, address: null })
    await expect(list()).rejects.toThrow('residential')
  })

  test('waits as long as they say', async () => {
    await tell('limit', { times: 1, retryAfter: 42 })
    await expect(list()).rejects.toMatchObject({ retryAfterMs: 42_000 })
  })

  test('their errors are told in their words: a detail with its code, and fields', async () => {
    await expect(list({ planId: 8 })).rejects.toThrow('plan_id: Plan does not exist.')
    const wrong = createWebshare({ baseUrl: fake.url, apiKey: 'wrong-key-42', ...atOnce })
    await expect(wrong.pool!.listPool({})).rejects.toThrow('Invalid token.; code: authentication_failed')
    await expect(list({ planId: 'seven' })).rejects.toBeInstanceOf(OperationalError)
  })

  test('a replacement knows its plan when it is asked after, and a failed one says why', async () => {
    await tell('add', { count: 1, country: 'DE' })
    const [proxy] = await list()
    await tell('replacing', { states: ['failed'] })
    const { id } = await bench.supplier.pool!.replaceInPool({
      hosts: [proxy!.host],
      params: { planId: 7 },
      dryRun: false,
    })
    expect(id).toMatch(/^\d+@7$/)
    expect(await bench.supplier.pool!.readReplacement(id)).toEqual({
      state: 'failed',
      detail: 'no_proxies: Not enough proxies available.',
    })
  })

  test('the free credits are the balance, and the logins open the exit', async () => {
    await tell('balance', { amount: '3.25' })
    expect(await bench.supplier.getBalance()).toEqual({ balanceMicros: 3_250_000n, currency: 'USD' })
    await tell('add', { count: 1, country: 'DE' })
    const [proxy] = await list()
    expect(fake.isSold(proxy!.username, proxy!.password)).toBe(true)
  })
})
