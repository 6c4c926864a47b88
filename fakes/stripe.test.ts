import Stripe from 'stripe'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { Fake } from './kit'
import { type ShopDouble, startShopDouble } from './shop-double'
import { STRIPE_PAYER, startStripeFake } from './stripe'

const SECRET = 'whsec_demoInventedStripeSecret0001'
let fake: Fake
let shop: ShopDouble
let stripe: Stripe

beforeAll(async () => {
  shop = await startShopDouble()
  fake = await startStripeFake({
    port: 0,
    secretKey: 'sk_test_1',
    webhookSecret: SECRET,
    notifyUrl: shop.url,
    retryGapsMs: [10],
  })
  // The vendor's own client talks to the stand-in, so that both speak the same protocol.
  stripe = new Stripe('sk_test_1', { host: '127.0.0.1', port: fake.port, protocol: 'http', maxNetworkRetries: 0 })
})
afterAll(async () => {
  await fake.close()
  await shop.close()
})
beforeEach(() => {
  shop.heard.length = 0
})

const create = (idempotencyKey?: string, amount = 2000) =>
  stripe.checkout.sessions.create(
    {
      mode: 'payment',
      client_reference_id: 'topup_1',
      line_items: [
        { quantity: 1, price_data: { currency: 'usd', unit_amount: amount, product_data: { name: 'Top-up' } } },
      ],
      success_url: 'http://localhost:3000/',
      expires_at: 7_200 + Math.floor(Date.now() / 1_000_000) * 1000,
    },
    idempotencyKey ? { idempotencyKey } : {},
  )

test('the vendor’s own client makes and reads sessions; a key replays, and refuses other parameters', async () => {
  const made = await create('key1')
  expect(made).toMatchObject({ status: 'open', payment_status: 'unpaid', amount_total: 2000, livemode: false })
  expect((await create('key1')).id).toBe(made.id)
  await expect(create('key1', 3000)).rejects.toMatchObject({ type: 'StripeIdempotencyError' })
  const read = await stripe.checkout.sessions.retrieve(made.id, { expand: ['payment_intent'] })
  expect(read.payment_intent).toBeNull()
  await expect(stripe.checkout.sessions.retrieve('cs_test_none')).rejects.toMatchObject({ statusCode: 404 })
})

test.each([
  ['pay', 'complete', 'paid', 2000, 1],
  ['less', 'complete', 'paid', 1000, 1],
  ['more', 'complete', 'paid', 3000, 1],
  ['expire', 'expired', 'unpaid', 2000, 1],
  ['twice', 'complete', 'paid', 2000, 2],
  ['never', 'complete', 'paid', 2000, 0],
])(
  'the button "%s" leaves %s, %s, %d and sends %i events',
  async (action, status, payment_status, amount_total, sent) => {
    const made = await create()
    await fetch(made.url!, { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' })
    expect(await stripe.checkout.sessions.retrieve(made.id)).toMatchObject({ status, payment_status, amount_total })
    await vi.waitFor(() => expect(shop.heard).toHaveLength(sent))
  },
)

test('an event holds for the vendor’s own library and names a payer', async () => {
  const made = await create()
  await fetch(`${fake.controlUrl}/invoices/${made.id}/pay`, { method: 'POST' })
  const { headers, body } = shop.heard[0]!
  const event = stripe.webhooks.constructEvent(body, headers['stripe-signature']!, SECRET)
  expect(event.type).toBe('checkout.session.completed')
  expect(body.toString()).toContain(STRIPE_PAYER.email)
  await fetch(`${fake.controlUrl}/invoices/${made.id}/webhook`, { method: 'POST', body: '{"forged":true}' })
  const forged = shop.heard.at(-1)!
  expect(() => stripe.webhooks.constructEvent(forged.body, forged.headers['stripe-signature']!, SECRET)).toThrow()
})
