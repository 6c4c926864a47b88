import { defineJob } from '@/lib/jobs'
import { z } from 'zod'

export const replaceDeadJob = defineJob({
  name: 'remedies.replace_dead',
  payload: z.object({ orderId: z.string(), allocationIds: z.array(z.string()) }),
})
export const creditDowntimeJob = defineJob({ name: 'remedies.credit_downtime', payload: z.object({}), maxAttempts: 3 })
