import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { CRYPTOMUS_PAYER, cryptomusCallback, signCryptomus, startCryptomusFake } from './cryptomus'
import type { Fake } from './kit'
import { type ShopDouble, startShopDouble } from './shop-double'

const KEY = 'cm-key'
let fake: Fake
let shop: ShopDouble

beforeAll(async () => {
  shop = await startShopDouble()
  fake = await startCryptomusFake({ port: 0, merchantId: 'merchant1', paymentKey: KEY, retryGapsMs: [10] })
})
afterAll(async () => {
  await fake.close()
  await shop.close()
})
beforeEach(() => {
  shop.heard.length = 0
})

type Invoice = Record<string, unknown> & { uuid: string; url: string }
async function call(path: string, wish: object, key = KEY): Promise<{ code: number; state: number; result: Invoice }> {
  const body = JSON.stringify(wish)
  const headers = { merchant: 'merchant1', sign: signCryptomus(key, body) }
  const answer = await fetch(`${fake.url}/v1/payment${path}`, { method: 'POST', headers, body })
  return { code: answer.status, ...((await answer.json()) as { state: number; result: Invoice }) }
}
let orders = 0
const create = async () =>
  (await call('', { amount: '20.00', currency: 'USD', order_id: `topup_${(orders += 1)}`, url_callback: shop.url }))
    .result

test('an order id returns the invoice there is; a wrong key, a wrong life and an unknown invoice are told', async () => {
  const made = await create()
  const again = await call('', { amount: '99.00', currency: 'EUR', order_id: made.order_id })
  expect(again.result).toEqual(made)
  expect((await call('/info', { uuid: made.uuid }, 'wrong')).code).toBe(401)
  expect((await call('', { amount: '20.00', currency: 'USD', order_id: 'x', lifetime: 60 })).code).toBe(422)
  expect((await call('/info', { order_id: 'nobody' })).state).toBe(1)
})

test.each([
  ['pay', 'paid', 1],
  ['less', 'wrong_amount_waiting', 1],
  ['more', 'paid_over', 1],
  ['expire', 'cancel', 1],
  ['twice', 'paid', 2],
  ['never', 'paid', 0],
])('the button "%s" leaves %s and sends %i callbacks', async (action, status, sent) => {
  const { uuid, url } = await create()
  await fetch(url, { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' })
  expect((await call('/info', { uuid })).result).toMatchObject({ payment_status: status, amount: '20.00' })
  await vi.waitFor(() => expect(shop.heard).toHaveLength(sent))
})

test('a callback escapes its slashes, ends with its signature and names a payer', async () => {
  const { uuid } = await create()
  await fetch(`${fake.controlUrl}/invoices/${uuid}/pay`, { method: 'POST' })
  const text = shop.heard[0]!.body.toString()
  const { sign: _, ...content } = JSON.parse(text) as Record<string, unknown>
  expect(text).toBe(cryptomusCallback(KEY, content))
  expect(text).toContain(String.raw`tx\/`)
  expect(text).toContain(CRYPTOMUS_PAYER.additional_data)
})
