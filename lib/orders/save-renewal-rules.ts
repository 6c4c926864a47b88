import type { z } from 'zod'
import type { Actor } from '@/lib/audit'
import { readCatalog } from '@/lib/catalog'
import { accepted, refused, type Refusal, type Result } from '@/lib/kit'
import { renewalRules } from './rules'

/**
 * Keeps how orders renew themselves from now on. Refuses `lead_too_long` {days} when orders of the shortest period on the price lists would fall due the moment
 * they are delivered, and be renewed again and again.
 */
export async function saveRenewalRules(
  actor: Actor,
  rules: z.input<typeof renewalRules.schema>,
): Promise<Result<null, Refusal<'lead_too_long'>>> {
  const products = await readCatalog({ fresh: true })
  const days = products.flatMap(({ plans }) => plans.flatMap(({ periods }) => periods.map((period) => period.days)))
  const shortest = days.length > 0 ? Math.min(...days) : null
  if (shortest !== null && rules.leadHours >= shortest * 24) return refused('lead_too_long', { days: shortest })
  await renewalRules.save(actor, rules)
  return accepted(null)
}
