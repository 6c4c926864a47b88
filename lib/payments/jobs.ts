import { defineJob } from '@/lib/jobs'
import { z } from 'zod'

/** What a settle job is told: what to ask the provider about, and which message of the inbox asked for it. */
const settlePayloadSchema = z.object({
  provider: z.string(),
  providerPaymentId: z.string().nullable(),
  paymentId: z.string().nullable(),
  messageId: z.string().nullable(),
})
export type SettlePayload = z.infer<typeof settlePayloadSchema>

export const settlePaymentJob = defineJob({ name: 'payments.settle', payload: settlePayloadSchema })

/** Asks a provider to send one refund; a refund is never sent twice, because the vendor knows it by its id. */
export const sendRefundJob = defineJob({ name: 'payments.send_refund', payload: z.object({ refundId: z.string() }) })

/** Runs every minute. It is tried once: the next minute brings the next run. */
export const reconcilePaymentsJob = defineJob({ name: 'payments.reconcile', payload: z.object({}), maxAttempts: 1 })

/** Runs every night, for three days back. It is tried once: the next night sees what this one missed. */
export const comparePaymentsJob = defineJob({ name: 'payments.compare', payload: z.object({}), maxAttempts: 1 })
