'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { translator } from '@/i18n/translator'
import { env } from '@/lib/env'
import { accepted, refused } from '@/lib/kit'
import { cancelOrder, switchRenewal } from '@/lib/orders'
import { userAction } from '@/lib/web'

const orderId = z.string().max(80)

/** Takes back an order that nobody works on yet. */
export const cancelAction = userAction(z.object({ orderId }), async (input, { user, locale }) => {
  const cancelled = await cancelOrder(user, input)
  if (!cancelled.ok) return cancelled
  revalidatePath('/account', 'layout')
  return accepted({ message: translator(locale, 'proxies')('cancelled') })
})

const switchSchema = z.object({
  orderId,
  /** The period and the total that was shown beside it, as `30:2000000`; empty switches off. */
  terms: z
    .string()
    .regex(/^(\d{1,4}:\d{1,18})?$/)
    .transform((text) => {
      const [days, total] = text.split(':')
      return days && total ? { periodDays: Number(days), totalMicros: BigInt(total) } : null
    }),
})

/** Lets an order renew itself on the terms that were shown, or stops that. */
export const switchRenewalAction = userAction(switchSchema, async (input, { user, locale }) => {
  const { orderId: id, terms } = input
  const switched = await switchRenewal(
    user,
    terms ? { orderId: id, isOn: true, ...terms } : { orderId: id, isOn: false },
  )
  if (!switched.ok) return refused(switched.refusal.code, { ...switched.refusal.facts, currency: env().SHOP_CURRENCY })
  revalidatePath(`/account/orders/${id}`)
  return accepted({ message: translator(locale, 'proxies')(terms ? 'switchedOn' : 'switchedOff') })
})
