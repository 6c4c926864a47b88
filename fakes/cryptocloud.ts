import { randomBytes, randomInt } from 'node:crypto'
import { SignJWT } from 'jose'
import { amountText, parseAmount } from '@/lib/kit'
import { type Callback, CallbackSender, sendMany } from './callbacks'
import { type Fake, type FakeReply, type FakeRequest, FakeState, startFake } from './kit'
import { page } from './pages'
import { PAY_ACTIONS, type PayAction, paidBy, payActionOf, payPage } from './pay-page'

/**
 * A stand-in for CryptoCloud's API v2, with its habits: every call a POST, `Authorization: Token`, amounts as JSON numbers whose meaning
 * changes between create and info, times in UTC without a zone, `INV-` before ids except in postbacks, postbacks only for success
 * and signed by a short JWT that covers nothing but the invoice's id.
 */
export type CryptoCloudStatus = 'created' | 'partial' | 'paid' | 'overpaid' | 'canceled'
const STATUSES: readonly CryptoCloudStatus[] = ['created', 'partial', 'paid', 'overpaid', 'canceled']

type Invoice = {
  uuid: string
  orderId: string
  amount: string
  currency: string
  received: string
  status: CryptoCloudStatus
  testMode: boolean
  createdAt: string
  expiresAt: string
}
type Project = { notifyUrl: string; returnUrl: string; format: 'json' | 'form'; testMode: boolean }

/** The payer in every postback: invented, and searched for in database and logs by the shop's tests. */
export const CRYPTOCLOUD_PAYER = { email: 'payer.of.cryptocloud@example.net', wallet: 'TPayerWalletInvented0001' }

/** Invented rate of the coin, so that an amount in the coin never equals the amount in money by accident. */
const FIAT_PER_COIN = 0.9955
/** How long a postback's token is good, as CryptoCloud says. */
const TOKEN_SECONDS = 300

/** A postback's token for an invoice. The id goes in without `INV-`. */
export async function signPostbackToken(secret: string, id: string, expiresAt: number): Promise<string> {
  return new SignJWT({ id })
    .setProtectedHeader({ typ: 'JWT', alg: 'HS256' })
    .setExpirationTime(expiresAt)
    .sign(new TextEncoder().encode(secret))
}

/** Starts the provider on loopback. `notifyUrl` and `returnUrl` are project settings, as in the dashboard; control may change them. */
export async function startCryptoCloudFake(options: {
  port: number
  stateFile?: string
  apiKey: string
  shopId: string
  secret: string
  notifyUrl: string
  returnUrl?: string
  retryGapsMs?: readonly number[]
}): Promise<Fake> {
  const state = new FakeState<{ invoices: Record<string, Invoice> }>({ invoices: {} }, options.stateFile)
  const project: Project = {
    notifyUrl: options.notifyUrl,
    returnUrl: options.returnUrl ?? '',
    format: 'json',
    testMode: true,
  }
  const sender = new CallbackSender(options.retryGapsMs)
  let origin = ''

  function current(invoice: Invoice): Invoice {
    const isOpen = invoice.status === 'created' || invoice.status === 'partial'
    return isOpen && Date.parse(invoice.expiresAt) <= Date.now() ? { ...invoice, status: 'canceled' } : invoice
  }

  const find = (id: string | undefined): Invoice | undefined => {
    const invoice = state.value.invoices[stripped(id ?? '')]
    return invoice && current(invoice)
  }

  function keep(invoice: Invoice): Invoice {
    state.value.invoices[stripped(invoice.uuid)] = invoice
    state.save()
    return invoice
  }

  const failed = (key: string, text: string, status = 400): FakeReply => ({
    status,
    body: { status: 'error', result: { [key]: text } },
  })

  const guarded =
    (handle: (wish: Record<string, unknown>) => FakeReply) =>
    ({ headers, body }: FakeRequest): FakeReply => {
      if (headers.authorization !== `Token ${options.apiKey}`) return failed('authorization', 'Invalid token', 401)
      try {
        return handle(parse(body))
      } catch {
        return failed('validate_error', 'The body is not JSON')
      }
    }

  const currencyObject = {
    id: 4,
    code: 'USDT',
    fullcode: 'USDT_TRC20',
    network: { code: 'TRC20', id: 4, fullname: 'Tron' },
    name: 'Tether',
    stablecoin: true,
  }
  const projectObject = (invoice: Invoice): object => ({
    id: 1,
    name: 'Sluice',
    success: withHints(project.returnUrl, invoice),
    fail: withHints(project.returnUrl, invoice),
  })

  /** The invoice as `create` answers: here `amount` is the sum in money. */
  const asCreated = (invoice: Invoice): object => ({
    uuid: invoice.uuid,
    created: zoneless(invoice.createdAt),
    address: '',
    currency: null,
    date_finished: null,
    expiry_date: zoneless(invoice.expiresAt),
    side_commission: 'client',
    side_commission_cc: 'client',
    type_payments: 'crypto',
    status: invoice.status,
    is_email_required: false,
    project: projectObject(invoice),
    link: `${origin}/pay/${invoice.uuid}`,
    amount: Number(invoice.amount),
    amount_usd: Number(invoice.amount),
    amount_in_fiat: Number(invoice.amount),
    fee: 1.4,
    fee_usd: 1.4,
    service_fee: 0.38,
    service_fee_usd: 0.38,
    fiat_currency: invoice.currency,
    test_mode: invoice.testMode,
  })

  /** The invoice as `merchant/info` answers: here `amount` and `received` are sums in the coin. */
  const asInfo = (invoice: Invoice): object => ({
    uuid: invoice.uuid,
    address: CRYPTOCLOUD_PAYER.wallet,
    created: zoneless(invoice.createdAt),
    expiry_date: zoneless(invoice.expiresAt),
    side_commission: 'client',
    side_commission_cc: 'client',
    amount: inCoin(invoice.amount),
    amount_usd: Number(invoice.amount),
    amount_in_fiat: Number(invoice.amount),
    fiat_currency: invoice.currency,
    received: inCoin(invoice.received),
    received_usd: Number(invoice.received),
    fee: 1.4,
    fee_usd: 1.4,
    service_fee: 0.38,
    service_fee_usd: 0.38,
    status: invoice.status,
    order_id: invoice.orderId,
    currency: currencyObject,
    project: projectObject(invoice),
    test_mode: invoice.testMode,
  })

  function create(wish: Record<string, unknown>): FakeReply {
    if (wish.shop_id !== options.shopId) return failed('validate_error', 'Invalid shop_id')
    const amountMicros = typeof wish.amount === 'number' ? parseAmount(String(wish.amount)) : null
    if (amountMicros === null || amountMicros <= 0n) return failed('validate_error', 'Invalid amount')
    const life = (wish.add_fields as { time_to_pay?: { hours?: number; minutes?: number } } | undefined)?.time_to_pay
    const minutes = life ? (life.hours ?? 0) * 60 + (life.minutes ?? 0) : 24 * 60
    const now = Date.now()
    const invoice = keep({
      uuid: `INV-${newInvoiceId()}`,
      orderId: typeof wish.order_id === 'string' ? wish.order_id : '',
      amount: amountText(amountMicros),
      currency: typeof wish.currency === 'string' ? wish.currency : 'USD',
      received: '0.00',
      status: 'created',
      testMode: project.testMode,
      createdAt: new Date(now).toISOString(),
      expiresAt: new Date(now + minutes * 60_000).toISOString(),
    })
    return { body: { status: 'success', result: asCreated(invoice) } }
  }

  function info(wish: Record<string, unknown>): FakeReply {
    const uuids = Array.isArray(wish.uuids) ? wish.uuids.map(String) : []
    if (uuids.length === 0 || uuids.length > 100)
      return failed('validate_error', 'uuids must hold 1 to 100 identifiers')
    const found = uuids.map(find).filter((each) => each !== undefined)
    return { body: { status: 'success', result: found.map(asInfo) } }
  }

  function cancel(wish: Record<string, unknown>): FakeReply {
    const invoice = find(typeof wish.uuid === 'string' ? wish.uuid : '')
    if (!invoice || invoice.status !== 'created')
      return failed('validate_error', 'Only an invoice with status created can be canceled')
    keep({ ...invoice, status: 'canceled' })
    return { body: { status: 'success', result: ['ok'] } }
  }

  /** A postback as it is made for one attempt: a new token each time. */
  async function postback(id: string, how: { forged?: boolean; expired?: boolean } = {}): Promise<Callback | null> {
    const invoice = find(id)
    if (!invoice) return null
    const secret = how.forged ? randomBytes(24).toString('hex') : options.secret
    const expiresAt = Math.floor(Date.now() / 1000) + (how.expired ? -TOKEN_SECONDS : TOKEN_SECONDS)
    const token = await signPostbackToken(secret, stripped(invoice.uuid), expiresAt)
    const flat = {
      status: 'success',
      invoice_id: stripped(invoice.uuid),
      amount_crypto: inCoin(invoice.received),
      currency: 'USDT_TRC20',
      order_id: invoice.orderId,
      token,
    }
    if (project.format === 'form')
      return {
        url: project.notifyUrl,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ ...flat, amount_crypto: String(flat.amount_crypto) }).toString(),
      }
    return {
      url: project.notifyUrl,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ...flat,
        invoice_info: {
          ...asInfo(invoice),
          invoice_status: 'success',
          date_finished: zoneless(new Date().toISOString()),
          email: CRYPTOCLOUD_PAYER.email,
        },
      }),
    }
  }

  function pay(invoice: Invoice, amountMicros: bigint): Invoice {
    const receivedMicros = parseAmount(invoice.received)! + amountMicros
    const dueMicros = parseAmount(invoice.amount)!
    const status = receivedMicros < dueMicros ? 'partial' : receivedMicros === dueMicros ? 'paid' : 'overpaid'
    return keep({ ...invoice, received: amountText(receivedMicros), status })
  }

  const isPaid = (invoice: Invoice): boolean => invoice.status === 'paid' || invoice.status === 'overpaid'
  const missingOf = (invoice: Invoice): bigint => {
    const missing = parseAmount(invoice.amount)! - parseAmount(invoice.received)!
    return missing > 0n ? missing : 0n
  }

  /** CryptoCloud tells only of success: a part or an expiry is silent, whatever the button says. */
  function act(invoice: Invoice, action: PayAction): void {
    if (action === 'expire') keep({ ...invoice, status: 'canceled' })
    else pay(invoice, paidBy(action, missingOf(invoice)))
    if (!isPaid(find(invoice.uuid)!)) return
    for (let sent = 0; sent < PAY_ACTIONS[action].webhooks; sent += 1) void sender.deliver(() => postback(invoice.uuid))
  }

  const withInvoice =
    (handle: (invoice: Invoice, request: FakeRequest) => FakeReply | Promise<FakeReply>) =>
    (request: FakeRequest): FakeReply | Promise<FakeReply> => {
      const invoice = find(request.params.id)
      return invoice ? handle(invoice, request) : { status: 404, body: { error: 'not found' } }
    }

  const fake = await startFake({
    port: options.port,
    routes: [
      { method: 'POST', path: /^\/v2\/invoice\/create$/, handle: guarded(create) },
      { method: 'POST', path: /^\/v2\/invoice\/merchant\/info$/, handle: guarded(info) },
      { method: 'POST', path: /^\/v2\/invoice\/merchant\/canceled$/, handle: guarded(cancel) },
      {
        method: 'GET',
        path: /^\/pay\/(?<id>[\w-]+)$/,
        handle: ({ params }) => {
          const invoice = find(params.id)
          if (!invoice) return { status: 404, body: page('Not here', '<h1>This payment is not here</h1>') }
          return {
            body: payPage({
              brand: 'CryptoCloud (stand-in)',
              reference: invoice.uuid,
              amountMicros: parseAmount(invoice.amount)!,
              paidMicros: parseAmount(invoice.received)!,
              currency: invoice.currency,
              state: invoice.status,
              isDone: isPaid(invoice),
              expiresAt: invoice.expiresAt,
              returnUrl: project.returnUrl ? withHints(project.returnUrl, invoice) : null,
            }),
          }
        },
      },
      {
        method: 'POST',
        path: /^\/pay\/(?<id>[\w-]+)$/,
        handle: withInvoice((invoice, { body }) => {
          const action = payActionOf(body)
          if (!action) return { status: 400, body: page('Not understood', '<h1>No such action</h1>') }
          if (!isPaid(invoice)) act(invoice, action)
          return { status: 303, headers: { location: `/pay/${invoice.uuid}` }, body: '' }
        }),
      },
      {
        method: 'POST',
        path: /^\/control\/project$/,
        handle: ({ body }) => {
          const wish = parse(body)
          if (typeof wish.notifyUrl === 'string') project.notifyUrl = wish.notifyUrl
          if (typeof wish.returnUrl === 'string') project.returnUrl = wish.returnUrl
          if (wish.format === 'json' || wish.format === 'form') project.format = wish.format
          if (typeof wish.test_mode === 'boolean') project.testMode = wish.test_mode
          return { body: { ...project } }
        },
      },
      {
        method: 'GET',
        path: /^\/control\/invoices$/,
        handle: () => ({ body: Object.values(state.value.invoices).map((each) => asInfo(current(each))) }),
      },
      {
        method: 'POST',
        path: /^\/control\/invoices\/(?<id>[\w-]+)$/,
        handle: withInvoice((invoice, { body }) => {
          const wish = parse(body)
          if (wish.state !== undefined && !STATUSES.includes(wish.state as CryptoCloudStatus))
            return { status: 422, body: { error: `state is one of ${STATUSES.join(', ')}` } }
          const next = { ...invoice }
          if (wish.state !== undefined) next.status = wish.state as CryptoCloudStatus
          for (const [from, to] of [
            ['paid', 'received'],
            ['amount', 'amount'],
          ] as const)
            if (wish[from] !== undefined) {
              const micros = parseAmount(String(wish[from]))
              if (micros === null) return { status: 422, body: { error: from } }
              next[to] = amountText(micros)
            }
          for (const field of ['currency', 'orderId', 'expiresAt'] as const)
            if (typeof wish[field] === 'string') next[field] = wish[field]
          if (typeof wish.test_mode === 'boolean') next.testMode = wish.test_mode
          return { body: asInfo(keep(next)) }
        }),
      },
      {
        method: 'POST',
        path: /^\/control\/invoices\/(?<id>[\w-]+)\/pay$/,
        handle: withInvoice(async (invoice, { body }) => {
          const wish = parse(body)
          const amountMicros = wish.amount === undefined ? missingOf(invoice) : parseAmount(String(wish.amount))
          if (amountMicros === null) return { status: 422, body: { error: 'amount' } }
          const paid = pay(invoice, amountMicros)
          const answers: number[] = []
          const webhooks = Number(wish.webhooks ?? (isPaid(paid) ? 1 : 0))
          for (let sent = 0; sent < webhooks; sent += 1)
            answers.push(await sender.deliver(() => postback(invoice.uuid)))
          return { body: { ...asInfo(find(invoice.uuid)!), answers } }
        }),
      },
      {
        method: 'POST',
        path: /^\/control\/invoices\/(?<id>[\w-]+)\/webhook$/,
        handle: withInvoice(async (invoice, { body }) => {
          const wish = parse(body)
          const how = { forged: wish.forged === true, expired: wish.expired === true }
          const times = { times: Math.min(Number(wish.times ?? 1), 1000), concurrently: wish.concurrently === true }
          return { body: { answers: await sendMany(() => postback(invoice.uuid, how), times) } }
        }),
      },
    ],
  })
  origin = fake.url
  return { ...fake, close: () => (sender.stop(), fake.close()) }
}

const stripped = (id: string): string => id.replace(/^INV-/, '')

/** Eight capital letters and digits, as theirs look. */
function newInvoiceId(): string {
  const alphabet = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'
  return Array.from({ length: 8 }, () => alphabet[randomInt(alphabet.length)]).join('')
}

/** "2026-01-01 12:00:00.000000": UTC, and nothing says so. */
function zoneless(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}000`
}

/** A sum of money in the coin, to six decimals, as a JSON number. */
function inCoin(amount: string): number {
  return Number((Number(amount) / FIAT_PER_COIN).toFixed(6))
}

/** The way back with the hints CryptoCloud appends. */
function withHints(returnUrl: string, invoice: Invoice): string {
  if (!returnUrl) return ''
  const url = new URL(returnUrl)
  url.searchParams.set('order_id', invoice.orderId)
  url.searchParams.set('invoice_uuid', invoice.uuid)
  return url.toString()
}

function parse(body: string): Record<string, unknown> {
  const value: unknown = JSON.parse(body || '{}')
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
