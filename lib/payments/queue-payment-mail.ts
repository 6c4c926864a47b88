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
