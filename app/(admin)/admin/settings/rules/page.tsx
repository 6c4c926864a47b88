import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { SelectField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { env } from '@/lib/env'
import { amountText } from '@/lib/kit'
import { priceRounding } from '@/lib/catalog'
import { checkRules } from '@/lib/checks'
import { renewalRules } from '@/lib/orders'
import { paymentRules } from '@/lib/payments'
import { requireAdmin } from '@/lib/web'
import { saveCheckRulesAction, savePriceRoundingAction, saveRenewalRulesAction, saveRulesAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('adminSettings'))('rulesTitle') }
}

export default async function RulesPage() {
  await requireAdmin('settings.write')
  const [say, rules, renewals, checks, rounding] = await Promise.all([
    getTranslations('adminSettings'),
    paymentRules.readFresh(),
    renewalRules.readFresh(),
    checkRules.readFresh(),
    priceRounding.readFresh(),
  ])
  const currency = env().SHOP_CURRENCY
  const amount = (micros: bigint | null) => (micros === null ? '' : amountText(micros))
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/settings" className="text-accent underline">
            {say('back')}
          </Link>
        }
        title={say('rulesTitle')}
        lead={say('rulesFormLead')}
      />
      <div className="flex max-w-2xl flex-col gap-6">
        <Card title={say('paymentRules')} lead={say('paymentRulesLead')}>
          <ActionForm action={saveRulesAction} className="flex flex-col gap-6">
            <fieldset className="flex flex-col gap-4">
              <legend className="mb-3 font-semibold">{say('money')}</legend>
              {(['underpaid', 'late', 'redeposit'] as const).map((name) => (
                <SelectField key={name} name={name} label={say(name)} defaultValue={rules[name]}>
                  <option value="credit">{say('credit')}</option>
                  <option value="wait">{say('wait')}</option>
                </SelectField>
              ))}
            </fieldset>
            <fieldset className="flex flex-col gap-4">
              <legend className="mb-3 font-semibold">{say('limits')}</legend>
              <TextField
                name="firstTopUpMaxMicros"
                label={say('firstTopUpMax', { currency })}
                help={say('firstTopUpMaxHelp')}
                defaultValue={amount(rules.firstTopUpMaxMicros)}
                inputMode="decimal"
                autoComplete="off"
              />
              <TextField
                name="dailyMaxMicros"
                label={say('dailyMax', { currency })}
                help={say('dailyMaxHelp')}
                defaultValue={amount(rules.dailyMaxMicros)}
                inputMode="decimal"
                autoComplete="off"
              />
              <TextField
                name="maxOpenPayments"
                label={say('maxOpenPayments')}
                help={say('maxOpenPaymentsHelp')}
                defaultValue={rules.maxOpenPayments}
                inputMode="numeric"
                autoComplete="off"
              />
            </fieldset>
            <SubmitButton className="self-start">{say('saveRules')}</SubmitButton>
          </ActionForm>
        </Card>
        <Card title={say('renewalRules')} lead={say('renewalRulesLead')}>
          <ActionForm action={saveRenewalRulesAction} className="flex flex-col gap-4">
            {(['leadHours', 'graceHours', 'retryHours'] as const).map((name) => (
              <TextField
                key={name}
                name={name}
                label={say(name)}
                help={say(`${name}Help`)}
                defaultValue={renewals[name]}
                inputMode="numeric"
                autoComplete="off"
              />
            ))}
            <SubmitButton className="self-start">{say('saveRenewalRules')}</SubmitButton>
          </ActionForm>
        </Card>
        <Card title={say('checkRules')} lead={say('checkRulesLead')}>
          <ActionForm action={saveCheckRulesAction} className="flex flex-col gap-4">
            {(['everyHours', 'atOnce'] as const).map((name) => (
              <TextField
                key={name}
                name={name}
                label={say(name)}
                help={say(`${name}Help`)}
                defaultValue={checks[name]}
                inputMode="numeric"
                autoComplete="off"
              />
            ))}
            <SubmitButton className="self-start">{say('saveCheckRules')}</SubmitButton>
          </ActionForm>
        </Card>
        <Card title={say('rounding')} lead={say('roundingLead')}>
          <ActionForm action={savePriceRoundingAction} className="flex flex-col gap-4">
            <TextField
              name="stepMicros"
              label={say('priceStep', { currency })}
              help={say('priceStepHelp')}
              defaultValue={amount(rounding.stepMicros)}
              inputMode="decimal"
              autoComplete="off"
            />
            <SubmitButton className="self-start">{say('saveRounding')}</SubmitButton>
          </ActionForm>
        </Card>
      </div>
    </>
  )
}
