import { type Database, db, Prisma } from '@/lib/db'
import { proxyFilter } from '@/lib/holdings'
import type { ExportFilter } from './schemas'
import type { ExportedProxy } from './template'

/** Rows read at a time: the memory of an export does not grow with it. */
export const EXPORT_PAGE = 500

/** `live`: what works now. `order`: all that is shown on an order's page, also what has ended. */
export type ExportScope = 'live' | 'order'

type Row = ExportedProxy & { position: number }
type Cursor = { orderId: string; position: number }

/** The one condition of what is exported. */
function whereOf(userId: string, filter: ExportFilter, scope: ExportScope): Prisma.Sql {
  const state =
    scope === 'live'
      ? Prisma.sql`(a.state = 'active' AND a.expires_at > now() OR a.state = 'in_grace' AND a.grace_until > now())`
      : Prisma.sql`a.state IN ('active', 'in_grace', 'expired')`
  const selected = filter.selection
    ? Prisma.sql`AND a.id = ANY (ARRAY(SELECT unnest(s.allocation_ids) FROM proxy_selections s
        WHERE s.id = ${filter.selection} AND s.user_id = ${userId}))`
    : Prisma.empty
  const chosen = scope === 'order' ? { ...filter, state: 'all' as const } : filter
  return Prisma.sql`${proxyFilter({ userId, filter: chosen })} AND ${state} ${selected}`
}

/** One page. The order is by a text made of the order's id, so that it is not read from the index of everybody's orders: the way in is the customer. */
export function pageQuery(
  input: { userId: string; filter: ExportFilter; scope: ExportScope },
  after: Cursor | undefined,
  size: number,
): Prisma.Sql {
  const from = after
    ? Prisma.sql`AND (a.order_id || '', a.position) > (${after.orderId}, ${after.position}::int)`
    : Prisma.empty
  return Prisma.sql`
    SELECT a.host, a.port, a.username, a.password, a.protocols, a.country_code AS "countryCode", a.expires_at AS "expiresAt",
           coalesce((SELECT m.label FROM proxy_marks m WHERE m.user_id = ${input.userId} AND m.allocation_id = a.id), '') AS label,
           a.order_id AS "orderId", a.position
    FROM allocations a WHERE ${whereOf(input.userId, input.filter, input.scope)} ${from}
    ORDER BY a.order_id || '', a.position LIMIT ${size}::int`
}

/**
 * A customer's proxies in pages of 500, by order and place in it. The next page is asked for when the reader wants it; who stops reading stops the
 * asking. Somebody else's order gives nothing.
 */
export async function* readProxies(
  input: { userId: string; filter: ExportFilter; scope: ExportScope; limit?: number },
  database: Database = db(),
): AsyncGenerator<ExportedProxy[]> {
  let after: Cursor | undefined
  let left = input.limit ?? Number.POSITIVE_INFINITY
  while (left > 0) {
    const size = Math.min(EXPORT_PAGE, left)
    const rows = await database.$queryRaw<Row[]>(pageQuery(input, after, size))
    if (rows.length > 0) yield rows
    if (rows.length < size) return
    after = rows.at(-1)!
    left -= rows.length
  }
}

/** How many proxies that work now a filter takes. */
export async function countProxies(input: { userId: string; filter: ExportFilter }): Promise<number> {
  const [row] = await db().$queryRaw<{ count: number }[]>(
    Prisma.sql`SELECT count(*)::int AS count FROM allocations a WHERE ${whereOf(input.userId, input.filter, 'live')}`,
  )
  return row!.count
}

/** What a filter can be set to: the orders and countries of which somebody holds working proxies. */
export async function listChoices(
  userId: string,
): Promise<{ orders: { id: string; count: number }[]; countries: string[] }> {
  const rows = await db().$queryRaw<{ id: string; count: number; countries: string[] }[]>(Prisma.sql`
    SELECT a.order_id AS id, count(*)::int AS count, array_agg(DISTINCT a.country_code) AS countries
    FROM allocations a WHERE ${whereOf(userId, {}, 'live')} GROUP BY a.order_id ORDER BY a.order_id DESC`)
  return {
    orders: rows.map(({ id, count }) => ({ id, count })),
    countries: [...new Set(rows.flatMap((row) => row.countries))].sort(),
  }
}
