import { createHash, randomBytes } from 'node:crypto'
import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction, type Tx } from '@/lib/db'
import { accepted, MINUTE_MS, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { isBuiltIn } from './formats'
import { type ExportFilter, exportFilterSchema, type FormatChoice } from './schemas'
import { lockExports } from './templates'

/** Enough for every tool of a person; few enough to look through after a leak. */
export const FEEDS_MAX = 20

/** When a feed was used is known to the minute: a tool that asks every second costs no write every second. */
const USED_EVERY_MS = MINUTE_MS

export type FeedKind = 'proxies' | 'calendar'
type Owner = Actor & { id: string }

const feedSelect = {
  id: true,
  kind: true,
  name: true,
  filter: true,
  format: true,
  templateId: true,
  lastUsedAt: true,
  createdAt: true,
  template: { select: { name: true, kind: true } },
} as const

/** Somebody's feeds that are not revoked, newest first. The token of none of them can be told again. */
export async function listFeeds(input: { userId: string; kind: FeedKind }) {
  const rows = await db().feed.findMany({
    where: { ...input, revokedAt: null },
    orderBy: { id: 'desc' },
    select: feedSelect,
  })
  return rows.map((row) => ({ ...row, filter: readFilter(row.filter) }))
}
export type FeedView = Awaited<ReturnType<typeof listFeeds>>[number]

/** A token: 32 random bytes. The shop keeps its digest only, so nobody who reads the database can use a feed. */
function newToken(): { token: string; tokenDigest: string } {
  const token = randomBytes(32).toString('base64url')
  return { token, tokenDigest: digestOf(token) }
}

const digestOf = (token: string) => createHash('sha256').update(token).digest('hex')

export type MadeFeed = { feedId: string; token: string }
export type MakeFeedRefusal = Refusal<'not_found' | 'too_many_feeds'>

/**
 * Makes a feed and tells its token, this once. Refuses `too_many_feeds` (20), and `not_found` for a template or an order that is not theirs.
 */
export async function makeFeed(
  actor: Owner,
  input: { name: string } & ({ kind: 'calendar' } | { kind: 'proxies'; filter: ExportFilter; format: FormatChoice }),
): Promise<Result<MadeFeed, MakeFeedRefusal>> {
  return inTransaction<MadeFeed, MakeFeedRefusal>(async (tx) => {
    await lockExports(tx, actor.id)
    if ((await tx.feed.count({ where: { userId: actor.id, revokedAt: null } })) >= FEEDS_MAX)
      return refused('too_many_feeds', { maximum: FEEDS_MAX })
    const { token, tokenDigest } = newToken()
    const row = { id: newId('fed'), userId: actor.id, name: input.name, tokenDigest }
    if (input.kind === 'calendar') {
      await tx.feed.create({ data: { ...row, kind: 'calendar' }, select: { id: true } })
    } else {
      const { format, filter } = input
      if (
        !isBuiltIn(format) &&
        !(await tx.exportTemplate.findFirst({ where: { id: format, userId: actor.id }, select: { id: true } }))
      )
        return refused('not_found')
      if (
        filter.order &&
        !(await tx.order.findFirst({ where: { id: filter.order, userId: actor.id }, select: { id: true } }))
      )
        return refused('not_found')
      const written = isBuiltIn(format) ? { format } : { templateId: format }
      await tx.feed.create({
        data: { ...row, kind: 'proxies', filter: { ...filter }, ...written },
        select: { id: true },
      })
    }
    await recordAudit(tx, actor, {
      action: 'feed.made',
      subjectKind: 'feed',
      subjectId: row.id,
      data: { kind: input.kind },
    })
    return accepted({ feedId: row.id, token })
  })
}

/** Gives a feed another name. Refuses `not_found`, also for somebody else's and for one that was revoked. */
export async function renameFeed(
  actor: { id: string },
  { feedId, name }: { feedId: string; name: string },
): Promise<Result<null, Refusal<'not_found'>>> {
  const { count } = await db().feed.updateMany({ where: inUse(actor, feedId), data: { name } })
  return count === 1 ? accepted(null) : refused('not_found')
}

/** Ends a feed for good: its address answers like one that never was. Refuses `not_found`. */
export async function revokeFeed(
  actor: Owner,
  { feedId }: { feedId: string },
): Promise<Result<null, Refusal<'not_found'>>> {
  return change(actor, feedId, 'feed.revoked', async (tx) => {
    await tx.feed.update({
      where: { id: feedId },
      data: { revokedAt: new Date(), templateId: null },
      select: { id: true },
    })
    return null
  })
}

/** Gives a feed another token, told this once; the old one stops working at once. Refuses `not_found`. */
export async function rotateFeed(
  actor: Owner,
  { feedId }: { feedId: string },
): Promise<Result<MadeFeed, Refusal<'not_found'>>> {
  return change(actor, feedId, 'feed.rotated', async (tx) => {
    const { token, tokenDigest } = newToken()
    await tx.feed.update({ where: { id: feedId }, data: { tokenDigest, lastUsedAt: null }, select: { id: true } })
    return { feedId, token }
  })
}

const inUse = (actor: { id: string }, feedId: string) => ({ id: feedId, userId: actor.id, revokedAt: null })

async function change<Value>(
  actor: Owner,
  feedId: string,
  action: string,
  work: (tx: Tx) => Promise<Value>,
): Promise<Result<Value, Refusal<'not_found'>>> {
  return inTransaction<Value, Refusal<'not_found'>>(async (tx) => {
    await lockExports(tx, actor.id)
    if (!(await tx.feed.findFirst({ where: inUse(actor, feedId), select: { id: true } }))) return refused('not_found')
    const value = await work(tx)
    await recordAudit(tx, actor, { action, subjectKind: 'feed', subjectId: feedId })
    return accepted(value)
  })
}

export type OpenedFeed = { id: string; userId: string; filter: ExportFilter; format: string }

/**
 * The feed that a token opens, and notes that it was used; null for a token that is malformed, unknown, revoked, of another kind or of a suspended account,
 * which nobody can tell apart.
 */
export async function openFeed(input: { token: string; kind: FeedKind }): Promise<OpenedFeed | null> {
  if (!/^[A-Za-z0-9_-]{43}$/.test(input.token)) return null
  const feed = await db().feed.findFirst({
    where: { tokenDigest: digestOf(input.token), kind: input.kind, revokedAt: null },
    select: { id: true, userId: true, filter: true, format: true, templateId: true },
  })
  if (!feed) return null
  // What a sign-in no longer opens, a key made before does not open either.
  if ((await db().user.count({ where: { id: feed.userId, suspendedAt: null } })) === 0) return null
  const now = Date.now()
  await db().feed.updateMany({
    where: { id: feed.id, OR: [{ lastUsedAt: null }, { lastUsedAt: { lt: new Date(now - USED_EVERY_MS) } }] },
    data: { lastUsedAt: new Date(now) },
  })
  return {
    id: feed.id,
    userId: feed.userId,
    filter: readFilter(feed.filter),
    format: feed.format ?? feed.templateId ?? '',
  }
}

function readFilter(stored: unknown): ExportFilter {
  return exportFilterSchema.parse(stored)
}
