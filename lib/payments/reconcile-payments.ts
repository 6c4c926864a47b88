import { db, Prisma } from '@/lib/db'
import { HOUR_MS, MINUTE_MS, OperationalError } from '@/lib/kit'
import { log } from '@/lib/log'
import type { Provider, Truth } from './providers/provider'
import { enabledProviders } from './providers/registry'
import { settleWithTruth } from './settle-payment'

/** Minutes until the next look, by how many there were. Most callbacks that get lost are lost in a short outage, so the first looks are close. */
const GAPS_MINUTES = [2, 5, 15, 60]
/** How long after its expiry a payment is still asked about: slow coins and late payers. A callback is heeded for ever. */
const LATE_MS = 48 * HOUR_MS
/** A payment the provider never learned of is closed after this: its page was never shown. */
const ABANDONED_MS = 2 * HOUR_MS
/** A payment the provider has nothing to say about is closed so long after its page ended. */
const SILENT_MS = HOUR_MS
const BATCH = 100
/** What one run takes at most, so that it ends within its minute. */
const RUN_MAX = 2_000

export type Reconciled = { checked: number; credited: number; unavailable: string[] }
type Due = { id: string; provider: string; providerPaymentId: string | null; createdAt: Date; expiresAt: Date | null }

/**
 * Asks the providers about every payment whose time to look has come, up to a hundred with one call, and settles each by the routine the
 * webhooks use: a lost webhook heals itself. Several workers may run it at once. A provider that is down is named in the answer, and its
 * payments are looked at again in a minute.
 */
export async function reconcilePayments(
  options: { providers?: readonly Provider[]; now?: Date } = {},
): Promise<Reconciled> {
  const now = options.now ?? new Date()
  const total: Reconciled = { checked: 0, credited: 0, unavailable: [] }
  for (const provider of options.providers ?? enabledProviders()) {
    for (let taken = 0; taken < RUN_MAX; taken += BATCH) {
      const due = await takeDue(provider.name, now)
      if (due.length === 0) break
      try {
        total.credited += await settleBatch(provider, due, now)
        total.checked += due.length
      } catch (error) {
        if (!(error instanceof OperationalError)) throw error
        log('payments').warn({ error, provider: provider.name, payments: due.length }, 'reconcile could not ask')
        await putBack(due, now)
        total.unavailable.push(provider.name)
        break
      }
    }
  }
  return total
}

/** Takes a batch of due payments and sets when each is looked at next, before anything is asked: a run that dies repeats nothing at once. */
async function takeDue(provider: string, now: Date): Promise<Due[]> {
  return db().$queryRaw<Due[]>(Prisma.sql`
    UPDATE payments SET checks = checks + 1,
      next_check_at = CASE WHEN ${now}::timestamptz < coalesce(expires_at, created_at) + make_interval(secs => ${LATE_MS / 1000}::int)
        THEN ${now}::timestamptz + make_interval(mins => (${GAPS_MINUTES}::int[])[least(checks, ${GAPS_MINUTES.length - 1}::int) + 1]) END
    WHERE id IN (
      SELECT id FROM payments WHERE next_check_at <= ${now}::timestamptz AND provider = ${provider}
      ORDER BY next_check_at LIMIT ${BATCH}::int FOR UPDATE SKIP LOCKED)
    RETURNING id, provider, provider_payment_id AS "providerPaymentId", created_at AS "createdAt", expires_at AS "expiresAt"`)
}

/** A look that failed does not count: the payments come again in a minute, with the gap they had. */
async function putBack(due: Due[], now: Date): Promise<void> {
  await db().payment.updateMany({
    where: { id: { in: due.map((each) => each.id) }, creditedAt: null },
    data: { nextCheckAt: new Date(now.getTime() + MINUTE_MS), checks: { decrement: 1 } },
  })
}

async function settleBatch(provider: Provider, due: Due[], now: Date): Promise<number> {
  const known = due.flatMap(({ id, providerPaymentId }) =>
    providerPaymentId === null ? [] : [{ providerPaymentId, paymentId: id }],
  )
  const truths: Truth[] = known.length > 0 ? await provider.fetchPayments(known) : []
  // Rows whose create call never answered. They are few, so asking for each by our id is no flood.
  for (const lost of due.filter((each) => each.providerPaymentId === null)) {
    const truth = provider.findByPaymentId ? await provider.findByPaymentId(lost.id) : null
    if (truth) truths.push(truth)
    else if (now.getTime() - lost.createdAt.getTime() > ABANDONED_MS) await closeAbandoned(lost.id)
  }
  const told = new Set(truths.flatMap((truth) => [truth.paymentId, truth.providerPaymentId, truth.checkoutId]))
  for (const { id, providerPaymentId, expiresAt } of due)
    if (expiresAt && now.getTime() - expiresAt.getTime() > SILENT_MS && !told.has(id) && !told.has(providerPaymentId!))
      await closeAbandoned(id)
  let credited = 0
  for (const truth of truths) {
    const settled = await settleWithTruth(provider, truth, { messageId: null, now })
    if (settled.outcome === 'credited') credited += 1
  }
  return credited
}

/** Closes a payment whose page never came to be, or was never used at a vendor that knows of no page before it is. Should the provider speak of it after all, a callback still finds it. */
async function closeAbandoned(paymentId: string): Promise<void> {
  await db().$executeRaw(Prisma.sql`
    WITH closed AS (
      UPDATE payments SET state = 'expired', next_check_at = CASE WHEN provider_payment_id IS NOT NULL THEN next_check_at END
      WHERE id = ${paymentId} AND state IN ('created', 'awaiting') RETURNING id
    )
    INSERT INTO payment_events (payment_id, kind) SELECT id, 'expired' FROM closed`)
}
