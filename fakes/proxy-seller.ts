import { randomBytes } from 'node:crypto'
import { amountText, parseAmount } from '../lib/kit'
import { exitHost } from './exit'
import { type Fake, type FakeReply, type FakeRequest, FakeState, type Route, startFake } from './kit'
import { balanceRoute, jsonAmount, type Login, newLogin, talkNonsense, wishRoute } from './supply'

/**
 * A stand-in for Proxy-Seller (API v2) with its habits: the key in the path, errors as status 200, one triple for every "no" at the door, delivery
 * some seconds after the purchase, other ids after each renewal (by which alone a renewed proxy is then filtered), one login for a whole order, pages
 * that may be shorter than asked for, dates without a zone, countries by name beside their code, money as numbers here and as "$3.60" there. What it
 * sells are logins at the local exit, each proxy at an address of its own. Control, beside fakes/kit.ts:
 *
 *   POST /control/stock       {"country":"DEU","count":5}         what is left to sell there
 *   POST /control/balance     {"amount":"0.50"}                   the reseller's own money
 *   POST /control/delivery    {"afterMs":2000}                    how long a purchase takes; null: until the next "deliver"
 *   POST /control/deliver                                         everything that was bought is delivered now
 *   POST /control/door        {"match":"order/make","times":1}    the triple of code 503 instead of doing it
 *   POST /control/renewing    {"times":1}                         code 57, "already in progress", instead of renewing
 *   POST /control/replacement {"outcome":"replaced"}              or "pending", "refused": what becomes of the next replacements
 *   POST /control/tickets     {"outcome":"replaced"}              or "refused": what becomes of the replacements that are pending
 *   POST /control/nonsense    {"match":"order/make","times":1}    do it, and answer something that is not JSON
 *   POST /control/age         {"seconds":86400}                   as if so much more time had passed since everything was sold
 *   POST /control/zone        {"hours":-5}                    how far their clock is from UTC, which their dates do not say
 *   POST /control/pages       {"size":50}                     the most on a page of proxies, however many are asked for
 *   POST /control/expire      {"ids":["…"]}                       these run out now
 *   GET  /control/orders                                          every order, newest first, with its proxies
 */
type Order = {
  id: string
  baseNumber: string
  section: string
  country: string
  quantity: number
  total: string
  isExtend: boolean
  at: number
  deliveredAt: number | null
}
type Proxy = {
  id: string
  orderId: string
  orderNumber: string
  baseNumber: string
  section: string
  host: string
  country: string
  comment: string
  startsAt: number
  endsAt: number
}
type Auth = { id: string; active: boolean; orderNumber: string; ip?: string; login?: string; password?: string }
type State = {
  balance: string
  stock: Record<string, number>
  deliverAfterMs: number | null
  replacement: 'replaced' | 'pending' | 'refused'
  /** Replacements that a person there has not decided yet, by proxy. */
  tickets: string[]
  nextHost: number
  zoneHours: number
  /** The most on a page of proxies, however many are asked for. */
  pageSize: number
  account: Login
  orders: Order[]
  proxies: Proxy[]
  auths: Auth[]
}

export type ProxySellerFake = Fake & {
  /** Whether this login was sold here and one of its proxies has not run out. */
  isSold: (username: string, password: string) => boolean
}

const PERIOD_DAYS: Record<string, number> = {
  '1w': 7,
  '2w': 14,
  '1m': 30,
  '2m': 60,
  '3m': 90,
  '6m': 180,
  '9m': 270,
  '12m': 360,
}
/** The wholesale price of one proxy for one day. */
const PRICES_MICROS: Record<string, bigint> = { ipv4: 50_000n, isp: 80_000n }
const REASONS = new Set(['NOT_WORK', 'INCORRECT_LOCATION', 'CANT_CHANGE_NETWORK', 'LOW_SPEED', 'CUSTOM'])
const MAX_QUANTITY = 200
const NAMES: Record<string, string> = {
  DEU: 'Germany',
  NLD: 'Netherlands',
  USA: 'United States',
  GBR: 'United Kingdom',
  FRA: 'France',
  RUS: 'Russia',
  JPN: 'Japan',
}

class ApiError extends Error {
  readonly code: number
  readonly data: unknown
  constructor(message: string, code = 0, data: unknown = null) {
    super(message)
    this.code = code
    this.data = data
  }
}

/** Starts the supplier on loopback; its API is at `<url>/personal/api/v2`. `exitPort` is where its proxies answer. */
export async function startProxySellerFake(options: {
  port: number
  stateFile?: string
  apiKey: string
  exitPort: number
}): Promise<ProxySellerFake> {
  const state = new FakeState<State>(
    {
      balance: '1000.00',
      stock: { DEU: 200, NLD: 200, USA: 500, GBR: 100, FRA: 100, RUS: 100, JPN: 20 },
      deliverAfterMs: 2000,
      replacement: 'replaced',
      tickets: [],
      nextHost: 0,
      zoneHours: 0,
      pageSize: 1000,
      account: newLogin(),
      orders: [],
      proxies: [],
      auths: [],
    },
    options.stateFile,
  )
  const { value } = state
  const door = { match: '', method: '', times: 0 }
  const renewing = { times: 0 }

  const isDelivered = (order: Order) =>
    order.deliveredAt !== null || (value.deliverAfterMs !== null && Date.now() >= order.at + value.deliverAfterMs)
  const isListed = (proxy: Proxy) => {
    const first = value.orders.find((order) => order.baseNumber === proxy.baseNumber && !order.isExtend)
    return proxy.endsAt > Date.now() && first !== undefined && isDelivered(first)
  }

  function priceOf(section: string, periodId: unknown, count: number): { total: bigint; days: number } {
    const days = PERIOD_DAYS[String(periodId).toLowerCase()]
    if (days === undefined) throw new ApiError('Set existed [periodId] from reference')
    return { total: PRICES_MICROS[section]! * BigInt(days * count), days }
  }

  /** What both the quote and the purchase check, and what the price is. */
  function priceOrder(body: Body): { section: string; country: string; quantity: number; total: bigint; days: number } {
    const section = String(body.sectionCode)
    if (!(section in PRICES_MICROS)) throw new ApiError('Set existed [sectionCode] from reference')
    if (body.paymentId !== 'balance') throw new ApiError('Set existed [paymentId] from reference')
    if (!String(body.customTargetName ?? '').trim()) throw new ApiError('Incorrect goal', 14)
    const country = String(body.countryId).toUpperCase()
    if (value.stock[country] === undefined) throw new ApiError('Set existed [countryId] from reference')
    const quantity = Number(body.quantity)
    if (!Number.isInteger(quantity) || quantity < 1 || quantity > MAX_QUANTITY)
      throw new ApiError('Set coorect [quantity]')
    return { section, country, quantity, ...priceOf(section, body.periodId, quantity) }
  }

  function quoted(total: bigint, quantity: number) {
    const balance = parseAmount(value.balance)!
    const data = {
      warning: shortage(total),
      balance: jsonAmount(balance),
      total: jsonAmount(total),
      quantity,
      currency: 'USD',
      discount: 0,
    }
    if (total > balance) throw new ApiError(data.warning, 0, data)
    return data
  }

  function shortage(total: bigint): string {
    const balance = parseAmount(value.balance)!
    return total > balance
      ? `Insufficient funds. Total $${amountText(total)}. Not enough $${amountText(total - balance)}`
      : ''
  }

  function pay(total: bigint): void {
    if (shortage(total) !== '') throw new ApiError(shortage(total))
    value.balance = amountText(parseAmount(value.balance)! - total)
  }

  function addProxy(order: Order, endsAt: number): Proxy {
    const proxy: Proxy = {
      id: newId(),
      orderId: order.id,
      orderNumber: order.baseNumber,
      baseNumber: order.baseNumber,
      section: order.section,
      host: exitHost((value.nextHost += 1)),
      country: order.country,
      comment: '',
      startsAt: order.at,
      endsAt,
    }
    value.proxies.push(proxy)
    return proxy
  }

  /** Another one in the place of this, in the same order and to the same end. */
  function exchange(proxy: Proxy): void {
    const order = value.orders.find((each) => each.baseNumber === proxy.baseNumber && !each.isExtend)!
    Object.assign(addProxy(order, proxy.endsAt), { orderId: proxy.orderId, comment: proxy.comment })
    proxy.endsAt = 0
  }

  function chosen(body: Body, section?: string): Proxy[] {
    const ids = Array.isArray(body.ids) ? body.ids.map(String) : []
    const ips = Array.isArray(body.ips) ? body.ips.map(String) : []
    if (ids.length > 0 === ips.length > 0) throw new ApiError('Set [ids] or [ips]')
    const found = value.proxies.filter(
      (proxy) =>
        isListed(proxy) &&
        (section === undefined || proxy.section === section) &&
        (ids.includes(proxy.id) || ips.includes(proxy.host)),
    )
    if (found.length < ids.length + ips.length) throw new ApiError('Set exists [ids]')
    return found
  }

  function shown(proxy: Proxy) {
    const auth = value.auths.find((each) => each.orderNumber === proxy.baseNumber && each.active && each.login)
    const login = auth ?? { login: value.account.user, password: value.account.pass }
    return {
      id: proxy.id,
      order_id: proxy.orderId,
      order_number: proxy.orderNumber,
      base_order_number: proxy.baseNumber,
      basket_id: proxy.orderId,
      ip: proxy.host,
      ip_only: proxy.host,
      protocol: 'HTTP',
      port_http: options.exitPort,
      port_socks: options.exitPort,
      login: login.login,
      password: login.password,
      auth_ip: value.auths.find((each) => each.orderNumber === proxy.baseNumber && each.active && each.ip)?.ip ?? '',
      country: NAMES[proxy.country] ?? proxy.country,
      country_alpha3: proxy.country,
      date_start: dateText(proxy.startsAt + value.zoneHours * 3_600_000),
      date_end: dateText(proxy.endsAt + value.zoneHours * 3_600_000),
      comment: proxy.comment,
      status: 'ACTIVE',
      can_prolong: true,
    }
  }

  function authOf(id: unknown): Auth {
    const auth = value.auths.find((each) => each.id === id)
    if (!auth) throw new ApiError('Set exists [id]')
    return auth
  }

  function assertOrder(number: unknown): string {
    if (!value.proxies.some((proxy) => proxy.baseNumber === number && isListed(proxy)))
      throw new ApiError('Set exists [orderNumber]')
    return String(number)
  }

  type Body = Record<string, unknown>
  type Call = { body: Body; query: URLSearchParams; type: string }
  const calls: [string, RegExp, (call: Call) => unknown][] = [
    [
      'GET',
      /^reference\/list\/(?<type>\w+)$/,
      () => ({
        items: {
          country: Object.keys(value.stock).map((id) => ({ id, name: id })),
          period: Object.keys(PERIOD_DAYS).map((id) => ({ id, name: id })),
        },
      }),
    ],
    ['GET', /^balance\/get$/, () => ({ summ: jsonAmount(parseAmount(value.balance)!) })],
    [
      'POST',
      /^order\/calc$/,
      ({ body }) => {
        const { total, quantity } = priceOrder(body)
        return quoted(total, quantity)
      },
    ],
    [
      'POST',
      /^order\/make$/,
      ({ body }) => {
        const { section, country, quantity, total, days } = priceOrder(body)
        if (quantity > value.stock[country]!) throw new ApiError('Not enough proxies in this country')
        pay(total)
        value.stock[country]! -= quantity
        const now = wholeSecond()
        const order: Order = {
          id: newId(),
          baseNumber: `NS_${now}-${randomBytes(6).toString('hex')}`,
          section,
          country,
          quantity,
          total: amountText(total),
          isExtend: false,
          at: now,
          deliveredAt: null,
        }
        value.orders.unshift(order)
        for (let made = 0; made < quantity; made += 1) addProxy(order, now + days * 86_400_000)
        if (body.generateAuth === 'Y') {
          const { user, pass } = newLogin()
          value.auths.push({ id: newId(), active: true, orderNumber: order.baseNumber, login: user, password: pass })
        }
        return {
          orderId: order.id,
          total: jsonAmount(total),
          listBaseOrderNumbers: [order.baseNumber],
          balance: jsonAmount(parseAmount(value.balance)!),
        }
      },
    ],
    [
      'GET',
      /^order\/list$/,
      ({ query }) => {
        const since = Date.parse(query.get('start_date') ?? '1970-01-01')
        const isExtend = query.get('is_extend')
        const found = value.orders.filter(
          (order) => order.at >= since && (isExtend === null || order.isExtend === (isExtend === 'Y')),
        )
        return {
          metadata: { total: found.length },
          items: pageOf(found, query.get('page'), query.get('limit')).map((order) => ({
            order_id: order.id,
            base_order_number: order.baseNumber,
            status: 'PAYED',
            quantity: order.quantity,
            country: order.country,
            total: `$${order.total}`,
            date_create: dateText(order.at + value.zoneHours * 3_600_000),
          })),
        }
      },
    ],
    [
      'GET',
      /^proxy\/list\/(?<type>\w+)$/,
      ({ type, query }) => {
        const order = query.get('orderId')
        const found = value.proxies.filter(
          (proxy) =>
            proxy.section === type &&
            isListed(proxy) &&
            (order === null || [proxy.orderId, proxy.orderNumber].includes(order)),
        )
        const size = Math.min(Number(query.get('per_page') ?? 50), value.pageSize)
        return { items: pageOf(found, query.get('page'), String(size)).map(shown) }
      },
    ],
    [
      'POST',
      /^proxy\/comment\/set$/,
      ({ body }) => {
        const comment = String(body.comment ?? '')
        if (comment.length > 256) throw new ApiError('Set comment')
        const found = chosen(body)
        for (const proxy of found) proxy.comment = comment
        return { updated: found.length }
      },
    ],
    [
      'POST',
      /^prolong\/calc\/(?<type>\w+)$/,
      ({ body, type }) => {
        const found = chosen(body, type)
        return quoted(priceOf(type, body.periodId, found.length).total, found.length)
      },
    ],
    [
      'POST',
      /^prolong\/make\/(?<type>\w+)$/,
      ({ body, type }) => {
        const found = chosen(body, type)
        const { total, days } = priceOf(type, body.periodId, found.length)
        if (body.paymentId !== 'balance') throw new ApiError('Set existed [paymentId] from reference')
        if (renewing.times > 0) {
          renewing.times -= 1
          throw new ApiError('Renewal is already in progress', 57)
        }
        pay(total)
        const now = wholeSecond()
        for (const baseNumber of new Set(found.map((proxy) => proxy.baseNumber))) {
          const renewed = found.filter((proxy) => proxy.baseNumber === baseNumber)
          const order: Order = {
            id: newId(),
            baseNumber,
            section: type,
            country: renewed[0]!.country,
            quantity: renewed.length,
            total: amountText((total * BigInt(renewed.length)) / BigInt(found.length)),
            isExtend: true,
            at: now,
            deliveredAt: now,
          }
          value.orders.unshift(order)
          for (const proxy of renewed)
            Object.assign(proxy, {
              id: newId(),
              orderId: order.id,
              orderNumber: `NS_${now}-${order.id.slice(0, 12)}`,
              endsAt: proxy.endsAt + days * 86_400_000,
            })
        }
        return {
          orderId: found[0]!.orderId,
          orderIds: [...new Set(found.map((proxy) => proxy.orderId))],
          total: jsonAmount(total),
          listBaseOrderNumbers: [...new Set(found.map((proxy) => proxy.baseNumber))],
          balance: jsonAmount(parseAmount(value.balance)!),
        }
      },
    ],
    [
      'POST',
      /^proxy\/replace$/,
      ({ body }) => {
        if (!REASONS.has(String(body.type))) throw new ApiError('Set coorect type: NOT_WORK, INCORRECT_LOCATION')
        if (body.type === 'CUSTOM' && !body.comment) throw new ApiError('Set comment', 503)
        const found = chosen(body)
        const ips = found.map((proxy) => proxy.host)
        if (value.replacement === 'pending') {
          value.tickets = [...new Set([...value.tickets, ...found.map((proxy) => proxy.id)])]
          return { processing: { ips, msg: 'A ticket was created' } }
        }
        if (value.replacement === 'refused') return { rejected: { ips, msg: 'Monthly replacement limit is reached' } }
        for (const proxy of found) exchange(proxy)
        return { replaced: { ips, msg: 'Replaced' } }
      },
    ],
    ['GET', /^auth\/list$/, () => value.auths],
    [
      'POST',
      /^auth\/add\/ip$/,
      ({ body }) => {
        const auth: Auth = {
          id: newId(),
          active: true,
          orderNumber: assertOrder(body.orderNumber),
          ip: String(body.ip),
        }
        value.auths.push(auth)
        return auth
      },
    ],
    [
      'POST',
      /^auth\/change$/,
      ({ body }) => {
        const { id, active, login, password, ip } = body as Partial<Auth>
        const wish = { active, login, password, ip }
        return Object.assign(
          authOf(id),
          Object.fromEntries(Object.entries(wish).filter(([, each]) => each !== undefined)),
        )
      },
    ],
  ]

  function answer({ method, url, params, body }: FakeRequest): FakeReply {
    const path = params.path ?? ''
    try {
      if (params.key !== options.apiKey) throw atTheDoor()
      if (door.times > 0 && path.startsWith(door.match) && [method, ''].includes(door.method)) {
        door.times -= 1
        throw atTheDoor()
      }
      for (const [verb, pattern, work] of calls) {
        const fit = pattern.exec(path)
        if (verb !== method || !fit) continue
        const data = work({
          body: JSON.parse(body || '{}') as Body,
          query: url.searchParams,
          type: fit.groups?.type ?? '',
        })
        return { body: { status: 'success', data, errors: [] } }
      }
      return { status: 404, body: '<html><title>404 Not Found</title></html>' }
    } catch (error) {
      if (error instanceof Door) return { body: { status: 'error', data: null, errors: error.errors } }
      if (!(error instanceof ApiError)) throw error
      const { message, code, data } = error
      return { body: { status: 'error', data, errors: [{ message, code, customData: null }] } }
    }
  }

  const path = /^\/personal\/api\/v2\/(?<key>[^/]+)\/(?<path>.+)$/
  const fake = await startFake({
    port: options.port,
    routes: [
      ...talkNonsense(
        state,
        ['GET', 'POST'].map((method): Route => ({ method, path, handle: answer })),
      ),
      balanceRoute(state),
      wishRoute<{ country: string; count: number }>(state, 'stock', ({ country, count }) => {
        value.stock[country] = count
      }),
      wishRoute<{ afterMs: number | null }>(state, 'delivery', ({ afterMs }) => {
        value.deliverAfterMs = afterMs
      }),
      wishRoute(state, 'deliver', () => {
        for (const order of value.orders) order.deliveredAt ??= Date.now()
      }),
      wishRoute<Partial<typeof door>>(state, 'door', ({ match = '', method = '', times = 1 }) =>
        Object.assign(door, { match, method, times }),
      ),
      wishRoute<{ times?: number }>(state, 'renewing', ({ times = 1 }) => Object.assign(renewing, { times })),
      wishRoute<{ outcome: State['replacement'] }>(state, 'replacement', ({ outcome }) => {
        value.replacement = outcome
      }),
      wishRoute<{ outcome: 'replaced' | 'refused' }>(state, 'tickets', ({ outcome }) => {
        if (outcome === 'replaced')
          for (const proxy of value.proxies) if (value.tickets.includes(proxy.id) && isListed(proxy)) exchange(proxy)
        value.tickets = []
      }),
      wishRoute<{ seconds: number }>(state, 'age', ({ seconds }) => {
        const ms = seconds * 1000
        for (const order of value.orders) {
          order.at -= ms
          if (order.deliveredAt !== null) order.deliveredAt -= ms
        }
        for (const proxy of value.proxies) {
          proxy.startsAt -= ms
          proxy.endsAt -= ms
        }
      }),
      wishRoute<{ size: number }>(state, 'pages', ({ size }) => {
        value.pageSize = size
      }),
      wishRoute<{ hours: number }>(state, 'zone', ({ hours }) => {
        value.zoneHours = hours
      }),
      wishRoute<{ ids: string[] }>(state, 'expire', ({ ids }) => {
        for (const proxy of value.proxies) if (ids.includes(proxy.id)) proxy.endsAt = Date.now()
      }),
      {
        method: 'GET',
        path: /^\/control\/orders$/,
        handle: () => ({
          body: value.orders.map((order) => ({
            ...order,
            proxies: value.proxies.filter((proxy) => proxy.orderId === order.id),
          })),
        }),
      },
    ],
  })
  return {
    ...fake,
    isSold: (username, password) => {
      const auth = value.auths.find((each) => each.active && each.login === username && each.password === password)
      return (
        auth !== undefined && value.proxies.some((proxy) => proxy.baseNumber === auth.orderNumber && isListed(proxy))
      )
    },
  }
}

/** Their one answer to a wrong key, a wrong address and too many requests. */
class Door extends Error {
  readonly errors = ['Error api key', 'IP not allowed 127.0.0.1', 'Request limit reached'].map((message) => ({
    message,
    code: 503,
    customData: null,
  }))
}

function atTheDoor(): Door {
  return new Door('at the door')
}

/** Their ids are of 24 hex digits. */
function newId(): string {
  return randomBytes(12).toString('hex')
}

/** Times are told in whole seconds. */
function wholeSecond(): number {
  return Math.floor(Date.now() / 1000) * 1000
}

function pageOf<Row>(rows: Row[], page: string | null, size: string | null): Row[] {
  const count = Number(size ?? 50)
  const from = (Number(page ?? 1) - 1) * count
  return rows.slice(from, from + count)
}

/** `d.m.Y H:i:s`. */
function dateText(at: number): string {
  const [date = '', time = ''] = new Date(at).toISOString().split('T')
  return `${date.split('-').toReversed().join('.')} ${time.slice(0, 8)}`
}
