'use server'

import { headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { env } from '@/lib/env'
import { refused } from '@/lib/kit'
import { findOrderIntent } from '@/lib/orders'
import { paymentPath, startTopUp, startTopUpSchema } from '@/lib/payments'
import { addressOf, userAction } from '@/lib/web'

/** Begins a payment and goes to the provider's page; to our own when there is nothing (more) to pay on. */
export const startTopUpAction = userAction(startTopUpSchema, async (input, { user, locale }) => {
  const { orderIntentId } = input
  if (orderIntentId && !(await findOrderIntent({ userId: user.id, intentId: orderIntentId })))
    return refused('not_found')
  const started = await startTopUp({ id: user.id, locale, address: addressOf(await headers()) }, input)
  if (!started.ok) {
    const { code, facts } = started.refusal
    const isAboutCode = code === 'promotion_not_valid' || code === 'too_many_tries'
    return refused(code, {
      ...facts,
      currency: env().SHOP_CURRENCY,
      ...(isAboutCode && { field: 'promotionCode' }),
    })
  }
  redirect(started.value.checkoutUrl ?? paymentPath(started.value.paymentId))
})
