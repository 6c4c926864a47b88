import { recordAudit } from '@/lib/audit'
import { inTransaction, Prisma } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { accepted, invariant, maskCardNumbers, type Refusal, refused, type Result } from '@/lib/kit'
import { creditFor } from './decide-settlement'
import { settlePaymentJob } from './jobs'
import { queuePaymentMail } from './queue-payment-mail'

export type ReviewDecision = { paymentId: string; decision: 'credit_received' | 'decline'; reason: string }
export type ReviewRefusal = Refusal<'not_found' | 'not_in_review' | 'nothing_to_credit' | 'reason_missing'>

/**
 * A member of staff decides about a payment that waits for a person: credit what was received (what it is worth of the amount asked for), or decline. Writes timeline, audit entry and
 * the mail that tells the customer: the receipt, or that it was declined. The reason is kept with card numbers masked, and stays with staff. Whether
 * the actor may decide is the caller's question. Refuses to credit what cannot be counted in our currency (`nothing_to_credit`): such money is
 * corrected in the ledger, by hand.
 */
export async function decideReview(
  actor: { id: string },
  input: ReviewDecision,
): Promise<Result<{ state: 'credited' | 'declined' }, ReviewRefusal>> {
  const reason = maskCardNumbers(input.reason.trim()).slice(0, 500)
  if (reason === '') return refused('reason_missing')
  return inTransaction<{ state: 'credited' | 'declined' }, ReviewRefusal>(async (tx) => {
    const [payment] = await tx.$queryRaw<
      {
        state: string
        userId: string
        provider: string
        requestedMicros: bigint
        currency: string
        chargeMicros: bigint
        receivedMicros: bigint | null
        providerPaymentId: string | null
      }[]
    >(Prisma.sql`
      SELECT state, user_id AS "userId", provider, requested_micros AS "requestedMicros", currency, charge_micros AS "chargeMicros",
        received_micros AS "receivedMicros",
        provider_payment_id AS "providerPaymentId"
      FROM payments WHERE id = ${input.paymentId} FOR NO KEY UPDATE`)
    if (!payment) return refused('not_found')
    if (payment.state !== 'needs_review') return refused('not_in_review', { state: payment.state })
    const { receivedMicros, providerPaymentId } = payment
    const isCredit = input.decision === 'credit_received'
    const creditMicros = creditFor(payment, receivedMicros ?? 0n)
    if (isCredit && creditMicros === 0n) return refused('nothing_to_credit')

    const data = { decision: input.decision, reason }
    await tx.paymentEvent.create({
      data: { paymentId: input.paymentId, kind: 'review_decided', data },
      select: { id: true },
    })
    await recordAudit(
      tx,
      { kind: 'staff', id: actor.id },
      { action: 'payments.review_decided', subjectKind: 'payment', subjectId: input.paymentId, data },
    )
    if (isCredit) {
      const [credited] = await tx.$queryRaw<{ outcome: string }[]>(Prisma.sql`
        SELECT outcome FROM credit_payment(${input.paymentId}, ${providerPaymentId}::text, ${receivedMicros}::bigint,
          ${creditMicros}::bigint, now())`)
      invariant(credited?.outcome === 'credited', `a locked payment in review was ${credited?.outcome}`)
      // What went back while it waited is booked against the credit.
      const { provider } = payment
      if (providerPaymentId !== null)
        await enqueue(tx, settlePaymentJob, {
          provider,
          providerPaymentId,
          paymentId: input.paymentId,
          messageId: null,
        })
      return accepted({ state: 'credited' })
    }
    await tx.payment.update({
      where: { id: input.paymentId },
      data: { state: 'declined', nextCheckAt: null },
      select: { id: true },
    })
    // More money may come and be decided about anew, which is another fact; the amount tells them apart.
    const key = `declined:${input.paymentId}:${receivedMicros ?? 0n}`
    await queuePaymentMail(tx, { key, template: 'top_up_declined' }, { ...payment, id: input.paymentId })
    return accepted({ state: 'declined' })
  })
}
