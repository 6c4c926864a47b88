import { getFormatter, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { Card } from '@/components/ui/card'
import { CheckboxField, TextField } from '@/components/ui/field'
import { Money } from '@/components/ui/money'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { DataTable } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import type { CatalogPlan } from '@/lib/catalog'
import { env } from '@/lib/env'
import { amountText } from '@/lib/kit'
import type { ComputedPeriod, computeRule, CostRow, PriceRuleView } from '@/lib/prices'
import type { FormAction } from '@/lib/web'
import { PeriodLines } from './period-lines'
import { RevisionField } from './revision-field'

/** The rule of a plan: what it makes of the costs as they are now, the switch, and the form. */
export async function PriceRuleCard({
  plan,
  rule,
  preview,
  actions,
}: {
  plan: CatalogPlan
  rule: PriceRuleView | null
  preview: ReturnType<typeof computeRule> | null
  actions: { save: FormAction; turn: FormAction }
}) {
  const [say, common] = await Promise.all([getTranslations('prices'), getTranslations('common')])
  const currency = env().SHOP_CURRENCY
  const lineOf = (days: number) => rule?.terms.periods.find((each) => each.days === days)
  const percent = (basisPoints: number | undefined) => (basisPoints === undefined ? '' : String(basisPoints / 100))
  const amount = (micros: bigint | null | undefined) => (micros ? amountText(micros) : '')
  return (
    <Card
      title={
        <span className="inline-flex flex-wrap items-center gap-2">
          {say('ruleTitle')}
          {rule && (
            <Status tone={rule.isActive ? 'good' : 'neutral'}>{say(rule.isActive ? 'ruleOn' : 'ruleOff')}</Status>
          )}
        </span>
      }
      lead={say('ruleLead')}
    >
      {rule && preview && (
        <section className="mb-6 flex flex-col gap-3 text-sm">
          <h3 className="font-medium">{say('previewTitle')}</h3>
          <RulePreview plan={plan} periods={preview.periods} currency={currency} />
          {preview.problem === null && !preview.moves && (
            <p className="text-muted">{say('previewUnmoved', { percent: rule.terms.thresholdBasisPoints / 100 })}</p>
          )}
          {rule.computedAt && rule.outcome && (
            <p className="text-muted">
              {say.rich('lastRun', {
                at: () => <ExactTime at={rule.computedAt!} />,
                outcome: say(`outcome_${rule.outcome}`),
              })}
            </p>
          )}
          <div className="flex flex-wrap items-center gap-4">
            <ActionForm action={actions.turn}>
              <input type="hidden" name="planId" value={plan.id} />
              <input type="hidden" name="version" value={rule.version} />
              <input type="hidden" name="isActive" value={rule.isActive ? 'off' : 'on'} />
              <SubmitButton size="sm" variant={rule.isActive ? 'secondary' : 'primary'}>
                {say(rule.isActive ? 'switchOff' : 'switchOn')}
              </SubmitButton>
            </ActionForm>
            <Link href={`/admin/catalogue/simulator?plan=${plan.id}&by=rule`} className="text-accent underline">
              {say('simulate')}
            </Link>
          </div>
        </section>
      )}
      <ActionForm action={actions.save} className="flex flex-col gap-4">
        <h3 className="font-medium">{say(rule ? 'ruleChange' : 'ruleWrite')}</h3>
        <input type="hidden" name="planId" value={plan.id} />
        <RevisionField name="version" revision={rule?.version ?? 0} />
        <PeriodLines
          legend={say('ruleLines')}
          lead={say('ruleLinesLead', { currency })}
          daysName="lineDays"
          columns={[
            { name: 'linePercent', label: say('linePercent'), errorName: 'marginBasisPoints' },
            { name: 'lineFixed', label: say('lineFixed'), errorName: 'fixedMicros' },
            { name: 'lineMinimum', label: say('lineMinimum'), errorName: 'minimumMicros' },
          ]}
          group="periods"
          lines={plan.periods.map(({ days }) => {
            const line = lineOf(days)
            return {
              days,
              name: common('days', { count: days }),
              values: [percent(line?.marginBasisPoints), amount(line?.fixedMicros), amount(line?.minimumMicros)],
            }
          })}
        />
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField
            name="stepMicros"
            label={say('ruleStep', { currency })}
            help={say('ruleStepHelp')}
            inputMode="decimal"
            defaultValue={amount(rule?.terms.stepMicros)}
          />
          <TextField
            name="belowMicros"
            label={say('ruleBelow', { currency })}
            help={say('ruleBelowHelp')}
            inputMode="decimal"
            defaultValue={amount(rule?.terms.belowMicros)}
          />
          <TextField
            name="thresholdBasisPoints"
            label={say('ruleThreshold')}
            help={say('ruleThresholdHelp')}
            inputMode="decimal"
            defaultValue={percent(rule?.terms.thresholdBasisPoints ?? 100)}
          />
          <span className="max-sm:hidden" />
          <TextField
            name="costCurrency"
            label={say('costCurrency')}
            help={say('costCurrencyHelp')}
            maxLength={3}
            defaultValue={rule?.terms.costCurrency ?? ''}
          />
          <TextField
            name="costRate"
            label={say('costRate', { currency })}
            inputMode="decimal"
            defaultValue={rule?.terms.costRate ?? ''}
          />
        </div>
        <CheckboxField
          name="isLossAllowed"
          label={say('isLossAllowed')}
          help={say('isLossAllowedHelp')}
          defaultChecked={rule?.terms.isLossAllowed ?? false}
        />
        <SubmitButton className="self-start">{say('saveRule')}</SubmitButton>
      </ActionForm>
    </Card>
  )
}

async function RulePreview({
  plan,
  periods,
  currency,
}: {
  plan: CatalogPlan
  periods: ComputedPeriod[]
  currency: string
}) {
  const [say, common] = await Promise.all([getTranslations('prices'), getTranslations('common')])
  const nameOf = (offerId: string | null) => {
    const offer = plan.offers.find((each) => each.id === offerId)
    return offer ? `${offer.countryCode} · ${offer.supplier}` : '–'
  }
  const money = (micros: bigint | null) => (micros === null ? '–' : <Money micros={micros} currency={currency} />)
  const stopped = periods.filter((each) => each.problem !== null)
  return (
    <>
      <DataTable
        caption={say('previewTitle')}
        rows={periods}
        rowKey={(row) => String(row.days)}
        empty={null}
        columns={[
          { key: 'period', head: say('period'), cell: ({ days }) => common('days', { count: days }) },
          { key: 'cost', head: say('cost'), isNumber: true, cell: ({ costMicros }) => money(costMicros) },
          { key: 'offer', head: say('dearest'), cell: ({ costOfferId }) => nameOf(costOfferId) },
          { key: 'now', head: say('priceNow'), isNumber: true, cell: ({ beforeMicros }) => money(beforeMicros) },
          { key: 'then', head: say('priceThen'), isNumber: true, cell: ({ afterMicros }) => money(afterMicros) },
        ]}
      />
      {stopped.map(({ days, problem, costOfferId }) => (
        <Alert key={days} tone="warning">
          {say(`problem_${problem!}`, { period: common('days', { count: days }), offer: nameOf(costOfferId) })}
        </Alert>
      ))}
    </>
  )
}

/** What pieces of each offer cost: quoted, or typed here. */
export async function CostsCard({ plan, costs, action }: { plan: CatalogPlan; costs: CostRow[]; action: FormAction }) {
  const [say, common, format] = await Promise.all([
    getTranslations('prices'),
    getTranslations('common'),
    getFormatter(),
  ])
  const offers = plan.offers.filter((offer) => offer.isActive)
  return (
    <Card title={say('costsTitle')} lead={say('costsLead')}>
      {offers.length === 0 && <p className="text-sm text-muted">{say('costsNoOffer')}</p>}
      <div className="flex flex-col divide-y">
        {offers.map((offer) => {
          const own = costs.filter((each) => each.offerId === offer.id)
          const typed = own.filter((each) => each.source === 'staff')
          const quoted = own.filter((each) => each.source === 'quote')
          return (
            <section key={offer.id} className="flex flex-col gap-3 py-4 first:pt-0">
              <h3 className="font-medium">{`${offer.countryCode} · ${offer.supplier}`}</h3>
              {quoted.length > 0 && (
                <ul className="text-sm text-muted">
                  {quoted.map((cost) => (
                    <li key={cost.days}>
                      {say.rich('quoted', {
                        period: common('days', { count: cost.days }),
                        cost: () => <Money micros={cost.costMicros} currency={cost.currency} />,
                        at: format.dateTime(cost.at, { dateStyle: 'medium', timeStyle: 'short' }),
                      })}
                    </li>
                  ))}
                </ul>
              )}
              <ActionForm action={action} className="flex flex-col gap-3">
                <input type="hidden" name="offerId" value={offer.id} />
                <PeriodLines
                  legend={say('costsTyped')}
                  lead={say('costsTypedLead')}
                  daysName="costDays"
                  columns={[{ name: 'cost', label: say('cost'), errorName: 'costMicros' }]}
                  group="costs"
                  lines={plan.periods.map(({ days }) => {
                    const cost = typed.find((each) => each.days === days)
                    return {
                      days,
                      name: common('days', { count: days }),
                      values: [cost ? amountText(cost.costMicros) : ''],
                    }
                  })}
                />
                <TextField
                  name="currency"
                  label={say('currency')}
                  className="max-w-32"
                  maxLength={3}
                  defaultValue={typed[0]?.currency ?? env().SHOP_CURRENCY}
                />
                <SubmitButton size="sm" variant="secondary" className="self-start">
                  {say('saveCosts')}
                </SubmitButton>
              </ActionForm>
            </section>
          )
        })}
      </div>
    </Card>
  )
}
