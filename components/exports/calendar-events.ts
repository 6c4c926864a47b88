import type { Locale } from '@/i18n/locales'
import { translator } from '@/i18n/translator'
import { shortId } from '@/components/ui/short-id'
import { findPlan } from '@/lib/catalog'
import { env } from '@/lib/env'
import type { CalendarEvent, RenewalPlan } from '@/lib/exports'
import { formatMoney } from '@/lib/kit'

/** What falls due as entries of a calendar: which order, when, for how much. Nothing by which a proxy could be used. */
export async function calendarEvents(plan: RenewalPlan, locale: Locale): Promise<CalendarEvent[]> {
  const [say, common] = [translator(locale, 'planner'), translator(locale, 'common')]
  const countries = new Intl.DisplayNames([locale], { type: 'region' })
  const { host } = new URL(env().PUBLIC_URL)
  const events: CalendarEvent[] = []
  for (const item of plan.items) {
    const found = await findPlan(item.planId)
    const amount = item.totalMicros === null ? '' : formatMoney(item.totalMicros, plan.currency, locale)
    events.push({
      uid: `${item.orderId}-${item.endsAt.getTime()}-${item.reason === 'by_volume' ? 'v' : 't'}@${host}`,
      // Not the moment of asking: what did not change is the same text, and has the same tag.
      stampedAt: item.placedAt,
      at: item.endsAt,
      summary: say(`event_${item.way}`, { id: shortId(item.orderId), amount }),
      description: say('eventText', {
        plan: found ? (locale === 'ru' ? found.plan.nameRu : found.plan.nameEn) : '–',
        country: countries.of(item.countryCode) ?? item.countryCode,
        pieces: common('pieces', { count: item.quantity }),
        period: common('days', { count: item.periodDays }),
      }),
      url: new URL(`/account/orders/${item.orderId}`, env().PUBLIC_URL).href,
    })
  }
  return events
}
