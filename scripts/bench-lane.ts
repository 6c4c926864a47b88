import { Client } from 'pg'
import { db } from '@/lib/db'
import { env } from '@/lib/env'
import { invariant, newId } from '@/lib/kit'
import { placeOrder, type PlaceOrderInput } from '@/lib/orders'
import { addRenewingOrders, type RenewalBench, renewByCommand, renewByLimit } from './bench-renewals'
import { addReaders, sendByCommand, sendByLimit } from './bench-campaigns'
import { addReferredOrders, rewardByCommand, rewardByLimit } from './bench-rewards'
import { SYSTEM } from '@/lib/audit'
import { type PaymentRef, type Provider, reconcilePayments, saveProvider, settlePayment } from '@/lib/payments'

/**
 * One database under measurement, in a process of its own (the commands find their database by DATABASE_URL). Takes orders over the
 * process channel, one at a time, and answers each with how much was done in how many seconds.
 */
export type Order =
  | { do: 'fill'; entries: number }
  | { do: 'provider'; webhookSecret: string }
  | { do: 'reconcile'; payments: number }
  | { do: 'renewing'; orders: number }
  | { do: 'renew'; by: 'command' | 'limit' }
  | { do: 'referred'; orders: number }
  | { do: 'reward'; by: 'command' | 'limit' }
  | { do: 'readers'; people: number }
  | { do: 'campaign'; by: 'command' | 'limit'; people: number }
  | {
      do: 'measure'
      what: 'placeOrder' | 'settlePayment'
      by: 'command' | 'limit'
      on: 'spread' | 'hot'
      clients: number
      seconds: number
    }

const CUSTOMERS = 500
const PRICE_MICROS = 1_000_000n
const PLAN = 'pln_bench'
const OFFER = 'ofr_bench'
const HOT = 'usr_bench_hot'
const customerId = (index: number) => `usr_bench_${index}`

/** A plain client without anything of ours between it and PostgreSQL: the limit that the commands are held against. */
async function plainClient(): Promise<Client> {
  const client = new Client({ connectionString: env().DATABASE_URL })
  await client.connect()
  return client
}

/** Customers with money, a plan, and older business: as many ledger entries as asked, spread over other customers. */
async function fill(entries: number): Promise<void> {
  const client = await plainClient()
  const rich = 10n ** 15n
  await client.query(
    `INSERT INTO products (id, slug, kind, name_en, name_ru, description_en, description_ru) VALUES ('prd_bench', 'bench', 'datacenter_ipv4', 'B', 'B', 'b', 'b')`,
  )
  await client.query(
    `INSERT INTO plans (id, product_id, slug, name_en, name_ru) VALUES ($1, 'prd_bench', 'bench', 'B', 'B')`,
    [PLAN],
  )
  await client.query(`INSERT INTO plan_periods VALUES ($1, 30, $2)`, [PLAN, PRICE_MICROS])
  await client.query(`INSERT INTO offers (id, plan_id, country_code, supplier) VALUES ($1, $2, 'NL', 'stock')`, [
    OFFER,
    PLAN,
  ])
  await client.query(
    `INSERT INTO stock_imports (id, offer_id, imported_by, added, skipped) VALUES ('imp_bench', $1, 'bench', 0, 0)`,
    [OFFER],
  )
  await client.query(
    `INSERT INTO users (id, email, username, username_key, password_hash)
     SELECT id, id || '@example.test', id, id, 'none' FROM (SELECT 'usr_bench_' || i AS id FROM generate_series(0, $1::int - 1) i UNION ALL SELECT $2) u`,
    [CUSTOMERS, HOT],
  )
  // Every customer's money comes through the ledger, so that the books hold afterwards.
  await client.query(
    `SELECT ledger_post('adjustment:bench_' || u.id, ledger_account('shop', 'adjustments', 'USD'), ledger_account(u.id, 'customer_balance', 'USD'), $1, 'USD', 'adjustment', u.id, NULL, now())
     FROM users u WHERE u.id LIKE 'usr_bench_%'`,
    [rich],
  )
  // Older business goes in by bulk insert, whole and valid: two entries a transfer, chains without a gap.
  const past = Math.max(0, Math.floor(entries / 2))
  await client.query(
    `INSERT INTO ledger_accounts (id, owner, kind, currency, is_guarded, balance_micros, version)
    SELECT 'acc_past_' || c, 'usr_past_' || c, 'customer_balance', 'USD', true, 1000000::bigint * n, n
    FROM (SELECT i % 2000 AS c, count(*) AS n FROM generate_series(0, $1::int - 1) i GROUP BY 1) p`,
    [past],
  )
  await client.query(
    `INSERT INTO ledger_transfers (id, key, from_account_id, to_account_id, amount_micros, currency, source_kind, source_id, happened_at)
    SELECT 'trf_0' || lpad(i::text, 31, '0'), 'adjustment:past_' || i, ledger_account('shop', 'adjustments', 'USD'), 'acc_past_' || (i % 2000), 1000000, 'USD', 'adjustment', 'usr_past_' || (i % 2000), now()
    FROM generate_series(0, $1::int - 1) i`,
    [past],
  )
  await client.query(
    `INSERT INTO ledger_entries (transfer_id, account_id, amount_micros, balance_before_micros, balance_after_micros, account_version)
    SELECT t, a, m, b, f, v FROM generate_series(0, $1::int - 1) i, LATERAL (VALUES
      ('trf_0' || lpad(i::text, 31, '0'), (SELECT id FROM ledger_accounts WHERE kind = 'adjustments'), -1000000::bigint, NULL::bigint, NULL::bigint, NULL::bigint),
      ('trf_0' || lpad(i::text, 31, '0'), 'acc_past_' || (i % 2000), 1000000::bigint, (i / 2000)::bigint * 1000000, (i / 2000 + 1)::bigint * 1000000, (i / 2000 + 1)::bigint)) e(t, a, m, b, f, v)`,
    [past],
  )
  await client.query('VACUUM ANALYZE')
  await client.end()
}

/** Enough free units for any round, made before the clock starts. */
async function restock(units: number): Promise<void> {
  const client = await plainClient()
  const batch = newId('req')
  await client.query(
    `INSERT INTO stock_units (id, offer_id, import_id, host, port, username, password, protocols)
     SELECT new_id('stk'), $1, 'imp_bench', '192.0.2.1', 1, $2 || i, 'p', '{http}' FROM generate_series(1, greatest(0, $3 - (SELECT count(*) FROM stock_units WHERE offer_id = $1 AND state = 'free'))::int) i`,
    [OFFER, batch, units],
  )
  await client.end()
}

/** Payments that wait for their money, made before the clock starts. Returns their ids. */
async function addPayments(count: number, on: 'spread' | 'hot'): Promise<string[]> {
  const client = await plainClient()
  const { rows } = await client.query<{ id: string }>(
    `INSERT INTO payments (id, user_id, provider, state, requested_micros, currency, charge_micros, charge_currency, provider_payment_id, request_key)
     SELECT p.id, CASE WHEN $2 THEN $3 ELSE 'usr_bench_' || (i % $4::int) END, 'fakepay', 'awaiting', $5, 'USD', $5, 'USD', p.id, p.id
     FROM generate_series(1, $1::int) i, LATERAL (SELECT new_id('pay') || left('', i) AS id) p RETURNING id`,
    [count, on === 'hot', HOT, CUSTOMERS, PRICE_MICROS],
  )
  await client.end()
  return rows.map((row) => row.id)
}

/** A provider that answers from memory, for all that it is asked about: what is measured is our own path after it has spoken. */
const provider = {
  name: 'fakepay',
  fetchPayments: async (asked: PaymentRef[]) =>
    asked.map((each) => ({
      ...each,
      state: 'paid' as const,
      receivedMicros: PRICE_MICROS,
      requestedMicros: PRICE_MICROS,
      currency: 'USD',
      isTest: true,
    })),
} as unknown as Provider

/** As many payments as asked, all due for a look at once, until the last one is credited. */
async function reconcile(payments: number): Promise<{ done: number; seconds: number; buckets: number[] }> {
  const ids = await addPayments(payments, 'spread')
  await db().payment.updateMany({ where: { id: { in: ids } }, data: { nextCheckAt: new Date() } })
  const begun = performance.now()
  let done = 0
  while (done < payments) {
    const { credited } = await reconcilePayments({ providers: [provider] })
    invariant(credited > 0, 'every waiting payment is credited')
    done += credited
  }
  const seconds = (performance.now() - begun) / 1000
  await db().outboxJob.deleteMany({})
  return { done, seconds, buckets: [] }
}

/** The demo's provider switched on, at an address where nobody is: only its callbacks come. */
async function addProvider(webhookSecret: string): Promise<void> {
  const saved = await saveProvider(SYSTEM, {
    provider: 'fakepay',
    isEnabled: true,
    values: { apiUrl: 'http://127.0.0.1:2', apiKey: 'bench-key-bench-key', webhookSecret },
    minMicros: null,
    maxMicros: null,
    toleranceBasisPoints: 0,
    chargeCurrency: null,
    chargeRate: null,
  })
  invariant(saved.ok, 'the provider is saved')
}

type Action = (client: number, turn: number) => Promise<unknown>

async function placing(by: 'command' | 'limit', on: 'spread' | 'hot', clients: number): Promise<Action> {
  const who = (client: number, turn: number) => (on === 'hot' ? HOT : customerId((client + turn * clients) % CUSTOMERS))
  if (by === 'command') {
    return async (client, turn) => {
      const input: PlaceOrderInput = {
        planId: PLAN,
        countryCode: 'NL',
        periodDays: 30,
        quantity: 1,
        totalMicros: PRICE_MICROS,
        requestKey: newId('req'),
      }
      const placed = await placeOrder({ id: who(client, turn) }, input)
      invariant(placed.ok, 'every measured order is placed')
    }
  }
  const connections = await Promise.all(Array.from({ length: clients }, plainClient))
  ending.push(...connections)
  return async (client, turn) => {
    const { rows } = await connections[client]!.query<{ outcome: string }>({
      name: 'place',
      text: `SELECT outcome FROM place_order($1, $2, $3, $4, 1, $5, true, 'datacenter_ipv4', 'NL', 30, 1, $6, 0, $6, 'USD')`,
      values: [newId('ord'), who(client, turn), newId('req'), PLAN, OFFER, PRICE_MICROS],
    })
    invariant(rows[0]!.outcome === 'placed', 'every measured order is placed')
  }
}

async function settling(
  by: 'command' | 'limit',
  on: 'spread' | 'hot',
  clients: number,
  seconds: number,
): Promise<Action> {
  const ids = await addPayments(Math.ceil(seconds * 4000), on)
  const take = () => {
    const id = ids.pop()
    invariant(id, 'enough payments were made for the round')
    return id
  }
  if (by === 'command') {
    return async () => {
      const id = take()
      const settled = await settlePayment(
        { provider: 'fakepay', providerPaymentId: id, paymentId: id, messageId: null },
        { provider },
      )
      invariant(settled.outcome === 'credited', 'every measured payment is credited')
    }
  }
  const connections = await Promise.all(Array.from({ length: clients }, plainClient))
  ending.push(...connections)
  return async (client) => {
    const id = take()
    const { rows } = await connections[client]!.query<{ outcome: string }>({
      name: 'credit',
      text: `SELECT outcome FROM credit_payment($1, $1, $2, $2, now())`,
      values: [id, PRICE_MICROS],
    })
    invariant(rows[0]!.outcome === 'credited', 'every measured payment is credited')
  }
}

const ending: Client[] = []

async function measure(
  order: Extract<Order, { do: 'measure' }>,
): Promise<{ done: number; seconds: number; buckets: number[] }> {
  const { what, by, on, clients, seconds } = order
  if (what === 'placeOrder') await restock(Math.ceil(seconds * 4000))
  const act = what === 'placeOrder' ? await placing(by, on, clients) : await settling(by, on, clients, seconds)
  const buckets: number[] = []
  const begun = performance.now()
  const until = begun + seconds * 1000
  let done = 0
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let turn = 0; performance.now() < until; turn += 1) {
        await act(client, turn)
        done += 1
        const second = Math.floor((performance.now() - begun) / 1000)
        buckets[second] = (buckets[second] ?? 0) + 1
      }
    }),
  )
  const elapsed = (performance.now() - begun) / 1000
  await Promise.all(ending.splice(0).map((client) => client.end()))
  // What was promised is not the worker's business here; left lying it would slow the next round for both sides.
  await db().outboxJob.deleteMany({})
  return { done, seconds: elapsed, buckets }
}

const RENEWALS: RenewalBench = { plan: PLAN, offer: OFFER, customers: CUSTOMERS, priceMicros: PRICE_MICROS }

async function addRenewing(orders: number): Promise<void> {
  await restock(orders)
  const client = await plainClient()
  await addRenewingOrders(client, RENEWALS, orders)
  await client.end()
}

async function renew(by: 'command' | 'limit'): Promise<{ done: number; seconds: number; peakMiB: number }> {
  const client = await plainClient()
  const round = by === 'command' ? await renewByCommand(client) : await renewByLimit(client, RENEWALS)
  await client.end()
  return round
}

async function addReferred(orders: number): Promise<void> {
  await restock(orders)
  const client = await plainClient()
  await addReferredOrders(client, RENEWALS, orders)
  await client.end()
}

async function reward(by: 'command' | 'limit'): Promise<{ done: number; seconds: number; peakMiB: number }> {
  const client = await plainClient()
  const round = by === 'command' ? await rewardByCommand(client) : await rewardByLimit(client)
  await client.end()
  return round
}

async function withClient<Value>(work: (client: Client) => Promise<Value>): Promise<Value> {
  const client = await plainClient()
  const value = await work(client)
  await client.end()
  return value
}

function perform(order: Order): Promise<unknown> {
  switch (order.do) {
    case 'fill':
      return fill(order.entries)
    case 'provider':
      return addProvider(order.webhookSecret)
    case 'reconcile':
      return reconcile(order.payments)
    case 'renewing':
      return addRenewing(order.orders)
    case 'renew':
      return renew(order.by)
    case 'referred':
      return addReferred(order.orders)
    case 'reward':
      return reward(order.by)
    case 'readers':
      return withClient((client) => addReaders(client, order.people))
    case 'campaign':
      return order.by === 'command' ? withClient(sendByCommand) : sendByLimit(order.people)
    case 'measure':
      return measure(order)
  }
}

process.on('message', (order: Order) => {
  const work: Promise<unknown> = perform(order)
  work.then(
    (result) => process.send!({ ok: true, result: result ?? null }),
    (error: unknown) => process.send!({ ok: false, error: String((error as Error).stack) }),
  )
})
process.on('disconnect', () => process.exit(0))
