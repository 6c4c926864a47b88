import { csvCell } from '@/lib/kit'
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
