import { invariant } from '@/lib/kit'
import type { HeldProxies } from './supplier'

/**
 * To many suppliers an empty choice means "everything": one is never sent, whoever asks. Nor is one that names a proxy twice, which some would
 * renew and charge twice.
 */
export function assertChosen({ proxies }: Pick<HeldProxies, 'proxies'>): void {
  invariant(proxies.length > 0, 'a choice of proxies names at least one')
  const names = new Set(proxies.map((proxy) => `${proxy.supplierRef} ${placeOf(proxy)}`))
  invariant(names.size === proxies.length, 'a choice of proxies names each of them once')
}

/** The rows of a list with one for each id: a page that moved while it was read, or a careless supplier, tells of one thing twice. */
export function onePerId<Row extends { id: string }>(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()]
}

/** A place as host and port, the name of a proxy that lasts while a supplier changes its ids. */
export function placeOf({ host, port }: { host: string; port: number }): string {
  return `${host}:${port}`
}

/** A reference of ours, in the letters that every supplier keeps as they are. */
export function assertReference(reference: string): void {
  invariant(/^[\w.-]{1,50}$/.test(reference), 'a reference has 1 to 50 letters, digits, "_", "-" or "."')
}
