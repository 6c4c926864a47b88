import { db, Prisma } from '@/lib/db'

export type Touched = { people: number; orders: number; proxies: number }

/** How many people an announcement would be told to or was, and, of a maintenance, how many of their orders and live proxies it touches now. */
export async function countTouched(announcement: { id: string; kind: string }): Promise<Touched> {
  if (announcement.kind !== 'maintenance') return { people: await db().user.count(), orders: 0, proxies: 0 }
  const [row] = await db().$queryRaw<Touched[]>(Prisma.sql`
    SELECT count(DISTINCT user_id)::int AS people, count(DISTINCT order_id)::int AS orders, count(*)::int AS proxies
    FROM maintenance_touches(${announcement.id})`)
  return row!
}

export type AnnouncedMaintenance = {
  id: string
  slug: string
  titleEn: string
  titleRu: string
  beginsAt: Date
  endsAt: Date
}
export type Maintenance = AnnouncedMaintenance & {
  /** How many proxies of those that were asked about it touches. */
  proxies: number
}

/**
 * What maintenance touches this person's live proxies, of one order or one proxy when it is named, the soonest first: published, not over, and beginning within
 * `withinHours` when that is said. Only the person's own are ever looked at. While nothing is announced this is one look at an index.
 */
export async function listMaintenance({
  userId,
  orderId,
  allocationId,
  withinHours,
  now = new Date(),
}: {
  userId: string
  orderId?: string
  allocationId?: string
  withinHours?: number
  now?: Date
}): Promise<Maintenance[]> {
  const open = await listOpen(now, withinHours)
  if (open.length === 0) return []
  const rows = await db().$queryRaw<{ id: string; proxies: number }[]>(Prisma.sql`
    SELECT n.id, count(*)::int AS proxies FROM unnest(${open.map(({ id }) => id)}::text[]) AS n (id)
    CROSS JOIN LATERAL maintenance_touches(n.id) t
    WHERE t.user_id = ${userId} AND t.order_id = coalesce(${orderId ?? null}, t.order_id) AND t.allocation_id = coalesce(${allocationId ?? null}, t.allocation_id)
    GROUP BY n.id`)
  const proxies = new Map(rows.map((row) => [row.id, row.proxies]))
  return open.flatMap((each) => (proxies.has(each.id) ? [{ ...each, proxies: proxies.get(each.id)! }] : []))
}

/**
 * Of these proxies of one person, each that an announced maintenance touches, with the soonest that is not over. Only the person's own are ever looked at. While nothing is
 * announced this is one look at an index.
 */
export async function findMaintenanceOf({
  userId,
  allocationIds,
  now = new Date(),
}: {
  userId: string
  allocationIds: readonly string[]
  now?: Date
}): Promise<ReadonlyMap<string, AnnouncedMaintenance>> {
  const open = allocationIds.length === 0 ? [] : await listOpen(now)
  if (open.length === 0) return new Map()
  const rows = await db().$queryRaw<{ id: string; allocationId: string }[]>(Prisma.sql`
    SELECT n.id, t.allocation_id AS "allocationId" FROM unnest(${open.map(({ id }) => id)}::text[]) WITH ORDINALITY AS n (id, place)
    CROSS JOIN LATERAL maintenance_touches(n.id) t
    WHERE t.user_id = ${userId} AND t.allocation_id = ANY (${[...allocationIds]}::text[])
    ORDER BY n.place DESC`)
  const byId = new Map(open.map((each) => [each.id, each]))
  // The soonest comes last, and stays.
  return new Map(rows.map(({ id, allocationId }) => [allocationId, byId.get(id)!]))
}

async function listOpen(now: Date, withinHours?: number): Promise<AnnouncedMaintenance[]> {
  const rows = await db().announcement.findMany({
    where: {
      kind: 'maintenance',
      state: 'published',
      endsAt: { gt: now },
      ...(withinHours === undefined ? {} : { beginsAt: { lte: new Date(now.getTime() + withinHours * 3_600_000) } }),
    },
    orderBy: [{ beginsAt: 'asc' }, { id: 'asc' }],
    select: { id: true, slug: true, titleEn: true, titleRu: true, beginsAt: true, endsAt: true },
    take: 50,
  })
  return rows.map(({ beginsAt, endsAt, ...row }) => ({ ...row, beginsAt: beginsAt!, endsAt: endsAt! }))
}
