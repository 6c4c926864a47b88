import { defineJob } from '@/lib/jobs'
import { z } from 'zod'

export const replaceDeadJob = defineJob({
  name: 'remedies.replace_dead',
  payload: z.object({ orderId: z.string(), allocationIds: z.array(z.string()) }),
})
export const creditDowntimeJob = defineJob({ name: 'remedies.credit_downtime', payload: z.object({}), maxAttempts: 3 })
/** Asks a supplier for another proxy, or looks what came of it. What goes wrong is tried again by the row's own clock, so few attempts of the queue's suffice. */
export const exchangeJob = defineJob({
  name: 'remedies.exchange',
  payload: z.object({ replacementId: z.string() }),
  maxAttempts: 5,
})
export const sweepExchangesJob = defineJob({ name: 'remedies.sweep_exchanges', payload: z.object({}), maxAttempts: 1 })
