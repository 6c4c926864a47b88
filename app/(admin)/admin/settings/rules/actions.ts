'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import { paymentRules, paymentRulesSchema } from '@/lib/payments'
import { adminAction } from '@/lib/web'

export const saveRulesAction = adminAction('settings.write', paymentRulesSchema, async (input, { actor, locale }) => {
  await paymentRules.save(actor, input)
  revalidatePath('/admin/settings', 'layout')
  return accepted({ message: translator(locale, 'adminSettings')('rulesSaved') })
})
