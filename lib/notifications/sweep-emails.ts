import { z } from 'zod'
import { db, Prisma } from '@/lib/db'
import { defineJob } from '@/lib/jobs'
import { type Clock, MINUTE_MS, systemClock } from '@/lib/kit'
import { sendEmailJob } from './queue-email'

export const sweepEmailsJob = defineJob({ name: 'notifications.sweep_emails', payload: z.object({}), maxAttempts: 1 })

/** A mail whose time has come is sent within seconds; one that is this late has lost its job. */
const LATE_MS = 20 * MINUTE_MS
/** How many one sweep takes up: a long queue is a queue, and not lost. */
const SWEPT_MAX = 500

/** Gives mails that should have been tried long ago a new job: a job can be deleted by hand or use up its attempts on a fault of ours. Returns how many. */
export async function sweepEmails(clock: Clock = systemClock): Promise<number> {
  const now = clock()
  const late = new Date(now.getTime() - LATE_MS)
  // The time is moved with the promise, so that the next sweep leaves these alone for as long.
  return db().$executeRaw(Prisma.sql`
    WITH late AS (
      SELECT id FROM outgoing_emails
      WHERE state IN ('queued', 'sending') AND greatest(created_at, state_at, tried_at, next_try_at) < ${late}
      ORDER BY id LIMIT ${SWEPT_MAX} FOR UPDATE SKIP LOCKED
    ), moved AS (
      UPDATE outgoing_emails e SET next_try_at = ${now} FROM late WHERE e.id = late.id RETURNING e.id
    )
    INSERT INTO outbox_jobs (name, payload) SELECT ${sendEmailJob.name}, jsonb_build_object('emailId', id) FROM moved`)
}
