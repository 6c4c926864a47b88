import { defineJob } from '@/lib/jobs'
import { z } from 'zod'

/** By the clock; what one run leaves, the next one takes up. */
export const applyChangesJob = defineJob({ name: 'prices.apply_changes', payload: z.object({}), maxAttempts: 1 })
/** Asks what pieces cost, then goes through the rules; for one plan where its costs were typed anew. */
export const applyRulesJob = defineJob({
  name: 'prices.apply_rules',
  payload: z.object({ planId: z.string().optional() }),
  maxAttempts: 3,
})
