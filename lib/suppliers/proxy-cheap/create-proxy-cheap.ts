import { z } from 'zod'
import { OperationalError } from '@/lib/kit'
import { asking, type CallOptions, readShape, sendCall, spending, type SupplierAnswer } from '../call'
import { assertChosen, assertReference, onePerId, placeOf } from '../held'
import { createRateLimit } from '../rate-limit'
import { refusalWords } from '../refusal-words'
import {
  type AccessOutcome,
  type HeldProxies,
  type HeldProxy,
  type Purchase,
  type PurchasedProxy,
  type PurchaseHint,
  type PurchaseOutcome,
  type PurchaseRequest,
  type Quote,
  type RenewOutcome,
  type RenewRequest,
  type Supplier,
  UnknownOutcomeError,
} from '../supplier'
import {
  balanceSchema,
  executeSchema,
  optionsSchema,
  priceSchema,
  proxiesSchema,
  type ProxyCheapParams,
  proxyCheapParamsSchema,
  type ProxyCheapProxy,
  type ProxyCheapRow,
} from './schemas'

const NAME = 'proxy-cheap'
/** The balance comes without one; their shop counts in dollars. */
const CURRENCY = 'USD'
/** They sell calendar months; ours are of 30 days. */
const DAYS_OF_A_MONTH = 30
const MOST_MONTHS = 12
/** Without a call for stock, it stands for "enough". */
const STOCK_UNTOLD = 100
/** Clocks differ: a proxy made this much before our call may still come from it. */
const CLOCK_SLACK_MS = 2 * 60_000
/** Their limit is not described; this is far below anything that was ever refused. */
const CALLS_PER_SECOND = 5
const NETWORKS: Record<ProxyCheapParams['service'], RegExp> = {
  'static-residential-ipv4': /resid/i,
  'static-datacenter-ipv4': /data ?_?center/i,
}

const limits = new Map<string, () => Promise<void>>()

function sharedLimit(identity: string): () => Promise<void> {
  const limit = limits.get(identity) ?? createRateLimit(CALLS_PER_SECOND, 1000)
  limits.set(identity, limit)
  return limit
}

type OddRow = Extract<ProxyCheapRow, { isOdd: true }>

class Refusal extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * Proxy-Cheap, API v2: static proxies. A purchase is accepted first and becomes active later, renewals are in months and one call for each proxy,
 * and addresses and login exclude each other. Renewing by itself is always off there.
 *
 * Nothing of ours can be written beside an order, and proxies do not tell which order they came with. So the id of an order is made here, of theirs
 * and the numbers of its proxies ("6f1c…:101-103,107"): with it, proxies that are accounted for are told from those of a lost answer.
 */
export function createProxyCheap(
  options: {
    baseUrl: string
    apiKey: string
    apiSecret: string
    /** How long to wait before each look for a delivery, right after buying. */
    pollDelaysMs?: readonly number[]
  } & CallOptions,
): Supplier {
  const callOptions: CallOptions = {
    fetch: options.fetch,
    timeoutMs: options.timeoutMs,
    waitForTurn: options.waitForTurn ?? sharedLimit(`${options.baseUrl} ${options.apiKey}`),
  }

  function send(method: 'GET' | 'POST', path: string, body?: unknown): Promise<SupplierAnswer> {
    return sendCall(
      NAME,
      {
        method,
        label: `${method} ${path}`,
        url: `${options.baseUrl.replace(/\/$/, '')}${path}`,
        headers: { 'x-api-key': options.apiKey, 'x-api-secret': options.apiSecret },
        ...(body === undefined ? {} : { body }),
      },
      callOptions,
    )
  }

  /** Sends one call. Throws Refusal (they said no), OperationalError (not done; also for wrong credentials) or UnclearAnswer. */
  async function call<Schema extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    schema: Schema,
    body?: unknown,
  ): Promise<z.infer<Schema>> {
    const answer = await send(method, path, body)
    if (answer.status < 300) return readShape(`${method} ${path}`, schema, answer.body)
    const words = refusalWords(answer.status, answer.body, options.apiKey).replaceAll(options.apiSecret, '[secret]')
    if (answer.status === 401 || answer.status === 403)
      throw new OperationalError(NAME, `${method} ${path}: the key is not allowed to (${words})`)
    throw new Refusal(answer.status, words)
  }

  /** For calls that change nothing, a refusal is a fault, too, except for those that mean "there is no such thing". */
  function ask<Schema extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    schema: Schema,
    body?: unknown,
  ): Promise<z.infer<Schema> | null> {
    return asking(NAME, async () => {
      try {
        return await call(method, path, schema, body)
      } catch (error) {
        if (!(error instanceof Refusal)) throw error
        if ([400, 404, 422].includes(error.status)) return null
        throw new OperationalError(NAME, `${method} ${path}: ${error.message}`)
      }
    })
  }

  /** What they list; `odd` are rows that cannot be read, which is no matter unless one of them is meant. */
  async function list(): Promise<{ proxies: ProxyCheapProxy[]; odd: OddRow[] }> {
    const rows = await ask('GET', '/proxies', proxiesSchema)
    if (rows === null) throw new OperationalError(NAME, 'GET /proxies was refused')
    const all = onePerId(rows)
    return {
      proxies: all.filter((row) => !row.isOdd).filter((proxy) => proxy.status !== 'CANCELED'),
      odd: all.filter((row) => row.isOdd),
    }
  }

  /** The order in their words, for price and execute; null where they have nothing like it. */
  function orderOf(request: Omit<PurchaseRequest, 'reference'>) {
    const params = proxyCheapParamsSchema.safeParse(request.params)
    const months = monthsOf(request.periodDays)
    if (!params.success || months === null) return null
    if (!/^[a-z]{2}$/i.test(request.countryCode)) return null
    if (!Number.isInteger(request.quantity) || request.quantity < 1) return null
    const { service, planId, ispId } = params.data
    const body = {
      planId,
      quantity: request.quantity,
      country: request.countryCode.toUpperCase(),
      period: { unit: 'months', value: months },
    }
    return { params: params.data, path: `/v2/order/${service}`, body, ispId }
  }

  async function quote(request: Omit<PurchaseRequest, 'reference'>): Promise<Quote | null> {
    const order = orderOf(request)
    if (order === null) return null
    const price = await ask('POST', `${order.path}/price`, priceSchema, order.body)
    return price === null ? null : { costMicros: price.finalPrice, currency: price.currency }
  }

  async function buy(request: PurchaseRequest): Promise<PurchaseOutcome> {
    assertReference(request.reference)
    const order = orderOf(request)
    if (order === null)
      return { kind: 'refused', code: 'rejected', detail: 'no such service, plan, country, period or quantity' }
    const body = {
      ...order.body,
      ...(order.ispId === undefined ? {} : { ispId: order.ispId }),
      autoExtend: { isEnabled: false },
    }
    let made: z.infer<typeof executeSchema>
    try {
      made = await spending(NAME, () => call('POST', `${order.path}/execute`, executeSchema, body))
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'refused', code: buyCode(error), detail: error.message }
      throw error
    }
    for (const delayMs of options.pollDelaysMs ?? [3000, 5000, 7000]) {
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      const delivered = await lookAgain(() => readTaken(made.id, request.quantity))
      if (delivered !== null)
        return { kind: 'delivered', ...toPurchase(made.id, delivered, order.params, made.totalPrice ?? null) }
    }
    throw new UnknownOutcomeError(NAME, `order ${made.id} was accepted and is not delivered yet`, made.id)
  }

  /** The proxies of an order of theirs when all of them work; null before. */
  async function readTaken(id: string, quantity: number): Promise<ProxyCheapProxy[] | null> {
    const path = `/orders/${encodeURIComponent(id)}/proxies`
    const delivered = onePerId((await ask('GET', path, proxiesSchema)) ?? []).filter((row) => !row.isOdd)
    return delivered.length < quantity || !delivered.every(isActive) ? null : delivered
  }

  async function findPurchase(reference: string, hint?: PurchaseHint): Promise<Purchase | null> {
    assertReference(reference)
    if (hint === undefined)
      throw new OperationalError(NAME, 'a purchase cannot be looked for without what was asked for and when')
    const order = orderOf(hint)
    // Such a request was never sent.
    if (order === null) return null
    if (hint.takenAs) {
      const taken = await readTaken(hint.takenAs, hint.quantity)
      if (taken) return toPurchase(hint.takenAs, taken, order.params, null)
      throw new OperationalError(NAME, 'the order was taken and is not delivered yet', { retryAfterMs: 30_000 })
    }
    const isKnown = knownBy(hint.knownOrderIds)
    const since = hint.sentAt.getTime() - CLOCK_SLACK_MS
    const { proxies, odd } = await list()
    const mayBeIt = (row: OddRow) => !isKnown(row.id) && !(row.createdAt && row.createdAt.getTime() < since)
    if (odd.some(mayBeIt)) throw new OperationalError(NAME, 'cannot tell: a new proxy is listed in an unknown shape')
    const fitting = proxies.filter(
      (proxy) =>
        proxy.createdAt.getTime() >= since &&
        // What they do not tell (yet) does not speak against it.
        (proxy.countryCode?.toUpperCase() ?? order.body.country) === order.body.country &&
        (!proxy.networkType || NETWORKS[order.params.service].test(proxy.networkType)) &&
        !isKnown(proxy.id),
    )
    if (fitting.length === 0) return null
    if (fitting.length > hint.quantity)
      throw new OperationalError(NAME, 'several orders could be the one that is looked for')
    if (fitting.length < hint.quantity || !fitting.every(isActive))
      throw new OperationalError(NAME, 'an order was taken and is not delivered yet', { retryAfterMs: 30_000 })
    return toPurchase(null, fitting, order.params, null)
  }

  /** What they list of these, in the order asked for. Their ids never change, and an address may be sold again: only both together name a proxy. */
  async function heldOf(held: HeldProxies): Promise<{ params: ProxyCheapParams; known: (ProxyCheapProxy | null)[] }> {
    assertChosen(held)
    const params = proxyCheapParamsSchema.parse(held.params)
    const { proxies, odd } = await list()
    if (odd.some((row) => held.proxies.some((proxy) => proxy.supplierRef === row.id)))
      throw new OperationalError(NAME, 'a proxy that is held is listed in an unknown shape')
    const listed = new Map(proxies.map((proxy) => [proxy.id, proxy]))
    const known = held.proxies.map((proxy: HeldProxy) => {
      const found = listed.get(proxy.supplierRef)
      return found && hasPlace(found, params) && placeOf(toProxy(found, params)) === placeOf(proxy) ? found : null
    })
    return { params, known }
  }

  async function readProxies(held: HeldProxies): Promise<PurchasedProxy[]> {
    const { params, known } = await heldOf(held)
    return known.flatMap((proxy) => (proxy === null ? [] : [toProxy(proxy, params)]))
  }

  /** What extending each of these costs; null where one cannot be. They quote one proxy at a time. */
  async function priceOfExtending(ids: string[], months: number): Promise<Quote | null> {
    let costMicros = 0n
    for (const id of ids) {
      const price = await ask('POST', `/proxies/${id}/period-extension-price`, priceSchema, { periodInMonths: months })
      if (price === null) return null
      if (price.currency !== CURRENCY)
        throw new OperationalError(NAME, `a price in ${price.currency} is not understood`)
      costMicros += price.finalPrice
    }
    return { costMicros, currency: CURRENCY }
  }

  async function quoteRenewal(request: Omit<RenewRequest, 'reference'>): Promise<Quote | null> {
    const { known } = await heldOf(request)
    const months = monthsOf(request.periodDays)
    if (months === null || known.includes(null)) return null
    return priceOfExtending(
      known.map((proxy) => proxy!.id),
      months,
    )
  }

  async function renew(request: RenewRequest): Promise<RenewOutcome> {
    const { params, known } = await heldOf(request)
    const months = monthsOf(request.periodDays)
    if (months === null) return { kind: 'refused', code: 'rejected', detail: 'a period that is not sold' }
    if (known.includes(null))
      return { kind: 'refused', code: 'gone', detail: 'some of the proxies are not there any more' }
    const before = known.map((proxy) => proxy!)
    // Looked at before the first, so that money for some of them is not found out in the middle.
    const price = await priceOfExtending(
      before.map((proxy) => proxy.id),
      months,
    )
    if (price === null) return { kind: 'refused', code: 'rejected', detail: 'one of the proxies cannot be extended' }
    const available = await balanceIfAllowed()
    if (available !== null && available < price.costMicros)
      return { kind: 'refused', code: 'supplier_unfunded', detail: 'the balance is below the price of the renewal' }
    try {
      await inTurn(before, (proxy) =>
        call('POST', `/proxies/${proxy.id}/extend-period`, z.unknown(), { periodInMonths: months }),
      )
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const code = error.status === 402 ? 'supplier_unfunded' : error.status === 404 ? 'gone' : 'rejected'
      return { kind: 'refused', code, detail: error.message }
    }
    const after = await lookAgain(() => readProxies(request))
    const ends = new Map(before.map((proxy) => [proxy.id, toProxy(proxy, params).expiresAt]))
    if (after.length < before.length || !after.every((proxy) => proxy.expiresAt > ends.get(proxy.supplierRef)!))
      throw new UnknownOutcomeError(NAME, 'the extension was accepted and does not show yet')
    return { kind: 'renewed', ...price, proxies: after }
  }

  /**
   * One call for each proxy, one after another. The first "no" is a no; one after something was done leaves some done and some not, which is an
   * unknown outcome: what became of each is told by a look at it.
   */
  async function inTurn(proxies: ProxyCheapProxy[], work: (proxy: ProxyCheapProxy) => Promise<unknown>): Promise<void> {
    for (const [index, proxy] of proxies.entries())
      try {
        await spending(NAME, () => work(proxy))
      } catch (error) {
        if (index === 0 || error instanceof UnknownOutcomeError) throw error
        if (!(error instanceof Refusal) && !(error instanceof OperationalError)) throw error
        throw new UnknownOutcomeError(NAME, `${index} of ${proxies.length} were done, and then: ${error.message}`)
      }
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

  async function bindAddresses(request: HeldProxies & { addresses: string[] }): Promise<AccessOutcome> {
    const { known } = await heldOf(request)
    if (known.includes(null)) return { kind: 'refused', detail: 'some of the proxies are not there any more' }
    const ips = request.addresses
    try {
      await inTurn(
        known.map((proxy) => proxy!),
        async (proxy) => {
          const isBound = (proxy.authentication?.whitelistedIps ?? []).length > 0
          if (ips.length === 0 && !isBound) return
          if (ips.length > 0 && isBound) await call('POST', `/proxies/${proxy.id}/whitelist-ip`, z.unknown(), { ips })
          else {
            const newAuthType = ips.length === 0 ? 'USERNAME_PASSWORD' : 'IP_WHITELIST'
            await call('POST', `/proxies/${proxy.id}/change-authentication-type`, z.unknown(), { newAuthType, ips })
          }
        },
      )
    } catch (error) {
      if (error instanceof Refusal) return { kind: 'refused', detail: error.message }
      throw error
    }
    const after = await lookAgain(() => heldOf(request))
    const isSet = (proxy: ProxyCheapProxy | null) => {
      const bound = proxy?.authentication?.whitelistedIps
      return proxy !== null && (!bound || bound.toSorted().join() === ips.toSorted().join())
    }
    if (!after.known.every(isSet)) throw new UnknownOutcomeError(NAME, 'addresses were accepted and do not show yet')
    return { kind: 'changed', proxies: after.known.map((proxy) => toProxy(proxy!, after.params)) }
  }

  async function getBalance(): Promise<{ balanceMicros: bigint; currency: string }> {
    return asking(NAME, async () => {
      const answer = await send('GET', '/account/balance')
      if (answer.status === 403)
        throw new OperationalError(NAME, 'the key may not read the balance: give it billing rights there')
      if (answer.status >= 300)
        throw new OperationalError(
          NAME,
          refusalWords(answer.status, answer.body, options.apiKey).replaceAll(options.apiSecret, '[secret]'),
        )
      const { balance } = readShape('GET /account/balance', balanceSchema, answer.body)
      return { balanceMicros: balance, currency: CURRENCY }
    })
  }

  /** Null where the key may not read it, or where it is told in another way than we know: no reason not to renew. */
  async function balanceIfAllowed(): Promise<bigint | null> {
    return asking(NAME, async () => {
      const answer = await send('GET', '/account/balance')
      const read = balanceSchema.safeParse(answer.body)
      return answer.status < 300 && read.success ? read.data.balance : null
    })
  }

  async function getStock(countryCode: string, wish: Record<string, unknown>): Promise<number> {
    const { service, planId } = proxyCheapParamsSchema.parse(wish)
    const found = await ask('POST', `/v2/order/${service}`, optionsSchema, { planId })
    const code = countryCode.toUpperCase()
    return found?.countries.some((country) => country.toUpperCase() === code) ? STOCK_UNTOLD : 0
  }

  return {
    name: NAME,
    capabilities: {
      model: 'order',
      canBuy: true,
      canRenew: true,
      canRenewSubset: true,
      canReplace: false,
      canChangeCredentials: false,
      canWhitelistIp: true,
      canChangeProtocol: false,
      hasTraffic: false,
      hasStock: false,
      hasWebhooks: false,
      periodUnit: 'months',
      isAsync: true,
    },
    buy,
    quote,
    findPurchase,
    getStock,
    getBalance,
    quoteRenewal,
    renew,
    readProxies,
    bindAddresses,
  }
}

function monthsOf(periodDays: number): number | null {
  const months = periodDays / DAYS_OF_A_MONTH
  return Number.isInteger(months) && months >= 1 && months <= MOST_MONTHS ? months : null
}

function buyCode({ status, message }: Refusal): 'supplier_unfunded' | 'sold_out' | 'rejected' {
  if (status === 402) return 'supplier_unfunded'
  return /not enough|out of stock|sold out|unavailable/i.test(message) ? 'sold_out' : 'rejected'
}

function isActive(proxy: ProxyCheapProxy): boolean {
  return proxy.status === 'ACTIVE'
}

function hostOf(proxy: ProxyCheapProxy): string | null {
  return proxy.connection?.connectIp || proxy.connection?.publicIp || null
}

function portOf(proxy: ProxyCheapProxy, { protocol }: ProxyCheapParams): number | null {
  return (protocol === 'http' ? proxy.connection?.httpPort : proxy.connection?.socks5Port) ?? null
}

function hasPlace(proxy: ProxyCheapProxy, params: ProxyCheapParams): boolean {
  return hostOf(proxy) !== null && portOf(proxy, params) !== null && Boolean(proxy.expiresAt)
}

/** A proxy that has its place. With bound addresses there is no login: both are empty then. Throws OperationalError for one without a place. */
function toProxy(proxy: ProxyCheapProxy, params: ProxyCheapParams): PurchasedProxy {
  const [host, port] = [hostOf(proxy), portOf(proxy, params)]
  if (host === null || port === null || !proxy.expiresAt)
    throw new OperationalError(NAME, `proxy ${proxy.id} is active and has no ${params.protocol} port, host or end`)
  return {
    supplierRef: proxy.id,
    host,
    port,
    username: proxy.authentication?.username ?? '',
    password: proxy.authentication?.password ?? '',
    protocols: [params.protocol],
    expiresAt: proxy.expiresAt,
  }
}

function toPurchase(
  orderId: string | null,
  proxies: ProxyCheapProxy[],
  params: ProxyCheapParams,
  totalMicros: bigint | null,
): Purchase {
  return {
    supplierOrderId: `${orderId ?? '?'}:${rangesOf(proxies.map((proxy) => Number(proxy.id)))}`,
    costMicros: totalMicros,
    currency: totalMicros === null ? null : CURRENCY,
    proxies: proxies.map((proxy) => toProxy(proxy, params)),
  }
}

/** "101-103,107" for 103, 101, 102 and 107. */
function rangesOf(ids: number[]): string {
  const ranges: [number, number][] = []
  for (const id of ids.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last && id === last[1] + 1) last[1] = id
    else ranges.push([id, id])
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',')
}

/** Whether a proxy came with one of these orders. */
function knownBy(orderIds: readonly string[]): (id: string) => boolean {
  const ranges = orderIds.flatMap((orderId) =>
    (orderId.split(':')[1] ?? '').split(',').map((range) => range.split('-').map(Number)),
  )
  return (id) => ranges.some(([from = Number.NaN, to = from]) => from <= Number(id) && Number(id) <= to)
}
