import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { db } from '@/lib/db'
import { newId } from '@/lib/kit'
import { insertProvider } from '@/test/factories/provider'
import { type OpenPayment, type PaymentsBench, startPaymentsBench } from '@/test/payments-bench'
import * as door from './route'

/** What the shop is told here; the stand-ins are told apart from it, so messages are signed by hand. */
const FAKEPAY_SECRET = `whsec_${Buffer.from('test-fakepay-webhook-secret').toString('base64')}`
const CRYPTOCLOUD_SECRET = 'test-cryptocloud-secret'

let bench: PaymentsBench
beforeAll(async () => {
  bench = await startPaymentsBench()
  const apiUrl = 'http://127.0.0.1:2'
  await insertProvider('fakepay', { apiUrl, apiKey: 'test-fakepay-key', webhookSecret: FAKEPAY_SECRET })
  await insertProvider('cryptocloud', { apiUrl, apiKey: 'k', shopId: 'shop', secret: CRYPTOCLOUD_SECRET })
})
afterAll(async () => {
  await bench.close()
})

function post(provider: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  const request = new Request(`http://shop.test/api/webhooks/${provider}`, { method: 'POST', body, headers })
  return door.POST(request, { params: Promise.resolve({ provider }) })
}

/** A message by the Standard Webhooks scheme. */
function signed(body: string, id = newId('req'), secret = FAKEPAY_SECRET): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1000))
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  }
}

const eventOf = (payment: OpenPayment) =>
  JSON.stringify({ type: 'invoice.paid', data: { id: payment.providerPaymentId, orderId: payment.id } })
const pay = (payment: OpenPayment) =>
  bench.control('fakepay', `invoices/${payment.providerPaymentId}/pay`, { webhooks: 0 })
const rowsOf = (payment: OpenPayment) =>
  db().webhookMessage.count({ where: { providerPaymentId: payment.providerPaymentId } })

/** A CryptoCloud postback: a form with a token signed over its own short life. */
function postback(payment: OpenPayment, secret = CRYPTOCLOUD_SECRET): URLSearchParams {
  const now = Math.floor(Date.now() / 1000)
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const unsigned = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ id: payment.providerPaymentId, iat: now, exp: now + 300 })}`
  const token = `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`
  return new URLSearchParams({
    status: 'success',
    invoice_id: payment.providerPaymentId.replace(/^INV-/, ''),
    order_id: payment.id,
    token,
  })
}

async function problemOf(answer: Response): Promise<unknown> {
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(answer.headers.get('cache-control')).toBe('no-store')
  return answer.json()
}

test('a forged message is 401 and leaves no row', async () => {
  const payment = await bench.topUp('fakepay')
  const body = eventOf(payment)
  const forged = [
    {},
    signed(body, undefined, 'whsec_YW5vdGhlci1zZWNyZXQtb2Ytc29tZWJvZHk='),
    { ...signed(body), 'webhook-signature': 'v1,AAAA' },
    { ...signed(body), 'webhook-timestamp': '1' },
    signed(`${body} `),
  ]
  for (const headers of forged) {
    const answer = await post('fakepay', body, headers)
    expect(answer.status).toBe(401)
    expect(await problemOf(answer)).toMatchObject({ status: 401, code: 'bad_signature' })
  }
  const cryptocloud = await bench.topUp('cryptocloud')
  expect((await post('cryptocloud', postback(cryptocloud, 'another secret'))).status).toBe(401)
  expect((await rowsOf(payment)) + (await rowsOf(cryptocloud))).toBe(0)
})

test('the same message twenty times at once is one row and one credit', async () => {
  const payment = await bench.topUp('fakepay')
  await pay(payment)
  const body = eventOf(payment)
  const headers = signed(body)
  const answers = await Promise.all(Array.from({ length: 20 }, () => post('fakepay', body, headers)))
  expect(answers.map((answer) => answer.status)).toEqual(Array.from({ length: 20 }, () => 202))
  expect(await answers[0]!.json()).toMatchObject({ message: expect.any(String) })
  await bench.work()
  expect(await rowsOf(payment)).toBe(1)
  expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
})

test('twenty different messages of one payment at once are one credit', async () => {
  const payment = await bench.topUp('fakepay')
  await pay(payment)
  const body = eventOf(payment)
  await Promise.all(Array.from({ length: 20 }, () => post('fakepay', body, signed(body))))
  await bench.work()
  expect(await rowsOf(payment)).toBe(20)
  expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
})

test('CryptoCloud hears the words it waits for', async () => {
  const payment = await bench.topUp('cryptocloud')
  const answer = await post('cryptocloud', postback(payment))
  expect(answer.status).toBe(200)
  expect(await answer.json()).toEqual({ message: 'Postback received' })
  expect(await rowsOf(payment)).toBe(1)
})

test('a provider without settings is 404', async () => {
  for (const provider of ['paypal', '', '__proto__', 'constructor', 'a'.repeat(5000), '../fakepay']) {
    const request = new Request('http://shop.test/api/webhooks/any', { method: 'POST', body: '{}' })
    const answer = await door.POST(request, { params: Promise.resolve({ provider }) })
    expect(answer.status, provider).toBe(404)
    expect(await problemOf(answer)).toMatchObject({ code: 'unknown_provider' })
  }
})

test('whatever is sent, signed or not, is a refusal and never a fault', async () => {
  const payment = await bench.topUp('fakepay')
  const huge = '9'.repeat(400)
  const bodies = [
    '',
    'null',
    '[]',
    '{',
    '\u0000',
    '"text"',
    '{"data":null}',
    '{"data":{"id":1}}',
    `{"data":{"id":${huge}}}`,
    `{"data":{"id":"${'x'.repeat(5000)}"}}`,
    '{"__proto__":{"id":"a"}}',
    `${'['.repeat(30_000)}`,
  ]
  for (const body of bodies) {
    expect((await post('fakepay', body)).status, body.slice(0, 40)).toBe(401)
    expect((await post('fakepay', body, signed(body))).status, body.slice(0, 40)).toBe(400)
    expect(
      await post('cryptocloud', body).then((answer) => [400, 401].includes(answer.status)),
      body.slice(0, 40),
    ).toBe(true)
  }
  const amounts = JSON.stringify({
    data: { id: payment.providerPaymentId, orderId: payment.id, amount: 1e308, paid: Number(huge.slice(0, 20)) },
  })
  // Amounts in a message are not read at all: the provider is asked for the truth.
  expect((await post('fakepay', amounts, signed(amounts))).status).toBe(202)
  await bench.work()
  expect(await bench.balanceOf(payment.user.id)).toBe(0n)
})

test('a body above the limit is 413, told or not', async () => {
  const large = 'x'.repeat(65 * 1024)
  expect((await post('fakepay', large)).status).toBe(413)
  expect((await post('fakepay', '{}', { 'content-length': '99999999' })).status).toBe(413)
  const untold = new ReadableStream({
    start(controller) {
      for (let sent = 0; sent < 70; sent += 1) controller.enqueue(new TextEncoder().encode('x'.repeat(1024)))
      controller.close()
    },
  })
  const request = new Request('http://shop.test/api/webhooks/fakepay', {
    method: 'POST',
    body: untold,
    duplex: 'half',
  } as RequestInit)
  const answer = await door.POST(request, { params: Promise.resolve({ provider: 'fakepay' }) })
  expect(answer.status).toBe(413)
  expect(await problemOf(answer)).toMatchObject({ code: 'body_too_large' })
})

test('only POST is answered here; Next answers every other method with 405', () => {
  expect(Object.keys(door).filter((name) => /^[A-Z]+$/.test(name))).toEqual(['POST'])
})

test('a signed message whose ids hold a zero byte is malformed, not a fault', async () => {
  for (const data of [{ id: 'a\0b' }, { id: 'inv_1', orderId: 'a\0b' }]) {
    const body = JSON.stringify({ type: 'invoice.paid', data })
    expect((await post('fakepay', body, signed(body))).status).toBe(400)
  }
  const payment = await bench.topUp('cryptocloud')
  const form = postback(payment)
  form.set('order_id', 'a\0b')
  const answer = await post('cryptocloud', form.toString(), { 'content-type': 'application/x-www-form-urlencoded' })
  expect(answer.status).toBe(400)
  expect(await rowsOf(payment)).toBe(0)
})
