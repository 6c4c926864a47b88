import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type IproyalResidentialFake, startIproyalResidentialFake } from '../../../fakes/iproyal-residential'
import { OperationalError } from '@/lib/kit'
import type { BreakHow } from '../contract'
import { describeTrafficContract, type TrafficBench } from '../contract-traffic'
import { createIproyalResidential } from './create-iproyal-residential'

const API_KEY = 'iproyal-residential-key-0123456789abcdef'
const PARAMS = { host: '127.0.0.1', port: 4321, location: '_country-de' }
const CALLS = {
  create: { match: '/residential-subusers', method: 'POST' },
  list: { match: '/residential-subusers', method: 'GET' },
  give: { match: '/give-traffic', method: 'POST' },
  read: { match: '/residential-subusers/', method: 'GET' },
  close: { match: '/residential-subusers/', method: 'DELETE' },
} as const

let fake: IproyalResidentialFake
let bench: TrafficBench

async function tell(path: string, wish: object = {}): Promise<void> {
  const answer = await fetch(`${fake.controlUrl}/${path}`, { method: 'POST', body: JSON.stringify(wish) })
  expect(answer.status).toBe(200)
}

async function listUsers(): Promise<{ user: string }[]> {
  return (await fetch(`${fake.controlUrl}/subusers`)).json() as Promise<never>
}

async function breakNext(call: keyof typeof CALLS, how: BreakHow): Promise<void> {
  const which = CALLS[call]
  if (how === 'nonsense after') return tell('nonsense', which)
  if (how === 'too many requests') return tell('fail', { ...which, status: 429 })
  await tell('fail', { ...which, status: 500, timeout: how.startsWith('no answer'), after: how.endsWith('after') })
}

beforeAll(async () => {
  fake = await startIproyalResidentialFake({ port: 0, apiKey: API_KEY })
  bench = {
    supplier: createIproyalResidential({ baseUrl: `${fake.url}/v1`, apiKey: API_KEY, timeoutMs: 300 }),
    apiKey: API_KEY,
    params: PARAMS,
    setTraffic: (bytes) => tell('traffic', { bytes: String(bytes) }),
    useTraffic: ({ username }, bytes) => tell('use', { username, bytes: String(bytes) }),
    breakNext,
    countAccounts: async () => (await listUsers()).length,
  }
})

afterAll(() => fake.close())

beforeEach(async () => {
  await tell('reset')
  await tell('nonsense', { times: 0 })
  await tell('forget')
  await tell('page', { size: 2 })
  await tell('traffic', { bytes: '500000000000' })
})

describeTrafficContract('iproyal-residential', () => bench)

describe('iproyal-residential', () => {
  const traffic = () => bench.supplier.traffic!

  test('the login opens the exit, with the place behind its password, until it is closed', async () => {
    const made = await traffic().createSubAccount({ reference: 'dlv_1', bytes: 1_000_000_000n, params: PARAMS })
    if (made.kind !== 'created') throw new Error(made.detail)
    const { username, password, host, port, supplierRef } = made.account
    expect({ host, port }).toEqual({ host: '127.0.0.1', port: 4321 })
    expect(password).toMatch(/^[0-9a-f]{24}_country-de$/)
    expect(fake.isSold(username, password)).toBe(true)
    await traffic().closeSubAccount(supplierRef)
    expect(fake.isSold(username, password)).toBe(false)
  })

  test('a sub-user is found on the third page', async () => {
    for (const count of [1, 2, 3, 4, 5])
      await traffic().createSubAccount({ reference: `dlv_${count}`, bytes: 1n, params: PARAMS })
    expect(await traffic().findSubAccount('dlv_5', PARAMS)).toMatchObject({ grantedBytes: 1n })
  })

  test.each(['without its last page', 'bare', 'bare and never paged'])('a list %s is read to its end', async (how) => {
    for (const count of [1, 2, 3, 4, 5])
      await traffic().createSubAccount({ reference: `dlv_${count}`, bytes: 1n, params: PARAMS })
    const listing = createIproyalResidential({
      baseUrl: `${fake.url}/v1`,
      apiKey: API_KEY,
      fetch: (async (url: string, init: RequestInit) => {
        if (how === 'bare and never paged') return Response.json(await everybody())
        const { data } = (await (await fetch(url, init)).json()) as { data: unknown[] }
        return Response.json(how === 'bare' ? data : { data })
      }) as typeof fetch,
    }).traffic!
    expect(await listing.findSubAccount('dlv_5', PARAMS)).toMatchObject({ grantedBytes: 1n })
    expect(await listing.findSubAccount('dlv_6', PARAMS)).toBeNull()
  })

  /** All sub-users, as one page would tell them. */
  async function everybody(): Promise<unknown[]> {
    await tell('page', { size: 100 })
    const headers = { authorization: `Bearer ${API_KEY}` }
    const answer = await fetch(`${fake.url}/v1/residential-subusers`, { headers })
    return ((await answer.json()) as { data: unknown[] }).data
  }

  test.each(['dlv_1', 'dlv-1', 'dlv.1', 'dlvx5f1', 'DLV_1', 'dlv_X'])(
    'no reference but %s has its name',
    async (own) => {
      await traffic().createSubAccount({ reference: own, bytes: 1n, params: PARAMS })
      for (const other of ['dlv_1', 'dlv-1', 'dlv.1', 'dlvx5f1', 'DLV_1', 'dlv_X'])
        expect((await traffic().findSubAccount(other, PARAMS)) !== null).toBe(other === own)
    },
  )

  test('nothing, less than nothing and more than can be counted are never granted, nor an empty hash deleted', async () => {
    for (const bytes of [0n, -1n, 10n ** 16n])
      await expect(traffic().createSubAccount({ reference: 'dlv_1', bytes, params: {} })).rejects.toThrow('granted')
    await expect(async () => traffic().closeSubAccount('')).rejects.toThrow('all sub-users')
  })

  test.each([
    ['1.5', 1_500_000_000n],
    [0.1, 100_000_000n],
    [1e-6, 1000n],
    [1e-9, 1n],
    [0, 0n],
    [12.000000001, 12_000_000_001n],
    ['0.0000000015', 2n],
  ])('%s GB in their words is %s bytes', async (available, bytes) => {
    const answering = createIproyalResidential({
      baseUrl: 'http://resi.test',
      apiKey: API_KEY,
      fetch: (async () => Response.json({ available_traffic: available })) as unknown as typeof fetch,
    })
    expect(await answering.traffic!.getTraffic()).toEqual({ availableBytes: bytes })
  })

  test('it holds no money, and a wrong key is a fault', async () => {
    await expect(bench.supplier.getBalance()).rejects.toBeInstanceOf(OperationalError)
    const wrong = createIproyalResidential({ baseUrl: `${fake.url}/v1`, apiKey: 'wrong-key-42' })
    await expect(wrong.traffic!.getTraffic()).rejects.toThrow('status 401: Unauthenticated.')
  })
})
