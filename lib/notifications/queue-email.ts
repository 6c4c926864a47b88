import { Prisma, type Tx } from '@/lib/db'
import { defineJob, enqueue } from '@/lib/jobs'
import { newId } from '@/lib/kit'
import { z } from 'zod'
import type { EmailProps, EmailTemplate } from './templates'

export const sendEmailJob = defineJob({ name: 'notifications.send_email', payload: z.object({ emailId: z.string() }) })

/**
 * Promises a mail in the caller's transaction. `key` is the fact it tells of (`receipt:pay_…`): the same fact is told once,
 * however often this is called.
 */
export async function queueEmail<T extends EmailTemplate>(
  tx: Tx,
  email: { key: string; userId: string | null; to: string; locale: string; template: T; props: EmailProps[T] },
): Promise<void> {
  const id = newId('eml')
  const added = await tx.outgoingEmail.createMany({
    data: [{ id, ...email, props: email.props as Prisma.InputJsonObject }],
    skipDuplicates: true,
  })
  if (added.count === 1) await enqueue(tx, sendEmailJob, { emailId: id })
}
