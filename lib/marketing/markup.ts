/**
 * The few signs that campaigns know: an empty line ends a paragraph, `**bold**`, `[words](https://…)`, and `{name}`. Everything else is text, tags and braces
 * included. The result is a tree of texts, never markup: whoever shows it escapes it.
 */
export type Inline =
  | { kind: 'text'; text: string }
  | { kind: 'bold'; parts: Piece[] }
  /** `number`: its place among the links of the text, from one. */
  | { kind: 'link'; url: string; number: number; parts: Piece[] }
/** A text, or the place of the reader's name. */
export type Piece = { kind: 'text'; text: string } | { kind: 'name' }
export type Line = (Inline | { kind: 'name' })[]

const SIGNS = /\*\*([^*\n]+)\*\*|\[([^[\]\n]+)\]\(([^()\s]+)\)|\{name\}/g

/** The paragraphs of a text, each as lines of what stands in them. */
export function parseBody(body: string): Line[][] {
  let links = 0
  const count = () => (links += 1)
  return body
    .split(/\n[ \t]*\n+/)
    .map((paragraph) => paragraph.trim())
    .filter(Boolean)
    .map((paragraph) => paragraph.split('\n').map((line) => parseLine(line, count)))
}

function parseLine(line: string, countLink: () => number): Line {
  const found: Line = []
  let from = 0
  const addText = (text: string) => {
    if (text) found.push({ kind: 'text', text })
  }
  for (const match of line.matchAll(SIGNS)) {
    const [whole, bold, words, address] = match
    const url = address === undefined ? undefined : safeUrl(address)
    // A link that leads nowhere we know stays as it was typed, so that its writer sees it in the preview.
    if (address !== undefined && url === undefined) continue
    addText(line.slice(from, match.index))
    from = match.index + whole.length
    if (bold !== undefined) found.push({ kind: 'bold', parts: piecesOf(bold) })
    else if (url !== undefined) found.push({ kind: 'link', url, number: countLink(), parts: piecesOf(words!) })
    else found.push({ kind: 'name' })
  }
  addText(line.slice(from))
  return found
}

/** The links of a text by their numbers. */
export function listLinks(body: string): { number: number; url: string }[] {
  return parseBody(body)
    .flat(2)
    .flatMap((piece) => (piece.kind === 'link' ? [{ number: piece.number, url: piece.url }] : []))
}

/** The text cut at each `{name}`. */
export function piecesOf(text: string): Piece[] {
  return text
    .split(/(\{name\})/)
    .filter(Boolean)
    .map((part) => (part === '{name}' ? { kind: 'name' } : { kind: 'text', text: part }))
}

/** Only the web: no script, no file, no login in the address. */
function safeUrl(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined
  const { username, password, href } = new URL(text)
  return username || password ? undefined : href
}
