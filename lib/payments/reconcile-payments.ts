import { db, Prisma } from '@/lib/db'
import { DAY_MS, HOUR_MS, MINUTE_MS, OperationalError } from '@/lib/kit'
import { log } from '@/lib/log'
import { mapAtMost, ShapeError } from './providers/call'
import type { Provider, Truth } from './providers/provider'
import { usableProviders } from './providers/registry'
import { settleWithTruth } from './settle-payment'

/** Minutes until the next look, by how many there were. Most callbacks that get lost are lost in a short outage, so the first looks are close. */
const GAPS_MINUTES = [2, 5, 15, 60]
/** How long after its expiry a payment is still asked about: slow coins and late payers. A callback is heeded for ever. */
const LATE_MS = 48 * HOUR_MS
/**
 * How long after it was seen a payment may stay unconfirmed. Nodes drop a transaction from their mempool after two weeks (Bitcoin Core's default,
 * -mempoolexpiry=336 hours), so money that was not confirmed by then will not be.
 */
const UNCONFIRMED_MS = 14 * DAY_MS
/** A payment the provider never learned of is closed after this: its page was never shown. */
const ABANDONED_MS = 2 * HOUR_MS
/** A payment the provider has nothing to say about is closed so long after its page ended. */
const SILENT_MS = HOUR_MS
/** How many payments one question is about, where the provider does not want more at once. */
const BATCH = 100
/** What one run may take, so that it ends within its minute. Providers share it: each has its part and what those before it left. */
const RUN_MS = 45_000
/** Credits at a time. Each is one round trip, so a few of them keep the database busy without crowding the customers out. */
const AT_ONCE = 4

export type Reconciled = { checked: number; credited: number; unavailable: string[] }
type Due = {
  id: string
  state: string
  providerPaymentId: string | null
  receivedMicros: bigint | null
  chargeMicros: bigint
  chargeCurrency: string
  createdAt: Date
  expiresAt: Date | null
  /** It is not asked about again after this, unless it moves. */
  isLastLook: boolean
}

/**
 * Asks the providers about every payment whose time to look has come, as many with one call as the vendor takes, and settles what has changed by the
 * routine the webhooks use: a lost webhook heals itself. Several workers may run it at once. A provider that is down is named in the answer, and its
 * payments are looked at again in a minute.
 */
export async function reconcilePayments(
  options: { providers?: readonly Provider[]; now?: Date } = {},
): Promise<Reconciled> {
  const now = options.now ?? new Date()
  const total: Reconciled = { checked: 0, credited: 0, unavailable: [] }
  const providers = options.providers ?? (await usableProviders())
  const startedAt = Date.now()
  for (const [index, provider] of providers.entries()) {
    const until = startedAt + (RUN_MS * (index + 1)) / providers.length
    while (Date.now() < until) {
      const due = await takeDue(provider, now)
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

/**
 * Takes a batch of due payments and sets when each is looked at next, before anything is asked: a run that dies repeats nothing at once. What has money on
 * its way is looked at for a time of its own, which begins when it came there.
 */
async function takeDue(provider: Provider, now: Date): Promise<Due[]> {
  return db().$queryRaw<Due[]>(Prisma.sql`
    UPDATE payments p SET checks = checks + 1,
      next_check_at = CASE WHEN ${now}::timestamptz < due.looks_until
        THEN ${now}::timestamptz + make_interval(mins => (${GAPS_MINUTES}::int[])[least(checks, ${GAPS_MINUTES.length - 1}::int) + 1]) END
    FROM (
      SELECT id, coalesce(expires_at, created_at) + make_interval(secs => ${LATE_MS / 1000}::int) AS until,
        (SELECT max(e.at) + make_interval(secs => CASE state WHEN 'confirming' THEN ${UNCONFIRMED_MS / 1000}::int ELSE ${LATE_MS / 1000}::int END)
         FROM payment_events e WHERE e.payment_id = payments.id AND e.kind = state AND state IN ('confirming', 'underpaid')) AS moved_until
      FROM payments WHERE next_check_at <= ${now}::timestamptz AND provider = ${provider.name}
      ORDER BY next_check_at LIMIT ${provider.batchMax ?? BATCH}::int FOR UPDATE SKIP LOCKED) taken
    CROSS JOIN LATERAL (SELECT greatest(taken.until, taken.moved_until) AS looks_until) due
    WHERE p.id = taken.id
    RETURNING p.id, p.state, p.provider_payment_id AS "providerPaymentId", p.received_micros AS "receivedMicros", p.charge_micros AS "chargeMicros",
      p.charge_currency AS "chargeCurrency", p.created_at AS "createdAt", p.expires_at AS "expiresAt", ${now}::timestamptz >= due.looks_until AS "isLastLook"`)
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
  const unreadable = new Set<string>()
  // Rows whose create call never answered. They are few, so asking for each by our id is no flood.
  for (const lost of due.filter((each) => each.providerPaymentId === null)) {
    const truth = await findLost(provider, lost.id)
    if (truth === 'unreadable') unreadable.add(lost.id)
    else if (truth) truths.push(truth)
    else if (now.getTime() - lost.createdAt.getTime() > ABANDONED_MS) await closeAbandoned(lost.id)
  }
  const told = new Set([
    ...unreadable,
    ...truths.flatMap((truth) => [truth.paymentId, truth.providerPaymentId, truth.checkoutId]),
  ])
  for (const { id, providerPaymentId, expiresAt } of due)
    if (expiresAt && now.getTime() - expiresAt.getTime() > SILENT_MS && !told.has(id) && !told.has(providerPaymentId!))
      await closeAbandoned(id)
  for (const payment of due)
    if (payment.isLastLook && !told.has(payment.id) && !told.has(payment.providerPaymentId!))
      truths.push(...forgotten(payment))
  const before = new Map(due.map((each) => [each.id, each]))
  // What is said of one payment keeps its order; different payments stand in nobody's way.
  const changed = new Map<string, Truth[]>()
  for (const said of truths) {
    const payment = before.get(said.paymentId ?? '')
    const truth = atItsEnd(payment, said)
    if (isStill(payment, truth)) continue
    const key = truth.paymentId ?? truth.providerPaymentId
    changed.set(key, [...(changed.get(key) ?? []), truth])
  }
  const credited = await mapAtMost([...changed.values()], AT_ONCE, async (words) => {
    let count = 0
    for (const truth of words) {
      const settled = await settleWithTruth(provider, truth, { messageId: null, now })
      if (settled.outcome === 'credited') count += 1
    }
    return count
  })
  return credited.reduce((sum, count) => sum + count, 0)
}

/**
 * At the last look nobody waits any more: what was never confirmed is not stood by, and to a part nothing will be added. What the provider says later is
 * heard still.
 */
function atItsEnd(payment: Due | undefined, truth: Truth): Truth {
  if (!payment?.isLastLook || payment.state !== truth.state) return truth
  if (truth.state === 'confirming') return { ...truth, state: 'rejected' }
  return truth.state === 'underpaid' ? { ...truth, state: 'expired' } : truth
}

/** Money was on its way, and the provider does not know of the payment any more: it does not stand by it. */
function forgotten({ id, state, providerPaymentId, receivedMicros, chargeMicros, chargeCurrency }: Due): Truth[] {
  if (!['confirming', 'underpaid'].includes(state) || providerPaymentId === null) return []
  return [
    {
      providerPaymentId,
      paymentId: id,
      state: 'rejected',
      receivedMicros: receivedMicros ?? 0n,
      requestedMicros: chargeMicros,
      currency: chargeCurrency,
      isTest: false,
    },
  ]
}

/** What the provider knows under our id. One answer that makes no sense holds up no other payment; it is asked again with the next look. */
async function findLost(provider: Provider, paymentId: string): Promise<Truth | 'unreadable' | null> {
  try {
    return (await provider.findByPaymentId?.(paymentId)) ?? null
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error
    log('payments').warn({ error, paymentId, provider: provider.name }, 'an answer about a payment makes no sense')
    return 'unreadable'
  }
}

/** Whether a payment is where it was when it was taken: most that wait still do, and settling them would lock a row each to find that out. */
function isStill(payment: Due | undefined, truth: Truth): boolean {
  return (
    payment !== undefined &&
    payment.state === truth.state &&
    payment.providerPaymentId === truth.providerPaymentId &&
    (payment.receivedMicros ?? 0n) === truth.receivedMicros &&
    !truth.refunds?.length &&
    !truth.disputes?.length
  )
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
