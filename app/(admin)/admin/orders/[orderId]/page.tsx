import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { CustomerLink } from '@/components/admin/links'
import { ReplacementsCard } from '@/components/admin/replacements-card'
import { DowntimesCard, OrderChecksCard } from '@/components/checks/order-checks'
import { OrderTimeline } from '@/components/orders/order-timeline'
import { ORDER_TONES, sayChoice } from '@/components/orders/order-words'
import { PaperLink } from '@/components/papers/paper-link'
import { Card } from '@/components/ui/card'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { shortId } from '@/components/ui/short-id'
import { Status } from '@/components/ui/status'
import { Code, DataTable, Facts, Place } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import { getOrderChecks, listDowntimes } from '@/lib/checks'
import { isAllowed, listUsernames } from '@/lib/identity'
import { findOrder } from '@/lib/orders'
import { nameCodes } from '@/lib/promotions'
import { listReplacements } from '@/lib/remedies'
import { getOrderMargin, listAllocations, listDeliveries, marginCurrency } from '@/lib/provisioning'
import { requireAdmin } from '@/lib/web'
import { checkAction } from './check-action'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('admin'))('order') }
}

export default async function AdminOrderPage({ params }: { params: Promise<{ orderId: string }> }) {
  const staff = await requireAdmin('orders.read')
  const order = await findOrder({ orderId: (await params).orderId })
  if (!order) notFound()
  const [say, states, names, choice, deliveries, allocations, checks, downtimes, margin, codes, replacements] =
    await Promise.all([
      getTranslations('admin'),
      getTranslations('orders'),
      listUsernames([order.userId]),
      sayChoice(order),
      listDeliveries({ orderId: order.id }),
      listAllocations({ userId: order.userId, orderId: order.id }),
      getOrderChecks({ orderId: order.id }),
      listDowntimes({ orderId: order.id }),
      getOrderMargin({ orderId: order.id }),
      nameCodes([order.promotionId]),
      listReplacements({ orderId: order.id }),
    ])
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/orders" className="text-accent underline">
            {say('allOrders')}
          </Link>
        }
        title={say('orderHeading', { id: shortId(order.id) })}
        lead={choice}
        action={<Status tone={ORDER_TONES[order.state]}>{states(`state_${order.state}`)}</Status>}
      />
      <div className="grid gap-6 lg:grid-cols-2">
        <Card
          title={say('facts')}
          action={order.deliveredAt !== null && <PaperLink href={`/admin/orders/${order.id}/invoice`} kind="invoice" />}
        >
          <Facts
            facts={[
              [say('customer'), <CustomerLink key="customer" userId={order.userId} names={names} />],
              ...(order.promotionId
                ? [
                    [
                      states('promotion', { code: codes.get(order.promotionId) ?? '' }),
                      <Money key="promotion" micros={-order.promotionMicros} currency={order.currency} />,
                    ] satisfies [string, React.ReactNode],
                  ]
                : []),
              [say('total'), <Money key="total" micros={order.totalMicros} currency={order.currency} />],
              [say('placed'), <ExactTime key="placed" at={order.placedAt} />],
              [say('until'), order.expiresAt ? <ExactTime key="until" at={order.expiresAt} /> : '–'],
              [
                say('orderMargin'),
                margin === null ? (
                  '–'
                ) : margin.unknownCosts > 0 ? (
                  say('marginUnknown')
                ) : (
                  <Money key="margin" micros={margin.revenueMicros - margin.costMicros} currency={marginCurrency()} />
                ),
              ],
              [say('id'), <Code key="id">{order.id}</Code>],
            ]}
          />
        </Card>
        <Card title={say('timeline')}>
          <OrderTimeline order={order} />
        </Card>
        <Card title={say('deliveries')} className="lg:col-span-2">
          <DataTable
            caption={say('deliveriesCaption')}
            rows={deliveries}
            rowKey={(run) => run.id}
            empty={<p className="text-muted">{say('deliveriesEmpty')}</p>}
            columns={[
              { key: 'started', head: say('started'), cell: (run) => <ExactTime at={run.startedAt} /> },
              { key: 'supplier', head: say('supplier'), cell: (run) => run.supplier },
              {
                key: 'state',
                head: say('state'),
                cell: (run) => say(`run_${run.state as 'calling' | 'unknown' | 'delivered' | 'refused'}`),
              },
              { key: 'reference', head: say('reference'), cell: (run) => <Code>{run.reference}</Code> },
              { key: 'theirs', head: say('supplierOrder'), cell: (run) => run.supplierOrderId ?? '–' },
              {
                key: 'cost',
                head: say('cost'),
                isNumber: true,
                cell: (run) =>
                  run.costMicros === null ? '–' : <Money micros={run.costMicros} currency={run.costCurrency ?? ''} />,
              },
              { key: 'lookups', head: say('lookups'), isNumber: true, cell: (run) => String(run.lookups) },
              { key: 'refusal', head: say('refusalReason'), cell: (run) => run.refusal ?? '–' },
            ]}
          />
        </Card>
        <Card title={say('allocations')} className="lg:col-span-2">
          <DataTable
            caption={say('allocationsCaption')}
            rows={allocations}
            rowKey={(allocation) => allocation.id}
            empty={<p className="text-muted">{say('allocationsEmpty')}</p>}
            columns={[
              {
                key: 'address',
                head: say('address'),
                cell: (allocation) => <Place>{`${allocation.host}:${allocation.port}`}</Place>,
              },
              { key: 'login', head: say('login'), cell: (allocation) => <Code>{allocation.username}</Code> },
              { key: 'until', head: say('until'), cell: (allocation) => <ExactTime at={allocation.expiresAt} /> },
            ]}
          />
        </Card>
        {replacements.length > 0 && <ReplacementsCard replacements={replacements} className="lg:col-span-2" />}
        <OrderChecksCard
          className="lg:col-span-2"
          orderId={order.id}
          deliveredAt={order.deliveredAt}
          checks={checks}
          action={isAllowed(staff.role, 'orders.check') ? checkAction : null}
        />
        <DowntimesCard className="lg:col-span-2" downtimes={downtimes} rows={checks.rows} />
      </div>
    </>
  )
}
