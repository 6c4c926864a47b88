import { recordAudit, SYSTEM } from '@/lib/audit'
import type { Tx } from '@/lib/db'
import { giveMoney, postTransfer } from '@/lib/ledger'
import { giveBonusAgain } from '@/lib/promotions'
import { invariant } from '@/lib/kit'
import { queueReturnMail } from './queue-payment-mail'

type Refund = { id: string; state: string; amountMicros: bigint; requestedBy: string | null }

/**
 * Ends a refund, under the payment's lock: `done` moves what was set aside out of the shop, `failed` gives it back to the customer and says so by
 * mail. A refund that failed after it was done (a card that is no more) is booked back the same way. Returns false when there is nothing to end.
 */
export async function endRefund(
  tx: Tx,
  payment: { id: string; userId: string; provider: string; currency: string; requestedMicros: bigint; refund: Refund },
  end: 'done' | 'failed',
  now: Date,
  actor?: { id: string; reason: string },
): Promise<boolean> {
  const { refund, currency } = payment
  if (refund.state === end || refund.state === 'failed') return false
  const clearing = `provider_clearing:${payment.provider}` as const
  const source = { kind: 'payment' as const, id: payment.id }
  if (end === 'done') {
    const posted = await postTransfer(tx, {
      key: `refund_sent:${refund.id}`,
      from: { owner: 'shop', kind: 'refunds_pending', currency },
      to: { owner: 'shop', kind: clearing, currency },
      amountMicros: refund.amountMicros,
      source,
      happenedAt: now,
    })
    invariant(posted.ok, 'what was set aside for a refund is there')
  } else {
    await giveMoney(tx, {
      key: `refund_failed:${refund.id}`,
      owner: payment.userId,
      shopKind: refund.state === 'done' ? clearing : 'refunds_pending',
      amountMicros: refund.amountMicros,
      currency,
      source,
      happenedAt: now,
    })
    await giveBonusAgain(tx, { paymentId: payment.id, returnId: refund.id, now })
    await queueReturnMail(tx, { key: `refund_failed:${refund.id}`, template: 'refund_failed' }, payment, {
      amountMicros: refund.amountMicros,
      owedMicros: 0n,
    })
  }
  await tx.paymentRefund.update({ where: { id: refund.id }, data: { state: end, endedAt: now }, select: { id: true } })
  const data = {
    refundId: refund.id,
    amountMicros: refund.amountMicros.toString(),
    ...(actor ? { reason: actor.reason } : {}),
  }
  const kind = end === 'done' ? 'refunded' : 'refund_failed'
  await tx.paymentEvent.create({ data: { paymentId: payment.id, kind, data }, select: { id: true } })
  await recordAudit(tx, actor ? { kind: 'staff', id: actor.id } : SYSTEM, {
    action: `payments.${kind}`,
    subjectKind: 'payment',
    subjectId: payment.id,
    data,
  })
  return true
}
