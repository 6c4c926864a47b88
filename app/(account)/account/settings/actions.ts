'use server'

import { revalidatePath } from 'next/cache'
import { headers } from 'next/headers'
import { translator } from '@/i18n/translator'
import { changePassword, changePasswordSchema, updateProfile, updateProfileSchema } from '@/lib/identity'
import { accepted } from '@/lib/kit'
import {
  chooseMeasuring,
  chooseMeasuringSchema,
  chooseTelegramTopics,
  chooseTopics,
  chooseTopicsSchema,
} from '@/lib/marketing'
import { billingProfileSchema, saveBillingProfile } from '@/lib/papers'
import { LOCALE_COOKIE, rememberPreference, userAction, visitOf } from '@/lib/web'

export const updateProfileAction = userAction(updateProfileSchema, async (input, { user }) => {
  const result = await updateProfile(user.id, input)
  if (!result.ok) return result
  await rememberPreference(LOCALE_COOKIE, input.locale)
  revalidatePath('/account', 'layout')
  return accepted({ message: translator(input.locale, 'settings')('profileSaved') })
})

export const chooseTopicsAction = userAction(chooseTopicsSchema, async ({ topics }, { user, locale }) => {
  const result = await chooseTopics(user.id, { topics, source: 'settings', locale, visit: visitOf(await headers()) })
  if (!result.ok) return result
  revalidatePath('/account/settings')
  return accepted({ message: translator(locale, 'marketing')(result.value.isWaiting ? 'savedWaiting' : 'saved') })
})

export const chooseTelegramAction = userAction(chooseTopicsSchema, async ({ topics }, { user, locale }) => {
  const visit = visitOf(await headers())
  const result = await chooseTelegramTopics(user.id, { topics, source: 'settings', locale, visit })
  if (!result.ok) return result
  revalidatePath('/account/settings')
  return accepted({ message: translator(locale, 'marketing')('telegram.saved') })
})

export const chooseMeasuringAction = userAction(chooseMeasuringSchema, async ({ isAllowed }, { user, locale }) => {
  const visit = visitOf(await headers())
  const result = await chooseMeasuring(user.id, { isAllowed, source: 'settings', locale, visit })
  if (!result.ok) return result
  revalidatePath('/account/settings')
  return accepted({ message: translator(locale, 'marketing')(isAllowed ? 'measuring.allowed' : 'measuring.refused') })
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
