'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import { decideReview, decideReviewSchema, refundPayment, refundPaymentSchema } from '@/lib/payments'
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

export const refundPaymentAction = adminAction(
  'payments.refund',
  refundPaymentSchema,
  async (input, { user, locale }) => {
    const result = await refundPayment(user, input)
    if (!result.ok) return result
    revalidatePath('/admin', 'layout')
    const say = translator(locale, 'admin')
    return accepted({ message: say(result.value.state === 'manual' ? 'refundManualBegun' : 'refundBegun') })
  },
)
