import { createHash, createHmac } from 'node:crypto'
import { accepted, invariant, OperationalError, refused } from '@/lib/kit'
import { z } from 'zod'
import { callProvider, isSameHex, paidOnce, parseJson, readAll, readAnswer, readApart, readPages } from './call'
import { centsOf, hasTwoDecimals } from './decimal'
import { type Checkout, MAX_WEBHOOK_BYTES, type Provider, type Truth, type TruthState } from './provider'
import { hasMember, testConnectionBy } from './test-connection'

const NAME = 'stripe'
/** The edition of the API whose fields are read here; without it an account's own default would decide. */
const API_VERSION = '2026-10-28.endive'
/** To both sides: Stripe's own library checks only the age and lets the future pass. */
const TOLERANCE_SECONDS = 300
const AT_ONCE = 8
/** The most that one call lists. */
const PAGE_ROWS = 100
/** A session lives from half an hour to a day. */
const LIFETIME_SECONDS = { min: 31 * 60, max: 24 * 3600 - 60 }

const INTENT_ID = /^pi_[A-Za-z0-9_]{1,200}$/
const SESSION_ID = /^cs_[A-Za-z0-9_]{1,200}$/
const cents = z
  .number()
  .int()
  .min(0)
  .max(99_999_999)
  .transform((value) => BigInt(value) * 10_000n)

const sessionSchema = z.object({
  id: z.string().regex(SESSION_ID),
  object: z.literal('checkout.session'),
  client_reference_id: z.string().max(200).nullish(),
  amount_subtotal: cents,
  amount_total: cents,
  // In another currency the smallest unit may be another part of it.
  currency: z.string().refine((code) => hasTwoDecimals(code.toUpperCase())),
  status: z.enum(['open', 'complete', 'expired']),
  payment_status: z.enum(['paid', 'unpaid', 'no_payment_required']),
  livemode: z.boolean(),
  url: z.url({ protocol: /^https?$/ }).nullish(),
  expires_at: z.number().int().positive(),
  customer_details: z
    .object({ email: z.string().max(320).nullish() })
    .nullish()
    .catch(null),
  // Whole when it was asked for so, an id in a session that was just made, null before the payer does something.
  payment_intent: z
    .union([
      z.object({
        id: z.string().regex(INTENT_ID),
        status: z.string().max(60),
        // How much went back, and whether a bank has taken something: only then it is worth asking for more.
        latest_charge: z.object({ amount_refunded: cents, disputed: z.boolean() }).nullish().catch(null),
      }),
      z.string().max(200),
    ])
    .nullish(),
})
const refundSchema = z.object({
  id: z.string().max(250),
  amount: cents,
  status: z.string().max(60).nullish(),
  metadata: z.object({ refund_id: z.string().max(100).nullish() }).nullish(),
})
const disputeSchema = z.object({ id: z.string().max(250), amount: cents, status: z.string().max(60) })
type Session = z.infer<typeof sessionSchema>
const listSchema = z.object({ data: z.array(z.unknown()), has_more: z.boolean() })
/** What decides whether a row of the list is money; sessions of other kinds and currencies than ours need not have our shape. */
const paidSchema = z.object({
  id: z.string().regex(SESSION_ID),
  payment_status: z.string().max(60),
  currency: z.string().nullish(),
})

const eventSchema = z.object({
  id: z.string().regex(/^evt_[A-Za-z0-9_]{1,200}$/),
  data: z.object({
    object: z.object({
      object: z.string().max(60),
      id: z.string().max(250).nullish(),
      client_reference_id: z.string().max(200).nullish().catch(null),
      payment_intent: z.string().max(250).nullish().catch(null),
    }),
  }),
})

/**
 * Stripe Checkout, the page that Stripe hosts; cards never come near us. Only currencies with two decimals are taken. The webhook endpoint
 * is made in Stripe's dashboard for the events `checkout.session.*`, `refund.*` and `charge.dispute.*`; its secret is the whole text, `whsec_` included.
 */
export function stripeProvider(settings: { apiUrl: string; secretKey: string; webhookSecret: string }): Provider {
  invariant(settings.webhookSecret.length > 0, 'the webhook secret of Stripe is not empty')
  const root = `${settings.apiUrl.replace(/\/$/, '')}/v1`
  const base = `${root}/checkout/sessions`
  const headers = { authorization: `Bearer ${settings.secretKey}`, 'stripe-version': API_VERSION }

  async function list(what: string, query: Record<string, string>): Promise<unknown[]> {
    const url = new URL(`${root}/${what}?${new URLSearchParams({ limit: '100', ...query }).toString()}`)
    const { status, body } = await callProvider(NAME, url, { method: 'GET', headers })
    if (status !== 200) throw new OperationalError(NAME, `refused to list ${what} (${status})`)
    return readAnswer(NAME, `list of ${what}`, listSchema, body).data
  }

  /**
   * What is true of a session, or of the one behind a payment intent, which is all that events about refunds and disputes name. Refunds are listed
   * when something went back, or when such an event asks: one that failed leaves no other trace.
   */
  async function truthFor(ref: string): Promise<Truth | null> {
    const isReturn = INTENT_ID.test(ref)
    const [found] = isReturn ? await list('checkout/sessions', { payment_intent: ref }) : []
    const id = isReturn ? z.object({ id: z.string().regex(SESSION_ID) }).safeParse(found).data?.id : ref
    const body = id === undefined ? null : await get(id)
    if (body === null) return null
    const session = readAnswer(NAME, 'a session', sessionSchema, body)
    const intent = typeof session.payment_intent === 'object' ? session.payment_intent : null
    const charge = intent?.latest_charge
    if (!intent || !charge) return truthOf(session)
    const query = { payment_intent: intent.id }
    const refunds =
      isReturn || charge.amount_refunded > 0n ? readAll(NAME, refundSchema, await list('refunds', query)) : []
    const disputes = charge.disputed ? readAll(NAME, disputeSchema, await list('disputes', query)) : []
    return {
      ...truthOf(session),
      refunds: refunds.map((each) => ({
        providerRefundId: each.id,
        refundId: each.metadata?.refund_id || null,
        amountMicros: each.amount,
        state: refundState(each.status),
      })),
      disputes: disputes.flatMap((each) => {
        const state = disputeState(each.status)
        return state ? [{ providerDisputeId: each.id, amountMicros: each.amount, state }] : []
      }),
    }
  }

  /** Null for what this account does not have. */
  async function get(id: string): Promise<unknown> {
    // The state of the attempt behind a session is told only on request; what else comes with it is not read.
    const url = new URL(`${base}/${encodeURIComponent(id)}?expand%5B%5D=payment_intent.latest_charge`)
    const { status, body } = await callProvider(NAME, url, { method: 'GET', headers })
    if (status === 404) return null
    if (status !== 200) throw new OperationalError(NAME, `refused (${status})`)
    return body
  }

  async function intentBehind(sessionId: string): Promise<string> {
    const body = await get(sessionId)
    const session = body === null ? null : readAnswer(NAME, 'a session', sessionSchema, body)
    const intent = session?.payment_intent
    const id = typeof intent === 'object' ? intent?.id : intent
    if (!id) throw new OperationalError(NAME, 'knows no charge behind this session')
    return id
  }

  return {
    name: NAME,
    minMicros: 1_000_000n,
    maxMicros: 10_000_000_000n,
    // Sessions cannot be searched by our id. A create call that got lost is repeated under its idempotency key instead.
    findByPaymentId: null,

    async createCheckout(request): Promise<Checkout> {
      const seconds = Math.floor(Date.now() / 1000)
      const wanted = Math.floor(request.expiresAt.getTime() / 1000)
      const form = new URLSearchParams({
        mode: 'payment',
        client_reference_id: request.paymentId,
        'line_items[0][quantity]': '1',
        'line_items[0][price_data][currency]': request.currency.toLowerCase(),
        'line_items[0][price_data][unit_amount]': centsOf(NAME, request.amountMicros, request.currency),
        'line_items[0][price_data][product_data][name]':
          request.locale === 'ru' ? 'Пополнение баланса' : 'Balance top-up',
        // Otherwise the payer may see, and pay in, another currency.
        'adaptive_pricing[enabled]': 'false',
        success_url: request.returnUrl,
        cancel_url: request.returnUrl,
        locale: request.locale === 'ru' ? 'ru' : 'en',
        expires_at: String(Math.min(Math.max(wanted, seconds + LIFETIME_SECONDS.min), seconds + LIFETIME_SECONDS.max)),
      }).toString()
      // Stripe refuses a key that comes again with other parameters, so they are a part of it.
      const digest = createHash('sha256').update(form).digest('hex').slice(0, 16)
      const { status, body } = await callProvider(NAME, new URL(base), {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/x-www-form-urlencoded',
          'idempotency-key': `${request.paymentId}:${digest}`,
        },
        body: form,
      })
      if (status !== 200) throw new OperationalError(NAME, `refused to make a session (${status})`)
      const session = readAnswer(NAME, 'create', sessionSchema, body)
      if (!session.url) throw new OperationalError(NAME, 'made a session without a page')
      return {
        providerPaymentId: session.id,
        checkoutUrl: session.url,
        expiresAt: new Date(session.expires_at * 1000),
      }
    },

    testConnection: () =>
      testConnectionBy(NAME, new URL(`${base}?limit=1`), { method: 'GET', headers }, (status, body) =>
        status === 200 && hasMember(body, 'data') ? { ok: true } : null,
      ),

    verifyWebhook: ({ headers: sent, body, now }) =>
      Promise.resolve(verifyEvent(settings.webhookSecret, sent, body, now)),

    async fetchPayments(payments) {
      const truths = await readApart(payments, AT_ONCE, (each) => truthFor(each.providerPaymentId))
      return truths.filter((truth) => truth !== null)
    },

    async refund(request) {
      const intent = await intentBehind(request.providerPaymentId)
      const form = new URLSearchParams({
        payment_intent: intent,
        amount: centsOf(NAME, request.amountMicros, request.currency),
        'metadata[refund_id]': request.refundId,
      }).toString()
      const { status, body } = await callProvider(NAME, new URL(`${root}/refunds`), {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/x-www-form-urlencoded',
          'idempotency-key': request.refundId,
        },
        body: form,
      })
      // Stripe says 400 or 402 to what it will never do: more than is left, a payment that is disputed.
      if (status === 400 || status === 402) return { providerRefundId: null, state: 'failed' }
      if (status !== 200) throw new OperationalError(NAME, `refused to refund (${status})`)
      const refund = readAnswer(NAME, 'refund', refundSchema, body)
      return { providerRefundId: refund.id, state: refundState(refund.status) }
    },

    async listPaid({ from, to }) {
      const rows = await readPages<unknown, string>(NAME, async (after) => {
        const query = new URLSearchParams({
          'created[gte]': String(Math.floor(from.getTime() / 1000)),
          'created[lt]': String(Math.ceil(to.getTime() / 1000)),
          status: 'complete',
          limit: String(PAGE_ROWS),
          ...(after && { starting_after: after }),
        })
        const { status, body } = await callProvider(NAME, new URL(`${base}?${query.toString()}`), {
          method: 'GET',
          headers,
        })
        if (status !== 200) throw new OperationalError(NAME, `refused to list (${status})`)
        const { data, has_more } = readAnswer(NAME, 'list', listSchema, body)
        const last = readAll(NAME, paidSchema, data).at(-1)
        return { rows: data, next: has_more && last ? last.id : null }
      })
      const paid = rows.filter((row) => {
        const { payment_status, currency } = paidSchema.parse(row)
        // In other currencies nothing was ever asked for by this shop.
        return payment_status === 'paid' && hasTwoDecimals((currency ?? '').toUpperCase())
      })
      return paidOnce(readAll(NAME, sessionSchema, paid).map(truthOf))
    },
  }
}

function truthOf(session: Session): Truth {
  return {
    providerPaymentId: session.id,
    paymentId: session.client_reference_id || null,
    state: stateOf(session),
    // `no_payment_required` is a session that cost nothing: it is over, and nothing came.
    receivedMicros: session.payment_status === 'paid' ? session.amount_total : 0n,
    requestedMicros: session.amount_subtotal,
    currency: session.currency.toUpperCase(),
    isTest: !session.livemode,
    ...(session.customer_details?.email && { payerReference: session.customer_details.email }),
  }
}

function refundState(status: string | null | undefined): 'pending' | 'done' | 'failed' {
  if (status === 'succeeded') return 'done'
  return status === 'failed' || status === 'canceled' ? 'failed' : 'pending'
}

/** Null while nothing was taken: a bank that only asks (`warning_…`), and a claim that was stopped before money moved. */
function disputeState(status: string): 'open' | 'won' | 'lost' | null {
  if (status.startsWith('warning_') || status === 'prevented') return null
  return status === 'won' || status === 'lost' ? status : 'open'
}

function stateOf(session: Session): TruthState {
  if (session.payment_status !== 'unpaid') return session.status === 'open' ? 'awaiting' : 'paid'
  if (session.status === 'open') return 'awaiting'
  if (session.status === 'expired') return 'expired'
  // Complete and unpaid: a slow way of paying, which may still fail days later and then leaves the session as it is.
  const attempt = typeof session.payment_intent === 'object' ? session.payment_intent?.status : undefined
  return attempt === 'requires_payment_method' || attempt === 'canceled' ? 'cancelled' : 'confirming'
}

/** An event is Stripe's when one `v1` is the HMAC-SHA256 of `<t>.<raw body>` under the whole secret, and `t` is near. */
function verifyEvent(secret: string, headers: Headers, body: Buffer, now: Date) {
  if (body.length > MAX_WEBHOOK_BYTES) return refused('malformed', { why: 'too large' })
  const parts = (headers.get('stripe-signature') ?? '').split(',', 20).map((part) => part.trim())
  const time = parts.find((part) => part.startsWith('t='))?.slice(2) ?? ''
  if (!/^\d{1,12}$/.test(time)) return refused('bad_signature', { why: 'header missing' })
  if (Math.abs(now.getTime() / 1000 - Number(time)) > TOLERANCE_SECONDS)
    return refused('bad_signature', { why: 'too old or too far ahead' })
  const expected = createHmac('sha256', secret).update(`${time}.`).update(body).digest()
  // Several while a secret is being changed; other schemes count for nothing.
  const isSigned = parts.some((part) => part.startsWith('v1=') && isSameHex(part.slice(3), expected))
  if (!isSigned) return refused('bad_signature', { why: 'no signature fits' })
  const event = eventSchema.safeParse(parseJson(body.toString('utf8')))
  if (!event.success) return refused('malformed', { why: 'not an event' })
  const { object } = event.data.data
  // Stripe repeats for days what is refused, so events about other things are taken, and speak of no payment.
  const isSession = object.object === 'checkout.session' && SESSION_ID.test(object.id ?? '')
  const isReturn =
    ['refund', 'dispute', 'charge'].includes(object.object) && INTENT_ID.test(object.payment_intent ?? '')
  return accepted({
    externalId: event.data.id,
    providerPaymentId: isSession ? object.id! : isReturn ? object.payment_intent! : null,
    paymentId: isSession ? object.client_reference_id || null : null,
  })
}
