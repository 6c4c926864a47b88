import { db, Prisma, type Tx } from '@/lib/db'

/** Whether a yes by Telegram holds, as a condition over `m` (the choice) and `l` (the linked chat): one that was given to another chat, or before this one was linked, does not. */
export const YES_OF_THIS_CHAT = Prisma.sql`m.state = 'on' AND l.linked_at <= m.updated_at`

/** Since when somebody's chat is linked; null when none is. */
export async function findLinkedAt(userId: string, tx: Tx = db()): Promise<Date | null> {
  const row = await tx.linkedChannel.findUnique({
    where: { userId_channel: { userId, channel: 'telegram' } },
    select: { linkedAt: true },
  })
  return row?.linkedAt ?? null
}
