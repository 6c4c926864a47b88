import { sellsFromStock } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import { invariant, OperationalError } from '@/lib/kit'
import type { HeldProxies, PurchasedProxy, Replacement } from '@/lib/suppliers'
import { supplierForCall, watching } from './supplier-health'
import { type SupplierFor, supplierOf } from './suppliers-in-use'

type Held = {
  id: string
  host: string
  port: number
  expiresAt: Date
  supplierRef: string | null
  supplier: string
  supplierParams: Prisma.JsonValue
  supplierOrderId: string | null
}

/**
 * Which of these proxies their own supplier exchanges, by id, with its name: it can, and it told us their order. Asks no supplier. What comes from stock, is
 * sold by the gigabyte, or whose supplier's account cannot be opened is not among them.
 */
export async function listExchangeable(
  allocationIds: readonly string[],
  supplierFor: SupplierFor = supplierOf,
): Promise<Map<string, string>> {
  const rows = await db().$queryRaw<{ id: string; supplier: string }[]>(Prisma.sql`
    SELECT a.id, f.supplier FROM allocations a JOIN offers f ON f.id = a.offer_id JOIN deliveries d ON d.id = a.delivery_id
    WHERE a.id = ANY (${[...allocationIds]}::text[]) AND d.supplier_order_id IS NOT NULL AND a.granted_bytes IS NULL`)
  const can = new Map<string, boolean>()
  for (const supplier of new Set(rows.map((row) => row.supplier)))
    can.set(supplier, await canExchange(supplier, supplierFor))
  return new Map(rows.filter((row) => can.get(row.supplier)).map((row) => [row.id, row.supplier]))
}

async function canExchange(name: string, supplierFor: SupplierFor): Promise<boolean> {
  if (sellsFromStock(name)) return false
  try {
    const { capabilities, replace, listOrder } = await supplierFor(name)
    return capabilities.canReplace && replace !== undefined && listOrder !== undefined
  } catch (error) {
    // its account cannot be opened: nothing can be asked of it
    if (error instanceof OperationalError) return false
    throw error
  }
}

/**
 * Asks the supplier of a proxy for another one in its place, once: never repeats the call. Throws as `Supplier.replace` does, and OperationalError, nothing done,
 * while the supplier is left alone after failures.
 */
export async function askExchange(
  ask: { allocationId: string; reason: 'dead' | 'wrong_country' | 'slow' | 'blocked' | 'other' },
  supplierFor: SupplierFor = supplierOf,
): Promise<Replacement> {
  const held = await readHeld(ask.allocationId)
  const supplier = await supplierForCall(held.supplier, supplierFor)
  const { replace } = supplier
  invariant(replace, 'only a supplier that exchanges is asked to')
  const [outcome] = await watching(held.supplier, () => replace({ ...heldAs(held), reason: ask.reason }))
  invariant(outcome, 'each proxy has its answer')
  return outcome
}

/**
 * What the supplier of a proxy lists now in the order that the proxy came with: whether the proxy is still there, and those that are new to us, because they were
 * never handed over with our order. Throws OperationalError when the supplier cannot be asked.
 */
export async function readExchange(
  { allocationId }: { allocationId: string },
  supplierFor: SupplierFor = supplierOf,
): Promise<{ isThere: boolean; fresh: PurchasedProxy[] }> {
  const held = await readHeld(allocationId)
  const { listOrder } = await supplierFor(held.supplier)
  invariant(listOrder && held.supplierOrderId !== null, 'a supplier that exchanges tells what is in an order')
  const order = { supplierOrderId: held.supplierOrderId, params: held.supplierParams as Record<string, unknown> }
  const listed = await watching(held.supplier, () => listOrder(order))
  const known = await db().$queryRaw<{ host: string; port: number }[]>(Prisma.sql`
    SELECT a.host, a.port FROM allocations a JOIN allocations own ON own.order_id = a.order_id WHERE own.id = ${allocationId}`)
  const places = new Set(known.map(placeOf))
  return {
    isThere: listed.some((proxy) => placeOf(proxy) === placeOf(held)),
    fresh: listed.filter((proxy) => !places.has(placeOf(proxy))),
  }
}

const placeOf = ({ host, port }: { host: string; port: number }) => `${host}:${port}`

async function readHeld(allocationId: string): Promise<Held> {
  const [row] = await db().$queryRaw<Held[]>(Prisma.sql`
    SELECT a.id, a.host, a.port, a.expires_at AS "expiresAt", a.supplier_ref AS "supplierRef", f.supplier, f.supplier_params AS "supplierParams",
           d.supplier_order_id AS "supplierOrderId"
    FROM allocations a JOIN offers f ON f.id = a.offer_id LEFT JOIN deliveries d ON d.id = a.delivery_id WHERE a.id = ${allocationId}`)
  invariant(row, 'what is exchanged was handed over')
  return row
}

function heldAs({ supplierOrderId, supplierRef, host, port, expiresAt, supplierParams }: Held): HeldProxies {
  return {
    supplierOrderId,
    proxies: [{ supplierRef: supplierRef ?? '', host, port, expiresAt }],
    params: supplierParams as Record<string, unknown>,
  }
}
