import { type Actor, recordAudit, SYSTEM } from '@/lib/audit'
import { db, inTransaction, type Tx } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { accepted, refused, type Refusal, type Result } from '@/lib/kit'
import { tellJob } from './jobs'
import { lockAnnouncement } from './lock-announcement'
import type { PublishInput } from './schemas'

export type PublishRefusal = Refusal<
  | 'not_found'
  | 'announcement_changed'
  | 'already_published'
  | 'maintenance_over'
  | 'publish_in_past'
  | 'published_too_late'
>

/**
 * Publishes a draft now, or plans it for a moment (also another one than was planned before). Whom it concerns is told by the worker, beginning in the transaction that publishes.
 * Refuses `not_found`, `announcement_changed`, `already_published`; `maintenance_over` when its end has passed, `publish_in_past`, and `published_too_late` when it
 * would appear after the maintenance has begun: who is told afterwards is not warned.
 */
export async function publishAnnouncement(
  actor: Actor & { id: string },
  input: PublishInput,
  now: Date = new Date(),
): Promise<Result<{ revision: number; isScheduled: boolean }, PublishRefusal>> {
  const { announcementId: id, revision, publishAt } = input
  return inTransaction<{ revision: number; isScheduled: boolean }, PublishRefusal>(async (tx) => {
    const row = await lockAnnouncement(tx, id)
    if (!row) return refused('not_found')
    if (row.revision !== revision) return refused('announcement_changed')
    if (row.publishedAt !== null) return refused('already_published')
    if (row.kind === 'maintenance' && row.endsAt! <= now) return refused('maintenance_over')
    if (publishAt === null) {
      await publish(tx, id, now)
    } else {
      if (publishAt <= now) return refused('publish_in_past')
      if (row.kind === 'maintenance' && publishAt >= row.beginsAt!) return refused('published_too_late')
      await tx.announcement.update({
        where: { id },
        data: { state: 'scheduled', publishAt, revision: { increment: 1 }, updatedAt: now },
        select: { id: true },
      })
    }
    await recordAudit(tx, actor, {
      action: publishAt === null ? 'announcements.published' : 'announcements.scheduled',
      subjectKind: 'announcement',
      subjectId: id,
      data: publishAt === null ? {} : { publishAt: publishAt.toISOString() },
    })
    return accepted({ revision: revision + 1, isScheduled: publishAt !== null })
  })
}

async function publish(tx: Tx, id: string, now: Date): Promise<void> {
  await tx.announcement.update({
    where: { id },
    data: { state: 'published', publishedAt: now, revision: { increment: 1 }, updatedAt: now },
    select: { id: true },
  })
  await enqueue(tx, tellJob, { announcementId: id })
}

/**
 * Publishes what is due and returns how many; safe any number of times at once. A maintenance whose end passed while no worker ran goes back to the drafts: it would warn
 * of what is over.
 */
export async function publishDue(now: Date = new Date()): Promise<number> {
  const due = await db().announcement.findMany({
    where: { state: 'scheduled', publishAt: { lte: now } },
    orderBy: { publishAt: 'asc' },
    select: { id: true },
  })
  let published = 0
  for (const { id } of due) {
    await inTransaction(async (tx) => {
      const row = await lockAnnouncement(tx, id)
      if (row?.state !== 'scheduled' || row.publishAt! > now) return accepted(null)
      const isOver = row.kind === 'maintenance' && row.endsAt! <= now
      if (isOver)
        await tx.announcement.update({
          where: { id },
          data: { state: 'draft', publishAt: null, revision: { increment: 1 }, updatedAt: now },
          select: { id: true },
        })
      else await publish(tx, id, now)
      await recordAudit(tx, SYSTEM, {
        action: isOver ? 'announcements.unscheduled' : 'announcements.published',
        subjectKind: 'announcement',
        subjectId: id,
      })
      if (!isOver) published += 1
      return accepted(null)
    })
  }
  return published
}
