import { describe, expect, test } from 'vitest'
import { InvariantError, OperationalError } from '@/lib/kit'
import {
  type HeldProxies,
  type Purchase,
  type PurchasedProxy,
  type PurchaseHint,
  type PurchaseRequest,
  type Supplier,
  UnknownOutcomeError,
} from './supplier'

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
  breakNext: (call: BrokenCall, how: BreakHow) => Promise<void>
  /** How many purchases the other side really made under the reference; where it keeps none, how many in all. */
  countPurchases: (reference: string) => Promise<number>
  /** Takes these away at the other side, as if they had run out long ago. */
  removeProxies: (proxies: PurchasedProxy[]) => Promise<void>
  /** With `isAsync`: lets what was bought be delivered. */
  deliver?: () => Promise<void>
  /** With `canReplace`: how the other side answers the next replacement. */
  setReplacement?: (outcome: 'replaced' | 'pending' | 'refused') => Promise<void>
}

/** `read` is the call that readProxies makes, `access` the one that changes credentials or addresses. */
export type BrokenCall = 'buy' | 'find' | 'renew' | 'read' | 'replace' | 'access'

export type BreakHow =
  | 'status 500 before'
  | 'status 500 after'
  | 'no answer before'
  | 'no answer after'
  | 'nonsense after'
  | 'too many requests'

const DAY_MS = 86_400_000
let counter = 0

/**
 * The promises of lib/suppliers/supplier.ts for suppliers that sell by order, as tests. Every such adapter runs them against its stand-in, over HTTP.
 * What `capabilities` denies is looked for instead: the call must be missing.
 */
export function describeSupplierContract(name: string, getBench: () => SupplierBench): void {
  const request = (more: Partial<PurchaseRequest> = {}): PurchaseRequest => ({
    reference: `dlv_contract_${Date.now().toString(36)}_${(counter += 1)}`,
    countryCode: getBench().countryCode,
    quantity: 2,
    periodDays: 30,
    params: getBench().params,
    ...more,
  })

  /** Orders that a look-up was given already: what is looked for is none of them. */
  const knownOrderIds: string[] = []
  const hintOf = (asked: PurchaseRequest, sentAt: Date): PurchaseHint => ({ ...asked, sentAt, knownOrderIds })
  const find = (asked: PurchaseRequest, sentAt: Date) =>
    getBench().supplier.findPurchase(asked.reference, hintOf(asked, sentAt))

  /** Buys, waits for the delivery where there is one, and remembers the order as ours. */
  async function bought(asked: PurchaseRequest = request()): Promise<Purchase> {
    const { supplier, deliver } = getBench()
    let purchase: Purchase | null
    if (supplier.capabilities.isAsync) {
      const sentAt = new Date()
      await expect(supplier.buy(asked)).rejects.toBeInstanceOf(UnknownOutcomeError)
      await deliver!()
      purchase = await find(asked, sentAt)
    } else {
      const outcome = await supplier.buy(asked)
      purchase = outcome.kind === 'delivered' ? outcome : null
    }
    expect(purchase?.proxies).toHaveLength(asked.quantity)
    if (purchase!.supplierOrderId !== null) knownOrderIds.push(purchase!.supplierOrderId)
    return purchase!
  }

  const held = (purchase: Purchase, proxies = purchase.proxies): HeldProxies => ({
    supplierOrderId: purchase.supplierOrderId,
    proxies,
    params: getBench().params,
  })
  const renewal = (chosen: HeldProxies) => ({ ...chosen, reference: request().reference, periodDays: 30 })
  const balance = async () => (await getBench().supplier.getBalance()).balanceMicros
  /** Stand-ins may sell many logins at one address, and suppliers many addresses with one login. */
  const keyOf = ({ host, port, username }: PurchasedProxy) => `${host}:${port}:${username}`
  const ends = (proxies: PurchasedProxy[]) => new Map(proxies.map((proxy) => [keyOf(proxy), proxy.expiresAt.getTime()]))
  const places = (proxies: PurchasedProxy[]) =>
    proxies.map(({ host, port, expiresAt }) => `${host}:${port} ${expiresAt.toISOString()}`)

  /** One period of 30 days, or what a supplier that counts in months makes of it. */
  const expectOnePeriod = (fromMs: number, toMs: number) => {
    const days = (toMs - fromMs) / DAY_MS
    const slack = getBench().supplier.capabilities.periodUnit === 'months' ? 2.5 : 0.002
    expect(Math.abs(days - 30)).toBeLessThan(slack)
  }

  async function faultOf(work: Promise<unknown>): Promise<OperationalError> {
    const error: unknown = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(OperationalError)
    return error as OperationalError
  }

  describe(`${name} keeps the contract of suppliers`, () => {
    test('what it can do is there, and what it cannot is not', () => {
      const { supplier } = getBench()
      const { capabilities } = supplier
      const calls: [boolean, unknown[]][] = [
        [capabilities.canBuy, [supplier.readProxies]],
        [capabilities.canRenew, [supplier.renew, supplier.quoteRenewal]],
        [capabilities.canReplace, [supplier.replace, supplier.listOrder]],
        [capabilities.canChangeCredentials, [supplier.changeCredentials]],
        [capabilities.canWhitelistIp, [supplier.bindAddresses]],
        [capabilities.hasTraffic, [supplier.traffic]],
        [capabilities.model === 'pool', [supplier.pool]],
      ]
      for (const [can, there] of calls) for (const call of there) expect(call !== undefined).toBe(can)
      expect(capabilities.canRenew || !capabilities.canRenewSubset).toBe(true)
    })

    test('a purchase delivers what was asked for, at a cost that leaves the balance', async () => {
      const { supplier, setStock, setBalance } = getBench()
      await setStock(10)
      await setBalance('500.00')
      const asked = request()
      const purchase = await bought(asked)
      expect(new Set(purchase.proxies.map((proxy) => proxy.supplierRef)).size).toBe(2)
      for (const proxy of purchase.proxies) {
        expect(proxy.host).not.toBe('')
        expect(proxy.port).toBeGreaterThan(0)
        expectOnePeriod(Date.now(), proxy.expiresAt.getTime())
      }
      const { balanceMicros, currency } = await supplier.getBalance()
      const paid = 500_000_000n - balanceMicros
      expect(paid).toBeGreaterThan(0n)
      if (purchase.costMicros !== null) {
        expect(purchase.costMicros).toBe(paid)
        expect(purchase.currency).toBe(currency)
      }
    })

    test('a quote is what buying costs, spends nothing, and is none for what is not sold', async () => {
      const { supplier, setStock } = getBench()
      await setStock(10)
      const before = await balance()
      const { reference: _, ...asked } = request()
      const quote = await supplier.quote(asked)
      expect(await balance()).toBe(before)
      await bought()
      expect(quote).toEqual({
        costMicros: before - (await balance()),
        currency: (await supplier.getBalance()).currency,
      })
      expect(await supplier.quote({ ...asked, periodDays: 100_000 })).toBeNull()
      expect(await supplier.quote({ ...asked, quantity: 0 })).toBeNull()
    })

    test('stock goes down with a purchase where it is told, and there is none in a place nobody knows', async () => {
      const { supplier, setStock, countryCode, params } = getBench()
      await setStock(10)
      if (supplier.capabilities.hasStock) {
        await bought()
        expect(await supplier.getStock(countryCode, params)).toBe(8)
      } else expect(await supplier.getStock(countryCode, params)).toBeGreaterThan(0)
      expect(await supplier.getStock('zz', params)).toBe(0)
    })

    test('what was taken and is not delivered yet is not "none"', async () => {
      const { supplier, setStock, deliver } = getBench()
      if (!supplier.capabilities.isAsync) return expect(deliver).toBeUndefined()
      await setStock(10)
      const asked = request()
      const sentAt = new Date()
      await expect(supplier.buy(asked)).rejects.toBeInstanceOf(UnknownOutcomeError)
      await expect(find(asked, sentAt)).rejects.toBeInstanceOf(OperationalError)
      await deliver!()
      const purchase = await find(asked, sentAt)
      expect(purchase?.proxies).toHaveLength(2)
      if (purchase?.supplierOrderId) knownOrderIds.push(purchase.supplierOrderId)
    })

    test('a purchase can be found by its reference, any number of times, and only by its own', async () => {
      const { supplier, setStock, deliver } = getBench()
      await setStock(10)
      const asked = request()
      const sentAt = new Date()
      const outcome = await supplier.buy(asked).catch((error: unknown) => error)
      await deliver?.()
      const first = await find(asked, sentAt)
      const second = await find(asked, sentAt)
      expect(first?.proxies).toHaveLength(2)
      if (!supplier.capabilities.isAsync) expect(first!.proxies).toEqual((outcome as Purchase).proxies)
      expect(second).toEqual(first)
      if (first?.supplierOrderId) knownOrderIds.push(first.supplierOrderId)
      expect(await find({ ...asked, reference: `${asked.reference}_other` }, sentAt)).toBeNull()
    })

    test.each(['status 500 after', 'no answer after', 'nonsense after'] as const)(
      'bought, but %s: the outcome is unknown, the purchase is found, and it was made once',
      async (how) => {
        const { supplier, setStock, breakNext, countPurchases, deliver } = getBench()
        await setStock(10)
        const asked = request()
        const before = await countPurchases(asked.reference)
        const sentAt = new Date()
        await breakNext('buy', how)
        await expect(supplier.buy(asked)).rejects.toBeInstanceOf(UnknownOutcomeError)
        await deliver?.()
        const purchase = await find(asked, sentAt)
        expect(purchase?.proxies).toHaveLength(2)
        if (purchase?.supplierOrderId) knownOrderIds.push(purchase.supplierOrderId)
        expect((await countPurchases(asked.reference)) - before).toBe(1)
      },
    )

    test.each(['status 500 before', 'no answer before'] as const)(
      'not bought, %s: the outcome is just as unknown, and nothing is found',
      async (how) => {
        const { supplier, setStock, breakNext, countPurchases } = getBench()
        await setStock(10)
        const asked = request()
        const before = await countPurchases(asked.reference)
        const sentAt = new Date()
        await breakNext('buy', how)
        await expect(supplier.buy(asked)).rejects.toBeInstanceOf(UnknownOutcomeError)
        expect(await find(asked, sentAt)).toBeNull()
        expect(await countPurchases(asked.reference)).toBe(before)
      },
    )

    test('too many requests: certainly not bought, and said when to come again', async () => {
      const { supplier, setStock, breakNext, countPurchases } = getBench()
      await setStock(10)
      const asked = request()
      const before = await countPurchases(asked.reference)
      await breakNext('buy', 'too many requests')
      const error = await faultOf(supplier.buy(asked))
      expect(error).not.toBeInstanceOf(UnknownOutcomeError)
      expect(error.retryAfterMs).toBeGreaterThan(0)
      expect(await countPurchases(asked.reference)).toBe(before)
    })

    test('a look-up that cannot tell never says "there is none"', async () => {
      const { supplier, setStock, breakNext, deliver } = getBench()
      await setStock(10)
      const asked = request()
      const sentAt = new Date()
      await supplier.buy(asked).catch(() => undefined)
      await deliver?.()
      for (const how of ['status 500 before', 'no answer before', 'nonsense after', 'too many requests'] as const) {
        await breakNext('find', how)
        await faultOf(find(asked, sentAt))
      }
      const purchase = await find(asked, sentAt)
      expect(purchase).not.toBeNull()
      if (purchase?.supplierOrderId) knownOrderIds.push(purchase.supplierOrderId)
    })

    test('sold out, and no money of ours left, are refusals that tell each other apart', async () => {
      const { supplier, setStock, setBalance, countPurchases } = getBench()
      await setStock(1)
      const tooMany = request()
      const tooDear = request()
      const before = [await countPurchases(tooMany.reference), await countPurchases(tooDear.reference)]
      expect(await supplier.buy(tooMany)).toMatchObject({ kind: 'refused', code: 'sold_out' })
      await setStock(10)
      await setBalance('0.01')
      expect(await supplier.buy(tooDear)).toMatchObject({ kind: 'refused', code: 'supplier_unfunded' })
      await setBalance('500.00')
      expect([await countPurchases(tooMany.reference), await countPurchases(tooDear.reference)]).toEqual(before)
    })

    test('a request that makes no sense there is rejected', async () => {
      const { supplier } = getBench()
      for (const wrong of [{ countryCode: 'zz' }, { periodDays: 100_000 }, { quantity: 0 }])
        expect(await supplier.buy(request(wrong))).toMatchObject({ kind: 'refused', code: 'rejected' })
    })

    test('proxies we hold are told as they were sold, and those the other side does not know are left out', async () => {
      const { supplier, setStock, removeProxies } = getBench()
      if (!supplier.readProxies) return expect(supplier.capabilities.canBuy).toBe(false)
      await setStock(10)
      const purchase = await bought()
      expect(await supplier.readProxies(held(purchase))).toEqual(purchase.proxies)
      const [first, second] = purchase.proxies
      expect(await supplier.readProxies(held(purchase, [second!]))).toEqual([second])
      await removeProxies([first!])
      expect(await supplier.readProxies(held(purchase))).toEqual([second])
    })

    test('a look at proxies that cannot tell never says that they are gone', async () => {
      const { supplier, setStock, breakNext } = getBench()
      if (!supplier.readProxies) return expect(supplier.capabilities.canBuy).toBe(false)
      await setStock(10)
      const chosen = held(await bought())
      for (const how of ['status 500 before', 'no answer before', 'nonsense after', 'too many requests'] as const) {
        await breakNext('read', how)
        await faultOf(supplier.readProxies(chosen))
      }
      expect(await supplier.readProxies(chosen)).toHaveLength(2)
    })

    test('a renewal moves every end by the period, at the price that was quoted, once for each time it is asked', async () => {
      const { supplier, setStock } = getBench()
      if (!supplier.renew || !supplier.quoteRenewal) return expect(supplier.capabilities.canRenew).toBe(false)
      await setStock(10)
      const purchase = await bought()
      // What we hold is what was bought: by the second renewal the other side's ids may be others.
      const chosen = held(purchase)
      let before = ends(purchase.proxies)
      for (let time = 1; time <= 2; time += 1) {
        const paidFrom = await balance()
        const quote = await supplier.quoteRenewal(renewal(chosen))
        expect(await balance()).toBe(paidFrom)
        const outcome = await supplier.renew(renewal(chosen))
        expect(outcome.kind).toBe('renewed')
        if (outcome.kind !== 'renewed') return
        const paid = paidFrom - (await balance())
        expect(quote?.costMicros).toBe(paid)
        if (outcome.costMicros !== null) expect(outcome.costMicros).toBe(paid)
        const now = await supplier.readProxies!(chosen)
        expect(now).toHaveLength(2)
        expect(ends(outcome.proxies)).toEqual(ends(now))
        for (const [place, end] of ends(now)) expectOnePeriod(before.get(place)!, end)
        before = ends(now)
      }
    })

    test('a renewal of some moves only these', async () => {
      const { supplier, setStock } = getBench()
      if (!supplier.renew) return expect(supplier.capabilities.canRenew).toBe(false)
      await setStock(10)
      const purchase = await bought(request({ quantity: 3 }))
      const some = purchase.proxies.slice(0, 2)
      const outcome = await supplier.renew(renewal(held(purchase, some)))
      const now = ends(await supplier.readProxies!(held(purchase)))
      for (const [place, end] of ends(purchase.proxies))
        if (supplier.capabilities.canRenewSubset && ends(some).has(place)) expectOnePeriod(end, now.get(place)!)
        else expect(now.get(place)).toBe(end)
      expect(outcome.kind).toBe(supplier.capabilities.canRenewSubset ? 'renewed' : 'refused')
    })

    test('an empty choice is a bug and never means "everything", and so is one that names a proxy twice', async () => {
      const { supplier, setStock } = getBench()
      await setStock(10)
      const purchase = await bought()
      const [one] = purchase.proxies
      for (const wrong of [held(purchase, []), held(purchase, [one!, one!])])
        for (const call of [
          supplier.readProxies?.bind(supplier, wrong),
          supplier.quoteRenewal?.bind(supplier, renewal(wrong)),
          supplier.renew?.bind(supplier, renewal(wrong)),
          supplier.replace?.bind(supplier, { ...wrong, reason: 'dead' as const }),
          supplier.changeCredentials?.bind(supplier, wrong),
          supplier.bindAddresses?.bind(supplier, { ...wrong, addresses: ['203.0.113.7'] }),
        ])
          if (call !== undefined) await expect(call()).rejects.toBeInstanceOf(InvariantError)
      expect(await supplier.readProxies?.(held(purchase))).toEqual(
        supplier.readProxies === undefined ? undefined : purchase.proxies,
      )
    })

    test.each([
      'status 500 after',
      'no answer after',
      'nonsense after',
      'status 500 before',
      'no answer before',
    ] as const)('a renewal with %s has an unknown outcome, and the ends tell it', async (how) => {
      const { supplier, setStock, breakNext } = getBench()
      if (!supplier.renew) return expect(supplier.capabilities.canRenew).toBe(false)
      await setStock(10)
      const purchase = await bought(request({ quantity: 1 }))
      const chosen = held(purchase)
      const quote = await supplier.quoteRenewal!(renewal(chosen))
      const paidFrom = await balance()
      await breakNext('renew', how)
      await expect(supplier.renew(renewal(chosen))).rejects.toBeInstanceOf(UnknownOutcomeError)
      const wasDone = how.endsWith('after')
      const [end] = [...ends(await supplier.readProxies!(chosen)).values()]
      if (wasDone) expectOnePeriod(purchase.proxies[0]!.expiresAt.getTime(), end!)
      else expect(end).toBe(purchase.proxies[0]!.expiresAt.getTime())
      expect(paidFrom - (await balance())).toBe(wasDone ? quote!.costMicros : 0n)
    })

    test('a renewal that meets "too many requests" was certainly not done', async () => {
      const { supplier, setStock, breakNext } = getBench()
      if (!supplier.renew) return expect(supplier.capabilities.canRenew).toBe(false)
      await setStock(10)
      const purchase = await bought()
      await breakNext('renew', 'too many requests')
      const error = await faultOf(supplier.renew(renewal(held(purchase))))
      expect(error).not.toBeInstanceOf(UnknownOutcomeError)
      expect(error.retryAfterMs).toBeGreaterThan(0)
      expect(ends(await supplier.readProxies!(held(purchase)))).toEqual(ends(purchase.proxies))
    })

    test('what is gone is not renewed, and neither is what was asked for with it', async () => {
      const { supplier, setStock, removeProxies } = getBench()
      if (!supplier.renew || !supplier.quoteRenewal) return expect(supplier.capabilities.canRenew).toBe(false)
      await setStock(10)
      const purchase = await bought()
      const [first, second] = purchase.proxies
      for (const gone of [first!, second!]) {
        await removeProxies([gone])
        const paidFrom = await balance()
        expect(await supplier.quoteRenewal(renewal(held(purchase)))).toBeNull()
        expect(await supplier.renew(renewal(held(purchase)))).toMatchObject({ kind: 'refused', code: 'gone' })
        expect(await balance()).toBe(paidFrom)
        if (gone === first) expect(await supplier.readProxies!(held(purchase))).toEqual([second])
      }
    })

    test('no money of ours left for a renewal is the operator’s business, and nothing moves', async () => {
      const { supplier, setStock, setBalance } = getBench()
      if (!supplier.renew) return expect(supplier.capabilities.canRenew).toBe(false)
      await setStock(10)
      const purchase = await bought()
      await setBalance('0.01')
      expect(await supplier.renew(renewal(held(purchase)))).toMatchObject({
        kind: 'refused',
        code: 'supplier_unfunded',
      })
      await setBalance('500.00')
      expect(ends(await supplier.readProxies!(held(purchase)))).toEqual(ends(purchase.proxies))
    })

    test('a period that nobody sells is not renewed', async () => {
      const { supplier, setStock } = getBench()
      if (!supplier.renew || !supplier.quoteRenewal) return expect(supplier.capabilities.canRenew).toBe(false)
      await setStock(10)
      const purchase = await bought()
      const odd = { ...renewal(held(purchase)), periodDays: 100_000 }
      expect(await supplier.quoteRenewal(odd)).toBeNull()
      expect(await supplier.renew(odd)).toMatchObject({ kind: 'refused', code: 'rejected' })
      expect(ends(await supplier.readProxies!(held(purchase)))).toEqual(ends(purchase.proxies))
    })

    test('a replacement ends for each proxy by itself: replaced, pending or refused', async () => {
      const { supplier, setStock, setReplacement } = getBench()
      if (!supplier.replace) return expect(supplier.capabilities.canReplace).toBe(false)
      await setStock(20)
      for (const kind of ['replaced', 'pending', 'refused'] as const) {
        const purchase = await bought()
        const [bad, good] = purchase.proxies
        await setReplacement!(kind)
        const outcomes = await supplier.replace({ ...held(purchase, [bad!]), reason: 'dead' })
        expect(outcomes).toMatchObject([{ kind, host: bad!.host, port: bad!.port }])
        const [outcome] = outcomes
        if (outcome?.kind === 'replaced') {
          expect(ends([outcome.replacement])).not.toEqual(ends([bad!]))
          expect(outcome.replacement.expiresAt).toEqual(bad!.expiresAt)
          expect(await supplier.readProxies!(held(purchase))).toEqual([good])
          expect(await supplier.readProxies!(held(purchase, [outcome.replacement]))).toEqual([outcome.replacement])
          const listed = await supplier.listOrder!({
            supplierOrderId: purchase.supplierOrderId!,
            params: held(purchase).params,
          })
          expect(ends(listed)).toEqual(ends([good!, outcome.replacement]))
        } else expect(await supplier.readProxies!(held(purchase))).toEqual(purchase.proxies)
      }
    })

    test('a replacement without a clear answer has an unknown outcome', async () => {
      const { supplier, setStock, breakNext } = getBench()
      if (!supplier.replace) return expect(supplier.capabilities.canReplace).toBe(false)
      await setStock(10)
      const purchase = await bought()
      for (const how of ['status 500 before', 'no answer before', 'nonsense after'] as const) {
        await breakNext('replace', how)
        await expect(
          supplier.replace({ ...held(purchase, purchase.proxies.slice(0, 1)), reason: 'slow' }),
        ).rejects.toBeInstanceOf(UnknownOutcomeError)
      }
    })

    test('new credentials are told, and are what the other side has', async () => {
      const { supplier, setStock, breakNext } = getBench()
      if (!supplier.changeCredentials) return expect(supplier.capabilities.canChangeCredentials).toBe(false)
      await setStock(10)
      const purchase = await bought()
      const outcome = await supplier.changeCredentials(held(purchase))
      expect(outcome.kind).toBe('changed')
      if (outcome.kind !== 'changed') return
      expect(places(outcome.proxies)).toEqual(places(purchase.proxies))
      const old = new Set(purchase.proxies.map((proxy) => proxy.password))
      for (const proxy of outcome.proxies) expect(old).not.toContain(proxy.password)
      expect(await supplier.readProxies!(held(purchase))).toEqual(outcome.proxies)
      await breakNext('access', 'no answer after')
      await expect(supplier.changeCredentials(held(purchase))).rejects.toBeInstanceOf(UnknownOutcomeError)
    })

    test('addresses are bound, and an empty list goes back to login and password', async () => {
      const { supplier, setStock, breakNext } = getBench()
      if (!supplier.bindAddresses) return expect(supplier.capabilities.canWhitelistIp).toBe(false)
      await setStock(10)
      const purchase = await bought()
      for (const addresses of [['203.0.113.7', '203.0.113.8'], ['203.0.113.9'], []]) {
        const outcome = await supplier.bindAddresses({ ...held(purchase), addresses })
        expect(outcome.kind).toBe('changed')
        expect(places(await supplier.readProxies!(held(purchase)))).toEqual(places(purchase.proxies))
      }
      await breakNext('access', 'no answer after')
      await expect(supplier.bindAddresses({ ...held(purchase), addresses: ['203.0.113.7'] })).rejects.toBeInstanceOf(
        UnknownOutcomeError,
      )
    })

    test('no error shows the key', async () => {
      const { supplier, apiKey, setStock, breakNext, deliver } = getBench()
      await setStock(20)
      const chosen = held(await bought())
      const asked = request()
      const sentAt = new Date()
      // Another address each time: one that is bound already asks for no call.
      let last = 10
      const calls: [BrokenCall, (() => Promise<unknown>) | undefined][] = [
        ['buy', () => supplier.buy(asked)],
        ['find', () => find(asked, sentAt)],
        ['read', supplier.readProxies?.bind(supplier, chosen)],
        ['renew', supplier.renew?.bind(supplier, renewal(chosen))],
        ['replace', supplier.replace?.bind(supplier, { ...chosen, reason: 'dead' as const })],
        ['access', supplier.changeCredentials?.bind(supplier, chosen)],
        [
          'access',
          supplier.bindAddresses &&
            (() => supplier.bindAddresses!({ ...chosen, addresses: [`203.0.113.${(last += 1)}`] })),
        ],
      ]
      for (const [kind, call] of calls)
        for (const how of ['status 500 before', 'nonsense after', 'too many requests'] as const) {
          if (call === undefined) continue
          await breakNext(kind, how)
          expect(allTextOf(await faultOf(call()))).not.toContain(apiKey)
        }
      await deliver?.()
      const purchase = await find(asked, sentAt)
      if (purchase?.supplierOrderId) knownOrderIds.push(purchase.supplierOrderId)
    })
  })
}

/** Everything a log could print of an error: message, stack, fields, and the same of its causes. */
function allTextOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause === undefined ? '' : allTextOf(error.cause)}`
}
