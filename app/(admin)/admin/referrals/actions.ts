'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import {
  commissionRuleSchema,
  decidePayout,
  decidePayoutSchema,
  endCommissionRuleSchema,
  programmeSchema,
  referralProgramme,
  reviewReferral,
  reviewReferralSchema,
  saveCommissionRule,
} from '@/lib/referrals'
import { adminAction } from '@/lib/web'

export const decidePayoutAction = adminAction(
  'referrals.decide',
  decidePayoutSchema,
  async (input, { user, locale }) => {
    const { settlementId, amountMicros, end, reference, reason } = input
    const decided = { settlementId, amountMicros }
    const result = await decidePayout(
      user,
      end === 'paid' ? { ...decided, end, reference } : { ...decided, end, reason },
    )
    if (!result.ok) return result
    revalidatePath('/admin', 'layout')
    return accepted({ message: translator(locale, 'adminReferrals')(`done_${end}`) })
  },
)

export const reviewReferralAction = adminAction(
  'referrals.decide',
  reviewReferralSchema,
  async (input, { user, locale }) => {
    const result = await reviewReferral(user, input)
    if (!result.ok) return result
    revalidatePath('/admin', 'layout')
    return accepted({ message: translator(locale, 'adminReferrals')(`done_${input.decision}`) })
  },
)

export const saveRuleAction = adminAction(
  'referrals.rules',
  commissionRuleSchema,
  async ({ basis, productId, ...terms }, { user, locale }) => {
    const result = await saveCommissionRule({ kind: 'staff', id: user.id }, { basis, productId }, terms)
    if (!result.ok) return result
    revalidatePath('/admin/referrals', 'layout')
    return accepted({ message: translator(locale, 'adminReferrals')('ruleSaved') })
  },
)

export const endRuleAction = adminAction(
  'referrals.rules',
  endCommissionRuleSchema,
  async (where, { user, locale }) => {
    const result = await saveCommissionRule({ kind: 'staff', id: user.id }, where, null)
    if (!result.ok) return result
    revalidatePath('/admin/referrals', 'layout')
    return accepted({ message: translator(locale, 'adminReferrals')('ruleEnded') })
  },
)

export const saveProgrammeAction = adminAction('referrals.rules', programmeSchema, async (input, { actor, locale }) => {
  await referralProgramme.save(actor, input)
  revalidatePath('/admin/referrals', 'layout')
  return accepted({ message: translator(locale, 'adminReferrals')('programmeSaved') })
})
