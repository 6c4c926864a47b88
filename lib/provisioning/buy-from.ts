import { invariant } from '@/lib/kit'
import type {
  PurchasedProxy,
  PurchaseHint,
  PurchaseOutcome,
  PurchaseRequest,
  Quote,
  SubAccount,
  Supplier,
} from '@/lib/suppliers'

/** What is sold by the gigabyte is counted in these, as every supplier of it does. */
export const GB_BYTES = 1_000_000_000n

/** A proxy as it is handed over. Without an end of its own it ends with the order's period; `grantedBytes` is there for traffic, as text for JSON. */
export type HandedProxy = Omit<PurchasedProxy, 'expiresAt'> & { expiresAt?: Date; grantedBytes?: string }

export type Supplied = {
  supplierOrderId: string | null
  costMicros: bigint | null
  currency: string | null
  proxies: HandedProxy[]
}
export type SupplyOutcome = ({ kind: 'delivered' } & Supplied) | Extract<PurchaseOutcome, { kind: 'refused' }>

/** Buys once, by the supplier's model: an order of proxies, or one sub-account with as many gigabytes as pieces. Throws as `Supplier.buy`. */
export async function buyFrom(supplier: Supplier, request: PurchaseRequest): Promise<SupplyOutcome> {
  if (!supplier.traffic) return supplier.buy(request)
  const { reference, params } = request
  const made = await supplier.traffic.createSubAccount({
    reference,
    bytes: BigInt(request.quantity) * GB_BYTES,
    params,
  })
  return made.kind === 'created' ? { kind: 'delivered', ...suppliedAs(made.account) } : made
}

/** What was bought under this reference, or null when the supplier says "nothing". Throws OperationalError when it cannot tell. */
export async function findBought(supplier: Supplier, reference: string, hint: PurchaseHint): Promise<Supplied | null> {
  if (!supplier.traffic) return supplier.findPurchase(reference, hint)
  const account = await supplier.traffic.findSubAccount(reference, hint.params)
  return account && suppliedAs(account)
}

/**
 * What a purchase would cost now. Null `quote`: the supplier cannot say, because traffic comes from a parent account that was paid before. Null in all: it has no such place, period or quantity.
 */
export async function quoteAt(
  supplier: Supplier,
  request: Omit<PurchaseRequest, 'reference'>,
): Promise<{ quote: Quote | null } | null> {
  if (supplier.traffic) return { quote: null }
  invariant(supplier.capabilities.model !== 'pool', 'what is in a pool is sold from stock')
  const quote = await supplier.quote(request)
  return quote && { quote }
}

function suppliedAs(account: SubAccount): Supplied {
  const { supplierRef, host, port, username, password, grantedBytes } = account
  return {
    supplierOrderId: supplierRef,
    costMicros: null,
    currency: null,
    proxies: [
      {
        supplierRef,
        host,
        port,
        username,
        password,
        protocols: ['http', 'socks5'],
        grantedBytes: grantedBytes.toString(),
      },
    ],
  }
}
