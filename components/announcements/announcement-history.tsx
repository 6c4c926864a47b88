import { getLocale, getTimeZone, getTranslations } from 'next-intl/server'
import { ExactTime } from '@/components/ui/time'
import { Timeline } from '@/components/ui/timeline'
import type { AnnouncementChange } from '@/lib/announcements'
import { AnnouncementText } from './announcement-text'
import { timeIn } from './announcement-words'

/** What was changed after publishing, and what it said until then. Nothing when nothing was. */
export async function AnnouncementHistory({ changes }: { changes: AnnouncementChange[] }) {
  if (changes.length === 0) return null
  const say = await getTranslations('announcements')
  return (
    <section className="mt-10 border-t pt-6">
      <h2 className="mb-4 text-base font-semibold">{say('history')}</h2>
      <Timeline
        items={changes.map((change) => ({
          key: String(change.id),
          text: say(`changed_${change.what}`),
          at: <ExactTime at={change.at} />,
          detail: change.what === 'withdrawn' ? undefined : <Before change={change} />,
        }))}
      />
    </section>
  )
}

async function Before({ change: { what, before } }: { change: AnnouncementChange }) {
  const [say, locale, timeZone] = await Promise.all([getTranslations('announcements'), getLocale(), getTimeZone()])
  if (what === 'times') {
    const time = (iso: string | undefined) => timeIn(locale, timeZone, new Date(iso!))
    return <p>{say('beforeTimes', { begins: time(before.beginsAt), ends: time(before.endsAt) })}</p>
  }
  // In the reader's language when that was edited, else in the one that was.
  const isRu = (before.titleRu ?? before.textRu) !== undefined
  const isEn = (before.titleEn ?? before.textEn) !== undefined
  const shown = (locale === 'ru' && isRu) || !isEn ? 'ru' : 'en'
  const [title, text] = shown === 'ru' ? [before.titleRu, before.textRu] : [before.titleEn, before.textEn]
  return (
    <details>
      <summary className="cursor-pointer text-accent">{say('before')}</summary>
      <div lang={shown}>
        {title && <p className="mt-3 font-medium">{title}</p>}
        {text && <AnnouncementText text={text} />}
      </div>
    </details>
  )
}
