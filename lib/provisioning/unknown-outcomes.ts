import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { accepted, DAY_MS, MINUTE_MS, OperationalError, type Refusal, refused, type Result } from '@/lib/kit'
import { GB_BYTES, type HandedProxy } from './buy-from'
import { closeRun, FIRST_LOOKUP_AFTER_MS, giveBack, handOver } from './deliver-order'
import { deliverOrderJob } from './jobs'
import { parseStock } from './parse-stock'
import { endRenewal, finishRun, refuseRun, resolveRenewal } from './renew-at-suppliers'
import { findOpenRun, lookUp } from './resolve-delivery'
import type { DecideDeliveryInput, DecideRenewalRunInput } from './schemas'
import { configuredSuppliers, type SupplierFor, supplierOf } from './suppliers-in-use'
import { supplyRules } from './supply-rules'

/** A purchase or a renewal at a supplier of which nobody knows what came of it, with everything that is known. */
export type UnknownOutcome = {
  kind: 'delivery' | 'renewal'
  /** The run. */
  id: string
  renewalId: string | null
  orderId: string
  userId: string
  supplier: string
  reference: string
  supplierOrderId: string | null
  countryCode: string
  quantity: number
  periodDays: number
  totalMicros: bigint
  currency: string
  startedAt: Date
  lookups: number
  /** The job that looks it up: how often it was tried of how often at most, when it comes again, what it last said. */
  attempts: number | null
  maxAttempts: number | null
  nextAt: Date | null
  lastError: string | null
}

/** More than that is a supplier that is down, not a list to read. */
const MAX_LISTED = 200

/** Runs whose end has been open for longer than the rules say, whether their look-ups go on or were given up; the oldest first. */
export async function listUnknownOutcomes(): Promise<UnknownOutcome[]> {
  const { unknownAfterMinutes } = await supplyRules.readFresh()
  const before = new Date(Date.now() - unknownAfterMinutes * MINUTE_MS)
  return db().$queryRaw<UnknownOutcome[]>(Prisma.sql`
    SELECT u.*, j.attempts::int, j.max_attempts::int AS "maxAttempts", CASE WHEN j.attempts < j.max_attempts THEN j.run_at END AS "nextAt", left(j.last_error, 300) AS "lastError"
    FROM (
      SELECT 'delivery' AS kind, d.id, NULL AS "renewalId", o.id AS "orderId", o.user_id AS "userId", d.supplier, d.reference, d.supplier_order_id AS "supplierOrderId",
             o.country_code AS "countryCode", o.quantity, o.period_days AS "periodDays", o.total_micros AS "totalMicros", o.currency, d.started_at AS "startedAt", d.lookups
      FROM deliveries d JOIN orders o ON o.id = d.order_id WHERE d.state IN ('calling', 'unknown') AND d.started_at < ${before}
      UNION ALL
      SELECT 'renewal', n.id, r.id, o.id, o.user_id, n.supplier, n.id, n.supplier_order_id, o.country_code, cardinality(n.allocation_ids), r.period_days,
             r.total_micros, r.currency, n.started_at, n.lookups
      FROM renewal_runs n JOIN renewals r ON r.id = n.renewal_id JOIN orders o ON o.id = r.order_id WHERE n.state IN ('calling', 'unknown') AND n.started_at < ${before}
    ) u LEFT JOIN LATERAL (
      SELECT j.attempts, j.max_attempts, j.run_at, j.last_error FROM graphile_worker._private_jobs j
      WHERE j.payload ->> 'deliveryId' = u.id OR j.payload ->> 'renewalId' = u."renewalId" ORDER BY j.attempts DESC LIMIT 1) j ON true
    ORDER BY u."startedAt", u.id LIMIT ${MAX_LISTED}`)
}

/** How many wait there. */
export async function countUnknownOutcomes(): Promise<number> {
  const { unknownAfterMinutes } = await supplyRules.read()
  const where = {
    state: { in: ['calling', 'unknown'] },
    startedAt: { lt: new Date(Date.now() - unknownAfterMinutes * MINUTE_MS) },
  }
  const [deliveries, renewals] = await Promise.all([db().delivery.count({ where }), db().renewalRun.count({ where })])
  return deliveries + renewals
}

/**
 * Asks the supplier now what came of a purchase. `found`: it was handed over. `nothing`: the supplier knows of none, which a person may believe. It does
 * not count as one of the look-ups. Refuses `not_waiting`, `purchase_taken` (what it tells was handed over before) and `supplier_unavailable`.
 */
export async function askSupplier(
  actor: Actor,
  { deliveryId }: { deliveryId: string },
  supplierFor: SupplierFor = supplierOf,
): Promise<Result<'found' | 'nothing', Refusal<'not_waiting' | 'purchase_taken' | 'supplier_unavailable'>>> {
  const run = await findOpenRun(deliveryId)
  if (!run || isUnderWay(run.startedAt)) return refused('not_waiting')
  try {
    const found = await lookUp(run, supplierFor)
    await audit(actor, 'provisioning.supplier_asked', run.orderId, { deliveryId, result: found ? 'found' : 'nothing' })
    if (!found) return accepted('nothing')
    const ended = await handOver({ orderId: run.orderId, deliveryId, supplied: found })
    return ended === 'taken' ? refused('purchase_taken') : accepted('found')
  } catch (error) {
    if (error instanceof OperationalError) return refused('supplier_unavailable')
    throw error
  }
}

/**
 * Ends a purchase of which nobody knows what came of it, by the word of a person, with the reason in the audit. `bought`: the proxies that the supplier
 * shows are handed over, its order number kept. `give_back`: it was not bought; the customer's money returns. `try_again`: it was not bought; the order is
 * delivered anew. Refuses `not_waiting` (it has ended, or the call is still under way), `purchase_taken` (that order was handed over before) and
 * `proxies_unreadable` {line}.
 */
export async function decideDelivery(
  actor: Actor,
  input: DecideDeliveryInput,
): Promise<Result<null, Refusal<'not_waiting' | 'purchase_taken' | 'proxies_unreadable'>>> {
  const { deliveryId, decision, reason } = input
  const run = await findOpenRun(deliveryId)
  if (!run || isUnderWay(run.startedAt)) return refused('not_waiting')
  const { orderId } = run
  const facts = { deliveryId, decision, reason, supplierOrderId: input.supplierOrderId || null }
  if (decision !== 'bought') {
    await audit(actor, 'provisioning.outcome_decided', orderId, facts)
    await closeRun(deliveryId, orderId, 'declared_not_bought')
    if (decision === 'give_back') await giveBack({ orderId, reason: 'supplier_failed' })
    else await db().$transaction((tx) => enqueue(tx, deliverOrderJob, { orderId }))
    return accepted(null)
  }
  const lines = parseStock(input.proxies)
  const odd = lines.find((line) => line.unit === null)
  if (odd || lines.length === 0) return refused('proxies_unreadable', { line: odd?.lineNumber ?? 1 })
  const supplierOrderId = input.supplierOrderId || null
  if (supplierOrderId && (await db().delivery.count({ where: { supplier: run.supplier, supplierOrderId } })) > 0)
    return refused('purchase_taken')
  const isTraffic = (await configuredSuppliers()).some(
    ({ name, model }) => name === run.supplier && model === 'traffic',
  )
  const order = await db().order.findUniqueOrThrow({ where: { id: orderId }, select: { quantity: true } })
  const proxies = lines.map(({ unit }): HandedProxy => {
    const { host, port, username, password, protocols } = unit!
    const login = { supplierRef: '', host, port, username, password, protocols: protocols as HandedProxy['protocols'] }
    if (!isTraffic) return login
    return { ...login, supplierRef: supplierOrderId ?? '', grantedBytes: String(BigInt(order.quantity) * GB_BYTES) }
  })
  await audit(actor, 'provisioning.outcome_decided', orderId, facts)
  const supplied = {
    supplierOrderId,
    costMicros: null,
    currency: null,
    proxies: isTraffic ? proxies.slice(0, 1) : proxies,
  }
  const ended = await handOver({ orderId, deliveryId, supplied })
  return ended === 'taken' ? refused('purchase_taken') : accepted(null)
}

/** Asks the supplier now what it renewed. Counts as one of the ordinary look-ups. True: the renewal has an end. */
export async function askRenewal(
  actor: Actor,
  { renewalId }: { renewalId: string },
  supplierFor: SupplierFor = supplierOf,
): Promise<Result<boolean, Refusal<'not_waiting' | 'supplier_unavailable'>>> {
  const renewal = await db().renewal.findUnique({ where: { id: renewalId }, select: { orderId: true, state: true } })
  if (renewal?.state !== 'held') return refused('not_waiting')
  try {
    await resolveRenewal({ renewalId }, supplierFor)
  } catch (error) {
    if (error instanceof OperationalError) return refused('supplier_unavailable')
    throw error
  }
  const after = await db().renewal.findUniqueOrThrow({ where: { id: renewalId }, select: { state: true } })
  await audit(actor, 'provisioning.supplier_asked', renewal.orderId, { renewalId, result: after.state })
  return accepted(after.state !== 'held')
}

/**
 * Ends a call for a renewal of which nobody knows what came of it, by the word of a person, with the reason in the audit: all of its proxies were renewed
 * for the period, or none was. When no other call of the renewal is open, the renewal ends, and its money is taken or returns. Refuses `not_waiting`.
 */
export async function decideRenewalRun(
  actor: Actor,
  { runId, decision, reason }: DecideRenewalRunInput,
): Promise<Result<null, Refusal<'not_waiting'>>> {
  const run = await db().renewalRun.findFirst({
    where: { id: runId, state: { in: ['calling', 'unknown'] } },
    select: {
      allocationIds: true,
      startedAt: true,
      renewalId: true,
      renewal: { select: { orderId: true, periodDays: true } },
    },
  })
  if (!run || isUnderWay(run.startedAt)) return refused('not_waiting')
  await audit(actor, 'provisioning.outcome_decided', run.renewal.orderId, { runId, decision, reason })
  if (decision === 'not_renewed') await refuseRun(runId, 'declared_not_renewed')
  else {
    const held = await db().allocation.findMany({
      where: { id: { in: run.allocationIds } },
      select: { id: true, expiresAt: true, supplierRef: true },
    })
    const renewed = held.map(({ id, expiresAt, supplierRef }) => ({
      id,
      supplierRef: supplierRef ?? '',
      expiresAt: new Date(expiresAt.getTime() + run.renewal.periodDays * DAY_MS).toISOString(),
    }))
    await finishRun(runId, renewed, { micros: null, currency: null })
  }
  await endRenewal(run.renewalId)
  return accepted(null)
}

/** The purchase call itself may still be running: nobody decides over its head. */
function isUnderWay(startedAt: Date): boolean {
  return Date.now() - startedAt.getTime() < FIRST_LOOKUP_AFTER_MS
}

/** Before it is acted on: a decision that was cut off stays in the queue and is made again. */
async function audit(actor: Actor, action: string, orderId: string, data: Prisma.InputJsonObject): Promise<void> {
  await inTransaction(async (tx) => {
    await recordAudit(tx, actor, { action, subjectKind: 'order', subjectId: orderId, data })
    return accepted(undefined)
  })
}
