import { db, Prisma } from '@/lib/db'
import { accepted } from '@/lib/kit'
import { log } from '@/lib/log'
import { publicRoute } from '@/lib/web'

export const dynamic = 'force-dynamic'

/** Whether this process can serve: the database answers. 503 while it does not, which is news for a balancer, not a fault of ours. */
export const GET = publicRoute(async () => {
  try {
    await db().$queryRaw(Prisma.sql`SELECT 1`)
    return accepted({ status: 'ready' })
  } catch (error) {
    log('web').warn({ error }, 'the database does not answer')
    return Response.json(
      { status: 'waiting for the database' },
      { status: 503, headers: { 'Cache-Control': 'no-store' } },
    )
  }
})
