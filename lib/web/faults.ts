import { randomBytes } from 'node:crypto'
import { log } from '@/lib/log'

/** An address as the log may have it: those of feeds, calendars and campaigns carry their secret in the path. */
export function loggedPath(path: string): string {
  return path.split('?')[0]!.replace(/^(\/api\/(?:feeds|calendar|campaign-links|campaign-opens)\/)[^/]+/, '$1…')
}

/**
 * Logs a fault or a bug under a short reference and returns the reference. The person sees only the reference; the log has the rest.
 */
export function reportFault(where: string, error: unknown): string {
  const reference = randomBytes(4).toString('hex').toUpperCase()
  log('web').error({ reference, where, error }, 'an unexpected fault')
  return reference
}
