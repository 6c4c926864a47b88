import { recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { accepted, type Clock, type Refusal, type Result, refused, systemClock } from '@/lib/kit'
import { liftConfirmed } from '@/lib/notifications'
import { consumeToken, voidTokens } from './tokens'

/** Confirms the address a link was mailed to; mails that came back from there before do not stop new ones any more. Refuses `link_invalid` when the link is unknown, used or older than a day. */
export async function verifyEmail(
  secret: string,
  clock: Clock = systemClock,
): Promise<Result<{ userId: string }, Refusal<'link_invalid'>>> {
  const now = clock()
  return inTransaction(async (tx) => {
    const userId = await consumeToken(tx, { secret, purpose: 'verify_email', now })
    if (userId === null) return refused('link_invalid')
    await tx.user.updateMany({ where: { id: userId, emailVerifiedAt: null }, data: { emailVerifiedAt: now } })
    const user = await tx.user.findUniqueOrThrow({ where: { id: userId }, select: { email: true } })
    await liftConfirmed(tx, { address: user.email, at: now })
    await voidTokens(tx, { userId, purpose: 'verify_email', now })
    await recordAudit(
      tx,
      { kind: 'user', id: userId },
      { action: 'identity.email_verified', subjectKind: 'user', subjectId: userId },
    )
    return accepted({ userId })
  })
}
