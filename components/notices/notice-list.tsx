import { getLocale, getTimeZone, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { Button } from '@/components/ui/button'
import { Status } from '@/components/ui/status'
import { RelativeTime } from '@/components/ui/time'
import { type NoticeRow, sayNotice } from '@/lib/notices'
import type { NoticeType } from '@/lib/notifications'
import type { FormAction } from '@/lib/web'

/** Notices in the reader's language and time zone, each leading to what it speaks of. One form for all: a button says which was read. */
export async function NoticeList({ notices, markRead }: { notices: NoticeRow[]; markRead: FormAction }) {
  const [say, locale, timeZone] = await Promise.all([getTranslations('notices'), getLocale(), getTimeZone()])
  return (
    <form action={markRead}>
      <ul className="divide-y rounded-md border bg-surface">
        {notices.map((notice) => {
          const { title, line, path } = sayNotice(notice, { locale, timeZone })
          const isNew = notice.readAt === null
          return (
            <li key={notice.id} className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2 px-4 py-3">
              <div className="min-w-0 flex-1 basis-64">
                <p className="flex flex-wrap items-center gap-2">
                  <Link href={path} className={`break-words text-accent underline ${isNew ? 'font-semibold' : ''}`}>
                    {title}
                  </Link>
                  {isNew && <Status tone="info">{say('new')}</Status>}
                </p>
                <p className="mt-1 break-words">{line}</p>
                <p className="mt-1 text-xs text-muted">
                  {say(`type_${notice.type as NoticeType}`)} · <RelativeTime at={notice.createdAt} />
                </p>
              </div>
              {isNew && (
                <Button
                  type="submit"
                  name="noticeId"
                  value={notice.id}
                  variant="quiet"
                  size="sm"
                  aria-label={say('markReadOf', { title })}
                >
                  {say('markRead')}
                </Button>
              )}
            </li>
          )
        })}
      </ul>
    </form>
  )
}
