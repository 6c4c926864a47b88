import { recordAudit, SYSTEM } from '@/lib/audit'
import type { Tx } from '@/lib/db'
import { announce } from '@/lib/jobs'
import { invariant, newId } from '@/lib/kit'
import { giveMoney, takeMoney } from '@/lib/ledger'
import { log } from '@/lib/log'
import { giveBonusAgain, takeBonusBack } from '@/lib/promotions'
import { creditFor } from './decide-settlement'
import { endRefund } from './end-refund'
import type { ProviderDispute, ProviderRefund, Truth } from './providers/provider'
import { queueReturnMail } from './queue-payment-mail'
import type { PaymentState } from './states'

/** What of a locked, credited payment is needed to book what goes back. */
export type CreditedPayment = {
  id: string
  userId: string
  provider: string
  providerPaymentId: string | null
  state: PaymentState
  currency: string
  requestedMicros: bigint
  chargeMicros: bigint
  chargeCurrency: string
  creditedMicros: bigint | null
}

/**
 * Books what the provider says went back to the payer of a credited payment: refunds made at the vendor's own desk, and chargebacks, each once
 * under the vendor's id for it, never more than was credited in all. What the balance lacks becomes a debt. The caller holds
 * the payment's lock. Returns, and writes, the state that follows.
 */
export async function bookReturns(tx: Tx, payment: CreditedPayment, truth: Truth, now: Date): Promise<PaymentState> {
  // A second invoice carries the first one's id, and stands under its own.
  const isOurs = truth.paymentId === payment.id || truth.providerPaymentId === payment.providerPaymentId
  if (truth.currency !== payment.chargeCurrency || !isOurs) return payment.state
  const { refunds = [], disputes = [] } = truth
  if (refunds.length === 0 && disputes.length === 0) return payment.state
  for (const refund of refunds) await bookRefund(tx, payment, refund, now)
  for (const dispute of disputes) await bookDispute(tx, payment, dispute, now)
  return moveAfterReturns(tx, payment)
}

/** What of a credit has not gone back, nor is on its way: the most that can still be refunded or taken. */
export async function leftOf(tx: Tx, payment: { id: string; creditedMicros: bigint | null }): Promise<bigint> {
  const refunded = await tx.paymentRefund.aggregate({
    where: { paymentId: payment.id, state: { not: 'failed' } },
    _sum: { amountMicros: true },
  })
  const disputed = await tx.paymentDispute.aggregate({
    where: { paymentId: payment.id, state: { not: 'won' } },
    _sum: { amountMicros: true },
  })
  const gone = (refunded._sum.amountMicros ?? 0n) + (disputed._sum.amountMicros ?? 0n)
  return (payment.creditedMicros ?? 0n) + (await correctedBy(tx, payment.id)) - gone
}

/** By how much corrections have moved a credit since: what a provider says never came cannot be given back as well. */
async function correctedBy(tx: Tx, paymentId: string): Promise<bigint> {
  const events = await tx.paymentEvent.findMany({ where: { paymentId, kind: 'corrected' }, select: { data: true } })
  return events.reduce((sum, { data }) => sum + BigInt((data as { movedMicros: string }).movedMicros), 0n)
}

/** Brings a credited payment's state to what its refunds and disputes add up to. The caller holds its lock. */
export async function moveAfterReturns(tx: Tx, payment: CreditedPayment): Promise<PaymentState> {
  const disputes = await tx.paymentDispute.findMany({ where: { paymentId: payment.id }, select: { state: true } })
  const refunded = await tx.paymentRefund.aggregate({
    where: { paymentId: payment.id, state: 'done' },
    _sum: { amountMicros: true },
  })
  const credited = (payment.creditedMicros ?? 0n) + (await correctedBy(tx, payment.id))
  const isRefunded = (refunded._sum.amountMicros ?? 0n) > 0n && (refunded._sum.amountMicros ?? 0n) >= credited
  const state: PaymentState = disputes.some((each) => each.state === 'open')
    ? 'disputed'
    : disputes.some((each) => each.state === 'lost')
      ? 'charged_back'
      : isRefunded
        ? 'refunded'
        : 'credited'
  if (state !== payment.state)
    await tx.payment.update({ where: { id: payment.id }, data: { state }, select: { id: true } })
  return state
}

async function bookRefund(tx: Tx, payment: CreditedPayment, told: ProviderRefund, now: Date): Promise<void> {
  const known = await findOwnRefund(tx, payment.id, told)
  if (known) {
    if (known.providerRefundId === null)
      await tx.paymentRefund.update({
        where: { id: known.id },
        data: { providerRefundId: told.providerRefundId },
        select: { id: true },
      })
    if (told.state !== 'pending') await endRefund(tx, { ...payment, refund: known }, told.state, now)
    return
  }
  // Made at the vendor's desk. What is only on its way, or went wrong there, moved nothing of the payer's.
  if (told.state !== 'done') return
  const id = newId('rfd')
  const taken = await takeBack(tx, payment, { id, key: `refund:${id}`, toldMicros: told.amountMicros, now })
  if (!taken) return noteUnbooked(tx, payment, { what: 'refund', providerId: told.providerRefundId, told })
  const { amountMicros, owedMicros } = taken
  await tx.paymentRefund.create({
    data: {
      id,
      paymentId: payment.id,
      userId: payment.userId,
      requestKey: `told:${told.providerRefundId}`,
      amountMicros,
      chargeMicros: told.amountMicros,
      state: 'done',
      providerRefundId: told.providerRefundId,
      createdAt: now,
      endedAt: now,
    },
    select: { id: true },
  })
  await note(tx, payment, 'refunded', { refundId: id, amountMicros, owedMicros })
  await queueReturnMail(tx, { key: `refund_told:${id}`, template: 'top_up_refunded' }, payment, {
    amountMicros,
    owedMicros,
  })
}

/**
 * Our own refund that the vendor speaks of: by its id, by ours, which every vendor echoes that we can ask for a refund, or the one of this amount that
 * staff send by hand at the vendor's desk.
 */
async function findOwnRefund(tx: Tx, paymentId: string, told: ProviderRefund) {
  const select = { id: true, state: true, amountMicros: true, providerRefundId: true, requestedBy: true } as const
  const { providerRefundId, refundId } = told
  const named = await tx.paymentRefund.findFirst({
    where: { paymentId, OR: [{ providerRefundId }, ...(refundId ? [{ id: refundId }] : [])] },
    select,
  })
  if (named) return named
  return tx.paymentRefund.findFirst({
    where: { paymentId, state: 'manual', providerRefundId: null, chargeMicros: told.amountMicros },
    orderBy: { id: 'asc' },
    select,
  })
}

async function bookDispute(tx: Tx, payment: CreditedPayment, told: ProviderDispute, now: Date): Promise<void> {
  const { providerDisputeId } = told
  const known = await tx.paymentDispute.findUnique({
    where: { paymentId_providerDisputeId: { paymentId: payment.id, providerDisputeId } },
    select: { id: true, state: true, amountMicros: true },
  })
  if (!known) {
    // Won before we heard of it: nothing was ever taken.
    if (told.state !== 'won') await openDispute(tx, payment, told, now)
    return
  }
  // A bank that begins again after we won does so under a new id; the same one never goes back.
  if (known.state === told.state || known.state === 'won' || told.state === 'open') return
  await tx.paymentDispute.update({
    where: { id: known.id },
    data: { state: told.state, endedAt: now },
    select: { id: true },
  })
  if (told.state === 'lost') {
    await note(tx, payment, 'dispute_lost', { disputeId: known.id, amountMicros: known.amountMicros })
    return
  }
  await giveMoney(tx, {
    key: `dispute_won:${known.id}`,
    owner: payment.userId,
    shopKind: `provider_clearing:${payment.provider}`,
    amountMicros: known.amountMicros,
    currency: payment.currency,
    source: { kind: 'payment', id: payment.id },
    happenedAt: now,
  })
  await giveBonusAgain(tx, { paymentId: payment.id, returnId: known.id, now })
  await note(tx, payment, 'dispute_won', { disputeId: known.id, amountMicros: known.amountMicros })
  await queueReturnMail(tx, { key: `dispute_won:${known.id}`, template: 'dispute_won' }, payment, {
    amountMicros: known.amountMicros,
    owedMicros: 0n,
  })
}

async function openDispute(tx: Tx, payment: CreditedPayment, told: ProviderDispute, now: Date): Promise<void> {
  const id = newId('dsp')
  const taken = await takeBack(tx, payment, { id, key: `dispute:${id}`, toldMicros: told.amountMicros, now })
  if (!taken) return noteUnbooked(tx, payment, { what: 'dispute', providerId: told.providerDisputeId, told })
  const { amountMicros, owedMicros } = taken
  await tx.paymentDispute.create({
    data: {
      id,
      paymentId: payment.id,
      userId: payment.userId,
      providerDisputeId: told.providerDisputeId,
      amountMicros,
      chargeMicros: told.amountMicros,
      debtMicros: owedMicros,
      state: told.state === 'lost' ? 'lost' : 'open',
      openedAt: now,
      endedAt: told.state === 'lost' ? now : null,
    },
    select: { id: true },
  })
  await note(tx, payment, 'disputed', { disputeId: id, amountMicros, owedMicros })
  await queueReturnMail(tx, { key: `disputed:${id}`, template: 'dispute_opened' }, payment, {
    amountMicros,
    owedMicros,
  })
  const { creditedAt } = await tx.payment.findUniqueOrThrow({
    where: { id: payment.id },
    select: { creditedAt: true },
  })
  invariant(creditedAt, 'money that is disputed was credited')
  await announce(tx, 'payments.disputed', { disputeId: id, userId: payment.userId, since: creditedAt.toISOString() })
}

/** Takes what went back to the payer from their balance, and its bonus; what the balance lacks is owed. Null when nothing of the credit is left to take. */
async function takeBack(
  tx: Tx,
  payment: CreditedPayment,
  { id, key, toldMicros, now }: { id: string; key: string; toldMicros: bigint; now: Date },
): Promise<{ amountMicros: bigint; owedMicros: bigint } | null> {
  const amountMicros = atMost(creditFor(payment, toldMicros), await leftOf(tx, payment))
  if (amountMicros <= 0n) return null
  const { owedMicros } = await takeMoney(tx, {
    key,
    owner: payment.userId,
    shopKind: `provider_clearing:${payment.provider}`,
    amountMicros,
    currency: payment.currency,
    source: { kind: 'payment', id: payment.id },
    happenedAt: now,
  })
  await takeBonusBack(tx, { paymentId: payment.id, returnId: id, amountMicros, now })
  return { amountMicros, owedMicros }
}

async function note(
  tx: Tx,
  payment: CreditedPayment,
  kind: 'refunded' | 'disputed' | 'dispute_won' | 'dispute_lost',
  facts: { amountMicros: bigint; owedMicros?: bigint; refundId?: string; disputeId?: string },
): Promise<void> {
  const { amountMicros, owedMicros, ...ids } = facts
  const data = {
    ...ids,
    amountMicros: amountMicros.toString(),
    ...(owedMicros ? { owedMicros: owedMicros.toString() } : {}),
  }
  await tx.paymentEvent.create({ data: { paymentId: payment.id, kind, data }, select: { id: true } })
  await recordAudit(tx, SYSTEM, { action: `payments.${kind}`, subjectKind: 'payment', subjectId: payment.id, data })
}

/**
 * More went back than was ever credited: the books cannot take it from anyone, so the shop has lost it. Staff read so on the payment and in the audit,
 * once for each word of the vendor, however often it is told.
 */
async function noteUnbooked(
  tx: Tx,
  payment: CreditedPayment,
  { what, providerId, told }: { what: 'refund' | 'dispute'; providerId: string; told: { amountMicros: bigint } },
): Promise<void> {
  const known = await tx.paymentEvent.findFirst({
    where: { paymentId: payment.id, kind: 'return_unbooked', data: { path: ['providerId'], equals: providerId } },
    select: { id: true },
  })
  if (known) return
  const data = { what, providerId, amountMicros: creditFor(payment, told.amountMicros).toString() }
  await tx.paymentEvent.create({ data: { paymentId: payment.id, kind: 'return_unbooked', data }, select: { id: true } })
  const action = 'payments.return_unbooked'
  await recordAudit(tx, SYSTEM, { action, subjectKind: 'payment', subjectId: payment.id, data })
  log('payments').warn({ paymentId: payment.id, what, providerId }, 'more went back than was credited; not booked')
}

function atMost(amount: bigint, most: bigint): bigint {
  invariant(amount >= 0n, 'amounts that go back are not negative')
  return amount < most ? amount : most
}
