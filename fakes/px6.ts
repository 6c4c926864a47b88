import { randomBytes } from 'node:crypto'
import { amountText, parseAmount } from '../lib/kit'
import { exitAddress } from './exit'
import { type Fake, type FakeReply, FakeState, type Route, startFake } from './kit'

/**
 * A stand-in for px6 (proxy6.net): its GET protocol with its habits (numbers as strings, a list that is an object unless `nokey` is
 * given, business errors as status 200). What it sells are logins at the local exit. Control, beside fakes/kit.ts:
 *
 *   POST /control/stock    {"country":"de","count":5}        what is left to sell there
 *   POST /control/balance  {"amount":"0.50"}                 the reseller's own money
 *   POST /control/short    {"missing":1,"times":1}           the next purchases deliver fewer than were paid for
 *   POST /control/nonsense {"match":"buy","times":1}         do it, and answer something that is not JSON
 *   POST /control/limit    {"perSecond":0}                   requests per second before 429; 0 switches the limit off
 *   POST /control/callers  {"allowed":false}                 as if the key were bound to another address (error 105)
 *   POST /control/age      {"seconds":86400}                as if so much more time had passed since everything was sold
 *   GET  /control/orders                                     every purchase, newest first, with its proxies
 */
type Proxy = {
  id: string
  orderId: string
  user: string
  pass: string
  version: string
  type: string
  country: string
  descr: string
  startsAt: number
  endsAt: number
}
type Order = { id: string; count: string; price: string; period: string; country: string; descr: string; at: string }
type State = {
  balance: string
  stock: Record<string, number>
  perSecond: number
  areCallersAllowed: boolean
  nextId: number
  orders: Order[]
  proxies: Proxy[]
}

export type Px6Fake = Fake & {
  /** Whether this login was sold here and has not run out. */
  isSold: (username: string, password: string) => boolean
}

const CURRENCY = 'USD'
/** The wholesale price of one proxy for one day, by version: IPv4 shared, IPv4, IPv6. */
const PRICES_MICROS: Record<string, bigint> = { '3': 8_000n, '4': 20_000n, '6': 2_000n }
const ERRORS: Record<number, string> = {
  30: 'Error unknown',
  100: 'Error key',
  105: 'Error ip',
  110: 'Error method',
  200: 'Error count',
  210: 'Error period',
  220: 'Error country',
  230: 'Error ids',
  240: 'Error version',
  250: 'Error descr',
  260: 'Error type',
  300: 'Error active proxy allow',
  400: 'Error no money',
  404: 'Error not found',
}

class Px6Error extends Error {
  readonly id: number
  constructor(id: number) {
    super(ERRORS[id])
    this.id = id
  }
}

/**
 * Starts the supplier on loopback. `exitPort` is where its proxies answer. With a state file it remembers what it sold over a restart;
 * a fresh one has stock in a few countries and 1000.00 on the account.
 */
export async function startPx6Fake(options: {
  port: number
  stateFile?: string
  apiKey: string
  exitPort: number
}): Promise<Px6Fake> {
  const state = new FakeState<State>(
    {
      balance: '1000.00',
      stock: { de: 200, nl: 200, us: 500, gb: 100, fr: 100, ru: 300, jp: 20 },
      perSecond: 3,
      areCallersAllowed: true,
      nextId: 1000,
      orders: [],
      proxies: [],
    },
    options.stateFile,
  )
  const { value } = state
  let recent: number[] = []
  const short = { missing: 0, times: 0 }
  const nonsense = { match: '', times: 0 }
  const nextId = () => String((value.nextId += 1))

  function answer(key: string, method: string, query: URLSearchParams): FakeReply {
    const now = Date.now()
    recent = recent.filter((at) => now - at < 1000)
    if (value.perSecond > 0 && recent.length >= value.perSecond)
      return { status: 429, body: '<html><title>429 Too Many Requests</title></html>' }
    recent.push(now)
    try {
      if (key !== options.apiKey) throw new Px6Error(100)
      if (!value.areCallersAllowed) throw new Px6Error(105)
      const call = method === '' ? () => ({}) : methods[method]
      if (!call) throw new Px6Error(110)
      const result = call(query)
      state.save()
      return { body: { status: 'yes', user_id: '1', balance: value.balance, currency: CURRENCY, ...result } }
    } catch (error) {
      if (!(error instanceof Px6Error)) throw error
      return { body: { status: 'no', error_id: error.id, error: error.message } }
    }
  }

  const methods: Record<string, (query: URLSearchParams) => Record<string, unknown>> = {
    getprice: (query) => {
      const count = wholeNumber(query.get('count'), 200)
      const days = periodOf(query)
      const each = PRICES_MICROS[versionOf(query)]! * BigInt(days)
      return {
        price: amountText(each * BigInt(count)),
        price_single: amountText(each),
        period: String(days),
        count: String(count),
      }
    },
    getcount: (query) => ({ count: String(stockOf(query)) }),
    getcountry: (query) => {
      versionOf(query)
      return { list: Object.keys(value.stock) }
    },
    getproxy: (query) => {
      const wanted = query.get('state') ?? 'all'
      if (!['active', 'expired', 'expiring', 'all'].includes(wanted)) throw new Px6Error(30)
      const descr = query.get('descr')
      const found = value.proxies.filter(
        (proxy) => (descr === null || proxy.descr === descr) && (wanted === 'all' || isInState(proxy, wanted)),
      )
      const limit = Math.min(Number(query.get('limit') ?? 1000) || 1000, 1000)
      const page = Math.max(Number(query.get('page') ?? 1) || 1, 1)
      const shown = found.slice((page - 1) * limit, page * limit)
      return {
        list_count: String(shown.length),
        list: listOf(
          shown.map((proxy) => ({ ...sold(proxy), country: proxy.country, descr: proxy.descr })),
          query,
        ),
      }
    },
    buy: (query) => {
      const count = wholeNumber(query.get('count'), 200)
      const days = periodOf(query)
      const country = query.get('country') ?? ''
      const left = stockOf(query)
      const version = versionOf(query)
      const type = typeOf(query)
      const descr = query.get('descr') ?? ''
      if (descr.length > 50) throw new Px6Error(250)
      if (count > left) throw new Px6Error(300)
      const price = PRICES_MICROS[version]! * BigInt(days) * BigInt(count)
      const balance = parseAmount(value.balance)!
      if (price > balance) throw new Px6Error(400)

      const orderId = nextId()
      const now = Math.floor(Date.now() / 1000)
      const missing = short.times > 0 ? short.missing : 0
      if (short.times > 0) short.times -= 1
      const made = Array.from({ length: Math.max(count - missing, 0) }, (): Proxy => ({
        id: nextId(),
        orderId,
        user: randomBytes(4).toString('hex'),
        pass: randomBytes(6).toString('hex'),
        version,
        type,
        country,
        descr,
        startsAt: now,
        endsAt: now + days * 86_400,
      }))
      value.balance = amountText(balance - price)
      value.stock[country] = left - count
      value.proxies.push(...made)
      const order = {
        id: orderId,
        count: String(made.length),
        price: amountText(price),
        period: String(days),
        country,
        descr,
        at: new Date().toISOString(),
      }
      value.orders.unshift(order)
      return {
        order_id: order.id,
        count: order.count,
        price: order.price,
        period: order.period,
        country,
        list: listOf(made.map(sold), query),
      }
    },
    prolong: (query) => {
      const days = periodOf(query)
      const chosen = chosenProxies(query)
      const price = chosen.reduce((sum, proxy) => sum + PRICES_MICROS[proxy.version]! * BigInt(days), 0n)
      const balance = parseAmount(value.balance)!
      if (price > balance) throw new Px6Error(400)
      value.balance = amountText(balance - price)
      for (const proxy of chosen) proxy.endsAt = Math.max(proxy.endsAt, Math.floor(Date.now() / 1000)) + days * 86_400
      const list = chosen.map((proxy) => ({
        id: proxy.id,
        date_end: dateText(proxy.endsAt),
        unixtime_end: proxy.endsAt,
      }))
      return {
        order_id: nextId(),
        price: amountText(price),
        period: String(days),
        count: String(chosen.length),
        list: listOf(list, query),
      }
    },
    settype: (query) => {
      const type = typeOf(query)
      const chosen = chosenProxies(query).filter((proxy) => proxy.type !== type)
      if (chosen.length === 0) throw new Px6Error(30)
      for (const proxy of chosen) proxy.type = type
      return {}
    },
    setdescr: (query) => {
      const text = query.get('new') ?? ''
      if (text.length > 50) throw new Px6Error(250)
      const old = query.get('old')
      const chosen = old === null ? chosenProxies(query) : value.proxies.filter((proxy) => proxy.descr === old)
      if (chosen.length === 0) throw new Px6Error(404)
      for (const proxy of chosen) proxy.descr = text
      return { count: String(chosen.length) }
    },
    delete: (query) => {
      const descr = query.get('descr')
      const chosen = descr === null ? chosenProxies(query) : value.proxies.filter((proxy) => proxy.descr === descr)
      if (chosen.length === 0) throw new Px6Error(404)
      value.proxies = value.proxies.filter((proxy) => !chosen.includes(proxy))
      return { count: String(chosen.length) }
    },
    check: (query) => {
      const [proxy] = chosenProxies(query)
      return { proxy_id: proxy!.id, proxy_status: isInState(proxy!, 'active'), proxy_time: '0.02' }
    },
  }

  function stockOf(query: URLSearchParams): number {
    versionOf(query)
    const left = value.stock[query.get('country') ?? '']
    if (left === undefined) throw new Px6Error(220)
    return left
  }

  function chosenProxies(query: URLSearchParams): Proxy[] {
    const ids = (query.get('ids') ?? '').split(',').filter(Boolean)
    if (ids.length === 0 || ids.some((id) => !/^\d+$/.test(id))) throw new Px6Error(230)
    const chosen = value.proxies.filter((proxy) => ids.includes(proxy.id))
    if (chosen.length === 0) throw new Px6Error(404)
    return chosen
  }

  /** A proxy as every list shows it. */
  function sold(proxy: Proxy) {
    return {
      id: proxy.id,
      ip: exitAddress(proxy.user),
      host: '127.0.0.1',
      port: String(options.exitPort),
      user: proxy.user,
      pass: proxy.pass,
      type: proxy.type,
      date: dateText(proxy.startsAt),
      date_end: dateText(proxy.endsAt),
      unixtime: proxy.startsAt,
      unixtime_end: proxy.endsAt,
      active: isInState(proxy, 'active') ? '1' : '0',
    }
  }

  const call: Route = {
    method: 'GET',
    path: /^\/api\/(?<key>[^/]+)(?:\/(?<method>[a-z]+))?\/?$/,
    handle: ({ url, params }) => {
      const reply = answer(params.key ?? '', params.method ?? '', url.searchParams)
      if (nonsense.times === 0 || !url.pathname.includes(nonsense.match)) return reply
      nonsense.times -= 1
      return { body: '<html><body>It works!</body></html>' }
    },
  }
  const order = <Wish>(path: string, obey: (wish: Wish) => void): Route => ({
    method: 'POST',
    path: new RegExp(`^/control/${path}$`),
    handle: ({ body }) => {
      obey(JSON.parse(body || '{}') as Wish)
      state.save()
      return { body: { ok: true } }
    },
  })
  const fake = await startFake({
    port: options.port,
    routes: [
      call,
      order<{ country: string; count: number }>('stock', ({ country, count }) => (value.stock[country] = count)),
      order<{ amount: string }>('balance', ({ amount }) => (value.balance = amountText(parseAmount(amount) ?? 0n))),
      order<{ missing?: number; times?: number }>('short', ({ missing = 1, times = 1 }) =>
        Object.assign(short, { missing, times }),
      ),
      order<{ match?: string; times?: number }>('nonsense', ({ match = '', times = 1 }) =>
        Object.assign(nonsense, { match, times }),
      ),
      order<{ perSecond: number }>('limit', ({ perSecond }) => {
        value.perSecond = perSecond
        recent = []
      }),
      order<{ seconds: number }>('age', ({ seconds }) => {
        for (const proxy of value.proxies) {
          proxy.startsAt -= seconds
          proxy.endsAt -= seconds
        }
      }),
      order<{ allowed: boolean }>('callers', ({ allowed }) => (value.areCallersAllowed = allowed)),
      {
        method: 'GET',
        path: /^\/control\/orders$/,
        handle: () => ({
          body: value.orders.map((each) => ({
            ...each,
            proxies: value.proxies.filter((proxy) => proxy.orderId === each.id),
          })),
        }),
      },
    ],
  })
  return {
    ...fake,
    isSold: (username, password) =>
      value.proxies.some((proxy) => proxy.user === username && proxy.pass === password && isInState(proxy, 'active')),
  }
}

function wholeNumber(text: string | null, error: number): number {
  if (!/^[1-9]\d{0,5}$/.test(text ?? '')) throw new Px6Error(error)
  return Number(text)
}

function periodOf(query: URLSearchParams): number {
  const days = wholeNumber(query.get('period'), 210)
  if (days > 365) throw new Px6Error(210)
  return days
}

/** Left out means IPv6 there. */
function versionOf(query: URLSearchParams): string {
  const version = query.get('version') ?? '6'
  if (!(version in PRICES_MICROS)) throw new Px6Error(240)
  return version
}

function typeOf(query: URLSearchParams): string {
  const type = query.get('type') ?? 'http'
  if (type !== 'http' && type !== 'socks') throw new Px6Error(260)
  return type
}

function isInState(proxy: Proxy, state: string): boolean {
  const leftSeconds = proxy.endsAt - Date.now() / 1000
  if (state === 'active') return leftSeconds > 0
  if (state === 'expired') return leftSeconds <= 0
  return leftSeconds > 0 && leftSeconds < 3 * 86_400
}

function listOf<Row extends { id: string }>(rows: Row[], query: URLSearchParams): Row[] | Record<string, Row> {
  return query.has('nokey') ? rows : Object.fromEntries(rows.map((row) => [row.id, row]))
}

function dateText(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
}
