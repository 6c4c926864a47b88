import { writeAll } from './formats'
import { countProxies, readProxies } from './read-proxies'
import type { ExportFilter } from './schemas'
import type { ExportedProxy, Writer } from './template'

/** Lines in a preview: enough to see the shape, few enough to read. */
export const PREVIEW_LINES = 5
/** Stands for a password until it may be shown; no format has to escape it. */
const HIDDEN = 'hidden-password'
const MASK = '••••••••'

export type ExportPreview = {
  text: string
  count: number
  shown: number
  /** Of the first proxies (at most 500), how many hold a sign that this format has no way to say. */
  unclear: number
}

/** An address of nobody (RFC 5737). */
const SAMPLE: ExportedProxy = {
  host: '192.0.2.10',
  port: 8000,
  username: 'login',
  password: HIDDEN,
  protocols: ['http'],
  countryCode: 'NL',
  expiresAt: new Date('2030-01-02T03:04:05Z'),
  label: '',
  orderId: 'ord_example',
}

/** What one proxy looks like in a format, for somebody who holds none. */
export function sampleOf(writer: Writer): string {
  return writeAll(writer, [SAMPLE]).replaceAll(HIDDEN, MASK)
}

/** The beginning of what an export would be, with the passwords masked unless they are asked for. */
export async function previewExport(input: {
  userId: string
  filter: ExportFilter
  writer: Writer
  showsPasswords: boolean
}): Promise<ExportPreview> {
  const { userId, filter, writer, showsPasswords } = input
  const [count, { value }] = await Promise.all([
    countProxies({ userId, filter }),
    readProxies({ userId, filter, scope: 'live' }).next(),
  ])
  const proxies: ExportedProxy[] = value ?? []
  const first = proxies.slice(0, PREVIEW_LINES)
  const masked = first.map((proxy) => ({ ...proxy, password: HIDDEN }))
  const text = showsPasswords ? writeAll(writer, first) : writeAll(writer, masked).replaceAll(HIDDEN, MASK)
  return { text, count, shown: first.length, unclear: proxies.filter(writer.isUnclear).length }
}
