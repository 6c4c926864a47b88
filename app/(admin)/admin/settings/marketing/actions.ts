'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import { marketingRules, marketingRulesForm } from '@/lib/marketing'
import { adminAction } from '@/lib/web'

export const saveMarketingRulesAction = adminAction(
  'settings.write',
  marketingRulesForm,
  async (input, { actor, locale }) => {
    await marketingRules.save(actor, input)
    revalidatePath('/admin/settings/marketing')
    return accepted({ message: translator(locale, 'campaigns')('rulesSaved') })
  },
)
