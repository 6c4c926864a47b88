import { db, Prisma } from '@/lib/db'
import { DAY_MS } from '@/lib/kit'

/** Over how many days the spending of late is measured, and how far ahead is looked. */
const SPENT_OVER_DAYS = 14
export const HORIZON_DAYS = 60

/** What lies at a supplier and how long it lasts. Micros of the supplier's currency, or bytes of traffic. */
export type Forecast = {
  unit: 'money' | 'traffic'
  left: bigint
  currency: string | null
  at: Date
  spentPerDay: bigint
  /** What automatic renewals that fall due within the horizon will cost there, at what these proxies cost last. */
  renewals: bigint
  /** In how many days it runs dry; null: not within the horizon. */
  dryInDays: number | null
}

/** The first day, counted from today as 0, on which daily spending and what falls due would need more than is left; null: not within `days`. */
export function daysUntilDry(
  left: bigint,
  spentPerDay: bigint,
  due: ReadonlyMap<number, bigint>,
  days = HORIZON_DAYS,
): number | null {
  let rest = left
  for (let day = 0; day < days; day += 1) {
    rest -= spentPerDay + (due.get(day) ?? 0n)
    if (rest < 0n) return day
  }
  return null
}

/** The forecast from the last balance that was read and the purchases of the last two weeks; null when no balance was read yet. */
export async function forecastOf(supplier: string): Promise<Forecast | null> {
  const last = await db().supplierBalance.findFirst({
    where: { supplier },
    orderBy: { at: 'desc' },
    select: { balanceMicros: true, currency: true, availableBytes: true, at: true },
  })
  if (!last) return null
  const since = new Date(Date.now() - SPENT_OVER_DAYS * DAY_MS)
  if (last.balanceMicros === null) {
    const [row] = await db().$queryRaw<{ spent: bigint }[]>(Prisma.sql`
      SELECT coalesce(sum(a.granted_bytes), 0)::bigint AS spent FROM allocations a JOIN offers f ON f.id = a.offer_id
      WHERE f.supplier = ${supplier} AND a.granted_bytes IS NOT NULL AND a.created_at > ${since}`)
    const spentPerDay = row!.spent / BigInt(SPENT_OVER_DAYS)
    const left = last.availableBytes!
    const dryInDays = daysUntilDry(left, spentPerDay, new Map())
    return { unit: 'traffic', left, currency: null, at: last.at, spentPerDay, renewals: 0n, dryInDays }
  }
  const { balanceMicros: left, currency } = last
  const [[bought], due] = await Promise.all([
    db().$queryRaw<{ spent: bigint }[]>(Prisma.sql`
      SELECT coalesce(sum(cost_micros), 0)::bigint AS spent FROM deliveries
      WHERE supplier = ${supplier} AND started_at > ${since} AND state = 'delivered' AND cost_currency = ${currency}`),
    db().$queryRaw<{ day: number; cost: bigint }[]>(Prisma.sql`
      SELECT greatest(0, floor(extract(epoch FROM o.due_at - now()) / 86400))::int AS day, ceil(sum(d.cost_micros::numeric / d.pieces))::bigint AS cost
      FROM orders o JOIN allocations a ON a.order_id = o.id AND a.state IN ('active', 'in_grace')
      JOIN LATERAL (SELECT d.cost_micros, (SELECT count(*) FROM allocations b WHERE b.order_id = d.order_id AND b.delivery_id = d.id
                      AND NOT EXISTS (SELECT 1 FROM replacements x WHERE x.new_allocation_id = b.id)) AS pieces FROM deliveries d
                    WHERE d.id = a.delivery_id AND d.supplier = ${supplier} AND d.cost_currency = ${currency} AND d.cost_micros IS NOT NULL) d ON true
      WHERE o.auto_renew AND o.state IN ('active', 'in_grace') AND o.due_at < now() + make_interval(days => ${HORIZON_DAYS}::int) GROUP BY 1`),
  ])
  const spentPerDay = bought!.spent / BigInt(SPENT_OVER_DAYS)
  const byDay = new Map(due.map(({ day, cost }) => [day, cost]))
  return {
    unit: 'money',
    left,
    currency,
    at: last.at,
    spentPerDay,
    renewals: due.reduce((sum, { cost }) => sum + cost, 0n),
    dryInDays: daysUntilDry(left, spentPerDay, byDay),
  }
}
