import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { PaymentsTable } from '@/components/admin/payments-table'
import { StateFilter } from '@/components/admin/state-filter'
import { buttonStyles } from '@/components/ui/button-styles'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { listAllPayments, PAYMENT_TRANSITIONS, type PaymentState } from '@/lib/payments'
import { requireAdmin } from '@/lib/web'

const STATES = Object.keys(PAYMENT_TRANSITIONS) as PaymentState[]

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('admin'))('paymentsTitle') }
}

export default async function AdminPaymentsPage({ searchParams }: { searchParams: SearchParams }) {
  await requireAdmin('payments.read')
  const query = await searchParams
  const state = STATES.find((each) => each === oneOf(query.state))
  const before = oneOf(query.before)
  const [say, states, page] = await Promise.all([
    getTranslations('admin'),
    getTranslations('payments'),
    listAllPayments({ state, before }),
  ])
  return (
    <>
      <PageHeader
        title={say('paymentsTitle')}
        lead={say('paymentsLead')}
        action={
          <>
            <Link href="/admin/payments/returns" className={buttonStyles({ variant: 'secondary' })}>
              {say('toReturns')}
            </Link>
            <Link href="/admin/payments/differences" className={buttonStyles({ variant: 'secondary' })}>
              {say('queueDifferences')}
            </Link>
          </>
        }
      />
      <StateFilter
        path="/admin/payments"
        label={say('state')}
        any={say('anyState')}
        button={say('filter')}
        chosen={state}
        states={STATES.map((value) => ({ value, text: states(`state_${value}`) }))}
      />
      <PaymentsTable
        payments={page.rows}
        empty={<EmptyState title={say('paymentsEmpty')}>{say('paymentsEmptyText')}</EmptyState>}
      />
      <Pagination path="/admin/payments" query={{ state }} before={before} nextBefore={page.nextBefore} />
    </>
  )
}
