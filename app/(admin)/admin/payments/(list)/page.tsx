import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { PaymentsTable } from '@/components/admin/payments-table'
import { oneOf, type SearchParams, withQuery } from '@/components/admin/search-param'
import { StateFilter } from '@/components/admin/state-filter'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
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
  const cursor = oneOf(query.before)
  const [say, states, common, page] = await Promise.all([
    getTranslations('admin'),
    getTranslations('payments'),
    getTranslations('common'),
    listAllPayments({ state, cursor }),
  ])
  return (
    <>
      <PageHeader title={say('paymentsTitle')} lead={say('paymentsLead')} />
      <StateFilter
        path="/admin/payments"
        label={say('state')}
        any={say('anyState')}
        button={say('filter')}
        chosen={state}
        states={STATES.map((value) => ({ value, text: states(`state_${value}`) }))}
      />
      <PaymentsTable
        payments={page.items}
        empty={<EmptyState title={say('paymentsEmpty')}>{say('paymentsEmptyText')}</EmptyState>}
      />
      <Pagination
        label={common('pages')}
        newer={cursor ? { href: withQuery('/admin/payments', { state }), text: common('previousPage') } : undefined}
        older={
          page.nextCursor
            ? { href: withQuery('/admin/payments', { state, before: page.nextCursor }), text: common('nextPage') }
            : undefined
        }
      />
    </>
  )
}
