import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { TextField } from '@/components/ui/field'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { ExactTime } from '@/components/ui/time'
import type { CatalogPlan } from '@/lib/catalog'
import { env } from '@/lib/env'
import { amountText } from '@/lib/kit'
import { differenceOf, type PastChange, type PlannedChange } from '@/lib/prices'
import type { FormAction } from '@/lib/web'
import { LineFields } from './line-fields'
import { PriceDifferenceList } from './price-difference'

/** Empty lines below the filled ones: room to add without any script. */
const SPARE_LINES = 2

/** The lines of a plan's prices to type into, filled with the present ones. */
export async function PriceLines({ prices }: { prices: Pick<CatalogPlan, 'periods' | 'steps'> }) {
  const say = await getTranslations('admin')
  const spare = Array.from({ length: SPARE_LINES }, (): [string, string] => ['', ''])
  const periods = [
    ...prices.periods.map((each): [string, string] => [String(each.days), amountText(each.unitPriceMicros)]),
    ...spare,
  ]
  const steps = [
    ...prices.steps.map((each): [string, string] => [
      String(each.fromQuantity),
      String(each.discountBasisPoints / 100),
    ]),
    ...spare,
  ]
  const labels = (lines: unknown[]) => lines.map((_, index) => say('line', { number: index + 1 }))
  return (
    <>
      <LineFields
        group="periods"
        legend={say('periods')}
        lead={say('periodsLead', { currency: env().SHOP_CURRENCY })}
        first={{ name: 'periodDays', label: say('periodDays'), errorName: 'days' }}
        second={{ name: 'periodPrice', label: say('periodPrice'), errorName: 'unitPriceMicros' }}
        lines={periods}
        lineLabel={labels(periods)}
      />
      <LineFields
        group="steps"
        legend={say('steps')}
        lead={say('stepsLead')}
        first={{ name: 'stepFrom', label: say('stepFrom'), errorName: 'fromQuantity' }}
        second={{ name: 'stepPercent', label: say('stepPercent'), errorName: 'discountBasisPoints' }}
        lines={steps}
        lineLabel={labels(steps)}
      />
    </>
  )
}

/** What is planned for a plan, each with the way to take it back or to see what it would have brought, and the form to plan another. */
export async function PlannedChangesCard({
  plan,
  changes,
  isRuleOn,
  actions,
}: {
  plan: CatalogPlan
  changes: PlannedChange[]
  isRuleOn: boolean
  actions: { plan: FormAction; withdraw: FormAction }
}) {
  const say = await getTranslations('prices')
  const last = changes.at(-1)?.prices ?? plan
  return (
    <Card title={say('changesTitle')} lead={say('changesLead')}>
      {changes.length > 0 && (
        <ul className="mb-6 flex flex-col divide-y" aria-label={say('changesTitle')}>
          {changes.map(({ changeId, at, prices }, index) => (
            <li key={changeId} className="flex flex-col gap-2 py-4 first:pt-0">
              <h3 className="font-medium">{say.rich('from', { at: () => <ExactTime at={at} /> })}</h3>
              <PriceDifferenceList difference={differenceOf(index === 0 ? plan : changes[index - 1]!.prices, prices)} />
              <div className="flex flex-wrap items-center gap-4">
                <ActionForm action={actions.withdraw}>
                  <input type="hidden" name="changeId" value={changeId} />
                  <SubmitButton size="sm" variant="secondary">
                    {say('withdraw')}
                  </SubmitButton>
                </ActionForm>
                <Link
                  href={`/admin/catalogue/simulator?plan=${plan.id}&by=change&change=${changeId}`}
                  className="text-accent underline"
                >
                  {say('simulate')}
                </Link>
              </div>
            </li>
          ))}
        </ul>
      )}
      {isRuleOn ? (
        <p className="text-sm text-muted">{say('ruleIsOn')}</p>
      ) : (
        <ActionForm action={actions.plan} className="flex flex-col gap-4">
          <h3 className="font-medium">{say('planAnother')}</h3>
          <input type="hidden" name="planId" value={plan.id} />
          <TextField
            name="at"
            type="datetime-local"
            label={say('at')}
            help={say('atHelp')}
            className="max-w-sm"
            required
          />
          <PriceLines prices={last} />
          <SubmitButton className="self-start">{say('planIt')}</SubmitButton>
        </ActionForm>
      )}
    </Card>
  )
}

const TONES = { applied: 'good', withdrawn: 'neutral', refused: 'bad' } as const

/** What became of earlier changes: what moved, when, and by whom or what. */
export async function PastChangesCard({ changes }: { changes: PastChange[] }) {
  const say = await getTranslations('prices')
  return (
    <Card title={say('pastTitle')} lead={say('pastLead')}>
      {changes.length === 0 && <p className="text-sm text-muted">{say('pastEmpty')}</p>}
      <ul className="flex flex-col divide-y text-sm" aria-label={say('pastTitle')}>
        {changes.map((change) => (
          <li key={change.changeId} className="flex flex-col gap-1 py-3 first:pt-0">
            <p className="flex flex-wrap items-center gap-2">
              <Status tone={TONES[change.state]}>{say(`state_${change.state}`)}</Status>
              <ExactTime at={change.endedAt} />
              <span className="text-muted">{say(`cause_${change.cause}`)}</span>
            </p>
            {change.refusal !== null && <p>{say('refused_rule_sets_prices')}</p>}
            {change.before !== null && <PriceDifferenceList difference={differenceOf(change.before, change.prices)} />}
          </li>
        ))}
      </ul>
    </Card>
  )
}
