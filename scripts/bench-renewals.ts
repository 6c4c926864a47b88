import type { Client } from 'pg'
import { STOCK_SUPPLIERS } from '@/lib/catalog'
import { invariant, newId } from '@/lib/kit'
import { runRenewals } from '@/lib/orders'

/** What the lane that measures has already made: a plan at a price, its offer, customers with money. */
export type RenewalBench = { plan: string; offer: string; customers: number; priceMicros: bigint }

const BATCH = 100
/** Orders made in one transaction: within one, the units it has just sold lie at the front of the index of free ones, and each next one walks over them. */
const FILL = 250
/** The limit does the same again and again; a fifth of the night shows its speed. */
const LIMIT_ORDERS = 20_000

/** As many orders from stock as asked, delivered and renewing themselves, made through the functions that orders are made by. */
export async function addRenewingOrders(client: Client, bench: RenewalBench, orders: number): Promise<void> {
  for (let made = 0; made < orders; made += FILL) {
    await client.query(
      `SELECT place_order('ord_ren' || lpad(i::text, 29, '0'), 'usr_bench_' || (i % $6::int), 'ren_' || i, $3, 1, $4, true, 'datacenter_ipv4', 'NL', 30, 1, $5, 0, $5, 'USD')
       FROM generate_series($1::int, $1::int + $2::int - 1) i`,
      [made, FILL, bench.plan, bench.offer, bench.priceMicros, bench.customers],
    )
    await client.query(
      `SELECT complete_delivery('ord_ren' || lpad(i::text, 29, '0'), NULL, NULL, NULL, NULL, NULL) FROM generate_series($1::int, $1::int + $2::int - 1) i`,
      [made, FILL],
    )
    await client.query('DELETE FROM outbox_jobs')
  }
  await client.query(
    `UPDATE orders SET auto_renew = true, renew_period_days = 30, renew_unit_micros = $1 WHERE id LIKE 'ord_ren%'`,
    [bench.priceMicros],
  )
  await client.query('VACUUM ANALYZE')
}

/** All of them fall due within the hour, as on the worst of nights. Outside the clock. */
async function letThemFallDue(client: Client): Promise<void> {
  await client.query(`UPDATE allocations SET expires_at = now() + interval '1 hour' WHERE order_id LIKE 'ord_ren%'`)
  await client.query(
    `UPDATE orders SET expires_at = now() + interval '1 hour', due_at = now() + interval '1 hour', look_at = now() + interval '1 hour' WHERE id LIKE 'ord_ren%'`,
  )
  // Two renewals of one end are told apart by the millisecond: those of an earlier round are of another one.
  await client.query(
    `UPDATE allocations a SET expires_at = o.due_at FROM orders o WHERE o.id = a.order_id AND o.id LIKE 'ord_ren%' AND a.expires_at <> o.due_at`,
  )
  await client.query('VACUUM ANALYZE orders, allocations')
}

export type RenewalRound = { done: number; seconds: number; peakMiB: number }

/** The command: one run, as the worker does it every minute. `peakMiB`: how far its memory rose above where it began. */
export async function renewByCommand(client: Client): Promise<RenewalRound> {
  await letThemFallDue(client)
  globalThis.gc?.()
  const before = process.memoryUsage().rss
  let peak = before
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 50)
  const begun = performance.now()
  const { renewed } = await runRenewals()
  const seconds = (performance.now() - begun) / 1000
  clearInterval(watch)
  await client.query('DELETE FROM outbox_jobs')
  return { done: renewed, seconds, peakMiB: Math.round((peak - before) / 2 ** 20) }
}

/** The limit: a plain client that is told beforehand what falls due and what it costs, and calls the SQL function in batches. */
export async function renewByLimit(client: Client, bench: RenewalBench): Promise<RenewalRound> {
  await letThemFallDue(client)
  const { rows: due } = await client.query<{ id: string; due_at: Date }>(
    `SELECT id, due_at FROM orders WHERE id LIKE 'ord_ren%' ORDER BY due_at, id LIMIT $1`,
    [LIMIT_ORDERS],
  )
  const price = bench.priceMicros.toString()
  const batches: string[] = []
  for (let start = 0; start < due.length; start += BATCH)
    batches.push(
      JSON.stringify(
        due.slice(start, start + BATCH).map((order) => ({
          orderId: order.id,
          renewalId: newId('rnw'),
          due: order.due_at,
          days: 30,
          quantity: 1,
          unitPrice: price,
          discount: '0',
          total: price,
          revision: 1,
        })),
      ),
    )
  const begun = performance.now()
  let done = 0
  for (const batch of batches) {
    const { rows } = await client.query<{ outcome: string }>({
      name: 'renew_due',
      text: `SELECT outcome FROM renew_due_orders($1::jsonb, $2::text[], 'USD')`,
      values: [batch, [...STOCK_SUPPLIERS]],
    })
    done += rows.filter((row) => row.outcome === 'renewed').length
  }
  const seconds = (performance.now() - begun) / 1000
  invariant(done === due.length, 'every measured order is renewed')
  await client.query('DELETE FROM outbox_jobs')
  return { done, seconds, peakMiB: 0 }
}
