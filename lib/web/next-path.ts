import { cookies } from 'next/headers'
import { isHttps } from './auth-options'
import { safePath } from './safe-path'

const NEXT_COOKIE = 'sluice_next'
/** As long as the link in the confirming mail holds. */
const DAY_S = 24 * 60 * 60

/**
 * Remembers where somebody wanted to go while they open an account: the way leads through their mailbox, where no address is carried along. Only in
 * actions.
 */
export async function rememberNextPath(path: string): Promise<void> {
  ;(await cookies()).set(NEXT_COOKIE, safePath(path), {
    path: '/',
    maxAge: DAY_S,
    sameSite: 'lax',
    httpOnly: true,
    secure: isHttps(),
  })
}

/** Where somebody wanted to go before they opened their account; null when nothing is remembered. */
export async function rememberedNextPath(): Promise<string | null> {
  const path = (await cookies()).get(NEXT_COOKIE)?.value
  return path ? safePath(path) : null
}

/** Forgets it, once it has been gone to. Only in actions. */
export async function forgetNextPath(): Promise<void> {
  ;(await cookies()).delete(NEXT_COOKIE)
}
