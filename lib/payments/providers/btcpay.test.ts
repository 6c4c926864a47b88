import { afterAll, beforeAll, expect, test } from 'vitest'
import { signBtcpayEvent, startBtcpayFake } from '@/fakes/btcpay'
import type { Fake } from '@/fakes/kit'
import { newId } from '@/lib/kit'
import { btcpayProvider } from './btcpay'
import type { Provider } from './provider'

const SECRET = 'btcpay-demo-webhook-secret-77aa'
/** The published vector: two-space indented JSON, no final newline. */
const BODY = `{
  "deliveryId": "DLV-demo-0001",
  "webhookId": "WHK-demo-1",
  "originalDeliveryId": "DLV-demo-0001",
  "isRedelivery": false,
  "type": "InvoiceSettled",
  "timestamp": 1790000000,
  "manuallyMarked": false,
  "overPaid": false,
  "storeId": "STORE-demo-1",
  "invoiceId": "BTCPINV-demo-42",
  "metadata": {
    "orderId": "topup_8f3a"
  }
}`
const SIGNATURE = 'sha256=56981e45065a2a4810a49d6f54bc36c65c2e478d5f6d6615d7fb780fb00c3a5b'
const COMPACT_SIGNATURE = 'sha256=154637812ef5c9264f732a3914cec384b22203343d6a94a7e048006fba389b85'

const settings = { apiUrl: 'http://127.0.0.1:1', apiKey: 'k', storeId: 'STORE-demo-1', secret: SECRET }
const provider = btcpayProvider(settings)
const verify = (body: string, signature?: string) =>
  provider.verifyWebhook({
    headers: new Headers(signature === undefined ? {} : { 'btcpay-sig': signature }),
    body: Buffer.from(body),
    now: new Date(),
  })

test('the vector is accepted', async () => {
  expect(signBtcpayEvent(SECRET, BODY)).toBe(SIGNATURE)
  expect(await verify(BODY, SIGNATURE)).toEqual({
    ok: true,
    value: { externalId: 'DLV-demo-0001', providerPaymentId: 'BTCPINV-demo-42', paymentId: 'topup_8f3a' },
  })
})

test.each([
  ['of the re-serialised body', BODY, COMPACT_SIGNATURE],
  ['over a re-serialised body', JSON.stringify(JSON.parse(BODY)), SIGNATURE],
  ['with one byte more', `${BODY}\n`, SIGNATURE],
  ['in capitals', BODY, SIGNATURE.toUpperCase()],
  ['without its scheme', BODY, SIGNATURE.slice(7)],
  ['under an empty key', BODY, signBtcpayEvent('', BODY)],
  ['cut short', BODY, SIGNATURE.slice(0, -2)],
  ['that is not there', BODY, undefined],
])('a signature %s is refused', async (_, body, signature) => {
  expect(await verify(body, signature)).toMatchObject({ ok: false, refusal: { code: 'bad_signature' } })
})

test('a compact body under its own signature is accepted: the bytes count, not the shape', async () => {
  expect(await verify(JSON.stringify(JSON.parse(BODY)), COMPACT_SIGNATURE)).toMatchObject({ ok: true })
})

test('a redelivery is the same fact', async () => {
  const again = BODY.replace('"deliveryId": "DLV-demo-0001"', '"deliveryId": "DLV-demo-0002"').replace('false', 'true')
  expect(await verify(again, signBtcpayEvent(SECRET, again))).toEqual(await verify(BODY, SIGNATURE))
})

test.each([
  ['the test webhook of the dashboard', BODY.replaceAll('DLV-demo-0001', '__test__0f__test__')],
  ['an event of another store', BODY.replace('STORE-demo-1', 'STORE-demo-2')],
])('%s is taken and speaks of no payment', async (_, body) => {
  const verdict = await verify(body, signBtcpayEvent(SECRET, body))
  expect(verdict).toMatchObject({ ok: true, value: { providerPaymentId: null, paymentId: null } })
})

test('no secret, no provider', () => {
  expect(() => btcpayProvider({ ...settings, secret: '' })).toThrow()
})

let fake: Fake
let live: Provider
beforeAll(async () => {
  const shop = { apiKey: 'k', storeId: 'store1', secret: SECRET }
  fake = await startBtcpayFake({ port: 0, ...shop, notifyUrl: 'http://127.0.0.1:1', retryGapsMs: [] })
  live = btcpayProvider({ apiUrl: fake.url, ...shop })
})
afterAll(() => fake.close())

test.each([
  ['money on its way', { state: 'Processing', paid: '20.00' }, 'confirming', 20_000_000n],
  ['accepted by hand without money', { state: 'Settled', paid: '0' }, 'paid', 0n],
  ['accepted by hand with a part', { state: 'Settled', paid: '7.50' }, 'paid', 7_500_000n],
  ['paid late, confirmed', { state: 'Expired', paid: '20.00' }, 'paid', 20_000_000n],
  ['expired on a part', { state: 'Expired', paid: '19.99' }, 'expired', 19_990_000n],
  ['expired on a part that is only seen', { state: 'Expired', paid: '19.99', unsure: true }, 'confirming', 19_990_000n],
  ['paid late, only seen', { state: 'Expired', paid: '20.00', unsure: true }, 'confirming', 20_000_000n],
  ['expired on nothing', { state: 'Expired', paid: '0' }, 'expired', 0n],
  ['settled with more, all of it sure', { state: 'Settled', paid: '25.00' }, 'paid', 25_000_000n],
  // Somebody may add coins without a fee to a small sum that is confirmed, and take them back a minute later.
  ['settled, and more is only seen', { state: 'Settled', paid: '2000.00', unsure: true }, 'paid', 20_000_000n],
  ['never confirmed', { state: 'Invalid', paid: '20.00' }, 'rejected', 20_000_000n],
])('%s', async (_, wish, state, receivedMicros) => {
  const paymentId = newId('pay')
  const { providerPaymentId } = await live.createCheckout({
    paymentId,
    amountMicros: 20_000_000n,
    currency: 'USD',
    returnUrl: 'http://shop.test/back',
    webhookUrl: 'http://shop.test/hook',
    locale: 'en',
    expiresAt: new Date(Date.now() + 3_600_000),
  })
  await fetch(`${fake.controlUrl}/invoices/${providerPaymentId}`, { method: 'POST', body: JSON.stringify(wish) })
  expect(await live.fetchPayments([{ providerPaymentId, paymentId }])).toMatchObject([{ state, receivedMicros }])
})

test('many are listed by our ids, and one whose order id is another is still found by its own', async () => {
  const calls: string[] = []
  const seen = (incoming: { url?: string }) => void calls.push(incoming.url ?? '')
  const made = []
  for (let count = 0; count < 50; count += 1) {
    const paymentId = newId('pay')
    const { providerPaymentId } = await live.createCheckout({
      paymentId,
      amountMicros: 20_000_000n,
      currency: 'USD',
      returnUrl: 'http://shop.test/back',
      webhookUrl: 'http://shop.test/hook',
      locale: 'en',
      expiresAt: new Date(Date.now() + 3_600_000),
    })
    made.push({ paymentId, providerPaymentId })
  }
  const odd = { ...made[0]!, paymentId: newId('pay') }
  fake.server.on('request', seen)
  const truths = await live.fetchPayments([odd, ...made.slice(1)])
  fake.server.off('request', seen)
  expect(truths).toHaveLength(50)
  expect(truths.find((truth) => truth.providerPaymentId === odd.providerPaymentId)!.paymentId).toBe(made[0]!.paymentId)
  expect(calls).toHaveLength(3)
})
