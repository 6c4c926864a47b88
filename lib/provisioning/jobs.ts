import { defineJob } from '@/lib/jobs'
import { z } from 'zod'

export const deliverOrderJob = defineJob({ name: 'provisioning.deliver', payload: z.object({ orderId: z.string() }) })
export const resolveDeliveryJob = defineJob({
  name: 'provisioning.resolve_delivery',
  payload: z.object({ deliveryId: z.string() }),
  // A supplier may be away for days; the money stays held and the order says so. 25 attempts span about three days.
  maxAttempts: 25,
})
export const renewJob = defineJob({ name: 'provisioning.renew', payload: z.object({ renewalId: z.string() }) })
export const resolveRenewalJob = defineJob({
  name: 'provisioning.resolve_renewal',
  payload: z.object({ renewalId: z.string() }),
  maxAttempts: 25,
})
export const readAccessJob = defineJob({
  name: 'provisioning.read_access',
  payload: z.object({ accessChangeId: z.string() }),
  maxAttempts: 25,
})
export const sweepRenewalsJob = defineJob({
  name: 'provisioning.sweep_renewals',
  payload: z.object({}),
  maxAttempts: 1,
})
export const syncStockJob = defineJob({ name: 'provisioning.sync_stock', payload: z.object({}), maxAttempts: 1 })
export const syncPoolJob = defineJob({ name: 'provisioning.sync_pool', payload: z.object({}), maxAttempts: 1 })
export const sweepOrdersJob = defineJob({ name: 'provisioning.sweep_orders', payload: z.object({}), maxAttempts: 1 })
export const pollBalancesJob = defineJob({ name: 'provisioning.poll_balances', payload: z.object({}), maxAttempts: 1 })
export const readTrafficJob = defineJob({ name: 'provisioning.read_traffic', payload: z.object({}), maxAttempts: 1 })
export const closeTrafficJob = defineJob({ name: 'provisioning.close_traffic', payload: z.object({}), maxAttempts: 1 })
