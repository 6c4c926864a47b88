import { getTranslations } from 'next-intl/server'
import type { ReactNode } from 'react'
import { ORDER_TONES, sayChoice } from '@/components/orders/order-words'
import { Money } from '@/components/ui/money'
import { Status } from '@/components/ui/status'
import { type Column, DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { listUsernames } from '@/lib/identity'
import type { OrderSummary } from '@/lib/orders'
import { CustomerLink, IdLink } from './links'

/** Orders as staff see them: whose they are, and the state as it is. On one customer's page the name is left out. */
export async function OrdersTable({
  orders,
  empty,
  showsCustomer,
}: {
  orders: OrderSummary[]
  empty: ReactNode
  showsCustomer: boolean
}) {
  const [say, states] = await Promise.all([getTranslations('admin'), getTranslations('orders')])
  const names = showsCustomer ? await listUsernames(orders.map((order) => order.userId)) : new Map<string, string>()
  const choices = new Map(await Promise.all(orders.map(async (order) => [order.id, await sayChoice(order)] as const)))
  const customer: Column<OrderSummary> = {
    key: 'customer',
    head: say('customer'),
    cell: (order) => <CustomerLink userId={order.userId} names={names} />,
  }
  return (
    <DataTable
      caption={say('ordersCaption')}
      rows={orders}
      rowKey={(order) => order.id}
      empty={empty}
      columns={[
        {
          key: 'order',
          head: say('order'),
          cell: (order) => <IdLink href={`/admin/orders/${order.id}`} id={order.id} />,
        },
        ...(showsCustomer ? [customer] : []),
        { key: 'what', head: say('what'), cell: (order) => choices.get(order.id) },
        {
          key: 'state',
          head: say('state'),
          cell: (order) => <Status tone={ORDER_TONES[order.state]}>{states(`state_${order.state}`)}</Status>,
        },
        { key: 'placed', head: say('placed'), cell: (order) => <RelativeTime at={order.placedAt} /> },
        {
          key: 'total',
          head: say('total'),
          isNumber: true,
          cell: (order) => <Money micros={order.totalMicros} currency={order.currency} />,
        },
      ]}
    />
  )
}
