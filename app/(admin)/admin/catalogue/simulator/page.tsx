import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { PriceLines } from '@/components/admin/price-changes'
import { readScenario, scenarioQuery } from '@/components/admin/scenario-query'
import { SimulationResult } from '@/components/admin/simulation-result'
import { Alert } from '@/components/ui/alert'
import { Button } from '@/components/ui/button'
import { buttonStyles } from '@/components/ui/button-styles'
import { Card } from '@/components/ui/card'
import { SelectField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { readCatalog } from '@/lib/catalog'
import { listPlannedChanges, SIMULATED_DAYS, simulatePrices } from '@/lib/prices'
import { requireAdmin } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('prices'))('simulator') }
}

/** What last month would have brought under other prices. The question lies in the address, so that an answer can be shared and downloaded. */
export default async function SimulatorPage({ searchParams }: { searchParams: SearchParams }) {
  await requireAdmin('catalog.write')
  const [say, fields, query, products] = await Promise.all([
    getTranslations('prices'),
    getTranslations('fields'),
    searchParams,
    readCatalog({ fresh: true }),
  ])
  const plans = products.flatMap((product) => product.plans)
  const plan = plans.find((each) => each.id === oneOf(query.plan))
  const changes = plan ? await listPlannedChanges({ planId: plan.id }) : []
  const asked = readScenario(query)
  const problems = asked && 'problems' in asked ? asked.problems : []
  const answer = asked && 'scenario' in asked ? await simulatePrices(asked.scenario) : null
  // What was typed stands there again; the present prices where nothing was typed.
  const typed = asked && 'scenario' in asked && asked.scenario.by === 'typed' ? asked.scenario.prices : null
  const kinds = [
    'percent',
    'margin',
    'rule',
    ...(plan ? ['typed' as const] : []),
    ...(changes.length > 0 ? ['change' as const] : []),
  ] as const
  return (
    <>
      <PageHeader
        back={
          <Link
            href={plan ? `/admin/catalogue/plans/${plan.id}/prices` : '/admin/catalogue'}
            className="text-accent underline"
          >
            {plan ? plan.nameEn : say('backToCatalogue')}
          </Link>
        }
        title={say('simulator')}
        lead={say('simulatorLead', { days: SIMULATED_DAYS })}
      />
      <div className="flex flex-col gap-6">
        <Card title={say('question')}>
          <form method="get" className="flex flex-wrap items-end gap-3 border-b pb-4">
            <div className="min-w-0 grow sm:max-w-sm">
              <SelectField name="plan" label={say('whichPlan')} defaultValue={plan?.id ?? ''}>
                <option value="">{say('allPlans')}</option>
                {plans.map(({ id, nameEn, slug }) => (
                  <option key={id} value={id}>
                    {`${nameEn} (${slug})`}
                  </option>
                ))}
              </SelectField>
            </div>
            <Button type="submit" variant="secondary">
              {say('choosePlan')}
            </Button>
          </form>
          <form method="get" className="mt-4 flex flex-col gap-4">
            {plan && <input type="hidden" name="plan" value={plan.id} />}
            <div className="grid max-w-2xl gap-4 sm:grid-cols-2">
              <SelectField name="by" label={say('whichPrices')} defaultValue={oneOf(query.by) ?? 'percent'}>
                {kinds.map((kind) => (
                  <option key={kind} value={kind}>
                    {say(`by_${kind}`)}
                  </option>
                ))}
              </SelectField>
              <TextField
                name="percent"
                label={say('percent')}
                help={say('percentHelp')}
                inputMode="text"
                defaultValue={oneOf(query.percent) ?? '10'}
              />
              {changes.length > 0 && (
                <SelectField name="change" label={say('whichChange')} defaultValue={oneOf(query.change)}>
                  {changes.map(({ changeId, at }) => (
                    <option key={changeId} value={changeId}>
                      {`${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`}
                    </option>
                  ))}
                </SelectField>
              )}
            </div>
            {plan && <PriceLines prices={typed ?? plan} />}
            <Button type="submit" className="self-start">
              {say('simulateIt')}
            </Button>
          </form>
        </Card>
        {problems.length > 0 && (
          <Alert tone="bad">
            {problems
              .map((text) =>
                fields.has(text as 'value_invalid') ? fields(text as 'value_invalid') : fields('value_invalid'),
              )
              .join(' ')}
          </Alert>
        )}
        {answer && !answer.ok && <Alert tone="bad">{say('simulationGone')}</Alert>}
        {answer?.ok && (
          <SimulationResult
            simulation={answer.value}
            plans={plans}
            download={
              <a
                href={`/admin/catalogue/simulator/file?${scenarioQuery(query)}`}
                download
                className={buttonStyles({ variant: 'secondary', size: 'sm' })}
              >
                {say('csv')}
              </a>
            }
          />
        )}
      </div>
    </>
  )
}
