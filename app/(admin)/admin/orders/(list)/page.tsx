import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { OrdersTable } from '@/components/admin/orders-table'
import { StateFilter } from '@/components/admin/state-filter'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { listAllOrders, ORDER_TRANSITIONS, type OrderState } from '@/lib/orders'
import { requireAdmin } from '@/lib/web'

const STATES = Object.keys(ORDER_TRANSITIONS) as OrderState[]

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('admin'))('ordersTitle') }
}

export default async function AdminOrdersPage({ searchParams }: { searchParams: SearchParams }) {
  await requireAdmin('orders.read')
  const query = await searchParams
  const state = STATES.find((each) => each === oneOf(query.state))
  const before = oneOf(query.before)
  const [say, states, page] = await Promise.all([
    getTranslations('admin'),
    getTranslations('orders'),
    listAllOrders({ state, before }),
  ])
  return (
    <>
      <PageHeader title={say('ordersTitle')} lead={say('ordersLead')} />
      <StateFilter
        path="/admin/orders"
        label={say('state')}
        any={say('anyState')}
        button={say('filter')}
        chosen={state}
        states={STATES.map((value) => ({ value, text: states(`state_${value}`) }))}
      />
      <OrdersTable
        orders={page.rows}
        showsCustomer
        empty={<EmptyState title={say('ordersEmpty')}>{say('ordersEmptyText')}</EmptyState>}
      />
      <Pagination path="/admin/orders" query={{ state }} before={before} nextBefore={page.nextBefore} />
    </>
  )
}
