import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { accepted, type Clock, HOUR_MS, MINUTE_MS, OperationalError, SECOND_MS, systemClock } from '@/lib/kit'
import { log } from '@/lib/log'
import { isMailAddress, oneLine } from './addresses'
import { sendEmailJob } from './queue-email'
import { type MailLook, readSender } from './sender-settings'
import type { MailFailure, MailState } from './states'
import { findStop, suppressAddress } from './suppressions'
import type { EmailProps, EmailTemplate } from './templates'
import { chooseTransport } from './transports/choose-transport'
import { detailOf, type MailTransport, type SendOutcome } from './transports/transport'

/** Turns a template and its props into a message. Given by the entry point, so that this module knows no React. */
export type EmailRenderer = <T extends EmailTemplate>(
  template: T,
  props: EmailProps[T],
  locale: string,
  look: MailLook,
) => Promise<{ subject: string; html: string; text: string }>

/** Mails whose props hold a link that opens an account: once it is decided what became of the mail, our copy of the link goes. */
export const HOLDS_SECRET: ReadonlySet<string> = new Set<EmailTemplate>(['verify_email', 'reset_password'])

/** How long to wait after each attempt: soon at first, because most faults pass in seconds; the last one is used for all later attempts. */
const WAITS_MS = [
  10 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  5 * MINUTE_MS,
  10 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
] as const

/** How long a mail is tried. Resend knows a key again for a day; a later attempt could send a second copy of what an earlier one sent. */
export const TRIED_FOR_MS = 20 * HOUR_MS

/** The longest that a service's wish to be left alone is followed. */
const RETRY_AFTER_MAX_MS = 6 * HOUR_MS

/** A run that began longer ago than this is dead: no transport waits so long. */
const RUN_MS_MAX = 5 * MINUTE_MS

/**
 * How often a mail may be handed over whose arrival nobody knows (a connection cut after the content; SMTP only). Twice: the second copy carries the same
 * Message-ID, and a receipt that comes twice is better than a link that never comes. A third copy would be a habit. See docs/decisions/0023.
 */
const UNKNOWN_MAX = 2

type Claimed = {
  id: string
  to: string
  template: string
  round: number
  attempts: number
  unknownOutcomes: number
  firstTriedAt: Date
  wasCut: boolean
}

/**
 * Makes one attempt at a promised mail, and writes down what came of it: taken, refused for good, to be tried again (with a job for then), or given
 * up. Nothing is thrown for what the mail service does; a mail that is on its way or done is left alone. Of two runs at once one sends.
 */
export async function sendEmail(
  emailId: string,
  render: EmailRenderer,
  options: { clock?: Clock; transport?: MailTransport } = {},
): Promise<void> {
  const clock = options.clock ?? systemClock
  const email = await db().outgoingEmail.findUnique({
    where: { id: emailId },
    select: { locale: true, template: true, props: true, state: true },
  })
  if (!email || !['queued', 'sending'].includes(email.state)) return
  const template = email.template as EmailTemplate
  const transport = options.transport ?? chooseTransport()
  const { from, replyTo, look } = await readSender()
  // Before the mail is claimed: a template that throws must not look like a sending that was cut off.
  const message = await render(template, email.props as EmailProps[typeof template], email.locale, look)
  const subject = oneLine(message.subject)

  const now = clock()
  const mail = await claim(emailId, { now, subject, transport: transport.name })
  if (!mail) return
  if (!isMailAddress(mail.to)) return end(mail, now, { state: 'failed', failure: 'invalid_address', detail: null })
  const stop = await findStop(mail, now)
  if (stop && !stop.isPassed)
    return end(mail, now, {
      state: 'suppressed',
      failure: stop.reason === 'complaint' ? 'complained' : 'address_stopped',
      detail: null,
    })
  if (mail.wasCut && !transport.isIdempotent) mail.unknownOutcomes += 1
  const isTooOld = now.getTime() - mail.firstTriedAt.getTime() > TRIED_FOR_MS
  if (mail.unknownOutcomes >= UNKNOWN_MAX || (isTooOld && mail.wasCut))
    return end(mail, now, { state: 'failed', failure: 'outcome_unknown', detail: null })

  // A new round is another mail to the service, which would otherwise say that it has this one.
  const id = mail.round === 0 ? mail.id : `${mail.id}-${mail.round}`
  const outcome = await hand(transport, stop !== null, { ...message, id, tag: id, from, replyTo, to: mail.to, subject })
  await settle(mail, outcome, { now: clock(), transport })
}

async function hand(
  transport: MailTransport,
  isReleased: boolean,
  message: Parameters<MailTransport['send']>[0],
): Promise<SendOutcome> {
  try {
    if (isReleased) await transport.release(message.to)
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    return { kind: 'later', failure: 'service_away', detail: detailOf(error.message), retryAfterMs: null }
  }
  return transport.send(message)
}

/**
 * Marks the mail as being sent, when it waits, or when the run that was sending it is dead. Of two runs at once one gets it; the other leaves a job for
 * when the first must have ended.
 */
async function claim(
  emailId: string,
  { now, subject, transport }: { now: Date; subject: string; transport: string },
): Promise<Claimed | null> {
  const deadline = new Date(now.getTime() - RUN_MS_MAX)
  const [row] = await db().$queryRaw<Claimed[]>(Prisma.sql`
    WITH before AS (
      SELECT id, state FROM outgoing_emails
      WHERE id = ${emailId} AND (state = 'queued' OR (state = 'sending' AND tried_at <= ${deadline})) FOR UPDATE
    )
    UPDATE outgoing_emails e SET state = 'sending', state_at = ${now}, tried_at = ${now}, first_tried_at = coalesce(first_tried_at, ${now}),
      next_try_at = NULL, attempts = attempts + 1, subject = ${subject}, transport = ${transport}
    FROM before WHERE e.id = before.id
    RETURNING e.id, e."to", e.template, e.round, e.attempts, e.unknown_outcomes AS "unknownOutcomes", e.first_tried_at AS "firstTriedAt",
      before.state = 'sending' AS "wasCut"`)
  if (row) return row
  await db().$transaction(async (tx) => {
    const busy = await tx.outgoingEmail.findFirst({
      where: { id: emailId, state: 'sending' },
      select: { triedAt: true },
    })
    if (!busy) return
    const from = busy.triedAt ?? now
    await enqueue(tx, sendEmailJob, { emailId }, { runAt: new Date(from.getTime() + RUN_MS_MAX) })
  })
  return null
}

async function settle(
  mail: Claimed,
  outcome: SendOutcome,
  { now, transport }: { now: Date; transport: MailTransport },
): Promise<void> {
  if (outcome.kind === 'taken') {
    // The service may have told of the delivery already; then only its id and the time are news.
    await db().$executeRaw(Prisma.sql`
      UPDATE outgoing_emails SET provider_message_id = coalesce(${outcome.messageId}, provider_message_id), sent_at = ${now},
        state_at = CASE WHEN state = 'sending' THEN ${now} ELSE state_at END, state = CASE WHEN state = 'sending' THEN 'sent' ELSE state END,
        failure = CASE WHEN state = 'sending' THEN NULL ELSE failure END, failure_detail = CASE WHEN state = 'sending' THEN NULL ELSE failure_detail END,
        unknown_outcomes = ${mail.unknownOutcomes}, props = CASE WHEN ${HOLDS_SECRET.has(mail.template)} THEN '{}'::jsonb ELSE props END
      WHERE id = ${mail.id}`)
    return
  }
  if (outcome.kind === 'refused') {
    const { failure, detail } = outcome
    const state = failure === 'no_such_mailbox' ? 'bounced' : 'failed'
    await end(mail, now, { state, failure, detail })
    return
  }
  const unknownOutcomes = mail.unknownOutcomes + (outcome.kind === 'unknown' ? 1 : 0)
  const failure = outcome.kind === 'unknown' ? 'outcome_unknown' : outcome.failure
  if (unknownOutcomes >= UNKNOWN_MAX) {
    await end({ ...mail, unknownOutcomes }, now, {
      state: 'failed',
      failure: 'outcome_unknown',
      detail: outcome.detail,
    })
    return
  }
  const next = new Date(now.getTime() + waitMs(mail.attempts, outcome))
  if (next.getTime() - mail.firstTriedAt.getTime() > TRIED_FOR_MS) {
    await end({ ...mail, unknownOutcomes }, now, { state: 'failed', failure: 'gave_up', detail: outcome.detail })
    return
  }
  log('mail').warn({ emailId: mail.id, transport: transport.name, attempt: mail.attempts, failure }, 'a mail waits')
  await inTransaction(async (tx) => {
    const moved = await tx.outgoingEmail.updateMany({
      where: { id: mail.id, state: 'sending' },
      data: {
        state: 'queued',
        stateAt: now,
        nextTryAt: next,
        failure,
        failureDetail: outcome.detail,
        unknownOutcomes,
      },
    })
    if (moved.count === 1) await enqueue(tx, sendEmailJob, { emailId: mail.id }, { runAt: next })
    return accepted(null)
  })
}

/** How long until the next attempt. A service that is asked too fast says for how long; the waiting spread out, or all would come back at once. */
function waitMs(attempts: number, outcome: SendOutcome): number {
  const wait = WAITS_MS[Math.min(attempts, WAITS_MS.length) - 1]!
  if (outcome.kind !== 'later') return wait
  const wished = Math.min(outcome.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS)
  if (outcome.failure !== 'rate_limited') return Math.max(wait, wished)
  const spread = Math.random() * Math.min(2 ** attempts, 300) * SECOND_MS
  return Math.max(wished, outcome.retryAfterMs === null ? MINUTE_MS : SECOND_MS) + spread
}

/** Ends a mail that will not arrive, for a reason that staff see. A mailbox that is not there is listed, so that nothing else is sent to it. */
async function end(
  mail: Claimed,
  now: Date,
  { state, failure, detail }: { state: MailState; failure: MailFailure; detail: string | null },
): Promise<void> {
  log('mail').warn({ emailId: mail.id, state, failure }, 'a mail does not arrive')
  await db().$transaction(async (tx: Tx) => {
    await tx.outgoingEmail.updateMany({
      where: { id: mail.id, state: 'sending' },
      data: {
        state,
        stateAt: now,
        failure,
        failureDetail: detail,
        unknownOutcomes: mail.unknownOutcomes,
        ...(HOLDS_SECRET.has(mail.template) ? { props: {} } : {}),
      },
    })
    if (failure === 'no_such_mailbox')
      await suppressAddress(tx, { address: mail.to, reason: 'hard_bounce', emailId: mail.id, at: now })
  })
}
