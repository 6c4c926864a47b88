import { STOCK_SUPPLIERS } from '@/lib/catalog'
import { db, Prisma, type Tx } from '@/lib/db'
import { newId } from '@/lib/kit'
import { log } from '@/lib/log'
import type { PoolProxy } from '@/lib/suppliers'
import { configuredSuppliers, type SupplierFor, supplierOf } from './suppliers-in-use'

/**
 * What a person should know of a pool. `gone`, `not_working`, `other_country`: a proxy that a customer holds (or waits for) is no longer listed, does
 * not work, or stands in another country; told by every run while it is so. `login_changed`: the customer's proxy has other login data or another
 * address now, which were passed on; told once. `already_in_stock`: a proxy of the pool that cannot be sold, because its address and login are in
 * stock from elsewhere or were sold before under another id.
 */
export type PoolFinding = {
  kind: 'gone' | 'not_working' | 'other_country' | 'login_changed' | 'already_in_stock'
  supplier: string
  offerId: string
  orderId: string | null
  host: string
  port: number
}

type PoolOffer = {
  id: string
  supplier: string
  countryCode: string
  supplierParams: unknown
  isActive: boolean
  stockCheckedAt: Date | null
}

/** Those whose proxies lie in our stock and are not imported by hand. */
const POOL_SUPPLIERS = STOCK_SUPPLIERS.filter((name) => name !== 'stock')
/** One statement after the other over a pool of some ten thousand proxies. */
const APPLY_TIMEOUT_MS = 60_000

/**
 * Makes the stock of every offer of a pool what the pool is: new proxies of the offer's country become free units (of active offers only), changed
 * login data reach the unit and the customer who holds it, what is no longer offered is withdrawn while it is free, and comes back with it. A unit
 * that was sold once is never free again. A pool whose supplier is switched off sells nothing more: its free units are withdrawn, and come back with it.
 * A pool that cannot be listed whole stays as it is. Runs at once do no harm: a list is applied only
 * if none was applied since before it was asked for.
 */
export async function syncPool(supplierFor: SupplierFor = supplierOf): Promise<PoolFinding[]> {
  const offers: PoolOffer[] = await db().offer.findMany({
    where: { supplier: { in: POOL_SUPPLIERS } },
    select: { id: true, supplier: true, countryCode: true, supplierParams: true, isActive: true, stockCheckedAt: true },
    orderBy: { id: 'asc' },
  })
  const findings: PoolFinding[] = []
  for (const [, together] of groupByPool(offers)) {
    const { supplier, supplierParams } = together[0]!
    const account = (await configuredSuppliers()).find(({ name }) => name === supplier)
    // One that nobody set up is no news.
    if (supplierFor === supplierOf && !account?.supplier) continue
    const isTaking = supplierFor !== supplierOf || account!.isEnabled
    try {
      const { pool } = await supplierFor(supplier)
      if (!pool) continue
      const proxies = await pool.listPool(supplierParams as Record<string, unknown>)
      for (const offer of together) findings.push(...(await applyPool(offer, proxies, isTaking)))
    } catch (error) {
      log('provisioning').warn({ supplier, error }, 'a pool could not be brought into stock')
    }
  }
  return findings
}

/** Offers that sell from one plan are served by one list. */
function groupByPool(offers: PoolOffer[]): Map<string, PoolOffer[]> {
  const groups = new Map<string, PoolOffer[]>()
  for (const offer of offers) {
    const key = `${offer.supplier} ${JSON.stringify(offer.supplierParams)}`
    groups.set(key, [...(groups.get(key) ?? []), offer])
  }
  return groups
}

async function applyPool(offer: PoolOffer, proxies: readonly PoolProxy[], isTaking: boolean): Promise<PoolFinding[]> {
  // Two ids for one address and login are one proxy; which of them is left does not matter.
  const distinct = new Map(proxies.map((proxy) => [`${proxy.host}:${proxy.port}:${proxy.username}`, proxy]))
  const rows = [...distinct.values()].map(({ supplierRef, countryCode, isSellable, ...login }) => ({
    ...login,
    ref: supplierRef,
    country: countryCode.toUpperCase(),
    sellable: isSellable,
    id: newId('stk'),
  }))
  return db().$transaction(
    async (tx) => {
      if (!(await claimOffer(tx, offer))) return []
      // A table with statistics: joined straight from the JSON, twenty thousand rows would be compared one by one with as many units.
      await tx.$executeRaw(Prisma.sql`
        CREATE TEMPORARY TABLE pool_rows ON COMMIT DROP AS SELECT * FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          AS p(id text, ref text, host text, port int, username text, password text, protocols text[], country text, sellable boolean)`)
      await tx.$executeRaw(Prisma.sql`ANALYZE pool_rows`)
      await adoptNewIds(tx, offer)
      const changed = await passOnLogins(tx, offer)
      await matchFreeUnits(tx, offer, isTaking)
      return [...changed, ...(await listTroubles(tx, offer))].map((finding) => ({
        ...finding,
        supplier: offer.supplier,
        offerId: offer.id,
      }))
    },
    { maxWait: 10_000, timeout: APPLY_TIMEOUT_MS },
  )
}

/** Locks the offer until the end of the transaction. False: another run has applied a list since this one was asked for, which may be older. */
async function claimOffer(tx: Tx, offer: PoolOffer): Promise<boolean> {
  const claimed = await tx.$executeRaw(Prisma.sql`
    UPDATE offers SET stock_checked_at = greatest(clock_timestamp(), stock_checked_at + interval '1 millisecond')
    WHERE id = ${offer.id} AND stock_checked_at IS NOT DISTINCT FROM ${offer.stockCheckedAt}::timestamptz`)
  return claimed === 1
}

/** The same address and login under another id is the same proxy: the unit takes the new id, so that it is not sold a second time under it. */
async function adoptNewIds(tx: Tx, offer: PoolOffer): Promise<void> {
  await tx.$executeRaw(Prisma.sql`
    UPDATE stock_units u SET supplier_ref = p.ref FROM pool_rows p
    WHERE u.offer_id = ${offer.id} AND u.supplier = ${offer.supplier} AND u.supplier_ref <> p.ref
      AND u.host = p.host AND u.port = p.port AND u.username = p.username
      AND NOT EXISTS (SELECT 1 FROM stock_units known WHERE known.supplier = ${offer.supplier} AND known.supplier_ref = p.ref)
      AND u.supplier_ref NOT IN (SELECT p.ref FROM pool_rows p)`)
}

type Found = Pick<PoolFinding, 'kind' | 'orderId' | 'host' | 'port'>

/** Login data as the pool tells them, into the units and on to who holds them. A change into what another unit has waits for that one. */
async function passOnLogins(tx: Tx, offer: PoolOffer): Promise<Found[]> {
  const changed = await tx.$queryRaw<{ id: string; order_id: string | null }[]>(Prisma.sql`
    UPDATE stock_units u SET host = p.host, port = p.port, username = p.username, password = p.password, protocols = p.protocols
    FROM pool_rows p
    WHERE u.offer_id = ${offer.id} AND u.supplier = ${offer.supplier} AND u.supplier_ref = p.ref
      AND (u.host, u.port, u.username, u.password, u.protocols) IS DISTINCT FROM (p.host, p.port, p.username, p.password, p.protocols)
      AND NOT EXISTS (SELECT 1 FROM stock_units other
                      WHERE other.host = p.host AND other.port = p.port AND other.username = p.username AND other.id <> u.id)
    RETURNING u.id, u.order_id`)
  const sold = changed.filter((unit) => unit.order_id !== null)
  if (sold.length === 0) return []
  return tx.$queryRaw<Found[]>(Prisma.sql`
    UPDATE allocations a SET host = u.host, port = u.port, username = u.username, password = u.password, protocols = u.protocols
    FROM stock_units u
    WHERE u.id = ANY (${sold.map((unit) => unit.id)}) AND a.order_id = u.order_id AND a.supplier_ref = u.id AND a.state IN ('active', 'in_grace')
    RETURNING 'login_changed' AS kind, a.order_id AS "orderId", a.host, a.port`)
}

/** Withdraws free units that are no longer offered, brings back those that are again, and takes in new ones. */
async function matchFreeUnits(tx: Tx, offer: PoolOffer, isTaking: boolean): Promise<void> {
  const offered = Prisma.sql`SELECT p.ref FROM pool_rows p WHERE p.sellable AND p.country = ${offer.countryCode} AND ${isTaking}`
  await tx.$executeRaw(Prisma.sql`
    UPDATE stock_units SET state = 'withdrawn', left_pool_at = clock_timestamp()
    WHERE offer_id = ${offer.id} AND supplier = ${offer.supplier} AND state = 'free' AND supplier_ref NOT IN (${offered})`)
  // Only what the pool itself withdrew and nobody ever held: somebody who held it knows its login.
  await tx.$executeRaw(Prisma.sql`
    UPDATE stock_units SET state = 'free', left_pool_at = NULL
    WHERE offer_id = ${offer.id} AND supplier = ${offer.supplier} AND state = 'withdrawn' AND left_pool_at IS NOT NULL AND sold_at IS NULL
      AND supplier_ref IN (${offered})`)
  if (!offer.isActive || !isTaking) return
  // What is in stock already, by id or by address and login, stays what it is there: no proxy is two units.
  await tx.$executeRaw(Prisma.sql`
    INSERT INTO stock_units (id, offer_id, supplier, supplier_ref, host, port, username, password, protocols)
    SELECT p.id, ${offer.id}, ${offer.supplier}, p.ref, p.host, p.port, p.username, p.password, p.protocols
    FROM pool_rows p WHERE p.sellable AND p.country = ${offer.countryCode}
    ORDER BY p.host, p.port, p.username
    ON CONFLICT DO NOTHING`)
}

async function listTroubles(tx: Tx, offer: PoolOffer): Promise<Found[]> {
  return tx.$queryRaw<Found[]>(Prisma.sql`
    WITH held AS (
      SELECT u.supplier_ref, u.order_id, u.host, u.port FROM stock_units u
      WHERE u.offer_id = ${offer.id} AND u.supplier = ${offer.supplier} AND (u.state = 'reserved' OR u.state = 'sold' AND EXISTS (
        SELECT 1 FROM allocations a WHERE a.order_id = u.order_id AND a.supplier_ref = u.id AND a.state IN ('active', 'in_grace'))))
    SELECT CASE WHEN p.ref IS NULL THEN 'gone' WHEN NOT p.sellable THEN 'not_working' ELSE 'other_country' END AS kind,
           held.order_id AS "orderId", held.host, held.port
    FROM held LEFT JOIN pool_rows p ON p.ref = held.supplier_ref
    WHERE p.ref IS NULL OR NOT p.sellable OR p.country <> ${offer.countryCode}
    UNION ALL
    SELECT 'already_in_stock', u.order_id, p.host, p.port
    FROM pool_rows p JOIN stock_units u ON u.host = p.host AND u.port = p.port AND u.username = p.username
    WHERE p.country = ${offer.countryCode} AND p.sellable AND (u.supplier IS DISTINCT FROM ${offer.supplier} OR u.supplier_ref <> p.ref)
    ORDER BY kind, host, port`)
}
