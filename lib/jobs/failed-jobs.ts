import { type Database, db, Prisma, type Tx } from '@/lib/db'

export type FailedJob = {
  id: string
  name: string
  attempts: number
  lastError: string
  failedAt: Date
  createdAt: Date
}

/** Jobs that used up their attempts, newest first. They stay until a person sends them again. Errors are cut to 500 characters. */
export async function listFailedJobs(limit = 100, database: Database = db()): Promise<FailedJob[]> {
  return database.$queryRaw<FailedJob[]>(Prisma.sql`
    SELECT id::text AS id, task_identifier AS name, attempts::int AS attempts, left(coalesce(last_error, ''), 500) AS "lastError",
           updated_at AS "failedAt", created_at AS "createdAt"
    FROM graphile_worker.jobs
    WHERE attempts >= max_attempts AND locked_at IS NULL
    ORDER BY updated_at DESC LIMIT ${limit}`)
}

/** Sends a failed job again, with all its attempts, in the caller's transaction. Returns its name; null when it is not (or no longer) a failed job. */
export async function retryFailedJob(tx: Tx, jobId: string): Promise<string | null> {
  if (!/^\d{1,18}$/.test(jobId)) return null
  const rows = await tx.$queryRaw<{ name: string }[]>(Prisma.sql`
    SELECT j.task_identifier AS name FROM graphile_worker.jobs j
    JOIN graphile_worker.reschedule_jobs(
      ARRAY(SELECT id FROM graphile_worker.jobs WHERE id = ${jobId}::bigint AND attempts >= max_attempts AND locked_at IS NULL),
      run_at := now(), attempts := 0) AS again ON again.id = j.id`)
  return rows[0]?.name ?? null
}
