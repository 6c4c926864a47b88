import { decodeJwt, jwtVerify } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { startCryptoCloudFake } from './cryptocloud'
import type { Fake } from './kit'
import { type ShopDouble, startShopDouble } from './shop-double'

const SECRET = 'cc-demo-secret-2c9f41d7a0be4e55-notreal'
let fake: Fake
let shop: ShopDouble

beforeAll(async () => {
  shop = await startShopDouble()
  fake = await startCryptoCloudFake({
    port: 0,
    apiKey: 'cc_key',
    shopId: 'shop1',
    secret: SECRET,
    notifyUrl: shop.url,
    returnUrl: 'http://localhost:3000/back',
    retryGapsMs: [10, 10],
  })
})
afterAll(async () => {
  await fake.close()
  await shop.close()
})
beforeEach(async () => {
  shop.heard.length = 0
  shop.answers.length = 0
  await control('project', { format: 'json', test_mode: true })
})

type Result = Record<string, unknown> & { uuid: string; link: string }

async function call<T = Result>(
  path: string,
  body: unknown,
  key = 'cc_key',
): Promise<{ code: number; status: string; result: T }> {
  const answer = await fetch(`${fake.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Token ${key}` },
    body: JSON.stringify(body),
  })
  return { code: answer.status, ...((await answer.json()) as { status: string; result: T }) }
}

async function control(path: string, body: unknown): Promise<Record<string, unknown>> {
  const answer = await fetch(`${fake.controlUrl}/${path}`, { method: 'POST', body: JSON.stringify(body) })
  return (await answer.json()) as Record<string, unknown>
}

async function create(): Promise<Result> {
  return (await call('/v2/invoice/create', { shop_id: 'shop1', amount: 25, currency: 'USD', order_id: 'topup_1' }))
    .result
}

async function info(uuid: string): Promise<Result> {
  return (await call<Result[]>('/v2/invoice/merchant/info', { uuids: [uuid] })).result[0]!
}

test('create answers with the sum in money, info with the sum in the coin; times have no zone', async () => {
  const created = await create()
  expect(created).toMatchObject({ amount: 25, amount_in_fiat: 25, status: 'created', fiat_currency: 'USD' })
  expect(created.uuid).toMatch(/^INV-[A-Z0-9]{8}$/)
  expect(created.expiry_date).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}$/)
  const told = await info(created.uuid)
  expect(told).toMatchObject({ amount_usd: 25, received_usd: 0, order_id: 'topup_1', test_mode: true })
  expect(told.amount).not.toBe(25)
  expect((await info(created.uuid.slice(4))).uuid).toBe(created.uuid)
})

test('says no in an envelope: a wrong key, a wrong shop, too many ids, cancelling twice', async () => {
  expect((await call('/v2/invoice/create', {}, 'wrong')).result).toHaveProperty('authorization')
  expect((await call('/v2/invoice/create', { shop_id: 'x', amount: 1 })).result).toHaveProperty('validate_error')
  const many = { uuids: Array(101).fill('INV-AAAAAAAA') }
  expect((await call('/v2/invoice/merchant/info', many)).status).toBe('error')
  const { uuid } = await create()
  expect((await call('/v2/invoice/merchant/canceled', { uuid })).status).toBe('success')
  expect((await call('/v2/invoice/merchant/canceled', { uuid })).result).toHaveProperty('validate_error')
})

test.each([
  ['pay', 'paid', 25, 1],
  ['less', 'partial', 12.5, 0],
  ['more', 'overpaid', 37.5, 1],
  ['expire', 'canceled', 0, 0],
  ['twice', 'paid', 25, 2],
  ['never', 'paid', 25, 0],
])(
  'the button "%s" leaves the invoice %s with %d and sends %i postbacks',
  async (action, status, received, webhooks) => {
    const { uuid, link } = await create()
    await fetch(link, { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' })
    expect(await info(uuid)).toMatchObject({ status, received_usd: received })
    await vi.waitFor(() => expect(shop.heard).toHaveLength(webhooks))
    expect(await (await fetch(link)).text()).toContain(`invoice_uuid=${uuid}`)
  },
)

test('a postback carries the id without its prefix and a token of five minutes, new each time', async () => {
  const { uuid } = await create()
  await control(`invoices/${uuid}/pay`, { webhooks: 1 })
  const body = JSON.parse(shop.heard[0]!.body.toString()) as Record<string, string>
  expect(`INV-${body.invoice_id}`).toBe(uuid)
  const { payload } = await jwtVerify(body.token!, new TextEncoder().encode(SECRET), { algorithms: ['HS256'] })
  expect(payload.id).toBe(body.invoice_id)
  expect(payload.exp! - Date.now() / 1000).toBeGreaterThan(290)
})

test('control sends postbacks as a form, forged, expired and at once', async () => {
  const { uuid } = await create()
  await control('project', { format: 'form' })
  expect((await control(`invoices/${uuid}/webhook`, { times: 3, concurrently: true })).answers).toEqual([202, 202, 202])
  const form = new URLSearchParams(shop.heard[0]!.body.toString())
  expect(form.get('invoice_id')).toBe(uuid.slice(4))
  await control(`invoices/${uuid}/webhook`, { expired: true })
  const late = new URLSearchParams(shop.heard.at(-1)!.body.toString()).get('token')!
  expect(decodeJwt(late).exp!).toBeLessThan(Date.now() / 1000)
  await control(`invoices/${uuid}/webhook`, { forged: true })
  const forged = new URLSearchParams(shop.heard.at(-1)!.body.toString()).get('token')!
  await expect(jwtVerify(forged, new TextEncoder().encode(SECRET))).rejects.toThrow()
})

test('a refused postback is sent again with a token of its own', async () => {
  const { uuid } = await create()
  shop.answers.push(500)
  await control(`invoices/${uuid}/pay`, {})
  await vi.waitFor(() => expect(shop.heard).toHaveLength(2))
})

test('control sets what CryptoCloud will say, and the test flag', async () => {
  const { uuid } = await create()
  const set = await control(`invoices/${uuid}`, { state: 'paid', paid: '3.00', currency: 'EUR', test_mode: false })
  expect(set).toMatchObject({ status: 'paid', received_usd: 3, fiat_currency: 'EUR', test_mode: false })
})
