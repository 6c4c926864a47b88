'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import { saveTelegram, saveTelegramSchema, testTelegram } from '@/lib/notices'
import { adminAction } from '@/lib/web'

export const saveTelegramAction = adminAction(
  'settings.write',
  saveTelegramSchema,
  async (input, { actor, locale }) => {
    const result = await saveTelegram(actor, input)
    if (!result.ok) return result
    revalidatePath('/', 'layout')
    const say = translator(locale, 'adminTelegram')
    return accepted({ message: say(result.value.isEnabled ? 'savedOn' : 'savedOff') })
  },
)

/** What Telegram said stands on the page, from the row; only what cannot be asked is said by the form. */
export const testTelegramAction = adminAction('settings.write', z.object({}), async (_, { actor }) => {
  const result = await testTelegram(actor)
  if (!result.ok) return result
  revalidatePath('/admin/settings/telegram')
  return accepted(null)
})
