import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import { isLocal } from '@/lib/env'
import { invariant, SECOND_MS } from '@/lib/kit'
import { BATCH_MAX, detailOf, type MailMessage, type MailTransport, type SendOutcome } from './transport'

/** A mail server that is there answers within this; one that only greets slowly (some do, against spam) still has time. */
const TIMEOUT_MS = 20 * SECOND_MS

type SmtpError = Error & { code?: string; command?: string; response?: string; responseCode?: number }

/**
 * A mail server. `smtps:` is encrypted from the first byte, `smtp:` by STARTTLS and not at all when the server has none (`?starttls=off` is for a
 * server on this machine). Certificates are checked; `ca` is one more to trust.
 *
 * SMTP knows no idempotency: a connection that is cut after the mail was handed over leaves its outcome unknown. The Message-ID is made from the
 * mail's id, so that a second copy can be told from a second mail.
 */
export function smtpTransport(options: { url: string; ca?: string }): MailTransport {
  const url = new URL(options.url)
  const isEncrypted = !(url.searchParams.get('starttls') === 'off' && isLocal(options.url))
  const isImplicit = url.protocol === 'smtps:'
  const user = decodeURIComponent(url.username)
  const settings: SMTPConnection.Options = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (isImplicit ? 465 : 587),
    secure: isImplicit,
    requireTLS: !isImplicit && isEncrypted,
    ignoreTLS: !isEncrypted,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    logger: false,
    ...(options.ca ? { tls: { ca: options.ca } } : {}),
  }

  async function send(message: MailMessage): Promise<SendOutcome> {
    const raw = await compose(message)
    const { default: Connection } = await import('nodemailer/lib/smtp-connection')
    const envelope = { from: message.from.address, to: [message.to] }
    return new Promise((resolve) => {
      const connection = new Connection(settings)
      let isHandedOver = false
      const end = (outcome: SendOutcome) => {
        connection.close()
        resolve(outcome)
      }
      const fail = (error: SmtpError) => end(outcomeOf(error, isHandedOver))
      // A closed or broken connection is told here, and not to the call that waits.
      connection.on('error', fail)
      connection.connect((error) => {
        if (error) return fail(error)
        const hand = () => {
          // Nobody reads from it before the server has said that it takes the content.
          const content = new Readable({
            read() {
              isHandedOver = true
              this.push(raw)
              this.push(null)
            },
          })
          connection.send(envelope, content, (failure) => {
            if (failure) return fail(failure)
            connection.removeListener('error', fail)
            connection.on('error', () => undefined)
            connection.quit()
            resolve({ kind: 'taken', messageId: messageIdOf(message) })
          })
        }
        if (!user) return hand()
        connection.login({ user, pass: decodeURIComponent(url.password) }, (refusal) =>
          refusal ? fail(refusal) : hand(),
        )
      })
    })
  }

  /** One after the other: SMTP has no batches, and a server that is asked for a hundred connections at once refuses most of them. */
  async function sendBatch(_key: string, messages: readonly MailMessage[]): Promise<SendOutcome[]> {
    invariant(messages.length <= BATCH_MAX, `a batch has at most ${BATCH_MAX} mails`)
    const outcomes: SendOutcome[] = []
    for (const message of messages) outcomes.push(await send(message))
    return outcomes
  }

  return { name: 'smtp', isIdempotent: false, send, sendBatch, release: async () => undefined }
}

function messageIdOf(message: MailMessage): string {
  const digest = createHash('sha256').update(message.id).digest('hex').slice(0, 40)
  return `<${digest}@${message.from.address.split('@')[1] ?? 'localhost'}>`
}

/** Loaded when the first mail goes out: a shop that sends through Resend never needs it, and neither do its pages. */
async function compose(message: MailMessage): Promise<Buffer> {
  const { default: MailComposer } = await import('nodemailer/lib/mail-composer')
  const mail = new MailComposer({
    from: message.from,
    to: { name: '', address: message.to },
    ...(message.replyTo ? { replyTo: message.replyTo } : {}),
    subject: message.subject,
    html: message.html,
    text: message.text,
    headers: message.headers ?? {},
    messageId: messageIdOf(message),
    // Content that names a file or an address is content, never a thing to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return mail.compile().build()
}

/** Enhanced codes (RFC 3463) that say that there is no such mailbox or domain: what Resend calls a permanent bounce. */
const NO_MAILBOX = /\b5\.1\.(1|2|3|6|10)\b|\b5\.2\.1\b/

function outcomeOf(error: SmtpError, isHandedOver: boolean): SendOutcome {
  // What the server says to a login may repeat what it was given.
  const detail = detailOf(error.code === 'EAUTH' ? 'The mail server does not take the login.' : error.message)
  const later = (failure: 'service_away' | 'not_admitted' | 'sender_refused'): SendOutcome => ({
    kind: 'later',
    failure,
    detail,
    retryAfterMs: null,
  })
  const status = error.responseCode ?? 0
  const isAnswer = error.code === 'EENVELOPE' || error.code === 'EMESSAGE'
  if (isHandedOver && !isAnswer) return { kind: 'unknown', detail }
  if (error.code === 'EAUTH') return later(status >= 400 && status < 500 ? 'service_away' : 'not_admitted')
  if (!isAnswer || status < 500) return later('service_away')
  if (error.command === 'MAIL FROM') return later('sender_refused')
  if (error.command === 'RCPT TO' && NO_MAILBOX.test(error.response ?? ''))
    return { kind: 'refused', failure: 'no_such_mailbox', detail }
  return { kind: 'refused', failure: 'refused', detail }
}
