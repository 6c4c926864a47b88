import { z } from 'zod'
import { db, Prisma, type Tx } from '@/lib/db'
import { defineJob } from '@/lib/jobs'
import { log } from '@/lib/log'
import { type EmailProps, tellCustomers } from '@/lib/notifications'
import { dayOfLastDigest, toDate } from './digest-day'

/** By the clock, more often than hourly, so that a worker that was away for the full hour is soon made good. */
export const sendDigestsJob = defineJob({ name: 'notices.send_digests', payload: z.object({}), maxAttempts: 3 })

/** People looked at in one go. */
const PAGE = 200
/** What one mail lists; the rest is counted and waits on the page. */
const LISTED_MAX = 30

/**
 * Sends the daily mails that are due and returns how many. Each gathers what waited for it since the last one, under the key of its day; when nothing waited, none
 * is sent. Notices, day and mail are written in one transaction under the person's row: a run that is killed or repeated neither loses nor doubles. What waits
 * for somebody who went back to single mails goes out as one last digest, on a day without one. Somebody whose digest cannot be made keeps nobody from theirs: it waits
 * for the next run, and the first such error is thrown when everybody was looked at, so that the run counts as failed.
 */
export async function sendDigests(now: Date = new Date()): Promise<number> {
  let sent = 0
  let after = ''
  const errors: unknown[] = []
  for (;;) {
    const people = await db().$queryRaw<{ userId: string }[]>(Prisma.sql`
      SELECT DISTINCT n.user_id AS "userId" FROM notices n WHERE n.waits_digest AND n.user_id > ${after} ORDER BY 1 LIMIT ${PAGE}::int`)
    for (const { userId } of people) {
      try {
        if (await db().$transaction((tx) => sendDigest(tx, userId, now), { maxWait: 10_000, timeout: 20_000 }))
          sent += 1
      } catch (error) {
        log('notices').error({ error, userId }, 'the digest of a person could not be made')
        errors.push(error)
      }
    }
    if (people.length < PAGE) break
    after = people.at(-1)!.userId
  }
  if (errors.length > 0) throw errors[0]
  return sent
}

async function sendDigest(tx: Tx, userId: string, now: Date): Promise<boolean> {
  const [settings] = await tx.$queryRaw<{ hour: number | null; day: Date | null }[]>(Prisma.sql`
    SELECT digest_hour AS hour, digest_day AS day FROM notice_settings WHERE user_id = ${userId} FOR UPDATE`)
  const hour = settings?.hour ?? null
  const day = hour === null ? now.toISOString().slice(0, 10) : dayOfLastDigest(hour, now)
  if (settings?.day && settings.day >= toDate(day)) return false
  const waiting = await tx.$queryRaw<{ id: string; template: string; props: Record<string, unknown>; at: Date }[]>(
    Prisma.sql`UPDATE notices SET waits_digest = false WHERE user_id = ${userId} AND waits_digest RETURNING id, template, props, created_at AS at`,
  )
  if (waiting.length === 0) return false
  const newest = waiting.toSorted((a, b) => (a.id < b.id ? 1 : -1))
  const props: EmailProps['digest'] = {
    day,
    items: newest.slice(0, LISTED_MAX).map(({ template, props, at }) => ({ template, props, at: at.toISOString() })),
    more: Math.max(0, newest.length - LISTED_MAX),
  }
  await tellCustomers(tx, [{ key: `digest:${userId}:${day}`, userId, template: 'digest', props }])
  await tx.noticeSettings.updateMany({ where: { userId }, data: { digestDay: toDate(day) } })
  return true
}
