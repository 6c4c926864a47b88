import { feedResponse, readFeedFile } from '@/components/exports/feed-response'
import { CONTENT_TYPES, findWriter, openFeed, readProxies, writeExport } from '@/lib/exports'
import { refused } from '@/lib/kit'
import { publicRoute, type RouteInput } from '@/lib/web'

/**
 * The working proxies of a feed, for whoever knows its token: `/api/feeds/{token}.txt`, with the ending of its format. A wrong token, a revoked one and a
 * wrong ending are the same "not found".
 */
async function feed({ request, params }: RouteInput) {
  const file = readFeedFile(params.file ?? '')
  const opened = file && (await openFeed({ token: file.token, kind: 'proxies' }))
  const writer = opened && (await findWriter(opened.userId, opened.format))
  if (!writer || writer.file !== file?.ending) return refused('not_found')
  const { userId, filter } = opened
  return feedResponse(request, CONTENT_TYPES[writer.file], () =>
    writeExport(readProxies({ userId, filter, scope: 'live' }), writer),
  )
}

export const GET = publicRoute(feed)
export const HEAD = publicRoute(feed)
