import { defineSettings } from '@/lib/settings'
import { marketingRulesSchema } from './schemas'

/**
 * How marketing goes. Fifty mails a second are an hour for 180,000, and leave the mail service's calls to the mails somebody waits for.
 */
export const marketingRules = defineSettings('marketing.rules', marketingRulesSchema, {
  doubleOptIn: false,
  mailsPerSecond: 50,
})
