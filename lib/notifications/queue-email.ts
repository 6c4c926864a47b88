import { z } from 'zod'
import { Prisma, type Tx } from '@/lib/db'
import { defineJob } from '@/lib/jobs'
import type { EmailProps, EmailTemplate } from './templates'

export const sendEmailJob = defineJob({ name: 'notifications.send_email', payload: z.object({ emailId: z.string() }) })

/**
 * Tells a customer a fact in the caller's transaction: a notice in the app, a mail to this address in this language, and messages through linked channels, each
 * as the customer's switches stand (`TEMPLATE_RULES` says what cannot be switched off). `key` is the fact (`receipt:pay_…`): it is told once through each, however
 * often this is called. The SQL functions that tell use the same function.
 */
export async function queueEmail<T extends EmailTemplate>(
  tx: Tx,
  email: { key: string; userId: string; to: string; locale: string; template: T; props: EmailProps[T] },
): Promise<void> {
  await tellCustomers(tx, [email])
}

/** A fact for a customer. Without `to` and `locale`, the customer's own. `isQuiet`: in the app only. */
export type Fact<T extends EmailTemplate = EmailTemplate> = {
  key: string
  userId: string
  template: T
  props: EmailProps[T]
  to?: string
  locale?: string
  isQuiet?: boolean
}

/** Tells many customers in one statement; see `queueEmail`. */
export async function tellCustomers<T extends EmailTemplate>(tx: Tx, facts: readonly Fact<T>[]): Promise<void> {
  if (facts.length === 0) return
  await tx.$executeRaw(Prisma.sql`SELECT tell_customers(${JSON.stringify(facts)}::jsonb)`)
}
