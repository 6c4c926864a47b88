import { STOCK_SUPPLIERS, sellsFromStock } from '@/lib/catalog'
import { db, Prisma, type Tx } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { HOUR_MS, invariant, MINUTE_MS, newId, OperationalError } from '@/lib/kit'
import { log } from '@/lib/log'
import { renewalRules } from '@/lib/orders'
import {
  type HeldProxies,
  type PurchasedProxy,
  type Quote,
  type RenewOutcome,
  type Supplier,
  UnknownOutcomeError,
} from '@/lib/suppliers'
import { FIRST_LOOKUP_AFTER_MS, GIVE_BACK_AFTER_MS } from './deliver-order'
import { resolveRenewalJob } from './jobs'
import { isTooDear } from './judge-cost'
import { LOOKUPS_BEFORE_BELIEVED } from './resolve-delivery'
import { supplierForCall, watching } from './supplier-health'
import { type SupplierFor, supplierOf } from './suppliers-in-use'

/** A supplier that renewed moves an end by days; what it tells again may differ by seconds. */
const MOVED_BY_MS = 12 * HOUR_MS

type Held = {
  id: string
  host: string
  port: number
  expiresAt: Date
  supplierRef: string | null
  offerId: string
  supplier: string
  supplierParams: Prisma.JsonValue
  supplierOrderId: string | null
}
type Group = { offerId: string; supplier: string; supplierOrderId: string | null; proxies: Held[] }

/**
 * Has suppliers renew what a customer's held money is for: one call for the proxies of each order there, each noted and its look-up promised before
 * it is made. When all calls have an end, the renewal ends: the customer pays for what was renewed, the rest returns. A call without an answer is
 * looked up (resolveRenewal) before anything else happens. A supplier that cannot be reached: OperationalError, and the job tries again, for two hours at most.
 * An automatic renewal that its customer switched off before the call is not made.
 */
export async function renewAtSuppliers(
  { renewalId }: { renewalId: string },
  supplierFor: SupplierFor = supplierOf,
): Promise<void> {
  const renewal = await db().renewal.findUnique({
    where: { id: renewalId },
    select: {
      id: true,
      state: true,
      createdAt: true,
      periodDays: true,
      allocationIds: true,
      quantity: true,
      totalMicros: true,
      runs: { select: { allocationIds: true } },
    },
  })
  if (!renewal || renewal.state !== 'held') return
  const called = new Set(renewal.runs.flatMap((run) => run.allocationIds))
  let unreachable: unknown
  for (const group of await groupsOf(renewal.allocationIds)) {
    if (called.has(group.proxies[0]!.id)) continue
    const { periodDays } = renewal
    let runId: string | null = null
    try {
      if (await refuseSwitchedOff(renewalId, group)) continue
      const supplier = await supplierForCall(group.supplier, supplierFor)
      const quote = await quoteGroup(supplier, group, periodDays)
      runId = await beginRun(renewalId, group, quote)
      if (!runId) {
        // Switched off while the price was asked for: its row says so by the next try, which nothing else would promise.
        await refuseSwitchedOff(renewalId, group)
        continue
      }
      const reference = runId
      const paid = (renewal.totalMicros * BigInt(group.proxies.length)) / BigInt(renewal.quantity)
      if (supplier.renew && (await isTooDear(group.supplier, quote, paid))) {
        log('provisioning').error({ renewalId, supplier: group.supplier }, 'a renewal there would be sold at a loss')
        await refuseRun(reference, 'too_dear')
        continue
      }
      const outcome = await watching(group.supplier, () => callSupplier(supplier, group, { reference, periodDays }))
      await endRun(reference, group, outcome)
    } catch (error) {
      if (!runId) {
        if (!(error instanceof OperationalError)) throw error
        // Not even a price could be had: nothing was sent.
        if (Date.now() - renewal.createdAt.getTime() < GIVE_BACK_AFTER_MS) unreachable = error
        else {
          const refusedId = await beginRun(renewalId, group, null, true)
          if (refusedId) await refuseRun(refusedId, 'unreachable')
        }
        continue
      }
      if (error instanceof UnknownOutcomeError) {
        await db().renewalRun.updateMany({ where: { id: runId, state: 'calling' }, data: { state: 'unknown' } })
        continue
      }
      if (!(error instanceof OperationalError)) throw error
      // The supplier certainly did nothing. The run is taken out, so that the next try may call again.
      if (Date.now() - renewal.createdAt.getTime() < GIVE_BACK_AFTER_MS) {
        await db().renewalRun.deleteMany({ where: { id: runId, state: 'calling' } })
        unreachable = error
      } else await refuseRun(runId, 'unreachable')
    }
  }
  if (unreachable !== undefined) throw unreachable
  await endRenewal(renewalId)
}

async function callSupplier(
  supplier: Supplier,
  group: Group,
  request: { reference: string; periodDays: number },
): Promise<RenewOutcome> {
  if (!supplier.renew) return { kind: 'refused', code: 'rejected', detail: 'this supplier does not renew' }
  return supplier.renew({ ...heldAs(group), ...request })
}

/** What the renewal would cost there; null where the supplier cannot say, and for one that does not renew, which then says so. */
async function quoteGroup(supplier: Supplier, group: Group, periodDays: number): Promise<Quote | null> {
  const { quoteRenewal } = supplier
  if (!quoteRenewal) return null
  return watching(group.supplier, () => quoteRenewal({ ...heldAs(group), periodDays }))
}

/** The renewal's proxies that a supplier must renew, by offer and order there. */
async function groupsOf(allocationIds: readonly string[]): Promise<Group[]> {
  const rows = await db().$queryRaw<Held[]>(Prisma.sql`
    SELECT a.id, a.host, a.port, a.expires_at AS "expiresAt", a.supplier_ref AS "supplierRef", a.offer_id AS "offerId", f.supplier,
           f.supplier_params AS "supplierParams", d.supplier_order_id AS "supplierOrderId"
    FROM allocations a JOIN offers f ON f.id = a.offer_id LEFT JOIN deliveries d ON d.id = a.delivery_id
    WHERE a.id = ANY (${[...allocationIds]}::text[]) ORDER BY a.position`)
  const groups = new Map<string, Group>()
  for (const row of rows) {
    if (sellsFromStock(row.supplier)) continue
    const key = `${row.offerId} ${row.supplierOrderId}`
    const group = groups.get(key) ?? { ...row, proxies: [] }
    group.proxies.push(row)
    groups.set(key, group)
  }
  return [...groups.values()]
}

function heldAs({ supplierOrderId, proxies }: Group): HeldProxies {
  return {
    supplierOrderId,
    proxies: proxies.map(({ supplierRef, host, port, expiresAt }) => ({
      supplierRef: supplierRef ?? '',
      host,
      port,
      expiresAt,
    })),
    params: proxies[0]!.supplierParams as Record<string, unknown>,
  }
}

/** True when its customer has switched the renewal off that has not been sent: this part of it ends without a call. */
async function refuseSwitchedOff(renewalId: string, group: Group): Promise<boolean> {
  const [row] = await db().$queryRaw<{ isOff: boolean }[]>(Prisma.sql`
    SELECT r.key LIKE 'auto:%' AND NOT o.auto_renew AS "isOff" FROM renewals r JOIN orders o ON o.id = r.order_id WHERE r.id = ${renewalId} AND r.state = 'held'`)
  if (!row?.isOff) return false
  const runId = await beginRun(renewalId, group, null, true)
  if (runId) await refuseRun(runId, 'switched_off')
  return true
}

/**
 * Notes the run and promises its look-up. Null when this group has a run already, the renewal has ended, or it was switched off (unless `isRefused`: that is what is
 * to be noted).
 */
async function beginRun(
  renewalId: string,
  group: Group,
  quote: Quote | null,
  isRefused = false,
): Promise<string | null> {
  return db().$transaction(async (tx) => {
    // The order first, as its switch does: whoever switches off after this finds the call on its way.
    const [order] = await tx.$queryRaw<{ isOff: boolean }[]>(Prisma.sql`
      SELECT r.key LIKE 'auto:%' AND NOT o.auto_renew AS "isOff" FROM orders o JOIN renewals r ON r.order_id = o.id WHERE r.id = ${renewalId} FOR NO KEY UPDATE OF o`)
    if (!order || (order.isOff && !isRefused) || !(await lockHeld(tx, renewalId))) return null
    const ids = group.proxies.map((proxy) => proxy.id)
    const known = await tx.renewalRun.findFirst({
      where: { renewalId, allocationIds: { hasSome: ids } },
      select: { id: true },
    })
    if (known) return null
    const id = newId('rnr')
    const { supplier, offerId, supplierOrderId } = group
    await tx.renewalRun.create({
      data: {
        id,
        renewalId,
        supplier,
        offerId,
        supplierOrderId,
        allocationIds: ids,
        state: 'calling',
        // What it was quoted at stands in for a cost that a look-up does not tell.
        costMicros: quote?.costMicros,
        costCurrency: quote?.currency,
      },
      select: { id: true },
    })
    await enqueue(tx, resolveRenewalJob, { renewalId }, { runAt: new Date(Date.now() + FIRST_LOOKUP_AFTER_MS) })
    return id
  })
}

async function lockHeld(tx: Tx, renewalId: string): Promise<boolean> {
  const rows = await tx.$queryRaw<{ id: string }[]>(
    Prisma.sql`SELECT id FROM renewals WHERE id = ${renewalId} AND state = 'held' FOR NO KEY UPDATE`,
  )
  return rows.length === 1
}

async function endRun(runId: string, group: Group, outcome: RenewOutcome): Promise<void> {
  if (outcome.kind === 'refused') {
    if (outcome.code === 'supplier_unfunded')
      log('provisioning').error({ runId }, 'our balance at the supplier does not cover a renewal')
    await refuseRun(runId, outcome.code)
    return
  }
  await finishRun(runId, moved(group, outcome.proxies), { micros: outcome.costMicros, currency: outcome.currency })
}

/** The run has an end: nothing was renewed. */
export async function refuseRun(runId: string, refusal: string): Promise<void> {
  await db().renewalRun.updateMany({
    where: { id: runId, state: { in: ['calling', 'unknown'] } },
    data: { state: 'refused', refusal, costMicros: null, costCurrency: null, endedAt: new Date() },
  })
}

export type Renewed = { id: string; expiresAt: string; supplierRef: string }

/**
 * Which of a group's proxies have a later end than we knew. A proxy is its place and the supplier's id; where the ids changed with the renewal,
 * its place alone, if nothing else is there.
 */
function moved(group: Group, told: readonly PurchasedProxy[]): Renewed[] {
  return group.proxies.flatMap(({ id, host, port, supplierRef, expiresAt }) => {
    const there = told.filter((proxy) => proxy.host === host && proxy.port === port)
    const now = there.find((proxy) => proxy.supplierRef === supplierRef) ?? (there.length === 1 ? there[0] : undefined)
    if (!now || now.expiresAt.getTime() - expiresAt.getTime() < MOVED_BY_MS) return []
    return [{ id, expiresAt: now.expiresAt.toISOString(), supplierRef: now.supplierRef }]
  })
}

/**
 * The run has an end: what was renewed is kept with it, and what it cost us is booked, once. A look-up tells no cost: then what it was quoted at counts, in
 * proportion to what was renewed.
 */
export async function finishRun(
  runId: string,
  renewed: Renewed[],
  cost: { micros: bigint | null; currency: string | null },
): Promise<void> {
  await db().$transaction(async (tx) => {
    const isTold = cost.micros !== null && cost.currency !== null
    const ended = await tx.$executeRaw(Prisma.sql`
      UPDATE renewal_runs SET state = 'done', renewed = ${JSON.stringify(renewed)}::jsonb, ended_at = now(),
        cost_micros = CASE WHEN ${isTold} THEN ${cost.micros}::bigint ELSE ceil(cost_micros::numeric * ${renewed.length}::int / cardinality(allocation_ids)) END,
        cost_currency = CASE WHEN ${isTold} THEN ${cost.currency}::text ELSE cost_currency END
      WHERE id = ${runId} AND state IN ('calling', 'unknown')`)
    if (ended === 0) return
    await tx.$executeRaw(Prisma.sql`
      SELECT book_supplier_cost(u.id, u.supplier, o.product_kind, u.cost_micros, u.cost_currency, o.id, now())
      FROM renewal_runs u JOIN renewals r ON r.id = u.renewal_id JOIN orders o ON o.id = r.order_id WHERE u.id = ${runId}`)
  })
}

/**
 * Finds out what came of calls whose end is open, from the ends that the supplier tells of these proxies. All moved: done. Not all, three times with growing
 * gaps: what moved was renewed, the rest was not. Then the renewal ends. A supplier that cannot be asked: OperationalError, and the job waits.
 */
export async function resolveRenewal(
  { renewalId }: { renewalId: string },
  supplierFor: SupplierFor = supplierOf,
): Promise<void> {
  const open = await db().renewalRun.findMany({
    where: { renewalId, state: { in: ['calling', 'unknown'] } },
    select: { id: true, allocationIds: true, lookups: true },
  })
  let lookups = 0
  for (const run of open) {
    const [group, ...others] = await groupsOf(run.allocationIds)
    invariant(group && others.length === 0, 'a run is for the proxies of one order at one supplier')
    const { readProxies } = await supplierFor(group.supplier)
    invariant(readProxies, 'a supplier that renews tells of the proxies we hold')
    const renewed = moved(group, await watching(group.supplier, () => readProxies(heldAs(group))))
    if (renewed.length < group.proxies.length && run.lookups + 1 < LOOKUPS_BEFORE_BELIEVED) {
      await db().renewalRun.update({
        where: { id: run.id },
        data: { state: 'unknown', lookups: { increment: 1 } },
        select: { id: true },
      })
      lookups = Math.max(lookups, run.lookups + 1)
    } else if (renewed.length > 0) await finishRun(run.id, renewed, { micros: null, currency: null })
    else await refuseRun(run.id, 'not_renewed')
  }
  if (lookups > 0) {
    await db().$transaction((tx) =>
      enqueue(tx, resolveRenewalJob, { renewalId }, { runAt: new Date(Date.now() + lookups * MINUTE_MS) }),
    )
    return
  }
  await endRenewal(renewalId)
}

/** Ends a renewal whose calls all have an end. Does nothing while one is open or not yet made. */
export async function endRenewal(renewalId: string): Promise<void> {
  const renewal = await db().renewal.findUniqueOrThrow({
    where: { id: renewalId },
    select: {
      allocationIds: true,
      runs: { select: { state: true, allocationIds: true, renewed: true, refusal: true } },
    },
  })
  if (renewal.runs.some((run) => run.state === 'calling' || run.state === 'unknown')) return
  const called = new Set(renewal.runs.flatMap((run) => run.allocationIds))
  const groups = await groupsOf(renewal.allocationIds)
  if (groups.some((group) => group.proxies.some((proxy) => !called.has(proxy.id)))) return
  const renewed = JSON.stringify(renewal.runs.flatMap((run) => run.renewed as Renewed[]))
  const refusals = renewal.runs.flatMap((run) => run.refusal ?? [])
  const { retryHours } = await renewalRules.read()
  // Our own empty account there is the operator's business; the customer reads that the supplier did not renew.
  const isSwitchedOff = refusals.length > 0 && refusals.every((refusal) => refusal === 'switched_off')
  const reason = isSwitchedOff ? 'switched_off' : refusals.length > 0 ? 'supplier_failed' : null
  const retryAt = new Date(Date.now() + retryHours * HOUR_MS)
  const [row] = await db().$queryRaw<{ outcome: string }[]>(Prisma.sql`
    SELECT outcome FROM end_renewal(${renewalId}, ${renewed}::jsonb, ${[...STOCK_SUPPLIERS]}::text[], ${reason}, ${retryAt}::timestamptz)`)
  invariant(row!.outcome !== 'not_found', `end_renewal answered ${row!.outcome}`)
}

/** Older than any renewal that goes its normal way. */
const LEFT_BEHIND_AFTER_MS = 3 * MINUTE_MS

/** Renewals that nobody works on (a job that used up its attempts): promises their jobs again. Returns how many. */
export async function sweepRenewals(): Promise<number> {
  const before = new Date(Date.now() - LEFT_BEHIND_AFTER_MS)
  return db().$executeRaw(Prisma.sql`
    INSERT INTO outbox_jobs (name, payload)
    SELECT n.name, jsonb_build_object('renewalId', r.id)
    FROM renewals r CROSS JOIN LATERAL (SELECT CASE WHEN EXISTS (SELECT 1 FROM renewal_runs u WHERE u.renewal_id = r.id AND u.state IN ('calling', 'unknown'))
      THEN ${resolveRenewalJob.name} ELSE 'provisioning.renew' END AS name) n
    WHERE r.state = 'held' AND r.created_at < ${before}
      AND NOT EXISTS (SELECT 1 FROM graphile_worker._private_jobs j WHERE j.attempts < j.max_attempts AND j.payload ->> 'renewalId' = r.id)
    LIMIT 1000`)
}
