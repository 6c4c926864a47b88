import { db, Prisma } from '@/lib/db'
import { accepted, DAY_MS, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { BEING_REPLACED, proxyFilter, STANDING } from './proxy-filter'
import type { ProxyStanding } from './list-proxies'
import { type ProxyFilter, SELECTION_MAX } from './schemas'

/** How long a selection is kept: somebody who looks at a preview over lunch finds it again. */
export const SELECTION_MS = DAY_MS

export type SelectionRefusal = Refusal<'not_found' | 'nothing_selected' | 'selection_too_large'>

/**
 * Keeps which proxies somebody chose: by id, or all that match a filter at this moment. Refuses `not_found` when one id is not this customer's, wherever
 * it stands in the list; `nothing_selected`; `selection_too_large` {count, max} above 10,000. Then nothing is kept.
 */
export async function makeSelection(
  actor: { id: string },
  input: { allocationIds: readonly string[] } | { filter: ProxyFilter },
): Promise<Result<{ selectionId: string; count: number }, SelectionRefusal>> {
  const tooLarge = (count: number) => refused('selection_too_large', { count, max: SELECTION_MAX })
  let ids: string[]
  if ('filter' in input) {
    const where = proxyFilter({ userId: actor.id, filter: input.filter })
    const rows = await db().$queryRaw<{ id: string; count: number }[]>(Prisma.sql`
      SELECT a.id, count(*) OVER ()::int AS count FROM allocations a WHERE ${where} ORDER BY a.expires_at, a.id LIMIT ${SELECTION_MAX}::int`)
    if ((rows[0]?.count ?? 0) > SELECTION_MAX) return tooLarge(rows[0]!.count)
    ids = rows.map((row) => row.id)
  } else {
    ids = [...new Set(input.allocationIds)]
    if (ids.length > SELECTION_MAX) return tooLarge(ids.length)
    const held = await db().allocation.count({ where: { id: { in: ids }, userId: actor.id } })
    if (held !== ids.length) return refused('not_found')
  }
  if (ids.length === 0) return refused('nothing_selected')
  const selection = await db().proxySelection.create({
    data: { id: newId('sel'), userId: actor.id, allocationIds: ids },
    select: { id: true },
  })
  return accepted({ selectionId: selection.id, count: ids.length })
}

export type SelectedProxy = {
  id: string
  standing: ProxyStanding
  isByTraffic: boolean
  /** Its supplier has been asked for another one: nothing else is done with it until that has an end. */
  isBeingReplaced: boolean
}
/** The chosen proxies of one order. */
export type SelectionPart = { orderId: string; planId: string; countryCode: string; proxies: SelectedProxy[] }
export type Selection = { id: string; count: number; madeAt: Date; parts: SelectionPart[] }

/** A selection with its proxies as they stand now, by order; null when it is somebody else's or too old. */
export async function findSelection(input: { userId: string; selectionId: string }): Promise<Selection | null> {
  const selection = await db().proxySelection.findFirst({
    where: { id: input.selectionId, userId: input.userId, madeAt: { gt: new Date(Date.now() - SELECTION_MS) } },
    select: { id: true, allocationIds: true, madeAt: true },
  })
  if (!selection) return null
  const rows = await db().$queryRaw<(SelectedProxy & Omit<SelectionPart, 'proxies'>)[]>(Prisma.sql`
    SELECT a.id, ${STANDING} AS standing, a.granted_bytes IS NOT NULL AS "isByTraffic", ${BEING_REPLACED} AS "isBeingReplaced", a.order_id AS "orderId", o.plan_id AS "planId", o.country_code AS "countryCode"
    FROM allocations a JOIN orders o ON o.id = a.order_id WHERE a.id = ANY (${selection.allocationIds}::text[]) AND a.user_id = ${input.userId}
    ORDER BY a.order_id, a.position`)
  // Who holds a proxy never changes; a selection that says otherwise is not one of ours.
  if (rows.length !== selection.allocationIds.length) return null
  const parts = new Map<string, SelectionPart>()
  for (const { orderId, planId, countryCode, ...proxy } of rows) {
    const part = parts.get(orderId) ?? { orderId, planId, countryCode, proxies: [] }
    part.proxies.push(proxy)
    parts.set(orderId, part)
  }
  return { id: selection.id, count: rows.length, madeAt: selection.madeAt, parts: [...parts.values()] }
}

/** Removes selections that are older than a day, with what was noted about them. Returns how many. */
export async function removeSelections(now = new Date()): Promise<number> {
  const { count } = await db().proxySelection.deleteMany({
    where: { madeAt: { lte: new Date(now.getTime() - SELECTION_MS) } },
  })
  return count
}

export type BulkResult = { orderId: string; isDone: boolean; facts: Record<string, unknown>; at: Date }

/** What has come of an action on a selection so far, by order. */
export async function listResults(input: { selectionId: string; action: string }): Promise<BulkResult[]> {
  const rows = await db().proxySelectionResult.findMany({
    where: input,
    orderBy: { orderId: 'asc' },
    select: { orderId: true, isDone: true, facts: true, at: true },
  })
  return rows as BulkResult[]
}

/** Keeps what came of an action on one order. What was done stays, also when a second tab was refused a moment later. */
export async function keepResult(
  input: { selectionId: string; action: string; orderId: string },
  result: { isDone: boolean; facts: Prisma.InputJsonObject },
): Promise<void> {
  await db().$executeRaw(Prisma.sql`
      INSERT INTO proxy_selection_results AS r (selection_id, action, order_id, is_done, facts)
      SELECT s.id, ${input.action}, ${input.orderId}, ${result.isDone}, ${JSON.stringify(result.facts)}::jsonb FROM proxy_selections s WHERE s.id = ${input.selectionId}
      ON CONFLICT (selection_id, action, order_id) DO UPDATE SET is_done = EXCLUDED.is_done, facts = EXCLUDED.facts, at = clock_timestamp() WHERE NOT r.is_done`)
}
