import { recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import {
  accepted,
  invariant,
  maskCardNumbers,
  newId,
  OperationalError,
  type Refusal,
  refused,
  type Result,
} from '@/lib/kit'
import { postTransfer } from '@/lib/ledger'
import { takeBonusBack } from '@/lib/promotions'
import { type CreditedPayment, leftOf, moveAfterReturns } from './book-returns'
import { endRefund } from './end-refund'
import { sendRefundJob, settlePaymentJob } from './jobs'
import type { Provider } from './providers/provider'
import { findProvider } from './providers/registry'
import { queueReturnMail } from './queue-payment-mail'
import { CREDITED_STATES } from './states'

export type RefundInput = { paymentId: string; amountMicros: bigint; reason: string; requestKey: string }
export type RefundRefusal = Refusal<
  'not_found' | 'not_refundable' | 'refund_too_large' | 'reason_missing' | 'request_key_reused'
>
export type RefundState = 'sending' | 'manual' | 'done' | 'failed'

/** A payment is asked about again so long after a refund that was only accepted: some banks take days, most take minutes. */
const PENDING_CHECK_MS = 10 * 60_000

/**
 * Begins to give a top-up, or a part of it, back to its source. The money leaves the balance now, in the same transaction, so that it cannot be
 * spent meanwhile; the worker then asks the provider, or, where the provider has no call for it, a person sends it by hand. Amounts are micros
 * of the shop's currency. Never more than is left of the credit, nor more than the customer has of money from outside: `refund_too_large` {maxMicros}. The same
 * request key is the same refund. The customer is told by mail. Whether the actor may is the caller's question.
 */
export async function refundPayment(
  actor: { id: string },
  input: RefundInput,
  options: { providers?: readonly Provider[]; now?: Date } = {},
): Promise<Result<{ refundId: string; state: RefundState }, RefundRefusal>> {
  const now = options.now ?? new Date()
  const reason = maskCardNumbers(input.reason.trim()).slice(0, 500)
  if (reason === '') return refused('reason_missing')
  const found = await db().payment.findUnique({ where: { id: input.paymentId }, select: { provider: true } })
  const provider = found && (await findProvider(found.provider, options.providers))
  return inTransaction<{ refundId: string; state: RefundState }, RefundRefusal>(async (tx) => {
    const payment = await lockCredited(tx, input.paymentId)
    if (!payment) return refused('not_found')
    const existing = await tx.paymentRefund.findUnique({
      where: { paymentId_requestKey: { paymentId: payment.id, requestKey: input.requestKey } },
      select: { id: true, state: true, amountMicros: true },
    })
    if (existing)
      return existing.amountMicros === input.amountMicros
        ? accepted({ refundId: existing.id, state: existing.state as RefundState })
        : refused('request_key_reused')
    if (!CREDITED_STATES.includes(payment.state)) return refused('not_refundable', { state: payment.state })
    const left = await leftOf(tx, payment)
    if (input.amountMicros <= 0n || input.amountMicros > left)
      return refused('refund_too_large', { maxMicros: left.toString(), currency: payment.currency })

    const id = newId('rfd')
    const posted = await postTransfer(tx, {
      key: `refund:${id}`,
      from: { owner: payment.userId, kind: 'customer_balance', currency: payment.currency },
      to: { owner: 'shop', kind: 'refunds_pending', currency: payment.currency },
      amountMicros: input.amountMicros,
      source: { kind: 'payment', id: payment.id },
      happenedAt: now,
    })
    if (!posted.ok) {
      const balance = await outsideBalanceOf(tx, payment)
      const maxMicros = (balance < left ? balance : left).toString()
      return refused('refund_too_large', { maxMicros, currency: payment.currency })
    }
    const canSend = provider?.refund !== undefined && payment.providerPaymentId !== null
    const state = canSend ? 'sending' : 'manual'
    await tx.paymentRefund.create({
      data: {
        id,
        paymentId: payment.id,
        userId: payment.userId,
        requestKey: input.requestKey,
        amountMicros: input.amountMicros,
        chargeMicros: chargeFor(payment, input.amountMicros),
        state,
        reason,
        requestedBy: actor.id,
        createdAt: now,
      },
      select: { id: true },
    })
    await takeBonusBack(tx, { paymentId: payment.id, returnId: id, amountMicros: input.amountMicros, now })
    const data = { refundId: id, amountMicros: input.amountMicros.toString(), reason }
    await tx.paymentEvent.create({
      data: { paymentId: payment.id, kind: 'refund_begun', data: { ...data, by: state } },
      select: { id: true },
    })
    await recordAudit(
      tx,
      { kind: 'staff', id: actor.id },
      { action: 'payments.refund_begun', subjectKind: 'payment', subjectId: payment.id, data },
    )
    await queueReturnMail(tx, { key: `refund_begun:${id}`, template: 'top_up_refund_begun' }, payment, {
      amountMicros: input.amountMicros,
      owedMicros: 0n,
    })
    if (canSend) await enqueue(tx, sendRefundJob, { refundId: id })
    return accepted({ refundId: id, state })
  })
}

/** The most that `refundPayment` takes for a credited payment now: what is left of it, of what its customer has from outside. */
export async function getRefundable(payment: {
  userId: string
  currency: string
  leftMicros: bigint
}): Promise<bigint> {
  const outside = await outsideBalanceOf(db(), payment)
  return outside < payment.leftMicros ? outside : payment.leftMicros
}

/** Whether this provider gives money back by a call; else a person sends it by hand. */
export async function canRefundBySource(providerName: string): Promise<boolean> {
  return (await findProvider(providerName))?.refund !== undefined
}

/**
 * Asks the provider to send one refund. Run again it asks the same again, under the same key, so that the vendor gives back once; an unknown
 * outcome throws OperationalError, and the job comes again. A clear "no" gives the money back to the customer.
 */
export async function sendRefund(
  { refundId }: { refundId: string },
  options: { providers?: readonly Provider[]; now?: Date } = {},
): Promise<void> {
  const refund = await db().paymentRefund.findUnique({
    where: { id: refundId },
    select: { state: true, chargeMicros: true, payment: { select: LOCKED } },
  })
  if (!refund || refund.state !== 'sending') return
  const { payment } = refund
  const provider = await findProvider(payment.provider, options.providers)
  if (!provider?.refund || payment.providerPaymentId === null)
    throw new OperationalError('payments', `provider ${payment.provider} can no longer send refunds`)
  const answer = await provider.refund({
    refundId,
    paymentId: payment.id,
    providerPaymentId: payment.providerPaymentId,
    amountMicros: refund.chargeMicros,
    currency: payment.chargeCurrency,
  })
  const now = options.now ?? new Date()
  await inTransaction(async (tx) => {
    await lockCredited(tx, payment.id)
    await tx.paymentRefund.updateMany({
      where: { id: refundId, providerRefundId: null },
      data: { providerRefundId: answer.providerRefundId },
    })
    if (answer.state === 'pending') {
      const settle = { provider: payment.provider, providerPaymentId: payment.providerPaymentId, paymentId: payment.id }
      await enqueue(
        tx,
        settlePaymentJob,
        { ...settle, messageId: null },
        { runAt: new Date(now.getTime() + PENDING_CHECK_MS) },
      )
    } else await endUnderLock(tx, payment.id, refundId, answer.state, now)
    return accepted(null)
  })
}

/**
 * A person says what came of a refund that is sent by hand, or of one whose provider never gave a clear answer: `done`, or `failed`, which gives
 * the money back to the customer's balance. Refuses `not_found` and `refund_ended`.
 */
export async function finishRefund(
  actor: { id: string },
  input: { refundId: string; end: 'done' | 'failed'; reason: string },
  options: { now?: Date } = {},
): Promise<Result<{ paymentId: string }, Refusal<'not_found' | 'refund_ended' | 'reason_missing'>>> {
  const reason = maskCardNumbers(input.reason.trim()).slice(0, 500)
  if (reason === '') return refused('reason_missing')
  return inTransaction<{ paymentId: string }, Refusal<'not_found' | 'refund_ended'>>(async (tx) => {
    const refund = await tx.paymentRefund.findUnique({ where: { id: input.refundId }, select: { paymentId: true } })
    if (!refund) return refused('not_found')
    await lockCredited(tx, refund.paymentId)
    const isEnded = await endUnderLock(tx, refund.paymentId, input.refundId, input.end, options.now ?? new Date(), {
      id: actor.id,
      reason,
    })
    return isEnded ? accepted({ paymentId: refund.paymentId }) : refused('refund_ended')
  })
}

async function endUnderLock(
  tx: Tx,
  paymentId: string,
  refundId: string,
  end: 'done' | 'failed',
  now: Date,
  actor?: { id: string; reason: string },
): Promise<boolean> {
  const payment = (await tx.payment.findUniqueOrThrow({ where: { id: paymentId }, select: LOCKED })) as Locked
  const refund = await tx.paymentRefund.findUniqueOrThrow({
    where: { id: refundId },
    select: { id: true, state: true, amountMicros: true, requestedBy: true },
  })
  // A person decides only about what is still open; the provider may take back its word.
  if (actor && refund.state !== 'manual' && refund.state !== 'sending') return false
  const isEnded = await endRefund(tx, { ...payment, refund }, end, now, actor)
  if (!isEnded) return false
  await moveAfterReturns(tx, payment)
  // What the bank took meanwhile found nothing left to take; now it does.
  const { provider, providerPaymentId } = payment
  if (end === 'failed' && providerPaymentId !== null)
    await enqueue(tx, settlePaymentJob, { provider, providerPaymentId, paymentId, messageId: null })
  return true
}

const LOCKED = {
  id: true,
  userId: true,
  provider: true,
  state: true,
  currency: true,
  requestedMicros: true,
  chargeMicros: true,
  chargeCurrency: true,
  creditedMicros: true,
  providerPaymentId: true,
} as const
type Locked = CreditedPayment

/** The payment, locked until the transaction ends: everything that gives its money back stands in this line. */
async function lockCredited(tx: Tx, paymentId: string): Promise<Locked | null> {
  await tx.$executeRaw(Prisma.sql`SELECT 1 FROM payments WHERE id = ${paymentId} FOR NO KEY UPDATE`)
  return (await tx.payment.findUnique({ where: { id: paymentId }, select: LOCKED })) as Locked | null
}

/** What a part of the balance was in the payer's currency, rounded down to what vendors count in, so never above what was charged. */
function chargeFor(payment: Locked, amountMicros: bigint): bigint {
  if (payment.chargeCurrency === payment.currency) return amountMicros
  const exact = (amountMicros * payment.chargeMicros) / payment.requestedMicros
  const cents = exact - (exact % 10_000n)
  invariant(exact > 0n, 'a refund is worth something in the payer’s currency')
  return cents > 0n ? cents : exact
}

/** What a customer has that came from outside: gifts are not sent to a payment's source. */
async function outsideBalanceOf(tx: Tx, payment: Pick<Locked, 'userId' | 'currency'>): Promise<bigint> {
  const [row] = await tx.$queryRaw<{ balance: bigint }[]>(Prisma.sql`
    SELECT balance_micros - gift_micros AS balance FROM ledger_accounts
    WHERE owner = ${payment.userId} AND kind = 'customer_balance' AND currency = ${payment.currency}`)
  return row?.balance ?? 0n
}
