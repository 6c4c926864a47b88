import { db } from '@/lib/db'
import { env } from '@/lib/env'
import { OperationalError } from '@/lib/kit'
import { Resend } from 'resend'
import type { EmailProps, EmailTemplate } from './templates'

/** Turns a template and its props into a message. Given by the entry point, so that this module knows no React. */
export type EmailRenderer = <T extends EmailTemplate>(
  template: T,
  props: EmailProps[T],
  locale: string,
) => Promise<{ subject: string; html: string; text: string }>

/** Mails whose props hold a link that opens an account: once sent, our copy of the link goes. */
const HOLDS_SECRET: ReadonlySet<EmailTemplate> = new Set(['verify_email', 'reset_password'])

/**
 * Sends one promised mail through Resend and keeps its message id. The row's id goes along as idempotency key, so that a
 * run that died after sending does not send twice (Resend keeps such keys for a day). Throws OperationalError when Resend does not take it.
 */
export async function sendEmail(emailId: string, render: EmailRenderer): Promise<void> {
  const email = await db().outgoingEmail.findUnique({
    where: { id: emailId },
    select: { id: true, to: true, locale: true, template: true, props: true, state: true },
  })
  if (!email || email.state === 'sent') return
  const template = email.template as EmailTemplate
  const message = await render(template, email.props as EmailProps[typeof template], email.locale)
  const resend = new Resend(env().RESEND_API_KEY, env().RESEND_API_URL ? { baseUrl: env().RESEND_API_URL } : {})
  const { data, error } = await resend.emails.send(
    { from: env().MAIL_FROM, to: email.to, ...message },
    { idempotencyKey: email.id },
  )
  if (error || !data) throw new OperationalError('resend', `${error?.name ?? 'no answer'}`)
  await db().outgoingEmail.update({
    where: { id: emailId },
    data: {
      state: 'sent',
      providerMessageId: data.id,
      sentAt: new Date(),
      ...(HOLDS_SECRET.has(template) ? { props: {} } : {}),
    },
    select: { id: true },
  })
}
