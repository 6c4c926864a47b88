import { getLocale, getTranslations } from 'next-intl/server'
import { env } from '@/lib/env'
import { formatMoney } from '@/lib/kit'
import type { ProviderView, TestResult } from '@/lib/payments'

const RESULTS: readonly TestResult[] = ['ok', 'unreachable', 'key_refused', 'account_unknown', 'unexpected_answer']

/** The last test's result as one of the words there are texts for; null when there was none. */
export function testResultOf({ testResult }: Pick<ProviderView, 'testResult'>): TestResult | null {
  return RESULTS.find((each) => each === testResult) ?? null
}

/** The vendor as it calls itself; its name here when there is no word for it. */
export async function brandOf(provider: string): Promise<string> {
  const say = await getTranslations('adminSettings')
  const key = `brand_${provider}` as 'brand_stripe'
  return say.has(key) ? say(key) : provider
}

/** What the operator allows at a time; a dash where the provider's own limits hold. */
export async function sayLimits({ minMicros, maxMicros }: ProviderView): Promise<string> {
  const [say, locale] = await Promise.all([getTranslations('adminSettings'), getLocale()])
  const money = (micros: bigint) => formatMoney(micros, env().SHOP_CURRENCY, locale)
  if (minMicros !== null && maxMicros !== null)
    return say('limitsBetween', { min: money(minMicros), max: money(maxMicros) })
  if (minMicros !== null) return say('limitsFrom', { min: money(minMicros) })
  return maxMicros === null ? '—' : say('limitsTo', { max: money(maxMicros) })
}
