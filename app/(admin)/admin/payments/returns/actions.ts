'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import { decideDisputedOrder, decideDisputedOrderSchema } from '@/lib/orders'
import { finishRefund, finishRefundSchema } from '@/lib/payments'
import { adminAction } from '@/lib/web'

export const finishRefundAction = adminAction(
  'payments.refund',
  finishRefundSchema,
  async (input, { user, locale }) => {
    const result = await finishRefund(user, input)
    if (!result.ok) return result
    revalidatePath('/admin', 'layout')
    return accepted({ message: translator(locale, 'admin')('refundEnded') })
  },
)

export const decideDisputedOrderAction = adminAction(
  'payments.review',
  decideDisputedOrderSchema,
  async (input, { user, locale }) => {
    const result = await decideDisputedOrder(user, input)
    if (!result.ok) return result
    revalidatePath('/admin', 'layout')
    return accepted({ message: translator(locale, 'admin')('orderDecided') })
  },
)
