/** What a supplier can do. Screens and jobs ask the flag, never the name (facts: upstreams §0.1). */
export type SupplierCapabilities = {
  canBuy: boolean
  canRenew: boolean
  canRenewSubset: boolean
  canReplace: boolean
  canChangeCredentials: boolean
  canWhitelistIp: boolean
  canChangeProtocol: boolean
  hasTraffic: boolean
  hasStock: boolean
  hasWebhooks: boolean
  periodUnit: 'days' | 'months' | 'plans'
  /** Delivery comes some time after the purchase and has to be polled. */
  isAsync: boolean
}

export type PurchaseRequest = {
  /** Ours, unique for each run, at most 50 characters: the purchase is found by it when its outcome is unknown. */
  reference: string
  /** ISO 3166-1 alpha-2, upper case. */
  countryCode: string
  quantity: number
  periodDays: number
  /** The offer's own settings for this supplier; each adapter parses them. */
  params: Record<string, unknown>
}

export type BoughtProxy = {
  supplierRef: string
  host: string
  port: number
  username: string
  password: string
  protocols: ('http' | 'socks5')[]
  /** ISO 8601 in UTC. */
  expiresAt: string
}

/** `rejected`: the supplier understood and said no for a reason that another try will not change. */
export type PurchaseOutcome =
  | { kind: 'delivered'; supplierOrderId: string; costMicros: bigint; currency: string; proxies: BoughtProxy[] }
  | { kind: 'refused'; code: 'sold_out' | 'supplier_unfunded' | 'rejected' }

export type Delivered = Extract<PurchaseOutcome, { kind: 'delivered' }>

/**
 * The purchase was sent and nobody knows what came of it: a time-out, a broken connection, a 5xx, an answer that cannot be read.
 * Never buy again on this; look the purchase up by its reference first. The message holds no key and no address.
 */
export class UnknownOutcomeError extends Error {
  readonly supplier: string

  constructor(supplier: string, message: string, options: { cause?: unknown } = {}) {
    super(`${supplier}: ${message}`, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'UnknownOutcomeError'
    this.supplier = supplier
  }
}

/**
 * A wholesaler of proxies. An adapter is a function of its input, without a database. All methods but `buy` may be repeated freely and throw
 * OperationalError when the supplier cannot be asked.
 */
export interface Supplier {
  readonly name: string
  readonly capabilities: SupplierCapabilities
  /**
   * Buys once; never retries by itself. Throws UnknownOutcomeError when the purchase may have happened, and OperationalError only
   * when it certainly has not (the connection was refused, the supplier said "slow down" before doing anything).
   */
  buy(request: PurchaseRequest): Promise<PurchaseOutcome>
  /** The purchase made under this reference, or null when the supplier says that there is none. */
  findPurchase(reference: string): Promise<Delivered | null>
  /** How many pieces it has for a country right now. */
  getStock(countryCode: string, params: Record<string, unknown>): Promise<number>
  /** Our own balance there. */
  getBalance(): Promise<{ balanceMicros: bigint; currency: string }>
}
