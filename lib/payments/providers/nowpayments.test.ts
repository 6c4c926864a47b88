import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Fake } from '@/fakes/kit'
import { signNotification, startNowpaymentsFake } from '@/fakes/nowpayments'
import { newId } from '@/lib/kit'
import { canonicalText, nowpaymentsProvider } from './nowpayments'
import type { Provider, Truth } from './provider'

const SECRET = 'np-demo-ipn-secret-5511'
/** The published vector. */
const BODY =
  '{"payment_id":5524759814,"invoice_id":4522625843,"payment_status":"finished","pay_address":"TDemoAddr1","price_amount":25,"price_currency":"usd","pay_amount":25.113,"actually_paid":25.113,"actually_paid_at_fiat":0,"pay_currency":"usdttrc20","order_id":"topup_8f3a","order_description":"Top-up / proxies","purchase_id":"6084744717","outcome_amount":24.6612,"outcome_currency":"usdttrc20","parent_payment_id":null,"payin_extra_id":null,"fee":{"withdrawalFee":0,"currency":"usdttrc20","serviceFee":1.2e-7,"depositFee":0.4518}}'
const CANONICAL =
  '{"actually_paid":25.113,"actually_paid_at_fiat":0,"fee":{"currency":"usdttrc20","depositFee":0.4518,"serviceFee":1.2e-7,"withdrawalFee":0},"invoice_id":4522625843,"order_description":"Top-up / proxies","order_id":"topup_8f3a","outcome_amount":24.6612,"outcome_currency":"usdttrc20","parent_payment_id":null,"pay_address":"TDemoAddr1","pay_amount":25.113,"pay_currency":"usdttrc20","payin_extra_id":null,"payment_id":5524759814,"payment_status":"finished","price_amount":25,"price_currency":"usd","purchase_id":"6084744717"}'
const SIGNATURE =
  '0187c01522b0fd68394d3d7cd8a05e5202fd87939f4395190914a05ebadad5e6567a2aec6e627507cd96eb80c6951861f3d8cbf4f8bcc6bebe3946ea700f2f41'

const hmac = (text: string): string => createHmac('sha512', SECRET).update(text).digest('hex')
const settings = { apiUrl: 'http://127.0.0.1:1', apiKey: 'k', ipnSecret: SECRET, account: null }
const provider = nowpaymentsProvider(settings)
const verify = (body: string, signature?: string) =>
  provider.verifyWebhook({
    headers: new Headers(signature === undefined ? {} : { 'x-nowpayments-sig': signature }),
    body: Buffer.from(body),
    now: new Date(),
  })

test('the vector is accepted', async () => {
  expect(canonicalText(JSON.parse(BODY))).toBe(CANONICAL)
  expect(signNotification(SECRET, JSON.parse(BODY) as object)).toBe(SIGNATURE)
  expect(await verify(BODY, SIGNATURE)).toEqual({
    ok: true,
    value: {
      externalId: '5524759814:finished:25.113',
      providerPaymentId: 'pmt-5524759814',
      paymentId: 'topup_8f3a',
    },
  })
})

/** The two signatures that betray a known bug: keys filtered instead of sorted, and the raw bytes. */
const FILTERED = hmac(JSON.stringify(JSON.parse(BODY), Object.keys(JSON.parse(BODY) as object).sort()))
const RAW = hmac(BODY)

test.each([
  ['of filtered keys', BODY, FILTERED, '3b7ab0be544d1540'],
  ['of the raw body', BODY, RAW, 'e4c20a2e7c98e1fa'],
  ['over another status', BODY.replace('finished', 'expired'), SIGNATURE, ''],
  ['over another fee', BODY.replace('0.4518', '0.4519'), SIGNATURE, ''],
  ['in capitals', BODY, SIGNATURE.toUpperCase(), ''],
  ['cut short', BODY, SIGNATURE.slice(0, -2), ''],
  ['that is not there', BODY, undefined, ''],
])('a signature %s is refused', async (_, body, signature, start) => {
  expect(signature ?? '').toMatch(new RegExp(`^${start}`))
  expect(await verify(body, signature)).toMatchObject({ ok: false, refusal: { code: 'bad_signature' } })
})

test('a payout under the same secret is taken and speaks of no payment', async () => {
  const payout = { id: '1', batch_withdrawal_id: '2', status: 'FINISHED', amount: '100' }
  const verdict = await verify(JSON.stringify(payout), signNotification(SECRET, payout))
  expect(verdict).toMatchObject({ ok: true, value: { providerPaymentId: null, paymentId: null } })
})

test('what is deeper than theirs is refused before it is walked', async () => {
  const deep = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
  expect(await verify(deep, SIGNATURE)).toMatchObject({ ok: false })
})

test('a key named __proto__ is signed like every other', () => {
  expect(canonicalText(JSON.parse('{"b":1,"__proto__":{"z":1,"a":2}}'))).toBe('{"__proto__":{"a":2,"z":1},"b":1}')
})

test('no secret, no provider', () => {
  expect(() => nowpaymentsProvider({ ...settings, ipnSecret: '' })).toThrow()
})

let fake: Fake
let live: Provider
let keyOnly: Provider
const account = { email: 'shop@example.com', password: 'np-password' }
beforeAll(async () => {
  fake = await startNowpaymentsFake({ port: 0, apiKey: 'k', ipnSecret: SECRET, ...account, retryGapsMs: [] })
  live = nowpaymentsProvider({ apiUrl: fake.url, apiKey: 'k', ipnSecret: SECRET, account })
  keyOnly = nowpaymentsProvider({ apiUrl: fake.url, apiKey: 'k', ipnSecret: SECRET, account: null })
})
afterAll(() => fake.close())

async function control(path: string, wish: object): Promise<{ id?: string; payment_id?: number }> {
  const answer = await fetch(`${fake.controlUrl}/invoices/${path}`, { method: 'POST', body: JSON.stringify(wish) })
  return (await answer.json()) as { id?: string; payment_id?: number }
}

async function open(): Promise<{ id: string; paymentId: string; truths: () => Promise<Truth[]> }> {
  const paymentId = newId('pay')
  const { providerPaymentId: id } = await live.createCheckout({
    paymentId,
    amountMicros: 20_000_000n,
    currency: 'USD',
    returnUrl: 'http://shop.test/back',
    webhookUrl: 'http://127.0.0.1:1/hook',
    locale: 'en',
    expiresAt: new Date(Date.now() + 7_200_000),
  })
  return { id, paymentId, truths: () => live.fetchPayments([{ providerPaymentId: id, paymentId }]) }
}

test('an invoice nobody opened is nothing; without the account neither is an opened one', async () => {
  const { id, truths } = await open()
  expect(await truths()).toEqual([])
  await control(id, { state: 'finished', paid: '20.00' })
  expect(await truths()).toHaveLength(1)
  expect(await keyOnly.fetchPayments([{ providerPaymentId: id, paymentId: null }])).toEqual([])
})

test.each([
  ['waiting', '0', 'awaiting', 0n],
  ['confirming', '20.00', 'confirming', 20_000_000n],
  ['sending', '20.00', 'confirming', 20_000_000n],
  ['partially_paid', '5.00', 'cancelled', 5_000_000n],
  ['finished', '20.00', 'paid', 20_000_000n],
  // Called finished with too little, as with a "payment covering" percentage: the coins tell, not the price.
  ['finished', '19.80', 'paid', 19_800_000n],
  ['finished', '0', 'paid', 0n],
  ['failed', '0', 'awaiting', 0n],
  ['failed', '20.00', 'rejected', 20_000_000n],
  // All of it there and not called finished: a coin of another kind, for one.
  ['partially_paid', '20.00', 'rejected', 20_000_000n],
  ['expired', '20.00', 'rejected', 20_000_000n],
  ['refunded', '20.00', 'cancelled', 0n],
  ['expired', '0', 'expired', 0n],
])('%s with %s is %s', async (status, paid, state, receivedMicros) => {
  const { id, paymentId, truths } = await open()
  const { payment_id } = await control(id, { state: status, paid })
  const [truth] = await truths()
  expect(truth).toMatchObject({ state, receivedMicros, requestedMicros: 20_000_000n, currency: 'USD', paymentId })
  const isMoney = receivedMicros > 0n || status === 'finished' || status === 'refunded'
  expect(truth!.providerPaymentId).toBe(isMoney ? `pmt-${payment_id}` : id)
  expect(truth!.checkoutId).toBe(isMoney ? id : undefined)
})

test('a deposit repeated later is a payment of its own, worth what came and not the price', async () => {
  const { id, paymentId, truths } = await open()
  await control(`${id}/pay`, { webhooks: 0 })
  const again = await control(`${id}/redeposit`, { amount: '3.00' })
  const found = await truths()
  expect(found.map((truth) => [truth.receivedMicros, truth.paymentId, truth.checkoutId])).toEqual([
    [3_000_000n, paymentId, id],
    [20_000_000n, paymentId, id],
  ])
  const direct = await live.fetchPayments([{ providerPaymentId: `pmt-1${again.id!.slice(4)}`, paymentId: null }])
  expect(direct).toEqual([found[0]])
})
