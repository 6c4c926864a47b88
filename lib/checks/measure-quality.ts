import { db, Prisma } from '@/lib/db'
import { DAY_MS } from '@/lib/kit'
import { idAt } from './check-due'
import { checkRules } from './rules'

/** Long enough to level out a bad hour, short enough that a product which got better shows it. */
export const QUALITY_DAYS = 7
/** Exchanges are rarer than checks, so they are counted over longer. */
export const REPLACEMENTS_DAYS = 30
/** Fewer checks say more about chance than about a product. */
export const QUALITY_CHECKS_MIN = 20

/**
 * Computes anew what the checks of the last seven days say about each product and country. A proxy counts once in each span between two scheduled checks,
 * by the first check in it: one that fails is looked at more often, and must not weigh more for it. Checks that somebody asked for
 * are left out, for the same reason. Returns for how many products and countries.
 */
export async function measureQuality(): Promise<number> {
  const { everyHours } = await checkRules.read()
  const since = idAt('chk', new Date(Date.now() - QUALITY_DAYS * DAY_MS))
  const [row] = await db().$queryRaw<{ measured: number }[]>(Prisma.sql`
    WITH counted AS (
      SELECT DISTINCT ON (c.allocation_id, span) c.allocation_id, c.order_id, c.ok, c.latency_ms,
             floor(extract(epoch FROM c.at) / ${everyHours * 3600}::int) AS span
      FROM proxy_checks c WHERE c.id >= ${since} AND c.kind <> 'demand' ORDER BY c.allocation_id, span, c.at
    ), exchanged AS (
      SELECT p.product_id, a.country_code, count(*) AS replacements
      FROM replacements r JOIN allocations a ON a.id = r.old_allocation_id JOIN orders o ON o.id = r.order_id JOIN plans p ON p.id = o.plan_id
      WHERE r.state IN ('replaced', 'credited') AND r.created_at >= now() - make_interval(days => ${REPLACEMENTS_DAYS}::int)
      GROUP BY p.product_id, a.country_code
    ), by_product AS (
      SELECT p.product_id, a.country_code, count(*) AS checks, count(*) FILTER (WHERE c.ok) AS passed,
             round(percentile_cont(0.5) WITHIN GROUP (ORDER BY c.latency_ms))::int AS median
      FROM counted c JOIN allocations a ON a.id = c.allocation_id JOIN orders o ON o.id = c.order_id JOIN plans p ON p.id = o.plan_id
      GROUP BY p.product_id, a.country_code
    ), measured AS (
      INSERT INTO product_quality (product_id, country_code, checks, passed, median_latency_ms, replacements, computed_at)
      SELECT product_id, country_code, checks, passed, median, coalesce(replacements, 0), now()
      FROM by_product LEFT JOIN exchanged USING (product_id, country_code)
      ON CONFLICT (product_id, country_code) DO UPDATE SET checks = excluded.checks, passed = excluded.passed,
        median_latency_ms = excluded.median_latency_ms, replacements = excluded.replacements, computed_at = excluded.computed_at
      RETURNING product_id, country_code
    ), gone AS (
      DELETE FROM product_quality q WHERE NOT EXISTS (
        SELECT 1 FROM measured m WHERE m.product_id = q.product_id AND m.country_code = q.country_code)
    )
    SELECT count(*)::int AS measured FROM measured`)
  return row!.measured
}
