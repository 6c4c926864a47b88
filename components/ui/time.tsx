import { getFormatter, getNow } from 'next-intl/server'
import { DAY_MS } from '@/lib/kit'

const EXACT = { dateStyle: 'medium', timeStyle: 'short' } as const

/** When something happened, as people say it while it is recent ("2 hours ago"), exact on hover and after a week. */
export async function RelativeTime({ at }: { at: Date }) {
  const [format, now] = await Promise.all([getFormatter(), getNow()])
  const exact = format.dateTime(at, { ...EXACT, timeZoneName: undefined })
  const isRecent = Math.abs(now.getTime() - at.getTime()) < 7 * DAY_MS
  return (
    <time dateTime={at.toISOString()} title={exact} className="whitespace-nowrap">
      {isRecent ? format.relativeTime(at, now) : exact}
    </time>
  )
}

/** An exact time with its zone named: for money and for expiry. */
export async function ExactTime({ at }: { at: Date }) {
  const format = await getFormatter()
  return (
    <time dateTime={at.toISOString()} className="tabular-nums">
      {format.dateTime(at, {
        day: 'numeric',
        month: 'short',
        year: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
        timeZoneName: 'short',
      })}
    </time>
  )
}
