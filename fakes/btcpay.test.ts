import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { BTCPAY_PAYER, signBtcpayEvent, startBtcpayFake } from './btcpay'
import type { Fake } from './kit'
import { type ShopDouble, startShopDouble } from './shop-double'

const SECRET = 'bt-webhook-secret'
const headers = { authorization: 'token bt_key' }
let fake: Fake
let shop: ShopDouble

beforeAll(async () => {
  shop = await startShopDouble()
  const options = { port: 0, apiKey: 'bt_key', storeId: 'store1', secret: SECRET, notifyUrl: shop.url }
  fake = await startBtcpayFake({ ...options, retryGapsMs: [10] })
})
afterAll(async () => {
  await fake.close()
  await shop.close()
})
beforeEach(() => {
  shop.heard.length = 0
})

type Invoice = Record<string, unknown> & { id: string; checkoutLink: string }
const api = (path: string) => `${fake.url}/api/v1/stores/store1/invoices${path}`
async function create(orderId = 'topup_1'): Promise<Invoice> {
  const body = JSON.stringify({ amount: '20.00', currency: 'USD', metadata: { orderId } })
  return (await (await fetch(api(''), { method: 'POST', headers, body })).json()) as Invoice
}
const read = async (id: string) => (await (await fetch(api(`/${id}`), { headers })).json()) as Invoice

test('makes invoices with decimal texts and finds them by several order ids; a key and a store are needed', async () => {
  const one = await create('topup_a')
  const two = await create('topup_b')
  expect(one).toMatchObject({ amount: '20.00', paidAmount: '0.00', status: 'New', additionalStatus: 'None' })
  const list = await fetch(api('?orderId=topup_a&orderId=topup_b'), { headers })
  expect(((await list.json()) as Invoice[]).map((each) => each.id)).toEqual([one.id, two.id])
  expect((await fetch(api(''))).status).toBe(401)
  expect((await fetch(api('').replace('store1', 'store2'), { headers })).status).toBe(403)
  expect((await fetch(api('/nothing'), { headers })).status).toBe(404)
})

test.each([
  ['pay', 'Settled', 'None', ['InvoiceSettled']],
  ['less', 'New', 'PaidPartial', ['InvoiceReceivedPayment']],
  ['more', 'Settled', 'PaidOver', ['InvoiceSettled']],
  ['expire', 'Expired', 'None', ['InvoiceExpired']],
  ['twice', 'Settled', 'None', ['InvoiceSettled', 'InvoiceSettled']],
  ['never', 'Settled', 'None', []],
])('the button "%s" leaves %s %s and sends %j', async (action, status, additionalStatus, types) => {
  const { id, checkoutLink } = await create()
  await fetch(checkoutLink, { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' })
  expect(await read(id)).toMatchObject({ status, additionalStatus })
  await vi.waitFor(() => expect(shop.heard).toHaveLength(types.length))
  const events = shop.heard.map((heard) => JSON.parse(heard.body.toString()) as Record<string, unknown>)
  expect(events.map((event) => event.type)).toEqual(types)
})

test('an event is signed over its indented text, names a payer and no amount', async () => {
  const { id } = await create()
  await fetch(`${fake.controlUrl}/invoices/${id}/pay`, { method: 'POST' })
  const { headers: sent, body } = shop.heard[0]!
  expect(sent['btcpay-sig']).toBe(signBtcpayEvent(SECRET, body.toString()))
  expect(body.toString()).toContain('\n  "invoiceId"')
  expect(body.toString()).toContain(BTCPAY_PAYER.buyerEmail)
  expect(body.toString()).not.toContain('20.00')
})

test('money after the end is late and brings no InvoiceSettled', async () => {
  const { id } = await create()
  await fetch(`${fake.controlUrl}/invoices/${id}`, { method: 'POST', body: '{"state":"Expired"}' })
  await fetch(`${fake.controlUrl}/invoices/${id}/pay`, { method: 'POST' })
  expect(await read(id)).toMatchObject({ status: 'Expired', additionalStatus: 'PaidLate', paidAmount: '20.00' })
  expect(JSON.parse(shop.heard[0]!.body.toString())).toMatchObject({ type: 'InvoicePaymentSettled' })
})
