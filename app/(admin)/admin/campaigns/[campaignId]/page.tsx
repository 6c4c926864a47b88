import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { IdLink } from '@/components/admin/links'
import { RevisionField } from '@/components/admin/revision-field'
import { CampaignStatus, RecipientOutcome } from '@/components/marketing/campaign-words'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { Card } from '@/components/ui/card'
import { CheckboxField, SelectField, TextAreaField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams, withQuery } from '@/components/ui/search-params'
import { SubmitButton } from '@/components/ui/submit-button'
import { DataTable, Facts } from '@/components/ui/table'
import { ExactTime, RelativeTime } from '@/components/ui/time'
import { renderCampaignPreview } from '@/emails/preview'
import { LOCALES } from '@/i18n/locales'
import { readCatalog } from '@/lib/catalog'
import {
  type CampaignRow,
  CHANNELS,
  countAudience,
  findCampaign,
  listFigures,
  listLinkFigures,
  listRecipients,
  preferencesUrl,
  readTelegram,
  TOPICS,
  writeTelegram,
} from '@/lib/marketing'
import { requireAdmin } from '@/lib/web'
import {
  moveCampaignAction,
  saveCampaignAction,
  scheduleCampaignAction,
  startCampaignAction,
  testCampaignAction,
} from '../actions'

type Props = { params: Promise<{ campaignId: string }>; searchParams: SearchParams }

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('campaigns'))('title') }
}

/** A campaign: its words and audience, how it looks, how it goes; with the id `new` an empty form for one. */
export default async function CampaignPage({ params, searchParams }: Props) {
  const staff = await requireAdmin('marketing.write')
  const [{ campaignId }, query] = await Promise.all([params, searchParams])
  const campaign = campaignId === 'new' ? null : await findCampaign(campaignId)
  if (!campaign && campaignId !== 'new') notFound()
  const say = await getTranslations('campaigns')
  const counted =
    campaign && ['draft', 'scheduled'].includes(campaign.state)
      ? await countAudience(campaign.topic, campaign.audience, campaign.channel)
      : null
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/campaigns" className="text-accent underline">
            {say('back')}
          </Link>
        }
        title={<span className="break-words">{campaign?.name ?? say('new')}</span>}
        lead={say(`leadOf.${campaign?.state ?? 'draft'}`)}
        action={campaign && <CampaignStatus state={campaign.state} />}
      />
      {campaign?.state === 'sending' && campaign.failure && <Waits campaign={campaign} />}
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 xl:grid-cols-2">
        <div className="flex min-w-0 flex-col gap-6">
          {(!campaign || campaign.state === 'draft') && <CampaignForm campaign={campaign} />}
          {campaign && campaign.state !== 'draft' && (
            <Card title={say('write')} lead={say('fixed')}>
              <AudienceFacts campaign={campaign} />
            </Card>
          )}
          {campaign && (
            <Preview
              campaign={campaign}
              locale={LOCALES.find((each) => each === oneOf(query.locale)) ?? 'en'}
              scheme={oneOf(query.scheme) === 'dark' ? 'dark' : 'light'}
            />
          )}
        </div>
        {campaign && (
          <div className="flex min-w-0 flex-col gap-6">
            {counted && <Count counted={counted} />}
            <Sending campaign={campaign} readers={counted?.count ?? 0} address={staff.email} />
            {campaign.startedAt && <Figures campaign={campaign} />}
          </div>
        )}
      </div>
      {campaign?.startedAt && (
        <Recipients campaignId={campaign.id} channel={campaign.channel} before={oneOf(query.before)} />
      )}
    </>
  )
}

async function Waits({ campaign }: { campaign: CampaignRow }) {
  const [say, mail] = await Promise.all([getTranslations('campaigns'), getTranslations('mail')])
  return (
    <Alert tone="warning" className="mb-6">
      {campaign.channel === 'mail'
        ? say('waits', { failure: mail(`failures.${campaign.failure!}`) })
        : say('waitsTelegram', { failure: say(`telegramFailures.${campaign.failure as 'refused'}`) })}
    </Alert>
  )
}

async function CampaignForm({ campaign }: { campaign: CampaignRow | null }) {
  const [say, marketing, frame, locale, products] = await Promise.all([
    getTranslations('campaigns'),
    getTranslations('marketing'),
    getTranslations('frame'),
    getLocale(),
    readCatalog({ fresh: true }),
  ])
  const audience = campaign?.audience
  return (
    <Card title={say('write')}>
      <ActionForm action={saveCampaignAction} className="flex flex-col gap-4">
        {campaign && (
          <>
            <input type="hidden" name="campaignId" value={campaign.id} />
            <RevisionField revision={campaign.revision} />
          </>
        )}
        <TextField
          name="name"
          label={say('name')}
          help={say('nameHelp')}
          defaultValue={campaign?.name}
          maxLength={120}
          required
        />
        <SelectField name="topic" label={say('topic')} help={say('topicHelp')} defaultValue={campaign?.topic ?? 'news'}>
          {TOPICS.map((topic) => (
            <option key={topic} value={topic}>
              {marketing(`topics.${topic}.name`)}
            </option>
          ))}
        </SelectField>
        <SelectField
          name="channel"
          label={say('channel')}
          help={say('channelHelp')}
          defaultValue={campaign?.channel ?? 'mail'}
        >
          {CHANNELS.map((channel) => (
            <option key={channel} value={channel}>
              {say(`channels.${channel}`)}
            </option>
          ))}
        </SelectField>
        {(['En', 'Ru'] as const).map((language) => (
          <div key={language} className="flex flex-col gap-4">
            <TextField
              name={`subject${language}`}
              label={say(`subject${language}`)}
              defaultValue={campaign?.[`subject${language}`]}
              lang={language.toLowerCase()}
              maxLength={150}
              required
            />
            <TextAreaField
              name={`body${language}`}
              label={say(`body${language}`)}
              help={say('bodyHelp')}
              defaultValue={campaign?.[`body${language}`]}
              lang={language.toLowerCase()}
              maxLength={10_000}
              required
            />
          </div>
        ))}
        <h3 className="mt-2 font-semibold">{say('audience')}</h3>
        <p className="text-muted">{say('audienceHelp')}</p>
        <SelectField name="productId" label={say('product')} defaultValue={audience?.productId ?? ''}>
          <option value="">{say('anyProduct')}</option>
          {products.map((product) => (
            <option key={product.id} value={product.id}>
              {locale === 'ru' ? product.nameRu : product.nameEn}
            </option>
          ))}
        </SelectField>
        <TextField
          name="countryCode"
          label={say('country')}
          help={say('countryHelp')}
          defaultValue={audience?.countryCode}
          maxLength={2}
          autoComplete="off"
        />
        <TextField
          name="lastOrderFrom"
          type="date"
          label={say('lastOrderFrom')}
          defaultValue={audience?.lastOrderFrom}
        />
        <TextField
          name="lastOrderBefore"
          type="date"
          label={say('lastOrderBefore')}
          defaultValue={audience?.lastOrderBefore}
        />
        <SelectField name="locale" label={say('locale')} defaultValue={audience?.locale ?? ''}>
          <option value="">{say('anyLocale')}</option>
          {LOCALES.map((each) => (
            <option key={each} value={each} lang={each}>
              {frame(each)}
            </option>
          ))}
        </SelectField>
        <CheckboxField name="hasBalance" label={say('hasBalance')} defaultChecked={audience?.hasBalance ?? false} />
        <SubmitButton className="self-start">{say('save')}</SubmitButton>
      </ActionForm>
    </Card>
  )
}

/** The audience in words, for what cannot be changed any more. */
async function AudienceFacts({ campaign: { topic, channel, audience } }: { campaign: CampaignRow }) {
  const [say, marketing, frame, locale, products] = await Promise.all([
    getTranslations('campaigns'),
    getTranslations('marketing'),
    getTranslations('frame'),
    getLocale(),
    readCatalog({ fresh: true }),
  ])
  const product = products.find(({ id }) => id === audience.productId)
  const facts: [string, string | undefined][] = [
    [say('topic'), marketing(`topics.${topic}.name`)],
    [say('channel'), say(`channels.${channel}`)],
    [say('product'), product ? (locale === 'ru' ? product.nameRu : product.nameEn) : audience.productId],
    [say('country'), audience.countryCode],
    [say('lastOrderFrom'), audience.lastOrderFrom],
    [say('lastOrderBefore'), audience.lastOrderBefore],
    [say('locale'), audience.locale && frame(audience.locale)],
    [say('hasBalance'), audience.hasBalance ? '✓' : undefined],
  ]
  return <Facts facts={facts.filter((fact): fact is [string, string] => fact[1] !== undefined)} />
}

async function Count({ counted: { count, sample } }: { counted: Awaited<ReturnType<typeof countAudience>> }) {
  const [say, frame] = await Promise.all([getTranslations('campaigns'), getTranslations('frame')])
  return (
    <Card title={say('count', { count })} lead={say('countLead')}>
      {sample.length > 0 && (
        <>
          <h3 className="mb-1 font-medium">{say('sample')}</h3>
          <ul className="flex flex-col gap-1">
            {sample.map(({ address, locale }, index) => (
              <li key={index}>
                <span className="font-mono">{address}</span>{' '}
                <span className="text-muted">{locale === 'ru' ? frame('ru') : frame('en')}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  )
}

async function Preview({
  campaign,
  locale,
  scheme,
}: {
  campaign: CampaignRow
  locale: 'en' | 'ru'
  scheme: 'light' | 'dark'
}) {
  const [say, frame] = await Promise.all([getTranslations('campaigns'), getTranslations('frame')])
  const [subject, body] =
    locale === 'ru' ? [campaign.subjectRu, campaign.bodyRu] : [campaign.subjectEn, campaign.bodyEn]
  const words = { subject, body, topic: campaign.topic }
  const name = say('sampleName')
  const isMail = campaign.channel === 'mail'
  const mail = await renderCampaignPreview(words, { locale, scheme, name })
  const text = isMail
    ? mail.text
    : readTelegram(writeTelegram(words, { name, locale, preferencesUrl: preferencesUrl('…') }))
  const path = `/admin/campaigns/${campaign.id}`
  const choices = [
    { name: 'locale' as const, label: say('language'), values: LOCALES.map((each) => [each, frame(each)] as const) },
    ...(isMail
      ? [
          {
            name: 'scheme' as const,
            label: say('scheme'),
            values: [['light', say('light')] as const, ['dark', say('dark')] as const],
          },
        ]
      : []),
  ]
  const chosen = { locale, scheme }
  return (
    <Card title={say('preview')} id="preview">
      <nav aria-label={say('previewChoice')} className="mb-4 flex flex-wrap gap-x-8 gap-y-2 text-sm">
        {choices.map(({ name, label, values }) => (
          <div key={name} className="flex flex-wrap items-center gap-x-3">
            <span className="text-muted">{label}:</span>
            {values.map(([value, text]) => (
              <Link
                key={value}
                href={`${withQuery(path, { ...chosen, [name]: value })}#preview`}
                aria-current={chosen[name] === value ? 'true' : undefined}
                className="inline-flex min-h-9 items-center text-accent underline aria-[current=true]:font-semibold aria-[current=true]:text-text aria-[current=true]:no-underline"
              >
                {text}
              </Link>
            ))}
          </div>
        ))}
      </nav>
      <p lang={locale} className="mb-3">
        <span className="text-muted">{say('subject')}: </span>
        <strong>{mail.subject}</strong>
      </p>
      {/* No scripts, no origin of its own: what stands in it is a mail. */}
      {isMail && (
        <iframe
          title={say('frame')}
          sandbox=""
          src={withQuery(`${path}/html`, chosen)}
          className="h-[32rem] w-full rounded-md border"
        />
      )}
      <h3 className="mt-4 mb-2 font-medium">{say('asText')}</h3>
      <pre lang={locale} className="font-mono text-xs break-words whitespace-pre-wrap">
        {text}
      </pre>
    </Card>
  )
}

async function Sending({ campaign, readers, address }: { campaign: CampaignRow; readers: number; address: string }) {
  const say = await getTranslations('campaigns')
  const { id, state } = campaign
  const hidden = <input type="hidden" name="campaignId" value={id} />
  const move = (to: 'pause' | 'resume' | 'unschedule', variant: 'primary' | 'secondary') => (
    <ActionForm key={to} action={moveCampaignAction}>
      {hidden}
      <SubmitButton variant={variant} name="to" value={to}>
        {say(to)}
      </SubmitButton>
    </ActionForm>
  )
  return (
    <Card title={say('send')}>
      <Facts
        className="mb-4"
        facts={(['startsAt', 'startedAt', 'endedAt'] as const).flatMap((name) =>
          campaign[name]
            ? [[say(name), <ExactTime key={name} at={campaign[name]} />] as [string, React.ReactNode]]
            : [],
        )}
      />
      <div className="flex flex-col gap-5">
        <div>
          <p className="mb-2 text-muted">
            {campaign.channel === 'mail' ? say('testLead', { address }) : say('testLeadTelegram')}
          </p>
          <ActionForm action={testCampaignAction}>
            {hidden}
            <SubmitButton variant="secondary">{say('test')}</SubmitButton>
          </ActionForm>
        </div>
        {state === 'draft' && (
          <>
            <ActionForm action={startCampaignAction}>
              {hidden}
              <input type="hidden" name="revision" value={campaign.revision} />
              <SubmitButton>{say('now', { readers })}</SubmitButton>
            </ActionForm>
            <ActionForm action={scheduleCampaignAction} className="flex max-w-sm flex-col gap-3">
              {hidden}
              <input type="hidden" name="revision" value={campaign.revision} />
              <TextField name="at" type="datetime-local" label={say('at')} help={say('atHelp')} required />
              <SubmitButton variant="secondary" className="self-start">
                {say('schedule')}
              </SubmitButton>
            </ActionForm>
          </>
        )}
        {state === 'scheduled' && move('unschedule', 'secondary')}
        {state === 'sending' && move('pause', 'secondary')}
        {state === 'paused' && move('resume', 'primary')}
        {['scheduled', 'sending', 'paused'].includes(state) && (
          <details>
            <summary className="inline-flex min-h-8 cursor-pointer items-center text-accent underline">
              {say('cancel')}
            </summary>
            <p className="mt-2 mb-3 text-muted">{say('cancelHelp')}</p>
            <ActionForm action={moveCampaignAction}>
              {hidden}
              <SubmitButton variant="secondary" name="to" value="cancel">
                {say('cancel')}
              </SubmitButton>
            </ActionForm>
          </details>
        )}
      </div>
    </Card>
  )
}

const FIGURES = [
  'recipients',
  'sent',
  'delivered',
  'bounced',
  'complained',
  'unsubscribed',
  'skipped',
  'failed',
  'queued',
] as const

async function Figures({ campaign }: { campaign: CampaignRow }) {
  const [say, all, links] = await Promise.all([
    getTranslations('campaigns'),
    listFigures([campaign.id]),
    listLinkFigures(campaign),
  ])
  const figures = all.get(campaign.id)!
  const { measured, opened, clicked } = figures
  const isMail = campaign.channel === 'mail'
  // Of a message Telegram never tells what these count.
  const shown = FIGURES.filter((name) => isMail || !['delivered', 'complained'].includes(name))
  return (
    <Card title={say('figures')} lead={say(isMail ? 'figuresLead' : 'figuresTelegram')}>
      <Facts facts={shown.map((name) => [say(`figure.${name}`), String(figures[name])])} />
      <h3 className="mt-5 font-medium">{say('readings')}</h3>
      <p className="mt-1 mb-3 text-sm text-muted">
        {say(!isMail ? 'readingsTelegram' : measured > 0 ? 'readingsLead' : 'readingsNone')}
      </p>
      {measured > 0 && (
        <Facts
          facts={[
            [say('opened'), say('ofAllowed', { count: opened, measured })],
            [say('clicked'), say('ofAllowed', { count: clicked, measured })],
          ]}
        />
      )}
      {links.length > 0 && (
        <>
          <h3 className="mt-5 mb-2 font-medium">{say('firstLinks')}</h3>
          <ul className="flex flex-col gap-2 text-sm">
            {links.map(({ locale, number, url, people }) => (
              <li key={`${locale} ${number}`} className="flex items-baseline justify-between gap-4">
                <span className="min-w-0 break-all">
                  {url} <span className="text-muted uppercase">{locale}</span>
                </span>
                <span className="tabular-nums">{people}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Card>
  )
}

async function Recipients({
  campaignId,
  channel,
  before,
}: {
  campaignId: string
  channel: CampaignRow['channel']
  before: string | undefined
}) {
  const [say, page] = await Promise.all([getTranslations('campaigns'), listRecipients({ campaignId, before })])
  return (
    <section className="mt-6">
      <h2 className="mb-3 text-base font-semibold">{say('recipients')}</h2>
      <DataTable
        caption={say('recipientsCaption')}
        rows={page.rows}
        rowKey={({ id }) => id}
        empty={<p className="text-muted">{say('recipientsEmpty')}</p>}
        columns={[
          { key: 'address', head: say('columnAddress'), cell: ({ address }) => <span>{address}</span> },
          {
            key: 'person',
            head: say('columnPerson'),
            cell: ({ userId }) => <IdLink href={`/admin/customers/${userId}`} id={userId} />,
          },
          {
            key: 'state',
            head: say('state'),
            cell: (recipient) => <RecipientOutcome recipient={recipient} channel={channel} />,
          },
          { key: 'when', head: say('columnWhen'), cell: ({ at }) => <RelativeTime at={at} /> },
        ]}
      />
      <Pagination path={`/admin/campaigns/${campaignId}`} before={before} nextBefore={page.nextBefore} />
    </section>
  )
}
