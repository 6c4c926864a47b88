import { callProvider, UnreachableError } from './call'
import type { ConnectionTest } from './provider'

const KEY_REFUSED: ConnectionTest = { ok: false, why: 'key_refused' }
const ODD: ConnectionTest = { ok: false, why: 'unexpected_answer' }

/**
 * Makes one call that changes nothing and says what its answer means: 401 and 403 refuse the key, everything else is `judge`'s, who answers
 * null for what this vendor does not say. Never throws: nobody there is `unreachable`; an outage, a page instead of JSON or another
 * shape is `unexpected_answer`.
 */
export async function testConnectionBy(
  provider: string,
  url: URL,
  request: Parameters<typeof callProvider>[2],
  judge: (status: number, body: unknown) => ConnectionTest | null,
): Promise<ConnectionTest> {
  try {
    const { status, body } = await callProvider(provider, url, request)
    return judge(status, body) ?? (status === 401 || status === 403 ? KEY_REFUSED : ODD)
  } catch (error) {
    return { ok: false, why: error instanceof UnreachableError ? 'unreachable' : 'unexpected_answer' }
  }
}

/** Whether a value is an object that has this member. */
export function hasMember(body: unknown, name: string): boolean {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, name)
}
