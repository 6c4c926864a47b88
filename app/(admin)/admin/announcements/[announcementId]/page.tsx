import type { Metadata } from 'next'
import { getLocale, getTimeZone, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { RevisionField } from '@/components/admin/revision-field'
import { AnnouncementBody } from '@/components/announcements/announcement-body'
import { AnnouncementHistory } from '@/components/announcements/announcement-history'
import { AnnouncementKindStatus, AnnouncementStateStatus, titleIn } from '@/components/announcements/announcement-words'
import { TextFields, TimeFields, TouchFields } from '@/components/announcements/announcement-fields'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { Card } from '@/components/ui/card'
import { TextField } from '@/components/ui/field'
import { PageHeader } from '@/components/ui/page-header'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { SubmitButton } from '@/components/ui/submit-button'
import { ExactTime } from '@/components/ui/time'
import {
  type Announcement,
  ANNOUNCEMENT_KINDS,
  type AnnouncementKind,
  countTouched,
  findAnnouncement,
  listChanges,
  writeLocal,
} from '@/lib/announcements'
import { readCatalog } from '@/lib/catalog'
import { requireAdmin } from '@/lib/web'
import {
  changeTimesAction,
  deleteDraftAction,
  editTextsAction,
  publishAction,
  saveAnnouncementAction,
  withdrawAction,
} from '../actions'

type Props = { params: Promise<{ announcementId: string }>; searchParams: SearchParams }

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('announcements'))('title') }
}

/** An announcement with what can be done with it in its state; with the id `new` an empty form, for the kind that the address names. */
export default async function AdminAnnouncementPage({ params, searchParams }: Props) {
  await requireAdmin('announcements.write')
  const { announcementId } = await params
  const announcement = announcementId === 'new' ? null : await findAnnouncement(announcementId)
  if (!announcement && announcementId !== 'new') notFound()
  const [say, locale] = await Promise.all([getTranslations('announcements'), getLocale()])
  const asked = oneOf((await searchParams).kind)
  const kind = announcement?.kind ?? ANNOUNCEMENT_KINDS.find((each) => each === asked) ?? 'news'
  const isPublic = announcement !== null && announcement.publishedAt !== null
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/announcements" className="text-accent underline">
            {say('back')}
          </Link>
        }
        title={<span className="break-words">{announcement ? titleIn(locale, announcement) : say('newTitle')}</span>}
        lead={say(`about_${kind}`)}
        action={
          announcement && (
            <>
              <AnnouncementKindStatus kind={kind} />
              <AnnouncementStateStatus state={announcement.state} />
            </>
          )
        }
      />
      {!announcement && <Kinds current={kind} />}
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 xl:grid-cols-2">
        {isPublic ? <EditCard announcement={announcement} /> : <DraftCard announcement={announcement} kind={kind} />}
        {announcement && (
          <div className="flex min-w-0 flex-col gap-6">
            {isPublic ? <PublishedCards announcement={announcement} /> : <PublishCard announcement={announcement} />}
            <PreviewCard announcement={announcement} />
            {announcement.state === 'draft' && <DeleteCard announcement={announcement} />}
          </div>
        )}
      </div>
    </>
  )
}

/** The kinds as links: each has its own fields, and no script is needed to show them. */
async function Kinds({ current }: { current: AnnouncementKind }) {
  const say = await getTranslations('announcements')
  return (
    <nav aria-label={say('kind')} className="mb-6">
      <ul className="flex flex-wrap gap-2">
        {ANNOUNCEMENT_KINDS.map((kind) => (
          <li key={kind}>
            <Link
              href={`/admin/announcements/new?kind=${kind}`}
              aria-current={kind === current ? 'true' : undefined}
              className="inline-flex min-h-8 items-center rounded-full border px-3 text-sm text-muted hover:bg-sunken hover:text-text aria-[current=true]:border-accent aria-[current=true]:bg-accent-soft aria-[current=true]:font-medium aria-[current=true]:text-accent"
            >
              {say(`kind_${kind}`)}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}

async function DraftCard({ announcement, kind }: { announcement: Announcement | null; kind: AnnouncementKind }) {
  const say = await getTranslations('announcements')
  return (
    <Card title={say('text')} lead={say('textLead')}>
      {/* Another kind is another form: nothing typed for one slips into the other. Planned or taken back, it is filled anew. */}
      <ActionForm
        key={`${kind} ${announcement?.state} ${announcement?.publishAt?.toISOString()}`}
        action={saveAnnouncementAction}
        className="flex flex-col gap-4"
      >
        <input type="hidden" name="kind" value={kind} />
        {announcement && <NamedAsOpened announcement={announcement} />}
        <TextFields announcement={announcement} />
        <TimeFields kind={kind} announcement={announcement} />
        {kind === 'maintenance' && <TouchFields announcement={announcement} />}
        <SubmitButton className="self-start">{say('save')}</SubmitButton>
      </ActionForm>
    </Card>
  )
}

async function PublishCard({ announcement }: { announcement: Announcement }) {
  const [say, timeZone, touched] = await Promise.all([
    getTranslations('announcements'),
    getTimeZone(),
    countTouched(announcement),
  ])
  const { state, publishAt } = announcement
  const isScheduled = state === 'scheduled' && publishAt !== null
  return (
    <Card title={say('publishing')}>
      <p className="mb-4">
        {announcement.kind === 'maintenance'
          ? say('tellsTouched', touched)
          : say('tellsPeople', { people: touched.people })}
      </p>
      {isScheduled && (
        <Alert tone="info" className="mb-4">
          {say.rich('scheduledFor', { at: () => <ExactTime at={publishAt} /> })}
        </Alert>
      )}
      <ActionForm action={publishAction} className="flex flex-col gap-4">
        <Named announcement={announcement} />
        <input type="hidden" name="timeZone" value={timeZone} />
        <SubmitButton name="when" value="now" className="self-start">
          {say('publishNow')}
        </SubmitButton>
        <TextField
          name="publishAt"
          type="datetime-local"
          label={say('publishAt', { zone: timeZone })}
          help={say('zoneHelp', { zone: timeZone })}
          className="max-w-sm"
          defaultValue={isScheduled ? writeLocal(publishAt, timeZone) : ''}
        />
        <SubmitButton name="when" value="later" variant="secondary" className="self-start">
          {say('schedule')}
        </SubmitButton>
      </ActionForm>
      {isScheduled && (
        <ActionForm action={withdrawAction} className="mt-4 border-t pt-4">
          <Named announcement={announcement} />
          <SubmitButton variant="secondary">{say('unschedule')}</SubmitButton>
        </ActionForm>
      )}
    </Card>
  )
}

/** Two steps: what goes is named before the button that does it is there. */
async function DeleteCard({ announcement }: { announcement: Announcement }) {
  const [say, locale] = await Promise.all([getTranslations('announcements'), getLocale()])
  return (
    <Card title={say('deleteTitle')} lead={say('deleteLead')}>
      <details>
        <summary className="cursor-pointer text-accent underline">{say('deleteAsk')}</summary>
        <ActionForm action={deleteDraftAction} className="mt-4 flex flex-col gap-4">
          <Named announcement={announcement} />
          <p className="break-words">{say('deleteWhat', { title: titleIn(locale, announcement) })}</p>
          <SubmitButton variant="danger" className="self-start">
            {say('delete')}
          </SubmitButton>
        </ActionForm>
      </details>
    </Card>
  )
}

async function EditCard({ announcement }: { announcement: Announcement }) {
  const say = await getTranslations('announcements')
  if (announcement.state === 'withdrawn') return <HistoryCard announcement={announcement} />
  return (
    <div className="flex min-w-0 flex-col gap-6">
      <Card title={say('editTitle')} lead={say('editLead')}>
        {/* Other times, set on this page, fill it anew. */}
        <ActionForm key={announcement.round} action={editTextsAction} className="flex flex-col gap-4">
          <NamedAsOpened announcement={announcement} />
          <TextFields announcement={announcement} />
          <SubmitButton className="self-start">{say('saveTexts')}</SubmitButton>
        </ActionForm>
      </Card>
      <HistoryCard announcement={announcement} />
    </div>
  )
}

async function HistoryCard({ announcement }: { announcement: Announcement }) {
  const [say, changes] = await Promise.all([getTranslations('announcements'), listChanges(announcement.id)])
  const { kind, publishedAt, toldAt, state, slug } = announcement
  return (
    <Card title={say('published')}>
      <p>{say.rich('publishedAt', { at: () => <ExactTime at={publishedAt!} /> })}</p>
      {toldAt ? (
        <p className="mt-1">{say.rich('toldSince', { at: () => <ExactTime at={toldAt} /> })}</p>
      ) : (
        state === 'published' && <p className="mt-1">{say('telling')}</p>
      )}
      {kind === 'maintenance' && state === 'published' && <TouchedNow announcement={announcement} />}
      <p className="mt-2">
        <Link href={`/announcements/${slug}`} className="text-accent underline">
          {say('seePage')}
        </Link>
      </p>
      <AnnouncementHistory changes={changes} />
    </Card>
  )
}

async function TouchedNow({ announcement }: { announcement: Announcement }) {
  const [say, touched] = await Promise.all([getTranslations('announcements'), countTouched(announcement)])
  return <p className="mt-1">{say('touchesNow', { people: touched.people, proxies: touched.proxies })}</p>
}

async function PublishedCards({ announcement }: { announcement: Announcement }) {
  if (announcement.state === 'withdrawn') return null
  const say = await getTranslations('announcements')
  const isMaintenance = announcement.kind === 'maintenance'
  return (
    <>
      {isMaintenance && (
        <Card title={say('timesTitle')} lead={say('timesLead')}>
          <ActionForm action={changeTimesAction} className="flex flex-col gap-4">
            <Named announcement={announcement} />
            <TimeFields kind="maintenance" announcement={announcement} />
            <SubmitButton variant="secondary" className="self-start">
              {say('saveTimes')}
            </SubmitButton>
          </ActionForm>
        </Card>
      )}
      <Card title={say('withdrawTitle')} lead={say(isMaintenance ? 'withdrawLeadMaintenance' : 'withdrawLead')}>
        <ActionForm action={withdrawAction}>
          <Named announcement={announcement} />
          <SubmitButton variant="danger">{say('withdraw')}</SubmitButton>
        </ActionForm>
      </Card>
    </>
  )
}

async function PreviewCard({ announcement }: { announcement: Announcement }) {
  const [say, timeZone, products] = await Promise.all([
    getTranslations('announcements'),
    getTimeZone(),
    readCatalog({ fresh: true }),
  ])
  return (
    <Card title={say('preview')}>
      <div className="flex flex-col gap-6">
        {(['en', 'ru'] as const).map((locale) => (
          <section key={locale} className="border-t pt-4 first:border-t-0 first:pt-0">
            <p className="text-xs font-medium text-muted">{say(locale === 'en' ? 'inEnglish' : 'inRussian')}</p>
            <h3 lang={locale} className="mt-1 text-lg font-semibold break-words">
              {titleIn(locale, announcement)}
            </h3>
            <AnnouncementBody announcement={announcement} products={products} locale={locale} timeZone={timeZone} />
          </section>
        ))}
      </div>
    </Card>
  )
}

/** Which announcement a form is about, as it stands on the page now: what is published or taken back is what can be read beside the button. */
function Named({ announcement }: { announcement: Announcement }) {
  return (
    <>
      <input type="hidden" name="announcementId" value={announcement.id} />
      <input type="hidden" name="revision" value={announcement.revision} />
    </>
  )
}

/** The same for what is typed: at the revision that was opened, also when the page is drawn anew around it. */
function NamedAsOpened({ announcement }: { announcement: Announcement }) {
  return (
    <>
      <input type="hidden" name="announcementId" value={announcement.id} />
      <RevisionField revision={announcement.revision} />
    </>
  )
}
