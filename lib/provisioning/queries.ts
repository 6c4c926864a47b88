import { STOCK_SUPPLIERS } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'

/** How many pieces each offer can deliver now: for stock and pools its free units; else what the supplier last said (null: never asked). */
export async function listAvailability(): Promise<Map<string, number | null>> {
  const rows = await db().$queryRaw<{ id: string; available: number | null }[]>(Prisma.sql`
    SELECT o.id, CASE WHEN o.supplier = ANY (${[...STOCK_SUPPLIERS]})
      THEN (SELECT count(*)::int FROM stock_units u WHERE u.offer_id = o.id AND u.state = 'free') ELSE o.stock_count END AS available
    FROM offers o WHERE o.is_active`)
  return new Map(rows.map((row) => [row.id, row.available]))
}

/** The units of each stock offer by state, for the stock page. */
export async function countStock(): Promise<
  { offerId: string; free: number; reserved: number; sold: number; withdrawn: number }[]
> {
  return db().$queryRaw(Prisma.sql`
    SELECT offer_id AS "offerId", count(*) FILTER (WHERE state = 'free')::int AS free, count(*) FILTER (WHERE state = 'reserved')::int AS reserved,
           count(*) FILTER (WHERE state = 'sold')::int AS sold, count(*) FILTER (WHERE state = 'withdrawn')::int AS withdrawn
    FROM stock_units GROUP BY offer_id`)
}

/** What has been imported, newest first. */
export async function listStockImports(limit = 50) {
  return db().stockImport.findMany({
    orderBy: { at: 'desc' },
    take: limit,
    select: { id: true, offerId: true, importedBy: true, added: true, skipped: true, at: true },
  })
}

/** The lines that an import left out, in their order: the number of each and why. Null when there is no such import. */
export async function listRefusedLines({ importId }: { importId: string }): Promise<[number, string][] | null> {
  const row = await db().stockImport.findUnique({ where: { id: importId }, select: { refused: true } })
  return row && (row.refused as [number, string][])
}

const allocationSelect = {
  id: true,
  orderId: true,
  position: true,
  host: true,
  port: true,
  username: true,
  password: true,
  protocols: true,
  countryCode: true,
  state: true,
  createdAt: true,
  expiresAt: true,
  graceUntil: true,
} as const

/** The proxies of one order of this customer, in their order, without those that were exchanged, given or taken back; empty for somebody else's. */
export async function listAllocations(input: { userId: string; orderId: string }) {
  return db().allocation.findMany({
    where: { userId: input.userId, orderId: input.orderId, state: { in: ['active', 'in_grace', 'expired'] } },
    orderBy: { position: 'asc' },
    select: allocationSelect,
  })
}
export type AllocationView = Awaited<ReturnType<typeof listAllocations>>[number]

/** How many proxies somebody holds that have not expired. */
export async function countActiveAllocations({ userId }: { userId: string }): Promise<number> {
  return db().allocation.count({
    where: {
      userId,
      OR: [
        { state: 'active', expiresAt: { gt: new Date() } },
        { state: 'in_grace', graceUntil: { gt: new Date() } },
      ],
    },
  })
}

/** The runs at suppliers for an order, for staff. */
export async function listDeliveries({ orderId }: { orderId: string }) {
  return db().delivery.findMany({
    where: { orderId },
    orderBy: { startedAt: 'asc' },
    select: {
      id: true,
      supplier: true,
      reference: true,
      state: true,
      supplierOrderId: true,
      costMicros: true,
      costCurrency: true,
      refusal: true,
      lookups: true,
      startedAt: true,
      endedAt: true,
    },
  })
}
