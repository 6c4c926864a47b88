import { db } from '@/lib/db'
import { env } from '@/lib/env'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Presence, startPresence } from './presence'

let presence: Presence
const freed: string[] = []

beforeAll(async () => {
  presence = await startPresence({
    databaseUrl: env().DATABASE_URL,
    onLost: () => expect.unreachable(),
    onFreed: (workerIds) => freed.push(...workerIds),
  })
})
afterAll(() => presence.leave())

/** A job that this worker locked so long ago. */
async function lockJob(lockedBy: string, age: string): Promise<string> {
  const [job] = await db().$queryRaw<{ id: string }[]>`SELECT id::text FROM graphile_worker.add_job('test', '{}'::json)`
  await db().$executeRaw`
    UPDATE graphile_worker._private_jobs SET locked_by = ${lockedBy}, locked_at = now() - ${age}::interval WHERE id = ${job!.id}::bigint`
  return job!.id
}

it(
  'frees the jobs of workers that are gone, and leaves those of living ones and of newcomers',
  { timeout: 30_000 },
  async () => {
    presence.join('pool-living')
    const living = await lockJob('pool-living', '1 hour')
    const gone = await lockJob('pool-gone', '1 hour')
    const newcomer = await lockJob('pool-newcomer', '1 second')
    await expect.poll(() => freed, { timeout: 20_000 }).toEqual(['pool-gone'])
    const locked = await db().$queryRaw<
      { id: string }[]
    >`SELECT id::text FROM graphile_worker.jobs WHERE locked_by IS NOT NULL ORDER BY id`
    expect(locked.map((job) => job.id)).toEqual([living, newcomer].sort((a, b) => Number(a) - Number(b)))
    expect(locked.map((job) => job.id)).not.toContain(gone)
  },
)
