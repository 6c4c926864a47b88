import { env } from '@/lib/env'
import { accepted, refused, type Refusal, type Result } from '@/lib/kit'
import { bulkAction, type BulkCode, type BulkName, type BulkPreview } from './bulk-actions'
import { findSelection, keepResult, listResults, type BulkResult, type SelectionPart } from './selections'

/** Orders that one confirmation works on: seconds of work. What is left is confirmed next. */
export const ORDERS_AT_ONCE = 100

export type PreviewedPart = BulkPreview & { part: SelectionPart }
export type SelectionPreview = {
  selectionId: string
  count: number
  /** The orders that this confirmation is about. */
  parts: PreviewedPart[]
  /** Orders after those. */
  left: number
  paysMicros: bigint
  givesMicros: bigint
  /** What the confirmation carries along; empty when there is nothing to confirm. */
  shown: string
  /** Every period one of the orders can be renewed for. */
  periods: number[]
  results: BulkResult[]
  /** Why the choice itself cannot be taken. */
  refusal: Refusal<BulkCode> | null
}

/**
 * What an action would do to the chosen proxies, order by order and in sum, without doing it. Orders it was done to already are left out and told in
 * `results`. Refuses `not_found`: somebody else's selection, or one older than a day.
 */
export async function previewBulk(
  actor: { id: string },
  input: { selectionId: string; action: BulkName; typed: Record<string, unknown> },
): Promise<Result<SelectionPreview, Refusal<'not_found'>>> {
  const selection = await findSelection({ userId: actor.id, selectionId: input.selectionId })
  if (!selection) return refused('not_found')
  const results = await listResults({ selectionId: selection.id, action: input.action })
  const done = new Set(results.filter((result) => result.isDone).map((result) => result.orderId))
  const open = selection.parts.filter((part) => !done.has(part.orderId))
  const action = bulkAction(input.action)
  const choice = action.read(input.typed)
  const parts: PreviewedPart[] = []
  if (choice.ok)
    for (const part of open.slice(0, ORDERS_AT_ONCE))
      parts.push({ part, ...(await action.preview(actor, part, choice.value)) })
  return accepted({
    selectionId: selection.id,
    count: selection.count,
    parts,
    left: Math.max(0, open.length - ORDERS_AT_ONCE),
    paysMicros: parts.reduce((sum, part) => sum + part.paysMicros, 0n),
    givesMicros: parts.reduce((sum, part) => sum + part.givesMicros, 0n),
    shown: parts
      .filter((each) => each.shown !== '')
      .map((each) => `${each.part.orderId}:${each.shown}`)
      .join(','),
    periods: [...new Set(parts.flatMap((part) => part.periods))].sort((one, other) => one - other),
    results,
    refusal: choice.ok ? null : choice.refusal,
  })
}

/**
 * Does to the chosen proxies what a preview showed, order by order, each once: the request key is made of selection, order and action, so a double click, a second
 * tab or a repeat finds what was done. One order that is refused does not keep the others from it; what came of each is kept with the selection.
 * Refuses `not_found` (as previewBulk, or an order in `shown` that is not in the selection), `preview_outdated` (nothing that could be confirmed) and
 * what the action says of the choice; then nothing is done.
 */
export async function runBulk(
  actor: { id: string },
  input: { selectionId: string; action: BulkName; typed: Record<string, unknown>; shown: string },
): Promise<Result<{ done: number; refused: number }, Refusal<BulkCode>>> {
  const selection = await findSelection({ userId: actor.id, selectionId: input.selectionId })
  if (!selection) return refused('not_found')
  const action = bulkAction(input.action)
  const choice = action.read(input.typed)
  if (!choice.ok) return choice
  const byId = new Map(selection.parts.map((part) => [part.orderId, part]))
  const confirmed = new Map(
    input.shown
      .split(',')
      .filter((text) => text !== '')
      .map((text): [string, string] => [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)]),
  )
  if (confirmed.size === 0 || confirmed.size > ORDERS_AT_ONCE) return refused('preview_outdated')
  if ([...confirmed.keys()].some((orderId) => !byId.has(orderId))) return refused('not_found')
  const results = await listResults({ selectionId: selection.id, action: input.action })
  const done = new Set(results.filter((result) => result.isDone).map((result) => result.orderId))
  const counts = { done: 0, refused: 0 }
  for (const [orderId, shown] of confirmed) {
    if (done.has(orderId)) {
      counts.done += 1
      continue
    }
    const requestKey = `${selection.id}_${orderId}_${input.action}`
    const outcome = await action.act(actor, byId.get(orderId)!, choice.value, { shown, requestKey })
    counts[outcome.ok ? 'done' : 'refused'] += 1
    await keepResult(
      { selectionId: selection.id, action: input.action, orderId },
      outcome.ok
        ? { isDone: true, facts: asJson(outcome.value) }
        : {
            isDone: false,
            facts: asJson({
              code: outcome.refusal.code,
              facts: { ...outcome.refusal.facts, currency: env().SHOP_CURRENCY },
            }),
          },
    )
  }
  return accepted(counts)
}

/** Amounts are written out as text. */
function asJson(value: object) {
  return JSON.parse(
    JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? each.toString() : each)),
  ) as Record<string, never>
}
