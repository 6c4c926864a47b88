import { fileResponse } from '@/components/papers/file-response'
import { refused } from '@/lib/kit'
import { listRefusedLines } from '@/lib/provisioning'
import { adminRoute } from '@/lib/web'

/** The lines that an import left out, as a table: the number of each and the name of its problem. */
export const GET = adminRoute('stock.import', async ({ params }) => {
  const lines = await listRefusedLines({ importId: params.importId ?? '' })
  if (!lines) return refused('not_found')
  const table = lines.map(([line, problem]) => `${line},${problem}\r\n`).join('')
  return fileResponse(Buffer.from(`line,problem\r\n${table}`), { name: 'left-out', type: 'csv' })
})
