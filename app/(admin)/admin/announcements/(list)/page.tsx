import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { AnnouncementKindStatus, AnnouncementStateStatus, titleIn } from '@/components/announcements/announcement-words'
import { ButtonLink } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { DataTable } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import { listAnnouncements } from '@/lib/announcements'
import { requireAdmin } from '@/lib/web'

const PATH = '/admin/announcements'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('announcements'))('title') }
}

/** Every announcement, drafts first seen here. */
export default async function AdminAnnouncementsPage({ searchParams }: { searchParams: SearchParams }) {
  await requireAdmin('announcements.write')
  const before = oneOf((await searchParams).before)
  const [say, locale, page] = await Promise.all([
    getTranslations('announcements'),
    getLocale(),
    listAnnouncements({ before, limit: 50 }),
  ])
  const add = <ButtonLink href={`${PATH}/new`}>{say('new')}</ButtonLink>
  return (
    <>
      <PageHeader title={say('title')} lead={say('adminLead')} action={add} />
      <DataTable
        caption={say('title')}
        rows={page.rows}
        rowKey={(row) => row.id}
        empty={
          <EmptyState title={say('adminEmpty')} action={add}>
            {say('adminEmptyText')}
          </EmptyState>
        }
        columns={[
          {
            key: 'title',
            head: say('text'),
            cell: (row) => (
              <Link href={`${PATH}/${row.id}`} className="break-words text-accent underline">
                {titleIn(locale, row)}
              </Link>
            ),
          },
          { key: 'kind', head: say('kind'), cell: (row) => <AnnouncementKindStatus kind={row.kind} /> },
          { key: 'state', head: say('state'), cell: (row) => <AnnouncementStateStatus state={row.state} /> },
          {
            key: 'published',
            head: say('published'),
            cell: ({ publishedAt, publishAt, state }) => {
              const at = publishedAt ?? (state === 'scheduled' ? publishAt : null)
              return at ? <ExactTime at={at} /> : '–'
            },
          },
          {
            key: 'when',
            head: say('when'),
            cell: ({ beginsAt, endsAt }) =>
              beginsAt === null ? (
                '–'
              ) : (
                <>
                  <ExactTime at={beginsAt} />
                  {endsAt && (
                    <>
                      {' – '}
                      <ExactTime at={endsAt} />
                    </>
                  )}
                </>
              ),
          },
        ]}
      />
      <Pagination path={PATH} before={before} nextBefore={page.nextBefore} />
    </>
  )
}
