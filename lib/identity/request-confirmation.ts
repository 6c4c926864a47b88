import { inTransaction } from '@/lib/db'
import { accepted, type Clock, type Refusal, type Result, refused, systemClock } from '@/lib/kit'
import { queueVerification } from './sign-up'

/**
 * Mails a confirming link to somebody who is signed in and whose mails came back: following it proves that the mailbox is there again. One a minute at most; a
 * second press within it sends nothing more. Refuses `not_found` for an account that is suspended or gone.
 */
export async function requestConfirmation(
  userId: string,
  clock: Clock = systemClock,
): Promise<Result<null, Refusal<'not_found'>>> {
  return inTransaction<null, Refusal<'not_found'>>(async (tx) => {
    const user = await tx.user.findUnique({
      where: { id: userId },
      select: { email: true, username: true, locale: true, suspendedAt: true },
    })
    if (!user || user.suspendedAt) return refused('not_found')
    await queueVerification(tx, { ...user, userId, now: clock() })
    return accepted(null)
  })
}
