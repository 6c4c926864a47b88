import { type Database, db, Prisma } from '@/lib/db'
import { isId } from '@/lib/kit'
import { proxyFilter, STANDING } from './proxy-filter'
import type { ProxyFilter, ProxyOrder, ProxySort } from './schemas'

export const PROXIES_PAGE = 50

export type ProxyStanding = 'live' | 'grace' | 'ended'
export type HeldProxy = {
  /** Where this row stands in the order that was asked for. */
  cursor: string
  id: string
  orderId: string
  planId: string
  position: number
  host: string
  port: number
  username: string
  countryCode: string
  /** The state that is written; `replaced`, `withdrawn` and `refunded` say why it ended. */
  state: string
  standing: ProxyStanding
  addedAt: Date
  expiresAt: Date
  graceUntil: Date | null
  autoRenew: boolean
  label: string
  note: string
  tags: string[]
  lastAt: Date | null
  lastOk: boolean | null
  failingSince: Date | null
}
export type ProxiesPage = { rows: HeldProxy[]; nextAfter: string | null }

/** What the table is sorted by, whether that is a time, and which way it goes when nothing is said. */
const SORTS: Record<ProxySort, { by: Prisma.Sql; isTime: boolean; isDown: boolean }> = {
  expiry: { by: Prisma.sql`a.expires_at`, isTime: true, isDown: false },
  country: { by: Prisma.sql`a.country_code`, isTime: false, isDown: false },
  host: { by: Prisma.sql`a.host`, isTime: false, isDown: false },
  added: { by: Prisma.sql`a.created_at`, isTime: true, isDown: true },
  check: {
    by: Prisma.sql`coalesce((SELECT h.last_at FROM proxy_health h WHERE h.allocation_id = a.id), to_timestamp(0))`,
    isTime: true,
    isDown: true,
  },
}

/**
 * A page of a customer's proxies, of all orders, filtered and sorted; `after` is `nextAfter` of the page before, anything else begins anew. Reads
 * this customer's rows only, whatever others hold (the test of plans shows it).
 */
export async function listProxies(
  input: { userId: string; filter: ProxyFilter; sort?: ProxyOrder; after?: string; limit?: number },
  database: Database = db(),
): Promise<ProxiesPage> {
  const limit = input.limit ?? PROXIES_PAGE
  const rows = await database.$queryRaw<HeldProxy[]>(proxiesQuery({ ...input, limit: limit + 1 }))
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    rows: shown,
    nextAfter: rows.length > limit && last ? writeCursor(last.cursor, last.id) : null,
  }
}

/** The one statement of a page; apart, so that a test can ask for its plan. */
export function proxiesQuery(input: {
  userId: string
  filter: ProxyFilter
  sort?: ProxyOrder
  after?: string
  limit: number
}): Prisma.Sql {
  const { userId, sort = 'expiry' } = input
  const { by, isTime, isDown: naturally } = SORTS[sort.replace('-', '') as ProxySort]
  const isDown = naturally !== sort.startsWith('-')
  const way = isDown ? Prisma.sql`DESC` : Prisma.sql`ASC`
  const after = input.after === undefined ? null : readCursor(input.after, isTime)
  const from = after
    ? Prisma.sql`AND (${by}, a.id) ${isDown ? Prisma.sql`<` : Prisma.sql`>`} (${after.value}, ${after.id})`
    : Prisma.empty
  return Prisma.sql`
    WITH page AS MATERIALIZED (
      SELECT a.id, ${by} AS sorted FROM allocations a WHERE ${proxyFilter(input)} ${from} ORDER BY ${by} ${way}, a.id ${way} LIMIT ${input.limit}::int
    )
    SELECT a.id, a.order_id AS "orderId", o.plan_id AS "planId", a.position, a.host, a.port, a.username, a.country_code AS "countryCode", a.state,
           ${STANDING} AS standing, a.created_at AS "addedAt", a.expires_at AS "expiresAt", a.grace_until AS "graceUntil", o.auto_renew AS "autoRenew",
           coalesce(m.label, '') AS label, coalesce(m.note, '') AS note, coalesce(m.tags, '{}') AS tags,
           h.last_at AS "lastAt", h.last_ok AS "lastOk", h.failing_since AS "failingSince", ${isTime ? Prisma.sql`(extract(epoch FROM p.sorted) * 1000)::bigint::text` : Prisma.sql`p.sorted`} AS cursor
    FROM page p JOIN allocations a ON a.id = p.id JOIN orders o ON o.id = a.order_id
      LEFT JOIN proxy_marks m ON m.user_id = ${userId} AND m.allocation_id = a.id LEFT JOIN proxy_health h ON h.allocation_id = a.id
    ORDER BY p.sorted ${way}, p.id ${way}`
}

/** How many proxies a filter takes. */
export async function countProxies(input: { userId: string; filter: ProxyFilter }): Promise<number> {
  const [row] = await db().$queryRaw<{ count: number }[]>(
    Prisma.sql`SELECT count(*)::int AS count FROM allocations a WHERE ${proxyFilter(input)}`,
  )
  return row!.count
}

/** What the filter of somebody's table can be set to: the countries and plans they have proxies of, and their tags, each with how many. */
export async function listProxyFacets({ userId }: { userId: string }): Promise<{
  countries: string[]
  planIds: string[]
  tags: { tag: string; count: number }[]
}> {
  const [countries, plans, tags] = await Promise.all([
    db().$queryRaw<{ code: string }[]>(
      Prisma.sql`SELECT DISTINCT country_code AS code FROM allocations WHERE user_id = ${userId} ORDER BY 1`,
    ),
    db().order.findMany({
      where: { userId, deliveredAt: { not: null } },
      distinct: ['planId'],
      select: { planId: true },
    }),
    listTags({ userId }),
  ])
  return { countries: countries.map((row) => row.code), planIds: plans.map((order) => order.planId), tags }
}

/** Somebody's tags in the order of the alphabet. */
export async function listTags({ userId }: { userId: string }): Promise<{ tag: string; count: number }[]> {
  return db().$queryRaw(Prisma.sql`
    SELECT t.tag, count(*)::int AS count FROM proxy_marks m, unnest(m.tags) AS t(tag) WHERE m.user_id = ${userId} GROUP BY t.tag ORDER BY t.tag`)
}

function writeCursor(value: string, id: string): string {
  return Buffer.from(`${value}\n${id}`).toString('base64url')
}

/** Null for what this table did not write: a cursor comes from an address. Times are written in milliseconds. */
function readCursor(text: string, isTime: boolean): { value: Prisma.Sql; id: string } | null {
  const [value, id, ...rest] = Buffer.from(text, 'base64url').toString('utf8').split('\n')
  if (value === undefined || id === undefined || rest.length > 0 || !isId('alc', id) || value.includes('\0'))
    return null
  if (!isTime) return { value: Prisma.sql`${value}::text`, id }
  return /^\d{1,15}$/.test(value) ? { value: Prisma.sql`${new Date(Number(value))}::timestamptz`, id } : null
}
