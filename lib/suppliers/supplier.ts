import { OperationalError } from '@/lib/kit'

/**
 * How a supplier sells. `order`: each purchase has its own proxies and its own end. `traffic`: gigabytes are carved out of one parent account into
 * sub-accounts. `pool`: the operator holds a plan with many proxies there, and the shop hands out slices of it from its own stock.
 */
export type SupplierModel = 'order' | 'traffic' | 'pool'

/** What an adapter can do; screens and the router ask these, never the supplier's name. */
export type SupplierCapabilities = {
  model: SupplierModel
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
  /** The supplier's own id, where it may change (on renewal, say): a proxy is known by its order, host and port. */
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

/** What one purchase would cost now. Spends nothing. */
export type Quote = { costMicros: bigint; currency: string }

/** A proxy bought earlier, as we know it. The supplier's id may be out of date. */
export type HeldProxy = Pick<PurchasedProxy, 'supplierRef' | 'host' | 'port' | 'expiresAt'>

export type HeldProxies = {
  /** The supplier's order they came with; null where it was never told. */
  supplierOrderId: string | null
  /** Never empty: to many suppliers an empty choice means "everything". */
  proxies: HeldProxy[]
  params: Record<string, unknown>
}

export type RenewRequest = HeldProxies & { reference: string; periodDays: number }

export type RenewOutcome =
  | { kind: 'renewed'; costMicros: bigint | null; currency: string | null; proxies: PurchasedProxy[] }
  /** `gone`: they are not there any more (expired, deleted). Nothing was renewed and nothing was charged. */
  | { kind: 'refused'; code: 'supplier_unfunded' | 'gone' | 'rejected'; detail: string }

/** Why a proxy is to be exchanged, in words every supplier has a word for. */
export type ReplaceReason = 'dead' | 'wrong_country' | 'slow' | 'blocked' | 'other'

/** One call can end differently for each proxy. `pending`: somebody there decides later; listOrder tells when. */
export type Replacement =
  | { kind: 'replaced'; host: string; port: number; replacement: PurchasedProxy }
  | { kind: 'pending'; host: string; port: number }
  | { kind: 'refused'; host: string; port: number; detail: string }

/** What a change of credentials or addresses came to. */
export type AccessOutcome = { kind: 'changed'; proxies: PurchasedProxy[] } | { kind: 'refused'; detail: string }

/** What a sub-account has: bytes granted in all and bytes used. */
export type SubAccount = {
  supplierRef: string
  host: string
  port: number
  username: string
  password: string
  grantedBytes: bigint
  usedBytes: bigint
}

/**
 * The part of a supplier that sells traffic. One sub-account a purchase; `reference` is written into its name, so that it can be found.
 * Errors as those of `buy`: UnknownOutcomeError when it was sent and the answer is missing, OperationalError when certainly not done.
 */
export type TrafficSupplier = {
  createSubAccount: (request: {
    reference: string
    bytes: bigint
    params: Record<string, unknown>
  }) => Promise<
    { kind: 'created'; account: SubAccount } | { kind: 'refused'; code: PurchaseRefusalCode; detail: string }
  >
  /** The sub-account made under this reference, or null when there is none. */
  findSubAccount: (reference: string, params: Record<string, unknown>) => Promise<SubAccount | null>
  readSubAccount: (supplierRef: string, params: Record<string, unknown>) => Promise<SubAccount | null>
  /** Grants more; what the account has afterwards. The caller compares `grantedBytes` before and after an unknown outcome. */
  giveTraffic: (supplierRef: string, bytes: bigint, params: Record<string, unknown>) => Promise<SubAccount>
  /** Closes the sub-account; what was not used returns to the parent. Closing one that is gone is done, too. */
  closeSubAccount: (supplierRef: string) => Promise<void>
  /** What the parent can still grant. */
  getTraffic: () => Promise<{ availableBytes: bigint }>
}

/** A proxy of a pool. It ends with the operator's plan there, which has no end while it is paid. One that does not work now is listed and not sellable. */
export type PoolProxy = Omit<PurchasedProxy, 'expiresAt'> & { countryCode: string; isSellable: boolean }

/** The part of a supplier whose proxies the operator holds as a pool. They become stock; the supplier is asked for nothing when one is sold. */
export type PoolSupplier = {
  /** Everything in the pool now, a page at a time. Throws OperationalError rather than telling a part as the whole. */
  listPool: (params: Record<string, unknown>) => Promise<PoolProxy[]>
  /**
   * What would be exchanged (`dryRun`), or the exchange, for others of the same country; hosts of several countries are several requests. It takes a
   * while there: while it is not done, ask readReplacement. Errors as those of `buy`.
   */
  replaceInPool: (request: {
    hosts: string[]
    params: Record<string, unknown>
    dryRun: boolean
  }) => Promise<{ id: string; isDone: boolean }>
  readReplacement: (id: string) => Promise<{ state: 'pending' | 'done' | 'failed'; detail: string | null }>
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
  /** The supplier's own number of a purchase that it accepted and delivers later: findPurchase finds it by that among others like it. */
  readonly takenAs: string | null

  constructor(service: string, message: string, takenAs: string | null = null) {
    super(service, message)
    this.name = 'UnknownOutcomeError'
    this.takenAs = takenAs
  }
}

/**
 * One wholesaler. An adapter is a function of its input: no database, no settings, no memory but its rate limit. Amounts are micros of
 * the supplier's own currency. No error it throws holds its key. What `capabilities` denies, the adapter does not have: the optional calls
 * are there exactly when their flag is set.
 */
export type Supplier = {
  name: string
  capabilities: SupplierCapabilities
  /**
   * Buys once; never repeats the call by itself. Throws UnknownOutcomeError when it was sent and the answer is missing or unreadable, and a
   * plain OperationalError when it certainly was not done (no connection, "too many requests") and may be sent again.
   * With `isAsync` a purchase that was taken and is not yet delivered is an UnknownOutcomeError as well: findPurchase tells of it later.
   */
  buy: (request: PurchaseRequest) => Promise<PurchaseOutcome>
  /** What that purchase would cost, for all its pieces. Null: the supplier has no such place, period or quantity. Throws OperationalError. */
  quote: (request: Omit<PurchaseRequest, 'reference'>) => Promise<Quote | null>
  /**
   * The purchase made under this reference, or null when there is none. Where a supplier keeps no reference of ours, the request and the moment it
   * was sent tell it (`hint`); a supplier that has taken it and not delivered yet: OperationalError, ask again. Throws OperationalError when it cannot tell.
   */
  findPurchase: (reference: string, hint?: PurchaseHint) => Promise<Purchase | null>
  /** How many can be bought there now. Zero for a place the supplier does not know. Throws OperationalError. */
  getStock: (countryCode: string, params: Record<string, unknown>) => Promise<number>
  /** Our own money there. Throws OperationalError. */
  getBalance: () => Promise<{ balanceMicros: bigint; currency: string }>
  /** What renewing would cost. Null: it cannot be renewed. With `canRenew`. */
  quoteRenewal?: (request: Omit<RenewRequest, 'reference'>) => Promise<Quote | null>
  /** Renews exactly these, once. Errors as those of `buy`; an unknown outcome is found by readProxies: the end of each has moved, or not. With `canRenew`. */
  renew?: (request: RenewRequest) => Promise<RenewOutcome>
  /** What the supplier says now of proxies we hold, matched by order, host and port; those it no longer knows are left out. With `canBuy`. */
  readProxies?: (held: HeldProxies) => Promise<PurchasedProxy[]>
  /** With `canReplace`. Errors as those of `buy`. */
  replace?: (request: HeldProxies & { reason: ReplaceReason; comment?: string }) => Promise<Replacement[]>
  /**
   * Everything listed there now of an order of ours, however it came into it: what a replacement brought that was pending, or whose answer is missing, is found
   * by it. Throws OperationalError. With `canReplace`.
   */
  listOrder?: (order: { supplierOrderId: string; params: Record<string, unknown> }) => Promise<PurchasedProxy[]>
  /** New login data for these. With `canChangeCredentials`. */
  changeCredentials?: (request: HeldProxies) => Promise<AccessOutcome>
  /** Binds these to addresses (IPv4); an empty list goes back to login and password. With `canWhitelistIp`. */
  bindAddresses?: (request: HeldProxies & { addresses: string[] }) => Promise<AccessOutcome>
  traffic?: TrafficSupplier
  pool?: PoolSupplier
}

/** What else is known of a purchase that is looked for. */
export type PurchaseHint = Omit<PurchaseRequest, 'reference'> & {
  sentAt: Date
  /** What the supplier named it when it accepted it (UnknownOutcomeError.takenAs); null when no answer came. */
  takenAs?: string | null
  /** Orders of that supplier which we know already: none of them is the one looked for. */
  knownOrderIds: readonly string[]
}
