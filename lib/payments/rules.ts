import { z } from 'zod'
import { MAX_AMOUNT_MICROS } from '@/lib/kit'
import { defineSettings } from '@/lib/settings'

const micros = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform(BigInt)
  .refine((amount) => amount > 0n && amount <= MAX_AMOUNT_MICROS)
const credited = z.enum(['credit', 'wait'])

/**
 * What the shop does by itself with money that is not what was asked, and how much may be brought in at once. `credit`: the balance gets what came;
 * `wait`: a person with the finance role decides. Limits are micros of the shop's currency; null is no limit.
 */
export const paymentRules = defineSettings(
  'payments.rules',
  z.object({
    /** Less came than asked, and the time to pay the rest is over. */
    underpaid: credited,
    /** All of it came, after the page had expired. */
    late: credited,
    /** More came to an invoice that was credited before. */
    redeposit: credited,
    /** What an account may bring in before its first credit. */
    firstTopUpMaxMicros: micros.nullable(),
    /** What one customer may bring in within 24 hours, counting what is still open or waits for a person. */
    dailyMaxMicros: micros.nullable(),
    /** How many payments one customer may have open at a time: each costs us questions to a provider. */
    maxOpenPayments: z.number().int().min(1).max(100),
  }),
  {
    underpaid: 'wait',
    late: 'credit',
    redeposit: 'wait',
    firstTopUpMaxMicros: null,
    dailyMaxMicros: null,
    maxOpenPayments: 20,
  },
)
