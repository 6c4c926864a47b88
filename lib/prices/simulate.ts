import { type CatalogPlan, priceRounding, type PricedPlan, readCatalog, renewalPriceOf, roundUp } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, DAY_MS, refused, type Refusal, type Result } from '@/lib/kit'
import { readRates } from '@/lib/provisioning'
import { computeRule, type KnownCost, type RateFor, type RuleProblem } from './compute-rule'
import { convertCost } from './cost-plus'
import { listCosts } from './costs'
import { findPlannedChange } from './price-changes'
import { previewPriceRule } from './price-rules'
import type { Prices, Scenario } from './schemas'

/** Over how many days sales are priced anew. */
export const SIMULATED_DAYS = 30
const PAGE = 1_000
/** How many of the sales that change most are told. */
const TOP = 10

/** One order or renewal as it was, and as it would have been. Amounts are what was taken from balances; refunds and credits are not counted. */
export type SimulatedSale = {
  kind: 'order' | 'renewal'
  id: string
  orderId: string
  planId: string
  periodDays: number
  quantity: number
  nowMicros: bigint
  /** Null: this period would not have been sold. */
  thenMicros: bigint | null
  /** What it cost us, in the shop's currency; null where nobody knows. */
  costMicros: bigint | null
}

export type SimulationSum = {
  sales: number
  affected: number
  unsold: number
  nowMicros: bigint
  thenMicros: bigint
  /** Sales whose cost is known, and what was and would have been left of them. */
  costKnown: number
  marginNowMicros: bigint
  marginThenMicros: bigint
}

export type LeftOut = { planId: string; why: RuleProblem | 'no_rule' }
export type Simulation = SimulationSum & {
  since: Date
  byPlan: { planId: string; sum: SimulationSum }[]
  top: SimulatedSale[]
  /** Plans for which the scenario makes no prices: they keep theirs. */
  leftOut: LeftOut[]
}

type Scene = { planIds: string[] | null; plans: Map<string, PricedPlan>; leftOut: LeftOut[] }

const emptySum = (): SimulationSum => ({
  sales: 0,
  affected: 0,
  unsold: 0,
  nowMicros: 0n,
  thenMicros: 0n,
  costKnown: 0,
  marginNowMicros: 0n,
  marginThenMicros: 0n,
})

/**
 * What the delivered orders and the renewals of the last thirty days would have brought under other prices, if everybody had bought just the same, with the
 * same codes. Sales are
 * read in pages and priced by the shop's own functions; memory does not grow with them. Refuses `not_found` for a plan or a planned change that is
 * not there.
 */
export async function simulatePrices(
  scenario: Scenario,
  now: Date = new Date(),
): Promise<Result<Simulation, Refusal<'not_found'>>> {
  const scene = await setScene(scenario)
  if (!scene) return refused('not_found')
  const total = emptySum()
  const byPlan = new Map<string, SimulationSum>()
  let top: SimulatedSale[] = []
  const since = new Date(now.getTime() - SIMULATED_DAYS * DAY_MS)
  for await (const page of readSales(scene, since, now)) {
    for (const sale of page) {
      const own = byPlan.get(sale.planId) ?? emptySum()
      byPlan.set(sale.planId, own)
      addTo(total, sale)
      addTo(own, sale)
    }
    top = [...top, ...page.filter((sale) => differenceMicros(sale) !== 0n)]
      .toSorted((a, b) => {
        const [first, second] = [absolute(differenceMicros(a)), absolute(differenceMicros(b))]
        return first < second ? 1 : first > second ? -1 : 0
      })
      .slice(0, TOP)
  }
  return accepted({
    ...total,
    since,
    byPlan: [...byPlan].map(([planId, sum]) => ({ planId, sum })),
    top,
    leftOut: scene.leftOut,
  })
}

/** The same sales one by one, in pages, for a file. */
export async function simulateSales(
  scenario: Scenario,
  now: Date = new Date(),
): Promise<Result<AsyncGenerator<SimulatedSale[]>, Refusal<'not_found'>>> {
  const scene = await setScene(scenario)
  if (!scene) return refused('not_found')
  return accepted(readSales(scene, new Date(now.getTime() - SIMULATED_DAYS * DAY_MS), now))
}

/** What a sale would have brought more (or less); one that would not have been sold brings nothing. */
export function differenceMicros(sale: Pick<SimulatedSale, 'nowMicros' | 'thenMicros'>): bigint {
  return (sale.thenMicros ?? 0n) - sale.nowMicros
}

const absolute = (micros: bigint) => (micros < 0n ? -micros : micros)

function addTo(sum: SimulationSum, sale: SimulatedSale): void {
  sum.sales += 1
  if (differenceMicros(sale) !== 0n) sum.affected += 1
  if (sale.thenMicros === null) sum.unsold += 1
  sum.nowMicros += sale.nowMicros
  sum.thenMicros += sale.thenMicros ?? 0n
  if (sale.costMicros === null) return
  sum.costKnown += 1
  sum.marginNowMicros += sale.nowMicros - sale.costMicros
  // What is not sold is not bought either.
  if (sale.thenMicros !== null) sum.marginThenMicros += sale.thenMicros - sale.costMicros
}

/** The prices of every plan that the scenario is about. Null: it names something that is not there. */
async function setScene(scenario: Scenario): Promise<Scene | null> {
  const [products, { stepMicros }] = await Promise.all([readCatalog({ fresh: true }), priceRounding.readFresh()])
  const change = scenario.by === 'change' ? await findPlannedChange(scenario) : null
  if (scenario.by === 'change' && !change) return null
  const planId = scenario.by === 'change' ? change!.planId : scenario.planId
  const plans = products.flatMap((product) => product.plans).filter((plan) => planId === null || plan.id === planId)
  if (planId !== null && plans.length === 0) return null

  const scene: Scene = { planIds: planId === null ? null : [planId], plans: new Map(), leftOut: [] }
  const round = (micros: bigint) => roundUp(micros > 0n ? micros : 1n, stepMicros ?? 1n)
  const withPrices = (plan: CatalogPlan, prices: Prices): PricedPlan => ({
    ...plan,
    ...prices,
    totalStepMicros: stepMicros,
  })
  const [costs, rateFor] = await Promise.all([listCosts(planId === null ? {} : { planId }), readRates()])
  for (const plan of plans) {
    const made = await pricesOf(scenario, plan, { change: change?.prices ?? null, costs, rateFor, round })
    if ('why' in made) {
      scene.leftOut.push({ planId: plan.id, why: made.why })
      scene.plans.set(plan.id, plan)
    } else scene.plans.set(plan.id, withPrices(plan, made))
  }
  return scene
}

async function pricesOf(
  scenario: Scenario,
  plan: CatalogPlan,
  known: {
    change: Prices | null
    costs: (KnownCost & { planId: string })[]
    rateFor: RateFor
    round: (micros: bigint) => bigint
  },
): Promise<Prices | { why: LeftOut['why'] }> {
  const { round } = known
  switch (scenario.by) {
    case 'typed':
      return {
        periods: scenario.prices.periods.map((each) => ({ ...each, unitPriceMicros: round(each.unitPriceMicros) })),
        steps: scenario.prices.steps,
      }
    case 'change':
      return known.change!
    case 'percent':
      return {
        periods: plan.periods.map(({ days, unitPriceMicros }) => ({
          days,
          unitPriceMicros: round((unitPriceMicros * BigInt(10_000 + scenario.basisPoints) + 9_999n) / 10_000n),
        })),
        steps: plan.steps,
      }
    case 'margin':
    case 'rule': {
      const computed =
        scenario.by === 'rule'
          ? await previewPriceRule({ planId: plan.id })
          : computeRule({
              plan: { ...plan, offers: plan.offers.filter((offer) => offer.isActive) },
              terms: {
                periods: plan.periods.map(({ days }) => ({
                  days,
                  marginBasisPoints: scenario.basisPoints,
                  fixedMicros: 0n,
                  minimumMicros: 0n,
                })),
                stepMicros: null,
                belowMicros: 0n,
                thresholdBasisPoints: 0,
                // What discounts then leave is what is asked here.
                isLossAllowed: true,
                costCurrency: null,
                costRate: null,
              },
              costs: known.costs.filter((each) => each.planId === plan.id),
              rateFor: known.rateFor,
              priceStepMicros: round(1n),
            })
      if (!computed) return { why: 'no_rule' }
      if (computed.problem) return { why: computed.problem.problem! }
      return {
        periods: computed.periods.map(({ days, beforeMicros, afterMicros }) => ({
          days,
          unitPriceMicros: afterMicros ?? beforeMicros,
        })),
        steps: plan.steps,
      }
    }
  }
}

type SaleRow = {
  id: string
  orderId: string
  planId: string
  offerId: string
  supplier: string
  periodDays: number
  quantity: number
  totalMicros: bigint
  /** What a code took off before that, and whether it is an amount that another price would not have moved. */
  promotionMicros: bigint
  isFixedPromotion: boolean
  nowMicros: bigint
  costMicros: bigint | null
  costCurrency: string | null
}

/** What would have been paid of another price: with the same code, as far as its part of a price is known to grow with it. */
function withPromotion(row: SaleRow, priceMicros: bigint): bigint {
  if (row.promotionMicros === 0n) return priceMicros
  if (!row.isFixedPromotion) return (priceMicros * row.totalMicros) / (row.totalMicros + row.promotionMicros)
  return priceMicros > row.promotionMicros ? priceMicros - row.promotionMicros : 1n
}

/** Sales in pages by their ids, which sort by time: the primary key finds the month without reading what lies before it. */
async function* readSales(scene: Scene, since: Date, until: Date): AsyncGenerator<SimulatedSale[]> {
  const [known, rateFor] = await Promise.all([listCosts(), readRates()])
  const costs = new Map(known.map((cost) => [`${cost.offerId} ${cost.days}`, cost]))
  const plans = scene.planIds ?? []
  const chosen = Prisma.sql`(${plans.length === 0}::boolean OR o.plan_id = ANY (${plans}::text[]))`
  for (const kind of ['order', 'renewal'] as const) {
    const prefix = kind === 'order' ? 'ord' : 'rnw'
    let after = idAt(prefix, since)
    const end = idAt(prefix, new Date(until.getTime() + 1))
    for (;;) {
      const rows = await db().$queryRaw<SaleRow[]>(
        kind === 'order'
          ? Prisma.sql`
            SELECT o.id, o.id AS "orderId", o.plan_id AS "planId", o.offer_id AS "offerId", coalesce(d.supplier, f.supplier) AS supplier,
                   o.period_days AS "periodDays", o.quantity, o.total_micros AS "totalMicros", h.captured_micros AS "nowMicros",
                   o.promotion_micros AS "promotionMicros", coalesce(p.kind = 'amount' OR o.promotion_micros = p.cap_micros, false) AS "isFixedPromotion",
                   d.cost_micros AS "costMicros", d.cost_currency AS "costCurrency"
            FROM orders o JOIN ledger_holds h ON h.id = o.id JOIN offers f ON f.id = o.offer_id LEFT JOIN promotions p ON p.id = o.promotion_id
            LEFT JOIN LATERAL (SELECT d.supplier, d.cost_micros, d.cost_currency FROM deliveries d
                               WHERE d.order_id = o.id AND d.state = 'delivered' LIMIT 1) d ON true
            WHERE o.id > ${after} AND o.id < ${end} AND o.delivered_at IS NOT NULL AND h.captured_micros > 0 AND ${chosen}
            ORDER BY o.id LIMIT ${PAGE}::int`
          : Prisma.sql`
            SELECT r.id, r.order_id AS "orderId", o.plan_id AS "planId", o.offer_id AS "offerId", f.supplier,
                   r.period_days AS "periodDays", r.quantity, r.total_micros AS "totalMicros", r.captured_micros AS "nowMicros",
                   0::bigint AS "promotionMicros", false AS "isFixedPromotion",
                   u.cost AS "costMicros", u.currency AS "costCurrency"
            FROM renewals r JOIN orders o ON o.id = r.order_id JOIN offers f ON f.id = o.offer_id
            LEFT JOIN LATERAL (SELECT sum(u.cost_micros)::bigint AS cost, min(u.cost_currency) AS currency FROM renewal_runs u
                               WHERE u.renewal_id = r.id AND u.state = 'done' HAVING count(*) = count(u.cost_micros) AND count(DISTINCT u.cost_currency) = 1) u ON true
            WHERE r.id > ${after} AND r.id < ${end} AND r.state = 'done' AND r.captured_micros > 0 AND ${chosen}
            ORDER BY r.id LIMIT ${PAGE}::int`,
      )
      if (rows.length > 0)
        yield rows.map((row) => {
          const plan = scene.plans.get(row.planId)
          const price = plan && renewalPriceOf(plan, row)
          // Of an order that was delivered in part, only that part is asked for.
          const thenMicros = price ? (withPromotion(row, price.totalMicros) * row.nowMicros) / row.totalMicros : null
          const { id, orderId, planId, periodDays, quantity, nowMicros } = row
          return {
            kind,
            id,
            orderId,
            planId,
            periodDays,
            quantity,
            nowMicros,
            thenMicros,
            costMicros: costOfSale(row, costs, rateFor),
          }
        })
      if (rows.length < PAGE) break
      after = rows.at(-1)!.id
    }
  }
}

/** What a sale cost: as it was bought, else as a piece of its offer costs for that period. */
function costOfSale(row: SaleRow, costs: Map<string, KnownCost>, rateFor: RateFor): bigint | null {
  const inShop = (micros: bigint, currency: string | null): bigint | null => {
    if (currency === null) return null
    const rate = currency === env().SHOP_CURRENCY ? '1' : rateFor(row.supplier, currency)
    return rate === null ? null : convertCost(micros, rate)
  }
  if (row.costMicros !== null && row.costCurrency !== null) return inShop(row.costMicros, row.costCurrency)
  const cost = costs.get(`${row.offerId} ${row.periodDays}`)
  if (!cost) return null
  return inShop((cost.costMicros * BigInt(row.quantity) * row.nowMicros) / row.totalMicros, cost.currency)
}

/** The smallest id of a moment. */
function idAt(prefix: 'ord' | 'rnw', at: Date): string {
  return `${prefix}_${at.getTime().toString(16).padStart(12, '0')}`
}
