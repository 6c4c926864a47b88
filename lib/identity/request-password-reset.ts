import { inTransaction } from '@/lib/db'
import { accepted, type Clock, systemClock } from '@/lib/kit'
import { queueEmail } from '@/lib/notifications'
import { shopUrl } from './links'
import { ANSWER_FLOOR_MS, takeAtLeast } from './take-at-least'
import { issueToken } from './tokens'

/**
 * Mails a link to choose a new password, when the address has an account and none was mailed within the last minute. Says nothing about which
 * of these was so, in words or in time.
 */
export async function requestPasswordReset(email: string, clock: Clock = systemClock): Promise<void> {
  await takeAtLeast(ANSWER_FLOOR_MS, () =>
    inTransaction(async (tx) => {
      const user = await tx.user.findUnique({
        where: { email },
        select: { id: true, email: true, username: true, locale: true, suspendedAt: true },
      })
      if (!user || user.suspendedAt) return accepted(null)
      const token = await issueToken(tx, { userId: user.id, purpose: 'reset_password', now: clock() })
      if (!token) return accepted(null)
      await queueEmail(tx, {
        key: `reset_password:${token.id}`,
        userId: user.id,
        to: user.email,
        locale: user.locale,
        template: 'reset_password',
        props: { username: user.username, url: shopUrl('/reset-password', { token: token.secret }) },
      })
      return accepted(null)
    }),
  )
}
