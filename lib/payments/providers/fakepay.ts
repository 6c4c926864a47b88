import { createHmac, timingSafeEqual } from 'node:crypto'
import { accepted, amountText, invariant, OperationalError, refused, type Result } from '@/lib/kit'
import { z } from 'zod'
import { callProvider, inBatches, paidOnce, parseJson, readAll, readAnswer, readEach, readPages } from './call'
import { microsSchema } from './decimal'
import {
  MAX_WEBHOOK_BYTES,
  type Provider,
  type Truth,
  type TruthState,
  type VerifiedWebhook,
  type WebhookRefusal,
} from './provider'
import { hasMember, testConnectionBy } from './test-connection'

const NAME = 'fakepay'
const BATCH = 100
/** The Standard Webhooks tolerance, to both sides. */
const TOLERANCE_SECONDS = 300

const STATES: Record<string, TruthState> = {
  pending: 'awaiting',
  confirming: 'confirming',
  underpaid: 'underpaid',
  paid: 'paid',
  expired: 'expired',
  cancelled: 'cancelled',
}

const invoiceSchema = z.object({
  id: z.string().min(1).max(100),
  orderId: z.string().max(200),
  amount: microsSchema,
  paid: microsSchema,
  currency: z.string().max(10),
  state: z.string().refine((state) => Object.hasOwn(STATES, state)),
  test: z.boolean(),
  payUrl: z.url({ protocol: /^https?$/ }),
  expiresAt: z.iso.datetime(),
  refunds: z.array(z.lazy(() => refundSchema)).default([]),
  disputes: z
    .array(z.object({ id: z.string().min(1).max(100), amount: microsSchema, state: z.enum(['open', 'won', 'lost']) }))
    .default([]),
})
type Invoice = z.infer<typeof invoiceSchema>
const refundSchema = z.object({
  id: z.string().min(1).max(100),
  refundId: z.string().max(200).nullable(),
  amount: microsSchema,
  state: z.enum(['pending', 'done', 'failed']),
})
const listSchema = z.object({ invoices: z.array(z.unknown()) })
const pageSchema = listSchema.extend({ next: z.string().max(100).nullable() })

/** Both are kept in the inbox, so they are visible characters only: PostgreSQL cannot store a zero byte. */
const eventSchema = z.object({
  data: z.object({
    id: z.string().regex(/^[!-~]{1,100}$/),
    orderId: z
      .string()
      .regex(/^[!-~]{0,200}$/)
      .nullish(),
  }),
})

/**
 * The provider of our own that the demo runs on. It shows what a good one is like: idempotent by our payment id, found by it, batch
 * reads, webhooks by the Standard Webhooks scheme.
 */
export function fakepayProvider(settings: { apiUrl: string; apiKey: string; webhookSecret: string }): Provider {
  // Standard Webhooks: the key is what the text after `whsec_` decodes to, not the text.
  const key = Buffer.from(settings.webhookSecret.replace(/^whsec_/, ''), 'base64')
  invariant(key.length >= 16, 'the webhook secret of fakepay holds at least 16 bytes in base64 after whsec_')
  const headers = { authorization: `Bearer ${settings.apiKey}`, 'content-type': 'application/json' }
  const base = settings.apiUrl.replace(/\/$/, '')

  const truthOf = (invoice: Invoice): Truth => ({
    providerPaymentId: invoice.id,
    paymentId: invoice.orderId || null,
    state: STATES[invoice.state]!,
    receivedMicros: invoice.paid,
    requestedMicros: invoice.amount,
    currency: invoice.currency,
    isTest: invoice.test,
    refunds: invoice.refunds.map(({ id, amount, ...refund }) => ({
      ...refund,
      providerRefundId: id,
      amountMicros: amount,
    })),
    disputes: invoice.disputes.map(({ id, amount, state }) => ({ providerDisputeId: id, amountMicros: amount, state })),
  })

  async function list(query: Record<string, string>): Promise<Invoice[]> {
    const url = new URL(`${base}/api/invoices?${new URLSearchParams(query).toString()}`)
    const { status, body } = await callProvider(NAME, url, { method: 'GET', headers })
    if (status !== 200) throw new OperationalError(NAME, `refused to list invoices (${status})`)
    return readEach(NAME, invoiceSchema, readAnswer(NAME, 'list', listSchema, body).invoices)
  }

  return {
    name: NAME,
    minMicros: 1_000_000n,
    maxMicros: 10_000_000_000n,

    // The order id is the idempotency key, so asking again after a time-out returns the invoice the first call made.
    async createCheckout(request) {
      const { status, body } = await callProvider(NAME, new URL(`${base}/api/invoices`), {
        method: 'POST',
        headers,
        body: JSON.stringify({
          amount: amountText(request.amountMicros),
          currency: request.currency,
          orderId: request.paymentId,
          webhookUrl: request.webhookUrl,
          returnUrl: request.returnUrl,
          expiresInSeconds: Math.max(60, Math.round((request.expiresAt.getTime() - Date.now()) / 1000)),
        }),
      })
      if (status !== 200 && status !== 201) throw new OperationalError(NAME, `refused to make an invoice (${status})`)
      const invoice = readAnswer(NAME, 'create', invoiceSchema, body)
      return {
        providerPaymentId: invoice.id,
        checkoutUrl: invoice.payUrl,
        expiresAt: new Date(invoice.expiresAt),
      }
    },

    testConnection: () =>
      testConnectionBy(NAME, new URL(`${base}/api/invoices?ids=none`), { method: 'GET', headers }, (status, body) =>
        status === 200 && hasMember(body, 'invoices') ? { ok: true } : null,
      ),

    async verifyWebhook(message) {
      return verifyStandardWebhook(key, message)
    },

    async fetchPayments(payments) {
      const truths: Truth[] = []
      for (const batch of inBatches(payments, BATCH)) {
        const ids = batch.map((each) => each.providerPaymentId).join(',')
        truths.push(...(await list({ ids })).map(truthOf))
      }
      return truths
    },

    async listPaid({ from, to }) {
      const invoices = await readPages<Invoice, string>(NAME, async (after) => {
        const query = { state: 'paid', from: from.toISOString(), to: to.toISOString(), ...(after && { after }) }
        const url = new URL(`${base}/api/invoices?${new URLSearchParams(query).toString()}`)
        const { status, body } = await callProvider(NAME, url, { method: 'GET', headers })
        if (status !== 200) throw new OperationalError(NAME, `refused to list invoices (${status})`)
        const page = readAnswer(NAME, 'list', pageSchema, body)
        return { rows: readAll(NAME, invoiceSchema, page.invoices), next: page.next }
      })
      return paidOnce(invoices.map(truthOf))
    },

    async refund(request) {
      const { status, body } = await callProvider(NAME, new URL(`${base}/api/refunds`), {
        method: 'POST',
        headers,
        body: JSON.stringify({
          invoiceId: request.providerPaymentId,
          refundId: request.refundId,
          amount: amountText(request.amountMicros),
        }),
      })
      if (status === 409 || status === 422) return { providerRefundId: null, state: 'failed' }
      if (status !== 200) throw new OperationalError(NAME, `refused to refund (${status})`)
      const refund = readAnswer(NAME, 'refund', refundSchema, body)
      return { providerRefundId: refund.id, state: refund.state }
    },

    async findByPaymentId(paymentId) {
      const [invoice] = await list({ orderId: paymentId })
      return invoice ? truthOf(invoice) : null
    },
  }
}

/**
 * Checks a message by the Standard Webhooks scheme: HMAC-SHA256 over `id.timestamp.body` of the raw bytes, any of the listed `v1`
 * signatures, at most five minutes old or ahead. Reads the body only after that.
 */
export function verifyStandardWebhook(
  key: Buffer,
  { headers, body, now }: { headers: Headers; body: Buffer; now: Date },
): Result<VerifiedWebhook, WebhookRefusal> {
  if (body.length > MAX_WEBHOOK_BYTES) return refused('malformed', { why: 'too large' })
  const id = headers.get('webhook-id')
  const timestamp = headers.get('webhook-timestamp')
  const signatures = headers.get('webhook-signature')
  if (!id || !timestamp || !signatures) return refused('bad_signature', { why: 'header missing' })
  if (!/^[\w.-]{1,100}$/.test(id) || !/^\d{1,12}$/.test(timestamp))
    return refused('bad_signature', { why: 'header of another shape' })
  if (Math.abs(now.getTime() / 1000 - Number(timestamp)) > TOLERANCE_SECONDS)
    return refused('bad_signature', { why: 'too old or too far ahead' })
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  const isSigned = signatures.split(' ', 10).some((signature) => {
    // Node's base64 is lenient, so the text is compared in shape first; timingSafeEqual throws on unequal lengths.
    const match = /^v1,([A-Za-z0-9+/]{43}=)$/.exec(signature)
    return match !== null && timingSafeEqual(Buffer.from(match[1]!, 'base64'), expected)
  })
  if (!isSigned) return refused('bad_signature', { why: 'no signature fits' })
  const event = eventSchema.safeParse(parseJson(body.toString('utf8')))
  if (!event.success) return refused('malformed', { why: 'not our event' })
  const { data } = event.data
  return accepted({ externalId: id, providerPaymentId: data.id, paymentId: data.orderId || null })
}
