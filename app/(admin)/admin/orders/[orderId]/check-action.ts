'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { requestCheck } from '@/lib/checks'
import { requestCheckSchema } from '@/lib/checks/schemas'
import { accepted } from '@/lib/kit'
import { adminAction } from '@/lib/web'

/** Has proxies of any order checked now. */
export const checkAction = adminAction('orders.check', requestCheckSchema, async (input, { user, actor, locale }) => {
  const asked = await requestCheck({ ...actor, id: user.id }, input)
  if (!asked.ok) return asked
  revalidatePath(`/admin/orders/${input.orderId}`)
  return accepted({ message: translator(locale, 'checks')('asked') })
})
