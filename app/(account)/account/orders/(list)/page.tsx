import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { OrderTable } from '@/components/orders/order-table'
import { ButtonLink } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { isId } from '@/lib/kit'
import { listOrders } from '@/lib/orders'
import { requireUser } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('orders'))('title') }
}

export default async function OrdersPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | string[] | undefined>>
}) {
  const user = await requireUser()
  const { before: asked } = await searchParams
  const before = typeof asked === 'string' && isId('ord', asked) ? asked : undefined
  const [say, common, page] = await Promise.all([
    getTranslations('orders'),
    getTranslations('common'),
    listOrders({ userId: user.id, before }),
  ])
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
      <Pagination
        label={common('pages')}
        newer={before ? { href: '/account/orders', text: common('previousPage') } : undefined}
        older={
          page.nextBefore ? { href: `/account/orders?before=${page.nextBefore}`, text: common('nextPage') } : undefined
        }
      />
    </>
  )
}
