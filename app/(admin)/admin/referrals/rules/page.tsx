import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { sayRule } from '@/components/referrals/referral-words'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { CheckboxField, SelectField, TextAreaField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { ExactTime } from '@/components/ui/time'
import { readCatalog } from '@/lib/catalog'
import { env } from '@/lib/env'
import { amountText } from '@/lib/kit'
import { listCommissionRules, referralProgramme } from '@/lib/referrals'
import { requireAdmin } from '@/lib/web'
import { endRuleAction, saveProgrammeAction, saveRuleAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('adminReferrals'))('rulesTitle') }
}

/** What is earned, and how the programme works. A new rule takes the place of the one before it for the same thing. */
export default async function ReferralRulesPage() {
  await requireAdmin('referrals.rules')
  const [say, locale, rules, programme, catalog] = await Promise.all([
    getTranslations('adminReferrals'),
    getLocale(),
    listCommissionRules(),
    referralProgramme.readFresh(),
    readCatalog({ fresh: true }),
  ])
  const currency = env().SHOP_CURRENCY
  const sentences = await Promise.all(rules.map((rule) => sayRule(rule, currency)))
  const methods = programme.payoutMethods.map(
    (method) => `${method.id} | ${method.label} | ${method.kind} | ${amountText(method.minimumMicros)}`,
  )
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/referrals" className="text-accent underline">
            {say('title')}
          </Link>
        }
        title={say('rulesTitle')}
        lead={say('rulesLead')}
      />
      <div className="flex flex-col gap-6">
        <Card title={say('inForce')}>
          {rules.length === 0 && <p className="text-muted">{say('noRules')}</p>}
          <ul className="flex flex-col divide-y">
            {rules.map((rule, index) => (
              <li key={rule.id} className="flex flex-wrap items-center justify-between gap-3 py-3 first:pt-0 last:pb-0">
                <div>
                  <p>
                    {rule.basisPoints === 0
                      ? say('nothingFor', { product: rule.productName ?? say('allProducts') })
                      : sentences[index]}
                  </p>
                  <p className="text-sm text-muted">
                    {say.rich('since', { date: () => <ExactTime at={rule.fromAt} /> })}
                  </p>
                </div>
                <ActionForm action={endRuleAction}>
                  <input type="hidden" name="basis" value={rule.basis} />
                  <input type="hidden" name="productId" value={rule.productId ?? ''} />
                  <SubmitButton variant="secondary" size="sm">
                    {say('endRule')}
                  </SubmitButton>
                </ActionForm>
              </li>
            ))}
          </ul>
        </Card>
        <Card title={say('newRule')} lead={say('newRuleLead')}>
          <ActionForm action={saveRuleAction} className="grid max-w-3xl gap-4 sm:grid-cols-2">
            <SelectField name="basis" label={say('basis')} defaultValue="orders">
              <option value="orders">{say('basis_orders')}</option>
              <option value="first_top_up">{say('basis_first_top_up')}</option>
            </SelectField>
            <SelectField name="productId" label={say('product')} defaultValue="">
              <option value="">{say('allProducts')}</option>
              {catalog.map((product) => (
                <option key={product.id} value={product.id}>
                  {locale === 'ru' ? product.nameRu : product.nameEn}
                </option>
              ))}
            </SelectField>
            <TextField
              name="basisPoints"
              label={say('percent')}
              help={say('percentHelp')}
              inputMode="decimal"
              required
            />
            <TextField name="forDays" label={say('forDays')} help={say('forDaysHelp')} inputMode="numeric" />
            <TextField
              name="personCapMicros"
              label={say('personCap', { currency })}
              help={say('capHelp')}
              inputMode="decimal"
            />
            <TextField
              name="monthCapMicros"
              label={say('monthCap', { currency })}
              help={say('capHelp')}
              inputMode="decimal"
            />
            <SubmitButton className="justify-self-start">{say('saveRule')}</SubmitButton>
          </ActionForm>
        </Card>
        <Card title={say('programme')}>
          <ActionForm action={saveProgrammeAction} className="flex max-w-3xl flex-col gap-4">
            <CheckboxField name="isOn" label={say('isOn')} help={say('isOnHelp')} defaultChecked={programme.isOn} />
            <div className="grid gap-4 sm:grid-cols-2">
              <TextField
                name="cookieDays"
                label={say('cookieDays')}
                help={say('cookieDaysHelp')}
                inputMode="numeric"
                defaultValue={programme.cookieDays}
                required
              />
              <TextField
                name="holdDays"
                label={say('holdDays')}
                help={say('holdDaysHelp')}
                inputMode="numeric"
                defaultValue={programme.holdDays}
                required
              />
            </div>
            <TextAreaField
              name="payoutMethods"
              label={say('methods')}
              help={say('methodsHelp')}
              defaultValue={methods.join('\n')}
              className="font-mono"
              spellCheck={false}
            />
            <SubmitButton className="self-start">{say('saveProgramme')}</SubmitButton>
          </ActionForm>
        </Card>
      </div>
    </>
  )
}
