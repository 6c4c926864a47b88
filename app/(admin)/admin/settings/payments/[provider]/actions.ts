'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { accepted, refused } from '@/lib/kit'
import { forgetProvider, providerNameSchema, saveProvider, saveProviderSchema, testProvider } from '@/lib/payments'
import { adminAction } from '@/lib/web'

export const saveProviderAction = adminAction(
  'payments.providers',
  saveProviderSchema,
  async (input, { actor, locale }) => {
    const result = await saveProvider(actor, input)
    if (!result.ok) return result
    revalidatePath('/', 'layout')
    return accepted({ message: translator(locale, 'adminSettings')(result.value.isEnabled ? 'savedOn' : 'savedOff') })
  },
)

/** What the vendor said stands on the page, from the row; only what cannot be asked is said by the form. */
export const testProviderAction = adminAction('payments.providers', providerNameSchema, async (input, { actor }) => {
  const result = await testProvider(actor, input.provider)
  // The field that is missing is another form's.
  if (!result.ok) return refused(result.refusal.code)
  revalidatePath('/admin/settings', 'layout')
  return accepted(null)
})

export const forgetProviderAction = adminAction(
  'payments.providers',
  providerNameSchema,
  async (input, { actor, locale }) => {
    const result = await forgetProvider(actor, input.provider)
    if (!result.ok) return result
    revalidatePath('/', 'layout')
    return accepted({ message: translator(locale, 'adminSettings')('forgotten') })
  },
)
