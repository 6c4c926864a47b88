import { z } from 'zod'
import { defineSettings } from '@/lib/settings'

/** How often proxies are checked by themselves, and how many at a time by one job. */
export const checkRules = defineSettings(
  'checks.rules',
  z.object({
    /** Every proxy that a customer holds is checked at least once in so many hours. */
    everyHours: z.number().int().min(1).max(168),
    /** How many checks one job has open at a time: each is a connection of its own. */
    atOnce: z.number().int().min(1).max(200),
  }),
  // Four looks a day find a dead proxy before most customers do, at 100,000 proxies five a second; twenty at a time do that even where many time out.
  { everyHours: 6, atOnce: 20 },
)
