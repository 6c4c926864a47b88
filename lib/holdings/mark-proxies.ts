import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { accepted, maskCardNumbers, refused, type Refusal, type Result } from '@/lib/kit'
import { MARK_LIMITS } from './schemas'

export type MarkRefusal = Refusal<'not_found' | 'too_many_tags' | 'tag_too_long' | 'too_many_own_tags'>

/** A request is not read further than this; nobody types so much. */
const TYPED_MAX = (MARK_LIMITS.tag + 2) * MARK_LIMITS.tagsPerProxy * 4

/**
 * Tags as people type them, with commas or line breaks between: trimmed, each once, in the order of the alphabet, anything like a card's number masked.
 * Refuses `too_many_tags` {max} above what one proxy takes, and `tag_too_long` {max}.
 */
export function parseTags(text: string): Result<string[], Refusal<'too_many_tags' | 'tag_too_long'>> {
  // Counted before anything else is done with them, so that ten thousand cost nothing.
  const tooMany = refused('too_many_tags', { max: MARK_LIMITS.tagsPerProxy })
  if (text.length > TYPED_MAX) return tooMany
  const found = text
    .split(/[,\n]/)
    .map((tag) => tag.trim().replace(/\s+/g, ' '))
    .filter((tag) => tag !== '')
  if (found.some((tag) => tag.length > MARK_LIMITS.tag)) return refused('tag_too_long', { max: MARK_LIMITS.tag })
  const tags = [...new Set(found.map(maskCardNumbers))].sort()
  return tags.length > MARK_LIMITS.tagsPerProxy ? tooMany : accepted(tags)
}

/**
 * Writes what a customer notes about one of their proxies: label (60 characters), note (500), tags (50 of 40). What looks like a card's number is masked.
 * Longer texts are cut by nobody: the border refuses them. Refuses `not_found`, as parseTags, and `too_many_own_tags` {max} above 500 different ones in all.
 */
export async function markProxy(
  actor: { id: string },
  input: { allocationId: string; label: string; note: string; tags: string },
): Promise<Result<null, MarkRefusal>> {
  const tags = parseTags(input.tags)
  if (!tags.ok) return tags
  const marks = {
    label: maskCardNumbers(input.label.trim().replace(/\s+/g, ' ')).slice(0, MARK_LIMITS.label),
    note: maskCardNumbers(input.note.trim()).slice(0, MARK_LIMITS.note),
    tags: tags.value,
    updatedAt: new Date(),
  }
  return inTransaction<null, MarkRefusal>(async (tx) => {
    await lockMarks(tx, actor.id)
    const held = await tx.allocation.count({ where: { id: input.allocationId, userId: actor.id } })
    if (held === 0) return refused('not_found')
    const key = { userId: actor.id, allocationId: input.allocationId }
    await tx.proxyMark.upsert({ where: { userId_allocationId: key }, create: { ...key, ...marks }, update: marks })
    return boundOwnTags(tx, actor.id)
  })
}

/**
 * Adds tags to proxies and takes others away, all of them or none. Refuses `not_found` when one is not this customer's, `too_many_tags` when one
 * would have more than 50, and `too_many_own_tags`.
 */
export async function retagProxies(
  actor: { id: string },
  input: { allocationIds: readonly string[]; add: readonly string[]; remove: readonly string[] },
): Promise<Result<null, MarkRefusal>> {
  const ids = [...new Set(input.allocationIds)]
  const add = input.add.filter((tag) => !input.remove.includes(tag))
  return inTransaction<null, MarkRefusal>(async (tx) => {
    await lockMarks(tx, actor.id)
    const held = await tx.allocation.count({ where: { id: { in: ids }, userId: actor.id } })
    if (held !== ids.length || ids.length === 0) return refused('not_found')
    const [most] = await tx.$queryRaw<{ most: number | null }[]>(Prisma.sql`
      SELECT max(cardinality(ARRAY(SELECT t FROM unnest(coalesce(m.tags, '{}')) t WHERE t <> ALL (${input.remove}::text[]) UNION SELECT unnest(${add}::text[]))))::int AS most
      FROM unnest(${ids}::text[]) AS chosen(id) LEFT JOIN proxy_marks m ON m.user_id = ${actor.id} AND m.allocation_id = chosen.id`)
    if ((most?.most ?? 0) > MARK_LIMITS.tagsPerProxy) return refused('too_many_tags', { max: MARK_LIMITS.tagsPerProxy })
    await tx.$executeRaw(Prisma.sql`
      INSERT INTO proxy_marks AS m (user_id, allocation_id, tags)
      SELECT ${actor.id}, chosen.id, ${[...new Set(add)].sort()}::text[] FROM unnest(${ids}::text[]) AS chosen(id)
      ON CONFLICT (user_id, allocation_id) DO UPDATE SET updated_at = clock_timestamp(),
        tags = ARRAY(SELECT t FROM unnest(m.tags) t WHERE t <> ALL (${input.remove}::text[]) UNION SELECT unnest(${add}::text[]) ORDER BY 1)`)
    return boundOwnTags(tx, actor.id)
  })
}

/** Those who write one customer's marks stand in line, so that the bound of all their tags holds however many write at once. */
async function lockMarks(tx: Tx, userId: string): Promise<void> {
  await tx.$queryRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended('marks:' || ${userId}, 0))::text`)
}

async function boundOwnTags(tx: Tx, userId: string): Promise<Result<null, Refusal<'too_many_own_tags'>>> {
  const [row] = await tx.$queryRaw<{ count: number }[]>(
    Prisma.sql`SELECT count(DISTINCT t)::int AS count FROM proxy_marks m, unnest(m.tags) t WHERE m.user_id = ${userId}`,
  )
  if (row!.count > MARK_LIMITS.tagsInAll) return refused('too_many_own_tags', { max: MARK_LIMITS.tagsInAll })
  return accepted(null)
}

/** What is noted about one proxy of this customer. */
export async function findMarks(input: { userId: string; allocationId: string }) {
  const marks = await db().proxyMark.findUnique({
    where: { userId_allocationId: input },
    select: { label: true, note: true, tags: true },
  })
  return marks ?? { label: '', note: '', tags: [] }
}
