import { textIn, timeIn, titleIn } from '@/components/announcements/announcement-words'
import { DEFAULT_LOCALE, isLocale } from '@/i18n/locales'
import { translator } from '@/i18n/translator'
import { type Announcement, listPublished, writeFeed } from '@/lib/announcements'
import { env } from '@/lib/env'
import { publicRoute, type RouteInput } from '@/lib/web'

/** What a reader gets at once; older ones stand on the page. */
const ENTRIES = 30

/** The announcements as an Atom feed, in the language that the address names: feed readers carry no cookies. */
async function feed({ request }: RouteInput) {
  const asked = new URL(request.url).searchParams.get('locale') ?? ''
  const locale = isLocale(asked) ? asked : DEFAULT_LOCALE
  const say = translator(locale, 'announcements')
  const shop = env().SHOP_NAME
  const url = (path: string) => new URL(path, env().PUBLIC_URL).href
  const { rows } = await listPublished({ limit: ENTRIES })
  // Feed readers show times as they stand; UTC is what everybody can convert.
  const time = (at: Date) => timeIn(locale, 'UTC', at)
  const spanOf = ({ kind, beginsAt, endsAt }: Announcement) => {
    if (kind === 'maintenance') return [say('span', { begins: time(beginsAt!), ends: time(endsAt!) })]
    return kind === 'change' && beginsAt ? [say('holdsFrom', { begins: time(beginsAt) })] : []
  }
  const body = writeFeed({
    title: `${say('title')} · ${shop}`,
    locale,
    selfUrl: url(`/announcements/feed?locale=${locale}`),
    pageUrl: url('/announcements'),
    author: shop,
    entries: rows.map((each) => ({
      url: url(`/announcements/${each.slug}`),
      title: titleIn(locale, each),
      text: [...spanOf(each), textIn(locale, each)].join('\n\n'),
      publishedAt: each.publishedAt!,
      updatedAt: each.updatedAt,
    })),
  })
  return new Response(request.method === 'HEAD' ? null : body, {
    headers: { 'Content-Type': 'application/atom+xml; charset=utf-8', 'Cache-Control': 'public, max-age=300' },
  })
}

export const GET = publicRoute(feed)
export const HEAD = publicRoute(feed)
