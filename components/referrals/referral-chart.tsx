import { getFormatter, getLocale, getTranslations } from 'next-intl/server'
import { formatMoney } from '@/lib/kit'
import type { ReferralOverview } from '@/lib/referrals'

/**
 * The last thirty days as bars: visits, with sign-ups and what was earned in words for each day. Drawn on the server; a table behind a switch holds the same
 * figures for whoever cannot see bars.
 */
export async function ReferralChart({ overview }: { overview: ReferralOverview }) {
  const [say, format, locale] = await Promise.all([getTranslations('referrals'), getFormatter(), getLocale()])
  const { days, currency } = overview
  const most = Math.max(1, ...days.map((day) => day.clicks))
  const date = (day: Date) => format.dateTime(day, { day: 'numeric', month: 'short', timeZone: 'UTC' })
  const words = (day: ReferralOverview['days'][number]) =>
    say('chartDay', {
      date: date(day.day),
      clicks: day.clicks,
      signUps: day.signUps,
      earned: formatMoney(day.earnedMicros, currency, locale),
    })
  return (
    <figure>
      <div aria-hidden="true" className="flex h-28 items-end gap-[2px] border-b">
        {days.map((day) => (
          <div key={day.day.toISOString()} title={words(day)} className="flex h-full flex-1 flex-col justify-end">
            {day.signUps > 0 && <span className="mx-auto mb-0.5 size-1.5 rounded-full bg-good" />}
            <span
              className="block rounded-t-xs bg-accent"
              style={{ height: `${(day.clicks / most) * 100}%`, minHeight: day.clicks > 0 ? 2 : 0 }}
            />
          </div>
        ))}
      </div>
      <figcaption className="mt-2 flex flex-wrap justify-between gap-2 text-xs text-muted">
        <span>{date(days[0]!.day)}</span>
        <span>{say('chartLegend', { most })}</span>
        <span>{date(days.at(-1)!.day)}</span>
      </figcaption>
      <details className="mt-3 text-sm">
        <summary className="cursor-pointer text-accent underline">{say('chartTable')}</summary>
        <ul className="mt-2 grid gap-1 tabular-nums sm:grid-cols-2">
          {days.toReversed().map((day) => (
            <li key={day.day.toISOString()}>{words(day)}</li>
          ))}
        </ul>
      </details>
    </figure>
  )
}
