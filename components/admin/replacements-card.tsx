import { getTranslations } from 'next-intl/server'
import { Card } from '@/components/ui/card'
import { Status } from '@/components/ui/status'
import { Code, DataTable, Place } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import type { Tone } from '@/components/ui/tones'
import type { ReplacementView } from '@/lib/remedies'

const TONES: Record<ReplacementView['state'], Tone> = {
  open: 'info',
  replaced: 'good',
  credited: 'warning',
  refused: 'bad',
}

/** For staff: every exchange of an order, who was asked, how that stands, and what a supplier gave after its customer was paid. */
export async function ReplacementsCard({
  replacements,
  className,
}: {
  replacements: ReplacementView[]
  className?: string
}) {
  const [say, words] = await Promise.all([getTranslations('admin'), getTranslations('proxies')])
  return (
    <Card title={words('replacements')} className={className}>
      <DataTable
        caption={words('replacements')}
        rows={replacements}
        rowKey={(row) => row.id}
        empty={null}
        columns={[
          { key: 'at', head: words('when'), cell: (row) => <ExactTime at={row.at} /> },
          { key: 'old', head: words('oldProxy'), cell: (row) => <Place>{row.oldPlace}</Place> },
          {
            key: 'new',
            head: words('newProxy'),
            cell: (row) => (row.newPlace ? <Place>{row.newPlace}</Place> : '–'),
          },
          { key: 'why', head: words('reason'), cell: (row) => words(`reason_${row.reason as 'dead'}`) },
          {
            key: 'state',
            head: say('state'),
            cell: (row) => (
              <>
                <Status tone={TONES[row.state]}>{say(`exchange_${row.state}`)}</Status>
                {row.until && (
                  <span className="block text-xs text-muted">
                    {say.rich('exchangeUntil', { until: () => <ExactTime at={row.until!} /> })}
                  </span>
                )}
              </>
            ),
          },
          {
            key: 'supplier',
            head: say('supplier'),
            cell: (row) =>
              row.supplier && row.step ? (
                <>
                  {row.supplier}: {say(`exchangeStep_${row.step}`)}
                  {row.detail && <span className="block break-words text-xs text-muted">{row.detail}</span>}
                  {row.latePlace && (
                    <span className="block font-semibold">
                      {say.rich('exchangeLate', { place: () => <Code>{row.latePlace}</Code> })}
                    </span>
                  )}
                </>
              ) : (
                '–'
              ),
          },
          { key: 'lookups', head: say('lookups'), isNumber: true, cell: (row) => String(row.lookups) },
        ]}
      />
    </Card>
  )
}
