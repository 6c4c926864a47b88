import { createHmac, randomBytes } from 'node:crypto'
import { parseAmount } from '@/lib/kit'
import { type HostedPayment, parseBody, startHostedFake } from './hosted'
import type { Fake, FakeReply, FakeRequest } from './kit'

/**
 * A stand-in for a BTCPay Server with one store (Greenfield API v1): money as decimal text, a look-up by several order ids, late money that
 * leaves an invoice `Expired` with `PaidLate`, and pretty-printed events signed over the raw body, which carry no amount.
 */
export const BTCPAY_STATES = ['New', 'Processing', 'Settled', 'Expired', 'Invalid'] as const

/** The payer in every invoice and event: invented, and searched for in database and logs by the shop's tests. */
export const BTCPAY_PAYER = { buyerEmail: 'payer.of.btcpay@example.net', destination: 'bcrt1qpayeraddressinvented0001' }

/** The header of an event: `sha256=` and the HMAC of the raw body. */
export function signBtcpayEvent(secret: string, body: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

/** Starts the server on loopback. `notifyUrl` is where the store's webhook points, as set in the dashboard. */
export async function startBtcpayFake(options: {
  port: number
  stateFile?: string
  apiKey: string
  storeId: string
  secret: string
  notifyUrl: string
  retryGapsMs?: readonly number[]
}): Promise<Fake> {
  const additional = ({ state, paid, amount }: HostedPayment): string => {
    const paidMicros = parseAmount(paid)!
    const dueMicros = parseAmount(amount)!
    if (paidMicros === 0n || state === 'Processing') return 'None'
    if (state === 'Invalid') return 'Invalid'
    if (paidMicros < dueMicros) return state === 'Settled' ? 'Marked' : 'PaidPartial'
    if (state === 'Expired') return 'PaidLate'
    return paidMicros > dueMicros ? 'PaidOver' : 'None'
  }
  const seconds = (iso: string): number => Math.floor(Date.parse(iso) / 1000)
  const shown = (payment: HostedPayment, origin: string): object => ({
    id: payment.id,
    storeId: options.storeId,
    amount: payment.amount,
    paidAmount: payment.paid,
    currency: payment.currency,
    type: 'Standard',
    checkoutLink: `${origin}/pay/${payment.id}`,
    createdTime: seconds(payment.createdAt),
    expirationTime: seconds(payment.expiresAt),
    monitoringExpiration: seconds(payment.expiresAt) + 86_400,
    status: payment.state,
    additionalStatus: additional(payment),
    metadata: { orderId: payment.orderId, buyerEmail: BTCPAY_PAYER.buyerEmail },
    archived: false,
  })

  const eventType = (payment: HostedPayment): string => {
    if (payment.state === 'New') return payment.paid === '0.00' ? 'InvoiceCreated' : 'InvoiceReceivedPayment'
    // Money after the end brings no `InvoiceSettled`.
    if (additional(payment) === 'PaidLate') return 'InvoicePaymentSettled'
    return `Invoice${payment.state}`
  }

  return startHostedFake(
    {
      brand: 'BTCPay Server',
      states: BTCPAY_STATES,
      open: ['New'],
      expired: 'Expired',
      done: ['Settled', 'Invalid'],
      newId: () => randomBytes(16).toString('base64url').replace(/[\W_]/g, 'x'),
      afterPaying: (payment, paidMicros, dueMicros) =>
        payment.state === 'Expired' ? 'Expired' : paidMicros >= dueMicros ? 'Settled' : 'New',
      shown,
      callback(payment, { forged }) {
        const deliveryId = randomBytes(8).toString('hex')
        const body = JSON.stringify(
          {
            deliveryId,
            webhookId: 'webhook1',
            originalDeliveryId: payment.eventId,
            isRedelivery: false,
            type: eventType(payment),
            timestamp: Math.floor(Date.now() / 1000),
            storeId: options.storeId,
            invoiceId: payment.id,
            metadata: { orderId: payment.orderId, buyerEmail: BTCPAY_PAYER.buyerEmail },
          },
          null,
          2,
        )
        const secret = forged ? randomBytes(20).toString('hex') : options.secret
        return {
          url: options.notifyUrl,
          headers: { 'content-type': 'application/json', 'btcpay-sig': signBtcpayEvent(secret, body) },
          body,
        }
      },
      routes(book) {
        const guarded =
          (handle: (request: FakeRequest) => FakeReply) =>
          (request: FakeRequest): FakeReply => {
            if (request.headers.authorization !== `token ${options.apiKey}`)
              return { status: 401, body: { code: 'unauthenticated', message: 'Authentication is required' } }
            return request.params.store === options.storeId
              ? handle(request)
              : { status: 403, body: { code: 'missing-permission', message: 'Another store' } }
          }
        const missing: FakeReply = { status: 404, body: { code: 'invoice-not-found', message: 'No such invoice' } }
        return [
          {
            method: 'POST',
            path: /^\/api\/v1\/stores\/(?<store>\w+)\/invoices$/,
            handle: guarded(({ body }) => {
              const wish = parseBody(body) as {
                amount?: unknown
                currency?: unknown
                metadata?: { orderId?: string }
                checkout?: { expirationMinutes?: number; redirectURL?: string }
              }
              const amountMicros = typeof wish.amount === 'string' ? parseAmount(wish.amount) : null
              if (amountMicros === null)
                return { status: 422, body: [{ path: 'amount', message: 'The amount is not a decimal text' }] }
              const minutes = wish.checkout?.expirationMinutes ?? 15
              const invoice = book.add({
                orderId: wish.metadata?.orderId ?? '',
                amountMicros,
                currency: typeof wish.currency === 'string' ? wish.currency : 'USD',
                webhookUrl: '',
                returnUrl: wish.checkout?.redirectURL ?? '',
                expiresAt: new Date(Date.now() + minutes * 60_000),
              })
              return { body: shown(invoice, book.origin()) }
            }),
          },
          {
            method: 'GET',
            path: /^\/api\/v1\/stores\/(?<store>\w+)\/invoices$/,
            handle: guarded(({ url }) => {
              const query = url.searchParams
              const orders = new Set(query.getAll('orderId'))
              const states = query.getAll('status')
              const [skip, take] = [Number(query.get('skip') ?? 0), Number(query.get('take') ?? 100)]
              const [start, end] = [Number(query.get('startDate') ?? 0), Number(query.get('endDate') ?? Infinity)]
              const found = book
                .all()
                .filter((each) => orders.size === 0 || orders.has(each.orderId))
                .filter((each) => states.length === 0 || states.includes(each.state))
                .filter((each) => seconds(each.createdAt) >= start && seconds(each.createdAt) <= end)
              return { body: found.slice(skip, skip + take).map((each) => shown(each, book.origin())) }
            }),
          },
          {
            method: 'GET',
            path: /^\/api\/v1\/stores\/(?<store>\w+)\/invoices\/(?<id>[\w-]+)$/,
            handle: guarded(({ params }) => {
              const invoice = book.find(params.id)
              return invoice ? { body: shown(invoice, book.origin()) } : missing
            }),
          },
          {
            method: 'GET',
            path: /^\/api\/v1\/stores\/(?<store>\w+)\/invoices\/(?<id>[\w-]+)\/payment-methods$/,
            handle: guarded(({ params }) => {
              const invoice = book.find(params.id)
              if (!invoice) return missing
              const isSure = invoice.state !== 'Processing' && !invoice.unsure
              return {
                body: [
                  {
                    paymentMethodId: 'BTC-CHAIN',
                    currency: 'BTC',
                    rate: '20000.0',
                    paymentMethodPaid: inCoin(invoice.paid),
                    totalPaid: inCoin(invoice.paid),
                    due: '0',
                    payments:
                      invoice.paid === '0.00'
                        ? []
                        : [
                            {
                              id: 'aa-0',
                              value: inCoin(invoice.paid),
                              status: isSure ? 'Settled' : 'Processing',
                              destination: BTCPAY_PAYER.destination,
                            },
                          ],
                  },
                ],
              }
            }),
          },
        ]
      },
    },
    options,
  )
}

/** A sum at 20,000 for one coin, exactly: cents divided by two million, as text with ten decimals. */
function inCoin(amount: string): string {
  const units = (parseAmount(amount)! * 10_000n) / 20_000n
  return `${units / 10_000_000_000n}.${String(units % 10_000_000_000n).padStart(10, '0')}`
}
