import { accepted, amountText, invariant, OperationalError, refused } from '@/lib/kit'
import { jwtVerify } from 'jose'
import { z } from 'zod'
import { callProvider, inBatches, readAnswer, readEach } from './call'
import { microsSchema } from './decimal'
import { MAX_WEBHOOK_BYTES, type Provider, type Truth, type TruthState } from './provider'
import { hasMember, testConnectionBy } from './test-connection'

const NAME = 'cryptocloud'
const BATCH = 100
/** A token is made for five minutes; a minute more allows for two clocks that disagree. */
const TOKEN_SECONDS_MAX = 300 + 60

const STATUSES: Record<string, TruthState> = {
  created: 'awaiting',
  partial: 'underpaid',
  paid: 'paid',
  overpaid: 'paid',
  // Both "not paid in time" and "cancelled": for us the time ran out, and late money is looked for either way.
  canceled: 'expired',
}

const createdSchema = z.object({
  status: z.literal('success'),
  result: z.object({
    uuid: z.string().regex(/^(INV-)?[A-Z0-9]{4,32}$/),
    link: z.url({ protocol: /^https?$/ }),
    expiry_date: z.string(),
  }),
})

/** The fields we decide by. `amount` and `received` are in the coin here and are left alone. */
const invoiceSchema = z.object({
  uuid: z.string().regex(/^(INV-)?[A-Z0-9]{4,32}$/),
  order_id: z.string().max(200).nullish(),
  status: z.string().refine((status) => Object.hasOwn(STATUSES, status)),
  amount_usd: microsSchema,
  amount_in_fiat: microsSchema.optional(),
  fiat_currency: z.string().max(10).nullish(),
  received_usd: microsSchema.nullish(),
  amount_paid_usd: microsSchema.nullish(),
  test_mode: z.boolean(),
})
type Invoice = z.infer<typeof invoiceSchema>
const infoAnswerSchema = z.object({ status: z.enum(['success', 'error']), result: z.unknown() })
const infoSchema = z.object({ status: z.literal('success'), result: z.array(z.unknown()) })

/** CryptoCloud, API v2 (docs.cryptocloud.plus). The notification address is a setting of the project there, not of an invoice. */
export function cryptoCloudProvider(settings: {
  apiUrl: string
  apiKey: string
  shopId: string
  secret: string
}): Provider {
  invariant(settings.secret.length > 0, 'the secret of a CryptoCloud project is not empty')
  const key = new TextEncoder().encode(settings.secret)
  const base = settings.apiUrl.replace(/\/$/, '')

  async function post(path: string, body: unknown): Promise<unknown> {
    const answer = await callProvider(NAME, new URL(`${base}${path}`), {
      method: 'POST',
      headers: { authorization: `Token ${settings.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (answer.status !== 200) throw new OperationalError(NAME, `refused (${answer.status})`)
    return answer.body
  }

  return {
    name: NAME,
    minMicros: 1_000_000n,
    maxMicros: 10_000_000_000n,
    // CryptoCloud documents no search by order id.
    findByPaymentId: null,

    // CryptoCloud knows no idempotency key. Asked again after a time-out it makes a second invoice; nobody was shown the first, and
    // should it be paid all the same, its order id leads the money to a person (settle-payment.ts).
    async createCheckout(request) {
      const minutes = Math.max(5, Math.ceil((request.expiresAt.getTime() - Date.now()) / 60_000))
      const answer = await post(`/v2/invoice/create?locale=${request.locale === 'ru' ? 'ru' : 'en'}`, {
        shop_id: settings.shopId,
        // Whole cents up to ten thousand: every such number is written by JSON exactly as its decimal text.
        amount: Number(amountText(request.amountMicros)),
        currency: request.currency,
        order_id: request.paymentId,
        add_fields: { time_to_pay: { hours: Math.floor(minutes / 60), minutes: minutes % 60 } },
      })
      const { result } = readAnswer(NAME, 'create', createdSchema, answer)
      return {
        providerPaymentId: normalId(result.uuid),
        checkoutUrl: result.link,
        expiresAt: utcTime(result.expiry_date) ?? request.expiresAt,
      }
    },

    // An invoice that is not there. The shop id is looked at by CryptoCloud only when an invoice is made, so it stays untested.
    testConnection: () =>
      testConnectionBy(
        NAME,
        new URL(`${base}/v2/invoice/merchant/info`),
        {
          method: 'POST',
          headers: { authorization: `Token ${settings.apiKey}`, 'content-type': 'application/json' },
          body: JSON.stringify({ uuids: ['INV-AAAA0000'] }),
        },
        (status, body) => {
          const result = infoAnswerSchema.safeParse(body).data
          if (!result) return null
          if (hasMember(result.result, 'authorization')) return { ok: false, why: 'key_refused' }
          // That it knows no such invoice is said only to those it has let in.
          return status === 200 || (status === 400 && hasMember(result.result, 'validate_error')) ? { ok: true } : null
        },
      ),

    async verifyWebhook({ headers, body, now }) {
      if (body.length > MAX_WEBHOOK_BYTES) return refused('malformed', { why: 'too large' })
      const fields = readPostback(headers.get('content-type') ?? '', body)
      if (!fields) return refused('malformed', { why: 'not a postback' })
      let claims: Record<string, unknown>
      try {
        const verified = await jwtVerify(fields.token, key, {
          algorithms: ['HS256'],
          requiredClaims: ['exp'],
          currentDate: now,
        })
        claims = verified.payload
      } catch {
        return refused('bad_signature', { why: 'the token does not hold' })
      }
      if (Number(claims.exp) - now.getTime() / 1000 > TOKEN_SECONDS_MAX)
        return refused('bad_signature', { why: 'the token lives too long' })
      // The token covers the invoice's id and nothing else, so the id is the only thing believed, and it must be this invoice's.
      const claimed = claims.id ?? claims.uuid
      const isSame =
        (typeof claimed === 'string' || typeof claimed === 'number') &&
        normalId(String(claimed)) === normalId(fields.invoiceId)
      if (!isSame) return refused('bad_signature', { why: 'the token is for another invoice' })
      const providerPaymentId = normalId(fields.invoiceId)
      return accepted({
        // Each repeat has a new token, so the fact itself is the key. Only an invoice's own state tells apart that more came for one that was paid.
        externalId: [providerPaymentId, fields.status, ...(fields.invoiceStatus ? [fields.invoiceStatus] : [])].join(
          ':',
        ),
        providerPaymentId,
        paymentId: fields.orderId,
      })
    },

    async fetchPayments(payments) {
      const truths: Truth[] = []
      for (const batch of inBatches(payments, BATCH)) {
        const uuids = batch.map((each) => each.providerPaymentId)
        const answer = await post('/v2/invoice/merchant/info', { uuids })
        const { result } = readAnswer(NAME, 'info', infoSchema, answer)
        truths.push(...readEach(NAME, invoiceSchema, result).map(truthOf))
      }
      return truths
    },
  }
}

function truthOf(invoice: Invoice): Truth {
  const currency = invoice.fiat_currency ?? 'USD'
  // What came in is told in dollars only. For another currency it is carried over by the invoice's own ratio, rounded down once.
  const receivedUsd = invoice.amount_paid_usd ?? invoice.received_usd ?? 0n
  const requestedMicros = currency === 'USD' ? invoice.amount_usd : (invoice.amount_in_fiat ?? 0n)
  const receivedMicros =
    currency === 'USD'
      ? receivedUsd
      : invoice.amount_usd === 0n
        ? 0n
        : (receivedUsd * requestedMicros) / invoice.amount_usd
  return {
    providerPaymentId: normalId(invoice.uuid),
    paymentId: invoice.order_id || null,
    state: STATUSES[invoice.status]!,
    receivedMicros,
    requestedMicros,
    currency,
    isTest: invoice.test_mode,
  }
}

/** One form for ids: with `INV-`. Postbacks leave it out, everything else has it. */
function normalId(id: string): string {
  return id.startsWith('INV-') ? id : `INV-${id}`
}

const postbackSchema = z.object({
  token: z.string().min(1).max(4000),
  invoice_id: z.string().regex(/^(INV-)?[A-Z0-9]{4,32}$/),
  // Kept in the inbox, so visible characters only: PostgreSQL cannot store a zero byte.
  order_id: z
    .string()
    .regex(/^[!-~]{0,200}$/)
    .nullish(),
  status: z.string().regex(/^[a-z_]{1,20}$/),
  // Covered by nothing: one of few words, so that few rows come of it. Forms do not have it.
  invoice_info: z
    .object({ status: z.string().refine((status) => Object.hasOwn(STATUSES, status)) })
    .nullish()
    .catch(null),
})

/** The fields we read of a postback, from JSON or a form. Null when it is neither, or lacks one that vouches or names. */
function readPostback(
  contentType: string,
  body: Buffer,
): { token: string; invoiceId: string; orderId: string | null; status: string; invoiceStatus: string | null } | null {
  const text = body.toString('utf8')
  let raw: unknown
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) raw = Object.fromEntries(new URLSearchParams(text))
  else if (/^application\/json\b/i.test(contentType)) {
    try {
      raw = JSON.parse(text)
    } catch {
      return null
    }
  }
  const parsed = postbackSchema.safeParse(raw)
  if (!parsed.success) return null
  const { token, invoice_id: invoiceId, order_id: orderId, status, invoice_info: info } = parsed.data
  return { token, invoiceId, orderId: orderId || null, status, invoiceStatus: info?.status ?? null }
}

/** "2026-01-01 12:00:00.000000" is UTC although nothing says so. Null for anything else. */
function utcTime(text: string): Date | null {
  const match = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?$/.exec(text)
  const time = match ? new Date(`${match[1]}T${match[2]}Z`) : null
  return time && !Number.isNaN(time.getTime()) ? time : null
}
