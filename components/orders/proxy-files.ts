import { type CopiedProxy, formatProxy, proxyUrl } from './proxy-formats'

export const PROXY_FILES = {
  txt: 'text/plain; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  json: 'application/json; charset=utf-8',
} as const
export type ProxyFile = keyof typeof PROXY_FILES

export type FiledProxy = CopiedProxy & { countryCode: string; protocols: string[]; expiresAt: Date }

/** The proxies of an order as a file: one per line, a table, or JSON. */
export function proxyFile(proxies: FiledProxy[], kind: ProxyFile): string {
  switch (kind) {
    case 'txt':
      return proxies.map((proxy) => `${formatProxy(proxy, 'text', '')}\n`).join('')
    case 'csv':
      return [COLUMNS, ...proxies.map(cellsOf)].map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('')
    case 'json':
      return `${JSON.stringify(
        proxies.map(({ host, port, username, password, countryCode, protocols, expiresAt }) => ({
          host,
          port,
          username,
          password,
          url: proxyUrl({ host, port, username, password }),
          country: countryCode,
          protocols,
          expiresAt: expiresAt.toISOString(),
        })),
        null,
        2,
      )}\n`
  }
}

const COLUMNS = ['host', 'port', 'username', 'password', 'country', 'protocols', 'expires_at']

function cellsOf(proxy: FiledProxy): string[] {
  const { host, port, username, password, countryCode, protocols, expiresAt } = proxy
  return [host, String(port), username, password, countryCode, protocols.join(' '), expiresAt.toISOString()]
}

/**
 * A cell of a CSV file (RFC 4180). A text that a spreadsheet would take for a formula gets an apostrophe before it: what suppliers send must
 * not run on a customer's machine. Who needs such a value to the letter has it in the other two files.
 */
export function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
