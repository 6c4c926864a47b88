'use server'

import { revalidatePath } from 'next/cache'
import { checkRulesFormSchema, renewalRulesFormSchema } from '@/components/admin/rules-forms'
import { translator } from '@/i18n/translator'
import { priceRounding } from '@/lib/catalog'
import { checkRules } from '@/lib/checks'
import { accepted } from '@/lib/kit'
import { saveRenewalRules } from '@/lib/orders'
import { paymentRules, paymentRulesSchema } from '@/lib/payments'
import { roundingFormSchema } from '@/lib/prices'
import { adminAction } from '@/lib/web'

export const saveRulesAction = adminAction('settings.write', paymentRulesSchema, async (input, { actor, locale }) => {
  await paymentRules.save(actor, input)
  revalidatePath('/admin/settings', 'layout')
  return accepted({ message: translator(locale, 'adminSettings')('rulesSaved') })
})

export const saveRenewalRulesAction = adminAction(
  'settings.write',
  renewalRulesFormSchema,
  async (input, { actor, locale }) => {
    const result = await saveRenewalRules(actor, input)
    if (!result.ok) return result
    revalidatePath('/admin/settings', 'layout')
    return accepted({ message: translator(locale, 'adminSettings')('rulesSaved') })
  },
)

export const saveCheckRulesAction = adminAction(
  'settings.write',
  checkRulesFormSchema,
  async (input, { actor, locale }) => {
    await checkRules.save(actor, input)
    revalidatePath('/admin/settings', 'layout')
    return accepted({ message: translator(locale, 'adminSettings')('rulesSaved') })
  },
)

export const savePriceRoundingAction = adminAction(
  'settings.write',
  roundingFormSchema,
  async (input, { actor, locale }) => {
    await priceRounding.save(actor, input)
    revalidatePath('/admin/settings', 'layout')
    return accepted({ message: translator(locale, 'adminSettings')('roundingSaved') })
  },
)
