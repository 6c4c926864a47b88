import { randomUUID } from 'node:crypto'
import { amountText, CENT_MICROS, parseAmount } from '../lib/kit'
import { exitHost } from './exit'
import { type Fake, type FakeReply, type FakeRequest, FakeState, type Route, startFake } from './kit'
import { balanceRoute, jsonAmount, newLogin, talkNonsense, wishRoute } from './supply'

/**
 * A stand-in for Proxy-Cheap (API v2, static proxies) with its habits: two headers for the key, proxies that are `PENDING` and `INITIATING` before
 * they are `ACTIVE`, a list that is bare or wrapped, prices in dollars and a balance in cents, extensions in calendar months for one proxy a call,
 * and login or addresses, never both. What it sells are logins at the local exit. Control, beside fakes/kit.ts:
 *
 *   POST /control/stock    {"country":"DE","count":5}     what is left to sell there
 *   POST /control/balance  {"amount":"0.50"}              the reseller's own money
 *   POST /control/delivery {"afterMs":2000}               how long a purchase takes; null: until the next "deliver"
 *   POST /control/deliver                                 everything that was bought is active now
 *   POST /control/list     {"shape":"bare"}               or "wrapped": how /proxies answers
 *   POST /control/billing  {"allowed":false}              the key may not read the balance (403)
 *   POST /control/nonsense {"match":"execute","times":1}  do it, and answer something that is not JSON
 *   POST /control/remove   {"ids":["101"]}                as if these had run out long ago
 *   GET  /control/orders                                  every order, newest first, with its proxies
 */
type Order = {
  id: string
  country: string
  months: number
  quantity: number
  total: string
  at: number
  activeAt: number | null
}
type Proxy = {
  id: number
  orderId: string
  service: string
  country: string
  host: string
  user: string
  pass: string
  ips: string[]
  createdAt: number
  expiresAt: number
}
type State = {
  balance: string
  stock: Record<string, number>
  deliverAfterMs: number | null
  shape: 'bare' | 'wrapped'
  isBillingAllowed: boolean
  nextId: number
  orders: Order[]
  proxies: Proxy[]
}

export type ProxyCheapFake = Fake & {
  /** Whether this login was sold here, has not run out, and was not given up for bound addresses. */
  isSold: (username: string, password: string) => boolean
}

const PLAN = 'standard'
/** The wholesale price of one proxy for one month. */
const PRICES_MICROS: Record<string, bigint> = {
  'static-residential-ipv4': 2_700_000n,
  'static-datacenter-ipv4': 1_300_000n,
}
const MAX_QUANTITY = 100

class HttpError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** Starts the supplier on loopback. `exitPort` is where its proxies answer. */
export async function startProxyCheapFake(options: {
  port: number
  stateFile?: string
  apiKey: string
  apiSecret: string
  exitPort: number
}): Promise<ProxyCheapFake> {
  const state = new FakeState<State>(
    {
      balance: '1000.00',
      stock: { DE: 200, NL: 200, US: 500, GB: 100, FR: 100, JP: 20 },
      deliverAfterMs: 2000,
      shape: 'wrapped',
      isBillingAllowed: true,
      nextId: 100,
      orders: [],
      proxies: [],
    },
    options.stateFile,
  )
  const { value } = state

  function statusOf(proxy: Proxy): string {
    if (proxy.expiresAt <= Date.now()) return 'EXPIRED'
    const order = value.orders.find((each) => each.id === proxy.orderId)!
    if (order.activeAt !== null) return 'ACTIVE'
    const waitedMs = Date.now() - order.at
    if (value.deliverAfterMs === null) return 'INITIATING'
    if (waitedMs >= value.deliverAfterMs) return 'ACTIVE'
    return waitedMs * 2 >= value.deliverAfterMs ? 'INITIATING' : 'PENDING'
  }

  function shown(proxy: Proxy) {
    const status = statusOf(proxy)
    const isReady = status === 'ACTIVE' || status === 'EXPIRED'
    const isBound = proxy.ips.length > 0
    return {
      id: proxy.id,
      status,
      networkType: proxy.service.includes('residential') ? 'RESIDENTIAL_STATIC' : 'DATACENTER',
      countryCode: proxy.country,
      proxyType: 'HTTP',
      authentication: {
        username: isReady && !isBound ? proxy.user : null,
        password: isReady && !isBound ? proxy.pass : null,
        whitelistedIps: proxy.ips,
      },
      connection: {
        publicIp: isReady ? proxy.host : null,
        connectIp: isReady ? proxy.host : null,
        ipVersion: 'IPv4',
        httpPort: isReady ? options.exitPort : null,
        httpsPort: isReady ? options.exitPort : null,
        socks5Port: isReady ? options.exitPort : null,
      },
      createdAt: new Date(proxy.createdAt).toISOString(),
      expiresAt: isReady ? new Date(proxy.expiresAt).toISOString() : null,
      metadata: { ispName: 'Local exit' },
      bandwidth: { total: null, used: 0 },
    }
  }

  function listed(proxies: Proxy[]) {
    const list = proxies.map(shown)
    return value.shape === 'bare' ? list : { proxies: list }
  }

  function monthsOf(months: unknown): number {
    if (!Number.isInteger(months) || Number(months) < 1 || Number(months) > 12)
      throw new HttpError(422, 'The period is invalid')
    return Number(months)
  }

  function priceOf(service: string, count: number, months: number) {
    const total = PRICES_MICROS[service]! * BigInt(count * months)
    return {
      total,
      body: {
        finalPrice: jsonAmount(total),
        priceNoDiscounts: jsonAmount(total),
        discount: 0,
        unitPrice: jsonAmount(PRICES_MICROS[service]!),
        paymentFee: 0,
        subtotal: jsonAmount(total),
        currency: 'USD',
        appliedDiscounts: [],
      },
    }
  }

  /** What both the quote and the purchase check. */
  function orderOf(service: string, body: Body) {
    if (!(service in PRICES_MICROS)) throw new HttpError(404, 'Service not found')
    if (body.planId !== PLAN) throw new HttpError(422, 'The plan is invalid')
    const country = String(body.country)
    if (value.stock[country] === undefined) throw new HttpError(422, 'The country is invalid')
    const quantity = Number(body.quantity)
    if (!Number.isInteger(quantity) || quantity < 1 || quantity > MAX_QUANTITY)
      throw new HttpError(422, 'The quantity is invalid')
    const period = body.period as { unit?: string; value?: unknown } | undefined
    if (period?.unit !== 'months') throw new HttpError(422, 'The period is invalid')
    const months = monthsOf(period.value)
    return { country, quantity, months, price: priceOf(service, quantity, months) }
  }

  function pay(total: bigint): void {
    const balance = parseAmount(value.balance)!
    if (total > balance) throw new HttpError(402, 'Insufficient account balance')
    value.balance = amountText(balance - total)
  }

  function proxyOf(id: string): Proxy {
    const proxy = value.proxies.find((each) => String(each.id) === id)
    if (!proxy) throw new HttpError(404, 'Proxy not found')
    return proxy
  }

  function setAddresses(proxy: Proxy, ips: unknown): void {
    if (!Array.isArray(ips) || ips.length === 0 || !ips.every((ip) => /^\d{1,3}(\.\d{1,3}){3}$/.test(String(ip))))
      throw new HttpError(422, 'The ips are invalid')
    proxy.ips = ips.map(String)
  }

  type Body = Record<string, unknown>
  const calls: [string, RegExp, (part: string, body: Body) => unknown][] = [
    [
      'GET',
      /^\/v2\/order$/,
      () => ({
        services: Object.keys(PRICES_MICROS).map((id) => ({ id, label: id, plans: [{ id: PLAN, label: PLAN }] })),
      }),
    ],
    [
      'POST',
      /^\/v2\/order\/(?<part>[\w-]+)$/,
      (service, body) => {
        if (!(service in PRICES_MICROS)) throw new HttpError(404, 'Service not found')
        if (body.planId !== PLAN) throw new HttpError(422, 'The plan is invalid')
        return {
          countries: Object.keys(value.stock),
          isps: {},
          packages: [],
          periods: { months: [1, 2, 3, 6, 12], days: [] },
        }
      },
    ],
    ['POST', /^\/v2\/order\/(?<part>[\w-]+)\/price$/, (service, body) => orderOf(service, body).price.body],
    [
      'POST',
      /^\/v2\/order\/(?<part>[\w-]+)\/execute$/,
      (service, body) => {
        const { country, quantity, months, price } = orderOf(service, body)
        if (quantity > value.stock[country]!) throw new HttpError(422, 'Not enough proxies available in this country')
        pay(price.total)
        value.stock[country]! -= quantity
        const now = Date.now()
        const order: Order = {
          id: randomUUID(),
          country,
          months,
          quantity,
          total: amountText(price.total),
          at: now,
          activeAt: null,
        }
        value.orders.unshift(order)
        for (let made = 0; made < quantity; made += 1) {
          const id = (value.nextId += 1)
          value.proxies.push({
            id,
            orderId: order.id,
            service,
            country,
            host: exitHost(id),
            ...newLogin(),
            ips: [],
            createdAt: now,
            expiresAt: monthsLater(now, months),
          })
        }
        return { id: order.id, periodInMonths: months, bandwidth: null, totalPrice: jsonAmount(price.total) }
      },
    ],
    [
      'GET',
      /^\/orders\/(?<part>[\w-]+)\/proxies$/,
      (id) => {
        if (!value.orders.some((order) => order.id === id)) throw new HttpError(404, 'Order not found')
        return listed(value.proxies.filter((proxy) => proxy.orderId === id))
      },
    ],
    ['GET', /^\/proxies$/, () => listed(value.proxies)],
    ['GET', /^\/proxies\/(?<part>\d+)$/, (id) => shown(proxyOf(id))],
    [
      'POST',
      /^\/proxies\/(?<part>\d+)\/period-extension-price$/,
      (id, body) => priceOf(proxyOf(id).service, 1, monthsOf(body.periodInMonths)).body,
    ],
    [
      'POST',
      /^\/proxies\/(?<part>\d+)\/extend-period$/,
      (id, body) => {
        const proxy = proxyOf(id)
        const months = monthsOf(body.periodInMonths)
        pay(priceOf(proxy.service, 1, months).total)
        proxy.expiresAt = monthsLater(Math.max(proxy.expiresAt, Date.now()), months)
        return null
      },
    ],
    [
      'POST',
      /^\/proxies\/(?<part>\d+)\/whitelist-ip$/,
      (id, body) => {
        const proxy = proxyOf(id)
        if (proxy.ips.length === 0) throw new HttpError(422, 'The authentication type is USERNAME_PASSWORD')
        setAddresses(proxy, body.ips)
        return null
      },
    ],
    [
      'POST',
      /^\/proxies\/(?<part>\d+)\/change-authentication-type$/,
      (id, body) => {
        const proxy = proxyOf(id)
        if (body.newAuthType === 'IP_WHITELIST') setAddresses(proxy, body.ips)
        else if (body.newAuthType === 'USERNAME_PASSWORD') Object.assign(proxy, { ips: [], pass: newLogin().pass })
        else throw new HttpError(422, 'The authentication type is invalid')
        return null
      },
    ],
    [
      'GET',
      /^\/account\/balance$/,
      () => {
        if (!value.isBillingAllowed) throw new HttpError(403, 'Access denied')
        return { balance: Number(parseAmount(value.balance)! / CENT_MICROS) }
      },
    ],
  ]

  function answer({ method, url, headers, body }: FakeRequest): FakeReply {
    try {
      if (headers['x-api-key'] !== options.apiKey || headers['x-api-secret'] !== options.apiSecret)
        throw new HttpError(403, 'Invalid credentials')
      for (const [verb, pattern, work] of calls) {
        const fit = pattern.exec(url.pathname)
        if (verb !== method || !fit) continue
        const reply = work(fit.groups?.part ?? '', JSON.parse(body || '{}') as Body)
        return reply === null ? { status: 204, body: '' } : { body: reply }
      }
      throw new HttpError(404, 'Not found')
    } catch (error) {
      if (!(error instanceof HttpError)) throw error
      return { status: error.status, body: { message: error.message } }
    }
  }

  const fake = await startFake({
    port: options.port,
    routes: [
      ...talkNonsense(
        state,
        ['GET', 'POST'].map((method): Route => ({ method, path: /^\/(?!control\/)/, handle: answer })),
      ),
      balanceRoute(state),
      wishRoute<{ country: string; count: number }>(state, 'stock', ({ country, count }) => {
        value.stock[country] = count
      }),
      wishRoute<{ afterMs: number | null }>(state, 'delivery', ({ afterMs }) => {
        value.deliverAfterMs = afterMs
      }),
      wishRoute(state, 'deliver', () => {
        for (const order of value.orders) order.activeAt ??= Date.now()
      }),
      wishRoute<{ shape: State['shape'] }>(state, 'list', ({ shape }) => {
        value.shape = shape
      }),
      wishRoute<{ allowed: boolean }>(state, 'billing', ({ allowed }) => {
        value.isBillingAllowed = allowed
      }),
      wishRoute<{ ids: string[] }>(state, 'remove', ({ ids }) => {
        value.proxies = value.proxies.filter((proxy) => !ids.includes(String(proxy.id)))
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
    isSold: (username, password) =>
      value.proxies.some(
        (proxy) =>
          proxy.user === username && proxy.pass === password && proxy.ips.length === 0 && statusOf(proxy) === 'ACTIVE',
      ),
  }
}

/** Calendar months, as they count; the 31st becomes the last day of a shorter month. */
function monthsLater(at: number, months: number): number {
  const date = new Date(at)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + months)
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, last))
  return date.getTime()
}
