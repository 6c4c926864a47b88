import { db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import type { AccountFieldView, AccountProblem } from '@/lib/settings'
import {
  findSupplierDefinition,
  SUPPLIER_DEFINITIONS,
  type SupplierDefinition,
  type SupplierModel,
} from '@/lib/suppliers'
import { type Forecast, forecastOf } from './forecast'
import { costInShop, readRates } from './judge-cost'
import { ACCOUNT_ROW, type AccountRow, supplierAccounts } from './suppliers-in-use'

export type SupplierView = {
  name: string
  model: SupplierModel
  isEnabled: boolean
  problem: AccountProblem | null
  costCurrency: string | null
  costRate: string | null
  testedAt: Date | null
  testResult: string | null
  health: {
    failures: number
    openUntil: Date | null
    lastError: string | null
    lastErrorAt: Date | null
    lastOkAt: Date | null
  } | null
  forecast: Forecast | null
  fields: AccountFieldView[]
}

/** Every supplier this shop knows, as it is set up and doing, read fresh. */
export async function listSuppliersForAdmin(): Promise<SupplierView[]> {
  const rows = await db().supplierAccount.findMany({ select: ACCOUNT_ROW })
  return Promise.all(
    SUPPLIER_DEFINITIONS.map((definition) =>
      view(definition, rows.find(({ name }) => name === definition.name) ?? null),
    ),
  )
}

/** One supplier as it is set up, or null for a name this shop does not know. */
export async function findSupplierForAdmin(name: string): Promise<SupplierView | null> {
  const definition = findSupplierDefinition(name)
  if (!definition) return null
  return view(definition, await db().supplierAccount.findUnique({ where: { name }, select: ACCOUNT_ROW }))
}

async function view(definition: SupplierDefinition, row: AccountRow | null): Promise<SupplierView> {
  const { name, model } = definition
  const [health, forecast] = await Promise.all([
    db().supplierHealth.findUnique({
      where: { supplier: name },
      select: { failures: true, openUntil: true, lastError: true, lastErrorAt: true, lastOkAt: true },
    }),
    forecastOf(name),
  ])
  return {
    name,
    model,
    isEnabled: row?.isEnabled ?? false,
    problem: supplierAccounts.judge(definition, row).problem,
    costCurrency: row?.costCurrency ?? null,
    costRate: row?.costRate ?? null,
    testedAt: row?.testedAt ?? null,
    testResult: row?.testResult ?? null,
    health,
    forecast,
    fields: supplierAccounts.viewFields(definition, row),
  }
}

/** What was sold, what it cost us and what is left, in the shop's currency. `unknownCosts`: sales at suppliers whose cost is not known, or in a currency without a rate. */
export type Margin = { revenueMicros: bigint; costMicros: bigint; unknownCosts: number }
export type MarginRow = Margin & { supplier: string; productKind: string }

type MoneyRow = {
  supplier: string
  productKind: string
  revenue: bigint
  cost: bigint
  costCurrency: string | null
  isCostUnknown: boolean
  count: number
}

/**
 * Revenue less cost of the last thirty days, by source and kind of product: orders that were delivered and renewals that were done in them, less what was
 * given back in them. Stock costs nothing here: what was paid for it is not known to the shop.
 */
export async function listMargins(days = 30): Promise<MarginRow[]> {
  const since = Prisma.sql`now() - make_interval(days => ${days}::int)`
  return sumMargins(
    await db().$queryRaw<MoneyRow[]>(
      Prisma.sql`${moneyRows(Prisma.sql`m.at > ${since}`)} GROUP BY m.supplier, m.kind, m.cost_currency, 6`,
    ),
  )
}

/** What one order brought in and cost, over its whole life. Null for one that was never delivered. */
export async function getOrderMargin({ orderId }: { orderId: string }): Promise<Margin | null> {
  const rows = await sumMargins(
    await db().$queryRaw<MoneyRow[]>(
      Prisma.sql`${moneyRows(Prisma.sql`m.order_id = ${orderId}`)} GROUP BY m.supplier, m.kind, m.cost_currency, 6`,
    ),
  )
  if (rows.length === 0) return null
  return {
    revenueMicros: rows.reduce((sum, row) => sum + row.revenueMicros, 0n),
    costMicros: rows.reduce((sum, row) => sum + row.costMicros, 0n),
    unknownCosts: rows.reduce((sum, row) => sum + row.unknownCosts, 0),
  }
}

function moneyRows(which: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`
    SELECT m.supplier, m.kind AS "productKind", sum(m.revenue)::bigint AS revenue, coalesce(sum(m.cost), 0)::bigint AS cost,
           m.cost_currency AS "costCurrency", m.supplier <> 'stock' AND m.is_sale AND m.cost IS NULL AS "isCostUnknown", count(*)::int AS count
    FROM (
      SELECT o.id AS order_id, coalesce(d.supplier, f.supplier) AS supplier, o.product_kind AS kind, h.captured_micros AS revenue,
             d.cost_micros AS cost, d.cost_currency, o.delivered_at AS at, true AS is_sale
      FROM orders o JOIN ledger_holds h ON h.id = o.id JOIN offers f ON f.id = o.offer_id
      LEFT JOIN deliveries d ON d.order_id = o.id AND d.state = 'delivered'
      WHERE o.delivered_at IS NOT NULL
      UNION ALL
      SELECT r.order_id, f.supplier, o.product_kind, r.captured_micros, u.cost, u.cost_currency, r.ended_at, true
      FROM renewals r JOIN orders o ON o.id = r.order_id JOIN offers f ON f.id = o.offer_id
      LEFT JOIN LATERAL (SELECT sum(u.cost_micros)::bigint AS cost, min(u.cost_currency) AS cost_currency FROM renewal_runs u
                         WHERE u.renewal_id = r.id AND u.state = 'done') u ON true
      WHERE r.state = 'done'
      UNION ALL
      SELECT c.order_id, f.supplier, o.product_kind, -c.amount_micros, NULL, NULL, c.created_at, false
      FROM order_credits c JOIN orders o ON o.id = c.order_id JOIN offers f ON f.id = o.offer_id
    ) m WHERE ${which}`
}

async function sumMargins(rows: MoneyRow[]): Promise<MarginRow[]> {
  const rateOf = await readRates()
  const sums = new Map<string, MarginRow>()
  for (const row of rows) {
    const { supplier, productKind } = row
    const key = `${supplier} ${productKind}`
    const sum = sums.get(key) ?? { supplier, productKind, revenueMicros: 0n, costMicros: 0n, unknownCosts: 0 }
    sums.set(key, sum)
    sum.revenueMicros += row.revenue
    const rate = row.costCurrency === null ? null : rateOf(supplier, row.costCurrency)
    if (rate !== null) sum.costMicros += costInShop(row.cost, rate)
    else if (row.isCostUnknown || row.cost > 0n) sum.unknownCosts += row.count
  }
  return [...sums.values()].sort((a, b) =>
    a.revenueMicros < b.revenueMicros ? 1 : a.revenueMicros > b.revenueMicros ? -1 : 0,
  )
}

/** The currency margins are told in. */
export function marginCurrency(): string {
  return env().SHOP_CURRENCY
}
