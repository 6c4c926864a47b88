import { createHmac, randomBytes, randomInt } from 'node:crypto'
import { parseAmount } from '@/lib/kit'
import { type HostedPayment, parseBody, startHostedFake } from './hosted'
import type { Fake, FakeReply, FakeRequest } from './kit'

/**
 * A stand-in for NOWPayments: invoices that are nothing until somebody chooses a coin, payments with ids of their own, deposits repeated later
 * as payments with a parent, a list behind email and password, and notifications signed over their content with sorted keys.
 * Control ids are `inv-<number>`; the payment of an invoice has the same number and a 1 in front.
 */
export const NOWPAYMENTS_STATES = [
  'new',
  'waiting',
  'confirming',
  'confirmed',
  'sending',
  'partially_paid',
  'finished',
  'failed',
  'refunded',
  'expired',
] as const

/** The payer in every payment and notification: invented, and searched for in database and logs by the shop's tests. */
export const NOWPAYMENTS_PAYER = {
  pay_address: 'TPayerOfNowpaymentsInvented1',
  payer_email: 'payer.of.nowpayments@example.net',
}

/** Coins for one unit of money, times a hundred thousand. */
const COINS = 100_452n

/** The header of a notification: HMAC-SHA512 over the content with its keys sorted at every level. */
export function signNotification(secret: string, content: object): string {
  return createHmac('sha512', secret)
    .update(JSON.stringify(sorted(content)))
    .digest('hex')
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(sorted)
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted((value as Record<string, unknown>)[key])]),
  )
}

/** Starts the vendor on loopback. `email` and `password` open the list of payments. */
export async function startNowpaymentsFake(options: {
  port: number
  stateFile?: string
  apiKey: string
  ipnSecret: string
  email: string
  password: string
  retryGapsMs?: readonly number[]
}): Promise<Fake> {
  const numberOf = ({ id }: { id: string }): number => Number(id.slice(4))
  const paymentIdOf = (payment: { id: string }): number => Number(`1${payment.id.slice(4)}`)
  const token = randomBytes(16).toString('hex')

  const shown = (payment: HostedPayment): object => ({
    payment_id: paymentIdOf(payment),
    parent_payment_id: payment.parent ? paymentIdOf({ id: payment.parent }) : null,
    invoice_id: numberOf({ id: payment.parent ?? payment.id }),
    payment_status: payment.state,
    pay_address: NOWPAYMENTS_PAYER.pay_address,
    payin_extra_id: null,
    price_amount: Number(payment.amount),
    price_currency: payment.currency.toLowerCase(),
    pay_amount: inCoin(payment.amount),
    actually_paid: inCoin(payment.paid),
    actually_paid_at_fiat: 0,
    pay_currency: 'usdttrc20',
    order_id: payment.orderId,
    order_description: NOWPAYMENTS_PAYER.payer_email,
    purchase_id: String(numberOf(payment)),
    outcome_amount: Number(payment.paid) * 0.98,
    outcome_currency: 'usdttrc20',
    fee: { withdrawalFee: 0, currency: 'usdttrc20', serviceFee: 1.2e-7, depositFee: 0.4518 },
  })

  return startHostedFake(
    {
      brand: 'NOWPayments',
      states: NOWPAYMENTS_STATES,
      open: [],
      expired: 'expired',
      done: ['finished', 'failed', 'refunded', 'partially_paid'],
      newId: () => `inv-4${randomInt(100_000_000, 999_999_999)}`,
      afterPaying: (_, paidMicros, dueMicros) => (paidMicros < dueMicros ? 'partially_paid' : 'finished'),
      shown,
      callback(payment, { forged }) {
        const content = shown(payment)
        const secret = forged ? randomBytes(20).toString('hex') : options.ipnSecret
        return {
          url: payment.webhookUrl,
          headers: { 'content-type': 'application/json', 'x-nowpayments-sig': signNotification(secret, content) },
          body: JSON.stringify(content),
        }
      },
      routes(book) {
        const denied = (status: number, message: string): FakeReply => ({
          status,
          body: { status: false, statusCode: status, message },
        })
        const guarded =
          (handle: (request: FakeRequest) => FakeReply) =>
          (request: FakeRequest): FakeReply =>
            request.headers['x-api-key'] === options.apiKey ? handle(request) : denied(403, 'Invalid api key')
        const opened = (): HostedPayment[] => book.all().filter((each) => each.state !== 'new')
        return [
          {
            method: 'POST',
            path: /^\/v1\/auth$/,
            handle: ({ body }) => {
              const { email, password } = parseBody(body)
              const isRight = email === options.email && password === options.password
              return isRight ? { body: { token } } : denied(403, 'Wrong email or password')
            },
          },
          {
            method: 'POST',
            path: /^\/v1\/invoice$/,
            handle: guarded(({ body }) => {
              const wish = parseBody(body)
              const amountMicros = typeof wish.price_amount === 'number' ? parseAmount(String(wish.price_amount)) : null
              if (amountMicros === null) return denied(400, 'price_amount is not a number')
              const invoice = book.add({
                orderId: String(wish.order_id ?? ''),
                amountMicros,
                currency: String(wish.price_currency ?? 'usd').toUpperCase(),
                webhookUrl: String(wish.ipn_callback_url ?? ''),
                returnUrl: String(wish.success_url ?? ''),
                expiresAt: new Date(Date.now() + 7 * 86_400_000),
              })
              return {
                body: {
                  id: String(numberOf(invoice)),
                  order_id: invoice.orderId,
                  price_amount: invoice.amount,
                  price_currency: invoice.currency.toLowerCase(),
                  pay_currency: null,
                  invoice_url: `${book.origin()}/pay/${invoice.id}`,
                  created_at: invoice.createdAt,
                },
              }
            }),
          },
          {
            method: 'GET',
            path: /^\/v1\/payment\/$/,
            handle: guarded(({ headers, url }) => {
              if (headers.authorization !== `Bearer ${token}`) return denied(401, 'Bearer token is needed')
              const limit = Number(url.searchParams.get('limit') ?? 10)
              const from = Number(url.searchParams.get('page') ?? 0) * limit
              const since = Date.parse(url.searchParams.get('dateFrom') ?? '1970-01-01')
              const until = Date.parse(url.searchParams.get('dateTo') ?? '9999-01-01')
              const oldest = opened().filter(
                (each) => Date.parse(each.createdAt) >= since && Date.parse(each.createdAt) < until,
              )
              const found = url.searchParams.get('orderBy') === 'asc' ? oldest : oldest.toReversed()
              return { body: { data: found.slice(from, from + limit).map(shown), limit, total: found.length } }
            }),
          },
          {
            method: 'GET',
            path: /^\/v1\/payment\/(?<id>[\w-]+)$/,
            handle: guarded(({ params }) => {
              const payment = opened().find((each) => String(paymentIdOf(each)) === params.id)
              return payment ? { body: shown(payment) } : denied(404, 'Payment not found')
            }),
          },
          {
            // Money sent later to the address of an earlier payment: a payment of its own, with the same order id.
            method: 'POST',
            path: /^\/control\/invoices\/(?<id>[\w-]+)\/redeposit$/,
            handle: ({ params, body }) => {
              const first = book.find(params.id)
              const amountMicros = parseAmount(String(parseBody(body).amount ?? ''))
              if (!first || amountMicros === null) return { status: 422, body: { error: 'amount' } }
              const made = book.add({ ...first, amountMicros, expiresAt: new Date(first.expiresAt) })
              // It repeats the price of the first, whatever came.
              const again = { ...made, parent: first.id, amount: first.amount, paid: made.amount, state: 'finished' }
              return { body: { id: book.keep(again).id } }
            },
          },
        ]
      },
    },
    options,
  )
}

/** A sum of money in the coin, exactly, as a JSON number. */
function inCoin(amount: string): number {
  const units = parseAmount(amount)! * COINS
  return Number(`${units / 100_000_000_000n}.${String(units % 100_000_000_000n).padStart(11, '0')}`)
}
