import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { CountryOptions, FormatOptions, OrderOptions, TagOptions } from '@/components/exports/choice-options'
import { Disclosure, FeedRow, shownOnceTexts } from '@/components/exports/feed-row'
import { LivePreview } from '@/components/exports/live-preview'
import { sayPreview } from '@/components/exports/say-preview'
import { ShownOnce } from '@/components/exports/shown-once'
import { ActionForm } from '@/components/ui/action-form'
import { ButtonLink } from '@/components/ui/button'
import { buttonStyles } from '@/components/ui/button-styles'
import { Card } from '@/components/ui/card'
import { CheckboxField, SelectField, TextAreaField, TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { shortId } from '@/components/ui/short-id'
import { SubmitButton } from '@/components/ui/submit-button'
import { Code } from '@/components/ui/table'
import {
  countProxies,
  type ExportFilter,
  exportFilterSchema,
  type ExportTemplateView,
  type FeedView,
  findWriter,
  isBuiltIn,
  listChoices,
  listFeeds,
  listTemplates,
  TEMPLATE_FIELDS,
  TEMPLATE_KINDS,
  TEMPLATE_LENGTH_MAX,
  TEMPLATES_MAX,
} from '@/lib/exports'
import { filterQuery, listTags } from '@/lib/holdings'
import { requireUser } from '@/lib/web'
import {
  makeFeedAction,
  previewAction,
  previewTemplateAction,
  removeTemplateAction,
  renameFeedAction,
  revokeFeedAction,
  rotateFeedAction,
  saveTemplateAction,
} from './actions'

const PAGE = '/account/proxies/export'
/** What can be filtered by here; the table of proxies has more. */
const WITH_FIELDS = new Set(['order', 'country', 'tag'])
type Choices = Awaited<ReturnType<typeof listChoices>> & { tags: Awaited<ReturnType<typeof listTags>> }

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('exports'))('title') }
}

export default async function ExportPage({ searchParams }: { searchParams: SearchParams }) {
  const user = await requireUser()
  const query = await searchParams
  const own = { userId: user.id }
  const [say, count, choice, tags, templates, feeds] = await Promise.all([
    getTranslations('exports'),
    countProxies({ ...own, filter: {} }),
    listChoices(user.id),
    listTags(own),
    listTemplates(own),
    listFeeds({ ...own, kind: 'proxies' }),
  ])
  const choices = { ...choice, tags }
  return (
    <>
      <PageHeader
        back={
          <Link href="/account/proxies" className="text-accent underline">
            {say('back')}
          </Link>
        }
        title={say('title')}
        lead={say('lead', { count })}
      />
      <div className="flex max-w-4xl flex-col gap-6">
        <Studio userId={user.id} query={await flat(searchParams)} choices={choices} templates={templates} />
        <Templates templates={templates} edited={templates.find(({ id }) => id === oneOf(query.edit))} />
        <Feeds feeds={feeds} choices={choices} templates={templates} />
      </div>
    </>
  )
}

async function flat(params: SearchParams): Promise<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(await params).map(([name, value]) => [name, oneOf(value)]))
}

/** A plain form that opens an address: it works without script, and its answer can be shared and gone back to. */
async function Studio({
  userId,
  query,
  choices,
  templates,
}: {
  userId: string
  query: Record<string, string | undefined>
  choices: Choices
  templates: ExportTemplateView[]
}) {
  const [say, common, locale] = await Promise.all([getTranslations('exports'), getTranslations('common'), getLocale()])
  const filter = exportFilterSchema.parse(query)
  const { orders, countries, tags } = withChosen(choices, filter)
  // What was filtered by in the table of proxies and has no field here goes along.
  const further = [
    ...[...new URLSearchParams(filterQuery(filter))].filter(([name]) => !WITH_FIELDS.has(name)),
    ...(filter.selection ? [['selection', filter.selection] as const] : []),
  ]
  const asked = query.format ?? 'txt'
  const format = (await findWriter(userId, asked)) ? asked : 'txt'
  const showsPasswords = query.passwords === 'show'
  const writer = (await findWriter(userId, format))!
  const begun = `${format} ${filterQuery(filter)} ${filter.selection} ${showsPasswords}`
  const initial = await sayPreview({ userId, filter, writer, showsPasswords }, locale)
  return (
    <Card title={say('chooseTitle')} lead={say('chooseLead')}>
      {/* Fields keep what is chosen in them; another address begins anew. */}
      <form key={begun} action={PAGE} method="get" className="flex flex-col gap-4">
        {further.map(([name, value]) => (
          <input key={name} type="hidden" name={name} value={value} />
        ))}
        {further.length > 0 && (
          <p className="text-sm">
            {say(filter.selection ? 'selected' : 'filtered')}{' '}
            <Link href={PAGE} className="text-accent underline">
              {say('unfiltered')}
            </Link>
          </p>
        )}
        <div className="grid gap-4 sm:grid-cols-2">
          <SelectField name="order" label={say('order')} defaultValue={filter.order ?? ''}>
            <OrderOptions orders={orders} />
          </SelectField>
          <SelectField name="country" label={say('country')} defaultValue={filter.country ?? ''}>
            <CountryOptions countries={countries} />
          </SelectField>
          {tags.length > 0 && (
            <SelectField name="tag" label={say('tag')} defaultValue={filter.tag ?? ''}>
              <TagOptions tags={tags} />
            </SelectField>
          )}
          <div className={tags.length > 0 ? '' : 'sm:col-span-2'}>
            <SelectField name="format" label={say('format')} defaultValue={format}>
              <FormatOptions templates={templates} />
            </SelectField>
          </div>
        </div>
        <CheckboxField name="passwords" value="show" label={say('showPasswords')} defaultChecked={showsPasswords} />
        <LivePreview
          action={previewAction}
          initial={initial}
          copyFrom={`${PAGE}/file`}
          texts={{
            preview: say('preview'),
            empty: say('previewEmpty'),
            copy: say('copy'),
            copied: common('copied'),
          }}
        />
        <div className="flex flex-wrap gap-2">
          <button type="submit" formAction={`${PAGE}/file`} className={buttonStyles()}>
            {say('download')}
          </button>
          <button type="submit" className={buttonStyles({ variant: 'secondary' })}>
            {say('show')}
          </button>
        </div>
      </form>
    </Card>
  )
}

/** What the address asks for is among the options, also where no working proxy is left of it: a field must not say "all" and mean one. */
function withChosen({ orders, countries, tags }: Choices, { order, country, tag }: ExportFilter): Choices {
  return {
    orders: !order || orders.some(({ id }) => id === order) ? orders : [...orders, { id: order, count: 0 }],
    countries: !country || countries.includes(country) ? countries : [...countries, country],
    tags: !tag || tags.some((each) => each.tag === tag) ? tags : [...tags, { tag, count: 0 }],
  }
}

async function Templates({ templates, edited }: { templates: ExportTemplateView[]; edited?: ExportTemplateView }) {
  const [say, common] = await Promise.all([getTranslations('exports'), getTranslations('common')])
  return (
    <Card
      id="templates"
      title={say('templatesTitle')}
      lead={say('templatesLead', { left: TEMPLATES_MAX - templates.length })}
    >
      {templates.length === 0 ? (
        <p className="text-sm text-muted">{say('templatesEmpty')}</p>
      ) : (
        <ul>
          {templates.map(({ id, name, kind, text }) => (
            <li key={id} className="flex flex-col gap-2 border-t py-4 first:border-t-0 first:pt-0">
              <p className="font-medium break-words">{name}</p>
              <p className="text-sm text-muted">{say(`kind_${kind}`)}</p>
              <Code className="rounded-md border bg-sunken px-2 py-1 whitespace-pre-wrap">{text}</Code>
              <div className="flex flex-wrap gap-2">
                <ButtonLink href={`${PAGE}?format=${id}`} variant="secondary" size="sm">
                  {say('use')}
                </ButtonLink>
                <ButtonLink href={`${PAGE}?edit=${id}#template`} variant="secondary" size="sm">
                  {say('edit')}
                </ButtonLink>
                <Disclosure title={say('remove')}>
                  <ActionForm action={removeTemplateAction} className="flex flex-col items-start gap-3">
                    <input type="hidden" name="templateId" value={id} />
                    <p className="text-sm">{say('removeSure', { name })}</p>
                    <SubmitButton variant="danger">{say('removeNow', { name })}</SubmitButton>
                  </ActionForm>
                </Disclosure>
              </div>
            </li>
          ))}
        </ul>
      )}
      <h3 id="template" className="mt-6 mb-3 scroll-mt-20 border-t pt-6 font-semibold">
        {edited ? say('changeTemplate', { name: edited.name }) : say('newTemplate')}
      </h3>
      <ActionForm key={edited?.id ?? 'new'} action={saveTemplateAction} className="flex flex-col gap-4">
        <input type="hidden" name="templateId" value={edited?.id ?? ''} />
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField name="name" label={say('name')} defaultValue={edited?.name} maxLength={60} required />
          <SelectField name="kind" label={say('kind')} help={say('kindHelp')} defaultValue={edited?.kind ?? 'line'}>
            {TEMPLATE_KINDS.map((kind) => (
              <option key={kind} value={kind}>
                {say(`kind_${kind}`)}
              </option>
            ))}
          </SelectField>
        </div>
        <p className="text-sm">
          {say('fields')} <Code>{TEMPLATE_FIELDS.map((field) => `{${field}}`).join(' ')}</Code>
        </p>
        <TextAreaField
          name="text"
          label={say('text')}
          help={say('textHelp', { maximum: TEMPLATE_LENGTH_MAX })}
          defaultValue={edited?.text ?? '{host}:{port}:{user}:{pass}'}
          className="!min-h-24 font-mono"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
        <LivePreview
          action={previewTemplateAction}
          initial={{ text: '', note: '' }}
          texts={{
            preview: say('preview'),
            empty: say('previewTyping'),
            copy: common('copy'),
            copied: common('copied'),
          }}
        />
        <div className="flex flex-wrap gap-2">
          <SubmitButton>{say('save')}</SubmitButton>
          {edited && (
            <ButtonLink href={`${PAGE}#template`} variant="quiet">
              {say('cancel')}
            </ButtonLink>
          )}
        </div>
      </ActionForm>
    </Card>
  )
}

async function Feeds({
  feeds,
  choices,
  templates,
}: {
  feeds: FeedView[]
  choices: Choices
  templates: ExportTemplateView[]
}) {
  const [say, locale, once] = await Promise.all([getTranslations('exports'), getLocale(), shownOnceTexts()])
  const countries = new Intl.DisplayNames([locale], { type: 'region' })
  const whatOf = ({ filter, format, template }: FeedView) => {
    const parts = [
      ...(filter.order ? [say('feedOrder', { id: shortId(filter.order) })] : []),
      ...(filter.country ? [countries.of(filter.country) ?? filter.country] : []),
      ...(filter.tag ? [say('feedTag', { tag: filter.tag })] : []),
    ]
    const written = format && isBuiltIn(format) ? say(`format_${format}`) : (template?.name ?? '')
    return say('feedOf', { what: parts.join(', ') || say('feedAll'), format: written })
  }
  return (
    <Card id="feeds" title={say('feedsTitle')} lead={say('feedsLead')}>
      {feeds.length === 0 ? (
        <p className="text-sm text-muted">{say('feedsEmpty')}</p>
      ) : (
        <ul>
          {feeds.map((feed) => (
            <FeedRow
              key={feed.id}
              feed={feed}
              what={whatOf(feed)}
              actions={{ rename: renameFeedAction, rotate: rotateFeedAction, revoke: revokeFeedAction }}
            />
          ))}
        </ul>
      )}
      <h3 className="mt-6 mb-3 border-t pt-6 font-semibold">{say('newFeed')}</h3>
      <ActionForm action={makeFeedAction} className="flex flex-col gap-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField name="name" label={say('name')} help={say('feedNameHelp')} maxLength={60} required />
          <SelectField name="format" label={say('format')} defaultValue="txt">
            <FormatOptions templates={templates} />
          </SelectField>
          <SelectField name="order" label={say('order')}>
            <OrderOptions orders={choices.orders} />
          </SelectField>
          <SelectField name="country" label={say('country')}>
            <CountryOptions countries={choices.countries} />
          </SelectField>
          {choices.tags.length > 0 && (
            <SelectField name="tag" label={say('tag')}>
              <TagOptions tags={choices.tags} />
            </SelectField>
          )}
        </div>
        <SubmitButton className="self-start">{say('makeFeed')}</SubmitButton>
        <ShownOnce texts={once} />
      </ActionForm>
    </Card>
  )
}
