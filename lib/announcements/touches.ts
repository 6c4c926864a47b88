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

export type Maintenance = {
  id: string
  slug: string
  titleEn: string
  titleRu: string
  beginsAt: Date
  endsAt: Date
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
  const open = await db().announcement.findMany({
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
  if (open.length === 0) return []
  const rows = await db().$queryRaw<{ id: string; proxies: number }[]>(Prisma.sql`
    SELECT n.id, count(*)::int AS proxies FROM unnest(${open.map(({ id }) => id)}::text[]) AS n (id)
    CROSS JOIN LATERAL maintenance_touches(n.id) t
    WHERE t.user_id = ${userId} AND t.order_id = coalesce(${orderId ?? null}, t.order_id) AND t.allocation_id = coalesce(${allocationId ?? null}, t.allocation_id)
    GROUP BY n.id`)
  const proxies = new Map(rows.map((row) => [row.id, row.proxies]))
  return open.flatMap((each) =>
    proxies.has(each.id)
      ? [{ ...each, beginsAt: each.beginsAt!, endsAt: each.endsAt!, proxies: proxies.get(each.id)! }]
      : [],
  )
}
