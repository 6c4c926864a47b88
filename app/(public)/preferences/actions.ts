'use server'

import { revalidatePath } from 'next/cache'
import { headers } from 'next/headers'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import {
  chooseMeasuringByLink,
  choosePreferences,
  chooseTelegramByLink,
  confirmSchema,
  confirmTopics,
  measuringByLinkSchema,
  preferencesSchema,
  topicsByLinkSchema,
} from '@/lib/marketing'
import { publicAction, visitOf } from '@/lib/web'

export const savePreferencesAction = publicAction(preferencesSchema, async ({ token, topics, stop }, { locale }) => {
  const visit = visitOf(await headers())
  const result = await choosePreferences(token, { topics, stop, locale, visit })
  if (!result.ok) return result
  revalidatePath('/preferences')
  const { isWaiting } = result.value
  const text = isWaiting ? 'savedWaiting' : stop || topics.length === 0 ? 'stoppedAll' : 'saved'
  return accepted({ message: translator(locale, 'marketing')(text) })
})

export const saveTelegramAction = publicAction(topicsByLinkSchema, async ({ token, topics }, { locale }) => {
  const visit = visitOf(await headers())
  const result = await chooseTelegramByLink(token, { topics, locale, visit })
  if (!result.ok) return result
  revalidatePath('/preferences')
  return accepted({ message: translator(locale, 'marketing')('telegram.saved') })
})

export const saveMeasuringAction = publicAction(measuringByLinkSchema, async ({ token, isAllowed }, { locale }) => {
  const visit = visitOf(await headers())
  const result = await chooseMeasuringByLink(token, { isAllowed, locale, visit })
  if (!result.ok) return result
  revalidatePath('/preferences')
  return accepted({ message: translator(locale, 'marketing')(isAllowed ? 'measuring.allowed' : 'measuring.refused') })
})

export const confirmTopicsAction = publicAction(confirmSchema, async ({ token }, { locale }) => {
  const result = await confirmTopics(token, { locale, visit: visitOf(await headers()) })
  if (!result.ok) return result
  return accepted({ message: translator(locale, 'marketing')('confirmed') })
})
