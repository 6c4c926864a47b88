import { afterAll, beforeAll, expect, test } from 'vitest'
import { cryptomusCallback, signCryptomus, startCryptomusFake } from '@/fakes/cryptomus'
import type { Fake } from '@/fakes/kit'
import { newId } from '@/lib/kit'
import { cryptomusProvider, cryptomusSignature } from './cryptomus'
import type { Provider } from './provider'

const KEY = 'cryptomus-demo-payment-key-31'
const UUID = '3f0c2a10-0000-4000-8000-0000000000aa'
/** The published vectors. */
const REQUEST =
  '{"amount":"25.00","currency":"USD","order_id":"topup_8f3a","url_callback":"https://app.example/api/pay/cryptomus","lifetime":3600}'
const SIGN = '6c7b60040b3d5ceb73bebdae271d58c3'
/** From a text whose slashes were not escaped. */
const UNESCAPED_SIGN = '34423099f9a364398cc5197cb292c093'
const BODY = String.raw`{"type":"payment","uuid":"3f0c2a10-0000-4000-8000-0000000000aa","order_id":"topup_8f3a","amount":"25.00","payment_amount":"25.00000000","payment_amount_usd":"25.00","merchant_amount":"24.75000000","commission":"0.25000000","is_final":true,"status":"paid","from":null,"wallet_address_uuid":null,"network":"tron","currency":"USD","payer_currency":"USDT","additional_data":"pay\/1","txid":"abc\/def","sign":"${SIGN}"}`

const settings = { apiUrl: 'http://127.0.0.1:1', merchantId: 'm', paymentKey: KEY }
const provider = cryptomusProvider(settings)
const verify = (body: string) =>
  provider.verifyWebhook({ headers: new Headers(), body: Buffer.from(body), now: new Date() })

test.each([
  [REQUEST, '62633b7bd8995b8d3fae765faf955526'],
  ['', '06d4bda92c4ae975a7dc2451ecaeffbe'],
  ['{}', '1692bd7dff9e84fe4ea94971bec560f3'],
])('the request %s is signed as published', (text, signature) => {
  expect(cryptomusSignature(KEY, text)).toBe(signature)
  expect(signCryptomus(KEY, text)).toBe(signature)
})

test('the callback of the vector is accepted', async () => {
  expect(await verify(BODY)).toMatchObject({
    ok: true,
    value: {
      externalId: expect.stringContaining(`payment:${UUID}:paid:`),
      providerPaymentId: UUID,
      paymentId: 'topup_8f3a',
    },
  })
  const { sign: _, ...content } = JSON.parse(BODY) as Record<string, unknown>
  expect(cryptomusCallback(KEY, content)).toBe(BODY)
})

test('keys that look like numbers, and numbers in their own shape, are signed as they came', async () => {
  const text = `{"9":1,"1":2.50,"type":"payment","uuid":"${UUID}","status":"paid"}`
  const body = `${text.slice(0, -1)},"sign":"${signCryptomus(KEY, text)}"}`
  expect(await verify(body)).toMatchObject({ ok: true })
  const first = `{"sign":"${signCryptomus(KEY, text)}",${text.slice(1)}`
  expect(await verify(first)).toMatchObject({ ok: true })
})

test.each([
  ['of unescaped slashes', BODY.replace(SIGN, UNESCAPED_SIGN)],
  ['over unescaped slashes', BODY.replaceAll(String.raw`\/`, '/')],
  ['of another status', BODY.replace('"paid"', '"cancel"')],
  ['in capitals', BODY.replace(SIGN, SIGN.toUpperCase())],
  ['that is a number', BODY.replace(`"${SIGN}"`, '1')],
  ['inside a text', BODY.replace(`,"sign":"${SIGN}"`, `,"a":"\\"sign\\":\\"${SIGN}\\""`)],
  ['in a nested object', BODY.replace(`,"sign":"${SIGN}"}`, `,"a":{"b":1,"sign":"${SIGN}"}}`)],
  ['that is not there', BODY.replace(`,"sign":"${SIGN}"`, '')],
  ['under an empty key', cryptomusCallback('', { type: 'payment', uuid: UUID, status: 'paid' })],
])('a signature %s is refused', async (_, body) => {
  expect(await verify(body)).toMatchObject({ ok: false, refusal: { code: 'bad_signature' } })
})

test('a callback of a static wallet is taken and speaks of no payment', async () => {
  const body = cryptomusCallback(KEY, { type: 'wallet', uuid: UUID, status: 'paid', order_id: 'pay_1' })
  expect(await verify(body)).toMatchObject({ ok: true, value: { providerPaymentId: null, paymentId: null } })
})

test('no key, no provider', () => {
  expect(() => cryptomusProvider({ ...settings, paymentKey: '' })).toThrow()
})

let fake: Fake
let live: Provider
beforeAll(async () => {
  const shop = { merchantId: 'merchant1', paymentKey: KEY }
  fake = await startCryptomusFake({ port: 0, ...shop, retryGapsMs: [] })
  live = cryptomusProvider({ apiUrl: fake.url, ...shop })
})
afterAll(() => fake.close())

test.each([
  ['check', '0', 'awaiting', 0n],
  ['confirm_check', '20.00', 'confirming', 20_000_000n],
  ['locked', '20.00', 'confirming', 20_000_000n],
  ['wrong_amount_waiting', '5.00', 'underpaid', 5_000_000n],
  ['wrong_amount', '5.00', 'expired', 5_000_000n],
  ['paid', '20.00', 'paid', 20_000_000n],
  // As with an accuracy below a hundred percent: called paid, and less came.
  ['paid', '19.00', 'paid', 19_000_000n],
  ['paid_over', '33.33', 'paid', 33_330_000n],
  ['cancel', '0', 'expired', 0n],
  ['cancel', '20.00', 'rejected', 20_000_000n],
  ['fail', '20.00', 'rejected', 20_000_000n],
  ['system_fail', '0', 'rejected', 0n],
  ['refund_fail', '20.00', 'rejected', 20_000_000n],
  ['refund_paid', '20.00', 'cancelled', 0n],
])('%s with %s is %s', async (status, paid, state, receivedMicros) => {
  const paymentId = newId('pay')
  const { providerPaymentId } = await live.createCheckout({
    paymentId,
    amountMicros: 20_000_000n,
    currency: 'USD',
    returnUrl: 'http://shop.test/back',
    webhookUrl: 'http://shop.test/hook',
    locale: 'en',
    expiresAt: new Date(Date.now() + 7_200_000),
  })
  const wish = JSON.stringify({ state: status, paid })
  await fetch(`${fake.controlUrl}/invoices/${providerPaymentId}`, { method: 'POST', body: wish })
  const [truth] = await live.fetchPayments([{ providerPaymentId, paymentId }])
  expect(truth).toMatchObject({ state, receivedMicros, requestedMicros: 20_000_000n, currency: 'USD', paymentId })
})
