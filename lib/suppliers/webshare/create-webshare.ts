import type { z } from 'zod'
import { invariant, OperationalError } from '@/lib/kit'
import { asking, type CallOptions, readShape, sendCall, spending, UnclearAnswer } from '../call'
import { createRateLimit } from '../rate-limit'
import { refusalWords } from '../refusal-words'
import type { PoolProxy, PoolSupplier, Supplier } from '../supplier'
import {
  proxyPageSchema,
  replacementSchema,
  subscriptionSchema,
  webshareParamsSchema,
  type WebshareProxy,
  type WebshareReplacement,
} from './schemas'

const NAME = 'webshare'
const CURRENCY = 'USD'
const PAGE_SIZE = 100
/** Far more than any plan has pages; a list that never ends is a fault, not an endless job. */
const MAX_PAGES = 1000
/** Their documented limits a minute, and a minute that is a little longer than theirs. */
const CALLS_PER_MINUTE = 240
const LISTS_PER_MINUTE = 60
const MINUTE_MS = 62_000

type Limits = { call: () => Promise<void>; list: () => Promise<void> }

/** One set of limits per key and process, however often the adapter is made. */
const limits = new Map<string, Limits>()

function sharedLimits(identity: string): Limits {
  const found = limits.get(identity) ?? {
    call: createRateLimit(CALLS_PER_MINUTE, MINUTE_MS),
    list: createRateLimit(LISTS_PER_MINUTE, MINUTE_MS),
  }
  limits.set(identity, found)
  return found
}

/**
 * Webshare as a pool: the operator has a plan there, whose proxies become our stock. Nothing is ordered by machine (their purchase wants a captcha
 * solved). Their download link, which opens the whole list without a key, is never asked for.
 */
export function createWebshare(options: { baseUrl: string; apiKey: string } & CallOptions): Supplier {
  const { apiKey, waitForTurn } = options
  const shared = sharedLimits(`${options.baseUrl} ${apiKey}`)
  const baseUrl = options.baseUrl.replace(/\/$/, '')

  async function call<Schema extends z.ZodType>(
    method: 'GET' | 'POST',
    path: string,
    schema: Schema,
    more: { query?: Record<string, string>; body?: unknown; isList?: boolean } = {},
  ): Promise<z.infer<Schema>> {
    const query = new URLSearchParams(more.query).toString()
    const label = `${method} ${path}`
    const wait = async () => {
      if (more.isList) await shared.list()
      await shared.call()
    }
    const { status, body } = await sendCall(
      NAME,
      {
        method,
        label,
        url: `${baseUrl}${path}${query === '' ? '' : `?${query}`}`,
        headers: { authorization: `Token ${apiKey}` },
        body: more.body,
      },
      { ...options, waitForTurn: waitForTurn ?? wait },
    )
    if (status >= 400) throw new OperationalError(NAME, `${label}: ${refusalWords(status, body, apiKey)}`)
    return readShape(label, schema, body)
  }

  const listPool: PoolSupplier['listPool'] = (params) =>
    asking(NAME, async () => {
      const found = new Map<string, WebshareProxy>()
      for (let page = 1; page <= MAX_PAGES; page += 1) {
        // Their `next` is an address; the key is sent to none but the one we know.
        const query = { mode: 'direct', page: String(page), page_size: String(PAGE_SIZE), ...planQuery(params) }
        const { count, next, results } = await call('GET', '/api/v2/proxy/list/', proxyPageSchema, {
          query,
          isList: true,
        })
        for (const proxy of results) found.set(proxy.id, proxy)
        if (next !== null) continue
        // A row that moved between pages while they were read is told twice or not at all.
        if (found.size !== count)
          throw new UnclearAnswer(`the list said ${count} proxies and told ${found.size}: it changed while it was read`)
        return [...found.values()].map(toPoolProxy)
      }
      throw new UnclearAnswer('the list did not end')
    })

  const replaceInPool: PoolSupplier['replaceInPool'] = async ({ hosts, params, dryRun }) => {
    invariant(hosts.length > 0, 'a replacement names at least one host')
    const pool = await listPool(params)
    const countries = new Set(hosts.map((host) => pool.find((proxy) => proxy.host === host)?.countryCode))
    const [country] = countries
    if (countries.size !== 1 || country === undefined)
      throw new OperationalError(NAME, 'a replacement is for hosts of the pool, all of one country')
    return spending(NAME, async () => {
      const replacement = await call('POST', '/api/v3/proxy/replace/', replacementSchema, {
        query: planQuery(params),
        body: {
          to_replace: { type: 'ip_address', ip_addresses: hosts },
          replace_with: [{ type: 'country', country_code: country }],
          dry_run: dryRun,
        },
      })
      // The plan belongs to the id: without it another plan is asked.
      const { plan_id: planId } = planQuery(params)
      const id = planId === undefined ? String(replacement.id) : `${replacement.id}@${planId}`
      return { id, isDone: stateOf(replacement) === 'done' }
    })
  }

  const readReplacement: PoolSupplier['readReplacement'] = (id) =>
    asking(NAME, async () => {
      const [number, planId] = id.split('@')
      const path = `/api/v3/proxy/replace/${encodeURIComponent(number ?? '')}/`
      const query: Record<string, string> = planId === undefined ? {} : { plan_id: planId }
      const replacement = await call('GET', path, replacementSchema, { query })
      const words = [replacement.error_code, replacement.error].filter(Boolean).join(': ').replaceAll(apiKey, '[key]')
      return { state: stateOf(replacement), detail: words === '' ? null : words.slice(0, 200) }
    })

  return {
    name: NAME,
    capabilities: {
      model: 'pool',
      canBuy: false,
      canRenew: false,
      canRenewSubset: false,
      canReplace: false,
      canChangeCredentials: false,
      canWhitelistIp: false,
      canChangeProtocol: false,
      hasTraffic: false,
      hasStock: false,
      hasWebhooks: false,
      periodUnit: 'plans',
      isAsync: false,
    },
    buy: () =>
      Promise.resolve({ kind: 'refused', code: 'rejected', detail: 'the proxies of a pool are sold from our stock' }),
    quote: () => Promise.resolve(null),
    findPurchase: () => Promise.resolve(null),
    getStock: () => Promise.resolve(0),
    getBalance: () =>
      asking(NAME, async () => {
        const { free_credits } = await call('GET', '/api/v2/subscription/', subscriptionSchema)
        return { balanceMicros: free_credits, currency: CURRENCY }
      }),
    pool: { listPool, replaceInPool, readReplacement },
  }
}

function planQuery(params: Record<string, unknown>): { plan_id?: string } {
  const parsed = webshareParamsSchema.safeParse(params)
  if (!parsed.success) throw new OperationalError(NAME, 'the offer names an impossible plan')
  return parsed.data.planId === undefined ? {} : { plan_id: String(parsed.data.planId) }
}

/** A dry run ends as validated; of a real replacement that is only the beginning. */
function stateOf({ state, dry_run }: WebshareReplacement): 'pending' | 'done' | 'failed' {
  if (state === 'failed') return 'failed'
  return state === 'completed' || (dry_run && state === 'validated') ? 'done' : 'pending'
}

function toPoolProxy(proxy: WebshareProxy): PoolProxy {
  if (proxy.proxy_address === null)
    throw new OperationalError(NAME, 'a proxy without an address: a residential plan is no pool')
  return {
    supplierRef: proxy.id,
    host: proxy.proxy_address,
    port: proxy.port,
    username: proxy.username,
    password: proxy.password,
    protocols: ['http'],
    countryCode: proxy.country_code,
    isSellable: proxy.valid,
  }
}
