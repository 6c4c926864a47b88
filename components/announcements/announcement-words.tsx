import { getTranslations } from 'next-intl/server'
import { Status } from '@/components/ui/status'
import type { Tone } from '@/components/ui/tones'
import type { Announcement, AnnouncementKind, AnnouncementState } from '@/lib/announcements'

type InBoth = Pick<Announcement, 'titleEn' | 'titleRu' | 'textEn' | 'textRu'>

export const titleIn = (locale: string, announcement: Pick<InBoth, 'titleEn' | 'titleRu'>) =>
  locale === 'ru' ? announcement.titleRu : announcement.titleEn
export const textIn = (locale: string, announcement: Pick<InBoth, 'textEn' | 'textRu'>) =>
  locale === 'ru' ? announcement.textRu : announcement.textEn

/** An exact time with its zone, in this language: previews speak another one than the page around them. */
export function timeIn(locale: string, timeZone: string, at: Date): string {
  return new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, {
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone,
    timeZoneName: 'short',
  }).format(at)
}

const KIND_TONES: Record<AnnouncementKind, Tone> = { news: 'neutral', change: 'info', maintenance: 'warning' }
const STATE_TONES: Record<AnnouncementState, Tone> = {
  draft: 'neutral',
  scheduled: 'info',
  published: 'good',
  withdrawn: 'warning',
}

export async function AnnouncementKindStatus({ kind }: { kind: AnnouncementKind }) {
  const say = await getTranslations('announcements')
  return <Status tone={KIND_TONES[kind]}>{say(`kind_${kind}`)}</Status>
}

export async function AnnouncementStateStatus({ state }: { state: AnnouncementState }) {
  const say = await getTranslations('announcements')
  return <Status tone={STATE_TONES[state]}>{say(`state_${state}`)}</Status>
}
