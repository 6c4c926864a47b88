import { describe, expect, test, inject } from 'vitest'
import { db } from '@/lib/db'
import { env } from '@/lib/env'

describe('the database of the tests', () => {
  test('is local, belongs to this worker and has the newest shape', async () => {
    const rows = await db().$queryRaw<{ name: string; queue: bigint }[]>`
      SELECT current_database() AS name,
             (SELECT count(*) FROM pg_tables WHERE schemaname = 'graphile_worker') AS queue`
    expect(rows[0]?.name).toBe(`${inject('databasePrefix')}_${process.env.VITEST_POOL_ID}`)
    expect(rows[0]?.queue).toBeGreaterThan(0n)
    expect(env().SLUICE_MODE).toBe('test')
  })

  test('sorts by code point on every machine', async () => {
    const rows = await db().$queryRaw<{ word: string }[]>`
      SELECT word FROM (VALUES ('b'), ('a'), ('B'), ('я'), ('é')) AS words (word) ORDER BY word`
    expect(rows.map((row) => row.word)).toEqual(['B', 'a', 'b', 'é', 'я'])
  })
})
