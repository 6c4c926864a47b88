import { createHash } from 'node:crypto'
import { BTCPAY_PAYER, signBtcpayEvent, startBtcpayFake } from '@/fakes/btcpay'
import { CRYPTOCLOUD_PAYER, startCryptoCloudFake } from '@/fakes/cryptocloud'
import { CRYPTOMUS_PAYER, signCryptomus, startCryptomusFake } from '@/fakes/cryptomus'
import { FAKEPAY_PAYER, signStandardWebhook, startFakepay } from '@/fakes/fakepay'
import type { Fake } from '@/fakes/kit'
import { startYookassaFake, YOOKASSA_PAYER } from '@/fakes/yookassa'
import { NOWPAYMENTS_PAYER, signNotification, startNowpaymentsFake } from '@/fakes/nowpayments'
import { signStripeEvent, STRIPE_PAYER, startStripeFake } from '@/fakes/stripe'
import {
  btcpayProvider,
  cryptoCloudProvider,
  cryptomusProvider,
  fakepayProvider,
  nowpaymentsProvider,
  type Provider,
  stripeProvider,
  yookassaProvider,
} from '@/lib/payments'

/** What an adapter was told wrongly. */
export type Mistake = 'key' | 'account'

/**
 * One row per payment provider: its stand-in and adapter, told of each other, and the vendor's words for what the stories are about. The
 * contract suite and the stories with a database run for every row.
 */
export type PaymentStand = {
  name: string
  /** `door` is where callbacks go, for vendors where that is a setting of the shop and not of an invoice. */
  start: (door: string, mistake?: Mistake) => Promise<{ fake: Fake; provider: Provider }>
  /** What an operator sets for this stand-in, beside its address. */
  settings: Record<string, string>
  /** A callback of any text, rightly signed where the vendor signs what it sends: headers, and the text with what the signature adds to it. */
  sign: (text: string) => { headers: Record<string, string>; text: string }
  /** The vendor tells a wrong account (shop, store, sign-in) from a wrong key. */
  knowsAccounts?: true
  /** What `state` is called in the control API. `underpaid` is null where the page takes the price and nothing else; the end of a part may have a word of its own. */
  words: { paid: string; underpaid: string | null; expired: string; expiredOnPart?: string }
  /** What the vendor calls a payment whose money it saw and does not stand by; null where it shows no money then. */
  rejected: string | null
  /** What it is called after more came to what was paid; null where that is a payment of its own, or cannot be. */
  more: string | null
  /** What goes back and is told: refunds at the vendor's desk, by control or as a word of the payment's own, and disputes. */
  goesBack: { refund: 'control' | { state: string } | null; hasDisputes: boolean }
  /** The vendor tells one amount, which is what came once it is paid. */
  isPriceFixed?: true
  /** The state that the payer's first look at the page leads to, where the vendor has nothing to tell before. */
  opened?: string
  /** The control field for the test flag; null where the vendor has none. */
  testFlag: string | null
  /** Whether a callback's signature ages, only covers the body, or does not exist. */
  signature: 'ages' | 'covers' | 'none'
  /** A part of the path of every call, and of the one that makes a page. */
  path: string
}

const JSON_TYPE = { 'content-type': 'application/json' }
const FAKEPAY = { apiKey: 'fp_secret_key', webhookSecret: 'whsec_aW52ZW50ZWQtMjQtYnl0ZS1zZWNyZXQh' }
const CRYPTOCLOUD = { apiKey: 'cc_secret_key', shopId: 'shop1', secret: 'cc-project-secret' }
const BTCPAY = { apiKey: 'bt_secret_key', storeId: 'store1', secret: 'bt-webhook-secret' }
const STRIPE = { secretKey: 'sk_test_secret_key', webhookSecret: 'whsec_stripe_webhook_secret' }
const NOWPAYMENTS = { apiKey: 'np_secret_key', ipnSecret: 'np-ipn-secret' }
const NOWPAYMENTS_ACCOUNT = { email: 'shop@example.com', password: 'np-password' }
const CRYPTOMUS = { merchantId: 'merchant1', paymentKey: 'cm_secret_key' }
const YOOKASSA = { shopId: '100500', secretKey: 'test_yk_secret_key' }
const seconds = (): number => Math.floor(Date.now() / 1000)

export const PAYMENT_STANDS: readonly PaymentStand[] = [
  {
    name: 'fakepay',
    words: { paid: 'paid', underpaid: 'underpaid', expired: 'expired' },
    rejected: null,
    more: 'paid',
    goesBack: { refund: 'control', hasDisputes: true },
    testFlag: 'test',
    signature: 'ages',
    path: '/api/invoices',
    async start(_, mistake) {
      const { apiKey, webhookSecret: secret } = FAKEPAY
      const fake = await startFakepay({ port: 0, apiKey, secret, retryGapsMs: [] })
      return { fake, provider: fakepayProvider({ apiUrl: fake.url, ...FAKEPAY, ...(mistake && { apiKey: 'wrong' }) }) }
    },
    settings: FAKEPAY,
    sign(body) {
      const message = { id: `msg_${createHash('sha256').update(body).digest('hex')}`, timestamp: seconds(), body }
      const headers = {
        ...JSON_TYPE,
        'webhook-id': message.id,
        'webhook-timestamp': String(message.timestamp),
        'webhook-signature': signStandardWebhook(FAKEPAY.webhookSecret, message),
      }
      return { headers, text: body }
    },
  },
  {
    name: 'cryptocloud',
    words: { paid: 'paid', underpaid: 'partial', expired: 'canceled' },
    rejected: null,
    more: 'overpaid',
    goesBack: { refund: null, hasDisputes: false },
    testFlag: 'test_mode',
    signature: 'ages',
    path: '/v2/invoice',
    async start(door, mistake) {
      const fake = await startCryptoCloudFake({ port: 0, ...CRYPTOCLOUD, notifyUrl: door, retryGapsMs: [] })
      return {
        fake,
        provider: cryptoCloudProvider({ apiUrl: fake.url, ...CRYPTOCLOUD, ...(mistake && { apiKey: 'wrong' }) }),
      }
    },
    settings: CRYPTOCLOUD,
    // The token in it says whose invoice it is and covers nothing else, so any text with it is as good.
    sign: (text) => ({ headers: JSON_TYPE, text }),
  },
  {
    name: 'btcpay',
    words: { paid: 'Settled', underpaid: 'New', expired: 'Expired' },
    rejected: 'Invalid',
    more: 'Settled',
    goesBack: { refund: null, hasDisputes: false },
    testFlag: null,
    signature: 'covers',
    path: '/invoices',
    knowsAccounts: true,
    async start(door, mistake) {
      const fake = await startBtcpayFake({ port: 0, ...BTCPAY, notifyUrl: door, retryGapsMs: [] })
      const wrong = { key: { apiKey: 'wrong' }, account: { storeId: 'store2' } }
      return { fake, provider: btcpayProvider({ apiUrl: fake.url, ...BTCPAY, ...(mistake && wrong[mistake]) }) }
    },
    settings: BTCPAY,
    sign: (text) => ({ headers: { ...JSON_TYPE, 'btcpay-sig': signBtcpayEvent(BTCPAY.secret, text) }, text }),
  },
  {
    name: 'stripe',
    words: { paid: 'complete:paid', underpaid: null, expired: 'expired:unpaid' },
    rejected: null,
    more: null,
    goesBack: { refund: 'control', hasDisputes: true },
    testFlag: 'test',
    signature: 'ages',
    path: '/sessions',
    async start(door, mistake) {
      const fake = await startStripeFake({ port: 0, ...STRIPE, notifyUrl: door, retryGapsMs: [] })
      return {
        fake,
        provider: stripeProvider({ apiUrl: fake.url, ...STRIPE, ...(mistake && { secretKey: 'wrong' }) }),
      }
    },
    settings: STRIPE,
    sign: (text) => ({
      headers: { ...JSON_TYPE, 'stripe-signature': signStripeEvent(STRIPE.webhookSecret, text, seconds()) },
      text,
    }),
  },
  {
    name: 'nowpayments',
    words: { paid: 'finished', underpaid: null, expired: 'expired' },
    rejected: 'failed',
    more: null,
    goesBack: { refund: { state: 'refunded' }, hasDisputes: false },
    opened: 'waiting',
    testFlag: null,
    signature: 'covers',
    path: '/v1/',
    knowsAccounts: true,
    async start(_, mistake) {
      const account = NOWPAYMENTS_ACCOUNT
      const fake = await startNowpaymentsFake({ port: 0, ...NOWPAYMENTS, ...account, retryGapsMs: [] })
      const wrong = { key: { apiKey: 'wrong' }, account: { account: { ...account, password: 'wrong' } } }
      const told = { ...NOWPAYMENTS, account, ...(mistake && wrong[mistake]) }
      return { fake, provider: nowpaymentsProvider({ apiUrl: fake.url, ...told }) }
    },
    settings: { ...NOWPAYMENTS, ...NOWPAYMENTS_ACCOUNT },
    sign(text) {
      let signature = signNotification(NOWPAYMENTS.ipnSecret, {})
      try {
        signature = signNotification(NOWPAYMENTS.ipnSecret, JSON.parse(text) as object)
      } catch {
        // What is no JSON, or too deep to be sorted, has no signature of its own; it goes out with that of nothing.
      }
      return { headers: { ...JSON_TYPE, 'x-nowpayments-sig': signature }, text }
    },
  },
  {
    name: 'cryptomus',
    words: { paid: 'paid', underpaid: 'wrong_amount_waiting', expired: 'cancel', expiredOnPart: 'wrong_amount' },
    rejected: 'system_fail',
    more: 'paid_over',
    goesBack: { refund: { state: 'refund_paid' }, hasDisputes: false },
    testFlag: null,
    signature: 'covers',
    path: '/v1/payment',
    async start(_, mistake) {
      const fake = await startCryptomusFake({ port: 0, ...CRYPTOMUS, retryGapsMs: [] })
      return {
        fake,
        provider: cryptomusProvider({ apiUrl: fake.url, ...CRYPTOMUS, ...(mistake && { paymentKey: 'wrong' }) }),
      }
    },
    settings: CRYPTOMUS,
    sign(text) {
      const rest = text.replace(/,"sign":"[0-9a-f]{32}"/, '')
      const sign = signCryptomus(CRYPTOMUS.paymentKey, rest)
      return { headers: JSON_TYPE, text: rest.replace(/\}\s*$/, `,"sign":"${sign}"}`) }
    },
  },
  {
    name: 'yookassa',
    words: { paid: 'succeeded', underpaid: null, expired: 'canceled' },
    rejected: null,
    more: null,
    goesBack: { refund: 'control', hasDisputes: false },
    isPriceFixed: true,
    testFlag: 'test',
    signature: 'none',
    path: '/v3/payments',
    async start(door, mistake) {
      const fake = await startYookassaFake({ port: 0, ...YOOKASSA, notifyUrl: door, retryGapsMs: [] })
      return {
        fake,
        provider: yookassaProvider({ apiUrl: fake.url, ...YOOKASSA, ...(mistake && { secretKey: 'wrong' }) }),
      }
    },
    settings: YOOKASSA,
    sign: (text) => ({ headers: JSON_TYPE, text }),
  },
]

/** What callbacks say of payers, as a pattern: nothing of it may be found anywhere in the shop. */
export const PAYERS = [
  FAKEPAY_PAYER,
  CRYPTOCLOUD_PAYER,
  BTCPAY_PAYER,
  STRIPE_PAYER,
  NOWPAYMENTS_PAYER,
  CRYPTOMUS_PAYER,
  YOOKASSA_PAYER,
]
  .flatMap((payer) => Object.values(payer))
  .map((text) => text.replace(/^4111 1111.*/, '4111 ?1111').replaceAll('*', String.raw`\*`))
  .join('|')
