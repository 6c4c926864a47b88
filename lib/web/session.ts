import { cookies } from 'next/headers'
import { decode, encode } from 'next-auth/jwt'
import { cache } from 'react'
import { env } from '@/lib/env'
import { findSession, openSession, revokeSession, SESSION_LIFETIME_MS, type SessionUser } from '@/lib/identity'
import { sessionCookie } from './auth-options'

/**
 * The session id in a cookie's value; null when it is not a token of ours. A cookie is what a browser sent: one that cannot be read is nobody's, not
 * a fault.
 */
async function readToken(value: string | undefined): Promise<string | null> {
  if (!value) return null
  try {
    const token = await decode({ token: value, secret: env().AUTH_SECRET })
    return typeof token?.sid === 'string' ? token.sid : null
  } catch {
    return null
  }
}

/** Who is signed in on this request, with their session's id; null for nobody. Looked up once per request. */
export const currentSession = cache(async (): Promise<{ sessionId: string; user: SessionUser } | null> => {
  const sessionId = await readToken((await cookies()).get(sessionCookie().name)?.value)
  if (sessionId === null) return null
  const user = await findSession(sessionId)
  return user && { sessionId, user }
})

/** Who is signed in on this request; null for nobody. */
export async function currentUser(): Promise<SessionUser | null> {
  return (await currentSession())?.user ?? null
}

/**
 * Opens a session for a person whose credentials were checked and gives the browser its cookie, the same that next-auth would give. Any session the
 * browser had is ended first: a sign-in always starts a new one.
 */
export async function startSession(userId: string): Promise<SessionUser | null> {
  const jar = await cookies()
  const cookie = sessionCookie()
  const before = await readToken(jar.get(cookie.name)?.value)
  if (before) await revokeSession(before)
  const { sessionId, expiresAt } = await openSession(userId)
  const value = await encode({
    token: { sid: sessionId },
    secret: env().AUTH_SECRET,
    maxAge: SESSION_LIFETIME_MS / 1000,
  })
  jar.set(cookie.name, value, { ...cookie.options, expires: expiresAt })
  return findSession(sessionId)
}

/** Ends the session of this browser, if it has one, and takes its cookie back. */
export async function endSession(): Promise<void> {
  const jar = await cookies()
  const cookie = sessionCookie()
  const sessionId = await readToken(jar.get(cookie.name)?.value)
  if (sessionId) await revokeSession(sessionId)
  jar.set(cookie.name, '', { ...cookie.options, maxAge: 0 })
}
