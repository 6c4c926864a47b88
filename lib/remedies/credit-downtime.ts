import { listDowntimes } from '@/lib/checks'
import { db, Prisma } from '@/lib/db'
import { HOUR_MS } from '@/lib/kit'
import { log } from '@/lib/log'
import { shareOf } from './decide-remedy'
import { readFacts } from './facts'
import { giveCredit } from './refund-proxies'

/** Orders read at a time. */
const PAGE = 200
/** Checks older than this are gone (lib/checks keeps them for 45 days); the nightly job never needs to look that far. */
const LOOK_BACK_MS = 40 * 24 * HOUR_MS

/**
 * Credits, in proportion, the time in which proxies failed their checks for longer than their order's policy promises: the whole stretch, up to now, less
 * what an earlier night credited of it. Of proxies that were exchanged, or whose time ended, meanwhile, too: up to their last check. The evidence (from, to, how many checks failed) stays with the credit. One order that fails does not keep the
 * others waiting. Returns how many credits were given. Safe any number of times at once.
 */
export async function creditDowntime(now: Date = new Date()): Promise<number> {
  let after = ''
  let given = 0
  for (;;) {
    const orders = await db().$queryRaw<{ id: string }[]>(Prisma.sql`
      SELECT DISTINCT o.id FROM orders o JOIN product_policies p ON p.id = o.policy_id JOIN proxy_health h ON h.order_id = o.id
      WHERE o.state IN ('active', 'in_grace', 'expired') AND p.rules ->> 'downtimeHours' IS NOT NULL AND o.id > ${after}
        AND o.expires_at >= ${new Date(now.getTime() - LOOK_BACK_MS)}::timestamptz
        AND EXISTS (SELECT 1 FROM proxy_checks c WHERE c.allocation_id = h.allocation_id AND NOT c.ok AND c.at >= ${new Date(now.getTime() - LOOK_BACK_MS)}::timestamptz)
      ORDER BY o.id LIMIT ${PAGE}::int`)
    for (const { id } of orders) {
      try {
        given += await creditOrder(id, now)
      } catch (error) {
        log('remedies').error({ orderId: id, error }, 'the downtime of an order could not be credited')
      }
    }
    if (orders.length < PAGE) return given
    after = orders.at(-1)!.id
  }
}

async function creditOrder(orderId: string, now: Date): Promise<number> {
  const facts = await readFacts({ orderId, withExpired: true })
  const promised = facts?.policy.downtimeHours
  if (!facts || !promised) return 0
  const downtimes = await listDowntimes({ orderId, since: new Date(now.getTime() - LOOK_BACK_MS) })
  const credited = await creditedUntil(orderId)
  let given = 0
  for (const proxy of facts.proxies) {
    for (const downtime of downtimes.filter((each) => proxy.placeIds.includes(each.allocationId))) {
      const { allocationId } = downtime
      const to = downtime.to ?? now
      if (to.getTime() - downtime.from.getTime() <= promised * HOUR_MS) continue
      const before = credited.get(allocationId)
      const from = before && before > downtime.from ? before : downtime.from
      const amountMicros = shareOf(proxy, from, to)
      if (amountMicros === 0n) continue
      const credit = await giveCredit({
        orderId,
        // Of two runs at once both begin where the last credit ended: one of them is a repeat.
        key: `downtime:${allocationId}:${from.toISOString()}`,
        cause: 'downtime',
        amountMicros,
        allocationIds: [allocationId],
        evidence: {
          failingSince: downtime.from.toISOString(),
          from: from.toISOString(),
          to: to.toISOString(),
          failedChecks: downtime.failed,
          promisedHours: promised,
        },
        givenBy: null,
      })
      if (credit.ok && !credit.value.isRepeat) given += 1
    }
  }
  return given
}

/** Up to when the downtime of each proxy of an order has been credited. */
async function creditedUntil(orderId: string): Promise<Map<string, Date>> {
  const rows = await db().$queryRaw<{ id: string; until: Date }[]>(Prisma.sql`
    SELECT allocation_ids[1] AS id, max((evidence ->> 'to')::timestamptz) AS until FROM order_credits
    WHERE order_id = ${orderId} AND cause = 'downtime' GROUP BY allocation_ids[1]`)
  return new Map(rows.map((row) => [row.id, row.until]))
}

/** Money given back for an order, oldest first, each with its cause and what it rests on. */
export async function listCredits(input: { orderId: string; userId?: string }) {
  return db().orderCredit.findMany({
    where: { orderId: input.orderId, userId: input.userId },
    orderBy: { id: 'asc' },
    select: {
      id: true,
      cause: true,
      amountMicros: true,
      currency: true,
      allocationIds: true,
      evidence: true,
      createdAt: true,
    },
  })
}
