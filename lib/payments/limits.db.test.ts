import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkBooks } from '@/lib/admin'
import { SYSTEM } from '@/lib/audit'
import { db } from '@/lib/db'
import { newId } from '@/lib/kit'
import { insertCustomer } from '@/test/factories/customer'
import { type PaymentsBench, startPaymentsBench } from '@/test/payments-bench'
import type { Provider, ProviderTerms } from './providers/provider'
import { refundPayment, sendRefund } from './refund-payment'
import { paymentRules } from './rules'
import { settlePayment } from './settle-payment'
import { startTopUp } from './start-top-up'

const USD = 1_000_000n
const asBefore = {
  underpaid: 'wait',
  late: 'credit',
  redeposit: 'wait',
  firstTopUpMaxMicros: null,
  dailyMaxMicros: null,
  maxOpenPayments: 20,
} as const
type Rules = Parameters<typeof paymentRules.save>[1]
const ruled = (rules: Partial<Rules>) => paymentRules.save(SYSTEM, { ...asBefore, ...rules })

let bench: PaymentsBench
beforeAll(async () => {
  bench = await startPaymentsBench()
})
afterAll(async () => {
  const { findings } = await checkBooks()
  await bench.close()
  expect(findings).toEqual([])
})

function withTerms(name: string, terms: Partial<ProviderTerms>): Provider {
  const provider = bench.providers.find((each) => each.name === name)!
  return { ...provider, terms: { minMicros: null, maxMicros: null, toleranceBasisPoints: 0, charge: null, ...terms } }
}
const start = (userId: string, amountMicros: bigint, provider: Provider, requestKey = newId('req')) =>
  startTopUp(
    { id: userId, locale: 'en' },
    { provider: provider.name, amountMicros, requestKey },
    { providers: [provider] },
  )
async function begin(amountMicros: bigint, provider: Provider) {
  const user = await insertCustomer()
  const started = await start(user.id, amountMicros, provider)
  if (!started.ok) throw new Error(started.refusal.code)
  const row = await db().payment.findUniqueOrThrow({ where: { id: started.value.paymentId } })
  return { ...row, path: `invoices/${row.providerPaymentId}` }
}
const settle = (payment: { provider: string; id: string; providerPaymentId: string | null }, provider: Provider) =>
  settlePayment({ ...payment, paymentId: payment.id, messageId: null }, { provider })
const creditOf = async (id: string) => (await db().payment.findUniqueOrThrow({ where: { id } })).creditedMicros

describe('a way to pay in another currency', () => {
  const rubles = { charge: { currency: 'RUB', rate: '92.355' } }

  test.each([
    ['exactly what was asked', '1847.10', 20_000_000n],
    ['half of it, by the rule', '923.55', 10_000_000n],
    // 2000 of 1847.10 roubles, rounded down to a whole micro.
    ['too much', '2000.00', 21_655_568n],
  ])('%s: the quoted amount in proportion', async (_, paid, creditMicros) => {
    await ruled({ underpaid: 'credit' })
    const provider = withTerms('fakepay', rubles)
    const payment = await begin(20n * USD, provider)
    expect(payment).toMatchObject({ chargeMicros: 1_847_100_000n, chargeCurrency: 'RUB', currency: 'USD' })
    await bench.control('fakepay', `${payment.path}/pay`, { amount: paid, webhooks: 0 })
    await bench.control('fakepay', payment.path, { state: 'paid' })
    expect((await settle(payment, provider)).outcome).toBe('credited')
    expect(await creditOf(payment.id)).toBe(creditMicros)
    expect(await bench.balanceOf(payment.userId)).toBe(creditMicros)
  })

  test('a refund goes back in the payer’s currency', async () => {
    const provider = withTerms('fakepay', rubles)
    const payment = await begin(20n * USD, provider)
    await bench.control('fakepay', `${payment.path}/pay`, { webhooks: 0 })
    await settle(payment, provider)
    const input = { paymentId: payment.id, amountMicros: 5n * USD, reason: 'asked', requestKey: newId('req') }
    const begun = await refundPayment({ id: newId('usr') }, input, { providers: [provider] })
    if (!begun.ok) throw new Error(begun.refusal.code)
    await sendRefund(begun.value, { providers: [provider] })
    // A quarter of 1847.10 is 461.775: rounded down to what the vendor counts in.
    expect(await db().paymentRefund.findUnique({ where: { id: begun.value.refundId } })).toMatchObject({
      state: 'done',
      chargeMicros: 461_770_000n,
    })
  })

  test('roubles that arrive for a payment in dollars wait for a person', async () => {
    const provider = withTerms('fakepay', {})
    const payment = await begin(20n * USD, provider)
    await bench.control('fakepay', payment.path, { currency: 'RUB', paid: '20.00', state: 'paid' })
    expect((await settle(payment, provider)).outcome).toBe('needs_review')
  })

  test('a rate that makes more than can be counted is refused before anything is begun', async () => {
    const user = await insertCustomer()
    const provider = withTerms('fakepay', { charge: { currency: 'IDR', rate: '99999999999' } })
    expect(await start(user.id, 100n * USD, provider)).toMatchObject({ refusal: { code: 'currency_not_taken' } })
    expect(await db().payment.count({ where: { userId: user.id } })).toBe(0)
  })
})

test('a fee that came off on the way: what came is credited, within the tolerance', async () => {
  await ruled({})
  const provider = withTerms('fakepay', { toleranceBasisPoints: 100 })
  const payment = await begin(20n * USD, provider)
  await bench.control('fakepay', payment.path, { paid: '19.80', state: 'paid' })
  expect((await settle(payment, provider)).outcome).toBe('credited')
  expect(await creditOf(payment.id)).toBe(19_800_000n)
})

describe('more money for an invoice that was credited', () => {
  async function redeposited(rule: 'credit' | 'wait') {
    await ruled({ redeposit: rule })
    const provider = withTerms('fakepay', {})
    const payment = await begin(20n * USD, provider)
    await bench.control('fakepay', `${payment.path}/pay`, { webhooks: 0 })
    await settle(payment, provider)
    await bench.control('fakepay', `${payment.path}/pay`, { amount: '7.00', webhooks: 0 })
    const told = await Promise.all(Array.from({ length: 8 }, () => settle(payment, provider)))
    expect(told.filter((each) => each.outcome === 'redeposit')).toHaveLength(1)
    const rows = await db().payment.findMany({ where: { userId: payment.userId }, orderBy: { id: 'asc' } })
    return { payment, rows }
  }

  test('stands as a payment of its own: credited at once where the rule says so', async () => {
    const { payment, rows } = await redeposited('credit')
    expect(rows.map((row) => [row.state, row.creditedMicros])).toEqual([
      ['credited', 20_000_000n],
      ['credited', 7_000_000n],
    ])
    expect(await bench.balanceOf(payment.userId)).toBe(27_000_000n)
  })

  test('or waits for a person', async () => {
    const { payment, rows } = await redeposited('wait')
    expect(rows[1]).toMatchObject({ state: 'needs_review', reviewReason: 'redeposit', receivedMicros: 7_000_000n })
    expect(await bench.balanceOf(payment.userId)).toBe(20_000_000n)
  })
})

test('paid after the end: waits where the rule says so, and a person’s credit is the only one', async () => {
  await ruled({ late: 'wait' })
  const provider = withTerms('fakepay', {})
  const payment = await begin(20n * USD, provider)
  await bench.control('fakepay', payment.path, { state: 'expired' })
  expect((await settle(payment, provider)).outcome).toBe('expired')
  await bench.control('fakepay', `${payment.path}/pay`, { webhooks: 0 })
  const told = await Promise.all(Array.from({ length: 5 }, () => settle(payment, provider)))
  expect(new Set(told.map((each) => each.outcome))).toEqual(new Set(['needs_review']))
  expect(await db().payment.findUnique({ where: { id: payment.id } })).toMatchObject({ reviewReason: 'paid_late' })
  await ruled({})
  expect((await settle(payment, provider)).outcome).toBe('credited')
})

describe('limits', () => {
  const many = (userId: string, provider: Provider, amountMicros: bigint, times: number) =>
    Promise.all(Array.from({ length: times }, () => start(userId, amountMicros, provider)))
  const codes = (results: Awaited<ReturnType<typeof many>>) =>
    results.flatMap((each) => (each.ok ? [] : [each.refusal.code]))

  test('what one may have open at a time, also when all are begun at once', async () => {
    await ruled({ maxOpenPayments: 3 })
    const user = await insertCustomer()
    const results = await many(user.id, withTerms('fakepay', {}), 5n * USD, 8)
    expect(codes(results)).toEqual(Array(5).fill('too_many_open_payments'))
  })

  test('what an account may bring in before its first credit, what is open counted', async () => {
    await ruled({ firstTopUpMaxMicros: '30000000' })
    const provider = withTerms('fakepay', {})
    const user = await insertCustomer()
    expect(await start(user.id, 31n * USD, provider)).toMatchObject({
      refusal: { code: 'first_top_up_too_large', facts: { leftMicros: '30000000' } },
    })
    const first = await start(user.id, 20n * USD, provider)
    if (!first.ok) throw new Error(first.refusal.code)
    expect(await start(user.id, 11n * USD, provider)).toMatchObject({ refusal: { facts: { leftMicros: '10000000' } } })
    const row = await db().payment.findUniqueOrThrow({ where: { id: first.value.paymentId } })
    await bench.control('fakepay', `invoices/${row.providerPaymentId}/pay`, { webhooks: 0 })
    await settle(row, provider)
    expect((await start(user.id, 500n * USD, provider)).ok).toBe(true)
  })

  test('what one may bring in within a day: open and credited counted, all at once, and the day ends', async () => {
    await ruled({ dailyMaxMicros: '100000000' })
    const provider = withTerms('fakepay', {})
    const user = await insertCustomer()
    const results = await many(user.id, provider, 30n * USD, 6)
    expect(codes(results)).toEqual(Array(3).fill('daily_limit_reached'))
    expect((await start(user.id, 10n * USD, provider)).ok).toBe(true)
    await db().payment.updateMany({ where: { userId: user.id }, data: { state: 'expired' } })
    expect((await start(user.id, 100n * USD, provider)).ok).toBe(true)
  })

  test('what came counts, not what was asked for, and what waits for a person counts too', async () => {
    await ruled({ dailyMaxMicros: '100000000' })
    const provider = withTerms('fakepay', {})
    const overpaid = await begin(20n * USD, provider)
    await bench.control('fakepay', `${overpaid.path}/pay`, { amount: '90.00', webhooks: 0 })
    await settle(overpaid, provider)
    expect(await start(overpaid.userId, 20n * USD, provider)).toMatchObject({
      refusal: { code: 'daily_limit_reached', facts: { leftMicros: '10000000' } },
    })
    const short = await begin(100n * USD, provider)
    await bench.control('fakepay', short.path, { state: 'paid', paid: '60.00' })
    expect((await settle(short, provider)).outcome).toBe('needs_review')
    expect(await start(short.userId, 50n * USD, provider)).toMatchObject({
      refusal: { code: 'daily_limit_reached', facts: { leftMicros: '40000000' } },
    })
    await ruled({ firstTopUpMaxMicros: '100000000' })
    expect(await start(short.userId, 50n * USD, provider)).toMatchObject({
      refusal: { code: 'first_top_up_too_large', facts: { leftMicros: '40000000' } },
    })
  })

  test('the same request key is the same payment, also when the limit has been reached meanwhile', async () => {
    await ruled({ maxOpenPayments: 1 })
    const provider = withTerms('fakepay', {})
    const user = await insertCustomer()
    const key = newId('req')
    const first = await start(user.id, 5n * USD, provider, key)
    expect(await start(user.id, 5n * USD, provider, key)).toEqual(first)
  })

  test('the smallest and the largest a provider takes here', async () => {
    await ruled({})
    const provider = withTerms('fakepay', { minMicros: 10n * USD, maxMicros: 50n * USD })
    const user = await insertCustomer()
    for (const amount of [9_990_000n, 50_010_000n])
      expect(await start(user.id, amount, provider)).toMatchObject({
        refusal: { code: 'amount_out_of_range', facts: { minMicros: '10000000', maxMicros: '50000000' } },
      })
    expect((await start(user.id, 10n * USD, provider)).ok).toBe(true)
    expect((await start(user.id, 50n * USD, provider)).ok).toBe(true)
  })
})
