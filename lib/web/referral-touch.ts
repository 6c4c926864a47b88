import { cookies } from 'next/headers'
import { DAY_MS } from '@/lib/kit'
import { isHttps } from './auth-options'

const REFERRAL_COOKIE = 'sluice_ref'

/** The code of the first referral link that this browser came through, if one is remembered. */
export async function rememberedReferral(): Promise<string | null> {
  return (await cookies()).get(REFERRAL_COOKIE)?.value.slice(0, 40) ?? null
}

/** Remembers a code for so many days, unless one is remembered already: the first touch counts. Only in route handlers and actions. */
export async function rememberReferral(code: string, days: number): Promise<void> {
  const jar = await cookies()
  if (jar.has(REFERRAL_COOKIE)) return
  jar.set(REFERRAL_COOKIE, code, {
    path: '/',
    maxAge: (days * DAY_MS) / 1000,
    sameSite: 'lax',
    httpOnly: true,
    secure: isHttps(),
  })
}

/** Forgets it, once an account is open. Only in actions. */
export async function forgetReferral(): Promise<void> {
  ;(await cookies()).delete(REFERRAL_COOKIE)
}
