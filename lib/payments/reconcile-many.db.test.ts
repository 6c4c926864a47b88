import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startBtcpayFake } from '@/fakes/btcpay'
import { startCryptoCloudFake } from '@/fakes/cryptocloud'
import type { Fake } from '@/fakes/kit'
import { startNowpaymentsFake } from '@/fakes/nowpayments'
import { db, Prisma } from '@/lib/db'
import { HOUR_MS, newId } from '@/lib/kit'
import { insertCustomer } from '@/test/factories/customer'
import { btcpayProvider, cryptoCloudProvider, nowpaymentsProvider, type Provider, reconcilePayments } from './index'

/**
 * Ten thousand payments wait at each vendor that answers about many at once. The stand-ins begin with them in their file, and our rows are written at
 * once: ten thousand checkouts would only test patience. What counts is how many questions a vendor hears, and that each is credited once.
 */
const COUNT = 10_000
type Waiting = { id: string; vendorId: string; isPaid: boolean }
type Bench = { fake: Fake; provider: Provider; questions: () => number }

const folder = mkdtempSync(path.join(tmpdir(), 'sluice-many-'))
const fakes: Fake[] = []
let users: string[] = []
beforeAll(async () => {
  users = (await Promise.all(Array.from({ length: 20 }, () => insertCustomer()))).map((each) => each.id)
})
afterAll(async () => {
  await Promise.all(fakes.map((fake) => fake.close()))
  rmSync(folder, { recursive: true })
})

/** Payments of which every `paidEach`th was paid at the vendor. */
function waiting(vendorId: (index: number) => string, paidEach: number): Waiting[] {
  return Array.from({ length: COUNT }, (_, index) => ({
    id: newId('pay'),
    vendorId: vendorId(index),
    isPaid: index % paidEach === 0,
  }))
}

async function insertOurs(provider: string, payments: readonly Waiting[]): Promise<void> {
  const rows = payments.map(({ id, vendorId }, index) => ({ id, vendorId, userId: users[index % users.length] }))
  await db().$executeRaw(Prisma.sql`
    INSERT INTO payments (id, user_id, provider, state, requested_micros, currency, charge_micros, charge_currency, provider_payment_id, request_key,
      expires_at, next_check_at)
    SELECT r.id, r."userId", ${provider}, 'awaiting', 20000000, 'USD', 20000000, 'USD', r."vendorId", r.id, now() + interval '1 hour', now()
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r(id text, "vendorId" text, "userId" text)`)
}

function stateFile(name: string, content: object): string {
  const file = path.join(folder, `${name}.json`)
  writeFileSync(file, JSON.stringify(content))
  return file
}

function counted(fake: Fake, provider: Provider): Bench {
  let heard = 0
  fake.server.on('request', () => (heard += 1))
  fakes.push(fake)
  return { fake, provider, questions: () => heard }
}

const times = { createdAt: new Date().toISOString(), expiresAt: new Date(Date.now() + HOUR_MS).toISOString() }
const hosted = ({ id, vendorId, isPaid }: Waiting, states: { paid: string; waiting: string }): [string, object] => [
  vendorId,
  {
    ...times,
    id: vendorId,
    orderId: id,
    amount: '20.00',
    currency: 'USD',
    paid: isPaid ? '20.00' : '0.00',
    state: isPaid ? states.paid : states.waiting,
    test: true,
    webhookUrl: '',
    returnUrl: '',
    eventId: vendorId,
  },
]

/** Runs reconcile until nothing waits any more for this round, as the worker does minute by minute. */
async function reconcileAll(provider: Provider): Promise<{ checked: number; credited: number; runs: number }> {
  const now = new Date(Date.now() + 1000)
  const total = { checked: 0, credited: 0, runs: 0 }
  for (;;) {
    const run = await reconcilePayments({ providers: [provider], now })
    expect(run.unavailable).toEqual([])
    if (run.checked === 0) return total
    total.checked += run.checked
    total.credited += run.credited
    total.runs += 1
  }
}

async function expectBooks(provider: string, payments: readonly Waiting[]): Promise<void> {
  const paid = payments.filter((each) => each.isPaid).length
  const [sums] = await db().$queryRaw<
    { credited: bigint; transfers: bigint; micros: bigint; mails: bigint }[]
  >(Prisma.sql`
    SELECT (SELECT count(*) FROM payments WHERE provider = ${provider} AND state = 'credited') AS credited,
      count(t.id) AS transfers, coalesce(sum(t.amount_micros), 0)::bigint AS micros,
      (SELECT count(*) FROM outgoing_emails e JOIN payments p ON e.key = 'receipt:' || p.id WHERE p.provider = ${provider}) AS mails
    FROM ledger_transfers t JOIN payments p ON t.source_kind = 'payment' AND t.source_id = p.id WHERE p.provider = ${provider}`)
  const count = BigInt(paid)
  expect(sums).toEqual({ credited: count, transfers: count, micros: count * 20_000_000n, mails: count })
}

describe('ten thousand waiting payments', () => {
  test('CryptoCloud: a hundred with one call, all of them credited, each once', { timeout: 120_000 }, async () => {
    const payments = waiting((index) => `INV-${index.toString(36).toUpperCase().padStart(8, '0')}`, 1)
    const settings = { apiKey: 'cc_secret_key', shopId: 'shop1', secret: 'cc-project-secret' }
    const invoices = payments.map(({ id, vendorId }) => [
      vendorId.slice(4),
      {
        ...times,
        uuid: vendorId,
        orderId: id,
        amount: '20.00',
        currency: 'USD',
        received: '20.00',
        status: 'paid',
        testMode: true,
      },
    ])
    const file = stateFile('cryptocloud', { invoices: Object.fromEntries(invoices) })
    const fake = await startCryptoCloudFake({ port: 0, ...settings, stateFile: file, notifyUrl: '', retryGapsMs: [] })
    const bench = counted(fake, cryptoCloudProvider({ apiUrl: fake.url, ...settings }))
    await insertOurs('cryptocloud', payments)
    const { checked, credited, runs } = await reconcileAll(bench.provider)
    expect({ checked, credited }).toEqual({ checked: COUNT, credited: COUNT })
    expect(bench.questions()).toBe(100)
    expect(runs).toBeLessThanOrEqual(5)
    await expectBooks('cryptocloud', payments)
  })

  test('BTCPay Server: forty with one call', { timeout: 120_000 }, async () => {
    const payments = waiting(() => randomBytes(16).toString('hex'), 20)
    const settings = { apiKey: 'bt_secret_key', storeId: 'store1', secret: 'bt-webhook-secret' }
    const rows = payments.map((each) => hosted(each, { paid: 'Settled', waiting: 'New' }))
    const file = stateFile('btcpay', { payments: Object.fromEntries(rows) })
    const fake = await startBtcpayFake({ port: 0, ...settings, stateFile: file, notifyUrl: '', retryGapsMs: [] })
    const bench = counted(fake, btcpayProvider({ apiUrl: fake.url, ...settings }))
    await insertOurs('btcpay', payments)
    const { checked, credited } = await reconcileAll(bench.provider)
    expect({ checked, credited }).toEqual({ checked: COUNT, credited: COUNT / 20 })
    expect(bench.questions()).toBe(COUNT / 40)
    await expectBooks('btcpay', payments)
  })

  test('NOWPayments: the list is read once for thousands', { timeout: 120_000 }, async () => {
    const payments = waiting((index) => `inv-${4_100_000_000 + index}`, 20)
    const settings = { apiKey: 'np_secret_key', ipnSecret: 'np-ipn-secret' }
    const account = { email: 'shop@example.com', password: 'np-password' }
    const rows = payments.map((each) => hosted(each, { paid: 'finished', waiting: 'waiting' }))
    const file = stateFile('nowpayments', { payments: Object.fromEntries(rows) })
    const fake = await startNowpaymentsFake({ port: 0, ...settings, ...account, stateFile: file, retryGapsMs: [] })
    const bench = counted(fake, nowpaymentsProvider({ apiUrl: fake.url, ...settings, account }))
    await insertOurs('nowpayments', payments)
    const { checked, credited } = await reconcileAll(bench.provider)
    expect({ checked, credited }).toEqual({ checked: COUNT, credited: COUNT / 20 })
    // Twice: signing in, twenty pages of five hundred, and the empty one after them.
    expect(bench.questions()).toBe(2 * 22)
    await expectBooks('nowpayments', payments)
  })
})
