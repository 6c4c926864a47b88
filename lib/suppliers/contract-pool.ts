import { describe, expect, test } from 'vitest'
import { OperationalError } from '@/lib/kit'
import { type PoolProxy, type PoolSupplier, type Supplier, UnknownOutcomeError } from './supplier'

/** What the test of a pool brings along: the adapter, and hands on the other side of the wire. Each test begins with an empty pool. */
export type PoolBench = {
  supplier: Supplier
  /** The secret that no error may show. */
  apiKey: string
  params: Record<string, unknown>
  /** A number of proxies that do not fit on one page. */
  severalPages: number
  addProxies: (count: number, countryCode: string) => Promise<void>
  removeProxy: (supplierRef: string) => Promise<void>
  changePassword: (supplierRef: string, password: string) => Promise<void>
  /** The other side says that this one does not work now. */
  breakProxy: (supplierRef: string) => Promise<void>
  /** What goes wrong with the next list: its last page fails, a row is told twice, or one that is counted is not told. */
  breakList: (how: 'last page' | 'row twice' | 'row missing') => Promise<void>
  breakNext: (call: 'list' | 'replace' | 'readReplacement', how: PoolBreakHow) => Promise<void>
  /** How the next replacements end, after one look at which they are under way. */
  endReplacements: (how: 'done' | 'failed') => Promise<void>
}

export type PoolBreakHow =
  | 'status 500 before'
  | 'status 500 after'
  | 'no answer after'
  | 'nonsense after'
  | 'too many requests'

const FAILURES = ['status 500 before', 'no answer after', 'nonsense after', 'too many requests'] as const

/** The promises of PoolSupplier, as tests over HTTP. */
export function describePoolContract(name: string, getBench: () => PoolBench): void {
  const pool = (): PoolSupplier => getBench().supplier.pool!
  const list = () => pool().listPool(getBench().params)
  const refs = (proxies: PoolProxy[]) => proxies.map((proxy) => proxy.supplierRef)
  async function some(count: number, countryCode = 'DE'): Promise<PoolProxy[]> {
    await getBench().addProxies(count, countryCode)
    return list()
  }
  const replace = (proxies: PoolProxy[], dryRun = false) =>
    pool().replaceInPool({ hosts: proxies.map((proxy) => proxy.host), params: getBench().params, dryRun })
  async function endOf(id: string): Promise<string> {
    for (let look = 0; look < 5; look += 1) {
      const { state } = await pool().readReplacement(id)
      if (state !== 'pending') return state
    }
    return 'pending'
  }

  describe(`${name} keeps the contract of pools`, () => {
    test('is a pool and orders nothing', async () => {
      const { supplier, params } = getBench()
      expect(supplier.capabilities).toMatchObject({ model: 'pool', canBuy: false, canRenew: false, hasTraffic: false })
      const order = { reference: 'dlv_1', countryCode: 'de', quantity: 1, periodDays: 30, params }
      expect(await supplier.buy(order)).toMatchObject({ kind: 'refused', code: 'rejected' })
      expect(await supplier.findPurchase(order.reference)).toBeNull()
      expect(await supplier.quote(order)).toBeNull()
    })

    test('the whole pool is listed, over all its pages, each proxy once and with all that a customer needs', async () => {
      const { severalPages, addProxies } = getBench()
      await addProxies(severalPages, 'DE')
      const proxies = await some(1, 'US')
      expect(proxies).toHaveLength(severalPages + 1)
      expect(new Set(refs(proxies)).size).toBe(severalPages + 1)
      expect(proxies.filter((proxy) => proxy.countryCode === 'US')).toHaveLength(1)
      for (const proxy of proxies) {
        expect(proxy.host && proxy.username && proxy.password).toBeTruthy()
        expect(proxy.port).toBeGreaterThan(0)
        expect(proxy.isSellable).toBe(true)
      }
    })

    test('an empty pool is an empty list', async () => expect(await list()).toEqual([]))

    test('ids last, and changes are followed', async () => {
      const { changePassword, removeProxy, addProxies } = getBench()
      const [first, second, third] = await some(3)
      await changePassword(first!.supplierRef, 'changed-1')
      await removeProxy(second!.supplierRef)
      await addProxies(1, 'US')
      const now = await list()
      expect(now).toHaveLength(3)
      expect(now).toContainEqual({ ...first, password: 'changed-1' })
      expect(now).toContainEqual(third)
      expect(refs(now)).not.toContain(second!.supplierRef)
    })

    test('one that does not work now is listed, and not sellable', async () => {
      const [first, second] = await some(2)
      await getBench().breakProxy(first!.supplierRef)
      expect(await list()).toEqual([{ ...first, isSellable: false }, second])
    })

    test('a list that cannot be read to its end is a fault, never a shorter list', async () => {
      const { severalPages, addProxies, breakList, breakNext } = getBench()
      await addProxies(severalPages, 'DE')
      for (const how of ['last page', 'row missing'] as const) {
        await breakList(how)
        await expect(list()).rejects.toBeInstanceOf(OperationalError)
      }
      for (const how of FAILURES) {
        await breakNext('list', how)
        await expect(list()).rejects.toBeInstanceOf(OperationalError)
      }
      expect(await list()).toHaveLength(severalPages)
    })

    test('a row that is told twice is one proxy', async () => {
      const { severalPages, addProxies, breakList } = getBench()
      await addProxies(severalPages, 'DE')
      await breakList('row twice')
      expect(new Set(refs(await list())).size).toBe(severalPages)
    })

    test('too many requests: said when to come again', async () => {
      await getBench().breakNext('list', 'too many requests')
      const error: unknown = await list().catch((thrown: unknown) => thrown)
      expect((error as OperationalError).retryAfterMs).toBeGreaterThan(0)
    })

    test('a dry run of a replacement changes nothing', async () => {
      const before = await some(3)
      const { id } = await replace(before.slice(0, 1), true)
      expect(await endOf(id)).toBe('done')
      expect(await list()).toEqual(before)
    })

    test('a replacement takes a while, and puts others of the same country in the place of exactly these', async () => {
      const { addProxies, endReplacements } = getBench()
      await addProxies(1, 'US')
      const before = await some(2)
      await endReplacements('done')
      const bad = before.filter((proxy) => proxy.countryCode === 'DE').slice(0, 1)
      const { id, isDone } = await replace(bad)
      expect(isDone).toBe(false)
      expect(await endOf(id)).toBe('done')
      const now = await list()
      expect(now).toHaveLength(3)
      expect(now.map((proxy) => proxy.countryCode).toSorted()).toEqual(['DE', 'DE', 'US'])
      expect(before.filter((proxy) => !refs(now).includes(proxy.supplierRef))).toEqual(bad)
    })

    test('a replacement that failed says so, and changed nothing', async () => {
      const before = await some(2)
      await getBench().endReplacements('failed')
      const { id } = await replace(before.slice(0, 1))
      expect(await endOf(id)).toBe('failed')
      expect(await list()).toEqual(before)
    })

    test('nothing, hosts of two countries and hosts of nobody are not replaced', async () => {
      const { addProxies, params } = getBench()
      await addProxies(1, 'US')
      const before = await some(1)
      await expect(replace([])).rejects.toThrow('at least one')
      await expect(replace(before)).rejects.toThrow('one country')
      const ask = pool().replaceInPool({ hosts: ['203.0.113.1'], params, dryRun: false })
      await expect(ask).rejects.toThrow('one country')
      expect(await list()).toEqual(before)
    })

    test.each(['status 500 before', 'status 500 after', 'no answer after', 'nonsense after'] as const)(
      'a replacement with %s has an unknown outcome',
      async (how) => {
        const before = await some(1)
        await getBench().breakNext('replace', how)
        await expect(replace(before)).rejects.toBeInstanceOf(UnknownOutcomeError)
      },
    )

    test('no error shows the key', async () => {
      const { apiKey, breakNext } = getBench()
      const proxies = await some(1)
      const calls = {
        list,
        replace: () => replace(proxies),
        readReplacement: () => pool().readReplacement('1'),
      }
      for (const call of Object.keys(calls) as (keyof typeof calls)[])
        for (const how of ['status 500 before', 'nonsense after', 'too many requests'] as const) {
          await breakNext(call, how)
          const error: unknown = await calls[call]().catch((thrown: unknown) => thrown)
          expect(error).toBeInstanceOf(OperationalError)
          const { message, stack, cause } = error as Error
          expect(`${message} ${stack} ${JSON.stringify(error)} ${String(cause)}`).not.toContain(apiKey)
        }
    })
  })
}
