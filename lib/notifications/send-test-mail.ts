import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { accepted, newId, type Result } from '@/lib/kit'
import { queueEmail } from './queue-email'

/** Promises a mail to whoever asks, the way all mails go: through the outbox, the worker and the transport that is set. */
export async function sendTestMail(
  actor: Actor,
  person: { id: string; email: string; username: string; locale: string },
): Promise<Result<null, never>> {
  return inTransaction<null, never>(async (tx) => {
    const key = `mail_test:${newId('req')}`
    await queueEmail(tx, {
      key,
      userId: person.id,
      to: person.email,
      locale: person.locale,
      template: 'mail_test',
      props: { username: person.username },
    })
    await recordAudit(tx, actor, { action: 'mail.tested', subjectKind: 'user', subjectId: person.id })
    return accepted(null)
  })
}
