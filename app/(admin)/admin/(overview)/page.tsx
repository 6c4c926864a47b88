import type { Metadata } from 'next'
import { getFormatter, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { DataTable } from '@/components/ui/table'
import { getOverview } from '@/lib/admin'
import { isAllowed } from '@/lib/identity'
import { requireAdmin } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('admin'))('overviewTitle') }
}

export default async function AdminOverviewPage() {
  const user = await requireAdmin('orders.read')
  const [say, common, format, overview] = await Promise.all([
    getTranslations('admin'),
    getTranslations('common'),
    getFormatter(),
    getOverview(),
  ])
  const { queues, underWay, currency } = overview
  const cards = [
    {
      href: '/admin/payments?state=needs_review',
      title: say('queuePayments'),
      help: say('queuePaymentsHelp'),
      count: queues.payments,
      needs: 'payments.read',
      waits: true,
    },
    {
      href: '/admin/payments/returns',
      title: say('queueReturns'),
      help: say('queueReturnsHelp'),
      count: queues.returns,
      needs: 'payments.read',
      waits: true,
    },
    {
      href: '/admin/payments/differences',
      title: say('queueDifferences'),
      help: say('queueDifferencesHelp'),
      count: queues.differences,
      needs: 'payments.read',
      waits: true,
    },
    {
      href: '/admin/suppliers/unknown',
      title: say('queueOutcomes'),
      help: say('queueOutcomesHelp'),
      count: queues.unknownOutcomes + queues.lateExchanges,
      needs: 'suppliers.write',
      waits: true,
    },
    {
      href: '/admin/suppliers',
      title: say('queueDry'),
      help: say('queueDryHelp'),
      count: overview.runningDry,
      needs: 'suppliers.write',
      waits: true,
    },
    {
      href: '/admin/referrals',
      title: say('queueReferrals'),
      help: say('queueReferralsHelp'),
      count: queues.referrals,
      needs: 'referrals.read',
      waits: true,
    },
    {
      href: '/admin/jobs',
      title: say('queueJobs'),
      help: say('queueJobsHelp'),
      count: queues.failedJobs,
      needs: 'jobs.retry',
      waits: true,
    },
    {
      href: '/admin/orders?state=unknown',
      title: say('queueUnknown'),
      help: say('queueUnknownHelp'),
      count: underWay.unknown,
      needs: 'orders.read',
      waits: false,
    },
    {
      href: '/admin/orders',
      title: say('queueOpen'),
      help: say('queueOpenHelp'),
      count: underWay.delivering,
      needs: 'orders.read',
      waits: false,
    },
  ].filter((card) => isAllowed(user.role, card.needs))
  const waiting = cards.filter((card) => card.waits).reduce((sum, card) => sum + card.count, 0)
  return (
    <>
      <PageHeader title={say('overviewTitle')} lead={say('overviewLead', { count: waiting })} />
      <CardList id="queues" title={say('queues')} cards={cards.filter((card) => card.waits)} />
      <CardList id="moving" title={say('moving')} cards={cards.filter((card) => !card.waits)} />
      <section aria-labelledby="figures">
        <h2 id="figures" className="mb-3 text-base font-semibold">
          {say('figures')}
        </h2>
        <DataTable
          caption={say('figuresCaption')}
          rows={overview.periods}
          rowKey={(period) => String(period.days)}
          empty={null}
          columns={[
            { key: 'span', head: say('span'), cell: (period) => common('days', { count: period.days }) },
            {
              key: 'credited',
              head: say('credited'),
              isNumber: true,
              cell: (period) => <Money micros={period.creditedMicros} currency={currency} />,
            },
            {
              key: 'payments',
              head: say('payments'),
              isNumber: true,
              cell: (period) => format.number(period.payments),
            },
            {
              key: 'sold',
              head: say('sold'),
              isNumber: true,
              cell: (period) => <Money micros={period.soldMicros} currency={currency} />,
            },
            { key: 'orders', head: say('orders'), isNumber: true, cell: (period) => format.number(period.orders) },
            { key: 'signUps', head: say('signUps'), isNumber: true, cell: (period) => format.number(period.signUps) },
          ]}
        />
      </section>
    </>
  )
}

type Card = { href: string; title: string; help: string; count: number; waits: boolean }

async function CardList({ id, title, cards }: { id: string; title: string; cards: readonly Card[] }) {
  const format = await getFormatter()
  if (cards.length === 0) return null
  return (
    <section aria-labelledby={id} className="mb-8">
      <h2 id={id} className="mb-3 text-base font-semibold">
        {title}
      </h2>
      <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-4">
        {cards.map((card) => (
          <li key={card.title}>
            <Link
              href={card.href}
              className={`block h-full rounded-md border p-4 hover:border-border-strong ${card.waits && card.count > 0 ? 'border-warning-border bg-warning-soft' : 'bg-surface'}`}
            >
              <span className="text-[28px] font-semibold tabular-nums">{format.number(card.count)}</span>
              <span className="block font-medium">{card.title}</span>
              <span className="mt-1 block text-muted">{card.help}</span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  )
}
