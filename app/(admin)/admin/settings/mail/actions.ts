'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import { senderSchema, senderSettings, sendTestMail } from '@/lib/notifications'
import { adminAction } from '@/lib/web'

export const saveSenderAction = adminAction('settings.write', senderSchema, async (input, { actor, locale }) => {
  await senderSettings.save(actor, input)
  revalidatePath('/admin/settings/mail')
  return accepted({ message: translator(locale, 'mail')('saved') })
})

export const sendTestAction = adminAction('settings.write', z.object({}), async (_, { actor, user, locale }) => {
  const result = await sendTestMail(actor, { ...user, locale })
  if (!result.ok) return result
  revalidatePath('/admin/settings/mail')
  return accepted({ message: translator(locale, 'mail')('tested') })
})
