import { countWaiting } from '@/lib/referrals'
import { db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { listFailedJobs } from '@/lib/jobs'
import { DAY_MS } from '@/lib/kit'
import { countOrdersByState, countOrdersInDispute } from '@/lib/orders'
import { countManualRefunds, countOpenDifferences, countPaymentsNeedingReview } from '@/lib/payments'
import { countRunningDry, countUnknownOutcomes } from '@/lib/provisioning'
import { countLateExchanges } from '@/lib/remedies'

export type Period = {
  days: 1 | 7 | 30
  creditedMicros: bigint
  payments: number
  soldMicros: bigint
  orders: number
  signUps: number
}
/** How much waits for a person, by where it is decided. */
export type Queues = {
  payments: number
  /** Refunds to send by hand, and orders bought with disputed money. */
  returns: number
  differences: number
  /** Purchases and renewals at suppliers of which nobody knows what came, for a person to look at. */
  unknownOutcomes: number
  /** Proxies that a supplier gave in exchange after their customers had something else. */
  lateExchanges: number
  /** Payouts that were asked for, and referrals held for a look. */
  referrals: number
  failedJobs: number
}
export type Overview = {
  currency: string
  queues: Queues
  /** Suppliers whose money does not last. */
  runningDry: number
  /** What moves by itself: orders being delivered, and those whose outcome is being looked up. */
  underWay: { delivering: number; unknown: number }
  periods: Period[]
}

/** What waits for a person, and what the last day, week and month brought, from rows that have an index on their time. */
export async function getOverview(now: Date = new Date()): Promise<Overview> {
  const currency = env().SHOP_CURRENCY
  const [queues, runningDry, orders, periods] = await Promise.all([
    countQueues(),
    countRunningDry(),
    countOrdersByState(),
    Promise.all(([1, 7, 30] as const).map((days) => sumPeriod(days, currency, now))),
  ])
  const underWay = { delivering: orders.placed + orders.delivering, unknown: orders.unknown }
  return { currency, queues, runningDry, underWay, periods }
}

/** The queues' lengths alone, also for the frame around every admin page. */
export async function countQueues(): Promise<Queues> {
  const [payments, refunds, disputed, differences, unknownOutcomes, lateExchanges, waiting, failed] = await Promise.all(
    [
      countPaymentsNeedingReview(),
      countManualRefunds(),
      countOrdersInDispute(),
      countOpenDifferences(),
      countUnknownOutcomes(),
      countLateExchanges(),
      countWaiting(),
      listFailedJobs(),
    ],
  )
  return {
    payments,
    returns: refunds + disputed,
    differences,
    unknownOutcomes,
    lateExchanges,
    referrals: waiting.payouts + waiting.reviews,
    failedJobs: failed.length,
  }
}

async function sumPeriod(days: Period['days'], currency: string, now: Date): Promise<Period> {
  const since = new Date(now.getTime() - days * DAY_MS)
  const [row] = await db().$queryRaw<Omit<Period, 'days'>[]>(Prisma.sql`
    SELECT
      (SELECT coalesce(sum(credited_micros), 0)::bigint FROM payments WHERE credited_at >= ${since} AND currency = ${currency}) AS "creditedMicros",
      (SELECT count(*)::int FROM payments WHERE credited_at >= ${since}) AS payments,
      (SELECT coalesce(sum(h.captured_micros), 0)::bigint FROM orders o JOIN ledger_holds h ON h.id = o.id WHERE o.state = 'active' AND o.placed_at >= ${since} AND o.currency = ${currency}) AS "soldMicros",
      (SELECT count(*)::int FROM orders WHERE state = 'active' AND placed_at >= ${since}) AS orders,
      (SELECT count(*)::int FROM users WHERE created_at >= ${since} AND role = 'customer') AS "signUps"`)
  return { days, ...row! }
}
