import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { ReferralTabs } from '@/components/referrals/referral-words'
import { ButtonLink } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { Status } from '@/components/ui/status'
import { DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { env } from '@/lib/env'
import { listReferred } from '@/lib/referrals'
import { requireUser } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('referrals'))('tabPeople') }
}

export default async function ReferredPeoplePage({ searchParams }: { searchParams: SearchParams }) {
  const user = await requireUser()
  const before = oneOf((await searchParams).before)
  const [say, page] = await Promise.all([getTranslations('referrals'), listReferred({ userId: user.id, before })])
  const currency = env().SHOP_CURRENCY
  return (
    <>
      <PageHeader title={say('tabPeople')} lead={say('peopleLead')} />
      <ReferralTabs />
      <DataTable
        caption={say('tabPeople')}
        rows={page.rows}
        rowKey={(person) => person.id}
        columns={[
          { key: 'who', head: say('who'), cell: (person) => <span className="font-mono">{person.name}</span> },
          { key: 'at', head: say('came'), cell: (person) => <RelativeTime at={person.createdAt} /> },
          { key: 'link', head: say('through'), cell: (person) => <span className="break-words">{person.label}</span> },
          {
            key: 'state',
            head: say('state'),
            cell: (person) => (
              <Status tone={person.isHeld ? 'warning' : person.hasBought ? 'good' : 'neutral'}>
                {say(person.isHeld ? 'person_held' : person.hasBought ? 'person_buys' : 'person_new')}
              </Status>
            ),
          },
          {
            key: 'earned',
            head: say('earned'),
            isNumber: true,
            cell: (person) => <Money micros={person.earnedMicros} currency={currency} />,
          },
        ]}
        empty={
          <EmptyState
            title={say('peopleEmpty')}
            action={<ButtonLink href="/account/referrals">{say('toLinks')}</ButtonLink>}
          >
            {say('peopleEmptyText')}
          </EmptyState>
        }
      />
      <Pagination path="/account/referrals/people" before={before} nextBefore={page.nextBefore} />
    </>
  )
}
