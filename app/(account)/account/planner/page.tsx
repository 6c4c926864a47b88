import type { Metadata } from 'next'
import { getFormatter, getLocale, getNow, getTimeZone, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { FeedRow, shownOnceTexts } from '@/components/exports/feed-row'
import { ShownOnce } from '@/components/exports/shown-once'
import { sayChoice } from '@/components/orders/order-words'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { EmptyState } from '@/components/ui/empty-state'
import { TextField } from '@/components/ui/field'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { shortId } from '@/components/ui/short-id'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { DataTable } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import {
  type FeedView,
  listFeeds,
  monthsOf,
  planDays,
  PLANNER_DAYS,
  type PlannedDay,
  type PlannedDays,
  type PlannedItem,
  planRenewals,
} from '@/lib/exports'
import { amountText, ceilToCents, formatMoney } from '@/lib/kit'
import { requireUser } from '@/lib/web'
import { makeCalendarAction, renameCalendarAction, revokeCalendarAction, rotateCalendarAction } from './actions'

/** A day on which something is due, with the words for each of its items ready. */
type Row = { day: PlannedDay; item: PlannedItem; what: string; isLast: boolean }

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('planner'))('title') }
}

export default async function PlannerPage() {
  const user = await requireUser()
  const [say, now, timeZone] = await Promise.all([getTranslations('planner'), getNow(), getTimeZone()])
  const [plan, feeds] = await Promise.all([
    planRenewals({ userId: user.id, now }),
    listFeeds({ userId: user.id, kind: 'calendar' }),
  ])
  const { currency, balanceMicros, leadHours } = plan
  const planned = planDays(plan.items, { balanceMicros, timeZone })
  const money = (micros: bigint) => () => (
    <Money micros={micros} currency={currency} className="font-semibold text-text" />
  )
  return (
    <>
      <PageHeader
        title={say('title')}
        lead={
          planned.days.length === 0
            ? say('leadNothing', { days: PLANNER_DAYS })
            : say.rich('lead', {
                days: PLANNER_DAYS,
                itself: money(planned.byItselfMicros),
                hand: money(planned.byHandMicros),
              })
        }
      />
      <div className="flex flex-col gap-6">
        {planned.days.length === 0 ? (
          <EmptyState
            title={say('emptyTitle')}
            action={<ButtonLink href="/catalogue">{say('emptyAction')}</ButtonLink>}
          >
            {say('emptyText')}
          </EmptyState>
        ) : (
          <>
            <Balance planned={planned} currency={currency} balanceMicros={balanceMicros} />
            <Card title={say('calendar')} lead={say('calendarLead', { hours: leadHours, zone: timeZone })}>
              <Calendar planned={planned} now={now} timeZone={timeZone} currency={currency} />
            </Card>
            <Agenda planned={planned} currency={currency} />
          </>
        )}
        <CalendarFeeds feeds={feeds} />
      </div>
    </>
  )
}

/** A day of a person's calendar as a moment that formats to that day in UTC. */
const atNoon = (date: string) => new Date(`${date}T12:00:00Z`)

/** Whether the balance suffices, until when, and the way to mend it. */
async function Balance({
  planned,
  currency,
  balanceMicros,
}: {
  planned: PlannedDays
  currency: string
  balanceMicros: bigint
}) {
  const [say, format, locale] = await Promise.all([getTranslations('planner'), getFormatter(), getLocale()])
  const { short, shortOfAll, days } = planned
  const last = days.at(-1)!
  const money = (micros: bigint) => () => <Money micros={micros} currency={currency} className="font-semibold" />
  const dateOf = (day: PlannedDay) => format.dateTime(atNoon(day.date), { dateStyle: 'long', timeZone: 'UTC' })
  const topUp = (micros: bigint) => {
    const amount = ceilToCents(micros)
    return (
      <ButtonLink href={`/account/top-up?amount=${amountText(amount)}`} size="sm" className="mt-3">
        {say('topUp', { amount: formatMoney(amount, currency, locale) })}
      </ButtonLink>
    )
  }
  if (!short && !shortOfAll)
    return <Alert tone="good">{say.rich('balanceHoldsAll', { balance: money(balanceMicros) })}</Alert>
  const all = shortOfAll && (
    <p className="mt-1">
      {say.rich('shortOfAll', {
        date: dateOf(shortOfAll),
        days: PLANNER_DAYS,
        total: money(-last.balanceOfAllMicros),
      })}
    </p>
  )
  if (!short)
    return (
      <Alert tone="info">
        <p>{say.rich('balanceHolds', { balance: money(balanceMicros) })}</p>
        {all}
        {topUp(-last.balanceOfAllMicros)}
      </Alert>
    )
  return (
    <Alert tone="warning" title={say('shortTitle', { date: dateOf(short) })}>
      <p>
        {say.rich('short', {
          missing: money(-short.balanceMicros),
          total: money(-last.balanceMicros),
          days: PLANNER_DAYS,
        })}
      </p>
      {planned.byHandMicros > 0n && all}
      {topUp(-last.balanceMicros)}
    </Alert>
  )
}

/** A table per month. A day on which something is due leads to its line in the list; on phones the sum is left to the list. */
async function Calendar({
  planned,
  now,
  timeZone,
  currency,
}: {
  planned: PlannedDays
  now: Date
  timeZone: string
  currency: string
}) {
  const [say, format] = await Promise.all([getTranslations('planner'), getFormatter()])
  const byDate = new Map(planned.days.map((day) => [day.date, day]))
  const months = monthsOf(now, timeZone)
  // Any Monday begins a week of names.
  const weekdays = Array.from({ length: 7 }, (_, index) => new Date(Date.UTC(2024, 0, 1 + index, 12)))
  return (
    <div className="grid gap-6 xl:grid-cols-2">
      {months.map(({ month, weeks }) => {
        const days = planned.days.filter(({ date }) => date.startsWith(month))
        const sum = (key: 'byItselfMicros' | 'byHandMicros') => days.reduce((total, day) => total + day[key], 0n)
        return (
          <table key={month} className="w-full table-fixed border-collapse self-start text-sm">
            <caption className="mb-2 text-left">
              <span className="block font-semibold first-letter:uppercase">
                {format.dateTime(atNoon(`${month}-01`), { month: 'long', year: 'numeric', timeZone: 'UTC' })}
              </span>
              <span className="text-muted">
                {days.length === 0
                  ? say('monthNothing')
                  : say.rich('monthSums', {
                      itself: () => <Money micros={sum('byItselfMicros')} currency={currency} />,
                      hand: () => <Money micros={sum('byHandMicros')} currency={currency} />,
                    })}
              </span>
            </caption>
            <thead>
              <tr className="text-xs text-muted">
                {weekdays.map((day) => (
                  <th key={day.getTime()} scope="col" className="py-1 font-medium">
                    {format.dateTime(day, { weekday: 'short', timeZone: 'UTC' })}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {weeks.map((week, index) => (
                <tr key={index}>
                  {week.map((date, place) => (
                    <td key={place} className="h-12 border p-0 align-top">
                      {date && <Day date={date} day={byDate.get(date)} currency={currency} />}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        )
      })}
    </div>
  )
}

async function Day({ date, day, currency }: { date: string; day?: PlannedDay; currency: string }) {
  const number = <span className="block px-1 text-xs tabular-nums">{Number(date.slice(8))}</span>
  if (!day) return <span className="block h-full text-muted">{number}</span>
  const [say, format, locale] = await Promise.all([getTranslations('planner'), getFormatter(), getLocale()])
  const sum = day.byItselfMicros + day.byHandMicros
  const isShort = day.balanceMicros < 0n && day.byItselfMicros > 0n
  return (
    <a
      href={`#day-${date}`}
      aria-label={say('dayDue', {
        date: format.dateTime(atNoon(date), { dateStyle: 'long', timeZone: 'UTC' }),
        count: day.items.length,
        amount: formatMoney(sum, currency, locale),
      })}
      className={`block h-full min-h-12 overflow-hidden font-medium hover:underline focus-visible:outline-2 focus-visible:outline-accent ${isShort ? 'bg-warning-soft text-warning' : 'bg-accent-soft text-accent'}`}
    >
      {number}
      <span aria-hidden="true" className="block px-1 text-xs tabular-nums">
        <span className="sm:hidden">{isShort ? '!' : '●'}</span>
        <span className="max-sm:hidden">{sum > 0n ? amountText(sum) : '●'}</span>
      </span>
    </a>
  )
}

/** Every item by its day, with what is left of the balance after the last of a day. */
async function Agenda({ planned, currency }: { planned: PlannedDays; currency: string }) {
  const [say, format] = await Promise.all([getTranslations('planner'), getFormatter()])
  const rows: Row[] = []
  for (const day of planned.days)
    for (const [index, item] of day.items.entries())
      rows.push({ day, item, what: await sayChoice(item), isLast: index === day.items.length - 1 })
  return (
    <section aria-labelledby="agenda">
      <h2 id="agenda" className="mb-3 text-base font-semibold">
        {say('list')}
      </h2>
      <DataTable
        caption={say('list')}
        rows={rows}
        rowKey={({ item }) => `${item.orderId} ${item.endsAt.getTime()} ${item.reason}`}
        empty={null}
        columns={[
          {
            key: 'day',
            head: say('day'),
            cell: ({ day, item }) => (
              <span
                id={day.items[0] === item ? `day-${day.date}` : undefined}
                className="scroll-mt-20 whitespace-nowrap"
              >
                {format.dateTime(atNoon(day.date), { dateStyle: 'medium', timeZone: 'UTC' })}
              </span>
            ),
          },
          {
            key: 'order',
            head: say('order'),
            cell: ({ item, what }) => (
              <>
                <Link href={`/account/orders/${item.orderId}`} className="text-accent underline">
                  {shortId(item.orderId)}
                </Link>
                <span className="block text-muted">{what}</span>
              </>
            ),
          },
          {
            key: 'way',
            head: say('way'),
            cell: ({ item }) => (
              <>
                <Status tone={item.way === 'by_itself' ? 'good' : item.way === 'by_hand' ? 'info' : 'neutral'}>
                  {say(`way_${item.way}`)}
                </Status>
                <span className="block text-muted">
                  <ExactTime at={item.endsAt} />
                </span>
                {item.reason && <span className="block max-w-xs text-muted">{say(`reason_${item.reason}`)}</span>}
              </>
            ),
          },
          {
            key: 'sum',
            head: say('sum'),
            isNumber: true,
            cell: ({ item }) =>
              item.totalMicros === null ? '–' : <Money micros={item.totalMicros} currency={currency} />,
          },
          {
            key: 'left',
            head: say('left'),
            isNumber: true,
            cell: ({ day, isLast }) =>
              isLast ? (
                <Money
                  micros={day.balanceMicros}
                  currency={currency}
                  className={day.balanceMicros < 0n ? 'font-semibold text-bad' : ''}
                />
              ) : (
                ''
              ),
          },
        ]}
      />
    </section>
  )
}

async function CalendarFeeds({ feeds }: { feeds: FeedView[] }) {
  const [say, exports, once] = await Promise.all([
    getTranslations('planner'),
    getTranslations('exports'),
    shownOnceTexts(),
  ])
  return (
    <Card id="feeds" title={say('feedTitle')} lead={say('feedLead')} className="max-w-4xl">
      {feeds.length === 0 ? (
        <p className="text-sm text-muted">{say('feedEmpty')}</p>
      ) : (
        <ul>
          {feeds.map((feed) => (
            <FeedRow
              key={feed.id}
              feed={feed}
              actions={{ rename: renameCalendarAction, rotate: rotateCalendarAction, revoke: revokeCalendarAction }}
            />
          ))}
        </ul>
      )}
      <h3 className="mt-6 mb-3 border-t pt-6 font-semibold">{say('newFeed')}</h3>
      <ActionForm action={makeCalendarAction} className="flex flex-col gap-4">
        <TextField name="name" label={exports('name')} help={say('feedNameHelp')} maxLength={60} required />
        <SubmitButton className="self-start">{say('makeFeed')}</SubmitButton>
        <ShownOnce texts={once} />
      </ActionForm>
    </Card>
  )
}
