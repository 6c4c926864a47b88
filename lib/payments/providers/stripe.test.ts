import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Fake } from '@/fakes/kit'
import { signStripeEvent, startStripeFake } from '@/fakes/stripe'
import { newId, OperationalError } from '@/lib/kit'
import type { CheckoutRequest, Provider } from './provider'
import { stripeProvider } from './stripe'

const SECRET = 'whsec_demoInventedStripeSecret0001'
const NOW = 1_790_000_000
/** The published vector. */
const BODY =
  '{"id":"evt_demo_1","object":"event","api_version":"2026-10-28.endive","created":1789999990,"livemode":false,"type":"checkout.session.completed","data":{"object":{"id":"cs_test_demo1","object":"checkout.session","client_reference_id":"topup_8f3a","amount_total":2500,"currency":"usd","payment_status":"paid","status":"complete","payment_intent":"pi_demo_1"}}}'
const V1 = '5b3fbbd569d24768a0476abf53af1c4d1075809d02abeb3810c40f81226f07de'
const HEADER = `t=${NOW},v1=${V1}`

const settings = { apiUrl: 'http://127.0.0.1:1', secretKey: 'sk_test_1', webhookSecret: SECRET }
const provider = stripeProvider(settings)
const verify = (body: string, header: string | undefined, at = NOW) =>
  provider.verifyWebhook({
    headers: new Headers(header === undefined ? {} : { 'stripe-signature': header }),
    body: Buffer.from(body),
    now: new Date(at * 1000),
  })

test('the vector is accepted, and is what the vendor’s own library signs', async () => {
  expect(signStripeEvent(SECRET, BODY, NOW)).toBe(HEADER)
  const value = { externalId: 'evt_demo_1', providerPaymentId: 'cs_test_demo1', paymentId: 'topup_8f3a' }
  expect(await verify(BODY, HEADER)).toEqual({ ok: true, value })
  expect(await verify(BODY, HEADER, NOW + 300)).toMatchObject({ ok: true })
  expect(await verify(BODY, HEADER, NOW - 300)).toMatchObject({ ok: true })
  expect(await verify(BODY, `t=${NOW},v1=${'0'.repeat(64)},v1=${V1},v0=abc`)).toMatchObject({ ok: true })
})

test.each([
  ['too old', BODY, HEADER, NOW + 301],
  ['from the future, which the library lets pass', BODY, HEADER, NOW - 301],
  ['of another time', BODY, `t=${NOW + 1},v1=${V1}`, NOW],
  ['of another scheme', BODY, `t=${NOW},v0=${V1}`, NOW],
  ['in capitals', BODY, `t=${NOW},v1=${V1.toUpperCase()}`, NOW],
  ['without a time', BODY, `v1=${V1}`, NOW],
  ['over another body', `${BODY} `, HEADER, NOW],
  ['under the decoded secret, as Standard Webhooks would', BODY, signStripeEvent(SECRET.slice(6), BODY, NOW), NOW],
  ['that is empty', BODY, '', NOW],
  ['that is not there', BODY, undefined, NOW],
])('a signature %s is refused', async (_, body, header, at) => {
  expect(await verify(body, header, at)).toMatchObject({ ok: false, refusal: { code: 'bad_signature' } })
})

test('an event about something else is taken and speaks of no payment', async () => {
  const body = JSON.stringify({ id: 'evt_2', data: { object: { object: 'charge', id: 'ch_1' } } })
  const verdict = await verify(body, signStripeEvent(SECRET, body, NOW))
  expect(verdict).toMatchObject({ ok: true, value: { providerPaymentId: null, paymentId: null } })
})

test('no secret, no provider', () => {
  expect(() => stripeProvider({ ...settings, webhookSecret: '' })).toThrow()
})

let fake: Fake
let live: Provider
beforeAll(async () => {
  const shop = { secretKey: 'sk_test_1', webhookSecret: SECRET }
  fake = await startStripeFake({ port: 0, ...shop, notifyUrl: 'http://127.0.0.1:1', retryGapsMs: [] })
  live = stripeProvider({ apiUrl: fake.url, ...shop })
})
afterAll(() => fake.close())

const requestOf = (over: Partial<CheckoutRequest> = {}): CheckoutRequest => ({
  paymentId: newId('pay'),
  amountMicros: 20_000_000n,
  currency: 'USD',
  returnUrl: 'http://shop.test/back',
  webhookUrl: 'http://shop.test/hook',
  locale: 'en',
  expiresAt: new Date(Date.now() + 7_200_000),
  ...over,
})

test('the same request again is the same session, also after an answer that got lost; another request is another', async () => {
  const request = requestOf()
  const wish = { times: 1, match: 'sessions', status: 500, after: true }
  await fetch(`${fake.controlUrl}/fail`, { method: 'POST', body: JSON.stringify(wish) })
  await expect(live.createCheckout(request)).rejects.toBeInstanceOf(OperationalError)
  const again = await live.createCheckout(request)
  expect(await live.createCheckout(request)).toEqual(again)
  expect((await live.createCheckout({ ...request, locale: 'ru' })).providerPaymentId).not.toBe(again.providerPaymentId)
  const sessions = (await (await fetch(`${fake.controlUrl}/invoices`)).json()) as { client_reference_id: string }[]
  expect(sessions.filter((each) => each.client_reference_id === request.paymentId)).toHaveLength(2)
})

test.each(['JPY', 'KWD', 'ISK'])('%s is refused and not guessed', async (currency) => {
  await expect(live.createCheckout(requestOf({ currency }))).rejects.toBeInstanceOf(OperationalError)
})

test.each([
  ['a coupon for all of it', { state: 'complete:no_payment_required' }, { state: 'paid', receivedMicros: 0n }],
  ['a slow way of paying', { state: 'complete:unpaid' }, { state: 'confirming', receivedMicros: 0n }],
  ['a slow way that failed', { state: 'complete:failed' }, { state: 'cancelled', receivedMicros: 0n }],
  [
    'a total above the price',
    { state: 'complete:paid', paid: '24.00' },
    { state: 'paid', receivedMicros: 24_000_000n },
  ],
  ['real money', { state: 'complete:paid', test: false }, { state: 'paid', isTest: false }],
])('%s', async (_, wish, truth) => {
  const request = requestOf()
  const { providerPaymentId } = await live.createCheckout(request)
  await fetch(`${fake.controlUrl}/invoices/${providerPaymentId}`, { method: 'POST', body: JSON.stringify(wish) })
  expect(await live.fetchPayments([{ providerPaymentId, paymentId: null }])).toMatchObject([truth])
})

test('a session in a currency whose cents we do not know is no truth', async () => {
  const { providerPaymentId } = await live.createCheckout(requestOf())
  const wish = { currency: 'JPY', state: 'complete:paid' }
  await fetch(`${fake.controlUrl}/invoices/${providerPaymentId}`, { method: 'POST', body: JSON.stringify(wish) })
  await expect(live.fetchPayments([{ providerPaymentId, paymentId: null }])).rejects.toBeInstanceOf(OperationalError)
})
