import { z } from 'zod'
import { defineSettings } from '@/lib/settings'

/** How orders that renew themselves are treated. Hours. */
export const renewalRules = defineSettings(
  'orders.renewal_rules',
  z.object({
    /** How long before its end an order is renewed: time left to top up, or for a supplier that is away. */
    leadHours: z.number().int().min(1).max(168),
    /** How long after its end an order that could not be renewed is kept and tried again. */
    graceHours: z.number().int().min(0).max(336),
    /** How long between two tries. */
    retryHours: z.number().int().min(1).max(48),
  }),
  { leadHours: 24, graceHours: 48, retryHours: 4 },
)

/** How many days before an end a balance that will not cover it is told of. */
export const SHORT_NOTICE_DAYS = [7, 3, 1] as const
