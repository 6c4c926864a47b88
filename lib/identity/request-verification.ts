import { inTransaction } from '@/lib/db'
import { accepted, type Clock, systemClock } from '@/lib/kit'
import { queueVerification } from './sign-up'
import { ANSWER_FLOOR_MS, takeAtLeast } from './take-at-least'

/**
 * Mails the confirming link again, when the address has an account that still needs it and none was mailed within the last minute. Says nothing
 * about which of these was so, in words or in time.
 */
export async function requestVerification(email: string, clock: Clock = systemClock): Promise<void> {
  await takeAtLeast(ANSWER_FLOOR_MS, () =>
    inTransaction(async (tx) => {
      const user = await tx.user.findUnique({
        where: { email },
        select: { id: true, email: true, username: true, locale: true, emailVerifiedAt: true, suspendedAt: true },
      })
      if (user && !user.emailVerifiedAt && !user.suspendedAt)
        await queueVerification(tx, { ...user, userId: user.id, now: clock() })
      return accepted(null)
    }),
  )
}
