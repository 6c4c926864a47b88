import { z } from 'zod'
import { db, Prisma } from '@/lib/db'
import { defineJob } from '@/lib/jobs'
import { DAY_MS } from '@/lib/kit'

export const removeOldNoticesJob = defineJob({ name: 'notices.remove_old', payload: z.object({}), maxAttempts: 1 })

/** Longer than any order runs and any dispute lasts; orders, payments and the statement keep the facts themselves. */
const KEPT_DAYS = 400
const BATCH = 5_000

/** Removes notices that are older than 400 days, and links that nobody used. Returns how many notices went. */
export async function removeOldNotices(now: Date = new Date()): Promise<number> {
  await db().channelLink.deleteMany({ where: { expiresAt: { lt: now } } })
  // Ids begin with their time, so the oldest are found by the primary key.
  const firstKept = `ntc_${(now.getTime() - KEPT_DAYS * DAY_MS).toString(16).padStart(12, '0')}`
  let removed = 0
  for (;;) {
    const count = await db().$executeRaw(Prisma.sql`
      DELETE FROM notices WHERE id IN (SELECT id FROM notices WHERE id < ${firstKept} AND NOT waits_digest ORDER BY id LIMIT ${BATCH}::int)`)
    removed += count
    if (count < BATCH) return removed
  }
}
