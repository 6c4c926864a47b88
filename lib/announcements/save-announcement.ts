import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { lockAnnouncement } from './lock-announcement'
import type { EditTextsInput, SaveAnnouncementInput } from './schemas'

export type SaveAnnouncementRefusal = Refusal<
  'not_found' | 'announcement_changed' | 'already_published' | 'begins_before_published'
>
type Saved = { announcementId: string; revision: number }

/** The address of an announcement: its English title, and an end that no other has. */
function slugOf(titleEn: string, id: string): string {
  const words = titleEn
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replaceAll(/^-+|-+$/g, '')
  return [words, id.slice(-8)].filter(Boolean).join('-')
}

/**
 * Makes a draft, or changes one that nobody has seen, at the revision that was shown. Its address follows its English title. Refuses `not_found`, `announcement_changed`, and
 * `already_published`: from then on texts are edited with a history (`editTexts`), times are changed with a word to everybody who was told (`changeTimes`), and
 * what it touches stays. One that is planned keeps its moment, so a maintenance may not begin before it: `begins_before_published`. Audited. Whether the actor may is the caller's question.
 */
export async function saveAnnouncement(
  actor: Actor & { id: string },
  input: SaveAnnouncementInput,
): Promise<Result<Saved, SaveAnnouncementRefusal>> {
  const { announcementId, revision, ...data } = input
  return inTransaction<Saved, SaveAnnouncementRefusal>(async (tx) => {
    const id = announcementId ?? newId('ann')
    const slug = slugOf(data.titleEn, id)
    if (announcementId) {
      const row = await lockAnnouncement(tx, announcementId)
      if (!row) return refused('not_found')
      if (row.revision !== revision) return refused('announcement_changed')
      if (row.publishedAt !== null) return refused('already_published')
      if (row.state === 'scheduled' && data.kind === 'maintenance' && row.publishAt! >= data.beginsAt!)
        return refused('begins_before_published')
      await tx.announcement.update({
        where: { id },
        data: { ...data, slug, revision: { increment: 1 }, updatedAt: new Date() },
        select: { id: true },
      })
    } else {
      await tx.announcement.create({ data: { id, slug, ...data, createdBy: actor.id }, select: { id: true } })
    }
    await recordAudit(tx, actor, {
      action: announcementId ? 'announcements.changed' : 'announcements.created',
      subjectKind: 'announcement',
      subjectId: id,
      data: { kind: data.kind },
    })
    return accepted({ announcementId: id, revision: (announcementId ? revision! : 0) + 1 })
  })
}

const TEXTS = ['titleEn', 'titleRu', 'textEn', 'textRu'] as const

/**
 * Edits the texts of a published announcement. What they said until then is kept for good and shown on its page; nobody is told again. A save that changes nothing leaves
 * no trace. Refuses `not_found` (also for a draft), `announcement_changed`, and `already_withdrawn`.
 */
export async function editTexts(
  actor: Actor & { id: string },
  input: EditTextsInput,
): Promise<Result<Saved, Refusal<'not_found' | 'announcement_changed' | 'already_withdrawn'>>> {
  const { announcementId: id, revision, ...texts } = input
  return inTransaction<Saved, Refusal<'not_found' | 'announcement_changed' | 'already_withdrawn'>>(async (tx) => {
    const row = await lockAnnouncement(tx, id)
    if (!row || row.publishedAt === null) return refused('not_found')
    if (row.revision !== revision) return refused('announcement_changed')
    if (row.state === 'withdrawn') return refused('already_withdrawn')
    const changed = TEXTS.filter((name) => row[name] !== texts[name])
    if (changed.length === 0) return accepted({ announcementId: id, revision })
    await tx.announcement.update({
      where: { id },
      data: { ...texts, revision: { increment: 1 }, updatedAt: new Date() },
      select: { id: true },
    })
    await tx.announcementChange.create({
      data: {
        announcementId: id,
        what: 'texts',
        before: Object.fromEntries(changed.map((name) => [name, row[name]])),
        changedBy: actor.id,
      },
      select: { id: true },
    })
    await recordAudit(tx, actor, {
      action: 'announcements.texts_edited',
      subjectKind: 'announcement',
      subjectId: id,
      data: { fields: changed.join(' ') },
    })
    return accepted({ announcementId: id, revision: revision + 1 })
  })
}
