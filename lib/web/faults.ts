import { randomBytes } from 'node:crypto'
import { log } from '@/lib/log'

/**
 * Logs a fault or a bug under a short reference and returns the reference. The person sees only the reference; the log has the rest.
 */
export function reportFault(where: string, error: unknown): string {
  const reference = randomBytes(4).toString('hex').toUpperCase()
  log('web').error({ reference, where, error }, 'an unexpected fault')
  return reference
}
