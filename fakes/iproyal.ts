import { amountText, parseAmount } from '../lib/kit'
import { exitHost } from './exit'
import { type Fake, type FakeReply, type FakeRequest, FakeState, type Route, startFake } from './kit'
import { balanceRoute, jsonAmount, type Login, newLogin, talkNonsense, wishRoute } from './supply'

/**
 * A stand-in for IPRoyal's reseller API (ISP and datacenter) under /v1/reseller, with its habits: a balance that is a bare number, tax on top of the
 * price, a list of orders that wants a product, no field for a reference, two shapes of proxies, and an extension that means every
 * proxy when none is named. What it sells are logins at the local exit. Control, beside fakes/kit.ts and fakes/supply.ts (balance, nonsense):
 *
 *   POST /control/stock    {"location":2,"count":5}   what is left to sell there
 *   POST /control/shape    {"objects":true}           proxies as objects without a port
 *   POST /control/deliver  {"later":true}             orders stay in progress …
 *   POST /control/confirm                             … until they are delivered all at once
 *   POST /control/status   {"id":1001,"status":"refunded"}
 *   POST /control/remove   {"usernames":["…"]}         these proxies are no longer in their orders
 *   POST /control/forget                              no orders any more
 *   GET  /control/orders                              every purchase, oldest first, with its proxies
 */
type Sold = Login & { host: string }
type Order = {
  id: number
  productId: number
  planId: number
  locationId: number
  quantity: number
  status: string
  endsAt: number | null
  extensions: { at: number; planId: number; proxies: number }[]
  logins: Sold[]
}
type State = {
  balance: string
  stock: Record<string, number>
  hasObjects: boolean
  isLate: boolean
  nextId: number
  nextHost: number
  orders: Order[]
}

export type IproyalFake = Fake & { isSold: (username: string, password: string) => boolean }

type Plan = { id: number; name: string; days: number; micros: bigint }
type Location = { id: number; name: string; children?: Location[] }
type Product = { id: number; name: string; plans: Plan[]; locations: Location[] }

const PRODUCTS: Product[] = [
  {
    id: 3,
    name: 'Datacenter',
    plans: [
      { id: 31, name: '30 Days', days: 30, micros: 1_390_000n },
      { id: 32, name: '60 Days', days: 60, micros: 2_640_000n },
    ],
    locations: [{ id: 21, name: 'Netherlands' }],
  },
  {
    id: 9,
    name: 'ISP (Static Residential)',
    plans: [
      { id: 22, name: '1 Day', days: 1, micros: 1_800_000n },
      { id: 23, name: '30 Days', days: 30, micros: 2_700_000n },
      { id: 24, name: '60 Days', days: 60, micros: 5_100_000n },
      { id: 25, name: '90 Days', days: 90, micros: 7_290_000n },
    ],
    locations: [
      { id: 2, name: 'Germany' },
      { id: 4, name: 'United Kingdom' },
      { id: 6, name: 'France' },
      { id: 8, name: 'United States', children: [{ id: 81, name: 'New York' }] },
    ],
  },
]
const MAX_QUANTITY = 500
const VAT_PERCENT = 21n
const HTTP_STATUS_WORDS: Record<number, string> = { 401: 'Unauthenticated.', 404: 'Not found.' }

class Refused extends Error {
  readonly status: number
  readonly fields: Record<string, string[]> | undefined
  constructor(status: number, message = HTTP_STATUS_WORDS[status] ?? '', fields?: Record<string, string[]>) {
    super(message)
    this.status = status
    this.fields = fields
  }
}

/** Starts the supplier on loopback. `exitPort` is where its proxies answer. A fresh one has some stock everywhere and 1000.00 on the account. */
export async function startIproyalFake(options: {
  port: number
  stateFile?: string
  apiKey: string
  exitPort: number
}): Promise<IproyalFake> {
  const state = new FakeState<State>(
    {
      balance: '1000.00',
      stock: { '2': 100, '4': 50, '6': 50, '8': 200, '81': 40, '21': 100 },
      hasObjects: false,
      isLate: false,
      nextId: 1000,
      nextHost: 0,
      orders: [],
    },
    options.stateFile,
  )
  const { value } = state

  function choiceOf(wish: {
    product_id?: unknown
    product_plan_id?: unknown
    product_location_id?: unknown
    quantity?: unknown
  }) {
    const product = PRODUCTS.find((each) => each.id === Number(wish.product_id))
    const plan = product?.plans.find((each) => each.id === Number(wish.product_plan_id))
    const location = allLocations(product).find((each) => each.id === Number(wish.product_location_id))
    const quantity = Number(wish.quantity)
    const isWhole = Number.isInteger(quantity) && quantity > 0 && quantity <= MAX_QUANTITY
    if (product && plan && location && isWhole) return { product, plan, location, quantity }
    const field = !product ? 'product_id' : !plan ? 'product_plan_id' : !location ? 'product_location_id' : 'quantity'
    throw new Refused(422, 'The given data was invalid.', { [field]: [`The selected ${field} is invalid.`] })
  }

  function pay(price: bigint): void {
    const balance = parseAmount(value.balance)!
    if (withTax(price) > balance) throw new Refused(400, 'Payment could not be made.')
    value.balance = amountText(balance - withTax(price))
  }

  function orderOf(id: string | undefined): Order {
    const order = value.orders.find((each) => String(each.id) === id)
    if (!order) throw new Refused(404)
    return order
  }

  function confirm(order: Order): void {
    order.status = 'confirmed'
    order.endsAt = Math.floor(Date.now() / 1000) + daysOf(order.planId) * 86_400
    order.logins = Array.from({ length: order.quantity }, () => ({
      ...newLogin(),
      host: exitHost((value.nextHost += 1)),
    }))
  }

  function shown(order: Order) {
    const product = PRODUCTS.find((each) => each.id === order.productId)!
    const place = allLocations(product).find((each) => each.id === order.locationId)!.name
    const isOver = order.endsAt !== null && order.endsAt * 1000 <= Date.now()
    return {
      id: order.id,
      note: null,
      product_name: product.name,
      plan_name: product.plans.find((plan) => plan.id === order.planId)!.name,
      expire_date: order.endsAt === null ? null : dateText(order.endsAt),
      status: isOver ? 'expired' : order.status,
      location: place,
      locations: [{ name: place, quantity: order.quantity }],
      quantity: order.quantity,
      questions_answers: [],
      proxy_data:
        order.logins.length === 0
          ? null
          : {
              ports: { socks5: options.exitPort, 'http|https': options.exitPort },
              proxies: order.logins.map((login) =>
                value.hasObjects ? { ip: login.host, username: login.user, password: login.pass } : stringOf(login),
              ),
            },
      auto_extend_settings: null,
      extended_history: order.extensions.map(({ at, proxies }) => ({ date: dateText(at), quantity: proxies })),
    }
  }

  const stringOf = (login: Sold) => `${login.host}:${options.exitPort}:${login.user}:${login.pass}`

  /** The logins that are named; none named is all of them. */
  function chosen(order: Order, proxies: unknown): Sold[] {
    if (!Array.isArray(proxies) || proxies.length === 0) return order.logins
    const found = order.logins.filter((login) => proxies.includes(stringOf(login)))
    if (found.length !== proxies.length)
      throw new Refused(422, 'The given data was invalid.', { proxies: ['The selected proxies are invalid.'] })
    return found
  }

  const api = (
    method: string,
    path: string,
    handle: (request: FakeRequest & { json: Record<string, unknown> }) => FakeReply | unknown,
  ): Route => ({
    method,
    path: new RegExp(`^/v1/reseller${path}$`),
    handle: (request) => {
      try {
        if (request.headers['x-access-token'] !== options.apiKey) throw new Refused(401)
        const json = (request.body === '' ? {} : JSON.parse(request.body)) as Record<string, unknown>
        return { body: handle({ ...request, json }) }
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        return { status: error.status, body: { message: error.message, ...(error.fields && { errors: error.fields }) } }
      }
    },
  })

  const routes: Route[] = [
    api('GET', '/balance', () => jsonAmount(parseAmount(value.balance)!)),
    api('GET', '/products', () => ({
      data: PRODUCTS.map((product) => ({
        id: product.id,
        name: product.name,
        plans: product.plans.map(({ id, name, micros }) => ({
          id,
          name,
          price: jsonAmount(micros),
          min_quantity: 1,
          max_quantity: MAX_QUANTITY,
        })),
        locations: product.locations.map(locationView),
        questions: [],
        quantity_discounts: [],
      })),
    })),
    api('GET', '/orders/calculate-pricing', ({ url }) => {
      const { plan, quantity } = choiceOf(Object.fromEntries(url.searchParams))
      const price = plan.micros * BigInt(quantity)
      return {
        price: jsonAmount(price),
        price_with_vat: jsonAmount(withTax(price)),
        vat: jsonAmount(withTax(price) - price),
        price_per_item: jsonAmount(plan.micros),
        message: null,
      }
    }),
    api('POST', '/orders', ({ json }) => {
      const { product, plan, location, quantity } = choiceOf(json)
      const left = value.stock[String(location.id)] ?? 0
      if (left < quantity) throw new Refused(400, 'Order could not be created.')
      pay(plan.micros * BigInt(quantity))
      value.stock[String(location.id)] = left - quantity
      const order: Order = {
        id: (value.nextId += 1),
        productId: product.id,
        planId: plan.id,
        locationId: location.id,
        quantity,
        status: 'in-progress',
        endsAt: null,
        extensions: [],
        logins: [],
      }
      if (!value.isLate) confirm(order)
      value.orders.push(order)
      return shown(order)
    }),
    api('GET', '/orders', ({ url }) => {
      const productId = Number(url.searchParams.get('product_id'))
      if (!productId)
        throw new Refused(422, 'The given data was invalid.', { product_id: ['The product id field is required.'] })
      const perPage = Math.min(Number(url.searchParams.get('per_page') ?? 10), 100)
      const page = Number(url.searchParams.get('page') ?? 1)
      const found = value.orders.filter((order) => order.productId === productId).toReversed()
      const lastPage = Math.max(1, Math.ceil(found.length / perPage))
      return {
        data: found.slice((page - 1) * perPage, page * perPage).map(shown),
        meta: { current_page: page, last_page: lastPage, per_page: perPage, total: found.length },
      }
    }),
    api('GET', '/orders/(?<id>\\d+)', ({ params }) => shown(orderOf(params.id))),
    api('POST', '/orders/(?<id>\\d+)/extend', ({ params, json }) => {
      const order = orderOf(params.id)
      const plan = PRODUCTS.find((each) => each.id === order.productId)!.plans.find(
        (each) => each.id === Number(json.product_plan_id),
      )
      if (!plan || order.status !== 'confirmed' || order.endsAt === null)
        throw new Refused(422, 'The given data was invalid.', { product_plan_id: ['The order cannot be extended.'] })
      const proxies = chosen(order, json.proxies)
      pay(plan.micros * BigInt(proxies.length))
      order.endsAt += plan.days * 86_400
      order.extensions.push({ at: Math.floor(Date.now() / 1000), planId: plan.id, proxies: proxies.length })
      return shown(order)
    }),
    api('POST', '/orders/proxies/change-credentials', ({ json }) => {
      const logins = chosen(orderOf(String(json.order_id)), json.proxies)
      for (const login of logins) login.pass = json.random_password ? newLogin().pass : String(json.password)
      return { message: 'Credentials changed.' }
    }),
  ]

  function locationView(location: Location): object {
    const count = value.stock[String(location.id)] ?? 0
    return {
      id: location.id,
      name: location.name,
      out_of_stock: count === 0,
      available_proxies_count: count,
      child_locations: (location.children ?? []).map(locationView),
    }
  }

  const fake = await startFake({
    port: options.port,
    routes: [
      ...talkNonsense(state, routes),
      balanceRoute(state),
      wishRoute<{ location: number; count: number }>(state, 'stock', ({ location, count }) => {
        value.stock[String(location)] = count
      }),
      wishRoute<{ objects: boolean }>(state, 'shape', ({ objects }) => (value.hasObjects = objects)),
      wishRoute<{ later: boolean }>(state, 'deliver', ({ later }) => (value.isLate = later)),
      wishRoute(state, 'confirm', () =>
        value.orders.filter((order) => order.status === 'in-progress').forEach((order) => confirm(order)),
      ),
      wishRoute<{ id: number; status: string }>(
        state,
        'status',
        ({ id, status }) => (orderOf(String(id)).status = status),
      ),
      wishRoute<{ usernames: string[] }>(state, 'remove', ({ usernames }) => {
        for (const order of value.orders) order.logins = order.logins.filter(({ user }) => !usernames.includes(user))
      }),
      wishRoute(state, 'forget', () => (value.orders = [])),
      { method: 'GET', path: /^\/control\/orders$/, handle: () => ({ body: value.orders }) },
    ],
  })
  return {
    ...fake,
    isSold: (username, password) =>
      value.orders.some(
        (order) =>
          order.status === 'confirmed' &&
          (order.endsAt ?? 0) * 1000 > Date.now() &&
          order.logins.some((login) => login.user === username && login.pass === password),
      ),
  }
}

function allLocations(product: Product | undefined): Location[] {
  return (product?.locations ?? []).flatMap((location) => [location, ...(location.children ?? [])])
}

function daysOf(planId: number): number {
  return PRODUCTS.flatMap((product) => product.plans).find((plan) => plan.id === planId)!.days
}

function withTax(micros: bigint): bigint {
  return (micros * (100n + VAT_PERCENT)) / 100n
}

function dateText(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString().slice(0, 19).replace('T', ' ')
}
