import { getLocale, getTranslations } from 'next-intl/server'
import type { ComponentProps } from 'react'
import { env } from '@/lib/env'
import type { CatalogPlan } from '@/lib/catalog'
import type { Choice, Place } from './choice'
import { CALCULATOR_TEXTS, type CalculatorTexts } from './calculator-texts'
import { PlanCalculator } from './plan-calculator'

/** The calculator of a plan with its texts: the server's half, which knows the languages. */
export async function Calculator({
  plan,
  places,
  choice,
  use,
  isByGigabyte = false,
}: {
  plan: CatalogPlan
  /** Traffic: what is counted are gigabytes. */
  isByGigabyte?: boolean
  places: Place[]
  choice: Choice
  use: ComponentProps<typeof PlanCalculator>['use']
}) {
  const [say, common, locale] = await Promise.all([
    getTranslations('catalogue'),
    getTranslations('common'),
    getLocale(),
  ])
  const texts = Object.fromEntries(
    CALCULATOR_TEXTS.map((key) => {
      const other = `${key}_gb` as 'quantity_gb'
      return [key, say.raw(isByGigabyte && say.has(other) ? other : key) as string]
    }),
  ) as CalculatorTexts
  const { id, slug, minQuantity, maxQuantity, steps, totalStepMicros } = plan
  const periods = plan.periods.map((period) => ({ ...period, name: common('days', { count: period.days }) }))
  return (
    <PlanCalculator
      plan={{ id, slug, minQuantity, maxQuantity, steps, totalStepMicros, periods, places }}
      currency={env().SHOP_CURRENCY}
      locale={locale}
      texts={texts}
      choice={choice}
      quantityHelp={say('quantityHelp', { min: minQuantity, max: maxQuantity })}
      use={use}
    />
  )
}
