import { db } from '@/lib/db'
import { type Page, pageOf } from '@/lib/kit'
import type { AnnouncementKind } from './schemas'

export type AnnouncementState = 'draft' | 'scheduled' | 'published' | 'withdrawn'

type Stored = NonNullable<Awaited<ReturnType<ReturnType<typeof db>['announcement']['findUnique']>>>
export type Announcement = Omit<Stored, 'kind' | 'state'> & { kind: AnnouncementKind; state: AnnouncementState }
const typed = (row: Stored): Announcement => ({
  ...row,
  kind: row.kind as AnnouncementKind,
  state: row.state as AnnouncementState,
})

export type AnnouncementChange = {
  id: bigint
  what: 'texts' | 'times' | 'withdrawn'
  at: Date
  /** What it said until then: of texts those that were changed, of times both. */
  before: Partial<Record<'titleEn' | 'titleRu' | 'textEn' | 'textRu' | 'beginsAt' | 'endsAt', string>>
  changedBy: string
}

/** What is public now, the newest first. For everybody. */
export async function listPublished({
  before,
  limit,
}: {
  before?: string
  limit: number
}): Promise<Page<Announcement>> {
  // Ids tell when a draft was begun; a page goes on by when it was published.
  const last = before
    ? await db().announcement.findUnique({ where: { id: before }, select: { id: true, publishedAt: true } })
    : null
  const rows = await db().announcement.findMany({
    where: {
      state: 'published',
      ...(last?.publishedAt
        ? { OR: [{ publishedAt: { lt: last.publishedAt } }, { publishedAt: last.publishedAt, id: { lt: last.id } }] }
        : {}),
    },
    orderBy: [{ publishedAt: 'desc' }, { id: 'desc' }],
    take: limit + 1,
  })
  return pageOf(rows.map(typed), limit)
}

/** One announcement by its address, when it is or was public. For everybody. */
export async function findPublished(slug: string): Promise<Announcement | null> {
  const row = await db().announcement.findUnique({ where: { slug } })
  return row && row.publishedAt !== null ? typed(row) : null
}

/** What was changed after it was published, the newest first. */
export async function listChanges(announcementId: string): Promise<AnnouncementChange[]> {
  const rows = await db().announcementChange.findMany({ where: { announcementId }, orderBy: { id: 'desc' } })
  return rows.map(({ id, what, at, before, changedBy }) => ({
    id,
    what: what as AnnouncementChange['what'],
    at,
    before: before as AnnouncementChange['before'],
    changedBy,
  }))
}

/** Everything, the newest first. For staff. */
export async function listAnnouncements({
  before,
  limit,
}: {
  before?: string
  limit: number
}): Promise<Page<Announcement>> {
  const rows = await db().announcement.findMany({
    where: before ? { id: { lt: before } } : {},
    orderBy: { id: 'desc' },
    take: limit + 1,
  })
  return pageOf(rows.map(typed), limit)
}

/** One of them, public or not; null when there is none. For staff. */
export async function findAnnouncement(id: string): Promise<Announcement | null> {
  const row = await db().announcement.findUnique({ where: { id } })
  return row && typed(row)
}
