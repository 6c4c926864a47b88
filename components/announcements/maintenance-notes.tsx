import { getLocale, getNow, getTimeZone, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { Alert } from '@/components/ui/alert'
import { type AnnouncedMaintenance, listMaintenance, type Maintenance } from '@/lib/announcements'
import { timeIn, titleIn } from './announcement-words'

/** How long before its beginning a maintenance stands on every page of the account. */
const NEAR_HOURS = 24

/** On every page of the account, while a maintenance that touches the person's proxies is near or under way. */
export async function MaintenanceBanner({ userId }: { userId: string }) {
  const now = await getNow()
  const found = await listMaintenance({ userId, withinHours: NEAR_HOURS, now })
  if (found.length === 0) return null
  const [say, locale] = await Promise.all([getTranslations('announcements'), getLocale()])
  return found.map((each) => {
    const isNow = each.beginsAt <= now
    return (
      <Alert
        key={each.id}
        tone={isNow ? 'warning' : 'info'}
        title={say(isNow ? 'bannerNow' : 'bannerNear', { title: titleIn(locale, each) })}
        className="mb-6"
      >
        <Span maintenance={each} count="touchesYours" />
      </Alert>
    )
  })
}

/** On the page of an order or of a proxy: every maintenance that is announced for it, however far away. */
export async function MaintenanceLines(of: { userId: string; orderId?: string; allocationId?: string }) {
  const found = await listMaintenance({ ...of, now: await getNow() })
  if (found.length === 0) return null
  const [say, locale, timeZone] = await Promise.all([getTranslations('announcements'), getLocale(), getTimeZone()])
  return found.map((each) => (
    <Alert key={each.id} tone="info">
      <p>
        {say('line', {
          begins: timeIn(locale, timeZone, each.beginsAt),
          ends: timeIn(locale, timeZone, each.endsAt),
          title: titleIn(locale, each),
        })}
      </p>
      {of.orderId !== undefined && <p>{say('touchesOrder', { count: each.proxies })}</p>}
      <More slug={each.slug} />
    </Alert>
  ))
}

/** In the row of a proxy: the soonest maintenance that is announced for it, in a word. */
export async function MaintenanceMark({ maintenance }: { maintenance: AnnouncedMaintenance }) {
  const [say, locale, timeZone, now] = await Promise.all([
    getTranslations('announcements'),
    getLocale(),
    getTimeZone(),
    getNow(),
  ])
  const { beginsAt, endsAt, slug } = maintenance
  const isNow = beginsAt <= now
  return (
    <Link
      href={`/announcements/${slug}`}
      prefetch={false}
      title={titleIn(locale, maintenance)}
      className="mt-1 block max-w-56 text-xs text-accent underline max-sm:ml-auto"
    >
      {isNow
        ? say('markNow', { ends: timeIn(locale, timeZone, endsAt) })
        : say('markNear', { begins: timeIn(locale, timeZone, beginsAt) })}
    </Link>
  )
}

async function Span({ maintenance, count }: { maintenance: Maintenance; count: 'touchesYours' }) {
  const [say, locale, timeZone] = await Promise.all([getTranslations('announcements'), getLocale(), getTimeZone()])
  const { beginsAt, endsAt, proxies, slug } = maintenance
  return (
    <>
      <p>
        {say('span', { begins: timeIn(locale, timeZone, beginsAt), ends: timeIn(locale, timeZone, endsAt) })}{' '}
        {say(count, { count: proxies })}
      </p>
      <More slug={slug} />
    </>
  )
}

async function More({ slug }: { slug: string }) {
  const say = await getTranslations('announcements')
  return (
    <Link href={`/announcements/${slug}`} className="mt-1 inline-block text-accent underline">
      {say('more')}
    </Link>
  )
}
