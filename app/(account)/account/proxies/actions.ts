'use server'

import { revalidatePath } from 'next/cache'
import { redirect } from 'next/navigation'
import { z } from 'zod'
import { bulkPath, isBulkPlace } from '@/components/holdings/bulk-places'
import { translator } from '@/i18n/translator'
import {
  dropView,
  isBulkName,
  makeSelection,
  MARK_LIMITS,
  markProxy,
  readFilter,
  runBulk,
  saveView,
  SELECTION_MAX,
} from '@/lib/holdings'
import { accepted } from '@/lib/kit'
import { userAction } from '@/lib/web'

const id = z.string().max(80)

const selectSchema = z.object({
  ids: z.union([id, z.array(id).max(SELECTION_MAX + 1)]).optional(),
  /** Not the boxes but everything that matches the filter. */
  all: z.literal('on').optional(),
  query: z.string().max(1000).default(''),
  do: z.string().refine(isBulkPlace),
})

/** Keeps the proxies that were chosen and goes on to where it is shown what would happen to them. */
export const selectAction = userAction(selectSchema, async (input, { user }) => {
  const made = await makeSelection(
    user,
    input.all ? { filter: readFilter(input.query) } : { allocationIds: [input.ids ?? []].flat() },
  )
  if (!made.ok) return made
  redirect(bulkPath(input.do, made.value.selectionId))
})

const confirmSchema = z.looseObject({
  selectionId: id,
  do: z.string().refine(isBulkName),
  shown: z.string().max(20_000),
})

/** Does what the preview showed. */
export const confirmAction = userAction(confirmSchema, async (input, { user }) => {
  const { selectionId, do: name, shown, ...typed } = input
  if (!isBulkName(name)) return accepted(null)
  const done = await runBulk(user, { selectionId, action: name, typed, shown })
  if (!done.ok) return done
  revalidatePath('/account', 'layout')
  const choice = Object.entries(typed).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  redirect(`${bulkPath(name, selectionId)}&${new URLSearchParams([...choice, ['done', '1']])}`)
})

const viewSchema = z.object({ name: z.string().trim().min(1).max(40), query: z.string().max(1000) })

/** Keeps the table's filter under a name. */
export const saveViewAction = userAction(viewSchema, async (input, { user, locale }) => {
  const saved = await saveView(user, input)
  if (!saved.ok) return saved
  revalidatePath('/account/proxies')
  return accepted({ message: translator(locale, 'proxies')('viewSaved', { name: input.name }) })
})

/** Removes a saved view. */
export const dropViewAction = userAction(z.object({ viewId: id }), async (input, { user }) => {
  const dropped = await dropView(user, input)
  if (!dropped.ok) return dropped
  revalidatePath('/account/proxies')
  return accepted(null)
})

const marksSchema = z.object({
  allocationId: id,
  label: z.string().trim().max(MARK_LIMITS.label),
  note: z.string().trim().max(MARK_LIMITS.note),
  /** As typed; counted by the command, so that too many are told as such. */
  tags: z.string().max(1_000_000),
})

/** Writes label, note and tags of one proxy. */
export const markAction = userAction(marksSchema, async (input, { user, locale }) => {
  const marked = await markProxy(user, input)
  if (!marked.ok) return marked
  revalidatePath(`/account/proxies/${input.allocationId}`)
  return accepted({ message: translator(locale, 'proxies')('marked') })
})
