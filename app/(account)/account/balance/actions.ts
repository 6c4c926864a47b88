'use server'

import { revalidatePath } from 'next/cache'
import { headers } from 'next/headers'
import { translator } from '@/i18n/translator'
import { env } from '@/lib/env'
import { accepted, formatMoney, refused } from '@/lib/kit'
import { redeemVoucher, redeemVoucherSchema } from '@/lib/promotions'
import { addressOf, userAction } from '@/lib/web'

/** Turns a voucher into money on one's own balance. */
export const redeemVoucherAction = userAction(redeemVoucherSchema, async (input, { user, locale }) => {
  const redeemed = await redeemVoucher({ id: user.id, address: addressOf(await headers()) }, input)
  if (!redeemed.ok) return refused(redeemed.refusal.code, { ...redeemed.refusal.facts, field: 'voucherCode' })
  const { amountMicros, isRepeat } = redeemed.value
  revalidatePath('/account', 'layout')
  const amount = formatMoney(amountMicros, env().SHOP_CURRENCY, locale)
  return accepted({ message: translator(locale, 'promotions')(isRepeat ? 'redeemedBefore' : 'redeemed', { amount }) })
})
