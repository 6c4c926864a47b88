import { Prisma, type Tx } from '@/lib/db'

/** An announcement under lock, so that staff and the telling of it take turns; null when there is none. */
export async function lockAnnouncement(tx: Tx, id: string) {
  await tx.$queryRaw(Prisma.sql`SELECT id FROM announcements WHERE id = ${id} FOR NO KEY UPDATE`)
  return tx.announcement.findUnique({ where: { id } })
}
