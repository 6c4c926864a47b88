import { defineJob } from '@/lib/jobs'
import { z } from 'zod'

/** By the clock; what one run missed the next removes. */
export const removeSelectionsJob = defineJob({
  name: 'holdings.remove_selections',
  payload: z.object({}),
  maxAttempts: 1,
})
