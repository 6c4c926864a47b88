import { describe, expect, test } from 'vitest'
import { OperationalError } from '@/lib/kit'
import type { BreakHow } from './contract'
import { type SubAccount, type Supplier, type TrafficSupplier, UnknownOutcomeError } from './supplier'

/** What the test of a supplier of traffic brings along: the adapter, and hands on the other side of the wire. */
export type TrafficBench = {
  supplier: Supplier
  /** The secret that no error may show. */
  apiKey: string
  params: Record<string, unknown>
  /** What the parent has to grant. */
  setTraffic: (bytes: bigint) => Promise<void>
  useTraffic: (account: SubAccount, bytes: bigint) => Promise<void>
  /** Makes the next call of this kind fail before or after the other side did it. */
  breakNext: (call: 'create' | 'list' | 'give' | 'read' | 'close', how: BreakHow) => Promise<void>
  /** How many sub-accounts the other side has in all. Each test begins with none. */
  countAccounts: () => Promise<number>
}

const GB = 1_000_000_000n
const FAILURES = ['status 500 before', 'no answer before', 'nonsense after', 'too many requests'] as const
let counter = 0

/** The promises of TrafficSupplier, as tests over HTTP. */
export function describeTrafficContract(name: string, getBench: () => TrafficBench): void {
  const traffic = (): TrafficSupplier => getBench().supplier.traffic!
  const newReference = () => `dlv_traffic_${Date.now().toString(36)}_${(counter += 1)}`
  const create = (reference: string, bytes = 2n * GB) =>
    traffic().createSubAccount({ reference, bytes, params: getBench().params })
  async function created(bytes = 2n * GB): Promise<SubAccount> {
    const outcome = await create(newReference(), bytes)
    if (outcome.kind !== 'created') throw new Error(outcome.detail)
    return outcome.account
  }
  const read = (account: SubAccount) => traffic().readSubAccount(account.supplierRef, getBench().params)

  describe(`${name} keeps the contract of suppliers of traffic`, () => {
    test('sells traffic and orders nothing', async () => {
      const { supplier, params } = getBench()
      expect(supplier.capabilities).toMatchObject({
        model: 'traffic',
        canBuy: false,
        canRenew: false,
        hasTraffic: true,
      })
      const order = { reference: newReference(), countryCode: 'de', quantity: 1, periodDays: 30, params }
      expect(await supplier.buy(order)).toMatchObject({ kind: 'refused', code: 'rejected' })
      expect(await supplier.findPurchase(order.reference)).toBeNull()
      expect(await supplier.quote(order)).toBeNull()
    })

    test('a sub-account has what was granted, to the byte, and the parent has that much less', async () => {
      const { setTraffic } = getBench()
      await setTraffic(10n * GB)
      const bytes = 3n * GB + 1n
      const account = await created(bytes)
      expect(account).toMatchObject({ grantedBytes: bytes, usedBytes: 0n })
      expect(account.username).not.toBe('')
      expect(account.port).toBeGreaterThan(0)
      expect(await traffic().getTraffic()).toEqual({ availableBytes: 10n * GB - bytes })
      expect(await read(account)).toEqual(account)
    })

    test('what is used is told, and stays part of what was granted', async () => {
      const { setTraffic, useTraffic } = getBench()
      await setTraffic(10n * GB)
      const account = await created()
      await useTraffic(account, 1_234_567n)
      expect(await read(account)).toMatchObject({ grantedBytes: 2n * GB, usedBytes: 1_234_567n })
    })

    test('is found by its reference, and only by its own', async () => {
      const { setTraffic, params } = getBench()
      await setTraffic(10n * GB)
      const reference = newReference()
      const made = await create(reference)
      expect(made).toMatchObject({ kind: 'created', account: await traffic().findSubAccount(reference, params) })
      for (const other of [`${reference}_`, reference.slice(0, -1), reference.replaceAll('_', '-')])
        expect(await traffic().findSubAccount(other, params)).toBeNull()
    })

    test.each(['status 500 after', 'no answer after', 'nonsense after'] as const)(
      'made, but %s: the outcome is unknown, it is found by its reference, and it was made once',
      async (how) => {
        const { setTraffic, breakNext, countAccounts, params } = getBench()
        await setTraffic(10n * GB)
        const reference = newReference()
        await breakNext('create', how)
        await expect(create(reference)).rejects.toBeInstanceOf(UnknownOutcomeError)
        expect(await traffic().findSubAccount(reference, params)).toMatchObject({ grantedBytes: 2n * GB })
        expect(await countAccounts()).toBe(1)
        expect(await traffic().getTraffic()).toEqual({ availableBytes: 8n * GB })
      },
    )

    test.each(['status 500 before', 'no answer before'] as const)(
      'not made, %s: the outcome is just as unknown, and nothing is found',
      async (how) => {
        const { setTraffic, breakNext, countAccounts, params } = getBench()
        await setTraffic(10n * GB)
        const reference = newReference()
        await breakNext('create', how)
        await expect(create(reference)).rejects.toBeInstanceOf(UnknownOutcomeError)
        expect(await traffic().findSubAccount(reference, params)).toBeNull()
        expect(await countAccounts()).toBe(0)
      },
    )

    test('made a second time under one reference, there is still one', async () => {
      const { setTraffic, countAccounts } = getBench()
      await setTraffic(10n * GB)
      const reference = newReference()
      await create(reference)
      expect(await create(reference)).toMatchObject({ kind: 'refused', code: 'rejected' })
      expect(await countAccounts()).toBe(1)
      expect(await traffic().getTraffic()).toEqual({ availableBytes: 8n * GB })
    })

    test('a look-up that cannot tell never says "there is none"', async () => {
      const { setTraffic, breakNext, params } = getBench()
      await setTraffic(10n * GB)
      const reference = newReference()
      await create(reference)
      for (const how of FAILURES) {
        await breakNext('list', how)
        await expect(traffic().findSubAccount(reference, params)).rejects.toBeInstanceOf(OperationalError)
      }
    })

    test('a parent without enough traffic is our own affair, and nothing is made', async () => {
      const { setTraffic, countAccounts } = getBench()
      await setTraffic(GB)
      expect(await create(newReference(), GB + 1n)).toMatchObject({ kind: 'refused', code: 'supplier_unfunded' })
      expect(await countAccounts()).toBe(0)
      expect(await traffic().getTraffic()).toEqual({ availableBytes: GB })
    })

    test('more can be granted; more than the parent has is certainly not', async () => {
      const { setTraffic, params } = getBench()
      await setTraffic(10n * GB)
      const account = await created()
      const more = await traffic().giveTraffic(account.supplierRef, 3n * GB + 7n, params)
      expect(more.grantedBytes).toBe(5n * GB + 7n)
      const error: unknown = await traffic()
        .giveTraffic(account.supplierRef, 6n * GB, params)
        .catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(OperationalError)
      expect(error).not.toBeInstanceOf(UnknownOutcomeError)
      expect(await read(account)).toMatchObject({ grantedBytes: 5n * GB + 7n })
    })

    test.each([
      ['give', 'no answer after', 3n],
      ['give', 'nonsense after', 3n],
      ['read', 'status 500 before', 3n],
      ['give', 'status 500 before', 2n],
      ['give', 'no answer before', 2n],
    ] as const)('a grant with %s: %s is unknown, and what is granted tells', async (call, how, gigabytes) => {
      const { setTraffic, breakNext, params } = getBench()
      await setTraffic(10n * GB)
      const account = await created()
      await breakNext(call, how)
      await expect(traffic().giveTraffic(account.supplierRef, GB, params)).rejects.toBeInstanceOf(UnknownOutcomeError)
      expect(await read(account)).toMatchObject({ grantedBytes: gigabytes * GB })
    })

    test('closing returns what was not used, and closing again does no harm', async () => {
      const { setTraffic, useTraffic } = getBench()
      await setTraffic(10n * GB)
      const account = await created()
      await useTraffic(account, GB / 2n)
      await traffic().closeSubAccount(account.supplierRef)
      await traffic().closeSubAccount(account.supplierRef)
      expect(await read(account)).toBeNull()
      expect(await traffic().getTraffic()).toEqual({ availableBytes: 10n * GB - GB / 2n })
    })

    test('no error shows the key', async () => {
      const { apiKey, breakNext, setTraffic, params } = getBench()
      await setTraffic(100n * GB)
      const account = await created()
      const calls = {
        create: () => create(newReference()),
        list: () => traffic().findSubAccount('dlv_1', params),
        give: () => traffic().giveTraffic(account.supplierRef, 1n, params),
        read: () => read(account),
        close: () => traffic().closeSubAccount(account.supplierRef),
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
