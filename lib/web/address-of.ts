import { isIP } from 'node:net'
import { env } from '@/lib/env'

/**
 * The address a request came from, as the outermost of our own balancers saw it; without one, Next writes down what its socket says. What stands further
 * left in the header was written by whoever asked, and is not believed. Null when there is no address at that place.
 */
export function addressOf(headers: Headers, balancers = env().BALANCER_COUNT): string | null {
  const hops = (headers.get('x-forwarded-for') ?? '').split(',').map((hop) => hop.trim().replace(/^::ffff:(?=\d)/i, ''))
  const address = hops.at(-balancers)
  return address !== undefined && isIP(address) ? address : null
}
