import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { parseAmount } from '@/lib/kit'
import { type HostedPayment, parseBody, startHostedFake } from './hosted'
import type { Fake, FakeReply, FakeRequest } from './kit'

/**
 * A stand-in for Cryptomus: every call a POST signed by an MD5 over its exact text, an order id that returns the invoice there is, callbacks written
 * as PHP writes JSON, with the signature as their last field.
 */
export const CRYPTOMUS_STATES = [
  'check',
  'process',
  'confirm_check',
  'wrong_amount_waiting',
  'wrong_amount',
  'paid',
  'paid_over',
  'cancel',
  'fail',
  'system_fail',
  'refund_process',
  'refund_fail',
  'refund_paid',
  'locked',
] as const

/** The payer in every callback: invented, and searched for in database and logs by the shop's tests. */
export const CRYPTOMUS_PAYER = {
  from: 'TPayerOfCryptomusInvented01',
  additional_data: 'payer.of.cryptomus@example.net',
}

/** Coins for one unit of money, times a hundred thousand. */
const COINS = 99_871n
/** Rows of one page of the list. */
const PER_PAGE = 15

/** Hex MD5 of the text in base64 with the key behind it. */
export function signCryptomus(key: string, text: string): string {
  return createHash('md5')
    .update(Buffer.from(text, 'utf8').toString('base64') + key)
    .digest('hex')
}

/** A callback as PHP writes it: slashes escaped, the signature of the rest as the last field. */
export function cryptomusCallback(key: string, content: object): string {
  const text = JSON.stringify(content).replaceAll('/', String.raw`\/`)
  return `${text.slice(0, -1)},"sign":"${signCryptomus(key, text)}"}`
}

/** Starts the vendor on loopback. The callback's address comes with each invoice. */
export async function startCryptomusFake(options: {
  port: number
  stateFile?: string
  merchantId: string
  paymentKey: string
  retryGapsMs?: readonly number[]
}): Promise<Fake> {
  const isFinal = (state: string): boolean =>
    ['wrong_amount', 'paid', 'paid_over', 'cancel', 'fail', 'system_fail'].includes(state)
  const shown = (payment: HostedPayment, origin: string): object => ({
    uuid: payment.id,
    order_id: payment.orderId,
    amount: payment.amount,
    payment_amount: payment.paid === '0.00' ? null : inCoin(payment.paid),
    payer_amount: inCoin(payment.amount),
    payer_currency: 'USDT',
    currency: payment.currency,
    merchant_amount: inCoin(payment.paid),
    network: 'tron',
    address: CRYPTOMUS_PAYER.from,
    from: CRYPTOMUS_PAYER.from,
    txid: null,
    payment_status: payment.state,
    url: `${origin}/pay/${payment.id}`,
    expired_at: Math.floor(Date.parse(payment.expiresAt) / 1000),
    is_final: isFinal(payment.state),
    created_at: moscowTime(payment.createdAt),
  })

  return startHostedFake(
    {
      brand: 'Cryptomus',
      states: CRYPTOMUS_STATES,
      open: ['check'],
      expired: 'cancel',
      done: ['paid', 'paid_over', 'wrong_amount', 'fail', 'system_fail', 'refund_paid'],
      newId: () => randomUUID(),
      afterPaying: (_, paidMicros, dueMicros) =>
        paidMicros < dueMicros ? 'wrong_amount_waiting' : paidMicros === dueMicros ? 'paid' : 'paid_over',
      shown,
      callback: (payment, { forged }) => ({
        url: payment.webhookUrl,
        headers: { 'content-type': 'application/json' },
        body: cryptomusCallback(forged ? randomBytes(20).toString('hex') : options.paymentKey, {
          type: 'payment',
          uuid: payment.id,
          order_id: payment.orderId,
          amount: payment.amount,
          payment_amount: inCoin(payment.paid),
          payment_amount_usd: payment.paid,
          merchant_amount: inCoin(payment.paid),
          commission: '0.25000000',
          is_final: isFinal(payment.state),
          status: payment.state,
          from: CRYPTOMUS_PAYER.from,
          wallet_address_uuid: null,
          network: 'tron',
          currency: payment.currency,
          payer_currency: 'USDT',
          additional_data: CRYPTOMUS_PAYER.additional_data,
          txid: `tx/${payment.eventId}`,
        }),
      }),
      routes(book) {
        const denied = (status: number, message: string): FakeReply => ({ status, body: { state: 1, message } })
        const guarded =
          (handle: (wish: Record<string, unknown>) => FakeReply) =>
          ({ headers, body }: FakeRequest): FakeReply => {
            const isOurs = headers.merchant === options.merchantId
            return isOurs && headers.sign === signCryptomus(options.paymentKey, body)
              ? handle(parseBody(body))
              : denied(401, 'Unauthorized')
          }
        return [
          {
            method: 'POST',
            path: /^\/v1\/payment$/,
            handle: guarded((wish) => {
              const orderId = String(wish.order_id ?? '')
              if (!/^[\w-]{1,128}$/.test(orderId)) return denied(422, 'order_id')
              const earlier = book.all().find((each) => each.orderId === orderId)
              if (earlier) return { body: { state: 0, result: shown(earlier, book.origin()) } }
              const amountMicros = typeof wish.amount === 'string' ? parseAmount(wish.amount) : null
              const lifetime = Number(wish.lifetime ?? 3600)
              if (amountMicros === null || lifetime < 300 || lifetime > 43_200) return denied(422, 'amount or lifetime')
              const invoice = book.add({
                orderId,
                amountMicros,
                currency: String(wish.currency),
                webhookUrl: String(wish.url_callback ?? ''),
                returnUrl: String(wish.url_return ?? ''),
                expiresAt: new Date(Date.now() + lifetime * 1000),
              })
              return { body: { state: 0, result: shown(invoice, book.origin()) } }
            }),
          },
          {
            method: 'POST',
            path: /^\/v1\/payment\/list$/,
            handle: (request) =>
              guarded(({ date_from, date_to }) => {
                const [from, to] = [date_from, date_to].map((time) => String(time).replace(' ', 'T'))
                const found = book.all().filter((each) => {
                  const made = moscowTime(each.createdAt).slice(0, 19)
                  return made >= from! && made <= to!
                })
                const start = Number(request.url.searchParams.get('cursor')?.slice(2) ?? 0)
                const next = start + PER_PAGE < found.length ? `c:${start + PER_PAGE}` : null
                const items = found.slice(start, start + PER_PAGE).map((each) => shown(each, book.origin()))
                const paginate = { count: items.length, hasPages: next !== null, nextCursor: next, perPage: PER_PAGE }
                return { body: { state: 0, result: { items, paginate } } }
              })(request),
          },
          {
            method: 'POST',
            path: /^\/v1\/payment\/info$/,
            handle: guarded(({ uuid, order_id }) => {
              const found = book.all().find((each) => (uuid ? each.id === uuid : each.orderId === order_id))
              return found
                ? { body: { state: 0, result: shown(found, book.origin()) } }
                : denied(404, 'Payment was not found')
            }),
          },
        ]
      },
    },
    options,
  )
}

/** A time as the vendor tells it: of its own zone, named behind it. */
function moscowTime(time: string): string {
  return `${new Date(Date.parse(time) + 3 * 3_600_000).toISOString().slice(0, 19)}+03:00`
}

/** A sum of money in the coin, exactly. */
function inCoin(amount: string): string {
  const units = parseAmount(amount)! * COINS
  return `${units / 100_000_000_000n}.${String(units % 100_000_000_000n).padStart(11, '0')}`
}
