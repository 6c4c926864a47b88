import { db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import type { Page } from '@/lib/kit'
import { pageOf } from '@/lib/kit'

const PAGE = 20
/** How many days the chart shows. */
export const CHART_DAYS = 30

export type RewardState = 'pending' | 'available' | 'requested' | 'paid_out' | 'moved' | 'reverted'

/** The first letter of a name and nothing more: whoever referred somebody learns that they came, not who they are. */
export function maskName(username: string): string {
  return `${[...username][0] ?? ''}•••`
}

export type ReferralOverview = {
  currency: string
  /** What can be moved or paid out now. */
  availableMicros: bigint
  /** Waits for its time, and of that: for a person's decision. */
  pendingMicros: bigint
  heldMicros: bigint
  /** Set aside for payouts that wait. */
  requestedMicros: bigint
  /** Has left: paid out or moved. */
  settledMicros: bigint
  /** To be paid by the next rewards. */
  owedMicros: bigint
  funnel: { clicks: number; signUps: number; buyers: number }
  /** The last days, today included (UTC), oldest first. */
  days: { day: Date; clicks: number; signUps: number; earnedMicros: bigint }[]
}

/** What a person sees first about their referrals. */
export async function getReferralOverview({ userId }: { userId: string }): Promise<ReferralOverview> {
  const currency = env().SHOP_CURRENCY
  const [[sums], [funnel], days] = await Promise.all([
    db().$queryRaw<Omit<ReferralOverview, 'currency' | 'funnel' | 'days'>[]>(Prisma.sql`
      SELECT coalesce(sum(w.amount_micros - w.reverted_micros - w.offset_micros) FILTER (WHERE w.state = 'available'), 0)::bigint AS "availableMicros",
             coalesce(sum(w.amount_micros - w.reverted_micros) FILTER (WHERE w.state = 'pending' AND r.review <> 'held'), 0)::bigint AS "pendingMicros",
             coalesce(sum(w.amount_micros - w.reverted_micros) FILTER (WHERE w.state = 'pending' AND r.review = 'held'), 0)::bigint AS "heldMicros",
             coalesce(sum(w.settled_micros) FILTER (WHERE w.state = 'requested'), 0)::bigint AS "requestedMicros",
             coalesce(sum(w.settled_micros) FILTER (WHERE w.state IN ('paid_out', 'moved')), 0)::bigint AS "settledMicros",
             coalesce((SELECT -a.balance_micros FROM ledger_accounts a WHERE a.owner = ${userId} AND a.kind = 'referral_debt' AND a.currency = ${currency}), 0)::bigint AS "owedMicros"
      FROM referral_rewards w JOIN referrals r ON r.user_id = w.user_id WHERE w.referrer_id = ${userId} AND w.currency = ${currency}`),
    db().$queryRaw<ReferralOverview['funnel'][]>(Prisma.sql`
      SELECT coalesce((SELECT sum(d.clicks) FROM referral_links l JOIN referral_link_days d ON d.link_id = l.id WHERE l.user_id = ${userId}), 0)::int AS clicks,
             (SELECT count(*) FROM referrals r WHERE r.referrer_id = ${userId})::int AS "signUps",
             (SELECT count(*) FROM referrals r WHERE r.referrer_id = ${userId} AND EXISTS (SELECT 1 FROM orders o WHERE o.user_id = r.user_id AND o.delivered_at IS NOT NULL))::int AS buyers`),
    db().$queryRaw<ReferralOverview['days']>(Prisma.sql`
      SELECT d.day::date AS day,
             coalesce((SELECT sum(c.clicks) FROM referral_links l JOIN referral_link_days c ON c.link_id = l.id WHERE l.user_id = ${userId} AND c.day = d.day), 0)::int AS clicks,
             (SELECT count(*) FROM referrals r WHERE r.referrer_id = ${userId} AND r.created_at >= d.day AND r.created_at < d.day + interval '1 day')::int AS "signUps",
             coalesce((SELECT sum(w.amount_micros - w.reverted_micros) FROM referral_rewards w WHERE w.referrer_id = ${userId}
               AND w.happened_at >= d.day AND w.happened_at < d.day + interval '1 day'), 0)::bigint AS "earnedMicros"
      FROM generate_series((now() AT TIME ZONE 'UTC')::date - ${CHART_DAYS - 1}::int, (now() AT TIME ZONE 'UTC')::date, interval '1 day') AS d(day)`),
  ])
  return { currency, ...sums!, funnel: funnel!, days }
}

export type LinkView = {
  id: string
  code: string
  label: string
  isActive: boolean
  clicks: number
  signUps: number
  buyers: number
  earnedMicros: bigint
}

/** A person's links with their figures, the oldest first. */
export async function listLinks({ userId }: { userId: string }): Promise<LinkView[]> {
  return db().$queryRaw<LinkView[]>(Prisma.sql`
    SELECT l.id, l.code, l.label, l.is_active AS "isActive",
           coalesce((SELECT sum(d.clicks) FROM referral_link_days d WHERE d.link_id = l.id), 0)::int AS clicks,
           (SELECT count(*) FROM referrals r WHERE r.link_id = l.id)::int AS "signUps",
           (SELECT count(*) FROM referrals r WHERE r.link_id = l.id AND EXISTS (SELECT 1 FROM orders o WHERE o.user_id = r.user_id AND o.delivered_at IS NOT NULL))::int AS buyers,
           coalesce((SELECT sum(w.amount_micros - w.reverted_micros) FROM referral_rewards w WHERE w.link_id = l.id), 0)::bigint AS "earnedMicros"
    FROM referral_links l WHERE l.user_id = ${userId} ORDER BY l.created_at, l.id`)
}

export type ReferredView = {
  id: string
  /** Masked. */
  name: string
  label: string
  createdAt: Date
  hasBought: boolean
  isHeld: boolean
  earnedMicros: bigint
}

/** Who came through a person's links, the newest first, without saying who they are. */
export async function listReferred(query: { userId: string; before?: string | null }): Promise<Page<ReferredView>> {
  const rows = await db().$queryRaw<ReferredView[]>(Prisma.sql`
    SELECT r.user_id AS id, u.username AS name, l.label, r.created_at AS "createdAt", r.review IN ('held', 'rejected') AS "isHeld",
           EXISTS (SELECT 1 FROM orders o WHERE o.user_id = r.user_id AND o.delivered_at IS NOT NULL) AS "hasBought",
           coalesce((SELECT sum(w.amount_micros - w.reverted_micros) FROM referral_rewards w WHERE w.user_id = r.user_id), 0)::bigint AS "earnedMicros"
    FROM referrals r JOIN users u ON u.id = r.user_id JOIN referral_links l ON l.id = r.link_id
    WHERE r.referrer_id = ${query.userId} AND (${query.before ?? null}::text IS NULL OR (r.created_at, r.user_id) <
      (SELECT b.created_at, b.user_id FROM referrals b WHERE b.user_id = ${query.before ?? null} AND b.referrer_id = ${query.userId}))
    ORDER BY r.created_at DESC, r.user_id DESC LIMIT ${PAGE + 1}`)
  return pageOf(
    rows.map((row) => ({ ...row, name: maskName(row.name) })),
    PAGE,
  )
}

export type RewardView = {
  id: string
  /** Masked. */
  name: string
  sourceKind: 'order' | 'renewal' | 'top_up' | 'reinstated'
  baseMicros: bigint
  basisPoints: number
  amountMicros: bigint
  cappedBy: 'person' | 'month' | null
  state: RewardState
  isHeld: boolean
  revertedMicros: bigint
  /** Why it was taken back, in the order in which that happened. */
  causes: ('credit' | 'refund' | 'dispute' | 'rejected')[]
  offsetMicros: bigint
  currency: string
  happenedAt: Date
  availableAt: Date
}

/** A person's rewards with everything that explains them, the newest first. */
export async function listRewards(query: { userId: string; before?: string | null }): Promise<Page<RewardView>> {
  const rows = await db().$queryRaw<RewardView[]>(Prisma.sql`
    SELECT w.id, u.username AS name, w.source_kind AS "sourceKind", w.base_micros AS "baseMicros", w.basis_points AS "basisPoints", w.amount_micros AS "amountMicros",
           w.capped_by AS "cappedBy", w.state, r.review = 'held' AS "isHeld", w.reverted_micros AS "revertedMicros", w.offset_micros AS "offsetMicros", w.currency,
           w.happened_at AS "happenedAt", w.available_at AS "availableAt",
           ARRAY(SELECT x.cause_kind FROM referral_reversals x WHERE x.reward_id = w.id AND x.amount_micros > 0 ORDER BY x.at) AS causes
    FROM referral_rewards w JOIN users u ON u.id = w.user_id JOIN referrals r ON r.user_id = w.user_id
    WHERE w.referrer_id = ${query.userId} AND (${query.before ?? null}::text IS NULL OR (w.happened_at, w.id) <
      (SELECT b.happened_at, b.id FROM referral_rewards b WHERE b.id = ${query.before ?? null} AND b.referrer_id = ${query.userId}))
    ORDER BY w.happened_at DESC, w.id DESC LIMIT ${PAGE + 1}`)
  return pageOf(
    rows.map((row) => ({ ...row, name: maskName(row.name) })),
    PAGE,
  )
}

export type SettlementView = {
  id: string
  kind: 'move' | 'payout'
  state: 'moved' | 'requested' | 'paid' | 'declined' | 'withdrawn'
  amountMicros: bigint
  currency: string
  method: string | null
  destinationHint: string | null
  reference: string | null
  reason: string | null
  createdAt: Date
  endedAt: Date | null
}

/** A person's moves and payouts, the newest first. */
export async function listSettlements(query: {
  userId: string
  before?: string | null
}): Promise<Page<SettlementView>> {
  const rows = await db().referralSettlement.findMany({
    where: { userId: query.userId, ...(query.before ? { id: { lt: query.before } } : {}) },
    orderBy: { id: 'desc' },
    take: PAGE + 1,
    select: {
      id: true,
      kind: true,
      state: true,
      amountMicros: true,
      currency: true,
      method: true,
      destinationHint: true,
      reference: true,
      reason: true,
      createdAt: true,
      endedAt: true,
    },
  })
  return pageOf(rows as SettlementView[], PAGE)
}
