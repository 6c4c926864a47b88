import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction, Prisma } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { accepted, type Clock, type Refusal, type Result, refused, systemClock } from '@/lib/kit'
import { isSendableAgain } from './queries'
import { sendEmailJob } from './queue-email'
import { findStop } from './suppressions'

type Refused = Refusal<'not_found' | 'mail_not_sendable' | 'address_stopped'>

/**
 * Sends a mail that did not arrive again, from the start and as a mail of its own to the service. Refuses `not_found`, `mail_not_sendable` (it
 * arrived, is on its way, or held a link that is no longer known) and `address_stopped` (the address has to be lifted first). Twice at once sends one.
 */
export async function sendMailAgain(
  actor: Actor,
  emailId: string,
  clock: Clock = systemClock,
): Promise<Result<{ to: string }, Refused>> {
  const now = clock()
  return inTransaction<{ to: string }, Refused>(async (tx) => {
    const [email] = await tx.$queryRaw<{ id: string; to: string; template: string; state: string }[]>(
      Prisma.sql`SELECT id, "to", template, state FROM outgoing_emails WHERE id = ${emailId} FOR UPDATE`,
    )
    if (!email) return refused('not_found')
    if (!isSendableAgain(email)) return refused('mail_not_sendable')
    if (await findStop(email, now)) return refused('address_stopped')
    await tx.outgoingEmail.update({
      where: { id: emailId },
      data: {
        state: 'queued',
        stateAt: now,
        failure: null,
        failureDetail: null,
        round: { increment: 1 },
        attempts: 0,
        unknownOutcomes: 0,
        firstTriedAt: null,
        nextTryAt: null,
        providerMessageId: null,
      },
      select: { id: true },
    })
    await enqueue(tx, sendEmailJob, { emailId })
    await recordAudit(tx, actor, {
      action: 'mail.sent_again',
      subjectKind: 'outgoing_email',
      subjectId: emailId,
      data: { template: email.template },
    })
    return accepted({ to: email.to })
  })
}
