import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Fake } from './kit'
import { type ShopDouble, startShopDouble } from './shop-double'
import { startYookassaFake, YOOKASSA_PAYER } from './yookassa'

const authorization = `Basic ${Buffer.from('100500:test_key').toString('base64')}`
let fake: Fake
let shop: ShopDouble

beforeAll(async () => {
  shop = await startShopDouble()
  const options = { port: 0, shopId: '100500', secretKey: 'test_key', notifyUrl: shop.url }
  fake = await startYookassaFake({ ...options, retryGapsMs: [10] })
})
afterAll(async () => {
  await fake.close()
  await shop.close()
})
beforeEach(() => {
  shop.heard.length = 0
})

type Payment = Record<string, unknown> & { id: string; confirmation: { confirmation_url: string } }
let keys = 0
async function create(value = '20.00', key = `key${(keys += 1)}`): Promise<{ status: number; payment: Payment }> {
  const wish = { amount: { value, currency: 'RUB' }, capture: true, metadata: { payment_id: 'topup_1' } }
  const headers = { authorization, 'idempotence-key': key }
  const answer = await fetch(`${fake.url}/v3/payments`, { method: 'POST', headers, body: JSON.stringify(wish) })
  return { status: answer.status, payment: (await answer.json()) as Payment }
}
const read = async (id: string) =>
  (await (await fetch(`${fake.url}/v3/payments/${id}`, { headers: { authorization } })).json()) as Payment

test('a key replays its answer and refuses other data; amounts have two decimals; strangers are refused', async () => {
  const { payment } = await create('20.00', 'same')
  expect((await create('20.00', 'same')).payment.id).toBe(payment.id)
  expect((await create('30.00', 'same')).status).toBe(400)
  expect((await create('20')).status).toBe(400)
  expect((await fetch(`${fake.url}/v3/payments/${payment.id}`)).status).toBe(401)
  expect(await read('nobody')).toMatchObject({ code: 'not_found' })
})

test.each([
  ['pay', 'succeeded', '20.00', 1],
  ['less', 'succeeded', '10.00', 1],
  ['more', 'succeeded', '30.00', 1],
  ['expire', 'canceled', '20.00', 1],
  ['twice', 'succeeded', '20.00', 2],
  ['never', 'succeeded', '20.00', 0],
])('the button "%s" leaves %s with %s and sends %i notifications', async (action, status, value, sent) => {
  const { payment } = await create()
  const form = new URLSearchParams({ action })
  await fetch(payment.confirmation.confirmation_url, { method: 'POST', body: form, redirect: 'manual' })
  expect(await read(payment.id)).toMatchObject({ status, amount: { value }, test: true })
  await vi.waitFor(() => expect(shop.heard).toHaveLength(sent))
})

test('a notification has card data and no signature', async () => {
  const { payment } = await create()
  await fetch(`${fake.controlUrl}/invoices/${payment.id}/pay`, { method: 'POST' })
  const { headers, body } = shop.heard[0]!
  expect(Object.keys(headers).filter((name) => /sig/i.test(name))).toEqual([])
  expect(body.toString()).toContain(YOOKASSA_PAYER.title)
  expect(JSON.parse(body.toString())).toMatchObject({ type: 'notification', event: 'payment.succeeded' })
})
