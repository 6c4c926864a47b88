import { createHash } from 'node:crypto'
import { Resend } from 'resend'
import { z } from 'zod'
import { recordAudit, SYSTEM } from '@/lib/audit'
import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, type IdPrefix, isId, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { HOLDS_SECRET } from './send-email'
import { type MailFailure, type MailState, statesBefore, type SuppressionReason } from './states'
import { suppressAddress } from './suppressions'
import { TAG_NAME } from './transports/resend'

/** What an event of Resend means for a mail. Opened and clicked are not here: nobody is watched without having agreed to it. */
const KINDS = {
  'email.sent': 'sent',
  'email.delivered': 'delivered',
  'email.delivery_delayed': 'delayed',
  'email.bounced': 'bounced',
  'email.complained': 'complained',
  'email.failed': 'failed',
  'email.suppressed': 'suppressed',
} as const satisfies Record<string, MailState>

const eventSchema = z.object({
  type: z.string().max(100),
  created_at: z.string().max(60).optional(),
  data: z.looseObject({}),
})
const mailDataSchema = z.object({
  email_id: z.string().min(1).max(100),
  tags: z
    .union([z.record(z.string(), z.string()), z.array(z.object({ name: z.string(), value: z.string() }))])
    .optional()
    .catch(undefined),
  bounce: z
    .looseObject({ type: z.string().max(60) })
    .optional()
    .catch(undefined),
})

/** What was told of a mail that another module keeps itself, because it has too many for rows of outgoing_emails. */
export type MailTold = { kind: MailEventKind; failure: MailFailure | null; messageId: string; happenedAt: Date }
export type MailEventKind = (typeof KINDS)[keyof typeof KINDS]

/** Finds and moves the mails whose ids begin with `prefix`, in the transaction that keeps the event. */
export type MailEventTaker = {
  prefix: IdPrefix
  find: (tx: Tx, id: string) => Promise<{ to: string } | null>
  move: (tx: Tx, id: string, told: MailTold) => Promise<void>
}

/** `not_ours`: about a mail that we know nothing of. `not_heeded`: of a kind that changes nothing here. Nothing is stored of either. */
export type MailEventReceipt = 'stored' | 'known' | 'not_ours' | 'not_heeded'

/**
 * Takes a webhook of Resend: verified with its signing secret, then one transaction that keeps the event once and moves its mail where the moves allow it, so
 * that neither repeats nor disorder matter. A mailbox that is not there and a complaint list the address, which is read from our own row. Of the body nothing
 * is kept but the kind, the time and a digest. Mails that other modules keep are found and moved by their `takers`.
 *
 * Refuses `not_found` (no secret is set), `bad_signature` (also when it is older than five minutes) and `malformed`; nothing is stored then.
 */
export async function receiveMailEvent(
  headers: Headers,
  body: Buffer,
  takers: readonly MailEventTaker[] = [],
): Promise<Result<MailEventReceipt, Refusal<'not_found' | 'bad_signature' | 'malformed'>>> {
  const secret = env().RESEND_WEBHOOK_SECRET
  if (!secret) return refused('not_found')
  const externalId = headers.get('svix-id') ?? ''
  const verified = verify(secret, headers, body)
  if (!verified.ok) return verified
  const event = eventSchema.safeParse(verified.value)
  // PostgreSQL cannot store a zero byte, and the event would be a fault instead of a refusal.
  if (!event.success || externalId.length > 200 || /[^\x21-\x7e]/.test(externalId)) return refused('malformed')
  const kind = Object.hasOwn(KINDS, event.data.type) ? KINDS[event.data.type as keyof typeof KINDS] : undefined
  if (!kind) return accepted('not_heeded')
  const data = mailDataSchema.safeParse(event.data.data)
  if (!data.success || data.data.email_id.includes('\0')) return refused('malformed')
  const told = {
    kind,
    externalId,
    messageId: data.data.email_id,
    tag: tagOf(data.data.tags),
    tagText: tagTextOf(data.data.tags),
    isHard: /^permanent$/i.test(data.data.bounce?.type ?? ''),
    happenedAt: timeOf(event.data.created_at),
    digest: createHash('sha256').update(body).digest('hex'),
  }
  const taker = takers.find(({ prefix }) => isId(prefix, told.tagText))
  return inTransaction<MailEventReceipt, never>((tx) => (taker ? keepElsewhere(tx, told, taker) : keep(tx, told)))
}

function verify(
  secret: string,
  headers: Headers,
  body: Buffer,
): Result<unknown, Refusal<'bad_signature' | 'malformed'>> {
  const named = (name: string) => headers.get(`svix-${name}`) ?? ''
  try {
    // Verifying needs no key of the account.
    const event: unknown = new Resend('re_none').webhooks.verify({
      payload: body.toString('utf8'),
      headers: { id: named('id'), timestamp: named('timestamp'), signature: named('signature') },
      webhookSecret: secret,
    })
    return accepted(event)
  } catch (error) {
    // The body is parsed after its signature was found right.
    return refused(error instanceof SyntaxError ? 'malformed' : 'bad_signature')
  }
}

type Told = {
  kind: MailEventKind
  externalId: string
  messageId: string
  tag: { emailId: string; round: number } | null
  tagText: string
  isHard: boolean
  happenedAt: Date
  digest: string
}

async function keep(tx: Tx, told: Told): Promise<Result<MailEventReceipt, never>> {
  const email = await tx.outgoingEmail.findFirst({
    where: told.tag ? { id: told.tag.emailId } : { providerMessageId: told.messageId },
    select: { id: true, to: true, template: true, round: true, providerMessageId: true },
  })
  if (!email) return accepted('not_ours')
  if (!(await keepEvent(tx, email.id, told))) return accepted('known')

  // What is told of an earlier round says nothing about the mail that staff sent again since; about the address it does.
  const isOfThisRound = told.tag ? told.tag.round === email.round : email.providerMessageId === told.messageId
  if (isOfThisRound) {
    await tx.outgoingEmail.updateMany({
      where: { id: email.id, state: { in: statesBefore(told.kind).filter((state) => state !== told.kind) } },
      data: {
        state: told.kind,
        stateAt: told.happenedAt,
        failure: failureOf(told),
        failureDetail: null,
        ...(HOLDS_SECRET.has(email.template) ? { props: {} } : {}),
      },
    })
    await tx.outgoingEmail.updateMany({
      where: { id: email.id, providerMessageId: null },
      data: { providerMessageId: told.messageId, sentAt: told.happenedAt },
    })
  }
  await stopFor(tx, told, { id: email.id, to: email.to, subjectKind: 'outgoing_email' })
  return accepted('stored')
}

/** The same for a mail that another module keeps. */
async function keepElsewhere(tx: Tx, told: Told, taker: MailEventTaker): Promise<Result<MailEventReceipt, never>> {
  const mail = await taker.find(tx, told.tagText)
  if (!mail) return accepted('not_ours')
  if (!(await keepEvent(tx, told.tagText, told))) return accepted('known')
  const { kind, messageId, happenedAt } = told
  await taker.move(tx, told.tagText, { kind, messageId, happenedAt, failure: failureOf(told) })
  await stopFor(tx, told, { id: told.tagText, to: mail.to, subjectKind: 'campaign_recipient' })
  return accepted('stored')
}

/** Keeps the event; false when it was kept before. */
async function keepEvent(tx: Tx, emailId: string, told: Told): Promise<boolean> {
  const [stored] = await tx.$queryRaw<{ isNew: boolean }[]>(Prisma.sql`
    INSERT INTO mail_events AS e (id, external_id, email_id, kind, detail, happened_at, digest)
    VALUES (${newId('mev')}, ${told.externalId}, ${emailId}, ${told.kind},
      ${told.kind === 'bounced' ? (told.isHard ? 'hard' : 'soft') : null}, ${told.happenedAt}, ${told.digest})
    ON CONFLICT (external_id) DO UPDATE SET repeats = e.repeats + 1 RETURNING xmax = 0 AS "isNew"`)
  return stored?.isNew ?? false
}

/** Stops the address of a mail that came back or was complained about. */
async function stopFor(tx: Tx, told: Told, mail: { id: string; to: string; subjectKind: string }): Promise<void> {
  const reason = reasonToStop(told)
  if (!reason) return
  await suppressAddress(tx, { address: mail.to, reason, emailId: mail.id, at: told.happenedAt })
  await recordAudit(tx, SYSTEM, {
    action: 'mail.address_stopped',
    subjectKind: mail.subjectKind,
    subjectId: mail.id,
    data: { reason },
  })
}

function failureOf({ kind, isHard }: Told): MailFailure | null {
  if (kind === 'bounced') return isHard ? 'no_such_mailbox' : 'bounced_soft'
  if (kind === 'suppressed') return 'address_stopped'
  if (kind === 'failed') return 'refused'
  return null
}

function reasonToStop({ kind, isHard }: Told): SuppressionReason | null {
  if (kind === 'bounced') return isHard ? 'hard_bounce' : null
  if (kind === 'complained') return 'complaint'
  return kind === 'suppressed' ? 'provider_list' : null
}

/** Our id and round from the tag that we gave the mail: `eml_…`, or `eml_…-1` when it was sent again. */
function tagOf(tags: z.infer<typeof mailDataSchema>['tags']): Told['tag'] {
  const match = /^(eml_[0-9a-f]{32})(?:-(\d{1,6}))?$/.exec(tagTextOf(tags))
  return match && isId('eml', match[1]!) ? { emailId: match[1]!, round: Number(match[2] ?? 0) } : null
}

function tagTextOf(tags: z.infer<typeof mailDataSchema>['tags']): string {
  return (Array.isArray(tags) ? tags.find(({ name }) => name === TAG_NAME)?.value : tags?.[TAG_NAME]) ?? ''
}

/** When it happened, as Resend says; a time that cannot be read, or has not come yet, is now. */
function timeOf(text: string | undefined): Date {
  const now = new Date()
  const said = new Date(text ?? '')
  return Number.isNaN(said.getTime()) || said > now ? now : said
}

/** When the mail service last told us something; null for never. */
export async function lastHeardAt(): Promise<Date | null> {
  const row = await db().mailEvent.findFirst({ orderBy: { receivedAt: 'desc' }, select: { receivedAt: true } })
  return row?.receivedAt ?? null
}
