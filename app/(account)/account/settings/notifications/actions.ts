'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import { saveNoticeSettings, saveNoticeSettingsSchema, startTelegramLink, unlinkTelegram } from '@/lib/notices'
import { userAction } from '@/lib/web'

export const saveNoticeSettingsAction = userAction(saveNoticeSettingsSchema, async (input, { user, locale }) => {
  const result = await saveNoticeSettings(user.id, input)
  if (!result.ok) return result
  revalidatePath('/account', 'layout')
  return accepted({ message: translator(locale, 'notices')('saved') })
})

export const startTelegramLinkAction = userAction(z.object({}), async (_, { user, locale }) => {
  const result = await startTelegramLink({ userId: user.id })
  if (!result.ok) return result
  return accepted({ message: translator(locale, 'notices')('telegramMade'), facts: { url: result.value.url } })
})

export const unlinkTelegramAction = userAction(z.object({}), async (_, { user, locale }) => {
  await unlinkTelegram({ userId: user.id })
  revalidatePath('/account/settings/notifications')
  return accepted({ message: translator(locale, 'notices')('telegramUnlinked') })
})
