import { isIP } from 'node:net'
import { OperationalError, SECOND_MS } from '@/lib/kit'
import { checkTarget } from './probe-proxy'

const TIMEOUT_MS = 10 * SECOND_MS

/**
 * Asks the target directly. Throws OperationalError when it does not answer as it should: then checks would fail through no fault of the proxies, and
 * nothing may be concluded from them.
 */
export async function assertTargetAnswers(target: URL = checkTarget()): Promise<void> {
  let address: unknown
  try {
    const answer = await fetch(target, {
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
      cache: 'no-store',
    })
    address = ((await answer.json()) as { address?: unknown }).address
  } catch (error) {
    throw new OperationalError('check target', 'cannot be reached directly; no proxy is judged', { cause: error })
  }
  if (typeof address !== 'string' || !isIP(address))
    throw new OperationalError('check target', 'does not say from where it was asked; no proxy is judged')
}
