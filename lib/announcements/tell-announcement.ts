import { db, Prisma } from '@/lib/db'
import { publishDue } from './publish-announcement'

/** People told in one transaction: enough to keep up with a hundred thousand, few enough that staff and payments never wait for it. */
const BATCH = 300

/**
 * Tells everybody whom an announcement concerns, in batches, each once however often and by however many workers this runs; a run that was killed is taken up where it
 * stopped. Holds one batch's facts at a time, and those in the database.
 */
export async function tellAnnouncement(
  { announcementId }: { announcementId: string },
  batch: number = BATCH,
): Promise<void> {
  for (let isMore = true; isMore;) {
    const [row] = await db().$queryRaw<{ isMore: boolean }[]>(
      Prisma.sql`SELECT tell_announcement(${announcementId}, ${batch}::int) AS "isMore"`,
    )
    isMore = row!.isMore
  }
}

/**
 * Publishes what is due, and goes through every maintenance that is not over and every telling that did not end: orders that were delivered or renewed since are told of in time,
 * and what a killed worker left is finished without waiting for its job.
 */
export async function sweepAnnouncements(now: Date = new Date()): Promise<void> {
  await publishDue(now)
  const open = await db().$queryRaw<{ id: string }[]>(Prisma.sql`
    SELECT id FROM announcements WHERE kind = 'maintenance' AND state IN ('published', 'withdrawn') AND ends_at > now()
    UNION ALL SELECT id FROM announcements WHERE kind <> 'maintenance' AND state = 'published' AND told_at IS NULL
    ORDER BY id`)
  for (const { id } of open) await tellAnnouncement({ announcementId: id })
}
