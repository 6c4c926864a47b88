import type { z } from 'zod'
import { invariant, OperationalError, parseAmount } from '@/lib/kit'
import { createRateLimit } from '../rate-limit'
import {
  type Purchase,
  type PurchasedProxy,
  type PurchaseOutcome,
  type PurchaseRefusalCode,
  type PurchaseRequest,
  type Quote,
  type Supplier,
  UnknownOutcomeError,
} from '../supplier'
import {
  balanceSchema,
  buySchema,
  countSchema,
  listReplySchema,
  priceSchema,
  px6ParamsSchema,
  type Px6Proxy,
  refusalSchema,
} from './schemas'

const NAME = 'px6'
/** Their documented limit. */
const CALLS_PER_WINDOW = 3
/** They count by arrival; a tenth more than a second keeps calls that the network squeezed together apart. */
const WINDOW_MS = 1100
const PAGE_SIZE = 1000
/** Longer than any answer seen, shorter than a job's patience; after it a purchase is looked up. */
const DEFAULT_TIMEOUT_MS = 30_000
const NO_SUCH_COUNTRY = 220
/** Of a count, a period or a version. */
const NO_SUCH_CHOICE = new Set([200, 210, 240])
const REFUSALS: Record<number, PurchaseRefusalCode> = { 300: 'sold_out', 400: 'supplier_unfunded' }
/** With these the request never left this machine. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])

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

/** The call was sent, and what came back says nothing certain about what was done. */
class UnclearAnswer extends Error {}

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
  const send = options.fetch ?? fetch
  const waitForTurn = options.waitForTurn ?? sharedLimit(`${options.baseUrl} ${options.apiKey}`)

  /** Sends one call. Throws Px6Refusal (they said no), OperationalError (not done) or UnclearAnswer. */
  async function call<Schema extends z.ZodType>(
    method: string,
    parameters: Record<string, string>,
    schema: Schema,
  ): Promise<z.infer<Schema>> {
    await waitForTurn()
    const label = method || 'balance'
    const query = new URLSearchParams(parameters).toString()
    const path = method === '' ? '' : `${method}/`
    let response: Response
    try {
      response = await send(`${options.baseUrl.replace(/\/$/, '')}/${options.apiKey}/${path}?${query}&nokey`, {
        redirect: 'error',
        signal: AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS),
      })
    } catch (error) {
      const code = errorCode(error)
      if (NOT_SENT.has(code)) throw new OperationalError(NAME, `${label} was not sent (${code})`)
      throw new UnclearAnswer(`${label} was sent and not answered (${code})`)
    }
    if (response.status === 429) {
      await response.body?.cancel()
      throw new OperationalError(NAME, `${label}: too many requests`, { retryAfterMs: 2000 })
    }
    if (!response.ok) {
      await response.body?.cancel()
      throw new UnclearAnswer(`${label} was answered with status ${response.status}`)
    }
    let body: unknown
    try {
      body = JSON.parse(await response.text())
    } catch {
      throw new UnclearAnswer(`${label} was answered with something that is not JSON, or only in part`)
    }
    const refusal = refusalSchema.safeParse(body)
    if (refusal.success) {
      const words = refusal.data.error.replaceAll(options.apiKey, '[key]').slice(0, 100)
      throw new Px6Refusal(refusal.data.error_id, words)
    }
    const reply = schema.safeParse(body)
    if (!reply.success) {
      const places = reply.error.issues.slice(0, 3).map((issue) => issue.path.join('.'))
      throw new UnclearAnswer(`${label} was answered in an unknown shape (${places.join(', ')})`)
    }
    return reply.data
  }

  /** For calls that change nothing, every failure is one to repeat. */
  async function ask<Schema extends z.ZodType>(
    method: string,
    parameters: Record<string, string>,
    schema: Schema,
  ): Promise<z.infer<Schema>> {
    try {
      return await call(method, parameters, schema)
    } catch (error) {
      if (error instanceof UnclearAnswer) throw new OperationalError(NAME, error.message)
      if (error instanceof Px6Refusal) throw new OperationalError(NAME, `${method || 'balance'}: ${error.message}`)
      throw error
    }
  }

  async function buy(request: PurchaseRequest): Promise<PurchaseOutcome> {
    assertReference(request.reference)
    const params = px6ParamsSchema.safeParse(request.params)
    if (!params.success)
      return { kind: 'refused', code: 'rejected', detail: 'the offer names a version or type px6 does not have' }
    try {
      const reply = await call(
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
      )
      return {
        kind: 'delivered',
        supplierOrderId: reply.order_id,
        costMicros: micros(reply.price),
        currency: reply.currency,
        proxies: reply.list.map(toProxy),
      }
    } catch (error) {
      if (error instanceof UnclearAnswer) throw new UnknownOutcomeError(NAME, error.message)
      if (error instanceof Px6Refusal)
        return { kind: 'refused', code: REFUSALS[error.id] ?? 'rejected', detail: error.message }
      throw error
    }
  }

  async function findPurchase(reference: string): Promise<Purchase | null> {
    assertReference(reference)
    const proxies: Px6Proxy[] = []
    for (let page = 1; ; page += 1) {
      const { list } = await ask(
        'getproxy',
        { descr: reference, state: 'all', page: String(page), limit: String(PAGE_SIZE) },
        listReplySchema,
      )
      // Their filter is not described; ours is exact.
      proxies.push(...list.filter((proxy) => proxy.descr === reference))
      if (list.length < PAGE_SIZE) break
    }
    if (proxies.length === 0) return null
    return { supplierOrderId: null, costMicros: null, currency: null, proxies: proxies.map(toProxy) }
  }

  async function quote(request: Omit<PurchaseRequest, 'reference'>): Promise<Quote | null> {
    const params = px6ParamsSchema.safeParse(request.params)
    if (!params.success) return null
    try {
      const { price, currency } = await call(
        'getprice',
        { count: String(request.quantity), period: String(request.periodDays), version: params.data.version },
        priceSchema,
      )
      return { costMicros: micros(price), currency }
    } catch (error) {
      if (error instanceof Px6Refusal && NO_SUCH_CHOICE.has(error.id)) return null
      if (error instanceof Px6Refusal || error instanceof UnclearAnswer)
        throw new OperationalError(NAME, `getprice: ${error.message}`)
      throw error
    }
  }

  async function getStock(countryCode: string, params: Record<string, unknown>): Promise<number> {
    const { version } = px6ParamsSchema.parse(params)
    try {
      return (await call('getcount', { country: countryCode.toLowerCase(), version }, countSchema)).count
    } catch (error) {
      if (error instanceof Px6Refusal && error.id === NO_SUCH_COUNTRY) return 0
      if (error instanceof Px6Refusal || error instanceof UnclearAnswer)
        throw new OperationalError(NAME, `getcount: ${error.message}`)
      throw error
    }
  }

  async function getBalance(): Promise<{ balanceMicros: bigint; currency: string }> {
    const { balance, currency } = await ask('', {}, balanceSchema)
    return { balanceMicros: micros(balance), currency }
  }

  return {
    name: NAME,
    capabilities: {
      model: 'order',
      canBuy: true,
      canRenew: false,
      canRenewSubset: false,
      canReplace: false,
      canChangeCredentials: false,
      canWhitelistIp: false,
      canChangeProtocol: false,
      hasTraffic: false,
      hasStock: true,
      hasWebhooks: false,
      periodUnit: 'days',
      isAsync: false,
    },
    buy,
    quote,
    findPurchase,
    getStock,
    getBalance,
  }
}

/** The code of a failed fetch, without its message: that may hold the address, and the address holds the key. */
function errorCode(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: string } }
  return cause?.code ?? name ?? 'unknown'
}

function assertReference(reference: string): void {
  invariant(/^[\w.-]{1,50}$/.test(reference), 'a px6 reference has 1 to 50 letters, digits, "_", "-" or "."')
}

function micros(decimal: string): bigint {
  const amount = parseAmount(decimal)
  invariant(amount !== null, 'an amount that passed the schema is a plain decimal')
  return amount
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
