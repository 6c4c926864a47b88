import { OperationalError } from '@/lib/kit'

/** What an adapter can do; screens and the router ask these, never the supplier's name. */
export type SupplierCapabilities = {
  canBuy: boolean
  canRenew: boolean
  canRenewSubset: boolean
  canReplace: boolean
  canChangeCredentials: boolean
  canWhitelistIp: boolean
  canChangeProtocol: boolean
  /** Sells gigabytes that are metered, rather than proxies for a time. */
  hasTraffic: boolean
  /** Can tell how many are left. */
  hasStock: boolean
  hasWebhooks: boolean
  periodUnit: 'days' | 'months' | 'plans'
  /** A purchase is accepted first and delivered later; the outcome then comes from findPurchase. */
  isAsync: boolean
}

export type PurchaseRequest = {
  /** Ours, unique per run: the purchase can be found by it. At most 50 of letters, digits, `_`, `-`, `.`. */
  reference: string
  /** ISO 3166 alpha-2 in lower case. */
  countryCode: string
  quantity: number
  periodDays: number
  /** What the offer says beyond that, in the supplier's own words; each adapter checks its own. */
  params: Record<string, unknown>
}

export type PurchasedProxy = {
  supplierRef: string
  host: string
  port: number
  username: string
  password: string
  protocols: ('http' | 'socks5')[]
  expiresAt: Date
}

/**
 * What the supplier gave. `proxies` may be fewer than were asked for: the caller compares. Order id and cost are null where the supplier
 * does not tell them again (a purchase that was looked up).
 */
export type Purchase = {
  supplierOrderId: string | null
  costMicros: bigint | null
  currency: string | null
  proxies: PurchasedProxy[]
}

/** Why nothing was bought. `supplier_unfunded` is the operator's business (our account there is empty) and never shown to a customer. */
export type PurchaseRefusalCode = 'sold_out' | 'supplier_unfunded' | 'rejected'

export type PurchaseOutcome =
  | ({ kind: 'delivered' } & Purchase)
  /** `detail` is for staff: the supplier's own number and words. */
  | { kind: 'refused'; code: PurchaseRefusalCode; detail: string }

/**
 * The purchase was sent and nobody knows whether it happened. Never buy again on it: ask findPurchase first, and give the supplier some
 * minutes before its "no" is believed.
 */
export class UnknownOutcomeError extends OperationalError {
  constructor(service: string, message: string) {
    super(service, message)
    this.name = 'UnknownOutcomeError'
  }
}

/**
 * One wholesaler. An adapter is a function of its input: no database, no settings, no memory but its rate limit. Amounts are micros of
 * the supplier's own currency. No error it throws holds its key.
 */
export type Supplier = {
  name: string
  capabilities: SupplierCapabilities
  /**
   * Buys once; never repeats the call by itself. Throws UnknownOutcomeError when it was sent and the answer is missing or unreadable, and a
   * plain OperationalError when it certainly was not done (no connection, "too many requests") and may be sent again.
   */
  buy: (request: PurchaseRequest) => Promise<PurchaseOutcome>
  /** The purchase made under this reference, or null when there is none. Throws OperationalError when it cannot tell. */
  findPurchase: (reference: string) => Promise<Purchase | null>
  /** How many can be bought there now. Zero for a place the supplier does not know. Throws OperationalError. */
  getStock: (countryCode: string, params: Record<string, unknown>) => Promise<number>
  /** Our own money there. Throws OperationalError. */
  getBalance: () => Promise<{ balanceMicros: bigint; currency: string }>
}
