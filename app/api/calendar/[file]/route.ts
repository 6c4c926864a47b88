import { calendarEvents } from '@/components/exports/calendar-events'
import { feedResponse, readFeedFile } from '@/components/exports/feed-response'
import { isLocale } from '@/i18n/locales'
import { translator } from '@/i18n/translator'
import { env } from '@/lib/env'
import { openFeed, planRenewals, writeCalendar } from '@/lib/exports'
import { getProfile } from '@/lib/identity'
import { refused } from '@/lib/kit'
import { publicRoute, type RouteInput } from '@/lib/web'

/**
 * What falls due in the next 90 days as a calendar, in its owner's language, for whoever knows its token: `/api/calendar/{token}.ics`. A wrong token and a
 * revoked one are the same "not found".
 */
async function calendar({ request, params }: RouteInput) {
  const file = readFeedFile(params.file ?? '')
  const opened = file && (await openFeed({ token: file.token, kind: 'calendar' }))
  if (!opened || file?.ending !== 'ics') return refused('not_found')
  const [plan, profile] = await Promise.all([planRenewals({ userId: opened.userId }), getProfile(opened.userId)])
  const locale = isLocale(profile.locale) ? profile.locale : 'en'
  const events = await calendarEvents(plan, locale)
  const name = translator(locale, 'planner')('calendarName', { shop: env().SHOP_NAME })
  return feedResponse(request, 'text/calendar; charset=utf-8', async function* () {
    yield* writeCalendar({ name, events })
  })
}

export const GET = publicRoute(calendar)
export const HEAD = publicRoute(calendar)
