import { defineJob } from '@/lib/jobs'
import { z } from 'zod'

/** The receipt of an order: promised by whoever hands proxies over. Sent twice it does no harm; what is tested already is left alone. */
export const checkOrderJob = defineJob({
  name: 'checks.check_order',
  payload: z.object({ orderId: z.string(), kind: z.literal('handover').default('handover') }),
})

export const checkOnDemandJob = defineJob({
  name: 'checks.check_on_demand',
  payload: z.object({ runId: z.string() }),
  // Whoever asked is waiting; after about ten minutes they had better ask again.
  maxAttempts: 6,
})

/** These run by the clock and go on where the last run stopped, so each is tried once. */
export const checkDueJob = defineJob({ name: 'checks.check_due', payload: z.object({}), maxAttempts: 1 })
export const enrolMissedJob = defineJob({ name: 'checks.enrol_missed', payload: z.object({}), maxAttempts: 1 })
export const removeOldChecksJob = defineJob({ name: 'checks.remove_old', payload: z.object({}), maxAttempts: 1 })
export const measureQualityJob = defineJob({ name: 'checks.measure_quality', payload: z.object({}), maxAttempts: 1 })
