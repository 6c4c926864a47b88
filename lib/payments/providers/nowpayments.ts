import { createHash, createHmac } from 'node:crypto'
import { accepted, amountText, invariant, OperationalError, refused } from '@/lib/kit'
import { z } from 'zod'
import {
  callProvider,
  isSameHex,
  mapAtMost,
  paidOnce,
  parseJson,
  readAll,
  readAnswer,
  readEach,
  readPages,
} from './call'
import { inProportion, microsSchema } from './decimal'
import { type Checkout, MAX_WEBHOOK_BYTES, type Provider, type Truth, type TruthState } from './provider'
import { hasMember, testConnectionBy } from './test-connection'

const NAME = 'nowpayments'
const AT_ONCE = 8
/** How far back the list is read: longer than a payment is asked about after its page ended. */
const LIST_DAYS = 4
const PAGE_ROWS = 500
/** Their notifications are three levels deep. What is deeper is not theirs, and must not exhaust the stack. */
const MAX_DEPTH = 10

const STATUSES = [
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

/** Ids are whole numbers, told as numbers or as text. Beyond 2^53 a number is no longer the one that was sent. */
const idSchema = z
  .union([z.number().int().positive().max(Number.MAX_SAFE_INTEGER), z.string().regex(/^\d{1,20}$/)])
  .transform(String)

const createdSchema = z.object({ id: idSchema, invoice_url: z.url({ protocol: /^https?$/ }) })

const paymentSchema = z.object({
  payment_id: idSchema,
  invoice_id: idSchema.nullish(),
  payment_status: z.enum(STATUSES),
  price_amount: microsSchema,
  price_currency: z.string().min(1).max(20),
  // In the coin, whose decimals are the coin's own; only their ratio is used.
  pay_amount: z.union([z.number(), z.string()]).nullish(),
  actually_paid: z.union([z.number(), z.string()]).nullish(),
  order_id: z.string().max(200).nullish(),
})
type Payment = z.infer<typeof paymentSchema>
const listSchema = z.object({ data: z.array(z.unknown()) })
/** What decides whether a row of the list is money; what else the account takes need not have our shape. */
const statusSchema = z.object({ payment_status: z.string().max(60) })

const notificationSchema = z.object({
  payment_id: idSchema,
  payment_status: z.string().regex(/^[a-z_]{1,30}$/),
  actually_paid: z.union([z.number(), z.string().max(60)]).nullish(),
  order_id: z.string().max(200).nullish(),
})

/** The ids we keep: an invoice's is known from the start, a payment's only after the payer has chosen a coin. */
const invoiceRef = (id: string): string => `inv-${id}`
const paymentRef = (id: string): string => `pmt-${id}`

/**
 * NOWPayments, invoices with a hosted page. Every attempt of the payer and every deposit repeated later is a payment of its own. Payments are
 * read one by one; to find those of an invoice whose notifications were lost, the list is needed, which takes the account's email and
 * password and not the key. Without them a lost notification is healed only by NOWPayments repeating it.
 */
export function nowpaymentsProvider(settings: {
  apiUrl: string
  apiKey: string
  ipnSecret: string
  account: { email: string; password: string } | null
}): Provider {
  invariant(settings.ipnSecret.length > 0, 'the IPN secret of NOWPayments is not empty')
  const base = `${settings.apiUrl.replace(/\/$/, '')}/v1`
  const headers = { 'x-api-key': settings.apiKey, 'content-type': 'application/json' }
  const isSandbox = new URL(settings.apiUrl).hostname.includes('sandbox')

  /** Null for what this account does not have. */
  async function get(paymentId: string): Promise<unknown> {
    const url = new URL(`${base}/payment/${encodeURIComponent(paymentId)}`)
    const { status, body } = await callProvider(NAME, url, { method: 'GET', headers })
    if (status === 404) return null
    if (status !== 200) throw new OperationalError(NAME, `refused (${status})`)
    return body
  }

  /** Every payment begun in a span, in the order they were begun, so that what is begun meanwhile moves none. */
  async function list(
    account: { email: string; password: string },
    span: { from: Date; to?: Date },
  ): Promise<unknown[]> {
    const signIn = await callProvider(NAME, new URL(`${base}/auth`), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(account),
    })
    if (signIn.status !== 200) throw new OperationalError(NAME, `refused the account (${signIn.status})`)
    const { token } = readAnswer(NAME, 'auth', z.object({ token: z.string().min(1).max(4000) }), signIn.body)
    return readPages<unknown, number>(NAME, async (page = 0) => {
      const query = new URLSearchParams({
        limit: String(PAGE_ROWS),
        page: String(page),
        sortBy: 'created_at',
        orderBy: 'asc',
        dateFrom: span.from.toISOString(),
        ...(span.to && { dateTo: span.to.toISOString() }),
      })
      const { status, body } = await callProvider(NAME, new URL(`${base}/payment/?${query.toString()}`), {
        method: 'GET',
        headers: { ...headers, authorization: `Bearer ${token}` },
      })
      if (status !== 200) throw new OperationalError(NAME, `refused to list (${status})`)
      const { data } = readAnswer(NAME, 'list', listSchema, body)
      return { rows: data, next: data.length < PAGE_ROWS ? null : page + 1 }
    })
  }

  /** What was begun lately. */
  const listRecent = (account: { email: string; password: string }): Promise<unknown[]> =>
    list(account, { from: new Date(Date.now() - LIST_DAYS * 86_400_000) })

  function listPaidOf(account: { email: string; password: string }): NonNullable<Provider['listPaid']> {
    return async (span) => {
      const rows = await list(account, span)
      const states = readAll(NAME, statusSchema, rows)
      const isPaid = (index: number): boolean => ['finished', 'refunded'].includes(states[index]!.payment_status)
      const paid = readAll(
        NAME,
        paymentSchema,
        rows.filter((_, index) => isPaid(index)),
      )
      return paidOnce(
        // What went back later came all the same; of what went back without having come, nothing was told.
        paid
          .map((payment) => truthOf({ ...payment, payment_status: 'finished' }))
          .filter((each) => each.receivedMicros > 0n),
      )
    }
  }

  function truthOf(payment: Payment): Truth {
    const received = receivedOf(payment)
    const invoiceId = payment.invoice_id ?? null
    const own = paymentRef(payment.payment_id)
    const isRefunded = payment.payment_status === 'refunded'
    const hasMoney = received > 0n || isRefunded || payment.payment_status === 'finished'
    return {
      // An attempt without money says something of its page and is nothing by itself.
      providerPaymentId: !hasMoney && invoiceId ? invoiceRef(invoiceId) : own,
      ...(hasMoney && invoiceId ? { checkoutId: invoiceRef(invoiceId) } : {}),
      paymentId: payment.order_id || null,
      state: stateOf(payment, received),
      receivedMicros: received,
      requestedMicros: payment.price_amount,
      currency: payment.price_currency.toUpperCase(),
      isTest: isSandbox,
      // Refunds are made by hand at the vendor's desk, of all that came, and have no id.
      ...(isRefunded
        ? {
            refunds: [
              {
                providerRefundId: `all:${own}`,
                refundId: null,
                amountMicros: inProportion(payment.price_amount, payment.actually_paid, payment.pay_amount),
                state: 'done' as const,
              },
            ],
          }
        : {}),
    }
  }

  return {
    name: NAME,
    minMicros: 5_000_000n,
    maxMicros: 10_000_000_000n,
    // One reading of the list answers for all of them.
    batchMax: 5_000,
    // An invoice is not told by our id; until somebody opens it there is nothing to tell.
    findByPaymentId: null,

    // No idempotency is documented. An invoice made twice leads to a second invoice, should both be paid.
    async createCheckout(request): Promise<Checkout> {
      const { status, body } = await callProvider(NAME, new URL(`${base}/invoice`), {
        method: 'POST',
        headers,
        body: JSON.stringify({
          // Whole cents up to ten thousand: every such number is written by JSON exactly as its decimal text.
          price_amount: Number(amountText(request.amountMicros)),
          price_currency: request.currency.toLowerCase(),
          order_id: request.paymentId,
          ipn_callback_url: request.webhookUrl,
          success_url: request.returnUrl,
          cancel_url: request.returnUrl,
        }),
      })
      if (status !== 200 && status !== 201) throw new OperationalError(NAME, `refused to make an invoice (${status})`)
      const invoice = readAnswer(NAME, 'create', createdSchema, body)
      return {
        providerPaymentId: invoiceRef(invoice.id),
        checkoutUrl: invoice.invoice_url,
        // Theirs has no end of its own; ours is the one shown.
        expiresAt: request.expiresAt,
      }
    },

    // A payment that is not ours: `/status` answers anybody. The account behind the list is tried as well, where there is one.
    async testConnection() {
      const key = await testConnectionBy(
        NAME,
        new URL(`${base}/payment/1`),
        { method: 'GET', headers },
        (status, body) => {
          const isTheirs = hasMember(body, 'statusCode') || hasMember(body, 'payment_id')
          return isTheirs && [200, 400, 404].includes(status) ? { ok: true } : null
        },
      )
      if (!key.ok || !settings.account) return key
      const signIn = { method: 'POST', headers: { 'content-type': 'application/json' } } as const
      const body = JSON.stringify(settings.account)
      return testConnectionBy(NAME, new URL(`${base}/auth`), { ...signIn, body }, (status, answer) => {
        if (status === 200 && hasMember(answer, 'token')) return { ok: true }
        return [400, 401, 403].includes(status) ? { ok: false, why: 'account_unknown' } : null
      })
    },

    verifyWebhook: ({ headers: sent, body }) => Promise.resolve(verifyNotification(settings.ipnSecret, sent, body)),

    async fetchPayments(payments) {
      const ids = new Set(payments.map((each) => each.providerPaymentId))
      const hasPages = [...ids].some((id) => id.startsWith('inv-'))
      // The list holds everybody's payments, so a row of another shape is somebody else's trouble.
      const listed = (hasPages && settings.account ? await listRecent(settings.account) : []).flatMap((row) => {
        const parsed = paymentSchema.safeParse(row)
        if (!parsed.success) return []
        const isAsked = ids.has(invoiceRef(parsed.data.invoice_id ?? '')) || ids.has(paymentRef(parsed.data.payment_id))
        return isAsked ? [parsed.data] : []
      })
      const known = new Set(listed.map((payment) => paymentRef(payment.payment_id)))
      const direct = [...ids].filter((id) => !id.startsWith('inv-') && !known.has(id))
      const rows = await mapAtMost(direct, AT_ONCE, (id) => get(id.replace(/^pmt-/, '')))
      const found = readEach(
        NAME,
        paymentSchema,
        rows.filter((row) => row !== null),
      )
      // Words about money come last, so that an attempt that failed does not follow one that succeeded.
      const truths = [...found, ...listed].map(truthOf)
      return truths.sort((one, other) => Number(one.receivedMicros - other.receivedMicros))
    },

    // The list needs the account; the key does not open it.
    ...(settings.account && { listPaid: listPaidOf(settings.account) }),
  }
}

function stateOf({ payment_status, price_amount }: Payment, received: bigint): TruthState {
  switch (payment_status) {
    case 'waiting':
      return 'awaiting'
    case 'confirming':
    case 'confirmed':
    case 'sending':
      return 'confirming'
    case 'finished':
      return 'paid'
    case 'partially_paid':
      // The end of this payment: what is sent later becomes a payment of its own, so nobody waits for the rest here. Called partial with all of it there
      // is a coin of another kind than was asked for.
      return received < price_amount ? 'cancelled' : 'rejected'
    case 'failed':
      // Without money the payer may still choose another coin on the same page.
      return received > 0n ? 'rejected' : 'awaiting'
    case 'refunded':
      return 'cancelled'
    case 'expired':
      return received > 0n ? 'rejected' : 'expired'
  }
}

/**
 * What came, in the currency of the price. `price_amount` is what was asked, in every status, so the price is taken in the proportion of the
 * coins that came to the coins that were due. Refunded money did not come.
 */
function receivedOf(payment: Payment): bigint {
  return payment.payment_status === 'refunded'
    ? 0n
    : inProportion(payment.price_amount, payment.actually_paid, payment.pay_amount)
}

/** A notification is theirs when `x-nowpayments-sig` is the HMAC-SHA512 of its content with the keys sorted at every level. */
function verifyNotification(secret: string, headers: Headers, body: Buffer) {
  if (body.length > MAX_WEBHOOK_BYTES) return refused('malformed', { why: 'too large' })
  const signature = headers.get('x-nowpayments-sig')
  if (!signature) return refused('bad_signature', { why: 'header missing' })
  const content = parseJson(body.toString('utf8'))
  const canonical = typeof content === 'object' && content !== null ? canonicalText(content) : null
  if (canonical === null) return refused('bad_signature', { why: 'nothing that could be signed' })
  const expected = createHmac('sha512', secret).update(canonical).digest()
  if (!isSameHex(signature, expected)) return refused('bad_signature', { why: 'the signature does not fit' })
  const notification = notificationSchema.safeParse(content)
  // Payouts are told under the same secret in another shape. They are taken, or they would come again, and speak of no payment.
  if (!notification.success) {
    const digest = createHash('sha256').update(canonical).digest('hex').slice(0, 32)
    return accepted({ externalId: `other:${digest}`, providerPaymentId: null, paymentId: null })
  }
  const { payment_id, payment_status, actually_paid, order_id } = notification.data
  return accepted({
    // Notifications have no id of their own, so the fact is the key.
    externalId: `${payment_id}:${payment_status}:${actually_paid ?? ''}`,
    providerPaymentId: paymentRef(payment_id),
    paymentId: order_id || null,
  })
}

/** What NOWPayments signs: the content with its keys sorted at every level, without spaces. Null when it is deeper than theirs. */
export function canonicalText(content: unknown): string | null {
  const sorted = sortKeys(content, MAX_DEPTH)
  return sorted === undefined ? null : JSON.stringify(sorted)
}

/** Undefined when it is too deep, which JSON itself has no value for. */
function sortKeys(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (depth === 0) return undefined
  if (Array.isArray(value)) {
    const items = value.map((item) => sortKeys(item, depth - 1))
    return items.includes(undefined) ? undefined : items
  }
  const entries = Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, item]) => [key, sortKeys(item, depth - 1)] as const)
  return entries.some(([, item]) => item === undefined) ? undefined : Object.fromEntries(entries)
}
