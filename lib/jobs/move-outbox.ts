import { type Database, Prisma } from '@/lib/db'

/** How many rows one move takes: enough to keep up with a burst, few enough to commit in milliseconds. */
const BATCH = 500

/**
 * Moves one batch of promised jobs into the queue, in one statement: a job is either in the outbox or in the queue, never in both
 * and never lost, whenever the process dies. Several workers may move at once. Returns how many moved.
 */
export async function moveOutbox(database: Database, maxAttempts: Record<string, number>): Promise<number> {
  const [row] = await database.$queryRaw<{ moved: bigint }[]>(Prisma.sql`
    WITH taken AS (
      DELETE FROM outbox_jobs
      WHERE id IN (SELECT id FROM outbox_jobs ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
      RETURNING name, payload, run_at
    ), added AS (
      SELECT graphile_worker.add_jobs(array_agg(
        ROW(name, payload, NULL, run_at, (${JSON.stringify(maxAttempts)}::jsonb ->> name)::int, NULL, NULL, NULL)::graphile_worker.job_spec
      )) FROM taken HAVING count(*) > 0
    )
    SELECT (SELECT count(*) FROM taken) AS moved, (SELECT count(*) FROM added) AS added`)
  return Number(row?.moved ?? 0n)
}
