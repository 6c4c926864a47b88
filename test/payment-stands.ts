import { BTCPAY_PAYER, startBtcpayFake } from '@/fakes/btcpay'
import { CRYPTOCLOUD_PAYER, startCryptoCloudFake } from '@/fakes/cryptocloud'
import { CRYPTOMUS_PAYER, startCryptomusFake } from '@/fakes/cryptomus'
import { FAKEPAY_PAYER, startFakepay } from '@/fakes/fakepay'
import type { Fake } from '@/fakes/kit'
import { startYookassaFake, YOOKASSA_PAYER } from '@/fakes/yookassa'
import { NOWPAYMENTS_PAYER, startNowpaymentsFake } from '@/fakes/nowpayments'
import { STRIPE_PAYER, startStripeFake } from '@/fakes/stripe'
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
  /** The vendor tells a wrong account (shop, store, sign-in) from a wrong key. */
  knowsAccounts?: true
  /** What `state` is called in the control API. `underpaid` is null where the page takes the price and nothing else. */
  words: { paid: string; underpaid: string | null; expired: string }
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

const FAKEPAY_SECRET = 'whsec_aW52ZW50ZWQtMjQtYnl0ZS1zZWNyZXQh'

export const PAYMENT_STANDS: readonly PaymentStand[] = [
  {
    name: 'fakepay',
    words: { paid: 'paid', underpaid: 'underpaid', expired: 'expired' },
    testFlag: 'test',
    signature: 'ages',
    path: '/api/invoices',
    async start(_, mistake) {
      const fake = await startFakepay({ port: 0, apiKey: 'fp_secret_key', secret: FAKEPAY_SECRET, retryGapsMs: [] })
      const apiKey = mistake ? 'wrong' : 'fp_secret_key'
      const provider = fakepayProvider({ apiUrl: fake.url, apiKey, webhookSecret: FAKEPAY_SECRET })
      return { fake, provider }
    },
  },
  {
    name: 'cryptocloud',
    words: { paid: 'paid', underpaid: 'partial', expired: 'canceled' },
    testFlag: 'test_mode',
    signature: 'ages',
    path: '/v2/invoice',
    async start(door, mistake) {
      const settings = { apiKey: 'cc_secret_key', shopId: 'shop1', secret: 'cc-project-secret' }
      const fake = await startCryptoCloudFake({ port: 0, ...settings, notifyUrl: door, retryGapsMs: [] })
      return {
        fake,
        provider: cryptoCloudProvider({ apiUrl: fake.url, ...settings, ...(mistake && { apiKey: 'wrong' }) }),
      }
    },
  },
  {
    name: 'btcpay',
    words: { paid: 'Settled', underpaid: 'New', expired: 'Expired' },
    testFlag: null,
    signature: 'covers',
    path: '/invoices',
    knowsAccounts: true,
    async start(door, mistake) {
      const settings = { apiKey: 'bt_secret_key', storeId: 'store1', secret: 'bt-webhook-secret' }
      const fake = await startBtcpayFake({ port: 0, ...settings, notifyUrl: door, retryGapsMs: [] })
      const wrong = { key: { apiKey: 'wrong' }, account: { storeId: 'store2' } }
      return { fake, provider: btcpayProvider({ apiUrl: fake.url, ...settings, ...(mistake && wrong[mistake]) }) }
    },
  },
  {
    name: 'stripe',
    words: { paid: 'complete:paid', underpaid: null, expired: 'expired:unpaid' },
    testFlag: 'test',
    signature: 'ages',
    path: '/sessions',
    async start(door, mistake) {
      const settings = { secretKey: 'sk_test_secret_key', webhookSecret: 'whsec_stripe_webhook_secret' }
      const fake = await startStripeFake({ port: 0, ...settings, notifyUrl: door, retryGapsMs: [] })
      return {
        fake,
        provider: stripeProvider({ apiUrl: fake.url, ...settings, ...(mistake && { secretKey: 'wrong' }) }),
      }
    },
  },
  {
    name: 'nowpayments',
    words: { paid: 'finished', underpaid: null, expired: 'expired' },
    opened: 'waiting',
    testFlag: null,
    signature: 'covers',
    path: '/v1/',
    knowsAccounts: true,
    async start(_, mistake) {
      const settings = { apiKey: 'np_secret_key', ipnSecret: 'np-ipn-secret' }
      const account = { email: 'shop@example.com', password: 'np-password' }
      const fake = await startNowpaymentsFake({ port: 0, ...settings, ...account, retryGapsMs: [] })
      const wrong = { key: { apiKey: 'wrong' }, account: { account: { ...account, password: 'wrong' } } }
      const told = { ...settings, account, ...(mistake && wrong[mistake]) }
      return { fake, provider: nowpaymentsProvider({ apiUrl: fake.url, ...told }) }
    },
  },
  {
    name: 'cryptomus',
    words: { paid: 'paid', underpaid: 'wrong_amount_waiting', expired: 'cancel' },
    testFlag: null,
    signature: 'covers',
    path: '/v1/payment',
    async start(_, mistake) {
      const settings = { merchantId: 'merchant1', paymentKey: 'cm_secret_key' }
      const fake = await startCryptomusFake({ port: 0, ...settings, retryGapsMs: [] })
      return {
        fake,
        provider: cryptomusProvider({ apiUrl: fake.url, ...settings, ...(mistake && { paymentKey: 'wrong' }) }),
      }
    },
  },
  {
    name: 'yookassa',
    words: { paid: 'succeeded', underpaid: null, expired: 'canceled' },
    isPriceFixed: true,
    testFlag: 'test',
    signature: 'none',
    path: '/v3/payments',
    async start(door, mistake) {
      const settings = { shopId: '100500', secretKey: 'test_yk_secret_key' }
      const fake = await startYookassaFake({ port: 0, ...settings, notifyUrl: door, retryGapsMs: [] })
      return {
        fake,
        provider: yookassaProvider({ apiUrl: fake.url, ...settings, ...(mistake && { secretKey: 'wrong' }) }),
      }
    },
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
