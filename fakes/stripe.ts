import { randomBytes } from 'node:crypto'
import Stripe from 'stripe'
import { amountText, parseAmount } from '@/lib/kit'
import { type HostedPayment, startHostedFake } from './hosted'
import type { Fake, FakeReply, FakeRequest } from './kit'
import { type FakeDispute, type FakeRefund, leftOfPaid, withRefund } from './returns'

/**
 * A stand-in for Stripe Checkout: form-encoded calls, amounts in cents, answers replayed under an idempotency key, events signed by Stripe's
 * own library. A session takes its price and nothing else; "less" and "more" on the page make its total another one, as a coupon or a tax
 * would. States are `<status>:<payment status>`.
 */
export const STRIPE_STATES = [
  'open:unpaid',
  'complete:unpaid',
  'complete:paid',
  'complete:no_payment_required',
  'complete:failed',
  'expired:unpaid',
] as const

/** The payer in every session and event: invented, and searched for in database and logs by the shop's tests. */
export const STRIPE_PAYER = {
  email: 'payer.of.stripe@example.net',
  name: 'Stella Striped',
  line: '7 Invented Lane',
  last4: 'last4:4242',
}

/** The header of an event, made by Stripe's own library. */
export function signStripeEvent(secret: string, payload: string, timestamp: number): string {
  return Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp })
}

/** Starts the vendor on loopback. `notifyUrl` is where the webhook endpoint points, as set in the dashboard. */
export async function startStripeFake(options: {
  port: number
  stateFile?: string
  secretKey: string
  webhookSecret: string
  notifyUrl: string
  retryGapsMs?: readonly number[]
}): Promise<Fake> {
  const answered = new Map<string, { form: string; id: string }>()
  const cents = (amount: string): number => Number(parseAmount(amount)! / 10_000n)
  const seconds = (iso: string): number => Math.floor(Date.parse(iso) / 1000)

  const shown = (payment: HostedPayment, origin: string): object => {
    const [status, paymentStatus] = payment.state.split(':')
    const isOpen = status === 'open'
    return {
      id: payment.id,
      object: 'checkout.session',
      client_reference_id: payment.orderId,
      amount_subtotal: cents(payment.amount),
      amount_total: cents(payment.paid === '0.00' ? payment.amount : payment.paid),
      currency: payment.currency.toLowerCase(),
      status,
      payment_status: paymentStatus === 'failed' ? 'unpaid' : paymentStatus,
      livemode: !payment.test,
      url: isOpen ? `${origin}/pay/${payment.id}` : null,
      created: seconds(payment.createdAt),
      expires_at: seconds(payment.expiresAt),
      customer_details: { email: STRIPE_PAYER.email, name: STRIPE_PAYER.name, address: { line1: STRIPE_PAYER.line } },
      payment_method_preview: STRIPE_PAYER.last4,
      payment_intent: isOpen ? null : `pi_${payment.id.slice(8)}`,
    }
  }
  /** The attempt behind a session, whole. */
  const expanded = (payment: HostedPayment, origin: string): object => {
    const failed = payment.state === 'complete:failed'
    const status = failed ? 'requires_payment_method' : payment.state === 'complete:paid' ? 'succeeded' : 'processing'
    const isOpen = payment.state.startsWith('open')
    const charge = {
      id: `ch_${payment.id.slice(8)}`,
      object: 'charge',
      amount_refunded: cents(amountText(parseAmount(payment.paid)! - leftOfPaid(payment))),
      disputed: (payment.disputes ?? []).length > 0,
      billing_details: { email: STRIPE_PAYER.email },
    }
    return {
      ...shown(payment, origin),
      payment_intent: isOpen
        ? null
        : { id: intentOf(payment), object: 'payment_intent', status, latest_charge: charge },
    }
  }
  const intentOf = (payment: HostedPayment): string => `pi_${payment.id.slice(8)}`
  const refundShown = (payment: HostedPayment, refund: FakeRefund): object => ({
    id: refund.id,
    object: 'refund',
    amount: cents(refund.amount),
    currency: payment.currency.toLowerCase(),
    payment_intent: intentOf(payment),
    metadata: refund.refundId === null ? {} : { refund_id: refund.refundId },
    status: refund.state === 'done' ? 'succeeded' : refund.state,
  })
  const disputeShown = (payment: HostedPayment, dispute: FakeDispute): object => ({
    id: dispute.id,
    object: 'dispute',
    amount: cents(dispute.amount),
    currency: payment.currency.toLowerCase(),
    payment_intent: intentOf(payment),
    evidence: { customer_email_address: STRIPE_PAYER.email },
    status: dispute.state === 'open' ? 'needs_response' : dispute.state,
  })
  /** What an event is about, and what it is called. */
  const subjectOf = (payment: HostedPayment, origin: string): { type: string; object: object } => {
    const refund = payment.refunds?.at(-1)
    const dispute = payment.disputes?.at(-1)
    if (payment.about === 'refund' && refund)
      return {
        type: refund.state === 'failed' ? 'refund.failed' : 'refund.created',
        object: refundShown(payment, refund),
      }
    if (payment.about === 'dispute' && dispute)
      return {
        type: dispute.state === 'open' ? 'charge.dispute.funds_withdrawn' : 'charge.dispute.closed',
        object: disputeShown(payment, dispute),
      }
    return { type: eventType(payment.state), object: shown(payment, origin) }
  }
  const eventType = (state: string): string => {
    if (state === 'expired:unpaid') return 'checkout.session.expired'
    return state === 'complete:failed' ? 'checkout.session.async_payment_failed' : 'checkout.session.completed'
  }

  const eventOf = (payment: HostedPayment, origin: string): { type: string; data: { object: object } } => {
    const { type, object } = subjectOf(payment, origin)
    return { type, data: { object } }
  }

  return startHostedFake(
    {
      brand: 'Stripe Checkout',
      states: STRIPE_STATES,
      open: ['open:unpaid'],
      expired: 'expired:unpaid',
      done: STRIPE_STATES.filter((state) => state !== 'open:unpaid'),
      newId: () => `cs_test_${randomBytes(24).toString('hex')}`,
      afterPaying: () => 'complete:paid',
      shown,
      refundPrefix: 're_',
      callback(payment, { forged, expired }, origin) {
        const timestamp = Math.floor(Date.now() / 1000) - (expired ? 600 : 0)
        const body = JSON.stringify({
          id: `evt_${payment.eventId}`,
          object: 'event',
          api_version: '2026-10-28.endive',
          created: timestamp,
          livemode: !payment.test,
          ...eventOf(payment, origin),
        })
        const secret = forged ? `whsec_${randomBytes(16).toString('hex')}` : options.webhookSecret
        return {
          url: options.notifyUrl,
          headers: {
            'content-type': 'application/json',
            'stripe-signature': signStripeEvent(secret, body, timestamp),
          },
          body,
        }
      },
      routes(book) {
        const failed = (status: number, type: string, message: string): FakeReply => ({
          status,
          body: { error: { type, message } },
        })
        const guarded =
          (handle: (request: FakeRequest) => FakeReply) =>
          (request: FakeRequest): FakeReply =>
            request.headers.authorization === `Bearer ${options.secretKey}`
              ? handle(request)
              : failed(401, 'invalid_request_error', 'Invalid API Key provided')
        const ofIntent = (intent: string | null) => book.all().find((each) => intentOf(each) === intent)
        return [
          {
            method: 'POST',
            path: /^\/v1\/refunds$/,
            handle: guarded(({ body }) => {
              const form = new URLSearchParams(body)
              const payment = ofIntent(form.get('payment_intent'))
              const amount = form.get('amount') ?? ''
              if (!payment || !/^[1-9]\d{0,7}$/.test(amount))
                return failed(400, 'invalid_request_error', 'No such payment_intent')
              const made = withRefund(payment, {
                refundId: form.get('metadata[refund_id]'),
                amountMicros: BigInt(amount) * 10_000n,
                eventId: book.newEventId(),
                idPrefix: 're_',
              })
              if (!made) return failed(400, 'invalid_request_error', 'Refund amount is greater than unrefunded amount')
              return { body: refundShown(book.keep(made.payment), made.refund) }
            }),
          },
          {
            method: 'GET',
            path: /^\/v1\/(?<what>refunds|disputes)$/,
            handle: guarded(({ url, params }) => {
              const payment = ofIntent(url.searchParams.get('payment_intent'))
              const data = !payment
                ? []
                : params.what === 'refunds'
                  ? (payment.refunds ?? []).map((each) => refundShown(payment, each))
                  : (payment.disputes ?? []).map((each) => disputeShown(payment, each))
              return { body: { object: 'list', data, has_more: false } }
            }),
          },
          {
            method: 'POST',
            path: /^\/v1\/checkout\/sessions$/,
            handle: guarded(({ headers, body }) => {
              const form = new URLSearchParams(body)
              const key = String(headers['idempotency-key'] ?? '')
              const earlier = answered.get(key)
              if (earlier && earlier.form !== body)
                return failed(
                  400,
                  'idempotency_error',
                  'Keys for idempotent requests can only be used with the same parameters',
                )
              if (earlier) return { body: shown(book.find(earlier.id)!, book.origin()) }
              const amount = form.get('line_items[0][price_data][unit_amount]') ?? ''
              const expiresAt = Number(form.get('expires_at')) * 1000
              if (form.get('mode') !== 'payment' || !/^[1-9]\d{1,7}$/.test(amount))
                return failed(400, 'invalid_request_error', 'Invalid integer')
              if (expiresAt < Date.now() + 1_800_000 || expiresAt > Date.now() + 86_400_000)
                return failed(400, 'invalid_request_error', 'expires_at must be 30 minutes to 24 hours ahead')
              const payment = book.add({
                orderId: form.get('client_reference_id') ?? '',
                amountMicros: parseAmount(amountText(BigInt(amount) * 10_000n))!,
                currency: (form.get('line_items[0][price_data][currency]') ?? '').toUpperCase(),
                webhookUrl: '',
                returnUrl: form.get('success_url') ?? '',
                expiresAt: new Date(expiresAt),
              })
              if (key) answered.set(key, { form: body, id: payment.id })
              return { body: shown(payment, book.origin()) }
            }),
          },
          {
            method: 'GET',
            path: /^\/v1\/checkout\/sessions$/,
            handle: guarded(({ url }) => {
              const query = url.searchParams
              const intent = query.get('payment_intent')
              const limit = Number(query.get('limit') ?? 10)
              if (limit > 100) return failed(400, 'invalid_request_error', 'limit is at most 100')
              const [from, to] = [Number(query.get('created[gte]') ?? 0), Number(query.get('created[lt]') ?? Infinity)]
              // Newest first, as everywhere at Stripe.
              const found = book
                .all()
                .toReversed()
                .filter((each) => intent === null || intentOf(each) === intent)
                .filter((each) => [null, each.state.split(':')[0]].includes(query.get('status')))
                .filter((each) => seconds(each.createdAt) >= from && seconds(each.createdAt) < to)
              const start = found.findIndex((each) => each.id === query.get('starting_after')) + 1
              return {
                body: {
                  object: 'list',
                  data: found.slice(start, start + limit).map((each) => shown(each, book.origin())),
                  has_more: start + limit < found.length,
                },
              }
            }),
          },
          {
            method: 'GET',
            path: /^\/v1\/checkout\/sessions\/(?<id>[\w-]+)$/,
            handle: guarded(({ params, url }) => {
              const payment = book.find(params.id)
              if (!payment) return failed(404, 'invalid_request_error', 'No such checkout.session')
              const isExpanded = url.searchParams.getAll('expand[]').includes('payment_intent.latest_charge')
              return { body: (isExpanded ? expanded : shown)(payment, book.origin()) }
            }),
          },
        ]
      },
    },
    options,
  )
}
