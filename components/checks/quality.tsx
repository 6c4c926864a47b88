import { getFormatter, getTranslations } from 'next-intl/server'
import { Card } from '@/components/ui/card'
import { DataTable } from '@/components/ui/table'
import { checkRules, QUALITY_CHECKS_MIN, QUALITY_DAYS, type Quality, REPLACEMENTS_DAYS } from '@/lib/checks'

/** What our checks say about a product, country by country, and how that was measured. Says so where there is too little to say. */
export async function QualityCard({
  places,
  quality,
  className,
}: {
  places: { code: string; name: string }[]
  quality: Map<string, Quality>
  className?: string
}) {
  const [say, format, { everyHours }] = await Promise.all([
    getTranslations('checks'),
    getFormatter(),
    checkRules.read(),
  ])
  const isKnown = places.some((place) => quality.has(place.code))
  const few = say('qualityFew')
  return (
    <Card
      title={say('qualityTitle')}
      lead={say('qualityLead', { hours: everyHours, days: QUALITY_DAYS, replacementDays: REPLACEMENTS_DAYS })}
      className={className}
    >
      {!isKnown && <p className="text-sm">{say('qualityNone', { count: QUALITY_CHECKS_MIN })}</p>}
      {isKnown && (
        <DataTable
          caption={say('qualityCaption')}
          rows={places}
          rowKey={(place) => place.code}
          empty={null}
          columns={[
            { key: 'country', head: say('country'), cell: (place) => place.name },
            {
              key: 'passed',
              head: say('qualityPassed'),
              isNumber: true,
              cell: ({ code }) => {
                const measured = quality.get(code)
                return measured ? format.number(share(measured), { style: 'percent', maximumFractionDigits: 1 }) : few
              },
            },
            {
              key: 'median',
              head: say('qualityMedian'),
              isNumber: true,
              cell: ({ code }) => {
                const median = quality.get(code)?.medianLatencyMs
                return median === undefined || median === null ? '–' : say('milliseconds', { count: median })
              },
            },
            {
              key: 'checks',
              head: say('qualityChecks'),
              isNumber: true,
              cell: ({ code }) => {
                const measured = quality.get(code)
                return measured ? format.number(measured.checks) : '–'
              },
            },
            {
              key: 'replacements',
              head: say('qualityReplacements'),
              isNumber: true,
              cell: ({ code }) => {
                const measured = quality.get(code)
                return measured ? format.number(measured.replacements) : '–'
              },
            },
          ]}
        />
      )}
    </Card>
  )
}

/** Rounded down to a tenth of a percent: 100 % is only said when every single check passed. */
function share({ passed, checks }: Quality): number {
  return Math.floor((passed / checks) * 1000) / 1000
}
