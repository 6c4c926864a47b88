import { env } from '@/lib/env'
import { expect, it } from 'vitest'
import { createDatabase, db, Prisma } from './index'

it('times are what they are, whatever clock the server keeps', async () => {
  const keepClock = (setting: string) =>
    db().$executeRaw(
      Prisma.raw(
        `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I ${setting}', current_database()); END $$`,
      ) as Prisma.Sql,
    )
  await keepClock("SET TimeZone = ''Asia/Tokyo''")
  const elsewhere = createDatabase(env().DATABASE_URL, 1)
  try {
    const [told] = await elsewhere.$queryRaw<{ at: Date }[]>`SELECT '2040-01-01T12:00:00Z'::timestamptz AS at`
    expect(told).toEqual({ at: new Date('2040-01-01T12:00:00Z') })
  } finally {
    await elsewhere.$disconnect()
    await keepClock('RESET TimeZone')
  }
})
