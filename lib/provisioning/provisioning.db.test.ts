import { checkBooks } from '@/lib/admin'
import { db } from '@/lib/db'
import { OperationalError } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import { findOrder, placeOrder } from '@/lib/orders'
import { createPx6, type Purchase, type PurchaseOutcome, type Supplier, UnknownOutcomeError } from '@/lib/suppliers'
import { startPx6Fake } from '@/fakes/px6'
import { makePlan, orderFor } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { completeDelivery, failOrder } from './end-order'
import {
  deliverOrder,
  importStock,
  listAllocations,
  listRefusedLines,
  previewStock,
  resolveDelivery,
  sweepOrders,
} from './index'

afterAll(async () => {
  expect((await checkBooks()).findings).toEqual([])
})

async function buy(plan: Awaited<ReturnType<typeof makePlan>>, quantity = 1, balanceMicros = 100_000_000n) {
  const customer = await insertCustomer({ balanceMicros })
  const placed = await placeOrder(customer, await orderFor(plan, quantity))
  if (!placed.ok) throw new Error(placed.refusal.code)
  return { customer, orderId: placed.value.orderId }
}

const kinds = async (orderId: string) => (await findOrder({ orderId }))!.events.map((event) => event.kind)
const mails = (key: string) => db().outgoingEmail.count({ where: { key } })

describe('from stock', () => {
  it('hands over what was reserved, takes the money, tells the customer, once however often and at once it runs', async () => {
    const plan = await makePlan({ units: 5 })
    const { customer, orderId } = await buy(plan, 3)
    await Promise.all(Array.from({ length: 8 }, () => deliverOrder({ orderId })))
    await deliverOrder({ orderId })
    expect(await listAllocations({ userId: customer.id, orderId })).toHaveLength(3)
    expect(await getBalance({ userId: customer.id })).toMatchObject({ balanceMicros: 97_000_000n, heldMicros: 0n })
    expect(await kinds(orderId)).toEqual(['placed', 'delivered'])
    expect(await mails(`delivered:${orderId}`)).toBe(1)
    const order = (await findOrder({ orderId }))!
    expect(order.expiresAt!.getTime() - order.deliveredAt!.getTime()).toBe(30 * 86_400_000)
  })

  it('gives the money back when the reserved units are gone, and says so by mail', async () => {
    const plan = await makePlan({ units: 1 })
    const { customer, orderId } = await buy(plan)
    await db().stockUnit.updateMany({ where: { orderId }, data: { state: 'withdrawn', orderId: null } }) // no command does this; a person with psql can
    await deliverOrder({ orderId })
    expect(await findOrder({ orderId })).toMatchObject({ state: 'failed', failure: 'sold_out' })
    expect((await getBalance({ userId: customer.id })).balanceMicros).toBe(100_000_000n)
    expect(await mails(`failed:${orderId}`)).toBe(1)
  })

  it('hand-over and give-back at once, many times: one of them ends the order, and the money is told once', async () => {
    for (let round = 0; round < 4; round += 1) {
      const { customer, orderId } = await buy(await makePlan({ units: 2 }), 2)
      const ends = await Promise.all(
        Array.from({ length: 8 }, (_, turn) =>
          (turn + round) % 2 === 0
            ? completeDelivery({ orderId, delivery: null, proxies: null })
            : failOrder({ orderId, reason: 'supplier_failed' }),
        ),
      )
      expect(ends.filter((end) => end !== 'already_ended')).toHaveLength(1)
      const isDelivered = (await findOrder({ orderId }))!.state === 'active'
      expect(await listAllocations({ userId: customer.id, orderId })).toHaveLength(isDelivered ? 2 : 0)
      expect(await getBalance({ userId: customer.id })).toMatchObject({
        balanceMicros: isDelivered ? 98_000_000n : 100_000_000n,
        heldMicros: 0n,
      })
      expect((await mails(`delivered:${orderId}`)) + (await mails(`failed:${orderId}`))).toBe(1)
    }
  })

  it('somebody else’s order shows nothing', async () => {
    const { orderId, customer } = await buy(await makePlan())
    await deliverOrder({ orderId })
    const stranger = await insertCustomer()
    expect(await listAllocations({ userId: stranger.id, orderId })).toEqual([])
    expect(await findOrder({ orderId, userId: stranger.id })).toBeNull()
    expect(await findOrder({ orderId, userId: customer.id })).not.toBeNull()
  })
})

/** A supplier that does as it is told, to reach the branches of our own flow; the adapter itself is tested over HTTP with its stand-in. */
class ScriptedSupplier {
  bought = new Map<string, Purchase>()
  calls = 0
  answer: (reference: string, quantity: number) => Promise<PurchaseOutcome> = async (reference, quantity) =>
    this.deliver(reference, quantity)
  canLookUp = true

  deliver(reference: string, quantity: number): PurchaseOutcome {
    const purchase: Purchase = {
      supplierOrderId: `so-${reference}`,
      costMicros: 500_000n,
      currency: 'USD',
      proxies: Array.from({ length: quantity }, (_, index) => ({
        supplierRef: `${reference}-${index}`,
        host: '198.51.100.1',
        port: 8000 + index,
        username: 'u',
        password: 'p',
        protocols: ['http'],
        expiresAt: new Date(Date.now() + 30 * 86_400_000),
      })),
    }
    this.bought.set(reference, purchase)
    return { kind: 'delivered', ...purchase }
  }

  get for(): (name: string) => Supplier {
    const supplier = {
      name: 'px6',
      capabilities: { model: 'order' },
      quote: async () => ({ costMicros: 500_000n, currency: 'USD' }),
      buy: async ({ reference, quantity }: { reference: string; quantity: number }) => {
        this.calls += 1
        return this.answer(reference, quantity)
      },
      findPurchase: async (reference: string) => {
        if (!this.canLookUp) throw new OperationalError('px6', 'away')
        return this.bought.get(reference) ?? null
      },
    } as unknown as Supplier
    return () => supplier
  }
}

describe('from a supplier', () => {
  let supplier: ScriptedSupplier
  let plan: Awaited<ReturnType<typeof makePlan>>
  beforeEach(async () => {
    supplier = new ScriptedSupplier()
    plan = await makePlan({ supplier: 'px6' })
  })
  const openRun = async (orderId: string) =>
    (await db().delivery.findFirstOrThrow({ where: { orderId }, orderBy: { startedAt: 'desc' } })).id

  it('buys once and hands over, also when the job runs twice at once', async () => {
    const { customer, orderId } = await buy(plan, 2)
    await Promise.all([deliverOrder({ orderId }, supplier.for), deliverOrder({ orderId }, supplier.for)])
    expect(supplier.calls).toBe(1)
    expect(await listAllocations({ userId: customer.id, orderId })).toHaveLength(2)
    expect(await kinds(orderId)).toEqual(['placed', 'supplier_called', 'delivered'])
  })

  it('charges in proportion when fewer come than were ordered', async () => {
    supplier.answer = async (reference) => supplier.deliver(reference, 2)
    const { customer, orderId } = await buy(plan, 3)
    await deliverOrder({ orderId }, supplier.for)
    expect(await getBalance({ userId: customer.id })).toMatchObject({ balanceMicros: 98_000_000n, heldMicros: 0n })
  })

  it('gives all the money back when it took the order and delivered nothing', async () => {
    supplier.answer = async (reference) => supplier.deliver(reference, 0)
    const { customer, orderId } = await buy(plan, 3)
    await deliverOrder({ orderId }, supplier.for)
    expect(await findOrder({ orderId })).toMatchObject({ state: 'failed', failure: 'supplier_failed' })
    expect(await getBalance({ userId: customer.id })).toMatchObject({ balanceMicros: 100_000_000n, heldMicros: 0n })
  })

  it.each([
    ['sold_out', 'sold_out'],
    ['supplier_unfunded', 'supplier_failed'],
    ['rejected', 'supplier_failed'],
  ] as const)('gives the money back when the supplier says %s', async (code, failure) => {
    supplier.answer = async () => ({ kind: 'refused', code, detail: 'x' })
    const { customer, orderId } = await buy(plan)
    await deliverOrder({ orderId }, supplier.for)
    expect(await findOrder({ orderId })).toMatchObject({ state: 'failed', failure })
    expect((await getBalance({ userId: customer.id })).balanceMicros).toBe(100_000_000n)
  })

  it('an unknown outcome is looked up, never bought again: it had been bought', async () => {
    supplier.answer = async (reference, quantity) => {
      supplier.deliver(reference, quantity)
      throw new UnknownOutcomeError('px6', 'no answer in time')
    }
    const { customer, orderId } = await buy(plan)
    await deliverOrder({ orderId }, supplier.for)
    expect((await findOrder({ orderId }))!.state).toBe('unknown')
    await deliverOrder({ orderId }, supplier.for) // the job comes again: it must not buy
    expect(supplier.calls).toBe(1)
    const deliveryId = await openRun(orderId)
    await Promise.all([resolveDelivery({ deliveryId }, supplier.for), resolveDelivery({ deliveryId }, supplier.for)])
    expect(await listAllocations({ userId: customer.id, orderId })).toHaveLength(1)
    expect((await findOrder({ orderId }))!.state).toBe('active')
  })

  it('an unknown outcome that was none is bought again only after the supplier said so three times; after three such runs the money goes back', async () => {
    supplier.answer = async () => {
      throw new UnknownOutcomeError('px6', 'no answer in time')
    }
    const { customer, orderId } = await buy(plan)
    for (let run = 1; run <= 3; run += 1) {
      await deliverOrder({ orderId }, supplier.for)
      expect(supplier.calls).toBe(run)
      const deliveryId = await openRun(orderId)
      for (let look = 1; look <= 3; look += 1) await resolveDelivery({ deliveryId }, supplier.for)
    }
    expect(await findOrder({ orderId })).toMatchObject({ state: 'failed' })
    expect((await getBalance({ userId: customer.id })).balanceMicros).toBe(100_000_000n)
  })

  it('a supplier that cannot be asked leaves the order waiting, its money held', async () => {
    supplier.answer = async () => {
      throw new UnknownOutcomeError('px6', 'no answer in time')
    }
    supplier.canLookUp = false
    const { customer, orderId } = await buy(plan)
    await deliverOrder({ orderId }, supplier.for)
    await expect(resolveDelivery({ deliveryId: await openRun(orderId) }, supplier.for)).rejects.toThrow(
      OperationalError,
    )
    expect((await getBalance({ userId: customer.id })).heldMicros).toBe(1_000_000n)
  })

  it('a supplier that certainly did nothing is tried again later, for two hours; then the money goes back', async () => {
    supplier.answer = async () => {
      throw new OperationalError('px6', 'connection refused')
    }
    const { customer, orderId } = await buy(plan)
    await expect(deliverOrder({ orderId }, supplier.for)).rejects.toThrow(OperationalError)
    await db().order.update({ where: { id: orderId }, data: { placedAt: new Date(Date.now() - 3 * 3_600_000) } }) // time cannot be waited for
    await deliverOrder({ orderId }, supplier.for)
    expect(await findOrder({ orderId })).toMatchObject({ state: 'failed' })
    expect((await getBalance({ userId: customer.id })).balanceMicros).toBe(100_000_000n)
  })

  it('a worker killed between the purchase and the hand-over leaves a look-up behind that finishes the order', async () => {
    const { customer, orderId } = await buy(plan)
    let reference = ''
    // The purchase happens, and then the process is gone: nothing after the call runs.
    supplier.answer = (given, quantity) => {
      reference = given
      supplier.deliver(given, quantity)
      return new Promise(() => {})
    }
    void deliverOrder({ orderId }, supplier.for)
    await expect.poll(() => reference).not.toBe('')
    const promised = await db().outboxJob.findFirstOrThrow({
      where: { name: 'provisioning.resolve_delivery', payload: { path: ['deliveryId'], equals: reference } },
    })
    expect(promised.runAt.getTime()).toBeGreaterThan(Date.now())
    await resolveDelivery({ deliveryId: reference }, supplier.for)
    expect(await listAllocations({ userId: customer.id, orderId })).toHaveLength(1)
  })
})

describe('stock', () => {
  it('is previewed line by line, taken once, and never takes in what is there or was sold', async () => {
    const plan = await makePlan({ units: 0 })
    const staff = { kind: 'staff' as const, id: 'usr_test' }
    const text = ['203.0.113.9:80:a:b', '203.0.113.9:80:a:b', 'broken', 'c:d@203.0.113.10:81'].join('\n')
    const preview = await previewStock({ text })
    expect(preview.lines.map((line) => line.problem)).toEqual([null, 'doubled', 'unreadable', null])
    const twice = await Promise.all([
      importStock(staff, { offerId: plan.offerId, text }),
      importStock(staff, { offerId: plan.offerId, text }),
    ])
    expect(twice.map((each) => (each.ok ? each.value.added : 0)).sort()).toEqual([0, 2])
    expect((await previewStock({ text })).lines.map((line) => line.problem)).toEqual([
      'already_in_stock',
      'doubled',
      'unreadable',
      'already_in_stock',
    ])
    const { orderId } = await buy(plan, 2)
    await deliverOrder({ orderId })
    expect((await previewStock({ text })).lines[0]!.problem).toBe('already_sold')
    expect(await importStock(staff, { offerId: plan.offerId, text })).toMatchObject({
      refusal: { code: 'nothing_to_import' },
    })
    expect(await importStock(staff, { offerId: 'ofr_none', text })).toMatchObject({ refusal: { code: 'not_found' } })
  })
})

it('the sweep promises anew the work of orders that nobody works on, and of no others', async () => {
  await db().outboxJob.deleteMany({})
  const plan = await makePlan({ units: 5 })
  const { orderId } = await buy(plan)
  await buy(plan)
  await db().outboxJob.deleteMany({}) // the queue was lost
  await db().order.update({ where: { id: orderId }, data: { placedAt: new Date(Date.now() - 600_000) } })
  await sweepOrders()
  const jobs = await db().outboxJob.findMany({ where: { name: 'provisioning.deliver' } })
  expect(jobs.map((job) => job.payload)).toContainEqual({ orderId })
  expect(jobs).toHaveLength(1)
  await deliverOrder({ orderId })
})

it('a hundred thousand lines with broken ones among them: what was fine is in, the rest is listed with line and reason', async () => {
  const plan = await makePlan({ units: 0 })
  const staff = { kind: 'staff' as const, id: 'usr_test' }
  const broken: Record<number, [string, string]> = {
    7: ['nonsense', 'unreadable'],
    70_000: ['198.19.0.1:99999:a:b', 'bad_port'],
    99_999: [`198.19.0.0:8080:${plan.slug}:p`, 'doubled'],
  }
  const lines = Array.from(
    { length: 100_000 },
    (_, index) => broken[index + 1]?.[0] ?? `198.19.${index >> 8}.${index & 255}:8080:${plan.slug}:p`,
  ).map((line, index) =>
    index < 65_536 || broken[index + 1]
      ? line
      : line.replace('198.19.', '198.20.').replace(/^198\.20\.(\d+)/, (_, third) => `198.20.${Number(third) - 256}`),
  )
  const imported = await importStock(staff, { offerId: plan.offerId, text: lines.join('\n') })
  expect(imported).toMatchObject({ value: { added: 99_997, skipped: 3 } })
  const importId = imported.ok ? imported.value.importId : ''
  expect(await listRefusedLines({ importId })).toEqual(
    Object.entries(broken).map(([line, [, why]]) => [Number(line), why]),
  )
  expect(await db().stockUnit.count({ where: { offerId: plan.offerId } })).toBe(99_997)
  const again = await importStock(staff, {
    offerId: plan.offerId,
    text: `${lines.slice(0, 3).join('\n')}\n198.18.255.255:1:new:p`,
  })
  expect(again).toMatchObject({ value: { added: 1, skipped: 3 } })
}, 60_000)

it('two imports of the same twenty thousand lines at once, in opposite order: each proxy once', async () => {
  const plan = await makePlan({ units: 0 })
  const staff = { kind: 'staff' as const, id: 'usr_test' }
  const lines = Array.from({ length: 20_000 }, (_, index) => `198.18.${index >> 8}.${index & 255}:8080:${plan.slug}:p`)
  const imports = await Promise.all([
    importStock(staff, { offerId: plan.offerId, text: lines.join('\n') }),
    importStock(staff, { offerId: plan.offerId, text: lines.toReversed().join('\n') }),
  ])
  expect(imports.filter((each) => each.ok)).toHaveLength(1)
  expect(await db().stockUnit.count({ where: { offerId: plan.offerId } })).toBe(20_000)
}, 120_000)

/**
 * The same stories over HTTP, with the real adapter against the supplier's stand-in: what counts is how many purchases it has on its books.
 */
describe('from px6 over its own protocol', () => {
  let px6: Awaited<ReturnType<typeof startPx6Fake>>
  beforeAll(async () => {
    px6 = await startPx6Fake({ port: 0, apiKey: 'test-px6-key', exitPort: 1 })
  })
  afterAll(() => px6.close())

  const adapter = () =>
    createPx6({ baseUrl: `${px6.url}/api`, apiKey: 'test-px6-key', timeoutMs: 500, waitForTurn: async () => {} })
  const control = (call: string, body: object) =>
    fetch(`${px6.controlUrl}/${call}`, { method: 'POST', body: JSON.stringify(body) })
  const purchases = async () => ((await (await fetch(`${px6.controlUrl}/orders`)).json()) as unknown[]).length
  const runOf = async (orderId: string) =>
    (await db().delivery.findFirstOrThrow({ where: { orderId }, orderBy: { startedAt: 'desc' } })).id

  it.each([
    ['a time-out', { timeout: true }],
    ['a 500', { status: 500 }],
  ])('%s after it had bought: found by its reference, handed over, bought once', async (_, failure) => {
    await control('limit', { perSecond: 0 })
    const { customer, orderId } = await buy(await makePlan({ supplier: 'px6' }), 2)
    const before = await purchases()
    await control('fail', { times: 1, match: 'buy', after: true, ...failure })
    await deliverOrder({ orderId }, adapter)
    expect((await findOrder({ orderId }))!.state).toBe('unknown')
    await deliverOrder({ orderId }, adapter)
    await Promise.all([
      resolveDelivery({ deliveryId: await runOf(orderId) }, adapter),
      resolveDelivery({ deliveryId: await runOf(orderId) }, adapter),
    ])
    expect(await purchases()).toBe(before + 1)
    expect(await listAllocations({ userId: customer.id, orderId })).toHaveLength(2)
    expect(await getBalance({ userId: customer.id })).toMatchObject({ balanceMicros: 98_000_000n, heldMicros: 0n })
  })

  it('a time-out before it had bought: nothing is bought until it has said so three times, then once', async () => {
    await control('limit', { perSecond: 0 })
    const { customer, orderId } = await buy(await makePlan({ supplier: 'px6' }))
    const before = await purchases()
    await control('fail', { times: 1, match: 'buy', timeout: true })
    await deliverOrder({ orderId }, adapter)
    const deliveryId = await runOf(orderId)
    for (let look = 1; look <= 3; look += 1) {
      expect(await purchases()).toBe(before)
      await deliverOrder({ orderId }, adapter)
      await resolveDelivery({ deliveryId }, adapter)
    }
    await deliverOrder({ orderId }, adapter)
    expect(await purchases()).toBe(before + 1)
    expect(await listAllocations({ userId: customer.id, orderId })).toHaveLength(1)
  })

  it('no money of ours there: the customer’s money comes back', async () => {
    await control('limit', { perSecond: 0 })
    await control('balance', { amount: '0.00' })
    const { customer, orderId } = await buy(await makePlan({ supplier: 'px6' }))
    await deliverOrder({ orderId }, adapter)
    expect(await findOrder({ orderId })).toMatchObject({ state: 'failed', failure: 'supplier_failed' })
    expect((await getBalance({ userId: customer.id })).balanceMicros).toBe(100_000_000n)
  })
})
