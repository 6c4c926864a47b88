'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { accepted, formatMoney } from '@/lib/kit'
import { env } from '@/lib/env'
import {
  changeLink,
  changeLinkSchema,
  makeLink,
  makeLinkSchema,
  moveRewards,
  moveRewardsSchema,
  requestPayout,
  requestPayoutSchema,
  withdrawPayout,
  withdrawPayoutSchema,
} from '@/lib/referrals'
import { userAction } from '@/lib/web'

export const makeLinkAction = userAction(makeLinkSchema, async (input, { user, locale }) => {
  const result = await makeLink(user, input)
  if (!result.ok) return result
  revalidatePath('/account/referrals', 'layout')
  return accepted({ message: translator(locale, 'referrals')('linkMade', { code: result.value.code }) })
})

export const changeLinkAction = userAction(changeLinkSchema, async (input, { user, locale }) => {
  const result = await changeLink(user, input)
  if (!result.ok) return result
  revalidatePath('/account/referrals', 'layout')
  return accepted({ message: translator(locale, 'referrals')('linkSaved') })
})

export const moveRewardsAction = userAction(moveRewardsSchema, async (input, { user, locale }) => {
  const result = await moveRewards(user, input)
  if (!result.ok) return result
  revalidatePath('/account', 'layout')
  const amount = formatMoney(result.value.amountMicros, env().SHOP_CURRENCY, locale)
  return accepted({ message: translator(locale, 'referrals')('moved', { amount }) })
})

export const requestPayoutAction = userAction(requestPayoutSchema, async (input, { user, locale }) => {
  const result = await requestPayout(user, input)
  if (!result.ok) return result
  revalidatePath('/account', 'layout')
  const amount = formatMoney(result.value.amountMicros, env().SHOP_CURRENCY, locale)
  return accepted({ message: translator(locale, 'referrals')('payoutAsked', { amount }) })
})

export const withdrawPayoutAction = userAction(withdrawPayoutSchema, async (input, { user, locale }) => {
  const result = await withdrawPayout(user, input)
  if (!result.ok) return result
  revalidatePath('/account', 'layout')
  return accepted({ message: translator(locale, 'referrals')('payoutWithdrawn') })
})
