'use server'

import { revalidatePath } from 'next/cache'
import { headers } from 'next/headers'
import { redirect } from 'next/navigation'
import { z } from 'zod'
import { translator } from '@/i18n/translator'
import { env } from '@/lib/env'
import { accepted, formatMoney, type Refusal, refused } from '@/lib/kit'
import { keepOrderIntent, placeOrder, placeOrderSchema, previewOrder } from '@/lib/orders'
import { addressOf, userAction } from '@/lib/web'

/**
 * `ifShort: top_up` keeps the order when the balance is short, and leads to paying exactly what is missing; `check` buys nothing and says what the typed code
 * takes off.
 */
const buySchema = placeOrderSchema.extend({ ifShort: z.enum(['refuse', 'top_up', 'check']).default('refuse') })

export const buyAction = userAction(buySchema, async ({ ifShort, ...input }, { user, locale }) => {
  const buyer = { id: user.id, address: addressOf(await headers()) }
  const currency = env().SHOP_CURRENCY
  if (ifShort === 'check') {
    const preview = await previewOrder(buyer, { ...input, promotionCode: input.promotionCode ?? '' })
    if (!preview.ok) return refusedBeside(preview.refusal, currency)
    const { discountMicros, totalMicros } = preview.value
    const discount = formatMoney(discountMicros, currency, locale)
    const total = formatMoney(totalMicros, currency, locale)
    return accepted({
      message: translator(locale, 'catalogue')('promotionHolds', { discount, total }),
      facts: { totalMicros, promotionMicros: discountMicros },
    })
  }
  const placed = await placeOrder(buyer, input)
  if (placed.ok) redirect(`/account/orders/${placed.value.orderId}`)
  const { code } = placed.refusal
  // A debt is paid by the same top-up: what is missing includes it.
  if ((code === 'insufficient_balance' || code === 'in_debt') && ifShort === 'top_up') {
    const { requestKey: _, ...choice } = input
    const kept = await keepOrderIntent(buyer, choice)
    if (!kept.ok) return refusedBeside(kept.refusal, currency)
    redirect(`/account/top-up?intent=${kept.value.intentId}`)
  }
  // What the page shows is out of date: prices, stock or the balance have changed under it.
  revalidatePath('/', 'layout')
  return refusedBeside(placed.refusal, currency)
})

const ABOUT_THE_CODE = new Set<string>(['promotion_not_valid', 'promotion_used_up', 'too_many_tries'])

/** A refusal about the code stands beside its field. */
function refusedBeside<Code extends string>({ code, facts }: Refusal<Code>, currency: string) {
  return refused(code, { ...facts, currency, ...(ABOUT_THE_CODE.has(code) && { field: 'promotionCode' }) })
}
