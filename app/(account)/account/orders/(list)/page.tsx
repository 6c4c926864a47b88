import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { OrderTable } from '@/components/orders/order-table'
import { ButtonLink } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { listOrders } from '@/lib/orders'
import { requireUser } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('orders'))('title') }
}

export default async function OrdersPage({ searchParams }: { searchParams: SearchParams }) {
  const user = await requireUser()
  const before = oneOf((await searchParams).before)
  const [say, page] = await Promise.all([getTranslations('orders'), listOrders({ userId: user.id, before })])
  const buy = <ButtonLink href="/catalogue">{say('emptyAction')}</ButtonLink>
  return (
    <>
      <PageHeader title={say('title')} lead={say('lead')} action={page.rows.length > 0 && buy} />
      <OrderTable
        orders={page.rows}
        empty={
          <EmptyState title={say('emptyTitle')} action={buy}>
            {say('emptyText')}
          </EmptyState>
        }
      />
      <Pagination path="/account/orders" before={before} nextBefore={page.nextBefore} />
    </>
  )
}
