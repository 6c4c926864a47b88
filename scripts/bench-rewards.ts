import type { Client } from 'pg'
import { invariant } from '@/lib/kit'
import { runRewards } from '@/lib/referrals'

/** What the lane that measures has already made: a plan at a price and its offer. */
export type RewardBench = { plan: string; offer: string; priceMicros: bigint }

const FILL = 250
/** Read at a time, as the command does. */
const PAGE = 500
/** The limit does the same again and again; a fifth of the orders shows its speed. */
const LIMIT_ORDERS = 20_000
const REFERRERS = 200
const REFERRED = 2_000

/** As many delivered orders as asked, paid with money from outside by referred people, made through the functions that orders are made by. */
export async function addReferredOrders(client: Client, bench: RewardBench, orders: number): Promise<void> {
  await client.query(
    `INSERT INTO users (id, email, username, username_key, password_hash)
     SELECT id, id || '@example.test', id, id, 'none' FROM (
       SELECT 'usr_above_' || i AS id FROM generate_series(0, $1::int - 1) i UNION ALL SELECT 'usr_below_' || i FROM generate_series(0, $2::int - 1) i) u`,
    [REFERRERS, REFERRED],
  )
  await client.query(
    `INSERT INTO referral_links (id, user_id, code, label) SELECT 'rfl_' || i, 'usr_above_' || i, 'BENCH-' || i, 'bench' FROM generate_series(0, $1::int - 1) i`,
    [REFERRERS],
  )
  await client.query(
    `INSERT INTO referrals (user_id, referrer_id, link_id, via, created_at)
     SELECT 'usr_below_' || i, 'usr_above_' || i % $1::int, 'rfl_' || i % $1::int, 'typed', now() - interval '1 day' FROM generate_series(0, $2::int - 1) i`,
    [REFERRERS, REFERRED],
  )
  await client.query(
    `INSERT INTO referral_rules (id, basis, basis_points, person_cap_micros, from_at) VALUES ('rru_bench', 'orders', 1000, 1000000000000, now() - interval '1 day')`,
  )
  await client.query(
    `SELECT ledger_post('top_up:bench_' || u.id, ledger_account('shop', 'provider_clearing:bench', 'USD'), ledger_account(u.id, 'customer_balance', 'USD'), $1, 'USD', 'payment', u.id, NULL, now())
     FROM users u WHERE u.id LIKE 'usr_below_%'`,
    [10n ** 12n],
  )
  for (let made = 0; made < orders; made += FILL) {
    await client.query(
      `SELECT place_order('ord_rwd' || lpad(i::text, 29, '0'), 'usr_below_' || (i % $6::int), 'rwd_' || i, $3, 1, $4, true, 'datacenter_ipv4', 'NL', 30, 1, $5, 0, $5, 'USD')
       FROM generate_series($1::int, $1::int + $2::int - 1) i`,
      [made, FILL, bench.plan, bench.offer, bench.priceMicros, REFERRED],
    )
    await client.query(
      `SELECT complete_delivery('ord_rwd' || lpad(i::text, 29, '0'), NULL, NULL, NULL, NULL, NULL) FROM generate_series($1::int, $1::int + $2::int - 1) i`,
      [made, FILL],
    )
    await client.query('DELETE FROM outbox_jobs')
  }
  await client.query('VACUUM ANALYZE')
}

/** As if no reward had been made yet: the orders of every round are the same. Outside the clock. */
async function forgetRewards(client: Client): Promise<void> {
  await client.query('TRUNCATE referral_rewards, referral_reversals, referral_settlements, referral_progress')
  await client.query('DELETE FROM outbox_jobs')
  await client.query('VACUUM ANALYZE ledger_accounts')
}

export type RewardRound = { done: number; seconds: number; peakMiB: number }
const WAITED_MS = 15 * 86_400_000

/** The command: one run that makes every reward and lets it go. `peakMiB`: how far its memory rose above where it began. */
export async function rewardByCommand(client: Client): Promise<RewardRound> {
  await forgetRewards(client)
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  let peak = before
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 50)
  const begun = performance.now()
  const { made, released } = await runRewards({ now: new Date(Date.now() + WAITED_MS) })
  const seconds = (performance.now() - begun) / 1000
  clearInterval(watch)
  invariant(made === released, 'every reward that was made is let go')
  return { done: made, seconds, peakMiB: Math.round((peak - before) / 2 ** 20) }
}

/** The limit: a plain client that calls the same functions, page after page, for a part of the orders. */
export async function rewardByLimit(client: Client): Promise<RewardRound> {
  await forgetRewards(client)
  const until = new Date(Date.now() + WAITED_MS)
  let after = { at: new Date(0), id: '' }
  let made = 0
  let released = 0
  const begun = performance.now()
  while (made < LIMIT_ORDERS) {
    const { rows } = await client.query<{ last_at: Date; last_id: string; made: number }>({
      name: 'accrue',
      text: `SELECT last_at, last_id, made FROM accrue_rewards('order', '-infinity', $1, $2, $3, $4::int, interval '14 days', 'USD')`,
      values: [until, after.at, after.id, PAGE],
    })
    made += rows[0]!.made
    after = { at: rows[0]!.last_at, id: rows[0]!.last_id }
  }
  while (released < made) {
    const { rows } = await client.query<{ released: number }>({
      name: 'release',
      text: `SELECT released FROM release_rewards($1, $2::int, 'USD')`,
      values: [until, PAGE],
    })
    released += rows[0]!.released
  }
  return { done: made, seconds: (performance.now() - begun) / 1000, peakMiB: 0 }
}
