import { z } from 'zod'
import { defineJob } from '@/lib/jobs'

/** One attempt: the clock comes again in a minute, and finds in the rows where to go on. */
export const runCampaignsJob = defineJob({ name: 'marketing.run_campaigns', payload: z.object({}), maxAttempts: 1 })
