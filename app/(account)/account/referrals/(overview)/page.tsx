import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import { ReferralChart } from '@/components/referrals/referral-chart'
import { Figure, ReferralTabs, sayRule } from '@/components/referrals/referral-words'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { CopyButton } from '@/components/ui/copy-button'
import { CheckboxField, TextField } from '@/components/ui/field'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { RequestKey } from '@/components/ui/request-key'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import { env } from '@/lib/env'
import { formatMoney, newId } from '@/lib/kit'
import {
  getReferralOverview,
  type LinkView,
  listCommissionRules,
  listLinks,
  referralProgramme,
  type ReferralOverview,
} from '@/lib/referrals'
import { requireUser } from '@/lib/web'
import { changeLinkAction, makeLinkAction, moveRewardsAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('referrals'))('title') }
}

export default async function ReferralsPage() {
  const user = await requireUser()
  const [say, overview, links, rules, programme] = await Promise.all([
    getTranslations('referrals'),
    getReferralOverview({ userId: user.id }),
    listLinks({ userId: user.id }),
    listCommissionRules(),
    referralProgramme.read(),
  ])
  const paying = rules.filter((rule) => rule.basisPoints > 0)
  const sentences = await Promise.all(paying.map((rule) => sayRule(rule, overview.currency)))
  return (
    <>
      <PageHeader title={say('title')} lead={say('lead', { days: programme.holdDays })} />
      <ReferralTabs />
      <div className="flex flex-col gap-6">
        {(!programme.isOn || paying.length === 0) && <Alert tone="info">{say('programmeOff')}</Alert>}
        {programme.isOn && sentences.length > 0 && (
          <ul className="flex flex-col gap-1">
            {sentences.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        )}
        <Figures overview={overview} />
        <Available overview={overview} hasPayouts={programme.payoutMethods.length > 0} />
        <Links links={links} currency={overview.currency} />
        <Card title={say('chartTitle')} lead={say('funnel', overview.funnel)}>
          <ReferralChart overview={overview} />
        </Card>
      </div>
    </>
  )
}

async function Figures({ overview }: { overview: ReferralOverview }) {
  const say = await getTranslations('referrals')
  const { currency } = overview
  const figures: { name: string; micros: bigint; help?: string }[] = [
    { name: say('available'), micros: overview.availableMicros },
    { name: say('pending'), micros: overview.pendingMicros, help: say('pendingHelp') },
    { name: say('settled'), micros: overview.settledMicros },
  ]
  if (overview.requestedMicros > 0n) figures.push({ name: say('requested'), micros: overview.requestedMicros })
  if (overview.heldMicros > 0n) figures.push({ name: say('held'), micros: overview.heldMicros, help: say('heldHelp') })
  if (overview.owedMicros > 0n) figures.push({ name: say('owed'), micros: overview.owedMicros, help: say('owedHelp') })
  return (
    <dl className="grid grid-cols-2 gap-3 xl:grid-cols-3">
      {figures.map((figure) => (
        <Figure key={figure.name} currency={currency} {...figure} />
      ))}
    </dl>
  )
}

/** What can be done with what is there: to the balance at once, or out of the shop. */
async function Available({ overview, hasPayouts }: { overview: ReferralOverview; hasPayouts: boolean }) {
  if (overview.availableMicros === 0n) return null
  const [say, locale] = await Promise.all([getTranslations('referrals'), getLocale()])
  const amount = formatMoney(overview.availableMicros, overview.currency, locale)
  return (
    <Card title={say('useTitle', { amount })} lead={say('useLead')}>
      <div className="flex flex-wrap items-start gap-3">
        <ActionForm action={moveRewardsAction}>
          <RequestKey value={newId('req')} />
          <SubmitButton>{say('move', { amount })}</SubmitButton>
        </ActionForm>
        {hasPayouts && (
          <ButtonLink href="/account/referrals/payouts" variant="secondary">
            {say('askPayout')}
          </ButtonLink>
        )}
      </div>
    </Card>
  )
}

async function Links({ links, currency }: { links: LinkView[]; currency: string }) {
  const [say, common] = await Promise.all([getTranslations('referrals'), getTranslations('common')])
  return (
    <Card title={say('linksTitle')} lead={say('linksLead')}>
      {links.length > 0 && (
        <ul className="mb-6 flex flex-col divide-y">
          {links.map((link) => {
            const address = `${env().PUBLIC_URL}/r/${link.code}`
            return (
              <li key={link.id} className="flex flex-col gap-2 py-4 first:pt-0 last:pb-0">
                <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
                  <span className="font-medium break-words">{link.label}</span>
                  {!link.isActive && <Status>{say('linkOff')}</Status>}
                </div>
                <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
                  <code className="min-w-0 font-mono text-sm break-all">{address}</code>
                  <CopyButton
                    value={address}
                    what={say('linkOf', { label: link.label })}
                    texts={{ copy: common('copy'), copied: common('copied') }}
                  />
                </div>
                <p className="text-sm text-muted">
                  {say.rich('linkFigures', {
                    clicks: link.clicks,
                    signUps: link.signUps,
                    buyers: link.buyers,
                    earned: () => <Money micros={link.earnedMicros} currency={currency} />,
                  })}
                </p>
                <details>
                  <summary className="cursor-pointer text-sm text-accent underline">
                    {say('linkChange')} <span className="sr-only">{link.label}</span>
                  </summary>
                  <ActionForm action={changeLinkAction} className="mt-3 flex max-w-md flex-col gap-3">
                    <input type="hidden" name="linkId" value={link.id} />
                    <TextField name="label" label={say('label')} defaultValue={link.label} maxLength={60} required />
                    <CheckboxField name="isActive" label={say('linkActive')} defaultChecked={link.isActive} />
                    <SubmitButton variant="secondary" className="self-start">
                      {say('linkSave')}
                    </SubmitButton>
                  </ActionForm>
                </details>
              </li>
            )
          })}
        </ul>
      )}
      <ActionForm action={makeLinkAction} className="flex max-w-md flex-col gap-4">
        <TextField name="label" label={say('label')} help={say('labelHelp')} maxLength={60} required />
        <TextField
          name="code"
          label={say('code')}
          help={say('codeHelp')}
          maxLength={32}
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          className="font-mono"
        />
        <SubmitButton variant={links.length > 0 ? 'secondary' : 'primary'} className="self-start">
          {say('makeLink')}
        </SubmitButton>
      </ActionForm>
    </Card>
  )
}
