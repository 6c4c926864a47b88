'use server'

import { revalidatePath } from 'next/cache'
import { redirect } from 'next/navigation'
import { z } from 'zod'
import { translator } from '@/i18n/translator'
import { env } from '@/lib/env'
import { accepted, refused } from '@/lib/kit'
import { dropOrderIntent, findOrderIntent, placeOrder } from '@/lib/orders'
import { userAction } from '@/lib/web'

const intentSchema = z.object({ intentId: z.string().max(80) })

/** Takes back a choice that waits for money. */
export const dropIntentAction = userAction(intentSchema, async ({ intentId }, { user, locale }) => {
  const dropped = await dropOrderIntent(user, intentId)
  if (!dropped.ok) return dropped
  revalidatePath('/account', 'layout')
  return accepted({ message: translator(locale, 'overview')('dropped') })
})

/**
 * Buys at once what waited for money that is there by now. The key is the one under which the worker would place it, so that both together
 * place one order.
 */
export const finishIntentAction = userAction(intentSchema, async ({ intentId }, { user }) => {
  const intent = await findOrderIntent({ userId: user.id, intentId })
  if (!intent) return refused('not_found')
  if (intent.orderId) redirect(`/account/orders/${intent.orderId}`)
  if (intent.state !== 'waiting') return refused('not_found')
  const placed = await placeOrder(user, { ...intent, requestKey: intent.id })
  if (!placed.ok) return refused(placed.refusal.code, { ...placed.refusal.facts, currency: env().SHOP_CURRENCY })
  await dropOrderIntent(user, intent.id)
  redirect(`/account/orders/${placed.value.orderId}`)
})
