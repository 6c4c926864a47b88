import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { NoticeList } from '@/components/notices/notice-list'
import { Button, ButtonLink } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams, withQuery } from '@/components/ui/search-params'
import { countUnread, listNotices, listTypesInUse } from '@/lib/notices'
import { requireUser } from '@/lib/web'
import { markReadAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('notices'))('title') }
}

const PATH = '/account/notices'
const PAGE_SIZE = 30

/** Everything the customer was told, by type, read or not. Works as plain links and one plain form. */
export default async function NoticesPage({ searchParams }: { searchParams: SearchParams }) {
  const user = await requireUser()
  const query = await searchParams
  const types = listTypesInUse().map(({ type }) => type)
  const type = types.find((each) => each === oneOf(query.type))
  const isUnreadOnly = oneOf(query.show) === 'unread'
  const before = oneOf(query.before)
  const [say, page, unread] = await Promise.all([
    getTranslations('notices'),
    listNotices({ userId: user.id, type, isUnreadOnly, before, limit: PAGE_SIZE }),
    countUnread({ userId: user.id }),
  ])
  const kept = { type, show: isUnreadOnly ? 'unread' : undefined }
  const filters = [
    { text: say('all'), href: PATH, isCurrent: !type && !isUnreadOnly },
    { text: say('unreadOnly'), href: withQuery(PATH, { show: 'unread' }), isCurrent: !type && isUnreadOnly },
    ...types.map((each) => ({
      text: say(`type_${each}`),
      href: withQuery(PATH, { type: each }),
      isCurrent: type === each,
    })),
  ]
  return (
    <>
      <PageHeader
        title={say('title')}
        lead={say('lead')}
        action={
          <>
            {unread > 0 && (
              <form action={markReadAction}>
                <Button type="submit" variant="secondary">
                  {say('markAll')}
                </Button>
              </form>
            )}
            <ButtonLink href="/account/settings/notifications" variant="secondary">
              {say('settings')}
            </ButtonLink>
          </>
        }
      />
      <nav aria-label={say('filterLabel')} className="mb-4">
        <ul className="flex flex-wrap gap-2">
          {filters.map(({ text, href, isCurrent }) => (
            <li key={href}>
              <Link
                href={href}
                aria-current={isCurrent ? 'true' : undefined}
                className="inline-flex min-h-8 items-center rounded-full border px-3 text-sm text-muted hover:bg-sunken hover:text-text aria-[current=true]:border-accent aria-[current=true]:bg-accent-soft aria-[current=true]:font-medium aria-[current=true]:text-accent"
              >
                {text}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      {page.rows.length === 0 ? (
        type || isUnreadOnly || before ? (
          <EmptyState
            title={say('emptyFiltered')}
            action={
              <ButtonLink href={PATH} variant="secondary">
                {say('showAll')}
              </ButtonLink>
            }
          />
        ) : (
          <EmptyState title={say('emptyTitle')}>{say('empty')}</EmptyState>
        )
      ) : (
        <NoticeList notices={page.rows} markRead={markReadAction} />
      )}
      <Pagination path={PATH} query={kept} before={before} nextBefore={page.nextBefore} />
    </>
  )
}
