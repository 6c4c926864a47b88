import { textStream } from '@/components/papers/file-response'
import { contentTag, isKnownTag } from '@/lib/exports'

/** The token and the ending of `{token}.{ending}`; any ending of letters. */
export function readFeedFile(file: string): { token: string; ending: string } | null {
  const match = /^([A-Za-z0-9_-]{43})\.([a-z]{2,5})$/.exec(file)
  return match ? { token: match[1]!, ending: match[2]! } : null
}

/**
 * What a feed answers: 304 for who has this content already, else the content; nothing but headers for HEAD. Browsers and caches may keep it only if they
 * ask again each time. `write` is called once for the tag, and once more to send.
 */
export async function feedResponse(
  request: Request,
  contentType: string,
  write: () => AsyncGenerator<string>,
): Promise<Response> {
  const tag = await contentTag(write())
  const headers = {
    ETag: tag,
    'Cache-Control': 'private, no-cache',
    'Referrer-Policy': 'no-referrer',
    'X-Robots-Tag': 'noindex',
  }
  if (isKnownTag(request.headers.get('if-none-match'), tag)) return new Response(null, { status: 304, headers })
  const body = request.method === 'HEAD' ? null : textStream(write())
  return new Response(body, { headers: { ...headers, 'Content-Type': contentType } })
}
