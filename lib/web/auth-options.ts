import type { NextAuthOptions } from 'next-auth'
import CredentialsProvider from 'next-auth/providers/credentials'
import { env } from '@/lib/env'
import {
  findSession,
  openSession,
  revokeSession,
  SESSION_LIFETIME_MS,
  signInSchema,
  verifyCredentials,
} from '@/lib/identity'
import { log } from '@/lib/log'
import { safePath } from './safe-path'

/** Whether customers reach us by https, which decides the names and flags of our cookies. */
export function isHttps(): boolean {
  return env().PUBLIC_URL.startsWith('https://')
}

/** The cookie of a sign-in. The `__Host-` prefix makes browsers refuse it from another host or over plain http. */
export function sessionCookie() {
  return {
    name: isHttps() ? '__Host-sluice-session' : 'sluice-session',
    options: { httpOnly: true, sameSite: 'lax', path: '/', secure: isHttps() } as const,
  }
}

/**
 * How next-auth works here: its token carries the id of a session row and nothing else, and the row decides. Made on demand, so that importing
 * this file needs no settings.
 */
export function authOptions(): NextAuthOptions {
  const authLog = log('auth')
  return {
    secret: env().AUTH_SECRET,
    session: { strategy: 'jwt', maxAge: SESSION_LIFETIME_MS / 1000 },
    useSecureCookies: isHttps(),
    cookies: { sessionToken: sessionCookie() },
    pages: { signIn: '/sign-in', error: '/sign-in', signOut: '/account/settings' },
    providers: [
      CredentialsProvider({
        credentials: { login: { type: 'text' }, password: { type: 'password' } },
        async authorize(typed) {
          const input = signInSchema.safeParse({ login: typed?.login, password: typed?.password })
          if (!input.success) return null
          const who = await verifyCredentials(input.data.login, input.data.password)
          if (!who.ok) return null
          const { sessionId } = await openSession(who.value.userId)
          return { id: sessionId }
        },
      }),
    ],
    callbacks: {
      // `user` is there only at sign-in, and its id is the session's: see authorize.
      jwt: ({ token, user }) => ({ sid: user ? user.id : token.sid }),
      async session({ session, token }) {
        const user = typeof token.sid === 'string' ? await findSession(token.sid) : null
        return user ? { expires: session.expires, user } : { expires: session.expires }
      },
      redirect: ({ url }) => new URL(pathOf(url), env().PUBLIC_URL).toString(),
    },
    events: {
      async signOut({ token }) {
        if (typeof token?.sid === 'string') await revokeSession(token.sid)
      },
    },
    logger: {
      error: (code) => authLog.warn({ code }, 'next-auth refused something'),
      warn: (code) => authLog.debug({ code }, 'next-auth warns'),
      debug: () => undefined,
    },
  }
}

function pathOf(url: string): string {
  const own = env().PUBLIC_URL.replace(/\/$/, '')
  return safePath(url.startsWith(`${own}/`) ? url.slice(own.length) : url)
}
