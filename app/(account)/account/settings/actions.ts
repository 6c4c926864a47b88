'use server'

import { revalidatePath } from 'next/cache'
import { consentStatements } from '@/components/identity/consent-statements'
import { translator } from '@/i18n/translator'
import {
  changePassword,
  changePasswordSchema,
  marketingSchema,
  setMarketingConsent,
  updateProfile,
  updateProfileSchema,
} from '@/lib/identity'
import { accepted } from '@/lib/kit'
import { billingProfileSchema, saveBillingProfile } from '@/lib/papers'
import { LOCALE_COOKIE, rememberPreference, userAction } from '@/lib/web'

export const updateProfileAction = userAction(updateProfileSchema, async (input, { user }) => {
  const result = await updateProfile(user.id, input)
  if (!result.ok) return result
  await rememberPreference(LOCALE_COOKIE, input.locale)
  revalidatePath('/account', 'layout')
  return accepted({ message: translator(input.locale, 'settings')('profileSaved') })
})

export const setMarketingAction = userAction(marketingSchema, async ({ marketing }, { user, locale }) => {
  await setMarketingConsent(user.id, { isGranted: marketing, text: consentStatements(locale).marketing, locale })
  revalidatePath('/account/settings')
  return accepted({ message: translator(locale, 'settings')('mailSaved') })
})

export const changePasswordAction = userAction(changePasswordSchema, async (input, { user, sessionId, locale }) => {
  const result = await changePassword({ userId: user.id, sessionId }, input)
  if (!result.ok) return result
  return accepted({ message: translator(locale, 'settings')('passwordChanged') })
})

export const saveBillingAction = userAction(billingProfileSchema, async (input, { user, locale }) => {
  await saveBillingProfile(user.id, input)
  revalidatePath('/account/settings')
  return accepted({ message: translator(locale, 'settings')('billingSaved') })
})
