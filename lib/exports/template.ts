// Pure: the preview, the download and the feed write by the very same functions.
import { accepted, csvCell, isFormula, refused, type Refusal, type Result } from '@/lib/kit'

/** A proxy as an export sees it. `label` is what its owner calls it; empty for none. */
export type ExportedProxy = {
  host: string
  port: number
  username: string
  password: string
  protocols: readonly string[]
  countryCode: string
  expiresAt: Date
  label: string
  orderId: string
}

/** What a template is made of decides how values are escaped: nothing, as parts of a URL, in JSON strings, as cells of a CSV row, as words of a shell. */
export const TEMPLATE_KINDS = ['line', 'url', 'json', 'csv', 'shell'] as const
export type TemplateKind = (typeof TEMPLATE_KINDS)[number]

export const TEMPLATE_FIELDS = [
  'host',
  'ip',
  'port',
  'user',
  'pass',
  'protocol',
  'country',
  'expires',
  'label',
  'order',
] as const
export type TemplateField = (typeof TEMPLATE_FIELDS)[number]

/** Longer than any tool's line; short enough to be read at a glance. */
export const TEMPLATE_LENGTH_MAX = 500

export type FileType = 'txt' | 'csv' | 'json' | 'yaml' | 'conf' | 'sh'

/** How a list of proxies is written, piece by piece: `head`, the rows with `between` them, `foot`. */
export type Writer = {
  file: FileType
  head: string
  row: (proxy: ExportedProxy, index: number) => string
  between: string
  foot: string
  /** Whether a reader of this format would take something of this proxy for something else: a format without escapes has no way to say it. */
  isUnclear: (proxy: ExportedProxy) => boolean
}

export type TemplateRefusal = Refusal<
  | 'template_empty'
  | 'template_too_long'
  | 'template_field_unknown'
  | 'template_field_quoted'
  | 'template_not_json'
  | 'template_one_line'
>

/** `http` where a proxy speaks it, else what it speaks. */
export function protocolOf(proxy: Pick<ExportedProxy, 'protocols'>): string {
  return proxy.protocols.includes('http') ? 'http' : (proxy.protocols[0] ?? 'http')
}

/** A host as it stands in an address: IPv6 in brackets. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** encodeURIComponent leaves these as they are; a quote would end a shell word. */
export function percentEncoded(text: string): string {
  // Half a character has no encoding; what it stood for is lost already.
  return encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd')).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** One word for a shell: as it is when it is harmless, else in single quotes, out of which nothing gets. */
export function shellQuoted(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}

/** A line break or another control character inside a value would begin a line of its own. */
// oxlint-disable-next-line no-control-regex
const oneLine = (text: string) => text.replace(/[\u0000-\u001f\u007f\u0085\u2028\u2029]+/g, ' ')

type Part = { text: string } | { field: TemplateField }

/**
 * Compiles a template into a writer. Refuses an empty one, one of more than 500 characters, an unknown field with its `name` and `place` (the
 * character it begins at, from one), a field of a shell command that stands in quotes or after a backslash (it brings its own), JSON that
 * would not be JSON once filled in, and a line break where one row is one line.
 */
export function compileTemplate(kind: TemplateKind, text: string): Result<Writer, TemplateRefusal> {
  if (text.trim() === '') return refused('template_empty', { field: 'text' })
  if (text.length > TEMPLATE_LENGTH_MAX)
    return refused('template_too_long', { field: 'text', maximum: TEMPLATE_LENGTH_MAX })
  if (kind !== 'json' && /[\r\n]/.test(text)) return refused('template_one_line', { field: 'text' })
  const parts: Part[] = []
  let end = 0
  for (const match of text.matchAll(/\{([A-Za-z_][A-Za-z0-9_]*)\}/g)) {
    const name = match[1]!
    if (!isField(name)) return refused('template_field_unknown', { field: 'text', name, place: match.index + 1 })
    if (kind === 'shell' && isQuotedAt(text, match.index))
      return refused('template_field_quoted', { field: 'text', name, place: match.index + 1 })
    parts.push({ text: text.slice(end, match.index) }, { field: name })
    end = match.index + match[0].length
  }
  parts.push({ text: text.slice(end) })
  return WRITERS[kind](parts)
}

function isField(name: string): name is TemplateField {
  return (TEMPLATE_FIELDS as readonly string[]).includes(name)
}

/** Whether a shell would be inside quotes, or just after a backslash, at this place. */
function isQuotedAt(text: string, place: number): boolean {
  let quote = ''
  for (let index = 0; index < place; index += 1) {
    const sign = text[index]!
    if (sign === '\\' && quote !== "'") {
      index += 1
      if (index === place) return true
    } else if (quote === '' && (sign === "'" || sign === '"')) quote = sign
    else if (sign === quote) quote = ''
  }
  return quote !== ''
}

function valueOf(proxy: ExportedProxy, field: TemplateField): string {
  switch (field) {
    case 'host':
    case 'ip':
      return proxy.host
    case 'port':
      return String(proxy.port)
    case 'user':
      return proxy.username
    case 'pass':
      return proxy.password
    case 'protocol':
      return protocolOf(proxy)
    case 'country':
      return proxy.countryCode
    case 'expires':
      return proxy.expiresAt.toISOString()
    case 'label':
      return proxy.label
    case 'order':
      return proxy.orderId
  }
}

type Escape = (value: string, field: TemplateField) => string

function filled(parts: readonly Part[], proxy: ExportedProxy, escape: Escape): string {
  return parts
    .map((part) => ('text' in part ? part.text : escape(oneLine(valueOf(proxy, part.field)), part.field)))
    .join('')
}

const inUrl: Escape = (value, field) =>
  field === 'host' || field === 'ip' ? bracketed(value) : field === 'protocol' ? value : percentEncoded(value)
const inJson: Escape = (value) => JSON.stringify(value).slice(1, -1)
const plainHost: Escape = (value, field) => (field === 'host' || field === 'ip' ? bracketed(value) : value)

/** The signs between the fields of a line, and blanks, which most readers take for one. */
function separatorsOf(parts: readonly Part[]): string {
  return parts.map((part) => ('text' in part ? part.text.replace(/[A-Za-z0-9]/g, '') : '')).join('')
}

/** Whether a value holds one of these signs, or a blank, or begins like a comment. */
export function holdsAny(signs: string, values: readonly string[]): boolean {
  const all = new Set(signs)
  return values.some((value) => value === '' || /^#|\s/.test(value) || [...value].some((sign) => all.has(sign)))
}

/** The texts of a proxy that may hold anything, as far as the template uses them. */
function looseValues(parts: readonly Part[], proxy: ExportedProxy): string[] {
  return parts.flatMap((part) =>
    'field' in part && ['user', 'pass', 'label'].includes(part.field) ? [valueOf(proxy, part.field)] : [],
  )
}

const never = () => false
const lines = (file: FileType, row: Writer['row'], isUnclear: Writer['isUnclear'] = never): Writer => ({
  file,
  head: '',
  row: (proxy, index) => `${row(proxy, index)}\n`,
  between: '',
  foot: '',
  isUnclear,
})

/** A list of JSON values, one after the other. */
export function jsonList(row: Writer['row'], frame: { head: string; foot: string } = { head: '[', foot: ']' }): Writer {
  return { file: 'json', head: `${frame.head}\n`, row, between: ',\n', foot: `\n${frame.foot}\n`, isUnclear: never }
}

const WRITERS: Record<TemplateKind, (parts: Part[]) => Result<Writer, TemplateRefusal>> = {
  line: (parts) =>
    accepted(
      lines(
        'txt',
        (proxy) => filled(parts, proxy, plainHost),
        (proxy) => holdsAny(separatorsOf(parts), looseValues(parts, proxy)),
      ),
    ),
  url: (parts) => accepted(lines('txt', (proxy) => filled(parts, proxy, inUrl))),
  shell: (parts) => accepted(lines('sh', (proxy) => filled(parts, proxy, shellQuoted))),
  csv: (parts) => {
    const cells = cellsOf(parts)
    const head = cells.map((cell) => csvCell(cell.map((part) => ('text' in part ? part.text : part.field)).join('')))
    const row: Writer['row'] = (proxy) =>
      `${cells.map((cell) => csvCell(filled(cell, proxy, (value) => value))).join(',')}\r\n`
    // Only a login is told of: in front of a label an apostrophe does no harm.
    const isUnclear: Writer['isUnclear'] = (proxy) =>
      cells.some((cell) => {
        const [first] = cell
        const isLogin = first && 'field' in first && ['user', 'pass'].includes(first.field)
        return isLogin && isFormula(filled(cell, proxy, (value) => value))
      })
    return accepted({ file: 'csv', head: `${head.join(',')}\r\n`, row, between: '', foot: '', isUnclear })
  },
  json: (parts) => {
    // Values that would break out of wherever they may not stand: a field outside of a string is JSON only where it is a number.
    for (const sample of SAMPLES) {
      try {
        JSON.parse(filled(parts, sample, inJson))
      } catch {
        return refused('template_not_json', { field: 'text' })
      }
    }
    return accepted(jsonList((proxy) => filled(parts, proxy, inJson)))
  },
}

/** A row's template cut at its commas. A value is never cut: cells are cut before they are filled. */
function cellsOf(parts: readonly Part[]): Part[][] {
  const cells: Part[][] = [[]]
  for (const part of parts) {
    if ('field' in part) {
      cells.at(-1)!.push(part)
      continue
    }
    for (const [index, text] of part.text.split(',').entries()) {
      if (index > 0) cells.push([])
      if (text !== '') cells.at(-1)!.push({ text })
    }
  }
  return cells
}

const SAMPLE: ExportedProxy = {
  host: '192.0.2.7',
  port: 8080,
  username: 'a"b\\',
  password: '1',
  protocols: ['http'],
  countryCode: 'NL',
  expiresAt: new Date(0),
  label: '',
  orderId: 'ord',
}
const SAMPLES: ExportedProxy[] = [
  SAMPLE,
  { ...SAMPLE, username: '1', password: '"\\', label: '},{' },
  { ...SAMPLE, username: '', password: '', host: '2001:db8::1' },
]
