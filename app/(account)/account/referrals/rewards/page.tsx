import type { Metadata } from 'next'
import { getFormatter, getTranslations } from 'next-intl/server'
import { ReferralTabs, REWARD_TONES, RewardExplained } from '@/components/referrals/referral-words'
import { ButtonLink } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { Status } from '@/components/ui/status'
import { DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { listRewards } from '@/lib/referrals'
import { requireUser } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('referrals'))('tabRewards') }
}

export default async function RewardsPage({ searchParams }: { searchParams: SearchParams }) {
  const user = await requireUser()
  const before = oneOf((await searchParams).before)
  const [say, format, page] = await Promise.all([
    getTranslations('referrals'),
    getFormatter(),
    listRewards({ userId: user.id, before }),
  ])
  return (
    <>
      <PageHeader title={say('tabRewards')} lead={say('rewardsLead')} />
      <ReferralTabs />
      <DataTable
        caption={say('tabRewards')}
        rows={page.rows}
        rowKey={(reward) => reward.id}
        columns={[
          { key: 'at', head: say('when'), cell: (reward) => <RelativeTime at={reward.happenedAt} /> },
          { key: 'why', head: say('why'), cell: (reward) => <RewardExplained reward={reward} /> },
          {
            key: 'state',
            head: say('state'),
            cell: (reward) => (
              <span className="flex flex-col items-start gap-1 max-sm:items-end">
                <Status tone={reward.isHeld && reward.state === 'pending' ? 'warning' : REWARD_TONES[reward.state]}>
                  {say(reward.isHeld && reward.state === 'pending' ? 'state_held' : `state_${reward.state}`)}
                </Status>
                {reward.state === 'pending' && !reward.isHeld && (
                  <span className="text-xs text-muted">
                    {say('until', { date: format.dateTime(reward.availableAt, { dateStyle: 'medium' }) })}
                  </span>
                )}
              </span>
            ),
          },
          {
            key: 'amount',
            head: say('amount'),
            isNumber: true,
            cell: (reward) => (
              <Money
                micros={reward.amountMicros - reward.revertedMicros}
                currency={reward.currency}
                className="font-medium"
              />
            ),
          },
        ]}
        empty={
          <EmptyState
            title={say('rewardsEmpty')}
            action={<ButtonLink href="/account/referrals">{say('toLinks')}</ButtonLink>}
          >
            {say('rewardsEmptyText')}
          </EmptyState>
        }
      />
      <Pagination path="/account/referrals/rewards" before={before} nextBefore={page.nextBefore} />
    </>
  )
}
