'use server'

import { revalidatePath } from 'next/cache'
import { redirect } from 'next/navigation'
import { z } from 'zod'
import { env } from '@/lib/env'
import { refused } from '@/lib/kit'
import { keepOrderIntent, placeOrder, placeOrderSchema } from '@/lib/orders'
import { userAction } from '@/lib/web'

/** `ifShort: top_up` keeps the order when the balance is short, and leads to paying exactly what is missing. */
const buySchema = placeOrderSchema.extend({ ifShort: z.enum(['refuse', 'top_up']).default('refuse') })

export const buyAction = userAction(buySchema, async ({ ifShort, ...input }, { user }) => {
  const placed = await placeOrder(user, input)
  if (placed.ok) redirect(`/account/orders/${placed.value.orderId}`)
  const { code, facts } = placed.refusal
  // A debt is paid by the same top-up: what is missing includes it.
  if ((code === 'insufficient_balance' || code === 'in_debt') && ifShort === 'top_up') {
    const { requestKey: _, ...choice } = input
    const kept = await keepOrderIntent(user, choice)
    if (!kept.ok) return kept
    redirect(`/account/top-up?intent=${kept.value.intentId}`)
  }
  // What the page shows is out of date: prices, stock or the balance have changed under it.
  revalidatePath('/', 'layout')
  return refused(code, { ...facts, currency: env().SHOP_CURRENCY })
})
