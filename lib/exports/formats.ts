import { csvCell, isFormula } from '@/lib/kit'
import {
  bracketed,
  type ExportedProxy,
  type FileType,
  holdsAny,
  jsonList,
  percentEncoded,
  protocolOf,
  shellQuoted,
  type Writer,
} from './template'

/**
 * The formats that everybody has. Where one is a tool's own, the page that describes it is named beside it; a tool whose format is not described
 * anywhere is not here.
 */
export const BUILT_IN_FORMATS = [
  'txt',
  'at',
  'url',
  'curl',
  'json',
  'csv',
  'foxyproxy',
  'mihomo',
  'sing_box',
  'proxychains',
] as const
export type BuiltInFormat = (typeof BUILT_IN_FORMATS)[number]

export function isBuiltIn(format: string): format is BuiltInFormat {
  return (BUILT_IN_FORMATS as readonly string[]).includes(format)
}

/** `http://user:pass@host:port`, or `socks5://`, with everything escaped that would end a part of it early; without a login where it is bound to addresses. */
export function exportUrl(proxy: ExportedProxy): string {
  const login = hasLogin(proxy) ? `${percentEncoded(proxy.username)}:${percentEncoded(proxy.password)}@` : ''
  return `${protocolOf(proxy)}://${login}${placeOf(proxy)}`
}

const placeOf = ({ host, port }: ExportedProxy) => `${bracketed(host)}:${port}`

/** A supplier that knows login or addresses, never both, tells an empty login while addresses are bound. */
const hasLogin = ({ username, password }: ExportedProxy) => username !== '' || password !== ''

const lines = (file: FileType, row: Writer['row'], isUnclear: Writer['isUnclear'] = () => false): Writer => ({
  file,
  head: '',
  row: (proxy, index) => `${row(proxy, index)}\n`,
  between: '',
  foot: '',
  isUnclear,
})

const loginHolds = (signs: string) => (proxy: ExportedProxy) =>
  hasLogin(proxy) && holdsAny(signs, [proxy.username, proxy.password])

const CSV_COLUMNS = ['host', 'port', 'username', 'password', 'country', 'protocols', 'expires_at', 'label', 'order']

/** A name that no other proxy of the list has. */
const nameOf = (proxy: ExportedProxy, index: number) =>
  `${proxy.countryCode} ${index + 1} ${bracketed(proxy.host)}:${proxy.port}`

/** The writer of a format. `target` is the address that the curl command asks for. */
export function builtInWriter(format: BuiltInFormat, target: string): Writer {
  switch (format) {
    case 'txt':
      // What AdsPower takes (https://anyip.io/tools/proxy-formatter), and most tools besides.
      return lines(
        'txt',
        (proxy) => `${placeOf(proxy)}${hasLogin(proxy) ? `:${proxy.username}:${proxy.password}` : ''}`,
        loginHolds(':'),
      )
    case 'at':
      return lines(
        'txt',
        (proxy) => `${hasLogin(proxy) ? `${proxy.username}:${proxy.password}@` : ''}${placeOf(proxy)}`,
        loginHolds(':@'),
      )
    case 'url':
      return lines('txt', exportUrl)
    case 'curl':
      return lines('sh', (proxy) => `curl -x ${shellQuoted(exportUrl(proxy))} ${shellQuoted(target)}`)
    case 'json':
      return jsonList((proxy) =>
        JSON.stringify({
          host: proxy.host,
          port: proxy.port,
          username: proxy.username,
          password: proxy.password,
          url: exportUrl(proxy),
          country: proxy.countryCode,
          protocols: proxy.protocols,
          expiresAt: proxy.expiresAt.toISOString(),
          label: proxy.label,
          order: proxy.orderId,
        }),
      )
    case 'csv':
      return {
        file: 'csv',
        head: `${CSV_COLUMNS.join(',')}\r\n`,
        row: (proxy) => `${csvCells(proxy).map(csvCell).join(',')}\r\n`,
        between: '',
        foot: '',
        isUnclear: (proxy) => [proxy.username, proxy.password].some(isFormula),
      }
    case 'foxyproxy':
      // https://github.com/foxyproxy/firefox-extension/wiki/Import-Proxy-List ("protocol://username:password@server:port?title=…&countryCode=…")
      return lines(
        'txt',
        (proxy, index) =>
          `${exportUrl(proxy)}?title=${percentEncoded(proxy.label || nameOf(proxy, index))}&countryCode=${proxy.countryCode}`,
      )
    case 'mihomo':
      // https://wiki.metacubex.one/config/proxies/socks and …/http. A JSON string is a double-quoted string of YAML 1.2, and
      // rows stand in brackets because a list without rows would be no list.
      return {
        file: 'yaml',
        head: 'proxies: [\n',
        row: (proxy, index) =>
          `  {name: ${JSON.stringify(nameOf(proxy, index))}, type: ${protocolOf(proxy)}, server: ${JSON.stringify(proxy.host)}, port: ${proxy.port}, ` +
          `username: ${JSON.stringify(proxy.username)}, password: ${JSON.stringify(proxy.password)}}`,
        between: ',\n',
        foot: '\n  ]\n',
        isUnclear: () => false,
      }
    case 'sing_box':
      // https://sing-box.sagernet.org/configuration/outbound/http/ and …/socks/
      return jsonList(
        (proxy, index) =>
          JSON.stringify({
            type: protocolOf(proxy) === 'http' ? 'http' : 'socks',
            tag: nameOf(proxy, index),
            server: proxy.host,
            server_port: proxy.port,
            ...(protocolOf(proxy) === 'http' ? {} : { version: '5' }),
            username: proxy.username,
            password: proxy.password,
          }),
        { head: '{"outbounds":[', foot: ']}' },
      )
    case 'proxychains':
      // https://github.com/haad/proxychains/blob/devel/src/proxychains.conf: "type host port [user pass]", values separated by tab or blank.
      return {
        ...lines(
          'conf',
          (proxy) =>
            `${protocolOf(proxy)} ${proxy.host} ${proxy.port}${hasLogin(proxy) ? ` ${proxy.username} ${proxy.password}` : ''}`,
          loginHolds(''),
        ),
        head: '[ProxyList]\n',
      }
  }
}

function csvCells(proxy: ExportedProxy): string[] {
  const { host, port, username, password, countryCode, protocols, expiresAt, label, orderId } = proxy
  return [
    host,
    String(port),
    username,
    password,
    countryCode,
    protocols.join(' '),
    expiresAt.toISOString(),
    label,
    orderId,
  ]
}

export const CONTENT_TYPES: Record<FileType, string> = {
  txt: 'text/plain; charset=utf-8',
  sh: 'text/plain; charset=utf-8',
  conf: 'text/plain; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  json: 'application/json; charset=utf-8',
  yaml: 'application/yaml; charset=utf-8',
}

/** Everything at once: for a handful of rows, as a preview has them. */
export function writeAll(writer: Writer, proxies: readonly ExportedProxy[]): string {
  return writer.head + proxies.map(writer.row).join(writer.between) + writer.foot
}
