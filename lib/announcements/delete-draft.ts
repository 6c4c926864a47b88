import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { accepted, refused, type Refusal, type Result } from '@/lib/kit'
import { lockAnnouncement } from './lock-announcement'
import type { DeleteDraftInput } from './schemas'

/**
 * Deletes a draft, at the revision that was shown, for good: nobody saw it, so nothing of it has to stay but that it was deleted, in the audit. Refuses `not_found` (also for a planned
 * one, which is taken back to the drafts first), `announcement_changed`, and `already_published` for what is or was public, also when that was taken back. Whether the actor may is
 * the caller's question.
 */
export async function deleteDraft(
  actor: Actor & { id: string },
  { announcementId: id, revision }: DeleteDraftInput,
): Promise<Result<null, Refusal<'not_found' | 'announcement_changed' | 'already_published'>>> {
  return inTransaction<null, Refusal<'not_found' | 'announcement_changed' | 'already_published'>>(async (tx) => {
    const row = await lockAnnouncement(tx, id)
    if (row && row.publishedAt !== null) return refused('already_published')
    if (!row || row.state !== 'draft') return refused('not_found')
    if (row.revision !== revision) return refused('announcement_changed')
    await tx.announcement.delete({ where: { id }, select: { id: true } })
    await recordAudit(tx, actor, {
      action: 'announcements.deleted',
      subjectKind: 'announcement',
      subjectId: id,
      data: { kind: row.kind, titleEn: row.titleEn },
    })
    return accepted(null)
  })
}
