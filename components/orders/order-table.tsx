import { getNow, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { Money } from '@/components/ui/money'
import { shortId } from '@/components/ui/short-id'
import { Status } from '@/components/ui/status'
import { DataTable } from '@/components/ui/table'
import { ExactTime, RelativeTime } from '@/components/ui/time'
import type { OrderSummary } from '@/lib/orders'
import { ORDER_TONES, sayChoice, shownState } from './order-words'

/** A customer's orders; on phones, cards. */
export async function OrderTable({ orders, empty }: { orders: OrderSummary[]; empty: ReactNode }) {
  const [say, now] = await Promise.all([getTranslations('orders'), getNow()])
  const choices = new Map(await Promise.all(orders.map(async (order) => [order.id, await sayChoice(order)] as const)))
  return (
    <DataTable
      caption={say('caption')}
      rows={orders}
      rowKey={(order) => order.id}
      empty={empty}
      columns={[
        {
          key: 'order',
          head: say('order'),
          cell: (order) => (
            <Link href={`/account/orders/${order.id}`} className="font-mono text-accent underline">
              {shortId(order.id)}
            </Link>
          ),
        },
        { key: 'what', head: say('what'), cell: (order) => choices.get(order.id) },
        {
          key: 'state',
          head: say('state'),
          cell: (order) => {
            const state = shownState(order, now)
            return <Status tone={ORDER_TONES[state]}>{say(`state_${state}`)}</Status>
          },
        },
        { key: 'placed', head: say('placed'), cell: (order) => <RelativeTime at={order.placedAt} /> },
        {
          key: 'expires',
          head: say('expires'),
          cell: (order) => (order.expiresAt ? <ExactTime at={order.expiresAt} /> : '–'),
        },
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
