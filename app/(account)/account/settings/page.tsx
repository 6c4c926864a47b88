import type { Metadata } from 'next'
import { getFormatter, getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { ChoiceProofs, MeasuringForm, TelegramForm, TopicBoxes } from '@/components/marketing/choices'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { SelectField, TextAreaField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { LOCALES } from '@/i18n/locales'
import { type ConsentProof, getProfile } from '@/lib/identity'
import { findMeasuring, listChoices } from '@/lib/marketing'
import { getNoticeSettings } from '@/lib/notices'
import { listStopped } from '@/lib/notifications'
import { getBillingProfile, listCountries } from '@/lib/papers'
import { requireUser } from '@/lib/web'
import {
  changePasswordAction,
  chooseMeasuringAction,
  chooseTelegramAction,
  chooseTopicsAction,
  saveBillingAction,
  updateProfileAction,
} from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('settings'))('title') }
}

export default async function SettingsPage() {
  const user = await requireUser()
  const [
    say,
    mail,
    frame,
    notices,
    marketing,
    format,
    locale,
    profile,
    billing,
    choices,
    telegram,
    told,
    measuring,
    stopped,
  ] = await Promise.all([
    getTranslations('settings'),
    getTranslations('mail'),
    getTranslations('frame'),
    getTranslations('notices'),
    getTranslations('marketing'),
    getFormatter(),
    getLocale(),
    getProfile(user.id),
    getBillingProfile(user.id),
    listChoices(user.id),
    listChoices(user.id, 'telegram'),
    getNoticeSettings({ userId: user.id }),
    findMeasuring(user.id),
    listStopped([user.email], 'marketing'),
  ])
  const { terms, age } = profile.consents
  const isComplained = [...stopped.values()].includes('complaint')
  return (
    <>
      <PageHeader
        title={say('title')}
        lead={say('lead', {
          email: profile.email,
          date: format.dateTime(profile.createdAt, { dateStyle: 'long' }),
        })}
      />
      <div className="flex max-w-2xl flex-col gap-6">
        <Card title={say('profile')}>
          <ActionForm action={updateProfileAction} className="flex flex-col gap-4">
            <TextField
              name="username"
              label={say('username')}
              help={say('usernameHelp')}
              defaultValue={profile.username}
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              required
            />
            <SelectField name="locale" label={say('language')} help={say('languageHelp')} defaultValue={profile.locale}>
              {LOCALES.map((locale) => (
                <option key={locale} value={locale} lang={locale}>
                  {frame(locale)}
                </option>
              ))}
            </SelectField>
            <SubmitButton className="self-start">{say('saveProfile')}</SubmitButton>
          </ActionForm>
        </Card>
        <Card id="billing" title={say('billing')} lead={say('billingLead')}>
          <ActionForm action={saveBillingAction} className="flex flex-col gap-4">
            <TextField
              name="name"
              label={say('billingName')}
              defaultValue={billing.name}
              autoComplete="name"
              maxLength={120}
            />
            <TextField
              name="company"
              label={say('billingCompany')}
              defaultValue={billing.company}
              autoComplete="organization"
              maxLength={160}
            />
            <TextAreaField
              name="address"
              label={say('billingAddress')}
              help={say('billingAddressHelp')}
              defaultValue={billing.address}
              autoComplete="street-address"
              className="!min-h-24"
              maxLength={400}
            />
            <SelectField
              name="countryCode"
              label={say('billingCountry')}
              help={say('billingCountryHelp')}
              defaultValue={billing.countryCode}
              autoComplete="country"
            >
              <option value="">{say('billingNoCountry')}</option>
              {listCountries(locale).map(({ code, name }) => (
                <option key={code} value={code}>
                  {name}
                </option>
              ))}
            </SelectField>
            <TextField
              name="taxId"
              label={say('billingTaxId')}
              help={say('billingTaxIdHelp')}
              defaultValue={billing.taxId}
              autoComplete="off"
              spellCheck={false}
              maxLength={40}
            />
            <SubmitButton className="self-start">{say('saveBilling')}</SubmitButton>
          </ActionForm>
        </Card>
        <Card
          title={notices('settingsCardTitle')}
          lead={notices('settingsCardLead')}
          action={
            <ButtonLink href="/account/settings/notifications" variant="secondary" size="sm">
              {notices('settings')}
            </ButtonLink>
          }
        />
        <Card id="marketing" title={say('mail')} lead={say('mailHelp')}>
          {isComplained && (
            <Alert tone="warning" title={marketing('stoppedTitle')} className="mb-4">
              {marketing('stoppedText')}
            </Alert>
          )}
          <ActionForm action={chooseTopicsAction} className="flex flex-col gap-4">
            <TopicBoxes choices={choices} />
            <SubmitButton className="self-start">{marketing('save')}</SubmitButton>
          </ActionForm>
          {told.telegram && (
            <>
              <h3 id="telegram" className="mt-6 mb-3 border-t pt-4 font-semibold">
                {marketing('telegram.title')}
              </h3>
              {told.telegram.linkedAt ? (
                <TelegramForm action={chooseTelegramAction} choices={telegram} />
              ) : (
                <p className="text-sm text-muted">
                  {marketing('telegram.linkFirst')}{' '}
                  <Link href="/account/settings/notifications" className="text-accent underline">
                    {marketing('telegram.toLink')}
                  </Link>
                </p>
              )}
            </>
          )}
          <h3 id="measuring" className="mt-6 border-t pt-4 font-semibold">
            {marketing('measuring.title')}
          </h3>
          <p className="mt-1 mb-4 text-sm text-muted">{marketing('measuring.lead')}</p>
          <MeasuringForm action={chooseMeasuringAction} measuring={measuring} />
          {(measuring.proof ?? [...choices, ...telegram].some(({ proof }) => proof)) && (
            <details className="mt-4 border-t pt-4 text-sm">
              <summary className="inline-flex min-h-8 cursor-pointer items-center text-accent underline">
                {marketing('proofTitle')}
              </summary>
              <div className="mt-2">
                <ChoiceProofs choices={choices} telegram={telegram} measuring={measuring} />
              </div>
            </details>
          )}
          <p className="mt-4 text-sm">
            <Link href="/account/settings/mails" className="text-accent underline">
              {mail('ownLink')}
            </Link>
          </p>
        </Card>
        <Card title={say('passwordTitle')}>
          <ActionForm action={changePasswordAction} className="flex flex-col gap-4">
            <TextField
              name="currentPassword"
              type="password"
              autoComplete="current-password"
              label={say('currentPassword')}
              required
            />
            <TextField
              name="password"
              type="password"
              autoComplete="new-password"
              label={say('newPassword')}
              help={say('passwordHelp')}
              required
            />
            <SubmitButton className="self-start">{say('changePassword')}</SubmitButton>
          </ActionForm>
        </Card>
        {terms && age && (
          <Card title={say('agreements')}>
            <Proof proof={terms} />
            <Proof proof={age} />
          </Card>
        )}
      </div>
    </>
  )
}

/** When a person said yes or no, to which version, and the very words. */
async function Proof({ proof }: { proof: ConsentProof }) {
  const [say, format] = await Promise.all([getTranslations('settings'), getFormatter()])
  const date = format.dateTime(proof.at, { dateStyle: 'long', timeStyle: 'short' })
  return (
    <div className="mt-4 border-t pt-4 text-sm text-muted first:mt-0 first:border-t-0 first:pt-0">
      <p>{say(proof.isGranted ? 'grantedOn' : 'refusedOn', { date, version: proof.version })}</p>
      <blockquote lang={proof.locale} className="mt-2 border-l-2 pl-3 text-text">
        {proof.text}
      </blockquote>
    </div>
  )
}
