import { db } from '@/lib/db'
import { accepted, type Refusal, type Result, refused } from '@/lib/kit'
import { isPasswordRight } from './passwords'

/**
 * Checks what was typed at sign-in: an email or a username, and the password. One refusal for everything: an unknown login, a wrong password, a
 * suspended account, and an address that was never confirmed. The last one is part of it because whoever signs up with
 * a stranger's address could otherwise learn by signing in whether it had an account before.
 */
export async function verifyCredentials(
  login: string,
  password: string,
): Promise<Result<{ userId: string }, Refusal<'credentials_refused'>>> {
  const key = login.trim().toLowerCase()
  const user = await db().user.findUnique({
    where: key.includes('@') ? { email: key } : { usernameKey: key },
    select: { id: true, passwordHash: true, emailVerifiedAt: true, suspendedAt: true },
  })
  const isRight = await isPasswordRight(user?.passwordHash ?? null, password)
  if (!user || !isRight || user.suspendedAt || !user.emailVerifiedAt) return refused('credentials_refused')
  return accepted({ userId: user.id })
}
