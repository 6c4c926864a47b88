'use server'

import { revalidatePath } from 'next/cache'
import { translator } from '@/i18n/translator'
import { accepted, formatMoney } from '@/lib/kit'
import { env } from '@/lib/env'
import { askAgain, correctDifference, dismissDifference, mendDifferenceSchema } from '@/lib/payments'
import { adminAction } from '@/lib/web'

export const mendDifferenceAction = adminAction(
  'payments.review',
  mendDifferenceSchema,
  async ({ decision, ...input }, { user, locale }) => {
    const say = translator(locale, 'differences')
    switch (decision) {
      case 'ask_again': {
        const asked = await askAgain(user, input)
        if (!asked.ok) return asked
        revalidatePath('/admin', 'layout')
        return accepted({ message: say(asked.value.isMended ? 'doneMended' : 'doneAsked') })
      }
      case 'correct': {
        const corrected = await correctDifference(user, input)
        if (!corrected.ok) return corrected
        revalidatePath('/admin', 'layout')
        const { movedMicros } = corrected.value
        const amount = formatMoney(movedMicros, env().SHOP_CURRENCY, locale)
        return accepted({ message: movedMicros === 0n ? say('doneAgreed') : say('doneCorrected', { amount }) })
      }
      case 'dismiss': {
        const dismissed = await dismissDifference(user, input)
        if (!dismissed.ok) return dismissed
        revalidatePath('/admin', 'layout')
        return accepted({ message: say('doneDismissed') })
      }
    }
  },
)
