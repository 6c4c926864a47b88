import type { Prisma, Tx } from '@/lib/db'
import { newId } from '@/lib/kit'

/** Who acts. `system` is the shop itself: a job, a schedule. */
export type Actor = { kind: 'user' | 'staff'; id: string } | { kind: 'system' }

export const SYSTEM: Actor = { kind: 'system' }

/** Records in the caller's transaction who did what to what. `data` holds ids, codes and amounts as text; never a person's data. */
export async function recordAudit(
  tx: Tx,
  actor: Actor,
  fact: { action: string; subjectKind: string; subjectId: string; data?: Prisma.InputJsonObject },
): Promise<void> {
  await tx.auditEntry.create({
    data: {
      id: newId('aud'),
      actorKind: actor.kind,
      actorId: actor.kind === 'system' ? null : actor.id,
      action: fact.action,
      subjectKind: fact.subjectKind,
      subjectId: fact.subjectId,
      data: fact.data ?? {},
    },
    select: { id: true },
  })
}
