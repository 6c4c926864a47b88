import { db, Prisma } from '@/lib/db'
import { HOUR_MS, MINUTE_MS, newId, SECOND_MS } from '@/lib/kit'
import { assertTargetAnswers } from './assert-target-answers'
import { probeProxy, type ProbeResult, type ProxyToProbe } from './probe-proxy'
import { checkRules } from './rules'

export type CheckKind = 'handover' | 'schedule' | 'demand'

/** How checks reach the outside; tests put their own in its place. */
export type Prober = { probe: (proxy: ProxyToProbe) => Promise<ProbeResult>; assertTarget: () => Promise<void> }

export const REAL_PROBER: Prober = {
  probe: (proxy) => probeProxy(proxy),
  assertTarget: () => assertTargetAnswers(),
}

/**
 * How long a job works before it makes room and promises its own continuation: other jobs wait for the same places, and a worker that is stopped waits
 * for the jobs in hand.
 */
const RUN_MS = 40 * SECOND_MS
/** Checks that are claimed together: five rounds of what runs at once, so that one slow proxy holds up little. */
const ROUNDS_PER_CLAIM = 5
/** How long a claim holds: longer than five rounds of time-outs. What a killed worker had claimed is free again after it. */
export const CLAIM_MS = 2 * MINUTE_MS
/** A proxy that fails is looked at more often, so that its downtime is known more exactly than a working proxy's would be. */
const FAILING_EVERY_MS = 30 * MINUTE_MS

type Claimed = ProxyToProbe & { allocationId: string; tries: number; claimedAt: Date }
type Checked = { claimed: Claimed; at: Date; result: ProbeResult }

/** What of `allocations a` a customer can use now; the rest is not checked. */
export const LIVE = Prisma.sql`a.state = 'active' AND a.expires_at > now()`
/**
 * What of it a check says something about. One from a supplier that has no login lets in the addresses that are bound to it, and ours is not among them: it would
 * fail for us and work for its customer.
 */
export const CHECKABLE = Prisma.sql`${LIVE} AND (a.username <> '' OR a.delivery_id IS NULL)`

/**
 * Checks whatever `due` (a condition over `proxy_health h`) finds, a claim at a time, until nothing is left that nobody else has claimed
 * (true) or its time is over (false). A claim is one statement that skips what others hold, so any number of runs share the work; results are
 * kept claim by claim, so a killed run loses one claim's worth. Memory does not grow with what is due. Throws OperationalError, and concludes
 * nothing, when the target itself does not answer.
 */
export async function workThrough(
  kind: CheckKind,
  due: Prisma.Sql,
  prober: Prober = REAL_PROBER,
  runMs = RUN_MS,
): Promise<boolean> {
  const { everyHours, atOnce } = await checkRules.read()
  const endsAt = Date.now() + runMs
  while (Date.now() < endsAt) {
    const claimed = await claim(due, atOnce * ROUNDS_PER_CLAIM)
    if (claimed.length === 0) return true
    try {
      await prober.assertTarget()
      const checked = await probeAll(claimed, atOnce, prober)
      if (checked.some(({ result }) => !result.ok)) await prober.assertTarget()
      await record(kind, checked, everyHours)
    } catch (error) {
      await release(claimed)
      throw error
    }
  }
  return false
}

async function claim(due: Prisma.Sql, limit: number): Promise<Claimed[]> {
  return db().$queryRaw<Claimed[]>(Prisma.sql`
    WITH taken AS (
      SELECT h.allocation_id FROM proxy_health h JOIN allocations a ON a.id = h.allocation_id
      WHERE ${due} AND ${CHECKABLE} AND (h.claimed_until IS NULL OR h.claimed_until < now())
      ORDER BY h.next_check_at LIMIT ${limit}::int FOR UPDATE OF h SKIP LOCKED
    ), claimed AS (
      UPDATE proxy_health h SET claimed_until = now() + make_interval(secs => ${CLAIM_MS / SECOND_MS}::int)
      FROM taken WHERE h.allocation_id = taken.allocation_id RETURNING h.allocation_id, h.handover_tries
    )
    SELECT a.id AS "allocationId", claimed.handover_tries AS tries, now() AS "claimedAt", a.host, a.port, a.username, a.password, a.protocols
    FROM claimed JOIN allocations a ON a.id = claimed.allocation_id`)
}

async function release(claimed: Claimed[]): Promise<void> {
  const ids = claimed.map(({ allocationId }) => allocationId)
  await db().$executeRaw(Prisma.sql`UPDATE proxy_health SET claimed_until = NULL WHERE allocation_id = ANY (${ids})`)
}

async function probeAll(claimed: Claimed[], atOnce: number, prober: Prober): Promise<Checked[]> {
  const waiting = claimed.values()
  const checked: Checked[] = []
  const take = async () => {
    for (const next of waiting) {
      const result = await prober.probe(next)
      checked.push({ claimed: next, at: new Date(), result })
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, claimed.length) }, take))
  return checked
}

/**
 * Keeps what was found, in one statement. A result that somebody else has overtaken (its claim ran out, and the proxy was checked again) is dropped, so
 * that a hand-over counts each try once. So is a failure of a proxy whose login or addresses were changed meanwhile: it was tried with what no longer held.
 */
async function record(kind: CheckKind, checked: Checked[], everyHours: number): Promise<void> {
  const rows = checked.map(({ claimed, at, result }) => ({
    id: newId('chk'),
    allocationId: claimed.allocationId,
    tries: claimed.tries,
    claimedAt: claimed.claimedAt,
    at,
    nextAt: nextCheckAt(at, result.ok, everyHours),
    ...result,
  }))
  await db().$executeRaw(Prisma.sql`
    WITH r AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS r(id text, "allocationId" text, tries int, "claimedAt" timestamptz, at timestamptz, "nextAt" timestamptz,
        ok boolean, failure text, "exitAddress" text, "countryCode" text, "latencyMs" int)
    ), kept AS (
      UPDATE proxy_health h SET last_check_id = r.id, last_at = r.at, last_ok = r.ok,
        failing_since = CASE WHEN r.ok THEN NULL ELSE coalesce(h.failing_since, r.at) END,
        next_check_at = r."nextAt", claimed_until = NULL,
        handover_tries = CASE WHEN ${kind} = 'handover' THEN h.handover_tries + 1 ELSE h.handover_tries END,
        handover_check_id = CASE WHEN ${kind} = 'handover' THEN r.id ELSE h.handover_check_id END,
        handover_at = CASE WHEN ${kind} = 'handover' THEN r.at ELSE h.handover_at END,
        handover_ok = CASE WHEN ${kind} = 'handover' THEN r.ok ELSE h.handover_ok END
      FROM r WHERE h.allocation_id = r."allocationId" AND h.handover_tries = r.tries AND (h.last_at IS NULL OR h.last_at <= r.at)
        AND (r.ok OR NOT EXISTS (SELECT 1 FROM access_changes c WHERE c.order_id = h.order_id AND h.allocation_id = ANY (c.allocation_ids)
                                 AND (c.state = 'calling' OR c.ended_at >= r."claimedAt")))
      RETURNING h.allocation_id, h.order_id
    )
    INSERT INTO proxy_checks (id, allocation_id, order_id, kind, at, ok, failure, exit_address, country_code, latency_ms)
    SELECT r.id, kept.allocation_id, kept.order_id, ${kind}, r.at, r.ok, r.failure, r."exitAddress", r."countryCode", r."latencyMs"
    FROM r JOIN kept ON kept.allocation_id = r."allocationId"`)
}

/** Up to a quarter earlier than the rule says, at random: proxies handed over together do not stay together, and none is later than promised. */
function nextCheckAt(at: Date, ok: boolean, everyHours: number): Date {
  const longest = everyHours * HOUR_MS
  const spread = longest * (0.75 + 0.25 * Math.random())
  return new Date(at.getTime() + (ok ? spread : Math.min(spread, FAILING_EVERY_MS)))
}
