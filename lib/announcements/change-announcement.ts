import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { accepted, refused, type Refusal, type Result } from '@/lib/kit'
import { tellJob } from './jobs'
import { lockAnnouncement } from './lock-announcement'
import type { ChangeTimesInput, WithdrawInput } from './schemas'

export type ChangeTimesRefusal = Refusal<
  'not_found' | 'announcement_changed' | 'already_withdrawn' | 'maintenance_over'
>

/**
 * Gives a published maintenance other times. Everybody who was told of it is told of these, once; whoever it touches only now is told as at the beginning. The times until
 * then stay in the history. Refuses `not_found` (also for a draft, whose times are edited), `announcement_changed`, `already_withdrawn`, and `maintenance_over` when
 * its end, the old or the new one, has passed.
 */
export async function changeTimes(
  actor: Actor & { id: string },
  input: ChangeTimesInput,
  now: Date = new Date(),
): Promise<Result<{ revision: number }, ChangeTimesRefusal>> {
  const { announcementId: id, revision, beginsAt, endsAt } = input
  return inTransaction<{ revision: number }, ChangeTimesRefusal>(async (tx) => {
    const row = await lockAnnouncement(tx, id)
    if (!row || row.kind !== 'maintenance' || row.publishedAt === null) return refused('not_found')
    if (row.revision !== revision) return refused('announcement_changed')
    if (row.state === 'withdrawn') return refused('already_withdrawn')
    if (row.endsAt! <= now || endsAt <= now) return refused('maintenance_over')
    const before = { beginsAt: row.beginsAt!.toISOString(), endsAt: row.endsAt!.toISOString() }
    if (before.beginsAt === beginsAt.toISOString() && before.endsAt === endsAt.toISOString())
      return accepted({ revision })
    await tx.announcement.update({
      where: { id },
      // The pass begins anew: with other times, other proxies are touched.
      data: { beginsAt, endsAt, toldAfter: '', round: { increment: 1 }, revision: { increment: 1 }, updatedAt: now },
      select: { id: true },
    })
    await tx.announcementChange.create({
      data: { announcementId: id, what: 'times', before, changedBy: actor.id },
      select: { id: true },
    })
    await enqueue(tx, tellJob, { announcementId: id })
    await recordAudit(tx, actor, {
      action: 'announcements.times_changed',
      subjectKind: 'announcement',
      subjectId: id,
      data: { beginsAt: beginsAt.toISOString(), endsAt: endsAt.toISOString() },
    })
    return accepted({ revision: revision + 1 })
  })
}

/**
 * Takes an announcement back. A planned one is a draft again: nobody saw it. A published one leaves the list, the feed and the banners; its page stays and says so. Of a
 * maintenance that is not over, everybody who was told hears that it is called off. Refuses `not_found` (also for a draft), `announcement_changed`, `already_withdrawn`.
 */
export async function withdrawAnnouncement(
  actor: Actor & { id: string },
  input: WithdrawInput,
  now: Date = new Date(),
): Promise<
  Result<{ revision: number; isDraft: boolean }, Refusal<'not_found' | 'announcement_changed' | 'already_withdrawn'>>
> {
  const { announcementId: id, revision } = input
  return inTransaction<
    { revision: number; isDraft: boolean },
    Refusal<'not_found' | 'announcement_changed' | 'already_withdrawn'>
  >(async (tx) => {
    const row = await lockAnnouncement(tx, id)
    if (!row || row.state === 'draft') return refused('not_found')
    if (row.state === 'withdrawn') return refused('already_withdrawn')
    if (row.revision !== revision) return refused('announcement_changed')
    const isDraft = row.state === 'scheduled'
    const step = { revision: { increment: 1 }, updatedAt: now }
    if (isDraft) {
      await tx.announcement.update({
        where: { id },
        data: { ...step, state: 'draft', publishAt: null },
        select: { id: true },
      })
    } else {
      await tx.announcement.update({
        where: { id },
        data: { ...step, state: 'withdrawn', withdrawnAt: now, round: { increment: 1 } },
        select: { id: true },
      })
      await tx.announcementChange.create({
        data: { announcementId: id, what: 'withdrawn', changedBy: actor.id },
        select: { id: true },
      })
      await enqueue(tx, tellJob, { announcementId: id })
    }
    await recordAudit(tx, actor, {
      action: isDraft ? 'announcements.unscheduled' : 'announcements.withdrawn',
      subjectKind: 'announcement',
      subjectId: id,
    })
    return accepted({ revision: revision + 1, isDraft })
  })
}
