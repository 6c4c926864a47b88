import { exportResponse } from '@/components/exports/export-response'
import { exportFilterSchema, findWriter, readProxies } from '@/lib/exports'
import { refused } from '@/lib/kit'
import { userRoute } from '@/lib/web'

/**
 * One's own working proxies as a file: `?format=` one of the studio's or the id of one's own template, with the same filters as the studio. Another
 * format is not found.
 */
export const GET = userRoute(async ({ request, user }) => {
  const query = Object.fromEntries(new URL(request.url).searchParams)
  const writer = await findWriter(user.id, query.format ?? 'txt')
  if (!writer) return refused('not_found')
  const pages = readProxies({ userId: user.id, filter: exportFilterSchema.parse(query), scope: 'live' })
  return exportResponse(pages, writer, 'proxies')
})
