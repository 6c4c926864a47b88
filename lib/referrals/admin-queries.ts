import { db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { amountText, csvCell } from '@/lib/kit'
import { openSecret } from '@/lib/settings'
import { destinationPlace } from './settle-rewards'

export type WaitingPayout = {
  id: string
  userId: string
  amountMicros: bigint
  currency: string
  method: string
  destinationHint: string
  createdAt: Date
  rewards: number
}

/** Payouts that wait for a person, the oldest first. Where the money goes is opened one at a time (`openDestination`). */
export async function listWaitingPayouts(limit = 50): Promise<WaitingPayout[]> {
  return db().$queryRaw<WaitingPayout[]>(Prisma.sql`
    SELECT s.id, s.user_id AS "userId", s.amount_micros AS "amountMicros", s.currency, s.method, s.destination_hint AS "destinationHint", s.created_at AS "createdAt",
           (SELECT count(*) FROM referral_rewards w WHERE w.settlement_id = s.id)::int AS rewards
    FROM referral_settlements s WHERE s.state = 'requested' ORDER BY s.created_at, s.id LIMIT ${limit}`)
}

/** Where a payout that waits is to go; null once it is decided. For whoever may decide on payouts, and nobody else. */
export async function openDestination(settlementId: string): Promise<string | null> {
  const row = await db().referralSettlement.findUnique({ where: { id: settlementId }, select: { destination: true } })
  return row?.destination ? openSecret(destinationPlace(settlementId), row.destination) : null
}

export type HeldReferral = {
  userId: string
  referrerId: string
  createdAt: Date
  pendingMicros: bigint
  currency: string
  signals: { kind: 'address' | 'device' | 'payer' | 'mail'; withId: string }[]
}

/** Referred people who share something with somebody above them, the oldest first. */
export async function listHeldReferrals(limit = 50): Promise<HeldReferral[]> {
  return db().$queryRaw<HeldReferral[]>(Prisma.sql`
    SELECT r.user_id AS "userId", r.referrer_id AS "referrerId", r.created_at AS "createdAt", ${env().SHOP_CURRENCY} AS currency,
           coalesce((SELECT sum(w.amount_micros - w.reverted_micros) FROM referral_rewards w WHERE w.user_id = r.user_id AND w.state = 'pending'), 0)::bigint AS "pendingMicros",
           (SELECT jsonb_agg(jsonb_build_object('kind', s.kind, 'withId', s.with_id) ORDER BY s.kind) FROM referral_signals s WHERE s.user_id = r.user_id) AS signals
    FROM referrals r WHERE r.review = 'held' ORDER BY r.created_at, r.user_id LIMIT ${limit}`)
}

export type TopReferrer = {
  userId: string
  signUps: number
  buyers: number
  earnedMicros: bigint
  revertedMicros: bigint
  currency: string
}

/** Who brought most, by what their referred people earned them in the last so many days. */
export async function listTopReferrers({ days, limit = 20 }: { days: number; limit?: number }): Promise<TopReferrer[]> {
  return db().$queryRaw<TopReferrer[]>(Prisma.sql`
    SELECT w.referrer_id AS "userId", w.currency, sum(w.amount_micros - w.reverted_micros)::bigint AS "earnedMicros", sum(w.reverted_micros)::bigint AS "revertedMicros",
           count(DISTINCT w.user_id)::int AS buyers, (SELECT count(*) FROM referrals r WHERE r.referrer_id = w.referrer_id)::int AS "signUps"
    FROM referral_rewards w WHERE w.happened_at >= now() - make_interval(days => ${days}::int)
    GROUP BY w.referrer_id, w.currency ORDER BY 3 DESC LIMIT ${limit}`)
}

const EXPORT_PAGE = 1_000
const COLUMNS = [
  'reward',
  'referrer',
  'referred',
  'source',
  'source_id',
  'happened_at',
  'base',
  'percent',
  'amount',
  'reverted',
  'state',
  'currency',
] as const

const lineOf = (cells: readonly string[]) => `${cells.map(csvCell).join(',')}\r\n`

/** Every reward as CSV, the oldest first, a page in memory at a time. */
export async function* exportRewards(): AsyncGenerator<string> {
  yield lineOf(COLUMNS)
  let after = { at: new Date(0), id: '' }
  for (;;) {
    const rows = await db().$queryRaw<
      {
        id: string
        referrer_id: string
        user_id: string
        source_kind: string
        source_id: string
        happened_at: Date
        base_micros: bigint
        basis_points: number
        amount_micros: bigint
        reverted_micros: bigint
        state: string
        currency: string
      }[]
    >(Prisma.sql`
      SELECT id, referrer_id, user_id, source_kind, source_id, happened_at, base_micros, basis_points, amount_micros, reverted_micros, state, currency
      FROM referral_rewards WHERE (happened_at, id) > (${after.at}, ${after.id}) ORDER BY happened_at, id LIMIT ${EXPORT_PAGE}`)
    for (const row of rows)
      yield lineOf([
        row.id,
        row.referrer_id,
        row.user_id,
        row.source_kind,
        row.source_id,
        row.happened_at.toISOString(),
        amountText(row.base_micros),
        amountText(BigInt(row.basis_points) * 10_000n),
        amountText(row.amount_micros),
        amountText(row.reverted_micros),
        row.state,
        row.currency,
      ])
    if (rows.length < EXPORT_PAGE) return
    const last = rows.at(-1)!
    after = { at: last.happened_at, id: last.id }
  }
}
