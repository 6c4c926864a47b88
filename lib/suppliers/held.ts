import { invariant } from '@/lib/kit'
import type { HeldProxies } from './supplier'

/** To many suppliers an empty choice means "everything": one is never sent, whoever asks. */
export function assertChosen({ proxies }: Pick<HeldProxies, 'proxies'>): void {
  invariant(proxies.length > 0, 'a choice of proxies names at least one')
}

/** A place as host and port, the name of a proxy that lasts while a supplier changes its ids. */
export function placeOf({ host, port }: { host: string; port: number }): string {
  return `${host}:${port}`
}
