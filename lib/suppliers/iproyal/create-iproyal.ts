import type { z } from 'zod'
import { DAY_MS, OperationalError } from '@/lib/kit'
import {
  asking,
  type CallOptions,
  readShape,
  sendCall,
  spending,
  type SupplierAnswer,
  type SupplierCall,
} from '../call'
import { assertChosen } from '../held'
import { refusalWords } from '../refusal-words'
import {
  type AccessOutcome,
  type HeldProxies,
  type HeldProxy,
  type Purchase,
  type PurchasedProxy,
  type PurchaseHint,
  type PurchaseOutcome,
  type PurchaseRefusalCode,
  type PurchaseRequest,
  type Quote,
  type RenewOutcome,
  type RenewRequest,
  type Supplier,
  UnknownOutcomeError,
} from '../supplier'
import {
  balanceSchema,
  type IproyalLocation,
  type IproyalOrder,
  type IproyalParams,
  iproyalParamsSchema,
  type IproyalProduct,
  orderPageSchema,
  orderSchema,
  pricingSchema,
  productSchema,
  productsSchema,
} from './schemas'

const NAME = 'iproyal'
/** They tell no currency; their prices and balances are dollars. */
const CURRENCY = 'USD'
const PAGE_SIZE = 100
/**
 * How much earlier than the sending of a purchase an order may seem to have begun and still be it. Their dates carry no zone and their months
 * need not have 30 days; an order too many here ends in "cannot tell", one too few would end in buying twice.
 */
const DATES_MAY_BE_OFF_BY_MS = 2 * DAY_MS

/** What a choice of ours is called there. */
type Choice = { productId: number; planId: number; locationId: number; quantity: number }

/**
 * IPRoyal's reseller API (ISP and datacenter proxies). Nothing extends itself there (`auto_extend` is false), an extension always names its
 * proxies (leaving them out means "all"), and `status_is_expiring_soon`, which tells of wrong orders, is never asked.
 */
export function createIproyal(options: { baseUrl: string; apiKey: string } & CallOptions): Supplier {
  const { apiKey } = options

  async function send(
    method: SupplierCall['method'],
    path: string,
    more: { query?: Record<string, string | number>; body?: unknown } = {},
  ): Promise<SupplierAnswer> {
    const query = new URLSearchParams(Object.entries(more.query ?? {}).map(([key, value]) => [key, String(value)]))
    const url = `${options.baseUrl.replace(/\/$/, '')}${path}${query.size > 0 ? `?${query}` : ''}`
    const label = `${method} ${path}`
    return sendCall(NAME, { method, label, url, headers: { 'x-access-token': apiKey }, body: more.body }, options)
  }

  /** Asks for something that must be there. */
  function ask<Schema extends z.ZodType>(
    path: string,
    schema: Schema,
    query: Record<string, string | number> = {},
  ): Promise<z.infer<Schema>> {
    return asking(NAME, async () => {
      const { status, body } = await send('GET', path, { query })
      if (status >= 400) throw new OperationalError(NAME, `GET ${path}: ${refusalWords(status, body, apiKey)}`)
      return readShape(`GET ${path}`, schema, body)
    })
  }

  /** What leaves the balance for a choice, or null where they do not take it. */
  function price(choice: Choice): Promise<bigint | null> {
    return asking(NAME, async () => {
      const path = '/orders/calculate-pricing'
      const query = {
        product_id: choice.productId,
        product_plan_id: choice.planId,
        product_location_id: choice.locationId,
        quantity: choice.quantity,
      }
      const { status, body } = await send('GET', path, { query })
      if (status === 400 || status === 404 || status === 422) return null
      if (status >= 400) throw new OperationalError(NAME, `GET ${path}: ${refusalWords(status, body, apiKey)}`)
      return readShape(`GET ${path}`, pricingSchema, body).price_with_vat
    })
  }

  /** Null: no such product there. */
  async function findProduct(productId: number): Promise<IproyalProduct | null> {
    const { data } = await ask('/products', productsSchema)
    const product = data.find((each) => each.id === productId)
    return asking(NAME, async () => (product ? readShape('GET /products', productSchema, product) : null))
  }

  function readOrder(orderId: string): Promise<IproyalOrder | null> {
    return asking(NAME, async () => {
      const path = `/orders/${encodeURIComponent(orderId)}`
      const { status, body } = await send('GET', path)
      if (status === 404) return null
      if (status >= 400) throw new OperationalError(NAME, `GET ${path}: ${refusalWords(status, body, apiKey)}`)
      return readShape(`GET ${path}`, orderSchema, body)
    })
  }

  /** Their words for a "no" are not described: the reason is told from what can be asked, our balance and their stock. */
  async function whyRefused(cost: bigint, left: () => Promise<number>, quantity: number): Promise<PurchaseRefusalCode> {
    if ((await getBalance()).balanceMicros < cost) return 'supplier_unfunded'
    return (await left()) < quantity ? 'sold_out' : 'rejected'
  }

  async function buy(request: PurchaseRequest): Promise<PurchaseOutcome> {
    const choice = choiceOf(request)
    if (!choice) return rejected('the offer names no plan for this period, or no location for this country')
    // They answer a purchase without its price; what is asked right before is what leaves the balance.
    const cost = await price(choice)
    if (cost === null) return rejected('they do not sell this product, plan, location or quantity')
    return spending(NAME, async () => {
      const { status, body } = await send('POST', '/orders', {
        body: {
          product_id: choice.productId,
          product_plan_id: choice.planId,
          product_location_id: choice.locationId,
          quantity: choice.quantity,
          auto_extend: false,
          product_question_answers: [],
        },
      })
      if (status >= 400) {
        const left = () => getStock(request.countryCode, request.params)
        const code = await whyRefused(cost, left, choice.quantity).catch(() => 'rejected' as const)
        return { kind: 'refused', code, detail: refusalWords(status, body, apiKey) }
      }
      const order = readShape('POST /orders', orderSchema, body)
      const proxies = proxiesOf(order)
      if (!proxies || order.status !== 'confirmed')
        throw new UnknownOutcomeError(NAME, `the order was taken and is ${order.status}`, String(order.id))
      return { kind: 'delivered', supplierOrderId: String(order.id), costMicros: cost, currency: CURRENCY, proxies }
    })
  }

  async function quote(request: Omit<PurchaseRequest, 'reference'>): Promise<Quote | null> {
    const choice = choiceOf(request)
    const cost = choice && (await price(choice))
    return cost === null ? null : { costMicros: cost, currency: CURRENCY }
  }

  /**
   * They keep no reference of ours: the purchase is the one order of that product, plan, place and number that began when it was sent and that we
   * do not know yet. Two such orders: OperationalError, for a person to tell apart. A refunded order counts for nothing.
   */
  async function findPurchase(_reference: string, hint?: PurchaseHint): Promise<Purchase | null> {
    if (!hint) throw new OperationalError(NAME, 'cannot tell without knowing what was asked for and when')
    const choice = choiceOf(hint)
    // What could not be asked for was never sent.
    if (!choice) return null
    if (hint.takenAs) return readTaken(hint.takenAs)
    const product = await findProduct(choice.productId)
    const planName = product?.plans.find((plan) => plan.id === choice.planId)?.name
    const placeName = product && findLocation(product.locations, choice.locationId)?.name
    if (!planName || !placeName)
      throw new OperationalError(NAME, 'cannot tell: they no longer list that product, plan or location')

    const earliest = hint.sentAt.getTime() - DATES_MAY_BE_OFF_BY_MS
    const candidates = new Set<number>()
    for (let page = 1, last = 1; page <= last; page += 1) {
      const query = { product_id: choice.productId, page, per_page: PAGE_SIZE }
      const { data, meta } = await ask('/orders', orderPageSchema, query)
      last = meta.last_page
      for (const order of data) {
        const isSame = order.plan_name === planName && order.location === placeName && order.quantity === hint.quantity
        // An order that is being delivered has no end yet; one that was extended is older than any purchase looked for.
        const beganAt = order.expire_date ? order.expire_date.getTime() - hint.periodDays * DAY_MS : Infinity
        const isFresh = beganAt >= earliest && !order.extended_history?.length && order.status !== 'refunded'
        if (isSame && isFresh && !hint.knownOrderIds.includes(String(order.id))) candidates.add(order.id)
      }
    }
    if (candidates.size > 1)
      throw new OperationalError(NAME, `cannot tell: orders ${[...candidates].join(' and ')} both fit`)
    const [found] = candidates
    if (found === undefined) return null
    return readTaken(String(found))
  }

  /** The purchase of this number of theirs. One that was refunded brought nothing. */
  async function readTaken(id: string): Promise<Purchase | null> {
    const order = await readOrder(id)
    if (order?.status === 'refunded') return null
    const proxies = order && proxiesOf(order)
    if (!order || !proxies || order.status === 'unpaid' || order.status === 'in-progress')
      throw new OperationalError(NAME, `order ${id} is ${order?.status ?? 'gone'}`, { retryAfterMs: 15_000 })
    return { supplierOrderId: String(order.id), costMicros: null, currency: null, proxies }
  }

  async function getStock(countryCode: string, params: Record<string, unknown>): Promise<number> {
    const { productId, plans, locations } = iproyalParamsSchema.parse(params)
    const locationId = locations[countryCode.toLowerCase()]
    const product = locationId === undefined ? null : await findProduct(productId)
    const location = product && findLocation(product.locations, locationId!)
    if (!location || location.out_of_stock) return 0
    if (typeof location.available_proxies_count === 'number') return location.available_proxies_count
    // Not told how many: as many as one order may have.
    const ours = product.plans.filter((plan) => Object.values(plans).includes(plan.id))
    return Math.max(0, ...ours.map((plan) => plan.max_quantity ?? 0))
  }

  async function getBalance(): Promise<{ balanceMicros: bigint; currency: string }> {
    return { balanceMicros: await ask('/balance', balanceSchema), currency: CURRENCY }
  }

  /** The order that is held, as they tell it now. */
  async function readHeld(held: HeldProxies): Promise<{ order: IproyalOrder; proxies: PurchasedProxy[] } | null> {
    assertChosen(held)
    if (held.supplierOrderId === null)
      throw new OperationalError(NAME, 'cannot tell: the number of the order was never told')
    const order = await readOrder(held.supplierOrderId)
    if (!order || order.status === 'refunded' || order.status === 'expired') return null
    const listed = proxiesOf(order) ?? []
    const proxies = matchAll(held.proxies, listed)
    return proxies.length === 0 ? null : { order, proxies }
  }

  /** What renewing the whole order is called there; null when a part of it was chosen, or the offer has no such plan. */
  async function renewalOf(
    request: Omit<RenewRequest, 'reference'>,
    { order, proxies }: { order: IproyalOrder; proxies: PurchasedProxy[] },
  ): Promise<Choice | null> {
    const { productId, plans } = iproyalParamsSchema.parse(request.params)
    const planId = plans[String(request.periodDays)]
    const isWhole = proxies.length === request.proxies.length && proxies.length === proxiesOf(order)?.length
    if (planId === undefined || !isWhole) return null
    const product = await findProduct(productId)
    const location = product && findLocation(product.locations, order.location ?? '')
    return location ? { productId, planId, locationId: location.id, quantity: proxies.length } : null
  }

  async function quoteRenewal(request: Omit<RenewRequest, 'reference'>): Promise<Quote | null> {
    const held = await readHeld(request)
    const choice = held && (await renewalOf(request, held))
    const cost = choice && (await price(choice))
    return cost === null ? null : { costMicros: cost, currency: CURRENCY }
  }

  async function renew(request: RenewRequest): Promise<RenewOutcome> {
    const held = await readHeld(request)
    if (!held || held.proxies.length < request.proxies.length)
      return { kind: 'refused', code: 'gone', detail: 'they no longer have this order, or all of these in it' }
    const choice = await renewalOf(request, held)
    const cost = choice && (await price(choice))
    if (!choice || cost === null)
      return rejected('only a whole order can be extended, for a period that the offer has a plan for')
    const before = held.order.expire_date
    return spending(NAME, async () => {
      const { status, body } = await send('POST', `/orders/${held.order.id}/extend`, {
        body: { product_plan_id: choice.planId, proxies: held.proxies.map(inTheirWords) },
      })
      if (status >= 400) {
        const code = await whyRefused(cost, () => Promise.resolve(Infinity), 0).catch(() => 'rejected' as const)
        const detail = refusalWords(status, body, apiKey)
        return { kind: 'refused', code: code === 'supplier_unfunded' ? code : 'rejected', detail }
      }
      const after = await readHeldAfter(request)
      if (before && after.order.expire_date && after.order.expire_date <= before)
        throw new UnknownOutcomeError(NAME, 'an extension was taken and the end has not moved yet')
      return { kind: 'renewed', costMicros: cost, currency: CURRENCY, proxies: after.proxies }
    })
  }

  async function changeCredentials(held: HeldProxies): Promise<AccessOutcome> {
    const now = await readHeld(held)
    if (!now || now.proxies.length < held.proxies.length)
      return { kind: 'refused', detail: 'they no longer have all of these' }
    return spending(NAME, async () => {
      const { status, body } = await send('POST', '/orders/proxies/change-credentials', {
        body: { order_id: now.order.id, proxies: now.proxies.map(inTheirWords), random_password: true },
      })
      if (status >= 400) return { kind: 'refused', detail: refusalWords(status, body, apiKey) }
      const { proxies } = await readHeldAfter(held)
      // Whoever changes a password wants the old one closed: their word alone is not enough.
      const old = new Map(now.proxies.map((proxy) => [proxy.supplierRef, proxy.password]))
      if (proxies.some((proxy) => old.get(proxy.supplierRef) === proxy.password))
        throw new UnknownOutcomeError(NAME, 'a change of credentials was taken and does not show yet')
      return { kind: 'changed', proxies }
    })
  }

  /** After a change was made: that it cannot be read leaves its outcome unknown. */
  async function readHeldAfter(held: HeldProxies): Promise<{ order: IproyalOrder; proxies: PurchasedProxy[] }> {
    try {
      const after = await readHeld(held)
      if (after && after.proxies.length === held.proxies.length) return after
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error
      throw new UnknownOutcomeError(NAME, `changed, but not read again (${error.message})`)
    }
    throw new UnknownOutcomeError(NAME, 'changed, but not all of these are listed any more')
  }

  return {
    name: NAME,
    capabilities: {
      model: 'order',
      canBuy: true,
      canRenew: true,
      canRenewSubset: false,
      canReplace: false,
      canChangeCredentials: true,
      canWhitelistIp: false,
      canChangeProtocol: false,
      hasTraffic: false,
      hasStock: true,
      hasWebhooks: false,
      periodUnit: 'plans',
      isAsync: true,
    },
    buy,
    quote,
    findPurchase,
    getStock,
    getBalance,
    quoteRenewal,
    renew,
    readProxies: async (held) => (await readHeld(held))?.proxies ?? [],
    changeCredentials,
  }
}

function rejected(detail: string): { kind: 'refused'; code: 'rejected'; detail: string } {
  return { kind: 'refused', code: 'rejected', detail }
}

/** Null: the offer knows no such period or country. */
function choiceOf(request: Omit<PurchaseRequest, 'reference'>): Choice | null {
  const params = iproyalParamsSchema.safeParse(request.params)
  if (!params.success) return null
  const { productId, plans, locations }: IproyalParams = params.data
  const planId = plans[String(request.periodDays)]
  const locationId = locations[request.countryCode.toLowerCase()]
  if (planId === undefined || locationId === undefined || request.quantity < 1) return null
  return { productId, planId, locationId, quantity: request.quantity }
}

/** A location by id or by name, wherever it stands in the tree. */
function findLocation(locations: readonly IproyalLocation[], wanted: number | string): IproyalLocation | null {
  for (const location of locations) {
    if (location.id === wanted || location.name === wanted) return location
    const below = findLocation(location.child_locations ?? [], wanted)
    if (below) return below
  }
  return null
}

/** The proxies of an order, or null while it has none. A login works for both protocols; the port given out is that of HTTP where there is one. */
function proxiesOf(order: IproyalOrder): PurchasedProxy[] | null {
  const data = order.proxy_data
  const port = data?.ports['http|https'] ?? data?.ports.socks5
  if (!data || data.proxies.length === 0 || !port || !order.expire_date) return null
  const expiresAt = order.expire_date
  const protocols: PurchasedProxy['protocols'] = [data.ports['http|https'] ? 'http' : 'socks5']
  return data.proxies.map(({ host, username, password }) => ({
    // They number their orders, not their proxies. The password may change, so it is no part of it.
    supplierRef: `${host}:${port}:${username}`,
    host,
    port,
    username,
    password,
    protocols,
    expiresAt,
  }))
}

/** The listed ones that are held, in the order of those: by our name for them, else by host and port where that leaves no choice. */
function matchAll(held: readonly HeldProxy[], listed: readonly PurchasedProxy[]): PurchasedProxy[] {
  const byRef = new Map(listed.map((proxy) => [proxy.supplierRef, proxy]))
  const refs = new Set(held.map((proxy) => proxy.supplierRef))
  const others = listed.filter((proxy) => !refs.has(proxy.supplierRef))
  return held.flatMap((proxy) => {
    const known = byRef.get(proxy.supplierRef)
    if (known) return known
    const there = others.filter((other) => other.host === proxy.host && other.port === proxy.port)
    return there.length === 1 ? there : []
  })
}

function inTheirWords(proxy: PurchasedProxy): string {
  return `${proxy.host}:${proxy.port}:${proxy.username}:${proxy.password}`
}
