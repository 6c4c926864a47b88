'use server'

import { revalidatePath } from 'next/cache'
import { costsFormSchema, planChangeFormSchema, priceRuleFormSchema } from '@/components/admin/price-forms'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import {
  planPriceChange,
  saveCosts,
  savePriceRule,
  switchPriceRule,
  switchRuleSchema,
  withdrawChangeSchema,
  withdrawPriceChange,
} from '@/lib/prices'
import { adminAction } from '@/lib/web'

export const planChangeAction = adminAction(
  'catalog.write',
  planChangeFormSchema,
  async (input, { user, actor, locale }) => {
    const result = await planPriceChange({ ...actor, id: user.id }, input)
    if (!result.ok) return result
    revalidatePath('/admin/catalogue', 'layout')
    return accepted({ message: translator(locale, 'prices')(result.value.isRounded ? 'plannedRounded' : 'planned') })
  },
)

export const withdrawChangeAction = adminAction(
  'catalog.write',
  withdrawChangeSchema,
  async (input, { user, actor }) => {
    const result = await withdrawPriceChange({ ...actor, id: user.id }, input)
    if (!result.ok) return result
    revalidatePath('/admin/catalogue', 'layout')
    return accepted(null)
  },
)

export const savePriceRuleAction = adminAction(
  'catalog.write',
  priceRuleFormSchema,
  async (input, { user, actor, locale }) => {
    const result = await savePriceRule({ ...actor, id: user.id }, input)
    if (!result.ok) return result
    revalidatePath('/admin/catalogue', 'layout')
    return accepted({
      message: translator(locale, 'prices')('ruleSaved'),
      facts: { revision: result.value.version },
    })
  },
)

export const switchPriceRuleAction = adminAction(
  'catalog.write',
  switchRuleSchema,
  async (input, { user, actor, locale }) => {
    const result = await switchPriceRule({ ...actor, id: user.id }, input)
    if (!result.ok) return result
    revalidatePath('/admin/catalogue', 'layout')
    return accepted({ message: translator(locale, 'prices')(input.isActive ? 'ruleSwitchedOn' : 'ruleSwitchedOff') })
  },
)

export const saveCostsAction = adminAction('catalog.write', costsFormSchema, async (input, { user, actor, locale }) => {
  const result = await saveCosts({ ...actor, id: user.id }, input)
  if (!result.ok) return result
  revalidatePath('/admin/catalogue', 'layout')
  return accepted({ message: translator(locale, 'prices')('costsSaved') })
})
