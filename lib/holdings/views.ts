import { db, inTransaction, Prisma } from '@/lib/db'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { filterQuery, readFilter, VIEWS_MAX } from './schemas'

/** Somebody's saved views, by name. `query` goes into the address of the table as it is. */
export async function listViews({ userId }: { userId: string }) {
  return db().proxyView.findMany({
    where: { userId },
    orderBy: { name: 'asc' },
    select: { id: true, name: true, query: true },
  })
}

/** Keeps a filter under a name; the same name again takes the place of the old. Refuses `too_many_views` {max} above 20. */
export async function saveView(
  actor: { id: string },
  input: { name: string; query: string },
): Promise<Result<{ viewId: string }, Refusal<'too_many_views'>>> {
  const query = filterQuery(readFilter(input.query))
  return inTransaction<{ viewId: string }, Refusal<'too_many_views'>>(async (tx) => {
    await tx.$queryRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended('views:' || ${actor.id}, 0))::text`)
    const key = { userId: actor.id, name: input.name }
    const view = await tx.proxyView.upsert({
      where: { userId_name: key },
      create: { id: newId('pvw'), ...key, query },
      update: { query },
      select: { id: true },
    })
    if ((await tx.proxyView.count({ where: { userId: actor.id } })) > VIEWS_MAX)
      return refused('too_many_views', { max: VIEWS_MAX })
    return accepted({ viewId: view.id })
  })
}

/** Removes a saved view. Refuses `not_found`, also for somebody else's. */
export async function dropView(
  actor: { id: string },
  input: { viewId: string },
): Promise<Result<null, Refusal<'not_found'>>> {
  const { count } = await db().proxyView.deleteMany({ where: { id: input.viewId, userId: actor.id } })
  return count === 0 ? refused('not_found') : accepted(null)
}
