import { recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { accepted, maskCardNumbers, OperationalError, refused, type Refusal, type Result } from '@/lib/kit'
import { announce } from '@/lib/jobs'
import { giveMoney, takeMoney } from '@/lib/ledger'
import { leftOf } from './book-returns'
import { askTheirs, keepDifferences, lockComparisons, pairSides } from './compare-payments'
import { creditFor } from './decide-settlement'
import { type Difference, type DifferenceKind, judgeDifference } from './judge-difference'
import type { Provider } from './providers/provider'
import { findProvider } from './providers/registry'
import { queueCorrectionMail } from './queue-payment-mail'
import { settlePayment } from './settle-payment'
import type { PaymentState } from './states'

export type MendInput = { differenceId: string; reason: string }
type Options = { providers?: readonly Provider[]; now?: Date }
type MendRefusal = Refusal<
  'not_found' | 'difference_ended' | 'reason_missing' | 'unknown_provider' | 'provider_unavailable'
>

type OpenDifference = {
  id: string
  provider: string
  kind: DifferenceKind
  providerPaymentId: string
  paymentId: string | null
}

/**
 * Asks the provider about this payment now and settles it by the routine the webhooks use, then looks whether the two sides agree: `isMended`. Mends
 * money that only the provider has, where it belongs to a payment of ours, and further money on a credited one. Writes an audit entry with
 * the reason. Whether the actor may is the caller's question. Refuses `provider_unavailable` when nobody answers; nothing was changed then.
 */
export async function askAgain(
  actor: { id: string },
  input: MendInput,
  options: Options = {},
): Promise<Result<{ isMended: boolean }, MendRefusal>> {
  const begun = await begin(input, options)
  if (!begun.ok) return begun
  const { difference, provider, reason } = begun.value
  let found: Difference | null
  try {
    // Money under an id of the provider that the shop knows by its own id: that id leads the truth to the payment.
    await settlePayment({ ...difference, messageId: null }, { provider, now: options.now })
    found = await lookAgain(provider, difference, options.now ?? new Date())
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    return refused('provider_unavailable')
  }
  return inTransaction<{ isMended: boolean }, MendRefusal>(async (tx) => {
    const isMended = await endOrKeep(tx, difference, found, { actor, reason })
    if (isMended === null) return refused('difference_ended')
    await audit(tx, actor, 'payments.difference_asked', difference, { reason, isMended: String(isMended) })
    return accepted({ isMended })
  })
}

/**
 * Says that a difference is in order as it is (an operator's own payment at the vendor, one that was settled by hand). It does not come again
 * while both amounts stay the same. Refuses one that has ended already.
 */
export async function dismissDifference(actor: { id: string }, input: MendInput): Promise<Result<null, MendRefusal>> {
  const reason = reasonOf(input)
  if (reason === '') return refused('reason_missing')
  return inTransaction<null, MendRefusal>(async (tx) => {
    const difference = await findDifference(input.differenceId, tx)
    if (!difference) return refused('not_found')
    const ended = await end(tx, difference.id, { state: 'dismissed', endedBy: actor.id, note: reason })
    if (!ended) return refused('difference_ended')
    await audit(tx, actor, 'payments.difference_dismissed', difference, { reason })
    return accepted(null)
  })
}

/**
 * Moves our books to what the provider says now about a payment that we credited: takes from the balance what did not come (below zero it becomes a
 * debt) or gives what came more, through the provider's clearing account under `correction:<difference id>`, and tells the customer by mail.
 * `movedMicros` is signed, in the balance's currency; zero when the sides agreed by then. Refuses `not_correctable` for money that we never
 * credited, that has gone back, or that came in another currency.
 */
export async function correctDifference(
  actor: { id: string },
  input: MendInput,
  options: Options = {},
): Promise<Result<{ movedMicros: bigint }, MendRefusal | Refusal<'not_correctable'>>> {
  const begun = await begin(input, options)
  if (!begun.ok) return begun
  const { difference, provider, reason } = begun.value
  const now = options.now ?? new Date()
  let found: Difference | null
  try {
    found = await lookAgain(provider, difference, now)
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    return refused('provider_unavailable')
  }
  return inTransaction<{ movedMicros: bigint }, MendRefusal | Refusal<'not_correctable'>>(async (tx) => {
    if (found?.kind === 'theirs_only') return refused('not_correctable')
    // The comparison's lock comes first everywhere, then the payment, then the balance.
    await lockComparisons(tx, difference.provider)
    const ended = await end(tx, difference.id, { state: 'mended', endedBy: actor.id, note: reason })
    if (!ended) return refused('difference_ended')
    const movedMicros = found ? await moveBooks(tx, difference, found, now) : 0n
    if (movedMicros === null) return refused('not_correctable')
    await audit(tx, actor, 'payments.corrected', difference, { reason, movedMicros: movedMicros.toString() })
    return accepted({ movedMicros })
  })
}

/** Null when the payment is not one whose credit can be corrected. */
async function moveBooks(tx: Tx, difference: OpenDifference, found: Difference, now: Date): Promise<bigint | null> {
  const [payment] = await tx.$queryRaw<LockedPayment[]>(Prisma.sql`
    SELECT id, user_id AS "userId", provider, state, currency, requested_micros AS "requestedMicros", charge_micros AS "chargeMicros",
      charge_currency AS "chargeCurrency", received_micros AS "receivedMicros", credited_micros AS "creditedMicros"
    FROM payments WHERE id = ${found.paymentId} FOR NO KEY UPDATE`)
  // What the sides said is of a moment ago; a refund or a redeposit booked since then is another difference.
  if (!payment || payment.state !== 'credited' || payment.receivedMicros !== found.ourMicros) return null
  if (found.currency !== payment.chargeCurrency) return null
  const receivedMicros = found.theirMicros ?? 0n
  const wanted = creditFor(payment, receivedMicros) - creditFor(payment, payment.receivedMicros ?? 0n)
  // Never more than is left of the credit after what went back already.
  const left = await leftOf(tx, payment)
  const movedMicros = wanted < -left ? -left : wanted
  const movement = {
    key: `correction:${difference.id}`,
    owner: payment.userId,
    shopKind: `provider_clearing:${payment.provider}` as const,
    currency: payment.currency,
    source: { kind: 'payment' as const, id: payment.id },
    happenedAt: now,
  }
  let owedMicros = 0n
  if (movedMicros < 0n) {
    const taken = await takeMoney(tx, { ...movement, amountMicros: -movedMicros })
    owedMicros = taken.owedMicros
  } else if (movedMicros > 0n) {
    await giveMoney(tx, { ...movement, amountMicros: movedMicros })
    await announce(tx, 'payments.top_up_credited', { userId: payment.userId })
  }
  await tx.payment.update({ where: { id: payment.id }, data: { receivedMicros }, select: { id: true } })
  const data = { movedMicros: movedMicros.toString(), receivedMicros: receivedMicros.toString() }
  await tx.paymentEvent.create({ data: { paymentId: payment.id, kind: 'corrected', data }, select: { id: true } })
  if (movedMicros !== 0n)
    await queueCorrectionMail(tx, `correction:${difference.id}`, payment, { movedMicros, owedMicros })
  return movedMicros
}

type LockedPayment = {
  id: string
  userId: string
  provider: string
  state: PaymentState
  currency: string
  requestedMicros: bigint
  chargeMicros: bigint
  chargeCurrency: string
  receivedMicros: bigint | null
  creditedMicros: bigint | null
}

function reasonOf(input: MendInput): string {
  return maskCardNumbers(input.reason.trim()).slice(0, 500)
}

async function begin(
  input: MendInput,
  options: Options,
): Promise<Result<{ difference: OpenDifference; provider: Provider; reason: string }, MendRefusal>> {
  const reason = reasonOf(input)
  if (reason === '') return refused('reason_missing')
  const difference = await findDifference(input.differenceId)
  if (!difference) return refused('not_found')
  if (difference.state !== 'open') return refused('difference_ended')
  const provider = await findProvider(difference.provider, options.providers)
  return provider ? accepted({ difference, provider, reason }) : refused('unknown_provider')
}

async function findDifference(id: string, tx: Tx | ReturnType<typeof db> = db()) {
  const row = await tx.paymentDifference.findUnique({
    where: { id },
    select: { id: true, provider: true, kind: true, providerPaymentId: true, paymentId: true, state: true },
  })
  return row && { ...row, kind: row.kind as DifferenceKind }
}

/** How the sides of this one payment differ now. */
async function lookAgain(provider: Provider, difference: OpenDifference, now: Date): Promise<Difference | null> {
  const theirs = await askTheirs(provider, [difference])
  const sides = await pairSides(provider.name, theirs, [difference.providerPaymentId])
  const side = sides.find((each) => each.id === difference.providerPaymentId)
  return side ? judgeDifference(side.theirs, side.ours, now) : null
}

/** Whether the difference is gone; null when somebody else has ended it. What is left of it is kept as it is now. */
async function endOrKeep(
  tx: Tx,
  difference: OpenDifference,
  found: Difference | null,
  by: { actor: { id: string }; reason: string },
): Promise<boolean | null> {
  await lockComparisons(tx, difference.provider)
  if (found?.kind === difference.kind) {
    const { count } = await tx.paymentDifference.updateMany({ where: { id: difference.id, state: 'open' }, data: {} })
    if (count === 0) return null
    await keepDifferences(tx, difference.provider, [found])
    return false
  }
  const ended = await end(tx, difference.id, { state: 'mended', endedBy: by.actor.id, note: by.reason })
  if (!ended) return null
  if (found) await keepDifferences(tx, difference.provider, [found])
  return found === null
}

/** Ends an open difference; false when it has ended already, so that of many at once one acts. */
async function end(
  tx: Tx,
  id: string,
  how: { state: 'mended' | 'dismissed'; endedBy: string; note: string },
): Promise<boolean> {
  const { count } = await tx.paymentDifference.updateMany({
    where: { id, state: 'open' },
    data: { ...how, endedAt: new Date() },
  })
  return count === 1
}

async function audit(
  tx: Tx,
  actor: { id: string },
  action: string,
  difference: OpenDifference,
  data: Record<string, string>,
): Promise<void> {
  await recordAudit(
    tx,
    { kind: 'staff', id: actor.id },
    {
      action,
      subjectKind: 'payment_difference',
      subjectId: difference.id,
      data: { ...data, ...(difference.paymentId && { paymentId: difference.paymentId }) },
    },
  )
}
