'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { translator } from '@/i18n/translator'
import { requestConfirmation } from '@/lib/identity'
import { accepted } from '@/lib/kit'
import { userAction } from '@/lib/web'

export const requestConfirmationAction = userAction(z.object({}), async (_, { user, locale }) => {
  const result = await requestConfirmation(user.id)
  if (!result.ok) return result
  revalidatePath('/account/settings/mails')
  return accepted({ message: translator(locale, 'mail')('linkSent') })
})
