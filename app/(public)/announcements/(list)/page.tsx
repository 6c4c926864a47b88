import type { Metadata } from 'next'
import { getLocale, getTimeZone, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { AnnouncementKindStatus, textIn, timeIn, titleIn } from '@/components/announcements/announcement-words'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { ExactTime } from '@/components/ui/time'
import { leadOf, listPublished } from '@/lib/announcements'

const PATH = '/announcements'
const PAGE_SIZE = 20

export async function generateMetadata(): Promise<Metadata> {
  const [say, locale] = await Promise.all([getTranslations('announcements'), getLocale()])
  return {
    title: say('title'),
    description: say('lead'),
    alternates: { types: { 'application/atom+xml': `${PATH}/feed?locale=${locale}` } },
  }
}

/** What the shop announced, the newest first. For everybody. */
export default async function AnnouncementsPage({ searchParams }: { searchParams: SearchParams }) {
  const before = oneOf((await searchParams).before)
  const [say, locale, timeZone, page] = await Promise.all([
    getTranslations('announcements'),
    getLocale(),
    getTimeZone(),
    listPublished({ before, limit: PAGE_SIZE }),
  ])
  return (
    <div className="max-w-3xl">
      <PageHeader title={say('title')} lead={say('lead')} />
      {page.rows.length === 0 ? (
        <EmptyState title={say('empty')}>{say('emptyText')}</EmptyState>
      ) : (
        <ul className="flex flex-col divide-y border-y">
          {page.rows.map((each) => (
            <li key={each.id} className="py-5">
              <p className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted">
                <AnnouncementKindStatus kind={each.kind} />
                <ExactTime at={each.publishedAt!} />
              </p>
              <h2 className="mt-2 text-lg font-semibold break-words">
                <Link href={`${PATH}/${each.slug}`} className="hover:underline">
                  {titleIn(locale, each)}
                </Link>
              </h2>
              {each.kind === 'maintenance' && (
                <p className="mt-1 font-medium">
                  {say('span', {
                    begins: timeIn(locale, timeZone, each.beginsAt!),
                    ends: timeIn(locale, timeZone, each.endsAt!),
                  })}
                </p>
              )}
              <p className="mt-1 break-words text-muted">{leadOf(textIn(locale, each), 240)}</p>
            </li>
          ))}
        </ul>
      )}
      <Pagination path={PATH} before={before} nextBefore={page.nextBefore} />
      <p className="mt-8 text-sm">
        <a href={`${PATH}/feed?locale=${locale}`} className="text-accent underline">
          {say('feed')}
        </a>
      </p>
    </div>
  )
}
