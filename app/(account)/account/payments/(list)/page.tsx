import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { nameProvider, PAYMENT_TONES } from '@/components/payments/payment-words'
import { ButtonLink } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { shortId } from '@/components/ui/short-id'
import { Status } from '@/components/ui/status'
import { DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { listPayments, paymentPath } from '@/lib/payments'
import { requireUser } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('payments'))('title') }
}

export default async function PaymentsPage({ searchParams }: { searchParams: SearchParams }) {
  const user = await requireUser()
  const before = oneOf((await searchParams).before)
  const [say, frame, page] = await Promise.all([
    getTranslations('payments'),
    getTranslations('frame'),
    listPayments({ userId: user.id, before }),
  ])
  const providers = new Map(
    await Promise.all(
      [...new Set(page.rows.map((payment) => payment.provider))].map(
        async (provider) => [provider, (await nameProvider(provider)).name] as const,
      ),
    ),
  )
  return (
    <>
      <PageHeader
        back={
          <Link href="/account/balance" className="text-accent underline">
            {frame('balance')}
          </Link>
        }
        title={say('title')}
        lead={say('lead')}
      />
      <DataTable
        caption={say('caption')}
        rows={page.rows}
        rowKey={(payment) => payment.id}
        empty={
          <EmptyState
            title={say('emptyTitle')}
            action={<ButtonLink href="/account/top-up">{say('topUpTitle')}</ButtonLink>}
          >
            {say('emptyText')}
          </EmptyState>
        }
        columns={[
          {
            key: 'payment',
            head: say('payment'),
            cell: (payment) => (
              <Link href={paymentPath(payment.id)} className="font-mono text-accent underline">
                {shortId(payment.id)}
              </Link>
            ),
          },
          {
            key: 'state',
            head: say('state'),
            cell: (payment) => <Status tone={PAYMENT_TONES[payment.status]}>{say(`state_${payment.status}`)}</Status>,
          },
          { key: 'provider', head: say('provider'), cell: (payment) => providers.get(payment.provider) },
          { key: 'begun', head: say('begun'), cell: (payment) => <RelativeTime at={payment.createdAt} /> },
          {
            key: 'requested',
            head: say('requested'),
            isNumber: true,
            cell: (payment) => <Money micros={payment.requestedMicros} currency={payment.currency} />,
          },
          {
            key: 'credited',
            head: say('credited'),
            isNumber: true,
            cell: (payment) =>
              payment.creditedMicros === null ? (
                '–'
              ) : (
                <Money micros={payment.creditedMicros} currency={payment.currency} />
              ),
          },
        ]}
      />
      <Pagination path="/account/payments" before={before} nextBefore={page.nextBefore} />
    </>
  )
}
