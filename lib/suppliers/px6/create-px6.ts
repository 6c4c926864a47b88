import type { z } from 'zod'
import { OperationalError } from '@/lib/kit'
import { asking, readShape, sendCall, spending, UnclearAnswer } from '../call'
import { assertChosen, assertReference, onePerId, placeOf } from '../held'
import { createRateLimit } from '../rate-limit'
import type {
  HeldProxies,
  Purchase,
  PurchasedProxy,
  PurchaseOutcome,
  PurchaseRefusalCode,
  PurchaseRequest,
  Quote,
  RenewOutcome,
  RenewRequest,
  Supplier,
} from '../supplier'
import {
  balanceSchema,
  buySchema,
  countSchema,
  listReplySchema,
  priceSchema,
  prolongSchema,
  px6ParamsSchema,
  type Px6Proxy,
  type Px6Row,
  refusalSchema,
} from './schemas'

const NAME = 'px6'
/** Their documented limit. */
const CALLS_PER_WINDOW = 3
/** They count by arrival; a tenth more than a second keeps calls that the network squeezed together apart. */
const WINDOW_MS = 1100
const PAGE_SIZE = 1000
const NO_SUCH_COUNTRY = 220
/** Of a count, a period or a version. */
const NO_SUCH_CHOICE = new Set([200, 210, 240])
const BUY_REFUSALS: Record<number, PurchaseRefusalCode> = { 300: 'sold_out', 400: 'supplier_unfunded' }
const RENEW_REFUSALS: Record<number, 'gone' | 'supplier_unfunded'> = { 400: 'supplier_unfunded', 404: 'gone' }

/** One limit per key and process, however often the adapter is made. */
const limits = new Map<string, () => Promise<void>>()

function sharedLimit(identity: string): () => Promise<void> {
  const limit = limits.get(identity) ?? createRateLimit(CALLS_PER_WINDOW, WINDOW_MS)
  limits.set(identity, limit)
  return limit
}

class Px6Refusal extends Error {
  readonly id: number
  constructor(id: number, message: string) {
    super(`error ${id}: ${message}`)
    this.id = id
  }
}

/**
 * px6 (proxy6.net). Every method of theirs is a GET with the key in its path, so addresses are never logged or put into an error, and
 * nothing here repeats a call. `auto_prolong` is never sent: renewing is our own decision. `baseUrl` ends before the key.
 */
export function createPx6(options: {
  baseUrl: string
  apiKey: string
  fetch?: typeof fetch
  timeoutMs?: number
  /** Waits until a call may start; left out, their documented limit. */
  waitForTurn?: () => Promise<void>
}): Supplier {
  const callOptions = {
    ...options,
    waitForTurn: options.waitForTurn ?? sharedLimit(`${options.baseUrl} ${options.apiKey}`),
  }

  /** Sends one call. Throws Px6Refusal (they said no), OperationalError (not done) or UnclearAnswer. */
  async function call<Schema extends z.ZodType>(
    method: string,
    parameters: Record<string, string>,
    schema: Schema,
  ): Promise<z.infer<Schema>> {
    const label = method || 'balance'
    const query = new URLSearchParams(parameters).toString()
    const path = method === '' ? '' : `${method}/`
    const url = `${options.baseUrl.replace(/\/$/, '')}/${options.apiKey}/${path}?${query}&nokey`
    const { body } = await sendCall(NAME, { method: 'GET', label, url }, callOptions)
    const refusal = refusalSchema.safeParse(body)
    if (refusal.success) {
      const words = refusal.data.error.replaceAll(options.apiKey, '[key]').slice(0, 100)
      throw new Px6Refusal(refusal.data.error_id, words)
    }
    return readShape(label, schema, body)
  }

  /** For calls that change nothing, every failure is one to repeat, except the refusals that `answerTo` has an answer to. */
  function ask<Schema extends z.ZodType>(
    method: string,
    parameters: Record<string, string>,
    schema: Schema,
  ): Promise<z.infer<Schema>>
  function ask<Schema extends z.ZodType, Other>(
    method: string,
    parameters: Record<string, string>,
    schema: Schema,
    answerTo: (error: number) => Other | undefined,
  ): Promise<z.infer<Schema> | Other>
  function ask(
    method: string,
    parameters: Record<string, string>,
    schema: z.ZodType,
    answerTo: (error: number) => unknown = () => undefined,
  ): Promise<unknown> {
    return asking(NAME, async () => {
      try {
        return await call(method, parameters, schema)
      } catch (error) {
        if (!(error instanceof Px6Refusal)) throw error
        const answer = answerTo(error.id)
        if (answer !== undefined) return answer
        throw new OperationalError(NAME, `${method || 'balance'}: ${error.message}`)
      }
    })
  }

  /** Everything there is, page by page, active or expired. A row that cannot be read is no matter, unless it `isMeant`. */
  async function list(parameters: Record<string, string>, isMeant: (row: Px6Row) => boolean): Promise<Px6Proxy[]> {
    const found: Px6Row[] = []
    for (let page = 1; ; page += 1) {
      const reply = await ask(
        'getproxy',
        { ...parameters, state: 'all', page: String(page), limit: String(PAGE_SIZE) },
        listReplySchema,
      )
      found.push(...reply.list)
      if (reply.list.length < PAGE_SIZE) break
    }
    const rows = onePerId(found)
    if (rows.some((row) => row.isOdd && isMeant(row)))
      throw new OperationalError(NAME, 'getproxy: one of the proxies is told in an unknown shape')
    return rows.filter((row) => !row.isOdd)
  }

  async function buy(request: PurchaseRequest): Promise<PurchaseOutcome> {
    assertReference(request.reference)
    const params = px6ParamsSchema.safeParse(request.params)
    if (!params.success)
      return { kind: 'refused', code: 'rejected', detail: 'the offer names a version or type px6 does not have' }
    try {
      const reply = await spending(NAME, () =>
        call(
          'buy',
          {
            count: String(request.quantity),
            period: String(request.periodDays),
            country: request.countryCode.toLowerCase(),
            version: params.data.version,
            type: params.data.type,
            descr: request.reference,
          },
          buySchema,
        ),
      )
      return {
        kind: 'delivered',
        supplierOrderId: reply.order_id,
        costMicros: reply.price,
        currency: reply.currency,
        proxies: onePerId(reply.list).map(toProxy),
      }
    } catch (error) {
      if (error instanceof Px6Refusal)
        return { kind: 'refused', code: BUY_REFUSALS[error.id] ?? 'rejected', detail: error.message }
      throw error
    }
  }

  async function findPurchase(reference: string): Promise<Purchase | null> {
    assertReference(reference)
    // Their filter is not described; ours is exact.
    const isOurs = (row: Pick<Px6Row, 'descr'>) => row.descr === reference
    const proxies = (await list({ descr: reference }, isOurs)).filter(isOurs)
    if (proxies.length === 0) return null
    return { supplierOrderId: null, costMicros: null, currency: null, proxies: proxies.map(toProxy) }
  }

  async function priceFor(count: number, periodDays: number, wish: Record<string, unknown>): Promise<Quote | null> {
    const params = px6ParamsSchema.safeParse(wish)
    if (!params.success) return null
    const reply = await ask(
      'getprice',
      { count: String(count), period: String(periodDays), version: params.data.version },
      priceSchema,
      (error) => (NO_SUCH_CHOICE.has(error) ? null : undefined),
    )
    return reply === null ? null : { costMicros: reply.price, currency: reply.currency }
  }

  /** Their ids never change, and an address may be sold again: only both together name a proxy. */
  async function readProxies(held: HeldProxies): Promise<PurchasedProxy[]> {
    assertChosen(held)
    const isHeld = (row: Px6Row) => held.proxies.some((proxy) => proxy.supplierRef === row.id)
    const known = new Map((await list({}, isHeld)).map((proxy) => [proxy.id, toProxy(proxy)]))
    return held.proxies.flatMap((proxy) => {
      const found = known.get(proxy.supplierRef)
      return found !== undefined && placeOf(found) === placeOf(proxy) ? [found] : []
    })
  }

  async function renew(request: RenewRequest): Promise<RenewOutcome> {
    // They renew what they know of a list and are silent about the rest, so it is looked at first.
    const before = await readProxies(request)
    if (before.length < request.proxies.length)
      return { kind: 'refused', code: 'gone', detail: 'some of the proxies are not there any more' }
    const ids = before.map((proxy) => proxy.supplierRef)
    try {
      return await spending(NAME, async () => {
        const reply = await call('prolong', { period: String(request.periodDays), ids: ids.join(',') }, prolongSchema)
        const ends = new Map(reply.list.map((each) => [each.id, new Date(each.unixtime_end * 1000)]))
        const proxies = before.flatMap((proxy) => {
          const expiresAt = ends.get(proxy.supplierRef)
          return expiresAt === undefined ? [] : [{ ...proxy, expiresAt }]
        })
        if (proxies.length < before.length) throw new UnclearAnswer('prolong was answered for a part of the proxies')
        return { kind: 'renewed', costMicros: reply.price, currency: reply.currency, proxies }
      })
    } catch (error) {
      if (error instanceof Px6Refusal)
        return { kind: 'refused', code: RENEW_REFUSALS[error.id] ?? 'rejected', detail: error.message }
      throw error
    }
  }

  async function quoteRenewal(request: Omit<RenewRequest, 'reference'>): Promise<Quote | null> {
    const { length } = await readProxies(request)
    return length < request.proxies.length ? null : priceFor(length, request.periodDays, request.params)
  }

  async function getStock(countryCode: string, params: Record<string, unknown>): Promise<number> {
    const { version } = px6ParamsSchema.parse(params)
    const reply = await ask('getcount', { country: countryCode.toLowerCase(), version }, countSchema, (error) =>
      error === NO_SUCH_COUNTRY ? { count: 0 } : undefined,
    )
    return reply.count
  }

  async function getBalance(): Promise<{ balanceMicros: bigint; currency: string }> {
    const { balance, currency } = await ask('', {}, balanceSchema)
    return { balanceMicros: balance, currency }
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
      // Their `ipauth` binds the whole account, not a proxy.
      canWhitelistIp: false,
      canChangeProtocol: false,
      hasTraffic: false,
      hasStock: true,
      hasWebhooks: false,
      periodUnit: 'days',
      isAsync: false,
    },
    buy,
    quote: (request) => priceFor(request.quantity, request.periodDays, request.params),
    findPurchase,
    getStock,
    getBalance,
    quoteRenewal,
    renew,
    readProxies,
  }
}

function toProxy(proxy: Px6Proxy): PurchasedProxy {
  return {
    supplierRef: proxy.id,
    host: proxy.host,
    port: proxy.port,
    username: proxy.user,
    password: proxy.pass,
    protocols: [proxy.type === 'http' ? 'http' : 'socks5'],
    expiresAt: new Date(proxy.unixtime_end * 1000),
  }
}
