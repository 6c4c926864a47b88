import { db, inTransaction } from '@/lib/db'
import { accepted, type Clock, type Refusal, type Result, refused, systemClock } from '@/lib/kit'
import { hashPassword, isPasswordRight, passwordWeakness } from './passwords'
import { tellPasswordChanged } from './reset-password'
import { revokeSessions } from './sessions'
import { voidTokens } from './tokens'

/**
 * Changes the password of somebody who is signed in and knows the old one. Ends their other sessions, and the
 * links for a new password that are still open; the session they used stays. Refuses
 * `password_wrong` and `password_too_weak` (fact `reason`).
 */
export async function changePassword(
  actor: { userId: string; sessionId: string },
  input: { currentPassword: string; password: string },
  clock: Clock = systemClock,
): Promise<Result<null, Refusal<'password_wrong' | 'password_too_weak'>>> {
  const user = await db().user.findUniqueOrThrow({
    where: { id: actor.userId },
    select: { id: true, email: true, username: true, locale: true, passwordHash: true },
  })
  if (!(await isPasswordRight(user.passwordHash, input.currentPassword))) return refused('password_wrong')
  const weakness = passwordWeakness(input.password, user)
  if (weakness) return refused('password_too_weak', { reason: weakness })
  const passwordHash = await hashPassword(input.password)
  return inTransaction(async (tx) => {
    // Only if it is still the password that was checked: of two changes at once, the later one must know the new password.
    const changed = await tx.user.updateMany({
      where: { id: user.id, passwordHash: user.passwordHash },
      data: { passwordHash },
    })
    if (changed.count === 0) return refused('password_wrong')
    const now = clock()
    await revokeSessions(tx, { userId: user.id, exceptSessionId: actor.sessionId, now })
    await voidTokens(tx, { userId: user.id, purpose: 'reset_password', now })
    await tellPasswordChanged(tx, user)
    return accepted(null)
  })
}
