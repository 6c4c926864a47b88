import { z } from 'zod'
import { db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { defineJob } from '@/lib/jobs'
import { DAY_MS, HOUR_MS } from '@/lib/kit'
import { referralProgramme } from './rules'

export const runRewardsJob = defineJob({ name: 'referrals.run_rewards', payload: z.object({}), maxAttempts: 1 })
export const reviseRewardsJob = defineJob({ name: 'referrals.revise_rewards', payload: z.object({}), maxAttempts: 3 })

/** Read at a time; the memory of a run does not grow with what it reads. */
const PAGE = 500
/** So far back each run reads again: a purchase is written a moment after the time it says. What is there already is passed. */
const LOOK_BACK_MS = HOUR_MS

export type RewardRun = { made: number; reverted: number; released: number }

/**
 * Brings rewards up to date: makes those that have been earned since the last run, takes back what refunds and disputes undid, lets go what was held long
 * enough. Every part is one SQL function that does each thing once; run again, at once with itself, or killed in between, it ends at the same.
 * `lookBackMs` reads further back than the last run: the nightly one does, in case something was missed.
 */
export async function runRewards(options: { now?: Date; lookBackMs?: number } = {}): Promise<RewardRun> {
  const until = options.now ?? new Date()
  const programme = await referralProgramme.read()
  const currency = env().SHOP_CURRENCY
  const progress = await db().referralProgress.findUnique({ where: { id: 1 }, select: { seenUntil: true } })
  const since = new Date(progress ? progress.seenUntil.getTime() - (options.lookBackMs ?? LOOK_BACK_MS) : 0)
  const run: RewardRun = { made: 0, reverted: 0, released: 0 }
  // Also while the programme is off: what was paid before is earned, and the function knows when it was off.
  for (const kind of ['top_up', 'order', 'renewal'] as const)
    run.made += await accrue(kind, since, until, programme.holdDays)
  for (;;) {
    const [page] = await db().$queryRaw<{ reverted: number }[]>(
      Prisma.sql`SELECT reverted FROM revert_rewards(${since}, ${until}, ${PAGE}::int)`,
    )
    run.reverted += page!.reverted
    if (page!.reverted < PAGE) break
  }
  for (;;) {
    const [page] = await db().$queryRaw<{ released: number; seen: number }[]>(
      Prisma.sql`SELECT released, seen FROM release_rewards(${until}, ${PAGE}::int, ${currency})`,
    )
    run.released += page!.released
    if (page!.seen < PAGE) break
  }
  await db().$executeRaw(Prisma.sql`
    INSERT INTO referral_progress (id, seen_until) VALUES (1, least(${until}, now()))
    ON CONFLICT (id) DO UPDATE SET seen_until = greatest(referral_progress.seen_until, excluded.seen_until)`)
  return run
}

/** The nightly run: the same over the last week. */
export async function reviseRewards(): Promise<RewardRun> {
  return runRewards({ lookBackMs: 7 * DAY_MS })
}

async function accrue(
  kind: 'top_up' | 'order' | 'renewal',
  since: Date,
  until: Date,
  holdDays: number,
): Promise<number> {
  let made = 0
  let after = { at: new Date(0), id: '' }
  for (;;) {
    const [page] = await db().$queryRaw<{ last_at: Date; last_id: string; seen: number; made: number }[]>(Prisma.sql`
      SELECT last_at, last_id, seen, made FROM accrue_rewards(${kind}, ${since}, ${until}, ${after.at}, ${after.id}, ${PAGE}::int,
        make_interval(days => ${holdDays}::int), ${env().SHOP_CURRENCY})`)
    made += page!.made
    if (page!.seen < PAGE) return made
    after = { at: page!.last_at, id: page!.last_id }
  }
}
