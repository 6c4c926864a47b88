import { randomUUID } from 'node:crypto'
import { amountText, parseAmount } from '@/lib/kit'
import { type HostedPayment, parseBody, startHostedFake } from './hosted'
import type { Fake, FakeReply, FakeRequest } from './kit'
import { type FakeRefund, leftOfPaid, withRefund } from './returns'

/**
 * A stand-in for YooKassa: Basic authorization, an idempotence key that replays and refuses other data, amounts as text with two decimals,
 * notifications without any signature, card data in them. The page takes the price; "less" and "more" make the payment's amount another one.
 */
export const YOOKASSA_STATES = ['pending', 'waiting_for_capture', 'succeeded', 'canceled'] as const

/** The payer in every payment and notification: invented, and searched for in database and logs by the shop's tests. */
export const YOOKASSA_PAYER = {
  title: 'Bank card *4477',
  first6: 'first6:555555',
  email: 'payer.of.yookassa@example.net',
}

/** Starts the vendor on loopback. `notifyUrl` is where notifications go, as set in the dashboard. */
export async function startYookassaFake(options: {
  port: number
  stateFile?: string
  shopId: string
  secretKey: string
  notifyUrl: string
  retryGapsMs?: readonly number[]
}): Promise<Fake> {
  const authorization = `Basic ${Buffer.from(`${options.shopId}:${options.secretKey}`).toString('base64')}`
  const answered = new Map<string, { text: string; id: string }>()

  const shown = (payment: HostedPayment, origin: string): object => {
    const value = payment.paid === '0.00' ? payment.amount : payment.paid
    return {
      id: payment.id,
      status: payment.state,
      paid: payment.state === 'succeeded' || payment.state === 'waiting_for_capture',
      amount: { value, currency: payment.currency },
      created_at: payment.createdAt,
      metadata: { payment_id: payment.orderId },
      confirmation:
        payment.state === 'pending'
          ? { type: 'redirect', confirmation_url: `${origin}/pay/${payment.id}`, return_url: payment.returnUrl }
          : undefined,
      payment_method: {
        type: 'bank_card',
        id: payment.id,
        title: YOOKASSA_PAYER.title,
        card: { first6: YOOKASSA_PAYER.first6, last4: '4477', expiry_year: '2031', issuer_name: YOOKASSA_PAYER.email },
      },
      refundable: payment.state === 'succeeded' && leftOfPaid(payment) > 0n,
      refunded_amount: {
        value: amountText(parseAmount(payment.paid)! - leftOfPaid(payment)),
        currency: payment.currency,
      },
      test: payment.test,
    }
  }

  const refundShown = (payment: HostedPayment, refund: FakeRefund): object => ({
    id: refund.id,
    payment_id: payment.id,
    status: { done: 'succeeded', pending: 'pending', failed: 'canceled' }[refund.state],
    amount: { value: refund.amount, currency: payment.currency },
    created_at: payment.createdAt,
    ...(refund.refundId === null ? {} : { description: refund.refundId }),
  })

  return startHostedFake(
    {
      brand: 'YooKassa',
      states: YOOKASSA_STATES,
      open: ['pending'],
      expired: 'canceled',
      done: ['succeeded', 'canceled'],
      newId: () => randomUUID(),
      afterPaying: () => 'succeeded',
      shown,
      refundPrefix: '2e4f1a00-',
      callback: (payment, _, origin) => ({
        url: options.notifyUrl,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(
          payment.about === 'refund'
            ? {
                type: 'notification',
                event: 'refund.succeeded',
                object: refundShown(payment, payment.refunds!.at(-1)!),
              }
            : {
                type: 'notification',
                event: `payment.${payment.state === 'pending' ? 'waiting_for_capture' : payment.state}`,
                object: shown(payment, origin),
              },
        ),
      }),
      routes(book) {
        const denied = (status: number, code: string): FakeReply => ({ status, body: { type: 'error', code } })
        const guarded =
          (handle: (request: FakeRequest) => FakeReply) =>
          (request: FakeRequest): FakeReply =>
            request.headers.authorization === authorization ? handle(request) : denied(401, 'invalid_credentials')
        return [
          {
            method: 'POST',
            path: /^\/v3\/refunds$/,
            handle: guarded(({ headers, body }) => {
              if (!headers['idempotence-key']) return denied(400, 'invalid_request')
              const wish = parseBody(body) as {
                payment_id?: string
                amount?: { value?: string; currency?: string }
                description?: string
              }
              const payment = book.find(wish.payment_id)
              const amountMicros = parseAmount(wish.amount?.value ?? '')
              if (payment?.state !== 'succeeded' || amountMicros === null) return denied(400, 'invalid_request')
              // The vendor knows a repeat by its key; this stand-in by the id in the description, which the key stands for.
              const made = withRefund(payment, {
                refundId: wish.description ?? null,
                amountMicros,
                eventId: book.newEventId(),
                idPrefix: '2e4f1a00-',
              })
              if (!made) return denied(400, 'invalid_request')
              return { body: refundShown(book.keep(made.payment), made.refund) }
            }),
          },
          {
            method: 'GET',
            path: /^\/v3\/refunds$/,
            handle: guarded(({ url }) => {
              const payment = book.find(url.searchParams.get('payment_id') ?? '')
              return {
                body: { type: 'list', items: (payment?.refunds ?? []).map((each) => refundShown(payment!, each)) },
              }
            }),
          },
          {
            method: 'POST',
            path: /^\/v3\/payments$/,
            handle: guarded(({ headers, body }) => {
              const key = String(headers['idempotence-key'] ?? '')
              if (!key || key.length > 64) return denied(400, 'invalid_request')
              const earlier = answered.get(key)
              if (earlier && earlier.text !== body) return denied(400, 'invalid_request')
              if (earlier) return { body: shown(book.find(earlier.id)!, book.origin()) }
              const wish = parseBody(body) as {
                amount?: { value?: unknown; currency?: string }
                confirmation?: { return_url?: string }
                metadata?: { payment_id?: string }
              }
              const value = wish.amount?.value
              const amountMicros = typeof value === 'string' && /\.\d\d$/.test(value) ? parseAmount(value) : null
              if (amountMicros === null) return denied(400, 'invalid_request')
              const payment = book.add({
                orderId: wish.metadata?.payment_id ?? '',
                amountMicros,
                currency: wish.amount?.currency ?? 'RUB',
                webhookUrl: '',
                returnUrl: wish.confirmation?.return_url ?? '',
                expiresAt: new Date(Date.now() + 3_600_000),
              })
              answered.set(key, { text: body, id: payment.id })
              return { body: shown(payment, book.origin()) }
            }),
          },
          {
            // A key of another shop opens nothing here, so the one who asks is always this shop.
            method: 'GET',
            path: /^\/v3\/me$/,
            handle: guarded(() => ({ body: { account_id: options.shopId, test: true, status: 'enabled' } })),
          },
          {
            method: 'GET',
            path: /^\/v3\/payments$/,
            handle: guarded(({ url }) => {
              const query = url.searchParams
              const limit = Number(query.get('limit') ?? 10)
              if (limit > 100) return denied(400, 'invalid_request')
              const found = book
                .all()
                .toReversed()
                .filter((each) => [null, each.state].includes(query.get('status')))
                .filter(({ createdAt }) => createdAt >= (query.get('created_at.gte') ?? ''))
                .filter(({ createdAt }) => createdAt < (query.get('created_at.lt') ?? '9'))
              const start = Number(query.get('cursor')?.slice(2) ?? 0)
              const next = start + limit < found.length ? { next_cursor: `c:${start + limit}` } : {}
              const items = found.slice(start, start + limit).map((each) => shown(each, book.origin()))
              return { body: { type: 'list', items, ...next } }
            }),
          },
          {
            method: 'GET',
            path: /^\/v3\/payments\/(?<id>[\w-]+)$/,
            handle: guarded(({ params }) => {
              const payment = book.find(params.id)
              return payment ? { body: shown(payment, book.origin()) } : denied(404, 'not_found')
            }),
          },
        ]
      },
    },
    options,
  )
}
