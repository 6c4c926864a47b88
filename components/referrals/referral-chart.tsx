import { getFormatter, getLocale, getTranslations } from 'next-intl/server'
import { formatMoney } from '@/lib/kit'
import type { ReferralOverview } from '@/lib/referrals'

/** Of the drawing, in its own units: a bar's place, the tallest bar, the room above it for the mark of a new account. */
const BAR = 12
const HEIGHT = 90
const DOT = 8

/**
 * The last thirty days as bars: visits, with sign-ups and what was earned in words for each day. Drawn on the server; a table behind a switch holds the same
 * figures for whoever cannot see bars.
 */
export async function ReferralChart({ overview }: { overview: ReferralOverview }) {
  const [say, format, locale] = await Promise.all([getTranslations('referrals'), getFormatter(), getLocale()])
  const { days, currency } = overview
  const [first, last] = [days.at(0), days.at(-1)]
  if (!first || !last) return null
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
      {/* Bars by attributes: the content policy takes no inline styles. */}
      <svg
        viewBox={`0 0 ${days.length * BAR} ${HEIGHT + DOT}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        className="h-28 w-full border-b"
      >
        {days.map((day, index) => {
          const height = Math.max(day.clicks > 0 ? 2 : 0, Math.round((day.clicks / most) * HEIGHT))
          return (
            <g key={day.day.toISOString()}>
              <title>{words(day)}</title>
              <rect x={index * BAR} y={0} width={BAR} height={HEIGHT + DOT} className="fill-transparent" />
              <rect
                x={index * BAR + 1}
                y={HEIGHT + DOT - height}
                width={BAR - 2}
                height={height}
                className="fill-accent"
              />
              {day.signUps > 0 && (
                <rect x={index * BAR + 3} y={HEIGHT - height} width={BAR - 6} height={DOT - 3} className="fill-good" />
              )}
            </g>
          )
        })}
      </svg>
      <figcaption className="mt-2 flex flex-wrap justify-between gap-2 text-xs text-muted">
        <span>{date(first.day)}</span>
        <span>{say('chartLegend', { most })}</span>
        <span>{date(last.day)}</span>
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
