import { parseAmount } from '../lib/kit'
import { exitHost } from './exit'
import { type Fake, type FakeReply, type FakeRequest, FakeState, type Route, startFake } from './kit'
import { balanceRoute, jsonAmount, type Login, newLogin, talkNonsense, wishRoute } from './supply'

/**
 * A stand-in for Webshare: one plan (id 7) with proxies that are logins at the local exit, listed in pages with `next`, and replacements that take
 * as long as they are told to. Control, beside fakes/kit.ts and fakes/supply.ts (balance: the free credits, nonsense):
 *
 *   POST /control/pool      {"count":5,"country":"DE"}     these and no others
 *   POST /control/add       {"count":1,"country":"US"}
 *   POST /control/remove    {"id":"d-1001"}
 *   POST /control/change    {"id":"d-1001","pass":"…","user":"…","valid":false,"address":null,"country":"US"}
 *   POST /control/rename    {"id":"d-1001","to":"d-9"}     the same proxy under another id
 *   POST /control/list      {"page":2,"status":500}        this page of the next list fails
 *   POST /control/list      {"twice":true}                 the next lists tell the last row of a page again on the one after it
 *   POST /control/list      {"missing":true}               the next list lacks a row that it counts
 *   POST /control/limit     {"times":1,"retryAfter":7}     the next calls are too many
 *   POST /control/replacing {"states":["completed"]}       the states that a replacement goes through, one for each look at it
 *   GET  /control/proxies                                  every proxy of the plan
 */
type Proxy = Login & { id: string; address: string | null; valid: boolean; country: string }
type Replacement = { id: number; to: string[]; country: string; isDry: boolean; state: string; ahead: string[] }
type State = {
  balance: string
  nextId: number
  proxies: Proxy[]
  replacements: Replacement[]
  states: string[]
}

export type WebshareFake = Fake & { isSold: (username: string, password: string) => boolean }

const PLAN_ID = '7'
const FIRST_POOL = { DE: 15, US: 15, GB: 10 }

class Refused extends Error {
  readonly status: number
  readonly body: object
  constructor(status: number, body: object) {
    super()
    this.status = status
    this.body = body
  }
}

/** Starts the supplier on loopback. `exitPort` is where its proxies answer. */
export async function startWebshareFake(options: {
  port: number
  stateFile?: string
  apiKey: string
  exitPort: number
}): Promise<WebshareFake> {
  const state = new FakeState<State>(
    {
      balance: '12.50',
      nextId: 1000,
      proxies: [],
      replacements: [],
      states: ['validating', 'processing', 'completed'],
    },
    options.stateFile,
  )
  const { value } = state
  const list: { page: number; status: number; twice: boolean; missing: boolean } = {
    page: 0,
    status: 500,
    twice: false,
    missing: false,
  }
  const limit = { times: 0, retryAfter: 7 }

  const newProxy = (country: string): Proxy => {
    const number = (value.nextId += 1)
    return { ...newLogin(), id: `d-${number}`, address: exitHost(number), valid: true, country }
  }
  const proxyOf = (id: string): Proxy => value.proxies.find((proxy) => proxy.id === id)!
  if (value.proxies.length === 0)
    for (const [country, count] of Object.entries(FIRST_POOL))
      value.proxies.push(...Array.from({ length: count }, () => newProxy(country)))

  const api = (
    method: string,
    path: string,
    handle: (request: FakeRequest & { json: Record<string, unknown> }) => unknown,
  ): Route => ({
    method,
    path: new RegExp(`^${path}$`),
    handle: (request): FakeReply => {
      try {
        if (request.headers.authorization !== `Token ${options.apiKey}`)
          throw new Refused(401, { detail: 'Invalid token.', code: 'authentication_failed' })
        if (limit.times > 0) {
          limit.times -= 1
          const headers = { 'retry-after': String(limit.retryAfter) }
          return { status: 429, headers, body: { detail: 'Request was throttled.' } }
        }
        if ((request.url.searchParams.get('plan_id') ?? PLAN_ID) !== PLAN_ID)
          throw new Refused(400, { plan_id: [{ message: 'Plan does not exist.', code: 'does_not_exist' }] })
        const json = (request.body === '' ? {} : JSON.parse(request.body)) as Record<string, unknown>
        return { body: handle({ ...request, json }) }
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        return { status: error.status, body: error.body }
      }
    },
  })

  function replace(replacement: Replacement): void {
    value.proxies = value.proxies.map((proxy) =>
      replacement.to.includes(proxy.address ?? '') ? newProxy(replacement.country) : proxy,
    )
  }

  function shownReplacement(replacement: Replacement) {
    const isOver = ['completed', 'validated', 'failed'].includes(replacement.state)
    return {
      id: replacement.id,
      to_replace: { type: 'ip_address', ip_addresses: replacement.to },
      replace_with: [{ type: 'country', country_code: replacement.country }],
      dry_run: replacement.isDry,
      state: replacement.state,
      proxies_removed: isOver ? replacement.to.length : null,
      proxies_added: isOver ? replacement.to.length : null,
      reason: 'proxy_replaced',
      error: replacement.state === 'failed' ? 'Not enough proxies available.' : null,
      error_code: replacement.state === 'failed' ? 'no_proxies' : null,
    }
  }

  const routes: Route[] = [
    api('GET', '/api/v2/subscription/', () => ({
      id: 1,
      free_credits: jsonAmount(parseAmount(value.balance)!),
      renewals_enabled: true,
      throttled: false,
      paused: false,
    })),
    api('GET', '/api/v2/proxy/list/', ({ url }) => {
      const mode = url.searchParams.get('mode')
      if (mode !== 'direct' && mode !== 'backbone')
        throw new Refused(400, { mode: [{ message: 'This field is required.', code: 'required' }] })
      const page = Number(url.searchParams.get('page') ?? 1)
      const size = Math.min(Number(url.searchParams.get('page_size') ?? 25), 100)
      if (list.page === page) {
        list.page = 0
        throw new Refused(list.status, { detail: 'This page cannot be shown.' })
      }
      const rows = value.proxies.slice((page - 1) * size, page * size)
      if (list.twice && page > 1) rows.unshift(value.proxies[(page - 1) * size - 1]!)
      if (list.missing) {
        list.missing = false
        rows.pop()
      }
      const hasNext = page * size < value.proxies.length
      url.searchParams.set('page', String(page + 1))
      return {
        count: value.proxies.length,
        next: hasNext ? `${fake.url}${url.pathname}${url.search}` : null,
        previous: null,
        results: rows.map((proxy) => ({
          id: proxy.id,
          username: proxy.user,
          password: proxy.pass,
          proxy_address: proxy.address,
          port: options.exitPort,
          valid: proxy.valid,
          last_verification: new Date().toISOString(),
          country_code: proxy.country,
          city_name: 'Somewhere',
          created_at: '2026-11-01T00:00:00Z',
        })),
      }
    }),
    api('POST', '/api/v3/proxy/replace/', ({ json }) => {
      const from = json.to_replace as { type: string; ip_addresses: string[] }
      const [into] = json.replace_with as { type: string; country_code: string }[]
      if (from.type !== 'ip_address' || into?.type !== 'country' || from.ip_addresses.length === 0)
        throw new Refused(400, { to_replace: [{ message: 'Not a valid choice.', code: 'invalid_choice' }] })
      const isDry = json.dry_run === true
      const [first = 'completed', ...ahead] = isDry ? ['validating', 'validated'] : value.states
      const replacement: Replacement = {
        id: (value.nextId += 1),
        to: from.ip_addresses,
        country: into.country_code,
        isDry,
        state: first,
        ahead,
      }
      value.replacements.push(replacement)
      if (first === 'completed') replace(replacement)
      return shownReplacement(replacement)
    }),
    api('GET', '/api/v3/proxy/replace/(?<id>\\d+)/', ({ params }) => {
      const replacement = value.replacements.find((each) => String(each.id) === params.id)
      if (!replacement) throw new Refused(404, { detail: 'Not found.' })
      const next = replacement.ahead.shift()
      if (next !== undefined) replacement.state = next
      if (next === 'completed') replace(replacement)
      return shownReplacement(replacement)
    }),
  ]

  const fake: Fake = await startFake({
    port: options.port,
    routes: [
      ...talkNonsense(state, routes),
      balanceRoute(state),
      wishRoute<{ count: number; country: string }>(state, 'pool', ({ count, country }) => {
        value.proxies = Array.from({ length: count }, () => newProxy(country))
      }),
      wishRoute<{ count: number; country: string }>(state, 'add', ({ count, country }) => {
        value.proxies.push(...Array.from({ length: count }, () => newProxy(country)))
      }),
      wishRoute<{ id: string }>(state, 'remove', ({ id }) => {
        value.proxies = value.proxies.filter((proxy) => proxy.id !== id)
      }),
      wishRoute<Partial<Proxy> & { id: string }>(state, 'change', (wish) => Object.assign(proxyOf(wish.id), wish)),
      wishRoute<{ id: string; to: string }>(state, 'rename', ({ id, to }) => (proxyOf(id).id = to)),
      wishRoute<Partial<typeof list>>(state, 'list', ({ page = 0, status = 500, twice = false, missing = false }) =>
        Object.assign(list, { page, status, twice, missing }),
      ),
      wishRoute<Partial<typeof limit>>(state, 'limit', ({ times = 1, retryAfter = 7 }) =>
        Object.assign(limit, { times, retryAfter }),
      ),
      wishRoute<{ states: string[] }>(state, 'replacing', ({ states }) => (value.states = states)),
      { method: 'GET', path: /^\/control\/proxies$/, handle: () => ({ body: value.proxies }) },
    ],
  })
  state.save()
  return {
    ...fake,
    isSold: (username, password) =>
      value.proxies.some((proxy) => proxy.valid && proxy.user === username && proxy.pass === password),
  }
}
