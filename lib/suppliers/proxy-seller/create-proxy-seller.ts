import { randomInt } from 'node:crypto'
import type { z } from 'zod'
import { DAY_MS, OperationalError } from '@/lib/kit'
import { alpha3Of } from '../alpha3'
import { asking, readShape, sendCall, spending, UnclearAnswer } from '../call'
import { assertChosen, assertReference, placeOf } from '../held'
import { createRateLimit, createSpacing } from '../rate-limit'
import {
  type AccessOutcome,
  type HeldProxies,
  type Purchase,
  type PurchasedProxy,
  type PurchaseHint,
  type PurchaseOutcome,
  type PurchaseRequest,
  type Quote,
  type Replacement,
  type ReplaceReason,
  type RenewOutcome,
  type RenewRequest,
  type Supplier,
  UnknownOutcomeError,
} from '../supplier'
import {
  authListSchema,
  authSchema,
  balanceSchema,
  calcSchema,
  envelopeSchema,
  itemsSchema,
  makeSchema,
  ordersSchema,
  type ProxySellerItem,
  type ProxySellerParams,
  proxySellerParamsSchema,
  referenceSchema,
  replaceSchema,
} from './schemas'

const NAME = 'proxy-seller'
/** Amounts come without one; their shop counts in dollars. */
const CURRENCY = 'USD'
/** Their codes for the periods they sell, by our days. */
const PERIODS: Record<number, string> = {
  7: '1w',
  14: '2w',
  30: '1m',
  60: '2m',
  90: '3m',
  180: '6m',
  270: '9m',
  360: '12m',
}
const PAGE_SIZE = 1000
/** The most of one order. Without a call for stock, it stands for "enough". */
const STOCK_UNTOLD = 100
/**
 * How much earlier than our call an order may seem to have been paid and still be the one of that call: their dates carry no zone, and some no time of
 * the day. An order too many here ends in "cannot tell", one too few would end in buying twice.
 */
const DATES_MAY_BE_OFF_BY_MS = 2 * DAY_MS
/** Bad key, address not allowed, limit reached: told by one and the same answer, and before anything was done. */
const AT_THE_DOOR = 503
/** The limit is counted by the minute. */
const DOOR_RETRY_MS = 60_000
/** "Already in progress": an earlier call renews them right now. */
const RENEWAL_UNDER_WAY = 57
const REASONS: Record<ReplaceReason, string> = {
  dead: 'NOT_WORK',
  wrong_country: 'INCORRECT_LOCATION',
  slow: 'LOW_SPEED',
  blocked: 'CANT_CHANGE_NETWORK',
  other: 'CUSTOM',
}

type Turn = 'read' | 'write' | 'money'
/** Their own client starts writes a second apart and calls that cost money two seconds apart. */
const GAPS_MS = { write: 1000, money: 2000 }

/** One line per key and process, however often the adapter is made. */
const lines = new Map<string, (turn: Turn) => Promise<void>>()

function sharedLine(identity: string): (turn: Turn) => Promise<void> {
  const known = lines.get(identity)
  if (known) return known
  // A thousand a minute is their limit; this is a little less.
  const limit = createRateLimit(15, 1000)
  const space = createSpacing()
  const line = async (turn: Turn) => {
    if (turn !== 'read') await space(GAPS_MS[turn])
    await limit()
  }
  lines.set(identity, line)
  return line
}

class Refusal extends Error {
  readonly code: number
  /** Some refusals carry the answer all the same: a quote above the balance, for one. */
  readonly data: unknown
  constructor(code: number, message: string, data: unknown) {
    super(`code ${code}: ${message}`)
    this.code = code
    this.data = data
  }
}

/**
 * Proxy-Seller, API v2. The key is in the path, so addresses are never logged or put into an error. Nearly every answer has status 200 and says inside
 * whether it went well. A purchase is accepted first and delivered within a minute. Payment is always from the balance, and their renewal by itself
 * is never switched on. `baseUrl` ends before the key.
 */
export function createProxySeller(options: {
  baseUrl: string
  apiKey: string
  fetch?: typeof fetch
  timeoutMs?: number
  /** Waits until a call of this kind may start; left out, what their own client keeps to. */
  waitForTurn?: (turn: Turn) => Promise<void>
  /** How long to wait before each look for a delivery, right after buying. */
  pollDelaysMs?: readonly number[]
}): Supplier {
  const waitForTurn = options.waitForTurn ?? sharedLine(`${options.baseUrl} ${options.apiKey}`)

  /** Sends one call. Throws Refusal (they said no), OperationalError (not done) or UnclearAnswer. */
  async function call<Schema extends z.ZodType>(
    turn: Turn,
    path: string,
    schema: Schema,
    body?: Record<string, unknown>,
  ): Promise<z.infer<Schema>> {
    const label = path.split('?')[0]!
    const answer = await sendCall(
      NAME,
      {
        method: body === undefined ? 'GET' : 'POST',
        label,
        url: `${options.baseUrl.replace(/\/$/, '')}/${options.apiKey}/${path}`,
        ...(body === undefined ? {} : { body }),
      },
      { fetch: options.fetch, timeoutMs: options.timeoutMs, waitForTurn: () => waitForTurn(turn) },
    )
    const { status, data, errors } = readShape(label, envelopeSchema, answer.body)
    if (status === 'success') return readShape(label, schema, data)
    const codes = errors.map((error) => Number(error.code ?? 0))
    const words = errors
      .map((error) => error.message ?? '')
      .join('; ')
      .replaceAll(options.apiKey, '[key]')
      .slice(0, 200)
    if (errors.length === 3 && codes.every((code) => code === AT_THE_DOOR))
      throw new OperationalError(NAME, `${label}: wrong key, address not allowed, or too many requests`, {
        retryAfterMs: DOOR_RETRY_MS,
      })
    throw new Refusal(codes[0] ?? 0, words, data)
  }

  /** For calls that change nothing, a refusal is a fault, too. */
  function ask<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    body?: Record<string, unknown>,
  ): Promise<z.infer<Schema>> {
    return asking(NAME, async () => {
      try {
        return await call('read', path, schema, body)
      } catch (error) {
        if (error instanceof Refusal) throw new OperationalError(NAME, `${path.split('?')[0]}: ${error.message}`)
        throw error
      }
    })
  }

  /** Page by page. How large a page may be is not described, so a short one need not be the last: that is the one which brings nothing new. */
  async function list(section: string, filter: Record<string, string> = {}): Promise<ProxySellerItem[]> {
    const found = new Map<string, ProxySellerItem>()
    for (let page = 1; ; page += 1) {
      const query = new URLSearchParams({ ...filter, page: String(page), per_page: String(PAGE_SIZE) }).toString()
      const { items } = await ask(`proxy/list/${section}?${query}`, itemsSchema)
      const before = found.size
      for (const item of items) found.set(item.id, item)
      if (found.size === before) return [...found.values()]
    }
  }

  /** All of an order, with what renewals made of it. Their filter may know each renewal as an order of its own, so it is not relied on for the whole. */
  async function listOf(section: string, baseNumber: string): Promise<ProxySellerItem[]> {
    return (await list(section)).filter((item) => item.base_order_number === baseNumber)
  }

  /** The order at their side, as a body for order/calc and order/make; null where they have nothing like it. */
  function orderBody(request: Omit<PurchaseRequest, 'reference'>): Record<string, unknown> | null {
    const params = proxySellerParamsSchema.safeParse(request.params)
    const countryId = alpha3Of(request.countryCode)
    const periodId = PERIODS[request.periodDays]
    if (!params.success || countryId === undefined || periodId === undefined) return null
    if (!Number.isInteger(request.quantity) || request.quantity < 1) return null
    return {
      sectionCode: params.data.section,
      countryId,
      periodId,
      paymentId: 'balance',
      quantity: request.quantity,
      // Login and password, and ones of this order's own: the account's shared login would let one customer in at another's.
      authorization: '',
      generateAuth: 'Y',
      customTargetName: params.data.purpose,
    }
  }

  async function buy(request: PurchaseRequest): Promise<PurchaseOutcome> {
    assertReference(request.reference)
    const body = orderBody(request)
    if (body === null)
      return { kind: 'refused', code: 'rejected', detail: 'no such section, purpose, country, period or quantity' }
    const params = proxySellerParamsSchema.parse(request.params)
    let made: z.infer<typeof makeSchema>
    try {
      made = await spending(NAME, () => call('money', 'order/make', makeSchema, body))
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'refused', code: buyCode(error), detail: error.message }
      throw error
    }
    const [baseNumber] = made.listBaseOrderNumbers
    for (const delayMs of baseNumber === undefined ? [] : (options.pollDelaysMs ?? [3000, 5000, 7000])) {
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      const delivered = await lookAgain(() => listOf(params.section, baseNumber!))
      if (delivered.length < request.quantity) continue
      await markAs(request.reference, delivered)
      return { kind: 'delivered', ...toPurchase(delivered, params, made.total) }
    }
    throw new UnknownOutcomeError(NAME, 'order/make was accepted and is not delivered yet', baseNumber ?? null)
  }

  /** A look right after spending: what goes wrong with it does not undo what was done. */
  async function lookAgain<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof OperationalError) throw new UnknownOutcomeError(NAME, `done, and then ${error.message}`)
      throw error
    }
  }

  /** Writes our reference beside the proxies, so that they are found by it from now on. Where that fails they stay findable as before. */
  async function markAs(reference: string, items: ProxySellerItem[]): Promise<void> {
    const ids = items.map((item) => item.id)
    try {
      await call('write', 'proxy/comment/set', envelopeSchema.shape.data, { ids, comment: reference })
    } catch (error) {
      if (error instanceof Refusal || error instanceof UnclearAnswer || error instanceof OperationalError) return
      throw error
    }
  }

  async function findPurchase(reference: string, hint?: PurchaseHint): Promise<Purchase | null> {
    assertReference(reference)
    if (hint === undefined)
      throw new OperationalError(NAME, 'a purchase cannot be looked for without what was asked for and when')
    const body = orderBody(hint)
    // Such a request was never sent.
    if (body === null) return null
    const params = proxySellerParamsSchema.parse(hint.params)
    const since = hint.sentAt.getTime() - DATES_MAY_BE_OFF_BY_MS
    const orders = await listOrders(new Date(since))
    const items = await list(params.section)
    const totals = new Map(orders.map((order) => [order.order_id, order.total ?? null]))
    const found = (group: ProxySellerItem[]) => toPurchase(group, params, totals.get(group[0]!.order_id) ?? null)

    const marked = items.find((item) => item.comment === reference)
    if (marked) return found(items.filter((item) => item.base_order_number === marked.base_order_number))
    if (hint.takenAs) {
      const taken = items.filter((item) => item.base_order_number === hint.takenAs)
      if (taken.length < hint.quantity)
        throw new OperationalError(NAME, 'the order was taken and is not delivered yet', { retryAfterMs: 30_000 })
      await markAs(reference, taken)
      return found(taken)
    }

    const countryId = String(body.countryId)
    const known = new Set(hint.knownOrderIds)
    const groups = new Map<string, ProxySellerItem[]>()
    for (const item of items) groups.set(item.base_order_number, [...(groups.get(item.base_order_number) ?? []), item])
    const unclaimed = [...groups.values()].filter(
      (group) =>
        group.length <= hint.quantity &&
        !known.has(group[0]!.base_order_number) &&
        group.every(
          (item) => (item.comment ?? '') === '' && mayBeIn(item, countryId) && item.date_start.getTime() >= since,
        ),
    )
    const fitting = unclaimed.filter((group) => group.length === hint.quantity)
    if (fitting.length > 1) throw new OperationalError(NAME, 'several orders could be the one that is looked for')
    const [only] = fitting
    if (only) {
      await markAs(reference, only)
      return found(only)
    }
    const shown = new Set(items.map((item) => item.order_id))
    const waiting = orders.filter(
      (order) =>
        !shown.has(order.order_id) &&
        !groups.has(order.base_order_number ?? '') &&
        !known.has(order.base_order_number ?? ''),
    )
    // Proxies of one order may appear one after another.
    if (waiting.length > 0 || unclaimed.length > 0)
      throw new OperationalError(NAME, 'an order was paid for and is not delivered yet', { retryAfterMs: 30_000 })
    return null
  }

  /** Paid orders that are not renewals, from the day of `since` on. */
  async function listOrders(since: Date): Promise<z.infer<typeof ordersSchema>['items']> {
    const found = new Map<string, z.infer<typeof ordersSchema>['items'][number]>()
    for (let page = 1; ; page += 1) {
      const query = new URLSearchParams({
        start_date: since.toISOString().slice(0, 10),
        status: 'PAYED',
        is_extend: 'N',
        page: String(page),
        limit: '100',
      }).toString()
      const { items } = await ask(`order/list?${query}`, ordersSchema)
      const before = found.size
      for (const item of items) found.set(item.order_id, item)
      if (found.size === before) return [...found.values()]
    }
  }

  async function quoteFrom(path: string, body: Record<string, unknown>): Promise<Quote | null> {
    return asking(NAME, async () => {
      try {
        const { total, currency } = await call('read', path, calcSchema, body)
        return { costMicros: total, currency }
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        // A price above our balance is a price.
        const priced = calcSchema.safeParse(error.data)
        return priced.success ? { costMicros: priced.data.total, currency: priced.data.currency } : null
      }
    })
  }

  async function quote(request: Omit<PurchaseRequest, 'reference'>): Promise<Quote | null> {
    const body = orderBody(request)
    return body === null ? null : quoteFrom('order/calc', body)
  }

  /** What they list now of these, in the order asked for; null where one is not there. A proxy is known by order, address and port. */
  async function itemsOf(held: HeldProxies, params: ProxySellerParams): Promise<(ProxySellerItem | null)[]> {
    assertChosen(held)
    const { supplierOrderId } = held
    const among = (listed: ProxySellerItem[]) =>
      held.proxies.map(
        (proxy) =>
          listed.find(
            (item) =>
              placeOf(toProxy(item, params)) === placeOf(proxy) &&
              (supplierOrderId === null ? item.id === proxy.supplierRef : item.base_order_number === supplierOrderId),
          ) ?? null,
      )
    if (supplierOrderId !== null) {
      const found = among(await list(params.section, { orderId: supplierOrderId }))
      if (!found.includes(null)) return found
    }
    return among(await list(params.section))
  }

  async function readProxies(held: HeldProxies): Promise<PurchasedProxy[]> {
    const params = proxySellerParamsSchema.parse(held.params)
    return (await itemsOf(held, params)).flatMap((item) => (item === null ? [] : [toProxy(item, params)]))
  }

  async function quoteRenewal(request: Omit<RenewRequest, 'reference'>): Promise<Quote | null> {
    const params = proxySellerParamsSchema.parse(request.params)
    const items = await itemsOf(request, params)
    const periodId = PERIODS[request.periodDays]
    if (periodId === undefined || items.includes(null)) return null
    const ids = items.map((item) => item!.id)
    return quoteFrom(`prolong/calc/${params.section}`, { ids, periodId, paymentId: 'balance' })
  }

  async function renew(request: RenewRequest): Promise<RenewOutcome> {
    const params = proxySellerParamsSchema.parse(request.params)
    // Their ids change with every renewal: they are asked for anew each time.
    const items = await itemsOf(request, params)
    const periodId = PERIODS[request.periodDays]
    if (periodId === undefined) return { kind: 'refused', code: 'rejected', detail: 'a period that is not sold' }
    if (items.includes(null))
      return { kind: 'refused', code: 'gone', detail: 'some of the proxies are not there any more' }
    const body = { ids: items.map((item) => item!.id), periodId, paymentId: 'balance' }
    let made: z.infer<typeof makeSchema>
    try {
      made = await spending(NAME, () => call('money', `prolong/make/${params.section}`, makeSchema, body))
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (error.code === RENEWAL_UNDER_WAY) throw new UnknownOutcomeError(NAME, `prolong/make: ${error.message}`)
      const code = isAboutMoney(error) ? 'supplier_unfunded' : 'rejected'
      return { kind: 'refused', code, detail: error.message }
    }
    const proxies = await lookAgain(() => readProxies(request))
    const before = new Map(items.map((item) => [placeOf(toProxy(item!, params)), item!.date_end]))
    const hasMoved = (proxy: PurchasedProxy) => proxy.expiresAt > before.get(placeOf(proxy))!
    if (proxies.length < items.length || !proxies.every(hasMoved))
      throw new UnknownOutcomeError(NAME, 'prolong/make was accepted and does not show yet')
    return { kind: 'renewed', costMicros: made.total, currency: CURRENCY, proxies }
  }

  async function replace(request: HeldProxies & { reason: ReplaceReason; comment?: string }): Promise<Replacement[]> {
    const params = proxySellerParamsSchema.parse(request.params)
    const items = await itemsOf(request, params)
    const { supplierOrderId } = request
    const listOrder = () => (supplierOrderId === null ? list(params.section) : listOf(params.section, supplierOrderId))
    const here = items.filter((item) => item !== null)
    const before = new Set((await listOrder()).map((item) => item.ip))
    const answers = new Map<string, { status: string; words: string }>()
    if (here.length > 0) {
      const comment = request.comment?.trim() || (request.reason === 'other' ? 'The proxy does not suit.' : undefined)
      const body = { ids: here.map((item) => item.id), type: REASONS[request.reason], ...(comment ? { comment } : {}) }
      try {
        const told = await spending(NAME, () => call('write', 'proxy/replace', replaceSchema, body))
        for (const [status, { ips, msg }] of Object.entries(told))
          for (const ip of ips) answers.set(ip, { status, words: msg ?? status })
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        for (const { ip } of here) answers.set(ip, { status: 'refused', words: error.message })
      }
    }
    const isReplaced = [...answers.values()].some(({ status }) => status === 'replaced')
    const after = isReplaced ? await lookAgain(listOrder) : []
    const fresh = after.filter((item) => !before.has(item.ip))
    const left = new Set(after.map((item) => item.ip))
    return request.proxies.map((proxy, index): Replacement => {
      const place = { host: proxy.host, port: proxy.port }
      const item = items[index]
      if (!item) return { kind: 'refused', ...place, detail: 'it is not there any more' }
      const { status, words } = answers.get(item.ip) ?? { status: 'unsaid', words: '' }
      if (status === 'replaced' && !left.has(item.ip)) {
        const next = fresh.shift()
        if (next) return { kind: 'replaced', ...place, replacement: toProxy(next, params) }
      }
      // The reason becomes a ticket there: whatever is neither done nor refused is with a person of theirs.
      if (/refus|reject|denied|declin|error|fail|limit|quota/i.test(status))
        return { kind: 'refused', ...place, detail: words }
      return { kind: 'pending', ...place }
    })
  }

  async function listOrder(order: {
    supplierOrderId: string
    params: Record<string, unknown>
  }): Promise<PurchasedProxy[]> {
    const params = proxySellerParamsSchema.parse(order.params)
    const items = await listOf(params.section, order.supplierOrderId)
    return items.map((item) => toProxy(item, params))
  }

  /** Access is set by whole orders there. What opens this one, or why it cannot be changed. */
  async function accessOf(held: HeldProxies, params: ProxySellerParams) {
    const items = await itemsOf(held, params)
    if (items.includes(null)) return { detail: 'some of the proxies are not there any more' }
    const numbers = new Set(items.map((item) => item!.base_order_number))
    const [orderNumber] = numbers
    if (numbers.size > 1 || orderNumber === undefined) return { detail: 'the proxies are of more than one order' }
    const siblings = await listOf(params.section, orderNumber)
    if (siblings.length > items.length)
      return { detail: 'login and addresses belong to the whole order: choose all of its proxies' }
    const auths = (await ask('auth/list', authListSchema)).filter((auth) => auth.orderNumber === orderNumber)
    return { orderNumber, auths, proxies: items.map((item) => toProxy(item!, params)) }
  }

  async function changing(work: () => Promise<AccessOutcome>): Promise<AccessOutcome> {
    try {
      return await spending(NAME, work)
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'refused', detail: error.message }
      throw error
    }
  }

  async function changeCredentials(request: HeldProxies): Promise<AccessOutcome> {
    const params = proxySellerParamsSchema.parse(request.params)
    const access = await accessOf(request, params)
    if ('detail' in access) return { kind: 'refused', detail: access.detail! }
    const logins = access.auths.filter((auth) => auth.active && auth.login)
    const [auth] = logins
    if (logins.length !== 1 || !auth) return { kind: 'refused', detail: 'the order has no login of its own' }
    return changing(async () => {
      const body = { id: auth.id, active: true, login: auth.login, password: newPassword() }
      const { login, password } = await call('write', 'auth/change', authSchema, body)
      if (!login || !password) throw new UnclearAnswer('auth/change was answered without a login')
      return { kind: 'changed', proxies: access.proxies.map((proxy) => ({ ...proxy, username: login, password })) }
    })
  }

  /** Login and password keep working beside the addresses. */
  async function bindAddresses(request: HeldProxies & { addresses: string[] }): Promise<AccessOutcome> {
    const params = proxySellerParamsSchema.parse(request.params)
    const access = await accessOf(request, params)
    if ('detail' in access) return { kind: 'refused', detail: access.detail! }
    const wanted = new Set(request.addresses)
    const { orderNumber } = access
    const steps: (() => Promise<unknown>)[] = []
    for (const { id, ip, active: isActive } of access.auths) {
      if (!ip) continue
      const active = wanted.delete(ip)
      if (isActive !== active) steps.push(() => call('write', 'auth/change', authSchema, { id, active, ip }))
    }
    for (const ip of wanted) steps.push(() => call('write', 'auth/add/ip', authSchema, { orderNumber, ip }))
    return changing(async () => {
      for (const [index, step] of steps.entries())
        try {
          await step()
        } catch (error) {
          if (index === 0 || error instanceof UnclearAnswer) throw error
          // A "no" in the middle is not a "no": some addresses are bound and some are not.
          throw new UnknownOutcomeError(
            NAME,
            `${index} of ${steps.length} addresses were changed, and then one was not`,
          )
        }
      return { kind: 'changed', proxies: access.proxies }
    })
  }

  async function getStock(countryCode: string, params: Record<string, unknown>): Promise<number> {
    const { section } = proxySellerParamsSchema.parse(params)
    const { items } = await ask(`reference/list/${section}`, referenceSchema)
    const country = alpha3Of(countryCode)
    return items.country.some(({ id }) => id === country) ? STOCK_UNTOLD : 0
  }

  return {
    name: NAME,
    capabilities: {
      model: 'order',
      canBuy: true,
      canRenew: true,
      canRenewSubset: true,
      canReplace: true,
      canChangeCredentials: true,
      canWhitelistIp: true,
      canChangeProtocol: false,
      hasTraffic: false,
      hasStock: false,
      hasWebhooks: false,
      periodUnit: 'plans',
      isAsync: true,
    },
    buy,
    quote,
    findPurchase,
    getStock,
    getBalance: async () => ({ balanceMicros: await ask('balance/get', balanceSchema), currency: CURRENCY }),
    quoteRenewal,
    renew,
    readProxies,
    replace,
    listOrder,
    changeCredentials,
    bindAddresses,
  }
}

/** Most refusals share code 0 and differ in their words only. Money first: their "not enough" is said of both. */
function isAboutMoney(refusal: Refusal): boolean {
  return /fund|balance|money|not enough \$/i.test(refusal.message)
}

function buyCode(refusal: Refusal): 'supplier_unfunded' | 'sold_out' | 'rejected' {
  if (isAboutMoney(refusal)) return 'supplier_unfunded'
  return /not enough|out of stock|sold out|no (free|available)|unavailable/i.test(refusal.message)
    ? 'sold_out'
    : 'rejected'
}

/** Letters and digits only: their rules for passwords are not described. */
function newPassword(): string {
  const letters = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
  return Array.from({ length: 12 }, () => letters[randomInt(letters.length)]).join('')
}

/** Whether nothing that is told of its place speaks against a country. */
function mayBeIn(item: ProxySellerItem, alpha3: string): boolean {
  const code = item.country_alpha3 || item.country || ''
  return !/^[A-Z]{3}$/i.test(code) || code.toUpperCase() === alpha3
}

function toPurchase(items: ProxySellerItem[], params: ProxySellerParams, totalMicros: bigint | null): Purchase {
  return {
    supplierOrderId: items[0]!.base_order_number,
    costMicros: totalMicros,
    currency: totalMicros === null ? null : CURRENCY,
    proxies: items.map((item) => toProxy(item, params)),
  }
}

function toProxy(item: ProxySellerItem, { protocol }: ProxySellerParams): PurchasedProxy {
  return {
    supplierRef: item.id,
    host: item.ip,
    port: protocol === 'http' ? item.port_http : item.port_socks,
    username: item.login ?? '',
    password: item.password ?? '',
    protocols: [protocol],
    expiresAt: item.date_end,
  }
}
