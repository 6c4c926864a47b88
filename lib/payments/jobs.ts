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

/** Runs every minute. It is tried once: the next minute brings the next run. */
export const reconcilePaymentsJob = defineJob({ name: 'payments.reconcile', payload: z.object({}), maxAttempts: 1 })
