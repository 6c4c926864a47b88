'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import { decideReview, decideReviewSchema } from '@/lib/payments'
import { adminAction } from '@/lib/web'

export const decideReviewAction = adminAction(
  'payments.review',
  decideReviewSchema,
  async (input, { user, locale }) => {
    const result = await decideReview(user, input)
    if (!result.ok) return result
    revalidatePath('/admin', 'layout')
    return accepted({ message: translator(locale, 'admin')('decided') })
  },
)
