'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { requestCheck } from '@/lib/checks'
import { requestCheckSchema } from '@/lib/checks/schemas'
import { accepted } from '@/lib/kit'
import { userAction } from '@/lib/web'

/** Has proxies of one's own order checked now. */
export const checkAction = userAction(requestCheckSchema, async (input, { user, actor, locale }) => {
  const asked = await requestCheck({ ...actor, id: user.id }, { ...input, userId: user.id })
  if (!asked.ok) return asked
  revalidatePath(`/account/orders/${input.orderId}`)
  return accepted({ message: translator(locale, 'checks')('asked') })
})
