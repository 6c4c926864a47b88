/** A piece of a line: words, or the address of a page. */
export type TextPart = { text: string; href?: string }

const ADDRESS = /https?:\/\/[^\s<>"'`\\]+/gi

/**
 * A plain text as paragraphs of lines of parts. Paragraphs are parted by empty lines. Addresses that begin with https:// or http:// are links, without the punctuation
 * after them; nothing else is: no markup, no other scheme. What shows the parts escapes them.
 */
export function splitText(text: string): TextPart[][][] {
  return text
    .replaceAll(/\r\n?/g, '\n')
    .split(/\n[^\S\n]*\n\s*/)
    .map((paragraph) => paragraph.trim())
    .filter(Boolean)
    .map((paragraph) => paragraph.split('\n').map(splitLine))
}

function splitLine(line: string): TextPart[] {
  const parts: TextPart[] = []
  let from = 0
  for (const match of line.matchAll(ADDRESS)) {
    const address = withoutEnd(match[0])
    if (!isPage(address)) continue
    if (match.index > from) parts.push({ text: line.slice(from, match.index) })
    parts.push({ text: address, href: address })
    from = match.index + address.length
  }
  if (from < line.length) parts.push({ text: line.slice(from) })
  return parts
}

/** A full stop after an address ends the sentence; a bracket belongs to it when it was opened in it. */
function withoutEnd(address: string): string {
  let kept = address.replace(/[.,;:!?…»”]+$/u, '')
  while (kept.endsWith(')') && kept.split('(').length < kept.split(')').length)
    kept = kept.slice(0, -1).replace(/[.,;:!?…»”]+$/u, '')
  return kept
}

/** A whole address of a page, without a name and a password before its host: those are there to mislead. */
function isPage(address: string): boolean {
  if (!URL.canParse(address)) return false
  const url = new URL(address)
  return url.username === '' && url.password === '' && url.hostname !== ''
}

/** The beginning of a text in one line, cut between words. */
export function leadOf(text: string, length: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  if (line.length <= length) return line
  const cut = line.slice(0, length + 1)
  const space = cut.lastIndexOf(' ')
  return `${(space > length / 2 ? cut.slice(0, space) : line.slice(0, length)).replace(/[\s.,;:–-]+$/u, '')}…`
}
