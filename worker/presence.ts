import { Client } from 'pg'

/** A job locked for less than this is left alone: its worker may not have announced itself yet. */
const GRACE = '10 seconds'
const SWEEP_MS = 5_000

export type Presence = { join: (workerId: string) => void; leave: () => Promise<void> }

/**
 * Frees the jobs of workers that died. graphile-worker by itself waits four hours before it takes a lock for dead; a killed process must not
 * keep a paid order waiting that long. Each worker holds an advisory lock named after it for as long as its process lives (PostgreSQL drops
 * it with the connection); every few seconds each process looks for locked jobs whose worker holds none and unlocks them.
 *
 * Needs a direct connection, or one pooled by session. When it is lost, `onLost` is called: the process should end and be started again.
 */
export async function startPresence(options: {
  databaseUrl: string
  onLost: (error: Error) => void
  onFreed: (workerIds: string[]) => void
}): Promise<Presence> {
  const client = new Client({ connectionString: options.databaseUrl, keepAlive: true })
  let left = false
  client.on('error', (error) => {
    if (!left) options.onLost(error)
  })
  await client.connect()
  // One statement after another on one connection; a failure is the connection's, and ends the process.
  let queue: Promise<unknown> = Promise.resolve()
  const run = (text: string, values: unknown[] = []) => {
    const result = queue.then(() => client.query(text, values))
    queue = result.catch((error: Error) => {
      if (!left) options.onLost(error)
    })
    return result
  }
  const sweep = async () => {
    const { rows } = await run(
      `WITH dead AS (
         SELECT array_agg(DISTINCT locked_by) AS ids FROM graphile_worker.jobs j
         WHERE locked_by IS NOT NULL AND locked_at < now() - interval '${GRACE}'
           AND NOT EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = 7331 AND l.objid::bigint = (hashtext(j.locked_by)::bigint & 4294967295)
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
       ) SELECT ids, graphile_worker.force_unlock_workers(ids)::text FROM dead WHERE ids IS NOT NULL`,
    )
    if (rows.length > 0) options.onFreed((rows[0] as { ids: string[] }).ids)
  }
  const timer = setInterval(() => void sweep().catch(() => undefined), SWEEP_MS)
  return {
    join: (workerId) => void run('SELECT pg_advisory_lock(7331, hashtext($1))', [workerId]).catch(() => undefined),
    leave: async () => {
      left = true
      clearInterval(timer)
      await queue
      await client.end()
    },
  }
}
