import { createHash } from 'node:crypto'
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

const NAME = 'cryptomus'
const AT_ONCE = 8
/** What Cryptomus takes as an invoice's life, in seconds. */
const LIFETIME_SECONDS = { min: 300, max: 43_200 }

const STATUSES = {
  check: 'awaiting',
  process: 'confirming',
  confirm_check: 'confirming',
  wrong_amount_waiting: 'underpaid',
  // Too little, and over: nobody can add the rest any more.
  wrong_amount: 'expired',
  paid: 'paid',
  paid_over: 'paid',
  cancel: 'expired',
  fail: 'rejected',
  system_fail: 'rejected',
  refund_process: 'cancelled',
  // Not wanted, and still there.
  refund_fail: 'rejected',
  refund_paid: 'cancelled',
  // Held by checks of the sender: nobody knows yet.
  locked: 'confirming',
} as const satisfies Record<string, TruthState>
type Status = keyof typeof STATUSES
/** States whose money went back, or is about to. */
const RETURNED: ReadonlySet<Status> = new Set(['refund_process', 'refund_paid'])

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const coinsSchema = z.union([z.string(), z.number()]).nullish()
const invoiceSchema = z.object({
  uuid: z.string().regex(UUID),
  order_id: z.string().max(200).nullish(),
  // What the invoice asks, in its own currency; what came is told in the payer's coin only.
  amount: microsSchema,
  currency: z.string().min(1).max(20),
  payer_amount: coinsSchema,
  payment_amount: coinsSchema,
  payment_status: z.string().refine((status): status is Status => Object.hasOwn(STATUSES, status)),
  url: z.url({ protocol: /^https?$/ }),
  expired_at: z.number().int().positive(),
  from: z.string().max(200).nullish().catch(null),
})
type Invoice = z.infer<typeof invoiceSchema>
const listSchema = z.object({
  items: z.array(z.unknown()),
  paginate: z.object({ nextCursor: z.string().max(1000).nullish() }),
})
/** Rows of the list may name their state by one word or the other. */
const stateOfRow = (row: unknown): unknown =>
  typeof row === 'object' && row !== null && 'status' in row ? { payment_status: row.status, ...row } : row
const rowSchema = z.preprocess(
  stateOfRow,
  invoiceSchema.omit({ url: true, expired_at: true }).extend({ created_at: z.string().max(40).nullish() }),
)
/** What decides whether a row is money; one that is none need not have our shape. */
const stateSchema = z.preprocess(stateOfRow, z.object({ payment_status: z.string().max(60) }))
/** What was paid, also when it was given back later. */
const PAID: ReadonlySet<string> = new Set(['paid', 'paid_over', 'refund_fail', ...RETURNED])
/** Their list takes dates without saying of which zone, so it is asked for as much more as zones differ. */
const ZONES_MS = 14 * 3_600_000
const answerSchema = z.object({ state: z.number(), result: z.unknown() })

const webhookSchema = z.object({
  type: z.string().max(30),
  uuid: z.string().regex(UUID),
  order_id: z.string().max(200).nullish(),
  status: z.string().regex(/^[a-z_]{1,30}$/),
  txid: z.string().max(200).nullish(),
})

/**
 * Cryptomus, invoices with a hosted page. An order id used again returns the invoice there is, so a create call may be repeated. Its signature
 * is an MD5 over everything and the key, and its "test webhook" is validly signed with any order id and status: a callback is never more
 * than a reason to ask.
 */
export function cryptomusProvider(settings: { apiUrl: string; merchantId: string; paymentKey: string }): Provider {
  invariant(settings.paymentKey.length > 0, 'the payment key of Cryptomus is not empty')
  const base = `${settings.apiUrl.replace(/\/$/, '')}/v1/payment`

  /** Null for what this merchant does not have. A key that is refused is answered with 401 or 403. */
  async function post(path: string, wish: Record<string, unknown>): Promise<unknown> {
    const text = JSON.stringify(wish)
    const { status, body } = await callProvider(NAME, new URL(`${base}${path}`), {
      method: 'POST',
      headers: {
        merchant: settings.merchantId,
        sign: cryptomusSignature(settings.paymentKey, text),
        'content-type': 'application/json',
      },
      body: text,
    })
    const isUnknown = path === '/info' && (status === 404 || status === 422)
    if (isUnknown) return null
    if (status !== 200) throw new OperationalError(NAME, `refused (${status})`)
    const { state, result } = readAnswer(NAME, 'a call', answerSchema, body)
    if (state !== 0 && path === '/info') return null
    if (state !== 0) throw new OperationalError(NAME, 'refused in its answer')
    return result
  }

  return {
    name: NAME,
    minMicros: 1_000_000n,
    maxMicros: 10_000_000_000n,

    async createCheckout(request): Promise<Checkout> {
      const seconds = Math.round((request.expiresAt.getTime() - Date.now()) / 1000)
      const result = await post('', {
        amount: amountText(request.amountMicros),
        currency: request.currency,
        order_id: request.paymentId,
        url_return: request.returnUrl,
        url_success: request.returnUrl,
        url_callback: request.webhookUrl,
        lifetime: Math.min(Math.max(seconds, LIFETIME_SECONDS.min), LIFETIME_SECONDS.max),
        is_payment_multiple: true,
        // Above zero, "paid" would mean a little less than asked.
        accuracy_payment_percent: 0,
      })
      const invoice = readAnswer(NAME, 'create', invoiceSchema, result)
      return {
        providerPaymentId: invoice.uuid,
        checkoutUrl: invoice.url,
        expiresAt: new Date(invoice.expired_at * 1000),
      }
    },

    // An order that is not there. Merchant and key are refused together, in the same words.
    testConnection() {
      const text = JSON.stringify({ order_id: 'connection-test' })
      const headers = {
        merchant: settings.merchantId,
        sign: cryptomusSignature(settings.paymentKey, text),
        'content-type': 'application/json',
      }
      return testConnectionBy(NAME, new URL(`${base}/info`), { method: 'POST', headers, body: text }, (status, body) =>
        [200, 404, 422].includes(status) && hasMember(body, 'state') ? { ok: true } : null,
      )
    },

    verifyWebhook: ({ body }) => Promise.resolve(verifyBody(settings.paymentKey, body)),

    async fetchPayments(payments) {
      const rows = await mapAtMost(payments, AT_ONCE, (each) => post('/info', { uuid: each.providerPaymentId }))
      const found = rows.filter((row) => row !== null)
      return readEach(NAME, invoiceSchema, found).map(truthOf)
    },

    async listPaid({ from, to }) {
      const wish = { date_from: zonelessTime(from, -ZONES_MS), date_to: zonelessTime(to, ZONES_MS) }
      const rows = await readPages(NAME, async (cursor: string | undefined) => {
        const result = await post(cursor ? `/list?cursor=${encodeURIComponent(cursor)}` : '/list', wish)
        const { items, paginate } = readAnswer(NAME, 'list', listSchema, result)
        return { rows: items, next: paginate.nextCursor || null }
      })
      const states = readAll(NAME, stateSchema, rows)
      const paid = readAll(
        NAME,
        rowSchema,
        rows.filter((_, index) => PAID.has(states[index]!.payment_status)),
      )
      return paidOnce(
        paid
          .filter((row) => isWithin(row.created_at, from, to))
          .map((row) => ({
            ...truthOf(row),
            receivedMicros: inProportion(row.amount, row.payment_amount, row.payer_amount),
          })),
      )
    },

    async findByPaymentId(paymentId) {
      const row = await post('/info', { order_id: paymentId })
      return row === null ? null : truthOf(readAnswer(NAME, 'info', invoiceSchema, row))
    },
  }
}

/** A time as their list takes it. */
function zonelessTime(time: Date, moveMs: number): string {
  return new Date(time.getTime() + moveMs).toISOString().slice(0, 19).replace('T', ' ')
}

/** Whether an invoice was made in the span. One whose time is not told, or not readable, counts: rather one row too many. */
function isWithin(createdAt: string | null | undefined, from: Date, to: Date): boolean {
  const time = Date.parse(createdAt ?? '')
  return Number.isNaN(time) || (time >= from.getTime() && time < to.getTime())
}

type Told = Omit<Invoice, 'url' | 'expired_at'>

function truthOf(invoice: Told): Truth {
  const receivedMicros = receivedOf(invoice)
  return {
    providerPaymentId: invoice.uuid,
    paymentId: invoice.order_id || null,
    // "Nobody paid", and money all the same: they do not stand by it.
    state: invoice.payment_status === 'cancel' && receivedMicros > 0n ? 'rejected' : STATUSES[invoice.payment_status],
    receivedMicros,
    requestedMicros: invoice.amount,
    currency: invoice.currency,
    // Nothing in an invoice says that it is a test; test webhooks make none.
    isTest: false,
    ...(invoice.from && { payerReference: invoice.from }),
    // The vendor gives back all of an invoice, once, and has no id for it.
    ...(invoice.payment_status === 'refund_paid'
      ? {
          refunds: [
            {
              providerRefundId: `all:${invoice.uuid}`,
              refundId: null,
              amountMicros: inProportion(invoice.amount, invoice.payment_amount, invoice.payer_amount),
              state: 'done' as const,
            },
          ],
        }
      : {}),
  }
}

/**
 * What came, in the currency of the invoice: `payment_amount` is in the payer's coin and `payer_amount` is what was due in it, so the price is
 * taken in their proportion.
 */
function receivedOf(invoice: Told): bigint {
  return RETURNED.has(invoice.payment_status)
    ? 0n
    : inProportion(invoice.amount, invoice.payment_amount, invoice.payer_amount)
}

/** The signature of a text: hex MD5 of its base64 with the key behind it. */
export function cryptomusSignature(key: string, text: string): string {
  return md5(key, text).toString('hex')
}

function md5(key: string, text: string): Buffer {
  return createHash('md5')
    .update(Buffer.from(text, 'utf8').toString('base64') + key)
    .digest()
}

/**
 * A callback is theirs when its field `sign` is the signature of the rest. The field is cut out of the text as it came: parsing could put keys in
 * another order and numbers in another shape, and the slashes, which PHP writes as `\/`, would have to be guessed back.
 */
function verifyBody(key: string, body: Buffer) {
  if (body.length > MAX_WEBHOOK_BYTES) return refused('malformed', { why: 'too large' })
  const text = body.toString('utf8')
  // Its own member at the end or the beginning of the object; a text value that holds such a member has its quotes escaped.
  const member = /,"sign":"([0-9a-f]{32})"(?=\s*\}\s*$)|(?<=^\s*\{)"sign":"([0-9a-f]{32})",/.exec(text)
  if (!member) return refused('bad_signature', { why: 'no signature in it' })
  const rest = text.slice(0, member.index) + text.slice(member.index + member[0].length)
  if (!isSameHex(member[1] ?? member[2]!, md5(key, rest))) return refused('bad_signature', { why: 'it does not fit' })
  const webhook = webhookSchema.safeParse(parseJson(text))
  if (!webhook.success) return refused('malformed', { why: 'not a callback' })
  const { type, uuid, order_id, status, txid } = webhook.data
  // Payouts and static wallets are told at the same door and are no top-ups.
  const isPayment = type === 'payment'
  return accepted({
    // Callbacks have no id of their own, so the fact is the key. Internal transfers have no transaction.
    externalId: `${type}:${uuid}:${status}:${createHash('sha256')
      .update(txid ?? '')
      .digest('hex')
      .slice(0, 12)}`,
    providerPaymentId: isPayment ? uuid : null,
    paymentId: isPayment ? order_id || null : null,
  })
}
