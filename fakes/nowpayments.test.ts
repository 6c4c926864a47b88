import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Fake } from './kit'
import { NOWPAYMENTS_PAYER, signNotification, startNowpaymentsFake } from './nowpayments'
import { type ShopDouble, startShopDouble } from './shop-double'

const SECRET = 'np-secret'
const headers = { 'x-api-key': 'np_key' }
const account = { email: 'shop@example.com', password: 'np-password' }
let fake: Fake
let shop: ShopDouble

beforeAll(async () => {
  shop = await startShopDouble()
  fake = await startNowpaymentsFake({ port: 0, apiKey: 'np_key', ipnSecret: SECRET, ...account, retryGapsMs: [10] })
})
afterAll(async () => {
  await fake.close()
  await shop.close()
})
beforeEach(() => {
  shop.heard.length = 0
})

type Row = Record<string, unknown>
async function create(): Promise<{ id: string; invoice_url: string }> {
  const wish = { price_amount: 20, price_currency: 'usd', order_id: 'topup_1', ipn_callback_url: shop.url }
  const answer = await fetch(`${fake.url}/v1/invoice`, { method: 'POST', headers, body: JSON.stringify(wish) })
  return (await answer.json()) as { id: string; invoice_url: string }
}
const read = async (id: string) => fetch(`${fake.url}/v1/payment/1${id}`, { headers })

test('a key opens single payments, the account the list; an invoice nobody opened has no payment', async () => {
  const { id } = await create()
  expect((await read(id)).status).toBe(404)
  expect((await fetch(`${fake.url}/v1/invoice`, { method: 'POST', body: '{}' })).status).toBe(403)
  await fetch(`${fake.controlUrl}/invoices/inv-${id}`, { method: 'POST', body: '{"state":"waiting"}' })
  expect(await (await read(id)).json()).toMatchObject({ invoice_id: Number(id), payment_status: 'waiting' })
  const list = `${fake.url}/v1/payment/?limit=5&page=0`
  expect((await fetch(list, { headers })).status).toBe(401)
  const signIn = (body: object) => fetch(`${fake.url}/v1/auth`, { method: 'POST', body: JSON.stringify(body) })
  expect((await signIn({ ...account, password: 'x' })).status).toBe(403)
  const { token } = (await (await signIn(account)).json()) as { token: string }
  const found = await fetch(list, { headers: { ...headers, authorization: `Bearer ${token}` } })
  expect(((await found.json()) as { data: Row[] }).data[0]).toMatchObject({ invoice_id: Number(id) })
})

test.each([
  ['pay', 'finished', 1],
  ['less', 'partially_paid', 1],
  ['more', 'finished', 1],
  ['expire', 'expired', 1],
  ['twice', 'finished', 2],
  ['never', 'finished', 0],
])('the button "%s" leaves %s and sends %i notifications; the price stays the price', async (action, status, sent) => {
  const { id, invoice_url } = await create()
  await fetch(invoice_url, { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' })
  expect(await (await read(id)).json()).toMatchObject({ payment_status: status, price_amount: 20 })
  await vi.waitFor(() => expect(shop.heard).toHaveLength(sent))
})

test('a notification is signed over sorted keys, which is not how it is written, and names a payer', async () => {
  const { id } = await create()
  await fetch(`${fake.controlUrl}/invoices/inv-${id}/pay`, { method: 'POST' })
  const { headers: sent, body } = shop.heard[0]!
  const content = JSON.parse(body.toString()) as Row
  expect(sent['x-nowpayments-sig']).toBe(signNotification(SECRET, content))
  expect(Object.keys(content)).not.toEqual(Object.keys(content).sort())
  expect(body.toString()).toContain(NOWPAYMENTS_PAYER.payer_email)
})

test('a repeated deposit has a number and a parent of its own and the price of the first', async () => {
  const { id } = await create()
  await fetch(`${fake.controlUrl}/invoices/inv-${id}/pay`, { method: 'POST' })
  const wish = { method: 'POST', body: '{"amount":"3.00"}' }
  const made = (await (await fetch(`${fake.controlUrl}/invoices/inv-${id}/redeposit`, wish)).json()) as { id: string }
  const again = (await (await read(made.id.slice(4))).json()) as Row
  expect(again).toMatchObject({ invoice_id: Number(id), parent_payment_id: Number(`1${id}`), price_amount: 20 })
})
