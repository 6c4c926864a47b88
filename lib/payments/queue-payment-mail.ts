import { Prisma, type Tx } from '@/lib/db'

/**
 * Promises in the caller's transaction the mail that a person looks at a payment, or has declined it; once per key. Written by SQL because the
 * address belongs to identity's table, which is not ours to read.
 */
export async function queuePaymentMail(
  tx: Tx,
  mail: { key: string; template: 'top_up_needs_review' | 'top_up_declined' },
  payment: { id: string; userId: string; requestedMicros: bigint; currency: string },
): Promise<void> {
  const props = {
    paymentId: payment.id,
    requestedMicros: payment.requestedMicros.toString(),
    currency: payment.currency,
  }
  await tx.$executeRaw(Prisma.sql`
    SELECT queue_user_email(${mail.key}, ${payment.userId}, ${mail.template}, ${JSON.stringify(props)}::jsonb)`)
}

/**
 * Promises the mail about money that goes back to its source, or comes back from there; once per key. `owedMicros` is what the balance lacked and
 * the customer owes now.
 */
export async function queueReturnMail(
  tx: Tx,
  mail: {
    key: string
    template: 'top_up_refund_begun' | 'top_up_refunded' | 'refund_failed' | 'dispute_opened' | 'dispute_won'
  },
  payment: { id: string; userId: string; currency: string },
  amounts: { amountMicros: bigint; owedMicros: bigint },
): Promise<void> {
  const props = {
    paymentId: payment.id,
    amountMicros: amounts.amountMicros.toString(),
    owedMicros: amounts.owedMicros.toString(),
    currency: payment.currency,
  }
  await tx.$executeRaw(Prisma.sql`
    SELECT queue_user_email(${mail.key}, ${payment.userId}, ${mail.template}, ${JSON.stringify(props)}::jsonb)`)
}

/** Promises the mail that a credit was corrected to what the provider says; once per key. `movedMicros` is signed. */
export async function queueCorrectionMail(
  tx: Tx,
  key: string,
  payment: { id: string; userId: string; currency: string },
  amounts: { movedMicros: bigint; owedMicros: bigint },
): Promise<void> {
  const props = {
    paymentId: payment.id,
    movedMicros: amounts.movedMicros.toString(),
    owedMicros: amounts.owedMicros.toString(),
    currency: payment.currency,
  }
  await tx.$executeRaw(Prisma.sql`
    SELECT queue_user_email(${key}, ${payment.userId}, 'top_up_corrected', ${JSON.stringify(props)}::jsonb)`)
}
