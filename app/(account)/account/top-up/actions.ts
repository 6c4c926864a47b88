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
  if (!started.ok) return refused(started.refusal.code, { ...started.refusal.facts, currency: env().SHOP_CURRENCY })
  redirect(started.value.checkoutUrl ?? paymentPath(started.value.paymentId))
})
