import type { Metadata } from 'next'
import { getNow, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { BatchStatus, PromotionStatus, sayGives } from '@/components/admin/promotion-words'
import { ButtonLink } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { DataTable } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import { listBatches, listPromotions } from '@/lib/promotions'
import { requireAdmin } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('promotions'))('title') }
}

/** Every code and every batch of vouchers, with what came of it. */
export default async function AdminPromotionsPage() {
  await requireAdmin('promotions.write')
  const [say, now, promotions, batches] = await Promise.all([
    getTranslations('promotions'),
    getNow(),
    listPromotions(),
    listBatches(),
  ])
  const rows = await Promise.all(promotions.map(async (promotion) => ({ promotion, gives: await sayGives(promotion) })))
  const ends = (at: Date | null) => (at ? <ExactTime at={at} /> : say('never'))
  const newPromotion = <ButtonLink href="/admin/promotions/new">{say('newPromotion')}</ButtonLink>
  const newBatch = (
    <ButtonLink href="/admin/promotions/batches/new" variant="secondary">
      {say('newBatch')}
    </ButtonLink>
  )
  return (
    <>
      <PageHeader
        title={say('title')}
        lead={say('lead')}
        action={
          <span className="flex flex-wrap gap-2">
            {newBatch}
            {newPromotion}
          </span>
        }
      />
      <h2 className="text-base font-semibold">{say('codes')}</h2>
      <p className="mt-1 mb-3 text-muted">{say('codesLead')}</p>
      <DataTable
        caption={say('codes')}
        rows={rows}
        rowKey={({ promotion }) => promotion.id}
        empty={
          <EmptyState title={say('codesEmpty')} action={newPromotion}>
            {say('codesEmptyText')}
          </EmptyState>
        }
        columns={[
          {
            key: 'code',
            head: say('code'),
            cell: ({ promotion }) => (
              <>
                <Link href={`/admin/promotions/${promotion.id}`} className="font-mono text-accent underline">
                  {promotion.code}
                </Link>
                <span className="block max-w-60 truncate text-xs text-muted" title={promotion.label}>
                  {promotion.label}
                </span>
              </>
            ),
          },
          { key: 'gives', head: say('gives'), cell: ({ gives }) => gives },
          {
            key: 'state',
            head: say('state'),
            cell: ({ promotion }) => <PromotionStatus promotion={promotion} now={now} />,
          },
          { key: 'reserved', head: say('reserved'), isNumber: true, cell: ({ promotion }) => promotion.reserved },
          { key: 'consumed', head: say('consumed'), isNumber: true, cell: ({ promotion }) => promotion.consumed },
          {
            key: 'left',
            head: say('left'),
            isNumber: true,
            cell: ({ promotion: { maxUses, used } }) =>
              maxUses === null ? say('unlimited') : String(Math.max(maxUses - used, 0)),
          },
          {
            key: 'given',
            head: say('given'),
            isNumber: true,
            cell: ({ promotion }) => <Money micros={promotion.givenMicros} currency={promotion.currency} />,
          },
          { key: 'ends', head: say('ends'), cell: ({ promotion }) => ends(promotion.endsAt) },
        ]}
      />
      <h2 className="mt-8 text-base font-semibold">{say('batches')}</h2>
      <p className="mt-1 mb-3 text-muted">{say('batchesLead')}</p>
      <DataTable
        caption={say('batches')}
        rows={batches}
        rowKey={(batch) => batch.id}
        empty={
          <EmptyState title={say('batchesEmpty')} action={newBatch}>
            {say('batchesEmptyText')}
          </EmptyState>
        }
        columns={[
          {
            key: 'label',
            head: say('label'),
            cell: (batch) => (
              <Link href={`/admin/promotions/batches/${batch.id}`} className="text-accent underline">
                {batch.label}
              </Link>
            ),
          },
          { key: 'state', head: say('state'), cell: (batch) => <BatchStatus batch={batch} now={now} /> },
          {
            key: 'each',
            head: say('each'),
            isNumber: true,
            cell: (batch) => <Money micros={batch.amountMicros} currency={batch.currency} />,
          },
          { key: 'count', head: say('count'), isNumber: true, cell: (batch) => String(batch.count) },
          { key: 'redeemed', head: say('redeemedCount'), isNumber: true, cell: (batch) => String(batch.redeemed) },
          {
            key: 'given',
            head: say('given'),
            isNumber: true,
            cell: (batch) => <Money micros={batch.amountMicros * BigInt(batch.redeemed)} currency={batch.currency} />,
          },
          { key: 'ends', head: say('ends'), cell: (batch) => ends(batch.endsAt) },
        ]}
      />
    </>
  )
}
