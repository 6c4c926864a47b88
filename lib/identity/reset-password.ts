import { recordAudit } from '@/lib/audit'
import { inTransaction, type Tx } from '@/lib/db'
import { accepted, type Clock, newId, type Refusal, type Result, refused, systemClock } from '@/lib/kit'
import { queueEmail } from '@/lib/notifications'
import { shopUrl } from './links'
import { hashPassword, passwordWeakness } from './passwords'
import { revokeSessions } from './sessions'
import { consumeToken, voidTokens } from './tokens'

/**
 * Sets a new password by a mailed link, ends every session and tells the person by mail. The link also proves the address, so it counts as
 * confirmed. Refuses `link_invalid`, and `password_too_weak` (fact `reason`), which leaves the link usable.
 */
export async function resetPassword(
  input: { token: string; password: string },
  clock: Clock = systemClock,
): Promise<Result<null, Refusal<'link_invalid' | 'password_too_weak'>>> {
  const passwordHash = await hashPassword(input.password)
  const now = clock()
  return inTransaction<null, Refusal<'link_invalid' | 'password_too_weak'>>(async (tx) => {
    const userId = await consumeToken(tx, { secret: input.token, purpose: 'reset_password', now })
    if (userId === null) return refused('link_invalid')
    const user = await tx.user.findUniqueOrThrow({
      where: { id: userId },
      select: { id: true, email: true, username: true, locale: true, emailVerifiedAt: true },
    })
    const weakness = passwordWeakness(input.password, user)
    if (weakness) return refused('password_too_weak', { reason: weakness })
    await tx.user.update({
      where: { id: userId },
      data: { passwordHash, emailVerifiedAt: user.emailVerifiedAt ?? now },
      select: { id: true },
    })
    await voidTokens(tx, { userId, purpose: 'reset_password', now })
    await revokeSessions(tx, { userId, now })
    await tellPasswordChanged(tx, user)
    return accepted(null)
  })
}

/** Records that a password was changed and mails its owner, so that a change they did not make is noticed. */
export async function tellPasswordChanged(
  tx: Tx,
  user: { id: string; email: string; username: string; locale: string },
): Promise<void> {
  await recordAudit(
    tx,
    { kind: 'user', id: user.id },
    { action: 'identity.password_changed', subjectKind: 'user', subjectId: user.id },
  )
  // Each change is a fact of its own, and nothing else names it, so it gets an id here.
  await queueEmail(tx, {
    key: `password_changed:${newId('req')}`,
    userId: user.id,
    to: user.email,
    locale: user.locale,
    template: 'password_changed',
    props: { username: user.username, resetUrl: shopUrl('/forgot-password') },
  })
}
