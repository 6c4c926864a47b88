'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import type { PreviewRow } from '@/components/admin/preview-row'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import { importStock, previewStock } from '@/lib/provisioning'
import { adminAction } from '@/lib/web'

/** Two megabytes: the limit of MAX_STOCK_LINES lines of a hundred characters. */
const TEXT_MAX = 2_000_000
/** How many lines of a preview are sent back: more than anybody reads. */
const PREVIEW_LINES = 300

const schema = z.object({ offerId: z.string().max(60), text: z.string().trim().min(1).max(TEXT_MAX) })

/** What would be taken in, line by line; those with a problem first. Passwords are not sent back: the person has them in the field above. */
export const previewStockAction = adminAction('stock.import', schema, async ({ text }) => {
  const { lines, understood, refused } = await previewStock({ text })
  const ordered = [...lines.filter((line) => line.problem !== null), ...lines.filter((line) => line.problem === null)]
  const rows = ordered.slice(0, PREVIEW_LINES).map((line): PreviewRow => ({
    lineNumber: line.lineNumber,
    understoodAs:
      line.unit &&
      `${line.unit.protocols[0]}://${line.unit.username}:•••@${line.unit.host.includes(':') ? `[${line.unit.host}]` : line.unit.host}:${line.unit.port}`,
    problem: line.problem,
    text: line.problem === null ? '' : line.text.slice(0, 120),
  }))
  return accepted({ facts: { preview: JSON.stringify(rows), understood, refused } })
})

export const importStockAction = adminAction('stock.import', schema, async (input, { user, locale }) => {
  const result = await importStock({ kind: 'staff', id: user.id }, input)
  if (!result.ok) return result
  revalidatePath('/admin/stock')
  return accepted({ message: translator(locale, 'admin')('imported', result.value) })
})
