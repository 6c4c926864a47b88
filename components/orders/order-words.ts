import { getLocale, getTranslations } from 'next-intl/server'
import type { Tone } from '@/components/ui/tones'
import { findPlan } from '@/lib/catalog'
import type { OrderState } from '@/lib/orders'

export const ORDER_TONES: Record<OrderState, Tone> = {
  placed: 'info',
  delivering: 'info',
  unknown: 'warning',
  active: 'good',
  in_grace: 'warning',
  cancelled: 'neutral',
  refunded: 'neutral',
  failed: 'bad',
  withdrawn: 'bad',
  expired: 'neutral',
}

/** The state as a customer sees it: what was delivered ends to the second, also before the clockwork has written so. */
export function shownState(order: { state: OrderState; expiresAt: Date | null }, now: Date): OrderState {
  return order.state === 'active' && order.expiresAt !== null && order.expiresAt <= now ? 'expired' : order.state
}

export type ChosenPlan = { planId: string; countryCode: string; quantity: number; periodDays: number }

/** A choice in parts: the plan's name (also of a plan that is no longer sold), the country, how many, how long. */
export async function nameChoice(choice: ChosenPlan) {
  const [common, locale, found] = await Promise.all([getTranslations('common'), getLocale(), findPlan(choice.planId)])
  const plan = found ? (locale === 'ru' ? found.plan.nameRu : found.plan.nameEn) : '–'
  const country = new Intl.DisplayNames([locale], { type: 'region' }).of(choice.countryCode) ?? choice.countryCode
  return {
    plan,
    slug: found?.plan.slug ?? null,
    country,
    pieces: common('pieces', { count: choice.quantity }),
    period: common('days', { count: choice.periodDays }),
  }
}

/** A choice in one line: "Dedicated IPv4, Netherlands, 3 pieces, 30 days". */
export async function sayChoice(choice: ChosenPlan): Promise<string> {
  const [say, { slug: _, ...names }] = await Promise.all([getTranslations('orders'), nameChoice(choice)])
  return say('choice', names)
}
