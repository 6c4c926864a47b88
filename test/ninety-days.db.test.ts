import { translator } from '@/i18n/translator'
import { checkBooks } from '@/lib/admin'
import { COMMON_POLICY, findPlan, savePlan, savePolicy } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import { newId, OperationalError } from '@/lib/kit'
import {
  cancelOrder,
  expireOrders,
  finishIntents,
  placeOrder,
  quoteRenewal,
  renewOrder,
  runRenewals,
  switchRenewal,
  tellShort,
} from '@/lib/orders'
import {
  deliverOrder,
  renewAtSuppliers,
  resolveDelivery,
  resolveRenewal,
  sweepOrders,
  sweepRenewals,
  syncStock,
} from '@/lib/provisioning'
import {
  creditDowntime,
  exchangeProxy,
  previewRefund,
  refundProxies,
  replaceDead,
  replaceProxies,
  sweepExchanges,
} from '@/lib/remedies'
import { createProxySeller, createPx6, type Supplier } from '@/lib/suppliers'
import { startProxySellerFake } from '@/fakes/proxy-seller'
import { startPx6Fake } from '@/fakes/px6'
import { addUnits, makePlan, type PlanOnSale } from './factories/catalog'
import { giveMoney, insertCustomer } from './factories/customer'
import { afterAll, beforeAll, expect, it } from 'vitest'

/**
 * Ninety days of a shop in fast motion: a thousand orders from stock, from a supplier that fails in every way it can and from one whose exchanges do, customers who run out of
 * money, switch renewals on and off, give back and exchange, workers that die in the middle of a job and queues that lose jobs. Time passes by moving every row into
 * the past. In the end everything is explained. The seed is printed, and SIMULATION_SEED repeats a run.
 */
const SEED = Number(process.env.SIMULATION_SEED ?? 20_270_101)
const DAYS = 90
const ORDERS = 1_000
const CUSTOMERS = 60
/** A second more than a day: an end that is moved back must never meet the name of an earlier one. */
const DAY_SECONDS = 86_401

let state = SEED
/** Mulberry32: the same run for the same seed. */
function random(): number {
  state = (state + 0x6d2b79f5) | 0
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
}
const chance = (share: number) => random() < share
const below = (count: number) => Math.floor(random() * count)
const oneOf = <T>(items: readonly T[]): T => items[below(items.length)]!

let px6: Awaited<ReturnType<typeof startPx6Fake>>
let seller: Awaited<ReturnType<typeof startProxySellerFake>>
beforeAll(async () => {
  px6 = await startPx6Fake({ port: 0, apiKey: 'simulated-key', exitPort: 1 })
  seller = await startProxySellerFake({ port: 0, apiKey: 'simulated-key', exitPort: 1 })
  await tellSeller('delivery', { afterMs: 0 })
  await control('limit', { perSecond: 0 })
})
afterAll(() => Promise.all([px6.close(), seller.close()]))
const control = (call: string, body: object) =>
  fetch(`${px6.controlUrl}/${call}`, { method: 'POST', body: JSON.stringify(body) })
const tellSeller = (call: string, body: object) =>
  fetch(`${seller.controlUrl}/${call}`, { method: 'POST', body: JSON.stringify(body) })

class Killed extends Error {}

/** The real adapters over HTTP, in a worker that sometimes dies before or after a call that spends or exchanges. */
function dyingAdapter(name: string, deaths: number): Supplier {
  const dying =
    <Args extends unknown[], Answer>(call: (...args: Args) => Promise<Answer>) =>
    async (...args: Args): Promise<Answer> => {
      if (chance(deaths)) throw new Killed()
      const answer = await call(...args)
      if (chance(deaths)) throw new Killed()
      return answer
    }
  const waitForTurn = async () => {}
  if (name === 'proxy-seller') {
    const baseUrl = `${seller.url}/personal/api/v2`
    const adapter = createProxySeller({ baseUrl, apiKey: 'simulated-key', waitForTurn, pollDelaysMs: [0, 0, 0] })
    return { ...adapter, replace: dying(adapter.replace!) }
  }
  const adapter = createPx6({ baseUrl: `${px6.url}/api`, apiKey: 'simulated-key', waitForTurn })
  return { ...adapter, buy: dying(adapter.buy), renew: dying(adapter.renew!) }
}
const calmly = async (name: string) => dyingAdapter(name, 0)

type SupplierFor = (name: string) => Promise<Supplier>
const HANDLERS: Record<string, (payload: never, supplierFor: SupplierFor) => Promise<unknown>> = {
  'provisioning.deliver': deliverOrder,
  'provisioning.resolve_delivery': resolveDelivery,
  'provisioning.renew': renewAtSuppliers,
  'provisioning.resolve_renewal': resolveRenewal,
  'remedies.exchange': exchangeProxy,
  'orders.finish_intents': finishIntents,
}

/** Takes what was promised and does it: in any order, some of it twice at once, some of it never (the queue was lost). */
async function work(trouble: boolean): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    const jobs = await db().outboxJob.findMany({ select: { id: true, name: true, payload: true } })
    await db().outboxJob.deleteMany({ where: { id: { in: jobs.map((job) => job.id) } } })
    const mine = jobs.filter((job) => job.name in HANDLERS).toSorted(() => random() - 0.5)
    if (mine.length === 0) return
    for (const job of mine) {
      if (trouble && chance(0.04)) continue
      const run = () =>
        HANDLERS[job.name]!(job.payload as never, async (name) => dyingAdapter(name, trouble ? 0.05 : 0))
      const ends = await Promise.allSettled(trouble && chance(0.1) ? [run(), run()] : [run()])
      for (const end of ends)
        if (end.status === 'rejected' && !(end.reason instanceof OperationalError) && !(end.reason instanceof Killed))
          throw end.reason
    }
  }
}

/** A day goes by: everything that has a time of its own moves into the past. */
async function passDay(): Promise<void> {
  const by = Prisma.sql`make_interval(secs => ${DAY_SECONDS}::int)`
  await db().$transaction([
    db()
      .$executeRaw(Prisma.sql`UPDATE orders SET placed_at = placed_at - ${by}, delivered_at = delivered_at - ${by}, expires_at = expires_at - ${by},
      due_at = due_at - ${by}, look_at = look_at - ${by}, retry_at = retry_at - ${by}`),
    db().$executeRaw(
      Prisma.sql`UPDATE allocations SET created_at = created_at - ${by}, expires_at = expires_at - ${by}, grace_until = grace_until - ${by}`,
    ),
    db().$executeRaw(
      Prisma.sql`UPDATE renewals SET created_at = created_at - ${by}, due_at = due_at - ${by}, ended_at = ended_at - ${by}`,
    ),
    db().$executeRaw(Prisma.sql`UPDATE deliveries SET started_at = started_at - ${by}, ended_at = ended_at - ${by}`),
    db().$executeRaw(Prisma.sql`UPDATE renewal_runs SET started_at = started_at - ${by}, ended_at = ended_at - ${by}`),
    db().$executeRaw(
      Prisma.sql`UPDATE replacements SET created_at = created_at - ${by}, look_at = look_at - ${by}, give_up_at = give_up_at - ${by}`,
    ),
    db().$executeRaw(Prisma.sql`UPDATE proxy_checks SET at = at - ${by}`),
    db().$executeRaw(
      Prisma.sql`UPDATE proxy_health SET last_at = last_at - ${by}, failing_since = failing_since - ${by}`,
    ),
  ])
  await control('age', { seconds: DAY_SECONDS })
  await tellSeller('age', { seconds: DAY_SECONDS })
}

/** What may go wrong at the supplier today. */
async function troubleAtSupplier(): Promise<void> {
  await control('reset', {})
  await control('balance', { amount: chance(0.1) ? '0.10' : '9000.00' })
  await control('stock', { country: 'nl', count: chance(0.1) ? 0 : 500 })
  const match = oneOf(['buy', 'prolong', 'getproxy'])
  if (chance(0.5)) await control('fail', { times: 1 + below(3), match, status: 500, after: chance(0.5) })
  if (chance(0.2)) await control('nonsense', { match: oneOf(['buy', 'prolong']), times: 1 })
  if (chance(0.2)) await control('short', { missing: 1, times: 1 })
  if (chance(0.1)) await control('fail', { times: 2, match: '', status: 429 })
  // The other one sells and renews well; what becomes of its exchanges changes from day to day.
  await tellSeller('reset', {})
  await tellSeller('balance', { amount: '9000.00' })
  await tellSeller('replacement', { outcome: oneOf(['replaced', 'pending', 'pending', 'refused']) })
  if (chance(0.5)) await tellSeller('tickets', { outcome: oneOf(['replaced', 'replaced', 'refused']) })
  if (chance(0.4)) await tellSeller('fail', { times: 1, match: 'proxy/replace', status: 500, after: chance(0.5) })
  if (chance(0.1)) await tellSeller('door', { match: 'proxy/replace', times: 2 })
}

async function sellFor(plan: PlanOnSale, days: number): Promise<void> {
  const found = (await findPlan(plan.planId, { fresh: true }))!
  const { slug, nameEn, nameRu, minQuantity, maxQuantity, revision, isActive } = found.plan
  const saved = await savePlan(
    { kind: 'staff', id: 'usr_test' },
    {
      slug,
      nameEn,
      nameRu,
      minQuantity,
      maxQuantity,
      isActive,
      revision,
      planId: plan.planId,
      productId: found.product.id,
      steps: [],
      periods: [7, 30].map((each) => ({ days: each, unitPriceMicros: BigInt(each) * 100_000n + BigInt(days) })),
    },
  )
  if (!saved.ok) throw new Error(saved.refusal.code)
  const policy = await savePolicy(
    { kind: 'staff', id: 'usr_test' },
    {
      productId: found.product.id,
      version: 0,
      rules: {
        ...COMMON_POLICY,
        rows: [
          ...COMMON_POLICY.rows,
          {
            when: 'any',
            withinHours: 72,
            maxTrafficPercent: null,
            remedy: 'refund',
            refundPercent: 80,
            of: 'remaining',
          },
        ],
      },
    },
  )
  if (!policy.ok) throw new Error(policy.refusal.code)
}

async function buy(customer: { id: string }, plan: PlanOnSale): Promise<boolean> {
  const { plan: sold } = (await findPlan(plan.planId))!
  const period = oneOf(sold.periods)
  const quantity = 1 + below(3)
  const placed = await placeOrder(customer, {
    planId: plan.planId,
    countryCode: plan.countryCode,
    periodDays: period.days,
    quantity,
    totalMicros: period.unitPriceMicros * BigInt(quantity),
    requestKey: newId('req'),
  })
  if (placed.ok && chance(0.03)) await cancelOrder(customer, placed.value)
  return placed.ok
}

/** A proxy fails a check, and the shop (twice at once), its customer or nobody does something about it. */
async function fail(order: { id: string; userId: string }, id: string, whoActs: 'shop' | 'customer' | 'nobody') {
  const failing = { orderId: order.id, lastOk: false, lastAt: new Date(), failingSince: new Date() }
  await db().proxyCheck.create({
    data: {
      id: newId('chk'),
      allocationId: id,
      orderId: order.id,
      kind: 'schedule',
      at: new Date(),
      ok: false,
      failure: 'timeout',
    },
  })
  await db().proxyHealth.upsert({
    where: { allocationId: id },
    create: { allocationId: id, ...failing },
    update: { lastOk: false, failingSince: new Date() },
  })
  const ask = { orderId: order.id, allocationIds: [id] }
  if (whoActs === 'shop') await Promise.all([replaceDead(ask, calmly), replaceDead(ask, calmly)])
  else if (whoActs === 'customer')
    await replaceProxies({ id: order.userId }, { ...ask, reason: 'dead', requestKey: newId('req') }, calmly)
}

/** Somebody does something with an order they hold. */
async function act(order: { id: string; userId: string; autoRenew: boolean }): Promise<void> {
  const actor = { id: order.userId }
  const held = await db().allocation.findMany({
    where: { orderId: order.id, state: 'active' },
    orderBy: { position: 'asc' },
    select: { id: true },
  })
  const ids = held.map((row) => row.id)
  const what = random()
  if (what < 0.45) {
    const quote = await quoteRenewal(actor, { orderId: order.id })
    if (!quote.ok) return
    const { periodDays, totalMicros } = quote.value.price
    await switchRenewal(
      actor,
      order.autoRenew ? { orderId: order.id, isOn: false } : { orderId: order.id, isOn: true, periodDays, totalMicros },
    )
  } else if (what < 0.65) {
    const allocationIds = ids.slice(0, 1 + below(ids.length || 1))
    const quote = await quoteRenewal(actor, { orderId: order.id, allocationIds })
    if (!quote.ok) return
    const { periodDays, totalMicros } = quote.value.price
    const input = { orderId: order.id, allocationIds, periodDays, totalMicros, requestKey: newId('req') }
    await Promise.all(chance(0.3) ? [renewOrder(actor, input), renewOrder(actor, input)] : [renewOrder(actor, input)])
  } else if (what < 0.8 && ids.length > 0) {
    await fail(order, oneOf(ids), oneOf(['shop', 'customer', 'nobody', 'nobody']))
  } else if (ids.length > 0) {
    const allocationIds = [oneOf(ids)]
    const preview = await previewRefund(actor, { orderId: order.id, allocationIds })
    if (preview.ok && preview.value.totalMicros > 0n)
      await refundProxies(actor, {
        orderId: order.id,
        allocationIds,
        totalMicros: preview.value.totalMicros,
        requestKey: newId('req'),
      })
  }
}

it(`ninety days with a thousand orders: all money explained, no order without goods or refund, nothing twice (seed ${SEED})`, async () => {
  const stock = await makePlan({ units: 400 })
  const supplied = await makePlan({ supplier: 'px6' })
  const exchanged = await makePlan({
    supplier: 'proxy-seller',
    params: { section: 'ipv4', purpose: 'A simulation', protocol: 'http' },
  })
  await sellFor(stock, 1)
  await sellFor(supplied, 2)
  await sellFor(exchanged, 3)
  const customers = await Promise.all(
    Array.from({ length: CUSTOMERS }, () => insertCustomer({ balanceMicros: 20_000_000n })),
  )

  let placed = 0
  for (let day = 0; day < DAYS; day += 1) {
    await troubleAtSupplier()
    await syncStock(calmly)
    if (day % 10 === 0) await addUnits(stock.offerId, 150)
    for (let turn = 0; turn < 120 && placed < ORDERS && placed < ((day + 1) * ORDERS) / (DAYS - 5); turn += 1) {
      const customer = oneOf(customers)
      if (chance(0.35)) await giveMoney(customer.id, BigInt(1 + below(20)) * 1_000_000n)
      if (await buy(customer, chance(0.4) ? stock : chance(0.67) ? supplied : exchanged)) placed += 1
    }
    await work(true)
    const live = await db().order.findMany({
      where: { state: 'active' },
      select: { id: true, userId: true, autoRenew: true },
    })
    for (let turn = 0; turn < 8 && live.length > 0; turn += 1) await act(oneOf(live))
    const fresh = await db().allocation.findMany({
      where: { offerId: exchanged.offerId, state: 'active' },
      orderBy: { id: 'desc' },
      take: 20,
      select: { id: true, orderId: true, userId: true },
    })
    if (fresh.length > 0 && chance(0.5)) {
      const { id, orderId, userId } = oneOf(fresh)
      await fail({ id: orderId, userId }, id, oneOf(['shop', 'customer']))
    }
    await Promise.all([runRenewals(), runRenewals()])
    await work(true)
    await Promise.all([expireOrders(), expireOrders(), tellShort()])
    if (day % 5 === 0) await creditDowntime()
    await Promise.all([sweepOrders(), sweepRenewals(), sweepExchanges()])
    await passDay()
  }
  expect(placed).toBe(ORDERS)

  // The supplier is well again: what is still open comes to its end by itself.
  await control('reset', {})
  await control('balance', { amount: '9000.00' })
  await control('stock', { country: 'nl', count: 500 })
  await control('nonsense', { times: 0 })
  await control('short', { times: 0 })
  await tellSeller('reset', {})
  await tellSeller('door', { times: 0 })
  await db().order.updateMany({ where: { autoRenew: true }, data: { autoRenew: false } })
  for (let day = 0; day < 6; day += 1) {
    await Promise.all([sweepOrders(), sweepRenewals(), sweepExchanges()])
    await work(false)
    await expireOrders()
    await passDay()
  }

  expect((await checkBooks()).findings).toEqual([])
  const open = await db().order.findMany({
    where: { state: { in: ['placed', 'delivering', 'unknown'] } },
    select: { id: true, state: true },
  })
  expect(open).toEqual([])
  expect(await db().renewal.count({ where: { state: 'held' } })).toBe(0)
  expect(await db().replacement.count({ where: { state: 'open' } })).toBe(0)

  // Nobody holds what the supplier took away, and it gave for each exchange that was taken over one proxy.
  const taken = await db().$queryRaw<{ host: string }[]>(Prisma.sql`
    SELECT a.host FROM allocations a JOIN replacements r ON r.new_allocation_id = a.id WHERE a.delivery_id IS NOT NULL`)
  const soldThere = (await (await fetch(`${seller.controlUrl}/orders`)).json()) as { proxies: { host: string }[] }[]
  const hosts = new Set(soldThere.flatMap((sale) => sale.proxies.map((proxy) => proxy.host)))
  expect(new Set(taken.map(({ host }) => host)).size).toBe(taken.length)
  expect(taken.filter(({ host }) => !hosts.has(host))).toEqual([])

  // Each order has its goods, or its money back.
  const without = await db().$queryRaw(Prisma.sql`
    SELECT o.id, o.state FROM orders o JOIN ledger_holds h ON h.id = o.id
    WHERE NOT EXISTS (SELECT 1 FROM allocations a WHERE a.order_id = o.id) AND h.released_micros <> h.amount_micros`)
  expect(without).toEqual([])

  // The supplier sold for each run once at most, and each of its sales is somebody's, but those it delivered nothing for: a person claims these.
  const sales = (await (await fetch(`${px6.controlUrl}/orders`)).json()) as { descr: string; proxies: unknown[] }[]
  expect(new Set(sales.map((sale) => sale.descr)).size).toBe(sales.length)
  const orphans = await db().delivery.findMany({
    where: {
      id: { in: sales.filter((sale) => sale.proxies.length > 0).map((sale) => sale.descr) },
      state: { not: 'delivered' },
      NOT: { refusal: 'nothing_delivered' },
    },
    select: { id: true, state: true, refusal: true },
  })
  expect(orphans).toEqual([])
  const twice = await db().$queryRaw(
    Prisma.sql`SELECT order_id FROM deliveries WHERE state = 'delivered' GROUP BY order_id HAVING count(*) > 1`,
  )
  expect(twice).toEqual([])

  // A proxy runs exactly as long as was paid for: its order's period and those of its renewals. A supplier that renews what had ended counts from
  // that day: some days more, but never another period (seven is the shortest).
  const wrong = await db().$queryRaw(Prisma.sql`
    SELECT x.* FROM (
      SELECT a.id, f.supplier, extract(epoch FROM a.expires_at - o.delivered_at) / 86400 - o.period_days - r.days AS too_long, r.times
      FROM allocations a JOIN orders o ON o.id = a.order_id JOIN offers f ON f.id = a.offer_id
      CROSS JOIN LATERAL (SELECT coalesce(sum(n.period_days), 0) AS days, count(*) AS times FROM renewals n
        WHERE n.order_id = o.id AND n.state = 'done' AND a.id = ANY (n.allocation_ids)
          AND (f.supplier = 'stock' OR EXISTS (SELECT 1 FROM renewal_runs u, jsonb_array_elements(u.renewed) e WHERE u.renewal_id = n.id AND e ->> 'id' = a.id))) r
      WHERE NOT EXISTS (SELECT 1 FROM replacements p WHERE p.new_allocation_id = a.id)) x
    WHERE x.too_long < -0.01 AND NOT EXISTS (SELECT 1 FROM order_credits c WHERE c.cause = 'late' AND x.id = ANY (c.allocation_ids)) OR x.too_long > 0.01 + CASE WHEN x.supplier = 'stock' THEN 0 ELSE 6 * x.times END`)
  expect(wrong).toEqual([])

  // Every movement of a balance has its cause in words.
  const causes = await db().$queryRaw<{ cause: string }[]>(Prisma.sql`
    SELECT DISTINCT split_part(t.key, ':', 1) AS cause FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id JOIN ledger_transfers t ON t.id = e.transfer_id
    WHERE a.kind = 'customer_balance'`)
  const say = translator('ru', 'statement')
  expect(causes.map(({ cause }) => cause).filter((cause) => !say.has(`cause_${cause}` as 'cause_other'))).toEqual([])

  // It was a lively quarter: a simulation in which nothing happens proves nothing.
  const [lived] = await db().$queryRaw<Record<string, number>[]>(Prisma.sql`SELECT
    (SELECT count(*) FROM orders WHERE state = 'failed')::int AS failed, (SELECT count(*) FROM orders WHERE state = 'cancelled')::int AS cancelled,
    (SELECT count(*) FROM renewals WHERE state = 'done' AND key LIKE 'auto:%')::int AS automatic, (SELECT count(*) FROM renewals WHERE state = 'done' AND key LIKE 'req%')::int AS by_hand,
    (SELECT count(*) FROM renewals WHERE state = 'failed')::int AS not_renewed, (SELECT count(*) FROM renewal_runs WHERE lookups > 0)::int AS looked_up,
    (SELECT count(*) FROM replacements WHERE state = 'replaced')::int AS replaced, (SELECT count(*) FROM replacements WHERE state = 'replaced' AND supplier IS NOT NULL)::int AS exchanged,
    (SELECT count(*) FROM replacements WHERE state = 'credited' AND supplier IS NOT NULL)::int AS not_exchanged, (SELECT count(*) FROM order_credits WHERE cause = 'refund')::int AS refunds,
    (SELECT count(*) FROM order_credits WHERE cause = 'downtime')::int AS downtime, (SELECT count(*) FROM order_credits WHERE cause = 'late')::int AS late, (SELECT count(*) FROM deliveries WHERE lookups > 0)::int AS unknown,
    (SELECT count(*) FROM outgoing_emails WHERE template = 'renewal_short')::int AS short, (SELECT count(*) FROM order_events WHERE kind = 'in_grace')::int AS in_grace`)
  for (const [what, count] of Object.entries(lived!)) expect(count, what).toBeGreaterThan(0)
}, 600_000)
