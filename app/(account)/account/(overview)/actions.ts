'use server'

import { revalidatePath } from 'next/cache'
import { redirect } from 'next/navigation'
import { z } from 'zod'
import { translator } from '@/i18n/translator'
import { env } from '@/lib/env'
import { accepted, refused } from '@/lib/kit'
import { dropOrderIntent, finishOrderIntent } from '@/lib/orders'
import { userAction } from '@/lib/web'

const intentSchema = z.object({ intentId: z.string().max(80) })

/** Takes back a choice that waits for money. */
export const dropIntentAction = userAction(intentSchema, async ({ intentId }, { user, locale }) => {
  const dropped = await dropOrderIntent(user, intentId)
  if (!dropped.ok) return dropped
  revalidatePath('/account', 'layout')
  return accepted({ message: translator(locale, 'overview')('dropped') })
})

/** Buys at once what waited for money that is there by now. */
export const finishIntentAction = userAction(intentSchema, async ({ intentId }, { user }) => {
  const placed = await finishOrderIntent(user, intentId)
  if (!placed.ok) return refused(placed.refusal.code, { ...placed.refusal.facts, currency: env().SHOP_CURRENCY })
  redirect(`/account/orders/${placed.value.orderId}`)
})
