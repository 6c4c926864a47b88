import { randomBytes } from 'node:crypto'
import { amountText, parseAmount } from '@/lib/kit'
import { type Callback, CallbackSender, sendMany } from './callbacks'
import { type Fake, type FakeReply, type FakeRequest, FakeState, type Route, startFake } from './kit'
import { page } from './pages'
import { type FakeDispute, type FakeRefund, returnsControl } from './returns'
import { PAY_ACTIONS, type PayAction, paidBy, payActionOf, payPage } from './pay-page'

/** What every stand-in of a payment provider remembers of a payment, whatever its vendor calls it. Amounts are text in units. */
export type HostedPayment = {
  id: string
  orderId: string
  amount: string
  currency: string
  paid: string
  state: string
  test: boolean
  /** Its money is only seen, at vendors that tell so of single coins. */
  unsure?: boolean
  webhookUrl: string
  returnUrl: string
  createdAt: string
  expiresAt: string
  /** Of a deposit repeated later: the id of the first, at vendors that know such. */
  parent?: string
  /** A new one with every change: what a vendor calls the event's id. */
  eventId: string
  refunds?: FakeRefund[]
  disputes?: FakeDispute[]
  about?: 'refund' | 'dispute'
}

/** How a callback shall be wrong: signed with another secret, or rightly signed ten minutes ago. */
export type Wrong = { forged?: boolean; expired?: boolean }

export type HostedVendor = {
  brand: string
  /** The vendor's own words. Payments in an `open` state become `expired` by time alone; `done` ones take no more money on the page. */
  states: readonly string[]
  open: readonly string[]
  expired: string
  done: readonly string[]
  newId: () => string
  /** The state after money came, from what is there and what was asked. */
  afterPaying: (payment: HostedPayment, paidMicros: bigint, dueMicros: bigint) => string
  /** The payment in the vendor's shape: what its API answers, and control as well. */
  shown: (payment: HostedPayment, origin: string) => object
  /** The callback about a payment as it is now. */
  callback: (payment: HostedPayment, wrong: Wrong, origin: string) => Callback
  /** What ids of refunds begin with, where the vendor's stand-in knows of money that goes back. */
  refundPrefix?: string
  /** The vendor's API. */
  routes: (book: PaymentBook) => Route[]
}

export type PaymentBook = {
  origin: () => string
  find: (id: string | undefined) => HostedPayment | undefined
  all: () => HostedPayment[]
  /** Makes a payment. The state is the first of the vendor's words. */
  add: (wish: {
    orderId: string
    amountMicros: bigint
    currency: string
    webhookUrl: string
    returnUrl: string
    expiresAt: Date
  }) => HostedPayment
  keep: (payment: HostedPayment) => HostedPayment
  newEventId: () => string
}

/**
 * Starts a stand-in for a payment provider with a hosted page: the page with its buttons, the control API, callbacks with repeats and a
 * memory that survives a restart are the same for all; words, API and signatures are the vendor's.
 */
export async function startHostedFake(
  vendor: HostedVendor,
  options: { port: number; stateFile?: string; retryGapsMs?: readonly number[] },
): Promise<Fake> {
  const state = new FakeState<{ payments: Record<string, HostedPayment> }>({ payments: {} }, options.stateFile)
  const sender = new CallbackSender(options.retryGapsMs)
  const newEventId = (): string => randomBytes(12).toString('hex')
  let origin = ''

  function current(payment: HostedPayment): HostedPayment {
    const isOver = vendor.open.includes(payment.state) && Date.parse(payment.expiresAt) <= Date.now()
    return isOver ? { ...payment, state: vendor.expired } : payment
  }
  const find = (id: string | undefined): HostedPayment | undefined => {
    const payment = state.value.payments[id ?? '']
    return payment && current(payment)
  }
  function keep(payment: HostedPayment): HostedPayment {
    state.value.payments[payment.id] = payment
    state.save()
    return payment
  }
  const book: PaymentBook = {
    origin: () => origin,
    find,
    all: () => Object.values(state.value.payments).map(current),
    add: ({ amountMicros, expiresAt, ...wish }) =>
      keep({
        ...wish,
        id: vendor.newId(),
        amount: amountText(amountMicros),
        paid: '0.00',
        state: vendor.states[0]!,
        test: true,
        createdAt: new Date().toISOString(),
        expiresAt: expiresAt.toISOString(),
        eventId: newEventId(),
      }),
    keep,
    newEventId,
  }

  const callback = (id: string, wrong: Wrong = {}): Promise<Callback | null> => {
    const payment = find(id)
    return Promise.resolve(payment ? vendor.callback(payment, wrong, origin) : null)
  }
  function pay(payment: HostedPayment, amountMicros: bigint): void {
    const paidMicros = parseAmount(payment.paid)! + amountMicros
    const next = vendor.afterPaying(payment, paidMicros, parseAmount(payment.amount)!)
    keep({ ...payment, paid: amountText(paidMicros), state: next, about: undefined, eventId: newEventId() })
  }
  const missingOf = (payment: HostedPayment): bigint => {
    const missing = parseAmount(payment.amount)! - parseAmount(payment.paid)!
    return missing > 0n ? missing : 0n
  }
  function act(payment: HostedPayment, action: PayAction): void {
    if (action === 'expire') keep({ ...payment, state: vendor.expired, eventId: newEventId() })
    else pay(payment, paidBy(action, missingOf(payment)))
    for (let sent = 0; sent < PAY_ACTIONS[action].webhooks; sent += 1) void sender.deliver(() => callback(payment.id))
  }
  const withPayment =
    (handle: (payment: HostedPayment, request: FakeRequest) => FakeReply | Promise<FakeReply>) =>
    (request: FakeRequest): FakeReply | Promise<FakeReply> => {
      const payment = find(request.params.id)
      return payment ? handle(payment, request) : { status: 404, body: { error: 'not found' } }
    }

  const fake = await startFake({
    port: options.port,
    routes: [
      ...vendor.routes(book),
      ...(vendor.refundPrefix === undefined
        ? []
        : returnsControl<HostedPayment>(
            {
              find,
              keep,
              newEventId,
              send: (id) => sender.deliver(() => callback(id)),
              shown: (payment) => vendor.shown(payment, origin),
            },
            vendor.refundPrefix,
          )),
      {
        method: 'GET',
        path: /^\/pay\/(?<id>[\w-]+)$/,
        handle: ({ params }) => {
          const payment = find(params.id)
          if (!payment) return { status: 404, body: page('Not here', '<h1>This payment is not here</h1>') }
          return {
            body: payPage({
              brand: `${vendor.brand} (stand-in)`,
              reference: payment.orderId,
              amountMicros: parseAmount(payment.amount)!,
              paidMicros: parseAmount(payment.paid)!,
              currency: payment.currency,
              state: payment.state,
              isDone: vendor.done.includes(payment.state),
              expiresAt: payment.expiresAt,
              returnUrl: payment.returnUrl || null,
            }),
          }
        },
      },
      {
        method: 'POST',
        path: /^\/pay\/(?<id>[\w-]+)$/,
        handle: withPayment((payment, { body }) => {
          const action = payActionOf(body)
          if (!action) return { status: 400, body: page('Not understood', '<h1>No such action</h1>') }
          if (!vendor.done.includes(payment.state)) act(payment, action)
          return { status: 303, headers: { location: `/pay/${payment.id}` }, body: '' }
        }),
      },
      {
        method: 'GET',
        path: /^\/control\/invoices$/,
        handle: () => ({ body: book.all().map((each) => vendor.shown(each, origin)) }),
      },
      {
        method: 'POST',
        path: /^\/control\/invoices\/(?<id>[\w-]+)$/,
        handle: withPayment((payment, { body }) => {
          const wish = parseBody(body)
          if (wish.state !== undefined && !vendor.states.includes(String(wish.state)))
            return { status: 422, body: { error: `state is one of ${vendor.states.join(', ')}` } }
          const next = { ...payment, eventId: newEventId() }
          for (const field of ['paid', 'amount'] as const)
            if (wish[field] !== undefined) {
              const micros = parseAmount(String(wish[field]))
              if (micros === null) return { status: 422, body: { error: field } }
              next[field] = amountText(micros)
            }
          for (const field of ['state', 'currency', 'orderId', 'webhookUrl', 'expiresAt'] as const)
            if (typeof wish[field] === 'string') next[field] = wish[field]
          for (const field of ['test', 'unsure'] as const)
            if (typeof wish[field] === 'boolean') next[field] = wish[field]
          return { body: vendor.shown(keep(next), origin) }
        }),
      },
      {
        method: 'POST',
        path: /^\/control\/invoices\/(?<id>[\w-]+)\/pay$/,
        handle: withPayment(async (payment, { body }) => {
          const wish = parseBody(body)
          const amountMicros = wish.amount === undefined ? missingOf(payment) : parseAmount(String(wish.amount))
          if (amountMicros === null) return { status: 422, body: { error: 'amount' } }
          pay(payment, amountMicros)
          const answers: number[] = []
          for (let sent = 0; sent < Number(wish.webhooks ?? 1); sent += 1)
            answers.push(await sender.deliver(() => callback(payment.id)))
          return { body: { ...vendor.shown(find(payment.id)!, origin), answers } }
        }),
      },
      {
        method: 'POST',
        path: /^\/control\/invoices\/(?<id>[\w-]+)\/webhook$/,
        handle: withPayment(async (payment, { body }) => {
          const wish = parseBody(body)
          const wrong = { forged: wish.forged === true, expired: wish.expired === true }
          const times = { times: Math.min(Number(wish.times ?? 1), 1000), concurrently: wish.concurrently === true }
          return { body: { answers: await sendMany(() => callback(payment.id, wrong), times) } }
        }),
      },
    ],
  })
  origin = fake.url
  return { ...fake, close: () => (sender.stop(), fake.close()) }
}

/** A JSON body as a record; anything else is an empty one. Throws on text that is not JSON, which the server answers with 500. */
export function parseBody(body: string): Record<string, unknown> {
  const value: unknown = JSON.parse(body || '{}')
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
