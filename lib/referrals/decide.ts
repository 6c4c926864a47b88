import { recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, invariant, maskCardNumbers, refused, type Refusal, type Result } from '@/lib/kit'

/**
 * A person decides on a payout: `paid` (the money has left, under the reference by which it can be found again) or `declined` (with a reason; the
 * rewards are available again). `amountMicros` is what they saw: when a refund has made it less meanwhile, `amount_changed` {amountMicros}. Each payout ends once:
 * `payout_ended`. The destination is removed. The referrer is told. Whether the actor may is the caller's question.
 */
export async function decidePayout(
  actor: { id: string },
  input: { settlementId: string; amountMicros: bigint } & (
    | { end: 'paid'; reference: string }
    | { end: 'declined'; reason: string }
  ),
): Promise<
  Result<null, Refusal<'not_found' | 'payout_ended' | 'amount_changed' | 'reason_missing' | 'reference_missing'>>
> {
  const words = maskCardNumbers((input.end === 'paid' ? input.reference : input.reason).trim()).slice(0, 300)
  if (words === '') return refused(input.end === 'paid' ? 'reference_missing' : 'reason_missing')
  const [reference, reason] = input.end === 'paid' ? [words, null] : [null, words]
  return inTransaction<null, Refusal<'not_found' | 'payout_ended' | 'amount_changed'>>(async (tx) => {
    const [row] = await tx.$queryRaw<{ outcome: string; amount: bigint | null }[]>(Prisma.sql`
      SELECT outcome, amount FROM end_payout(${input.settlementId}, ${input.end}, ${input.amountMicros}, ${reference}, ${reason}, ${actor.id})`)
    const { outcome, amount } = row!
    if (outcome === 'not_found') return refused('not_found')
    if (outcome === 'already_ended') return refused('payout_ended')
    if (outcome === 'amount_changed')
      return refused('amount_changed', { amountMicros: amount!, currency: env().SHOP_CURRENCY })
    invariant(outcome === 'ended', `end_payout answered ${outcome}`)
    await recordAudit(
      tx,
      { kind: 'staff', id: actor.id },
      {
        action: `referrals.payout_${input.end}`,
        subjectKind: 'referral_settlement',
        subjectId: input.settlementId,
        data: { amountMicros: amount!.toString(), reference, reason },
      },
    )
    return accepted(null)
  })
}

/**
 * A person decides whether somebody who shares something with their referrer was really referred: `approved` lets the rewards go when their time comes;
 * `rejected` takes back all that are not paid out or moved, and nothing more is earned by this person. Either may be changed later; what was taken back stays so.
 * Refuses `not_found` and `reason_missing`.
 */
export async function reviewReferral(
  actor: { id: string },
  input: { userId: string; decision: 'approved' | 'rejected'; reason: string },
): Promise<Result<null, Refusal<'not_found' | 'reason_missing'>>> {
  const reason = maskCardNumbers(input.reason.trim()).slice(0, 500)
  if (reason === '') return refused('reason_missing')
  return inTransaction<null, Refusal<'not_found'>>(async (tx) => {
    const decided = await tx.referral.updateMany({
      where: { userId: input.userId },
      data: { review: input.decision, reviewReason: reason, reviewedBy: actor.id, reviewedAt: new Date() },
    })
    if (decided.count === 0) return refused('not_found')
    if (input.decision === 'rejected')
      await tx.$queryRaw(Prisma.sql`
        SELECT (revert_reward(w.id, 'rejected', w.user_id, 1, 1)).outcome FROM referral_rewards w
        WHERE w.user_id = ${input.userId} AND w.state IN ('pending', 'available', 'requested')`)
    await recordAudit(
      tx,
      { kind: 'staff', id: actor.id },
      {
        action: `referrals.${input.decision}`,
        subjectKind: 'referral',
        subjectId: input.userId,
        data: { reason },
      },
    )
    return accepted(null)
  })
}

/** How many payouts and referrals wait for a person. */
export async function countWaiting(): Promise<{ payouts: number; reviews: number }> {
  const [payouts, reviews] = await Promise.all([
    db().referralSettlement.count({ where: { state: 'requested' } }),
    db().referral.count({ where: { review: 'held' } }),
  ])
  return { payouts, reviews }
}
