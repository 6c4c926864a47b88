import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Fake } from '@/fakes/kit'
import { startYookassaFake } from '@/fakes/yookassa'
import { newId, OperationalError } from '@/lib/kit'
import type { CheckoutRequest, Provider } from './provider'
import { isYookassaAddress, yookassaProvider } from './yookassa'

const ID = '2c85b7f0-000f-5000-8000-18db351245c7'
const shop = { shopId: '100500', secretKey: 'test_demoSecretKey' }
let fake: Fake
let live: Provider
beforeAll(async () => {
  fake = await startYookassaFake({ port: 0, ...shop, notifyUrl: 'http://127.0.0.1:1', retryGapsMs: [] })
  live = yookassaProvider({ apiUrl: fake.url, ...shop })
})
afterAll(() => fake.close())

const requestOf = (over: Partial<CheckoutRequest> = {}): CheckoutRequest => ({
  paymentId: newId('pay'),
  amountMicros: 20_000_000n,
  currency: 'RUB',
  returnUrl: 'http://shop.test/back',
  webhookUrl: 'http://shop.test/hook',
  locale: 'ru',
  expiresAt: new Date(Date.now() + 7_200_000),
  ...over,
})

test('the published authorization goes with every call', async () => {
  const sent: (string | undefined)[] = []
  const seen = ({ headers }: IncomingMessage) => void sent.push(headers.authorization)
  fake.server.on('request', seen)
  const { providerPaymentId } = await live.createCheckout(requestOf())
  await live.fetchPayments([{ providerPaymentId, paymentId: null }])
  fake.server.off('request', seen)
  expect(sent).toEqual(Array(2).fill('Basic MTAwNTAwOnRlc3RfZGVtb1NlY3JldEtleQ=='))
})

test.each([
  ['185.71.76.31', true],
  ['185.71.76.32', false],
  ['::ffff:185.71.76.1', true],
  ['::ffff:185.71.78.1', false],
  ['77.75.156.35', true],
  ['77.75.156.36', false],
  ['2a02:5180:0:2669::1', true],
  ['2a02:5181::1', false],
  ['', false],
  ['nonsense', false],
])('the address %s: %s', (address, isTheirs) => {
  expect(isYookassaAddress(address)).toBe(isTheirs)
})

const hint = (over: object = {}, event = 'payment.succeeded') =>
  Buffer.from(
    JSON.stringify({ type: 'notification', event, object: { id: ID, metadata: { payment_id: 'pay_1' }, ...over } }),
  )
const read = (body: Buffer, headers = new Headers(), provider = live) =>
  provider.verifyWebhook({ headers, body, now: new Date() })

test('a notification is a hint: the ids and the event, whatever else it says', async () => {
  expect(live.isUnsigned).toBe(true)
  const value = { externalId: `${ID}:payment.succeeded`, providerPaymentId: ID, paymentId: 'pay_1' }
  expect(await read(hint({ amount: { value: '1000000.00' }, status: 'succeeded' }))).toEqual({ ok: true, value })
  expect(await read(hint({ id: newUuid(), payment_id: ID }, 'refund.succeeded'))).toMatchObject({
    value: { providerPaymentId: ID },
  })
})

test.each([
  ['of another event', hint({}, 'payment.invented')],
  ['with an id that is a path', hint({ id: '../payments' })],
  ['with an id that is a number', hint({ id: 7 })],
  ['of another type', Buffer.from('{"type":"x","event":"payment.succeeded","object":{}}')],
])('a notification %s is refused', async (_, body) => {
  expect(await read(body)).toMatchObject({ ok: false, refusal: { code: 'malformed' } })
})

test('where addresses are checked, the last one, which our own proxy wrote, decides', async () => {
  const checking = yookassaProvider({ apiUrl: fake.url, ...shop, checksAddress: true })
  const from = (addresses: string) => read(hint(), new Headers({ 'x-forwarded-for': addresses }), checking)
  expect(await from('8.8.8.8, 185.71.76.1')).toMatchObject({ ok: true })
  expect(await from('185.71.76.1, 8.8.8.8')).toMatchObject({ refusal: { code: 'bad_signature' } })
  expect(await read(hint(), new Headers(), checking)).toMatchObject({ refusal: { code: 'bad_signature' } })
})

test('the same request again is the same payment, also after an answer that got lost', async () => {
  const request = requestOf()
  const wish = { times: 1, match: 'payments', status: 500, after: true }
  await fetch(`${fake.controlUrl}/fail`, { method: 'POST', body: JSON.stringify(wish) })
  await expect(live.createCheckout(request)).rejects.toBeInstanceOf(OperationalError)
  const made = await live.createCheckout(request)
  expect((await live.createCheckout(request)).providerPaymentId).toBe(made.providerPaymentId)
  const all = (await (await fetch(`${fake.controlUrl}/invoices`)).json()) as { metadata: { payment_id: string } }[]
  expect(all.filter((each) => each.metadata.payment_id === request.paymentId)).toHaveLength(1)
})

test('a currency without cents is refused and not guessed', async () => {
  await expect(live.createCheckout(requestOf({ currency: 'JPY' }))).rejects.toBeInstanceOf(OperationalError)
})

test.each([
  ['waiting_for_capture', { state: 'waiting_for_capture' }, { state: 'confirming', receivedMicros: 0n }],
  ['canceled', { state: 'canceled' }, { state: 'expired', receivedMicros: 0n }],
  ['succeeded', { state: 'succeeded' }, { state: 'paid', receivedMicros: 20_000_000n, isTest: true }],
  ['succeeded in earnest', { state: 'succeeded', test: false }, { state: 'paid', isTest: false }],
])('%s', async (_, wish, truth) => {
  const { providerPaymentId } = await live.createCheckout(requestOf())
  await fetch(`${fake.controlUrl}/invoices/${providerPaymentId}`, { method: 'POST', body: JSON.stringify(wish) })
  expect(await live.fetchPayments([{ providerPaymentId, paymentId: null }])).toMatchObject([truth])
})

test('refunds told in another shape hold up that payment only; asked for alone it is an OperationalError', async () => {
  const made = []
  for (let count = 0; count < 3; count += 1) {
    const { providerPaymentId } = await live.createCheckout(requestOf())
    const control = (path: string, wish: object) =>
      fetch(`${fake.controlUrl}/invoices/${providerPaymentId}${path}`, { method: 'POST', body: JSON.stringify(wish) })
    await control('', { state: 'succeeded', paid: '20.00' })
    await control('/refund', { amount: '5.00', webhooks: 0 })
    made.push({ providerPaymentId, paymentId: null })
  }
  const [odd, ...others] = made.map((each) => each.providerPaymentId)
  const real = globalThis.fetch
  const answering = vi.spyOn(globalThis, 'fetch').mockImplementation((url, init) => {
    const isOdd = String(url instanceof Request ? url.url : url).includes(`refunds?payment_id=${odd}`)
    return isOdd ? Promise.resolve(Response.json({ items: [{ id: 7 }] })) : real(url, init)
  })
  const truths = await live.fetchPayments(made)
  expect(truths.map((truth) => truth.providerPaymentId)).toEqual(others)
  await expect(live.fetchPayments([made[0]!])).rejects.toBeInstanceOf(OperationalError)
  answering.mockRestore()
})

test('no key, no provider', () => {
  expect(() => yookassaProvider({ apiUrl: fake.url, ...shop, secretKey: '' })).toThrow()
})

function newUuid(): string {
  return ID.replace('2c85', '2c86')
}
