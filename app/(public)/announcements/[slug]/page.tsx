import type { Metadata } from 'next'
import { getLocale, getTimeZone, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { cache } from 'react'
import { AnnouncementBody } from '@/components/announcements/announcement-body'
import { AnnouncementHistory } from '@/components/announcements/announcement-history'
import { AnnouncementKindStatus, textIn, titleIn } from '@/components/announcements/announcement-words'
import { Alert } from '@/components/ui/alert'
import { ExactTime } from '@/components/ui/time'
import { isLocale } from '@/i18n/locales'
import { findPublished, leadOf, listChanges } from '@/lib/announcements'
import { readCatalog } from '@/lib/catalog'

type Props = { params: Promise<{ slug: string }> }

const find = cache(async (slug: string) => (await findPublished(slug)) ?? notFound())

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const [announcement, locale] = await Promise.all([find((await params).slug), getLocale()])
  return {
    title: titleIn(locale, announcement),
    description: leadOf(textIn(locale, announcement), 160),
    alternates: { types: { 'application/atom+xml': `/announcements/feed?locale=${locale}` } },
  }
}

/** One announcement, with what was changed of it since. A withdrawn one says so: links to it are in mails. */
export default async function AnnouncementPage({ params }: Props) {
  const announcement = await find((await params).slug)
  const [say, locale, timeZone, changes, products] = await Promise.all([
    getTranslations('announcements'),
    getLocale(),
    getTimeZone(),
    listChanges(announcement.id),
    readCatalog(),
  ])
  const { kind, state, publishedAt, withdrawnAt } = announcement
  const isMaintenance = kind === 'maintenance'
  return (
    <article className="max-w-2xl">
      <p className="mb-3 text-sm">
        <Link href="/announcements" className="text-accent underline">
          {say('all')}
        </Link>
      </p>
      <h1 className="text-xl font-semibold tracking-tight break-words">{titleIn(locale, announcement)}</h1>
      <p className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-muted">
        <AnnouncementKindStatus kind={kind} />
        <span>{say.rich('publishedAt', { at: () => <ExactTime at={publishedAt!} /> })}</span>
      </p>
      {state === 'withdrawn' && (
        <Alert tone="warning" title={say('withdrawnTitle')} className="mt-4">
          {say.rich(isMaintenance ? 'withdrawnMaintenance' : 'withdrawn', {
            at: () => <ExactTime at={withdrawnAt!} />,
          })}
        </Alert>
      )}
      <AnnouncementBody
        announcement={announcement}
        products={products}
        locale={isLocale(locale) ? locale : 'en'}
        timeZone={timeZone}
      />
      <AnnouncementHistory changes={changes} />
    </article>
  )
}
