import { isIP } from 'node:net'

export type StockLineUnit = {
  host: string
  port: number
  username: string
  password: string
  protocols: ('http' | 'socks5')[]
}
export type StockLineProblem = 'unreadable' | 'no_credentials' | 'bad_port' | 'bad_host' | 'doubled' | 'too_many'
export type StockLine =
  | { lineNumber: number; text: string; unit: StockLineUnit; problem: null }
  | { lineNumber: number; text: string; unit: null; problem: StockLineProblem }

/** More lines than this are another import: the request has to stay small enough to be read whole. */
export const MAX_STOCK_LINES = 100_000

/**
 * Reads pasted stock, one proxy a line, in any of the formats sellers use:
 * `host:port:user:pass`, `user:pass:host:port`, `user:pass@host:port`, `host:port@user:pass`, each with an optional scheme (`http://`, `https://`,
 * `socks5://`), with `:` `;` `,` `|` tab or spaces between the parts, IPv6 hosts in brackets; or CSV with a header; or a JSON array of objects.
 * Empty lines and lines that begin with `#` are passed over. A proxy named twice is `doubled` from its second line on; lines beyond
 * MAX_STOCK_LINES are `too_many` and named, not dropped. Never throws.
 */
export function parseStock(text: string): StockLine[] {
  const lines = parseJson(text) ?? parseCsvWithHeader(text) ?? parseLines(text)
  const seen = new Set<string>()
  return lines.map((line, index) => {
    if (index >= MAX_STOCK_LINES) return { ...line, unit: null, problem: 'too_many' as const }
    if (!line.unit) return line
    const key = `${line.unit.host}:${line.unit.port}:${line.unit.username}`
    if (seen.has(key)) return { ...line, unit: null, problem: 'doubled' as const }
    seen.add(key)
    return line
  })
}

function parseLines(text: string): StockLine[] {
  return text
    .split(/\r?\n/)
    .map((raw, index) => ({ lineNumber: index + 1, text: raw.trim() }))
    .filter((line) => line.text !== '' && !line.text.startsWith('#'))
    .map((line) => ({ ...line, ...readLine(line.text) }))
}

type Read = { unit: StockLineUnit; problem: null } | { unit: null; problem: StockLineProblem }
const problem = (code: StockLineProblem): Read => ({ unit: null, problem: code })

function readLine(text: string): Read {
  const scheme = /^(https?|socks5h?):\/\//i.exec(text)?.[1]?.toLowerCase()
  const rest = scheme ? text.slice(text.indexOf('://') + 3).replace(/\/+$/, '') : text
  // A bracketed IPv6 address holds colons of its own: set it aside before cutting.
  // Brackets around anything else are part of a login.
  const bracketed = [...rest.matchAll(/\[([0-9a-fA-F:.]+)\]/g)].find((match) => isIP(match[1]!) === 6)
  const plain = bracketed ? rest.replace(bracketed[0], '\u0000') : rest
  const parts = plain.split(/[\s:;,|@]+/).map((part) => (bracketed ? part.replace('\u0000', bracketed[1]!) : part))
  if (parts.some((part) => part === '')) return problem('unreadable')
  if (parts.length === 2 && looksLikePort(parts[1]!)) return problem('no_credentials')
  if (parts.length !== 4) return problem('unreadable')
  const [a, b, c, d] = parts as [string, string, string, string]
  // Whichever pair is an address decides; a password may be digits, so the first pair wins where both could be one.
  if (looksLikeHost(a) && looksLikePort(b)) return unitOf(a, b, c, d, scheme)
  if (looksLikeHost(c) && looksLikePort(d)) return unitOf(c, d, a, b, scheme)
  if (looksLikeHost(a) || looksLikeHost(c)) return problem('bad_port')
  return problem('bad_host')
}

function unitOf(host: string, port: string, username: string, password: string, scheme?: string): Read {
  const number = Number(port)
  if (!looksLikePort(port) || number < 1 || number > 65_535) return problem('bad_port')
  if (!looksLikeHost(host)) return problem('bad_host')
  if (!username || !password) return problem('no_credentials')
  if (username.length > 200 || password.length > 200 || /[\0-\x1f]/.test(username + password))
    return problem('unreadable')
  const protocols: StockLineUnit['protocols'] = scheme?.startsWith('socks5') ? ['socks5'] : ['http']
  return { unit: { host: host.toLowerCase(), port: number, username, password, protocols }, problem: null }
}

function looksLikePort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535
}

/** An IP address, or a name with at least one dot whose last label is not a number. */
function looksLikeHost(text: string): boolean {
  if (isIP(text)) return true
  return text.length <= 253 && /^(?=.*[a-z])([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*$/i.test(text)
}

const FIELDS = {
  host: ['host', 'ip', 'address', 'server', 'hostname'],
  port: ['port', 'http_port', 'port_http'],
  username: ['username', 'user', 'login'],
  password: ['password', 'pass'],
} as const

function readFields(record: Record<string, unknown>): Read {
  const lower = Object.fromEntries(Object.entries(record).map(([key, value]) => [key.trim().toLowerCase(), value]))
  // Texts and numbers only: another value in a field's place is no proxy of any kind.
  const pick = (names: readonly string[]) => {
    const value = names.map((name) => lower[name]).find((each) => each !== undefined && each !== null)
    return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : ''
  }
  const scheme = pick(['protocol', 'type', 'scheme']).toLowerCase()
  return unitOf(pick(FIELDS.host), pick(FIELDS.port), pick(FIELDS.username), pick(FIELDS.password), scheme)
}

function parseCsvWithHeader(text: string): StockLine[] | null {
  const rows = text.split(/\r?\n/)
  const header = (rows[0] ?? '').trim()
  const separator = [',', ';', '\t'].find((each) => header.includes(each))
  if (!separator) return null
  const unquote = (cell: string) => cell.trim().replace(/^"(.*)"$/, '$1')
  const names = header.split(separator).map((name) => unquote(name).toLowerCase())
  const known = Object.values(FIELDS).every((aliases) => aliases.some((alias) => names.includes(alias)))
  if (!known) return null
  return rows
    .map((raw, index) => ({ lineNumber: index + 1, text: raw.trim() }))
    .slice(1)
    .filter((line) => line.text !== '')
    .map((line) => {
      const raw = line.text.split(separator)
      // A quoted cell that holds the separator falls into two, and every later cell would be taken for its neighbour.
      if (raw.some((cell) => (cell.match(/"/g)?.length ?? 0) % 2 === 1)) return { ...line, ...problem('unreadable') }
      const cells = raw.map(unquote)
      return { ...line, ...readFields(Object.fromEntries(names.map((name, index) => [name, cells[index]]))) }
    })
}

function parseJson(text: string): StockLine[] | null {
  if (!/^\s*\[/.test(text)) return null
  let rows: unknown
  try {
    rows = JSON.parse(text)
  } catch {
    return null // then it is lines, of which the first may well begin with a bracketed IPv6 address
  }
  if (!Array.isArray(rows)) return null
  return rows.map((row: unknown, index) => {
    const isRecord = typeof row === 'object' && row !== null && !Array.isArray(row)
    const read =
      typeof row === 'string'
        ? readLine(row)
        : isRecord
          ? readFields(row as Record<string, unknown>)
          : problem('unreadable')
    return { lineNumber: index + 1, text: showRow(row).slice(0, 300), ...read }
  })
}

/** A row of a JSON list for the eye. One nested a hundred thousand deep cannot be written again. */
function showRow(row: unknown): string {
  if (typeof row === 'string') return row
  try {
    return JSON.stringify(row)
  } catch {
    return '…'
  }
}
