import type { Metadata } from 'next'
import { getFormatter, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { DifferencesTable } from '@/components/admin/differences-table'
import { nameProvider } from '@/components/payments/payment-words'
import { EmptyState } from '@/components/ui/empty-state'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { Status } from '@/components/ui/status'
import { DataTable } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import { isAllowed } from '@/lib/identity'
import { type ComparisonView, countOpenDifferences, listDifferences, listLastComparisons } from '@/lib/payments'
import { requireAdmin } from '@/lib/web'
import { mendDifferenceAction } from './actions'

const PATH = '/admin/payments/differences'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('differences'))('title') }
}

export default async function DifferencesPage({ searchParams }: { searchParams: SearchParams }) {
  const staff = await requireAdmin('payments.read')
  const query = await searchParams
  const isOpen = oneOf(query.state) !== 'ended'
  const before = oneOf(query.before)
  const [say, admin, format, count, runs, page] = await Promise.all([
    getTranslations('differences'),
    getTranslations('admin'),
    getFormatter(),
    countOpenDifferences(),
    listLastComparisons(),
    listDifferences({ isOpen, before }),
  ])
  const names = new Map(
    await Promise.all(runs.map(async ({ provider }) => [provider, (await nameProvider(provider)).name] as const)),
  )
  const heading = isOpen ? say('listTitle') : say('endedTitle')
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/payments" className="text-accent underline">
            {admin('allPayments')}
          </Link>
        }
        title={say('title')}
        lead={runs.length === 0 ? say('leadNever') : say('lead', { count })}
      />
      <section aria-labelledby="runs" className="mb-8">
        <h2 id="runs" className="text-base font-semibold">
          {say('runs')}
        </h2>
        <p className="mt-1 mb-3 text-sm text-muted">{say('runsLead')}</p>
        <DataTable<ComparisonView>
          caption={say('runs')}
          rows={runs}
          rowKey={(run) => run.provider}
          empty={<p className="text-sm text-muted">{say('runsEmpty')}</p>}
          columns={[
            { key: 'provider', head: admin('provider'), cell: (run) => names.get(run.provider) },
            { key: 'when', head: say('when'), cell: (run) => <ExactTime at={run.startedAt} /> },
            {
              key: 'result',
              head: say('result'),
              cell: (run) => (
                <Status tone={run.failingSince ? 'bad' : run.differences > 0 ? 'warning' : 'good'}>
                  {run.failingSince
                    ? say('failedSince', {
                        since: format.dateTime(run.failingSince, { dateStyle: 'medium', timeStyle: 'short' }),
                      })
                    : run.differences > 0
                      ? say('differs', { count: run.differences })
                      : say('agrees')}
                </Status>
              ),
            },
            {
              key: 'method',
              head: say('method'),
              cell: (run) => (
                <>
                  {say(`method_${run.method}`)}
                  {run.method === 'asked' && <span className="block text-xs text-muted">{say('methodAskedHelp')}</span>}
                </>
              ),
            },
            {
              key: 'compared',
              head: say('compared'),
              isNumber: true,
              cell: (run) => (run.failingSince ? '–' : format.number(run.compared)),
            },
            {
              key: 'their',
              head: say('theirSum'),
              isNumber: true,
              cell: (run) => (run.failingSince ? '–' : <Money micros={run.theirMicros} currency={run.currency} />),
            },
            {
              key: 'our',
              head: say('ourSum'),
              isNumber: true,
              cell: (run) => (run.failingSince ? '–' : <Money micros={run.ourMicros} currency={run.currency} />),
            },
          ]}
        />
      </section>
      <section aria-labelledby="differences">
        <div className="mb-3 flex flex-wrap items-baseline justify-between gap-3">
          <h2 id="differences" className="text-base font-semibold">
            {heading}
          </h2>
          <nav aria-label={say('show')} className="flex gap-4 text-sm">
            {(['open', 'ended'] as const).map((each) => (
              <Link
                key={each}
                href={each === 'open' ? PATH : `${PATH}?state=ended`}
                aria-current={(each === 'open') === isOpen ? 'page' : undefined}
                className="text-accent underline aria-[current=page]:text-text aria-[current=page]:no-underline"
              >
                {say(each)}
              </Link>
            ))}
          </nav>
        </div>
        <DifferencesTable
          differences={page.rows}
          action={isOpen && isAllowed(staff.role, 'payments.review') ? mendDifferenceAction : null}
          empty={<EmptyState title={say('empty')}>{isOpen ? say('emptyText') : say('endedEmptyText')}</EmptyState>}
        />
        <Pagination
          path={PATH}
          query={{ state: isOpen ? undefined : 'ended' }}
          before={before}
          nextBefore={page.nextBefore}
        />
      </section>
    </>
  )
}
