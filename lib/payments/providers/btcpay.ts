import { createHmac } from 'node:crypto'
import { accepted, amountText, invariant, MAX_AMOUNT_MICROS, OperationalError, refused } from '@/lib/kit'
import { z } from 'zod'
import {
  callProvider,
  inBatches,
  isSameHex,
  mapAtMost,
  paidOnce,
  parseJson,
  readAll,
  readAnswer,
  readApart,
  readEach,
  readPages,
  ShapeError,
} from './call'
import { microsSchema } from './decimal'
import { MAX_WEBHOOK_BYTES, type PaymentRef, type Provider, type Truth, type TruthState } from './provider'
import { hasMember, testConnectionBy } from './test-connection'

const NAME = 'btcpay'
/** Order ids in one list call: an address of about two thousand characters. */
const BATCH = 40
/** More invoices than order ids, because nothing keeps an order id from being used twice. */
const TAKE = 200
const AT_ONCE = 8

const STATUSES = ['New', 'Processing', 'Settled', 'Expired', 'Invalid'] as const

const invoiceSchema = z.object({
  id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
  amount: microsSchema,
  // Older servers do not tell it.
  paidAmount: microsSchema.optional(),
  currency: z.string().max(10),
  checkoutLink: z.url({ protocol: /^https?$/ }),
  expirationTime: z.number().int().positive(),
  status: z.enum(STATUSES),
  additionalStatus: z.string().max(30).nullish(),
  metadata: z.object({ orderId: z.string().max(200).nullish().catch(null) }).nullish(),
})
type Invoice = z.infer<typeof invoiceSchema>
/** What decides whether a row of the list is money; an invoice that nobody paid may have no amount at all. */
const stateSchema = invoiceSchema.pick({ status: true, additionalStatus: true })

const methodSchema = z.object({
  rate: z.string().max(60),
  paymentMethodPaid: z.string().max(60),
  payments: z.array(z.object({ status: z.string().max(30) })).max(1000),
})

const eventSchema = z.object({
  originalDeliveryId: z.string().min(1).max(120),
  type: z.string().max(60),
  storeId: z.string().max(100).nullish(),
  invoiceId: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/)
    .nullish(),
  metadata: z
    .object({ orderId: z.string().max(200).nullish() })
    .nullish()
    .catch(null),
})

/** What the coins say: whether every one is confirmed, and their sum in the invoice's currency. */
type Coins = { isSure: boolean; paidMicros: bigint }

/** A BTCPay Server and one store of it, by the Greenfield API. The webhook is a setting of the store; its secret must be set there. */
export function btcpayProvider(settings: {
  apiUrl: string
  apiKey: string
  storeId: string
  secret: string
}): Provider {
  // A webhook without a secret is signed by BTCPay with an empty key, which anybody has.
  invariant(settings.secret.length > 0, 'the webhook secret of BTCPay is not empty')
  const base = `${settings.apiUrl.replace(/\/$/, '')}/api/v1/stores/${encodeURIComponent(settings.storeId)}/invoices`
  const headers = { authorization: `token ${settings.apiKey}`, 'content-type': 'application/json' }

  /** Null for what this store does not have: asked under our store, a stranger's invoice is not there either. */
  async function get(path: string): Promise<unknown> {
    const { status, body } = await callProvider(NAME, new URL(`${base}${path}`), { method: 'GET', headers })
    if (status === 404) return null
    if (status !== 200) throw new OperationalError(NAME, `refused (${status})`)
    return body
  }

  async function listByOrder(orderIds: readonly string[]): Promise<unknown[]> {
    const query = new URLSearchParams([...orderIds.map((id) => ['orderId', id]), ['take', String(TAKE)]])
    return readAnswer(NAME, 'list', z.array(z.unknown()), await get(`?${query.toString()}`))
  }

  async function truthOf(invoice: Invoice): Promise<Truth> {
    // `paidAmount` counts what is only seen as well. A settled invoice vouches for its price; what came after its end, and what came on top, is sure
    // when the coins are.
    const told = invoice.paidAmount
    const isVouched = told !== undefined && (told === 0n || (invoice.status === 'Settled' && told <= invoice.amount))
    const needsCoins = told === undefined || (!isVouched && ['Expired', 'Settled'].includes(invoice.status))
    const coins = needsCoins ? await fetchCoins(invoice.id) : null
    const paidMicros = told ?? coins!.paidMicros
    const isOnTop = invoice.status === 'Settled' && paidMicros > invoice.amount
    return {
      providerPaymentId: invoice.id,
      paymentId: invoice.metadata?.orderId || null,
      state: stateOf(invoice, paidMicros, coins),
      // The rest is told again once it is sure, as more money for an invoice that was credited.
      receivedMicros: isOnTop && !coins!.isSure ? invoice.amount : paidMicros,
      requestedMicros: invoice.amount,
      currency: invoice.currency,
      // A server speaks for one network; one on a test network is kept out of production by its address.
      isTest: false,
    }
  }

  async function fetchCoins(invoiceId: string): Promise<Coins> {
    const methods = readAnswer(
      NAME,
      'payment-methods',
      z.array(methodSchema),
      await get(`/${invoiceId}/payment-methods`),
    )
    const paid = methods.map((method) => worthOf(method.paymentMethodPaid, method.rate))
    if (paid.some((each) => each === null)) throw new ShapeError(NAME, 'told an amount that is none')
    return {
      isSure: methods.every((method) => method.payments.every((payment) => payment.status === 'Settled')),
      paidMicros: paid.reduce<bigint>((sum, each) => sum + each!, 0n),
    }
  }

  return {
    name: NAME,
    minMicros: 1_000_000n,
    maxMicros: 10_000_000_000n,
    // Whole lists, so that none is asked for with a few order ids only.
    batchMax: 5 * BATCH,

    // BTCPay lets an order id be used any number of times, so one is looked for before one is made.
    async createCheckout(request) {
      const earlier = readEach(NAME, invoiceSchema, await listByOrder([request.paymentId])).find(
        (invoice) => invoice.status === 'New' && invoice.amount === request.amountMicros,
      )
      if (earlier) return checkoutOf(earlier)
      const { status, body } = await callProvider(NAME, new URL(base), {
        method: 'POST',
        headers,
        body: JSON.stringify({
          // Left out, any payment would count as full.
          amount: amountText(request.amountMicros),
          currency: request.currency,
          metadata: { orderId: request.paymentId },
          checkout: {
            expirationMinutes: Math.max(5, Math.ceil((request.expiresAt.getTime() - Date.now()) / 60_000)),
            // Above zero, "settled" would mean a little less than asked.
            paymentTolerance: 0,
            redirectURL: request.returnUrl,
            defaultLanguage: request.locale === 'ru' ? 'ru-RU' : 'en',
          },
        }),
      })
      if (status !== 200) throw new OperationalError(NAME, `refused to make an invoice (${status})`)
      return checkoutOf(readAnswer(NAME, 'create', invoiceSchema, body))
    },

    testConnection: () =>
      testConnectionBy(NAME, new URL(`${base}?take=1`), { method: 'GET', headers }, (status, body) => {
        if (status === 200 && Array.isArray(body)) return { ok: true }
        // A key that is known, and not for this store; or there is no such store.
        const isStore = (status === 403 || status === 404) && hasMember(body, 'code')
        return isStore ? { ok: false, why: 'account_unknown' } : null
      }),

    verifyWebhook: ({ headers: sent, body }) => Promise.resolve(verifyEvent(settings, sent, body)),

    async fetchPayments(payments) {
      if (payments.length === 0) return []
      const wanted = new Set(payments.map((each) => each.providerPaymentId))
      const rows: unknown[] = []
      if (payments.length > 1) {
        const orderIds = payments.flatMap(({ paymentId }) => (paymentId === null ? [] : [paymentId]))
        for (const batch of inBatches(orderIds, BATCH)) rows.push(...(await listByOrder(batch)))
      }
      const listed = new Set(rows.map(idOf))
      // What the list did not hold is asked for by its own id: payments whose order id we were not told, or that carry another one.
      const rest = payments.filter(({ providerPaymentId }: PaymentRef) => !listed.has(providerPaymentId))
      rows.push(...(await mapAtMost(rest, AT_ONCE, (each) => get(`/${encodeURIComponent(each.providerPaymentId)}`))))
      // An invoice of another payment may share an order id in the list; a row without an id is left to the shape's check.
      const found = rows.filter((row) => row !== null && wanted.has(idOf(row) ?? payments[0]!.providerPaymentId))
      return readApart(readEach(NAME, invoiceSchema, found), AT_ONCE, truthOf)
    },

    async listPaid({ from, to }) {
      const rows = await readPages<unknown, number>(NAME, async (skip = 0) => {
        const query = new URLSearchParams([
          ['status', 'Settled'],
          // Where late money leaves its invoices.
          ['status', 'Expired'],
          ['startDate', String(Math.floor(from.getTime() / 1000))],
          // Inclusive there.
          ['endDate', String(Math.ceil(to.getTime() / 1000) - 1)],
          ['skip', String(skip)],
          ['take', String(TAKE)],
        ])
        const page = readAnswer(NAME, 'list', z.array(z.unknown()), await get(`?${query.toString()}`))
        return { rows: page, next: page.length < TAKE ? null : skip + TAKE }
      })
      const states = readAll(NAME, stateSchema, rows)
      const isPaid = (index: number): boolean =>
        states[index]!.status === 'Settled' || states[index]!.additionalStatus === 'PaidLate'
      const invoices = readAll(
        NAME,
        invoiceSchema,
        rows.filter((_, index) => isPaid(index)),
      )
      const truths = await mapAtMost(invoices, AT_ONCE, truthOf)
      // One that a person marked as settled by hand may have brought nothing.
      return paidOnce(truths.filter((truth) => truth.state === 'paid' && truth.receivedMicros > 0n))
    },

    async findByPaymentId(paymentId) {
      const [invoice] = readEach(NAME, invoiceSchema, await listByOrder([paymentId]))
      return invoice ? truthOf(invoice) : null
    },
  }
}

function stateOf(invoice: Invoice, paidMicros: bigint, coins: Coins | null): TruthState {
  switch (invoice.status) {
    case 'New':
      return paidMicros > 0n ? 'underpaid' : 'awaiting'
    case 'Processing':
      return 'confirming'
    case 'Settled':
      // Also when a person marked it so by hand: whether the money suffices is told by the amount.
      return 'paid'
    case 'Expired':
      if (paidMicros === 0n) return 'expired'
      if (!coins?.isSure) return 'confirming'
      return invoice.additionalStatus === 'PaidLate' ? 'paid' : 'expired'
    case 'Invalid':
      // Not confirmed in time, or called so by hand.
      return 'rejected'
  }
}

function checkoutOf(invoice: Invoice): { providerPaymentId: string; checkoutUrl: string; expiresAt: Date } {
  return {
    providerPaymentId: invoice.id,
    checkoutUrl: invoice.checkoutLink,
    expiresAt: new Date(invoice.expirationTime * 1000),
  }
}

/** An event is ours when `BTCPay-Sig` is the HMAC-SHA256 of its raw bytes under the webhook's secret. */
function verifyEvent(settings: { secret: string; storeId: string }, headers: Headers, body: Buffer) {
  if (body.length > MAX_WEBHOOK_BYTES) return refused('malformed', { why: 'too large' })
  const signature = /^sha256=([0-9a-f]{64})$/.exec(headers.get('btcpay-sig') ?? '')
  const expected = createHmac('sha256', settings.secret).update(body).digest()
  if (!signature || !isSameHex(signature[1]!, expected)) return refused('bad_signature', { why: 'no signature fits' })
  const event = eventSchema.safeParse(parseJson(body.toString('utf8')))
  if (!event.success) return refused('malformed', { why: 'not an event' })
  const { originalDeliveryId, storeId, invoiceId, metadata } = event.data
  // The dashboard's "test webhook" is validly signed and names what it likes. It is taken, because BTCPay holds back all later events
  // while one is refused, and it speaks of nothing; neither does an event of another store.
  const isAboutNothing = originalDeliveryId.startsWith('__test__') || storeId !== settings.storeId
  return accepted({
    // A repeat gets a new delivery id and keeps the original one.
    externalId: originalDeliveryId,
    providerPaymentId: isAboutNothing ? null : (invoiceId ?? null),
    paymentId: isAboutNothing ? null : metadata?.orderId || null,
  })
}

/** A sum of coins at a rate, in micros, rounded down once. Null when either is not a plain decimal. */
function worthOf(coins: string, rate: string): bigint | null {
  const parts = [coins, rate].map((text) => /^(\d{1,20})(?:\.(\d{1,30}))?$/.exec(text))
  if (!parts[0] || !parts[1]) return null
  const [whole, price] = parts.map((part) => BigInt(part![1]! + (part![2] ?? '')))
  const decimals = (parts[0][2]?.length ?? 0) + (parts[1][2]?.length ?? 0)
  const micros = (whole! * price! * 1_000_000n) / 10n ** BigInt(decimals)
  return micros > MAX_AMOUNT_MICROS ? null : micros
}

function idOf(row: unknown): string | null {
  const id = typeof row === 'object' && row !== null ? (row as { id?: unknown }).id : null
  return typeof id === 'string' ? id : null
}
