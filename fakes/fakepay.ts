import { createHmac, randomBytes } from 'node:crypto'
import { amountText, parseAmount } from '@/lib/kit'
import { type Callback, CallbackSender, sendMany } from './callbacks'
import { type Fake, type FakeReply, type FakeRequest, FakeState, startFake } from './kit'
import { escapeHtml, page } from './pages'
import { type FakeDispute, type FakeRefund, returnsControl, withRefund } from './returns'
import { PAY_ACTIONS, type PayAction, paidBy, payActionOf, payPage } from './pay-page'

/**
 * A payment provider of our own making, as a good one would be: idempotent by order id, found by order id, batch reads, webhooks
 * signed by the Standard Webhooks scheme, and a hosted page. `fakes/README.md` shows it with curl.
 */
export type FakepayState = 'pending' | 'confirming' | 'underpaid' | 'paid' | 'expired' | 'cancelled'
const STATES: readonly FakepayState[] = ['pending', 'confirming', 'underpaid', 'paid', 'expired', 'cancelled']

type Invoice = {
  id: string
  orderId: string
  amount: string
  currency: string
  paid: string
  state: FakepayState
  webhookUrl: string
  returnUrl: string
  createdAt: string
  expiresAt: string
  test: boolean
  eventId: string
  refunds?: FakeRefund[]
  disputes?: FakeDispute[]
  about?: 'refund' | 'dispute'
}

/** The payer every webhook speaks of: invented, and searched for in database and logs by the shop's tests. */
export const FAKEPAY_PAYER = {
  email: 'payer.of.fakepay@example.net',
  name: 'Pauline Payer',
  card: '4111 1111 1111 1111',
}

/** A signature by the Standard Webhooks scheme: HMAC-SHA256 over `id.timestamp.body`, keyed with the decoded part after `whsec_`. */
export function signStandardWebhook(secret: string, message: { id: string; timestamp: number; body: string }): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return `v1,${createHmac('sha256', key).update(`${message.id}.${message.timestamp}.${message.body}`).digest('base64')}`
}

/** Starts the provider on loopback. `secret` is the webhook secret, `whsec_` and at least 24 bytes in base64. */
export async function startFakepay(options: {
  port: number
  stateFile?: string
  apiKey: string
  secret: string
  retryGapsMs?: readonly number[]
}): Promise<Fake> {
  const state = new FakeState<{ invoices: Record<string, Invoice> }>({ invoices: {} }, options.stateFile)
  const sender = new CallbackSender(options.retryGapsMs)
  const notFound: FakeReply = { status: 404, body: { error: 'not found' } }
  const newEventId = (): string => `msg_${randomBytes(12).toString('hex')}`
  let origin = ''

  /** An invoice as it is now: time alone makes it expire. */
  function current(invoice: Invoice): Invoice {
    const isOpen = invoice.state === 'pending' || invoice.state === 'underpaid'
    return isOpen && Date.parse(invoice.expiresAt) <= Date.now() ? { ...invoice, state: 'expired' } : invoice
  }

  const find = (id: string | undefined): Invoice | undefined => {
    const invoice = state.value.invoices[id ?? '']
    return invoice && current(invoice)
  }

  const shown = (invoice: Invoice): object => ({
    id: invoice.id,
    orderId: invoice.orderId,
    amount: invoice.amount,
    currency: invoice.currency,
    paid: invoice.paid,
    state: invoice.state,
    test: invoice.test,
    payUrl: `${origin}/pay/${invoice.id}`,
    createdAt: invoice.createdAt,
    expiresAt: invoice.expiresAt,
    refunds: invoice.refunds ?? [],
    disputes: invoice.disputes ?? [],
  })

  function keep(invoice: Invoice): Invoice {
    state.value.invoices[invoice.id] = invoice
    state.save()
    return invoice
  }

  const guarded =
    (handle: (request: FakeRequest) => FakeReply) =>
    (request: FakeRequest): FakeReply =>
      request.headers.authorization === `Bearer ${options.apiKey}`
        ? handle(request)
        : { status: 401, body: { error: 'unauthorized' } }

  function create({ body }: FakeRequest): FakeReply {
    const wish = parse(body)
    const amountMicros = typeof wish.amount === 'string' ? parseAmount(wish.amount) : null
    if (amountMicros === null || amountMicros < 1_000_000n || amountMicros > 10_000_000_000n)
      return { status: 422, body: { error: 'amount' } }
    for (const field of ['orderId', 'webhookUrl', 'returnUrl'] as const)
      if (typeof wish[field] !== 'string' || wish[field] === '') return { status: 422, body: { error: field } }
    if (typeof wish.currency !== 'string' || !/^[A-Z]{3}$/.test(wish.currency))
      return { status: 422, body: { error: 'currency' } }
    const amount = amountText(amountMicros)
    const earlier = Object.values(state.value.invoices).find((each) => each.orderId === wish.orderId)
    if (earlier && (earlier.amount !== amount || earlier.currency !== wish.currency))
      return { status: 409, body: { error: 'orderId was used for another amount' } }
    if (earlier) return { status: 200, body: shown(current(earlier)) }
    const seconds = typeof wish.expiresInSeconds === 'number' ? wish.expiresInSeconds : 3600
    const invoice = keep({
      id: `fpi_${randomBytes(8).toString('hex')}`,
      orderId: String(wish.orderId),
      amount,
      currency: wish.currency,
      paid: '0.00',
      state: 'pending',
      webhookUrl: String(wish.webhookUrl),
      returnUrl: String(wish.returnUrl),
      createdAt: new Date().toISOString(),
      expiresAt: new Date(Date.now() + seconds * 1000).toISOString(),
      test: true,
      eventId: newEventId(),
    })
    return { status: 201, body: shown(invoice) }
  }

  /** Gives a part or all back, once per refund id of the caller. */
  function refund({ body }: FakeRequest): FakeReply {
    const wish = parse(body)
    const invoice = find(String(wish.invoiceId))
    if (!invoice) return notFound
    const amountMicros = typeof wish.amount === 'string' ? parseAmount(wish.amount) : null
    if (amountMicros === null || typeof wish.refundId !== 'string') return { status: 422, body: { error: 'amount' } }
    const eventId = newEventId()
    const made = withRefund(invoice, { refundId: wish.refundId, amountMicros, eventId, idPrefix: 'fpr_' })
    if (!made) return { status: 409, body: { error: 'more than is left' } }
    keep(made.payment)
    return { body: made.refund }
  }

  /** A page of what was begun in a span, oldest first; `next` is the mark of the page after it. */
  function listSpan(query: URLSearchParams): FakeReply {
    const [from, to] = [query.get('from'), query.get('to')].map((time) => Date.parse(time ?? ''))
    const limit = Number(query.get('limit') ?? 100)
    if (Number.isNaN(from) || Number.isNaN(to) || limit > 100)
      return { status: 422, body: { error: 'from, to, limit' } }
    const found = Object.values(state.value.invoices)
      .map(current)
      .filter((each) => query.get('state') === each.state)
      .filter(({ createdAt }) => Date.parse(createdAt) >= from! && Date.parse(createdAt) < to!)
    const start = found.findIndex((each) => each.id === query.get('after')) + 1
    const rows = found.slice(start, start + limit)
    return { body: { invoices: rows.map(shown), next: start + limit < found.length ? rows.at(-1)!.id : null } }
  }

  function list({ url }: FakeRequest): FakeReply {
    if (url.searchParams.has('from')) return listSpan(url.searchParams)
    const orderId = url.searchParams.get('orderId')
    const ids = url.searchParams.get('ids')?.split(',').filter(Boolean)
    if (ids && ids.length > 100) return { status: 422, body: { error: 'at most 100 ids' } }
    const found = ids
      ? ids.map(find).filter((each) => each !== undefined)
      : Object.values(state.value.invoices)
          .filter((each) => orderId !== null && each.orderId === orderId)
          .map(current)
    return { body: { invoices: found.map(shown) } }
  }

  /** The webhook about an invoice as it is when the attempt is made. The event's id stays the same over repeats. */
  async function webhook(id: string, how: { forged?: boolean; expired?: boolean } = {}): Promise<Callback | null> {
    const invoice = find(id)
    if (!invoice) return null
    const body = JSON.stringify({ type: 'invoice.changed', data: { ...shown(invoice), payer: FAKEPAY_PAYER } })
    const timestamp = Math.floor(Date.now() / 1000) - (how.expired ? 600 : 0)
    const secret = how.forged ? `whsec_${randomBytes(24).toString('base64')}` : options.secret
    return {
      url: invoice.webhookUrl,
      headers: {
        'content-type': 'application/json',
        'webhook-id': invoice.eventId,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signStandardWebhook(secret, { id: invoice.eventId, timestamp, body }),
      },
      body,
    }
  }

  /** Money arrives, also after expiry. A new fact, so a new event. */
  function pay(invoice: Invoice, amountMicros: bigint): Invoice {
    const paidMicros = parseAmount(invoice.paid)! + amountMicros
    return keep({
      ...invoice,
      paid: amountText(paidMicros),
      state: paidMicros >= parseAmount(invoice.amount)! ? 'paid' : 'underpaid',
      eventId: newEventId(),
    })
  }

  const missingOf = (invoice: Invoice): bigint => {
    const missing = parseAmount(invoice.amount)! - parseAmount(invoice.paid)!
    return missing > 0n ? missing : 0n
  }

  function act(invoice: Invoice, action: PayAction): void {
    if (action === 'expire') keep({ ...invoice, state: 'expired', eventId: newEventId() })
    else pay(invoice, paidBy(action, missingOf(invoice)))
    for (let sent = 0; sent < PAY_ACTIONS[action].webhooks; sent += 1) void sender.deliver(() => webhook(invoice.id))
  }

  const withInvoice =
    (handle: (invoice: Invoice, request: FakeRequest) => FakeReply | Promise<FakeReply>) =>
    (request: FakeRequest): FakeReply | Promise<FakeReply> => {
      const invoice = find(request.params.id)
      return invoice ? handle(invoice, request) : notFound
    }

  const fake = await startFake({
    port: options.port,
    routes: [
      { method: 'POST', path: /^\/api\/invoices$/, handle: guarded(create) },
      { method: 'GET', path: /^\/api\/invoices$/, handle: guarded(list) },
      { method: 'POST', path: /^\/api\/refunds$/, handle: guarded(refund) },
      ...returnsControl<Invoice>(
        { find, keep, newEventId, shown, send: (id) => sender.deliver(() => webhook(id)) },
        'fpr_',
      ),
      {
        method: 'GET',
        path: /^\/api\/invoices\/(?<id>\w+)$/,
        handle: guarded(({ params }) => {
          const invoice = find(params.id)
          return invoice ? { body: shown(invoice) } : notFound
        }),
      },
      {
        method: 'GET',
        path: /^\/pay\/(?<id>\w+)$/,
        handle: ({ params }) => {
          const invoice = find(params.id)
          if (!invoice) return { status: 404, body: page('Not here', '<h1>This payment is not here</h1>') }
          return {
            body: payPage({
              brand: 'Fakepay',
              reference: invoice.orderId,
              amountMicros: parseAmount(invoice.amount)!,
              paidMicros: parseAmount(invoice.paid)!,
              currency: invoice.currency,
              state: invoice.state,
              isDone: invoice.state === 'paid' || invoice.state === 'cancelled',
              expiresAt: invoice.expiresAt,
              returnUrl: invoice.returnUrl,
            }),
          }
        },
      },
      {
        method: 'POST',
        path: /^\/pay\/(?<id>\w+)$/,
        handle: withInvoice((invoice, { body }) => {
          const action = payActionOf(body)
          if (!action)
            return {
              status: 400,
              body: page('Not understood', `<h1>No such action</h1><p>${escapeHtml(invoice.id)}</p>`),
            }
          const isDone = invoice.state === 'paid' || invoice.state === 'cancelled'
          if (!isDone) act(invoice, action)
          return { status: 303, headers: { location: `/pay/${invoice.id}` }, body: '' }
        }),
      },
      {
        method: 'GET',
        path: /^\/control\/invoices$/,
        handle: () => ({
          body: Object.values(state.value.invoices).map((each) => ({
            ...shown(current(each)),
            webhookUrl: each.webhookUrl,
          })),
        }),
      },
      {
        method: 'POST',
        path: /^\/control\/invoices\/(?<id>\w+)$/,
        handle: withInvoice((invoice, { body }) => {
          const wish = parse(body)
          if (wish.state !== undefined && !STATES.includes(wish.state as FakepayState))
            return { status: 422, body: { error: `state is one of ${STATES.join(', ')}` } }
          const next = { ...invoice, eventId: newEventId() }
          if (wish.state !== undefined) next.state = wish.state as FakepayState
          for (const field of ['paid', 'amount'] as const)
            if (wish[field] !== undefined) {
              const micros = parseAmount(String(wish[field]))
              if (micros === null) return { status: 422, body: { error: field } }
              next[field] = amountText(micros)
            }
          for (const field of ['currency', 'orderId', 'webhookUrl', 'expiresAt'] as const)
            if (typeof wish[field] === 'string') next[field] = wish[field]
          if (typeof wish.test === 'boolean') next.test = wish.test
          return { body: shown(keep(next)) }
        }),
      },
      {
        method: 'POST',
        path: /^\/control\/invoices\/(?<id>\w+)\/pay$/,
        handle: withInvoice(async (invoice, { body }) => {
          const wish = parse(body)
          const amountMicros = wish.amount === undefined ? missingOf(invoice) : parseAmount(String(wish.amount))
          if (amountMicros === null) return { status: 422, body: { error: 'amount' } }
          pay(invoice, amountMicros)
          const answers: number[] = []
          for (let sent = 0; sent < Number(wish.webhooks ?? 1); sent += 1)
            answers.push(await sender.deliver(() => webhook(invoice.id)))
          return { body: { ...shown(find(invoice.id)!), answers } }
        }),
      },
      {
        method: 'POST',
        path: /^\/control\/invoices\/(?<id>\w+)\/webhook$/,
        handle: withInvoice(async (invoice, { body }) => {
          const wish = parse(body)
          const how = { forged: wish.forged === true, expired: wish.expired === true }
          const times = { times: Math.min(Number(wish.times ?? 1), 1000), concurrently: wish.concurrently === true }
          return { body: { answers: await sendMany(() => webhook(invoice.id, how), times) } }
        }),
      },
    ],
  })
  origin = fake.url
  return { ...fake, close: () => (sender.stop(), fake.close()) }
}

function parse(body: string): Record<string, unknown> {
  const value: unknown = JSON.parse(body || '{}')
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
