'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import type { PreviewRow } from '@/components/admin/preview-row'
import { translator } from '@/i18n/translator'
import { accepted } from '@/lib/kit'
import { importStock, type PreviewLine, previewStock } from '@/lib/provisioning'
import { adminAction } from '@/lib/web'

/** MAX_STOCK_LINES lines of a hundred characters. */
const TEXT_MAX = 10_000_000
/** How many lines of a preview are sent back: more than anybody reads. */
const PREVIEW_LINES = 300

const schema = z.object({ offerId: z.string().max(60), text: z.string().trim().min(1).max(TEXT_MAX) })

/** What would be taken in, line by line; those with a problem first. Passwords are not sent back: the person has them in the field above. */
export const previewStockAction = adminAction('stock.import', schema, async ({ text }) => {
  const { lines, understood, refused } = await previewStock({ text })
  const ordered = [...lines.filter((line) => line.problem !== null), ...lines.filter((line) => line.problem === null)]
  return accepted({ facts: { preview: rowsOf(ordered), understood, refused } })
})

function rowsOf(lines: PreviewLine[]): string {
  const rows = lines.slice(0, PREVIEW_LINES).map((line): PreviewRow => ({
    lineNumber: line.lineNumber,
    understoodAs:
      line.unit &&
      `${line.unit.protocols[0]}://${line.unit.username}:•••@${line.unit.host.includes(':') ? `[${line.unit.host}]` : line.unit.host}:${line.unit.port}`,
    problem: line.problem,
    text: line.problem === null ? '' : line.text.slice(0, 120),
  }))
  return JSON.stringify(rows)
}

export const importStockAction = adminAction('stock.import', schema, async (input, { user, locale }) => {
  const result = await importStock({ kind: 'staff', id: user.id }, input)
  if (!result.ok) return result
  revalidatePath('/admin/stock')
  const { left, added, skipped } = result.value
  // What was left out is shown at once, the first lines of it; all of it can be downloaded from the list of imports.
  return accepted({
    message: translator(locale, 'admin')('imported', { added, skipped }),
    facts: skipped > 0 ? { preview: rowsOf(left), understood: added, refused: skipped } : {},
  })
})
