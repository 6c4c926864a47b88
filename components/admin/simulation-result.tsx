import { getFormatter, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { Alert } from '@/components/ui/alert'
import { Card } from '@/components/ui/card'
import { Money } from '@/components/ui/money'
import { DataTable, Facts } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import type { CatalogPlan } from '@/lib/catalog'
import { env } from '@/lib/env'
import { differenceMicros, type Simulation } from '@/lib/prices'
import { IdLink } from './links'

/** What the simulator found: the sums, each plan, and the sales that change most. */
export async function SimulationResult({
  simulation,
  plans,
  download,
}: {
  simulation: Simulation
  plans: CatalogPlan[]
  download: ReactNode
}) {
  const [say, common, format] = await Promise.all([
    getTranslations('prices'),
    getTranslations('common'),
    getFormatter(),
  ])
  const money = (micros: bigint, isSigned = false) => (
    <Money micros={micros} currency={env().SHOP_CURRENCY} isSigned={isSigned} />
  )
  const nameOf = (planId: string) => plans.find((plan) => plan.id === planId)?.nameEn ?? planId
  const { sales, affected, unsold, nowMicros, thenMicros, costKnown, marginNowMicros, marginThenMicros } = simulation
  return (
    <>
      <Card
        title={say('answer')}
        lead={say.rich('answerLead', { since: () => <ExactTime at={simulation.since} /> })}
        action={sales > 0 && download}
      >
        <div className="flex flex-col gap-4">
          <Facts
            facts={[
              [say('sales'), say('salesAffected', { sales, affected })],
              [say('revenueNow'), money(nowMicros)],
              [say('revenueThen'), money(thenMicros)],
              [say('difference'), money(thenMicros - nowMicros, true)],
              ...(costKnown > 0
                ? ([
                    [say('marginNow'), money(marginNowMicros)],
                    [say('marginThen'), money(marginThenMicros)],
                  ] satisfies [ReactNode, ReactNode][])
                : []),
            ]}
          />
          <p className="text-sm text-muted">
            {costKnown === sales ? say('costsAllKnown') : say('costsKnown', { known: costKnown, sales })}
          </p>
          {unsold > 0 && <Alert tone="warning">{say('unsold', { count: unsold })}</Alert>}
          {simulation.leftOut.length > 0 && (
            <Alert tone="warning" title={say('leftOut')}>
              <ul>
                {simulation.leftOut.map(({ planId, why }) => (
                  <li key={planId}>
                    <Link href={`/admin/catalogue/plans/${planId}/prices`} className="text-accent underline">
                      {nameOf(planId)}
                    </Link>
                    {`: ${say(`why_${why}`)}`}
                  </li>
                ))}
              </ul>
            </Alert>
          )}
        </div>
      </Card>
      <Card title={say('byPlan')}>
        <DataTable
          caption={say('byPlan')}
          rows={simulation.byPlan}
          rowKey={({ planId }) => planId}
          empty={<p className="text-sm text-muted">{say('noSales')}</p>}
          columns={[
            { key: 'plan', head: say('plan'), cell: ({ planId }) => nameOf(planId) },
            { key: 'sales', head: say('sales'), isNumber: true, cell: ({ sum }) => format.number(sum.sales) },
            { key: 'now', head: say('revenueNow'), isNumber: true, cell: ({ sum }) => money(sum.nowMicros) },
            { key: 'then', head: say('revenueThen'), isNumber: true, cell: ({ sum }) => money(sum.thenMicros) },
            {
              key: 'difference',
              head: say('difference'),
              isNumber: true,
              cell: ({ sum }) => money(sum.thenMicros - sum.nowMicros, true),
            },
          ]}
        />
      </Card>
      {simulation.top.length > 0 && (
        <Card title={say('top')}>
          <DataTable
            caption={say('top')}
            rows={simulation.top}
            rowKey={({ id }) => id}
            empty={null}
            columns={[
              {
                key: 'order',
                head: say('order'),
                cell: ({ orderId, kind }) => (
                  <>
                    <IdLink href={`/admin/orders/${orderId}`} id={orderId} />
                    {kind === 'renewal' && ` ${say('renewal')}`}
                  </>
                ),
              },
              { key: 'plan', head: say('plan'), cell: ({ planId }) => nameOf(planId) },
              {
                key: 'what',
                head: say('what'),
                cell: ({ quantity, periodDays }) =>
                  say('pieces', { quantity, period: common('days', { count: periodDays }) }),
              },
              { key: 'now', head: say('revenueNow'), isNumber: true, cell: (sale) => money(sale.nowMicros) },
              {
                key: 'then',
                head: say('revenueThen'),
                isNumber: true,
                cell: ({ thenMicros: then }) => (then === null ? say('notSold') : money(then)),
              },
              {
                key: 'difference',
                head: say('difference'),
                isNumber: true,
                cell: (sale) => money(differenceMicros(sale), true),
              },
            ]}
          />
        </Card>
      )}
    </>
  )
}
