import { createHash } from 'node:crypto'
import { BlockList, isIPv6 } from 'node:net'
import { accepted, amountText, invariant, OperationalError, refused } from '@/lib/kit'
import { z } from 'zod'
import {
  callProvider,
  mapAtMost,
  paidOnce,
  parseJson,
  readAll,
  readAnswer,
  readApart,
  readEach,
  readPages,
} from './call'
import { centsOf, microsSchema } from './decimal'
import {
  type Checkout,
  MAX_WEBHOOK_BYTES,
  type Provider,
  type ProviderRefund,
  type Truth,
  type TruthState,
} from './provider'
import { testConnectionBy } from './test-connection'

const NAME = 'yookassa'
const AT_ONCE = 8
/** The most that one call lists. */
const PAGE_ROWS = 100

const ID = /^[0-9a-f-]{8,64}$/
const moneySchema = z.object({ value: microsSchema, currency: z.string().min(1).max(10) })
const paymentSchema = z.object({
  id: z.string().regex(ID),
  status: z.enum(['pending', 'waiting_for_capture', 'succeeded', 'canceled']),
  paid: z.boolean(),
  amount: moneySchema,
  refunded_amount: moneySchema.nullish(),
  test: z.boolean(),
  confirmation: z.object({ confirmation_url: z.url({ protocol: /^https?$/ }).nullish() }).nullish(),
  metadata: z.object({ payment_id: z.string().max(200).nullish().catch(null) }).nullish(),
})
type Payment = z.infer<typeof paymentSchema>
const refundSchema = z.object({
  id: z.string().regex(ID),
  status: z.enum(['pending', 'succeeded', 'canceled']),
  amount: moneySchema,
  description: z.string().max(250).nullish(),
})
const REFUND_STATES = { pending: 'pending', succeeded: 'done', canceled: 'failed' } as const
const meSchema = z.object({ account_id: z.union([z.string(), z.number()]).transform(String) })
const listSchema = z.object({ items: z.array(z.unknown()), next_cursor: z.string().max(1000).nullish() })

const EVENTS = ['payment.succeeded', 'payment.waiting_for_capture', 'payment.canceled', 'refund.succeeded'] as const
const notificationSchema = z.object({
  type: z.literal('notification'),
  event: z.enum(EVENTS),
  object: z.object({
    id: z.string().regex(ID),
    // A refund names its payment here.
    payment_id: z.string().regex(ID).nullish(),
    metadata: z
      .object({ payment_id: z.string().max(200).nullish() })
      .nullish()
      .catch(null),
  }),
})

/**
 * YooKassa, payments with its hosted page. Its notifications carry no signature at all, so they are hints (`isUnsigned`): one that names no
 * payment of ours is not even stored, and what a payment is worth is asked. `checksAddress` refuses hints from elsewhere; it believes the
 * address that our own proxy in front put last into X-Forwarded-For.
 */
export function yookassaProvider(settings: {
  apiUrl: string
  shopId: string
  secretKey: string
  checksAddress?: boolean
}): Provider {
  invariant(settings.secretKey.length > 0, 'the secret key of YooKassa is not empty')
  const root = `${settings.apiUrl.replace(/\/$/, '')}/v3`
  const base = `${root}/payments`
  const authorization = `Basic ${Buffer.from(`${settings.shopId}:${settings.secretKey}`).toString('base64')}`

  /** What went back of a payment, asked for only where something did. */
  async function refundsOf(payment: Payment): Promise<ProviderRefund[]> {
    if ((payment.refunded_amount?.value ?? 0n) === 0n) return []
    const url = new URL(`${root}/refunds?${new URLSearchParams({ payment_id: payment.id, limit: '100' }).toString()}`)
    const { status, body } = await callProvider(NAME, url, { method: 'GET', headers: { authorization } })
    if (status !== 200) throw new OperationalError(NAME, `refused to list refunds (${status})`)
    const { items } = readAnswer(NAME, 'list of refunds', listSchema, body)
    return readAll(NAME, refundSchema, items).map((refund) => ({
      providerRefundId: refund.id,
      refundId: refund.description?.startsWith('rfd_') ? refund.description : null,
      amountMicros: refund.amount.value,
      state: REFUND_STATES[refund.status],
    }))
  }

  /** Null for what this shop does not have. */
  async function get(id: string): Promise<unknown> {
    const url = new URL(`${base}/${encodeURIComponent(id)}`)
    const { status, body } = await callProvider(NAME, url, { method: 'GET', headers: { authorization } })
    if (status === 404) return null
    if (status !== 200) throw new OperationalError(NAME, `refused (${status})`)
    return body
  }

  return {
    name: NAME,
    minMicros: 1_000_000n,
    maxMicros: 10_000_000_000n,
    isUnsigned: true,
    // Payments cannot be searched by our id. A create call that got lost is repeated under its key instead.
    findByPaymentId: null,

    async createCheckout(request): Promise<Checkout> {
      // Two decimals in every amount; for a currency without cents that would be a guess, and throws.
      centsOf(NAME, request.amountMicros, request.currency)
      const text = JSON.stringify({
        amount: { value: amountText(request.amountMicros), currency: request.currency },
        capture: true,
        confirmation: { type: 'redirect', return_url: request.returnUrl },
        description: request.locale === 'ru' ? 'Пополнение баланса' : 'Balance top-up',
        metadata: { payment_id: request.paymentId },
      })
      const { status, body } = await callProvider(NAME, new URL(base), {
        method: 'POST',
        headers: {
          authorization,
          'content-type': 'application/json',
          // The same request has the same key, and another one never has it. After 500 or silence the outcome is unknown until it is repeated.
          'idempotence-key': createHash('sha256').update(text).digest('hex').slice(0, 36),
        },
        body: text,
      })
      if (status !== 200) throw new OperationalError(NAME, `refused to make a payment (${status})`)
      const payment = readAnswer(NAME, 'create', paymentSchema, body)
      const checkoutUrl = payment.confirmation?.confirmation_url
      if (!checkoutUrl) throw new OperationalError(NAME, 'made a payment without a page')
      return { providerPaymentId: payment.id, checkoutUrl, expiresAt: request.expiresAt }
    },

    testConnection: () =>
      testConnectionBy(
        NAME,
        new URL(`${settings.apiUrl.replace(/\/$/, '')}/v3/me`),
        { method: 'GET', headers: { authorization } },
        (status, body) => {
          const me = meSchema.safeParse(body).data
          if (status !== 200 || !me) return null
          return me.account_id === settings.shopId ? { ok: true } : { ok: false, why: 'account_unknown' }
        },
      ),

    verifyWebhook: ({ headers, body }) => Promise.resolve(readHint(settings.checksAddress === true, headers, body)),

    async fetchPayments(payments) {
      const rows = await mapAtMost(payments, AT_ONCE, (each) => get(each.providerPaymentId))
      const found = readEach(
        NAME,
        paymentSchema,
        rows.filter((row) => row !== null),
      )
      return readApart(found, AT_ONCE, async (payment) => ({ ...truthOf(payment), refunds: await refundsOf(payment) }))
    },

    async refund(request) {
      const text = JSON.stringify({
        payment_id: request.providerPaymentId,
        amount: { value: amountText(request.amountMicros), currency: request.currency },
        description: request.refundId,
      })
      const { status, body } = await callProvider(NAME, new URL(`${root}/refunds`), {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json', 'idempotence-key': request.refundId },
        body: text,
      })
      // 4xx is a "no" that stays one: more than is left, or a way of paying that cannot be given back.
      if (status >= 400 && status < 500 && status !== 401 && status !== 403)
        return { providerRefundId: null, state: 'failed' }
      if (status !== 200) throw new OperationalError(NAME, `refused to refund (${status})`)
      const refund = readAnswer(NAME, 'refund', refundSchema, body)
      return { providerRefundId: refund.id, state: REFUND_STATES[refund.status] }
    },

    async listPaid({ from, to }) {
      const payments = await readPages<Payment, string>(NAME, async (cursor) => {
        const query = new URLSearchParams({
          'created_at.gte': from.toISOString(),
          'created_at.lt': to.toISOString(),
          status: 'succeeded',
          limit: String(PAGE_ROWS),
          ...(cursor && { cursor }),
        })
        const url = new URL(`${base}?${query.toString()}`)
        const { status, body } = await callProvider(NAME, url, { method: 'GET', headers: { authorization } })
        if (status !== 200) throw new OperationalError(NAME, `refused to list (${status})`)
        const { items, next_cursor } = readAnswer(NAME, 'list', listSchema, body)
        return { rows: readAll(NAME, paymentSchema, items), next: next_cursor || null }
      })
      // What was given back later was paid all the same, so the whole amount counts here.
      return paidOnce(payments.map((payment) => ({ ...truthOf(payment), receivedMicros: payment.amount.value })))
    },
  }
}

function truthOf(payment: Payment): Truth {
  // The page takes the price and nothing else. What was given back came all the same; it is told apart, as refunds.
  const came = payment.status === 'succeeded' && payment.paid ? payment.amount.value : 0n
  return {
    providerPaymentId: payment.id,
    paymentId: payment.metadata?.payment_id || null,
    state: STATES[payment.status],
    receivedMicros: came,
    requestedMicros: payment.amount.value,
    currency: payment.amount.currency,
    isTest: payment.test,
  }
}

const STATES: Record<Payment['status'], TruthState> = {
  pending: 'awaiting',
  waiting_for_capture: 'confirming',
  succeeded: 'paid',
  // Both "not paid in time" and "refused": for us the time ran out.
  canceled: 'expired',
}

/** Which payment a notification is about. Nothing vouches for it, so nothing else of it is read. */
function readHint(checksAddress: boolean, headers: Headers, body: Buffer) {
  if (body.length > MAX_WEBHOOK_BYTES) return refused('malformed', { why: 'too large' })
  if (checksAddress && !isYookassaAddress(headers.get('x-forwarded-for')?.split(',').at(-1)?.trim() ?? ''))
    return refused('bad_signature', { why: 'not from one of their addresses' })
  const notification = notificationSchema.safeParse(parseJson(body.toString('utf8')))
  if (!notification.success) return refused('malformed', { why: 'not a notification' })
  const { event, object } = notification.data
  const providerPaymentId = event === 'refund.succeeded' ? (object.payment_id ?? object.id) : object.id
  return accepted({
    // Notifications have no id of their own. Four events at most can be told of one payment, so four rows are all that anybody can make of it.
    externalId: `${providerPaymentId}:${event}`,
    providerPaymentId,
    paymentId: object.metadata?.payment_id || null,
    // A payment may be given back in parts.
    ...(event === 'refund.succeeded' && { recurs: true as const }),
  })
}

const NETWORKS = new BlockList()
NETWORKS.addSubnet('185.71.76.0', 27)
NETWORKS.addSubnet('185.71.77.0', 27)
NETWORKS.addSubnet('77.75.153.0', 25)
NETWORKS.addSubnet('77.75.154.128', 25)
NETWORKS.addAddress('77.75.156.11')
NETWORKS.addAddress('77.75.156.35')
NETWORKS.addSubnet('2a02:5180:0::', 48, 'ipv6')

/** Whether notifications come from this address. An IPv4 address in its IPv6 clothes counts as what it is. */
export function isYookassaAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '')
  return NETWORKS.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4')
}
