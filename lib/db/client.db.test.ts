import { env } from '@/lib/env'
import { expect, it } from 'vitest'
import { createDatabase, db, Prisma } from './index'

it('times are what they are, whatever clock the server keeps', async () => {
  const [row] = await db().$queryRaw<{ name: string }[]>`SELECT quote_ident(current_database()) AS name`
  await db().$executeRaw(Prisma.raw(`ALTER DATABASE ${row!.name} SET TimeZone = 'Asia/Tokyo'`) as Prisma.Sql)
  const elsewhere = createDatabase(env().DATABASE_URL, 1)
  try {
    const [told] = await elsewhere.$queryRaw<{ at: Date }[]>`SELECT '2040-01-01T12:00:00Z'::timestamptz AS at`
    expect(told!.at).toEqual(new Date('2040-01-01T12:00:00Z'))
  } finally {
    await elsewhere.$disconnect()
  }
})
