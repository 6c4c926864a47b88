import { describe, expect, test } from 'vitest'
import { OperationalError } from '@/lib/kit'
import { type PurchaseRequest, type Supplier, UnknownOutcomeError } from './supplier'

/** What a supplier's test brings along: the adapter, and hands on the other side of the wire. */
export type SupplierBench = {
  supplier: Supplier
  /** The secret that no error may show. */
  apiKey: string
  /** A place the other side sells in, and offer params that it takes. */
  countryCode: string
  params: Record<string, unknown>
  setStock: (count: number) => Promise<void>
  setBalance: (amount: string) => Promise<void>
  /** Makes the next call of this kind fail before or after the other side did it. */
  breakNext: (call: 'buy' | 'find', how: BreakHow) => Promise<void>
  /** How many purchases the other side really made under the reference. */
  countPurchases: (reference: string) => Promise<number>
}

export type BreakHow =
  | 'status 500 before'
  | 'status 500 after'
  | 'no answer before'
  | 'no answer after'
  | 'nonsense after'
  | 'too many requests'

let counter = 0

/** The promises of lib/suppliers/supplier.ts, as tests. Every adapter runs them against its stand-in, over HTTP. */
export function describeSupplierContract(name: string, getBench: () => SupplierBench): void {
  const request = (more: Partial<PurchaseRequest> = {}): PurchaseRequest => ({
    reference: `dlv_contract_${Date.now().toString(36)}_${(counter += 1)}`,
    countryCode: getBench().countryCode,
    quantity: 2,
    periodDays: 30,
    params: getBench().params,
    ...more,
  })

  describe(`${name} keeps the contract of suppliers`, () => {
    test('a purchase delivers what was asked for, at a cost that leaves the balance', async () => {
      const { supplier, setStock, setBalance } = getBench()
      await setStock(10)
      await setBalance('500.00')
      const outcome = await supplier.buy(request())
      expect(outcome.kind).toBe('delivered')
      if (outcome.kind !== 'delivered') return
      expect(outcome.proxies).toHaveLength(2)
      expect(new Set(outcome.proxies.map((proxy) => proxy.supplierRef)).size).toBe(2)
      for (const proxy of outcome.proxies) {
        expect(proxy.host).not.toBe('')
        expect(proxy.port).toBeGreaterThan(0)
        expect(Math.abs(proxy.expiresAt.getTime() - Date.now() - 30 * 86_400_000)).toBeLessThan(120_000)
      }
      const { balanceMicros, currency } = await supplier.getBalance()
      expect(500_000_000n - balanceMicros).toBe(outcome.costMicros)
      expect(currency).toBe(outcome.currency)
      expect(await supplier.getStock(getBench().countryCode, getBench().params)).toBe(8)
    })

    test('a purchase can be found by its reference, any number of times, and only by its own', async () => {
      const { supplier, setStock } = getBench()
      await setStock(10)
      const asked = request()
      const bought = await supplier.buy(asked)
      const first = await supplier.findPurchase(asked.reference)
      const second = await supplier.findPurchase(asked.reference)
      expect(first?.proxies).toEqual(bought.kind === 'delivered' ? bought.proxies : [])
      expect(second).toEqual(first)
      expect(await supplier.findPurchase(`${asked.reference}_other`)).toBeNull()
    })

    test.each(['status 500 after', 'no answer after', 'nonsense after'] as const)(
      'bought, but %s: the outcome is unknown, the purchase is found, and it was made once',
      async (how) => {
        const { supplier, setStock, breakNext, countPurchases } = getBench()
        await setStock(10)
        const asked = request()
        await breakNext('buy', how)
        await expect(supplier.buy(asked)).rejects.toBeInstanceOf(UnknownOutcomeError)
        expect((await supplier.findPurchase(asked.reference))?.proxies).toHaveLength(2)
        expect(await countPurchases(asked.reference)).toBe(1)
      },
    )

    test.each(['status 500 before', 'no answer before'] as const)(
      'not bought, %s: the outcome is just as unknown, and nothing is found',
      async (how) => {
        const { supplier, setStock, breakNext, countPurchases } = getBench()
        await setStock(10)
        const asked = request()
        await breakNext('buy', how)
        await expect(supplier.buy(asked)).rejects.toBeInstanceOf(UnknownOutcomeError)
        expect(await supplier.findPurchase(asked.reference)).toBeNull()
        expect(await countPurchases(asked.reference)).toBe(0)
      },
    )

    test('too many requests: certainly not bought, and said when to come again', async () => {
      const { supplier, setStock, breakNext, countPurchases } = getBench()
      await setStock(10)
      const asked = request()
      await breakNext('buy', 'too many requests')
      const error: unknown = await supplier.buy(asked).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(OperationalError)
      expect(error).not.toBeInstanceOf(UnknownOutcomeError)
      expect((error as OperationalError).retryAfterMs).toBeGreaterThan(0)
      expect(await countPurchases(asked.reference)).toBe(0)
    })

    test('a look-up that cannot tell never says "there is none"', async () => {
      const { supplier, setStock, breakNext } = getBench()
      await setStock(10)
      const asked = request()
      await supplier.buy(asked)
      for (const how of ['status 500 before', 'no answer before', 'nonsense after', 'too many requests'] as const) {
        await breakNext('find', how)
        await expect(supplier.findPurchase(asked.reference)).rejects.toBeInstanceOf(OperationalError)
      }
      expect(await supplier.findPurchase(asked.reference)).not.toBeNull()
    })

    test('sold out, and no money of ours left, are refusals that tell each other apart', async () => {
      const { supplier, setStock, setBalance, countPurchases } = getBench()
      await setStock(1)
      const tooMany = request()
      expect(await supplier.buy(tooMany)).toMatchObject({ kind: 'refused', code: 'sold_out' })
      await setStock(10)
      await setBalance('0.01')
      const tooDear = request()
      expect(await supplier.buy(tooDear)).toMatchObject({ kind: 'refused', code: 'supplier_unfunded' })
      await setBalance('500.00')
      expect(await countPurchases(tooMany.reference)).toBe(0)
      expect(await countPurchases(tooDear.reference)).toBe(0)
    })

    test('a request that makes no sense there is rejected', async () => {
      const { supplier } = getBench()
      for (const wrong of [{ countryCode: 'zz' }, { periodDays: 100_000 }, { quantity: 0 }])
        expect(await supplier.buy(request(wrong))).toMatchObject({ kind: 'refused', code: 'rejected' })
      expect(await supplier.getStock('zz', getBench().params)).toBe(0)
    })

    test('no error shows the key', async () => {
      const { supplier, apiKey, breakNext } = getBench()
      for (const how of ['status 500 before', 'no answer before', 'nonsense after', 'too many requests'] as const) {
        await breakNext('buy', how)
        const error: unknown = await supplier.buy(request()).catch((thrown: unknown) => thrown)
        expect(error).toBeInstanceOf(Error)
        expect(allTextOf(error)).not.toContain(apiKey)
      }
    })
  })
}

/** Everything a log could print of an error: message, stack, fields, and the same of its causes. */
function allTextOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause === undefined ? '' : allTextOf(error.cause)}`
}
