import { createHash } from 'node:crypto'

/** The ETag of what is written: the same content, the same tag. */
export async function contentTag(pieces: AsyncIterable<string>): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of pieces) hash.update(piece)
  return `"${hash.digest('base64url')}"`
}

/** Whether an If-None-Match names this tag: a list of tags, weak ones count (RFC 9110, 13.1.2), or `*`. */
export function isKnownTag(ifNoneMatch: string | null, tag: string): boolean {
  if (ifNoneMatch === null) return false
  if (ifNoneMatch.trim() === '*') return true
  return ifNoneMatch.split(',').some((each) => each.trim().replace(/^W\//, '') === tag)
}
