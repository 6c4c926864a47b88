import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { CampaignStatus } from '@/components/marketing/campaign-words'
import { ButtonLink } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { DataTable } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import { isAllowed } from '@/lib/identity'
import { listCampaigns, listFigures } from '@/lib/marketing'
import { requireAdmin } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('campaigns'))('title') }
}

/** Every campaign with what came of it. */
export default async function CampaignsPage() {
  const staff = await requireAdmin('marketing.write')
  const [say, marketing, campaigns] = await Promise.all([
    getTranslations('campaigns'),
    getTranslations('marketing'),
    listCampaigns(),
  ])
  const figures = await listFigures(campaigns.map(({ id }) => id))
  const fresh = <ButtonLink href="/admin/campaigns/new">{say('new')}</ButtonLink>
  const figure = (name: 'sent' | 'delivered' | 'bounced' | 'unsubscribed') => ({
    key: name,
    head: say(`figure.${name}`),
    isNumber: true,
    cell: ({ id }: { id: string }) => String(figures.get(id)?.[name] ?? 0),
  })
  return (
    <>
      <PageHeader title={say('title')} lead={say('lead')} action={fresh} />
      <DataTable
        caption={say('caption')}
        rows={campaigns}
        rowKey={({ id }) => id}
        empty={
          <EmptyState title={say('empty')} action={fresh}>
            {say('emptyText')}
          </EmptyState>
        }
        columns={[
          {
            key: 'name',
            head: say('name'),
            cell: ({ id, name }) => (
              <Link href={`/admin/campaigns/${id}`} className="break-words text-accent underline">
                {name}
              </Link>
            ),
          },
          { key: 'topic', head: say('topic'), cell: ({ topic }) => marketing(`topics.${topic}.name`) },
          { key: 'channel', head: say('channel'), cell: ({ channel }) => say(`channels.${channel}`) },
          { key: 'state', head: say('state'), cell: ({ state }) => <CampaignStatus state={state} /> },
          figure('sent'),
          figure('delivered'),
          figure('bounced'),
          figure('unsubscribed'),
          {
            key: 'when',
            head: say('columnWhen'),
            cell: ({ createdAt, startsAt, startedAt }) => <ExactTime at={startedAt ?? startsAt ?? createdAt} />,
          },
        ]}
      />
      {isAllowed(staff.role, 'settings.write') && (
        <p className="mt-4 text-sm">
          <Link href="/admin/settings/marketing" className="text-accent underline">
            {say('toRules')}
          </Link>
        </p>
      )}
    </>
  )
}
