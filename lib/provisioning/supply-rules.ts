import { defineSettings } from '@/lib/settings'
import { z } from 'zod'

/** What the operator decides about buying from suppliers. */
export const supplyRules = defineSettings(
  'provisioning.rules',
  z.object({
    /** Buy and renew although the supplier asks for more than the customer paid. */
    allowLoss: z.boolean(),
    /**
     * Pass over an offer whose cost cannot be known: no quote, or one in a currency without a rate. Off: such an offer is bought, because a supplier
     * that does not quote (traffic from a parent account, say) would never sell anything, and the cost is booked when it is told.
     */
    needsQuote: z.boolean(),
    /** How long the end of a run may be open before it is shown to a person. */
    unknownAfterMinutes: z.number().int().min(1).max(1440),
    /** Warn when what lies at a supplier lasts for fewer days than this. */
    warnDays: z.number().int().min(1).max(60),
  }),
  { allowLoss: false, needsQuote: false, unknownAfterMinutes: 15, warnDays: 7 },
)
