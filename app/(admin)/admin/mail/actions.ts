'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import { liftSchema, liftSuppression, mailIdSchema, sendMailAgain } from '@/lib/notifications'
import { adminAction } from '@/lib/web'

export const sendAgainAction = adminAction('mail.write', mailIdSchema, async ({ emailId }, { actor, locale }) => {
  const result = await sendMailAgain(actor, emailId)
  if (!result.ok) return result
  revalidatePath('/admin', 'layout')
  return accepted({ message: translator(locale, 'mail')('sentAgain') })
})

export const liftAction = adminAction('mail.write', liftSchema, async (input, { actor, locale }) => {
  const result = await liftSuppression(actor, input)
  if (!result.ok) return result
  revalidatePath('/admin', 'layout')
  return accepted({ message: translator(locale, 'mail')('lifted') })
})
