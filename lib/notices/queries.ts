import { db, Prisma } from '@/lib/db'
import { accepted, type Page, pageOf, type Refusal, refused, type Result } from '@/lib/kit'
import type { NoticeType } from '@/lib/notifications'

/** What a bell counts to; beyond it says "more". Keeps the count of every page cheap. */
export const UNREAD_SHOWN_MAX = 99

/** How many notices somebody has not read, up to one more than the bell shows. */
export async function countUnread(input: { userId: string }): Promise<number> {
  const [row] = await db().$queryRaw<{ n: number }[]>(Prisma.sql`
    SELECT count(*)::int AS n FROM (
      SELECT 1 FROM notices WHERE user_id = ${input.userId} AND is_shown AND read_at IS NULL LIMIT ${UNREAD_SHOWN_MAX + 1}::int) unread`)
  return row!.n
}

export type NoticeRow = {
  id: string
  template: string
  type: string
  props: Record<string, unknown>
  createdAt: Date
  readAt: Date | null
}

/** A page of somebody's notices, newest first, of one type or all, read or not. */
export async function listNotices(input: {
  userId: string
  type?: NoticeType
  isUnreadOnly?: boolean
  before?: string
  limit: number
}): Promise<Page<NoticeRow>> {
  const rows = await db().notice.findMany({
    where: {
      userId: input.userId,
      isShown: true,
      ...(input.type && { type: input.type }),
      ...(input.isUnreadOnly && { readAt: null }),
      ...(input.before && { id: { lt: input.before } }),
    },
    orderBy: { id: 'desc' },
    take: input.limit + 1,
    select: { id: true, template: true, type: true, props: true, createdAt: true, readAt: true },
  })
  return pageOf(rows as NoticeRow[], input.limit)
}

/** Marks one notice as read, or all of them. Refuses `not_found` for one that is not theirs; one that was read stays so. */
export async function markRead(
  userId: string,
  { noticeId }: { noticeId?: string },
): Promise<Result<null, Refusal<'not_found'>>> {
  const mine = { userId, isShown: true }
  if (noticeId && !(await db().notice.findFirst({ where: { ...mine, id: noticeId }, select: { id: true } })))
    return refused('not_found')
  await db().notice.updateMany({
    where: { ...mine, readAt: null, ...(noticeId && { id: noticeId }) },
    data: { readAt: new Date() },
  })
  return accepted(null)
}
