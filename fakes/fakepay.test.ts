import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { signStandardWebhook, startFakepay } from './fakepay'
import type { Fake } from './kit'
import { type ShopDouble, startShopDouble } from './shop-double'

const SECRET = 'whsec_aW52ZW50ZWQtMjQtYnl0ZS1zZWNyZXQh'
let fake: Fake
let shop: ShopDouble

beforeAll(async () => {
  fake = await startFakepay({ port: 0, apiKey: 'fp_key', secret: SECRET, retryGapsMs: [10, 10] })
  shop = await startShopDouble()
})
afterAll(async () => {
  await fake.close()
  await shop.close()
})
beforeEach(() => {
  shop.heard.length = 0
  shop.answers.length = 0
})

type Shown = { id: string; amount: string; paid: string; state: string; payUrl: string; answers?: number[] }

async function call<T = Shown>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }> {
  const answer = await fetch(`${fake.url}${path}`, {
    method,
    headers: { authorization: 'Bearer fp_key' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: (await answer.json()) as T }
}

let orders = 0
const wish = (over: Record<string, unknown> = {}): Record<string, unknown> => ({
  amount: '20.00',
  currency: 'USD',
  orderId: `order_${(orders += 1)}`,
  webhookUrl: shop.url,
  returnUrl: 'http://localhost:3000/back',
  expiresInSeconds: 600,
  ...over,
})

async function press(id: string, action: string): Promise<void> {
  const answer = await fetch(`${fake.url}/pay/${id}`, {
    method: 'POST',
    body: new URLSearchParams({ action }),
    redirect: 'manual',
  })
  expect(answer.status).toBe(303)
}

test('signs as the Standard Webhooks vector says', () => {
  const body = '{"type":"payment.paid","data":{"order":"topup_8f3a"}}'
  expect(signStandardWebhook(SECRET, { id: 'msg_demo_0001', timestamp: 1_790_000_000, body })).toBe(
    'v1,FMtF9oL+xJJmMe++gimSrDTQLtngYeX7JIxd3bx3bgU=',
  )
})

test('the order id makes an invoice once; another amount under it is refused', async () => {
  const order = wish()
  const first = await call('POST', '/api/invoices', order)
  const second = await call('POST', '/api/invoices', order)
  expect([first.status, second.status]).toEqual([201, 200])
  expect(second.body.id).toBe(first.body.id)
  expect((await call('POST', '/api/invoices', { ...order, amount: '21.00' })).status).toBe(409)
})

test.each(['0', '-5', '1e3', 'NaN', '', '20.0000001', 20])('refuses the amount %j', async (amount) => {
  expect((await call('POST', '/api/invoices', wish({ amount }))).status).toBe(422)
})

test('reads one, many and by order id; not without the key', async () => {
  const order = wish()
  const one = (await call('POST', '/api/invoices', order)).body
  const two = (await call('POST', '/api/invoices', wish())).body
  const many = await call<{ invoices: Shown[] }>('GET', `/api/invoices?ids=${one.id},${two.id},fpi_none`)
  expect(many.body.invoices.map((each) => each.id)).toEqual([one.id, two.id])
  const found = await call<{ invoices: Shown[] }>('GET', `/api/invoices?orderId=${String(order.orderId)}`)
  expect(found.body.invoices.map((each) => each.id)).toEqual([one.id])
  expect((await call('GET', `/api/invoices/${one.id}`)).body.state).toBe('pending')
  expect((await fetch(`${fake.url}/api/invoices/${one.id}`)).status).toBe(401)
  expect((await call('GET', `/api/invoices?ids=${Array(101).fill('x').join()}`)).status).toBe(422)
})

test.each([
  ['pay', 'paid', '20.00', 1],
  ['less', 'underpaid', '10.00', 1],
  ['more', 'paid', '30.00', 1],
  ['expire', 'expired', '0.00', 1],
  ['twice', 'paid', '20.00', 2],
  ['never', 'paid', '20.00', 0],
])('the button "%s" leaves the invoice %s with %s and sends %i webhooks', async (action, state, paid, webhooks) => {
  const { body: invoice } = await call('POST', '/api/invoices', wish())
  expect(await (await fetch(invoice.payUrl)).text()).toContain('Pay and never send the webhook')
  await press(invoice.id, action)
  expect((await call('GET', `/api/invoices/${invoice.id}`)).body).toMatchObject({ state, paid })
  await vi.waitFor(() => expect(shop.heard).toHaveLength(webhooks))
  expect(await (await fetch(invoice.payUrl)).text()).toContain('http://localhost:3000/back')
})

test('a refused webhook is sent again under the same id', async () => {
  const { body: invoice } = await call('POST', '/api/invoices', wish())
  shop.answers.push(500, 302, 202)
  await press(invoice.id, 'pay')
  await vi.waitFor(() => expect(shop.heard).toHaveLength(3))
  expect(new Set(shop.heard.map((each) => each.headers['webhook-id'])).size).toBe(1)
})

test('control sends a webhook many times at once, forged or expired', async () => {
  const { body: invoice } = await call('POST', '/api/invoices', wish())
  const path = `/control/invoices/${invoice.id}`
  expect((await call('POST', `${path}/pay`, { webhooks: 0 })).body).toMatchObject({ state: 'paid', answers: [] })
  const many = await call('POST', `${path}/webhook`, { times: 5, concurrently: true })
  expect(many.body.answers).toEqual([202, 202, 202, 202, 202])
  const signatureIsRight = (): boolean => {
    const { headers, body } = shop.heard.at(-1)!
    const timestamp = Number(headers['webhook-timestamp'])
    const message = { id: headers['webhook-id']!, timestamp, body: body.toString() }
    return headers['webhook-signature'] === signStandardWebhook(SECRET, message)
  }
  expect(signatureIsRight()).toBe(true)
  await call('POST', `${path}/webhook`, { forged: true })
  expect(signatureIsRight()).toBe(false)
  await call('POST', `${path}/webhook`, { expired: true })
  expect(Number(shop.heard.at(-1)!.headers['webhook-timestamp'])).toBeLessThan(Date.now() / 1000 - 500)
})

test('control sets what the provider will say', async () => {
  const { body: invoice } = await call('POST', '/api/invoices', wish())
  const set = await call('POST', `/control/invoices/${invoice.id}`, { state: 'paid', paid: '7.5', currency: 'EUR' })
  expect(set.body).toMatchObject({ state: 'paid', paid: '7.50', currency: 'EUR' })
  expect((await call('POST', `/control/invoices/${invoice.id}`, { state: 'nonsense' })).status).toBe(422)
})

test('an invoice past its time is expired by itself, and can still be paid late', async () => {
  const { body: invoice } = await call('POST', '/api/invoices', wish({ expiresInSeconds: 0 }))
  expect((await call('GET', `/api/invoices/${invoice.id}`)).body.state).toBe('expired')
  await press(invoice.id, 'never')
  expect((await call('GET', `/api/invoices/${invoice.id}`)).body.state).toBe('paid')
})
