import { db, Prisma } from '@/lib/db'
import { type Clock, DAY_MS, isId, type Page, pageOf, systemClock } from '@/lib/kit'
import { HOLDS_SECRET } from './send-email'
import { MAIL_STATES, type MailFailure, type MailState, type SuppressionReason } from './states'

const PAGE = 50
const mailSelect = {
  id: true,
  userId: true,
  to: true,
  locale: true,
  template: true,
  subject: true,
  state: true,
  failure: true,
  failureDetail: true,
  transport: true,
  attempts: true,
  createdAt: true,
  stateAt: true,
  nextTryAt: true,
} as const

type MailRow = Awaited<ReturnType<typeof readMails>>[number]
function readMails(where: Prisma.OutgoingEmailWhereInput) {
  return db().outgoingEmail.findMany({ where, orderBy: { id: 'desc' }, take: PAGE + 1, select: mailSelect })
}

export type MailView = Omit<MailRow, 'state' | 'failure'> & {
  state: MailState
  failure: MailFailure | null
  canSendAgain: boolean
}

const viewOf = (row: MailRow): MailView => ({
  ...row,
  state: row.state as MailState,
  failure: row.failure as MailFailure | null,
  canSendAgain: isSendableAgain(row),
})

/** Whether staff can send a mail again: it did not arrive, and what it says is still known. A link that opens an account is asked for anew by its owner. */
export function isSendableAgain({ state, template }: { state: string; template: string }): boolean {
  return ['failed', 'suppressed', 'bounced'].includes(state) && !HOLDS_SECRET.has(template)
}

const before = (id: string | undefined) => (id && isId('eml', id) ? { id: { lt: id } } : {})

/** All mails for staff with `mail.read`, newest first. `search` is a whole address or its beginning; `before` is the id of the last one seen. */
export async function listMails(query: { search?: string; state?: string; before?: string }): Promise<Page<MailView>> {
  const text = query.search?.trim().toLowerCase().slice(0, 254) ?? ''
  const state = MAIL_STATES.find((each) => each === query.state)
  const rows = await readMails({
    AND: [text ? { to: { startsWith: text } } : {}, state ? { state } : {}, before(query.before)],
  })
  return pageOf(rows.map(viewOf), PAGE)
}

export type OwnMail = { id: string; subject: string | null; state: MailState; failure: MailFailure | null; at: Date }

/** What was mailed to a customer, newest first: when, about what, and what became of it. Never what it said: some mails hold links that open the account. */
export async function listOwnMails(query: { userId: string; before?: string }): Promise<Page<OwnMail>> {
  const rows = await readMails({ userId: query.userId, ...before(query.before) })
  return pageOf(
    rows.map((row) => ({
      id: row.id,
      subject: row.subject,
      state: row.state as MailState,
      failure: row.failure as MailFailure | null,
      at: row.createdAt,
    })),
    PAGE,
  )
}

/** The last mails to a customer, for staff. */
export async function listCustomerMails(userId: string, limit: number): Promise<MailView[]> {
  return (await readMails({ userId })).slice(0, limit).map(viewOf)
}

export type StoppedAddress = {
  id: string
  address: string
  reason: SuppressionReason
  emailId: string | null
  suppressedAt: Date
  liftedAt: Date | null
  liftedBy: string | null
  liftReason: string | null
}

/** Addresses that get no mail, and those that staff or their owners have lifted, newest first. `search` is the beginning of an address. */
export async function listStoppedAddresses(query: { search?: string; before?: string }): Promise<Page<StoppedAddress>> {
  const text = query.search?.trim().toLowerCase().slice(0, 254) ?? ''
  const rows = await db().suppressedAddress.findMany({
    where: {
      ...(text ? { address: { startsWith: text } } : {}),
      ...(query.before && isId('sup', query.before) ? { id: { lt: query.before } } : {}),
    },
    orderBy: { id: 'desc' },
    take: PAGE + 1,
  })
  return pageOf(rows as StoppedAddress[], PAGE)
}

/** What stops this address now, oldest first; empty for nearly everyone. */
export async function findStops(address: string): Promise<StoppedAddress[]> {
  const rows = await db().suppressedAddress.findMany({
    where: { address: address.toLowerCase(), liftedAt: null },
    orderBy: { suppressedAt: 'asc' },
  })
  return rows as StoppedAddress[]
}

/** How many addresses are stopped now. */
export async function countStopped(): Promise<number> {
  return db().suppressedAddress.count({ where: { liftedAt: null } })
}

export type MailFigures = {
  lastDay: Record<MailState, number>
  lastWeek: Record<MailState, number>
  lastSentAt: Date | null
  lastFailure: { at: Date; failure: MailFailure; detail: string | null; emailId: string } | null
}

/** How sending goes: what the mails of the last day and week have come to, the last one that was taken, and the last that was not. */
export async function mailFigures(clock: Clock = systemClock): Promise<MailFigures> {
  const now = clock().getTime()
  const dayAgo = new Date(now - DAY_MS)
  const [rows, sent, failed] = await Promise.all([
    db().$queryRaw<{ state: MailState; day: bigint; week: bigint }[]>(Prisma.sql`
      SELECT state, count(*) FILTER (WHERE state_at > ${dayAgo}) AS day, count(*) AS week FROM outgoing_emails
      WHERE state_at > ${new Date(now - 7 * DAY_MS)} GROUP BY state`),
    db().outgoingEmail.findFirst({
      where: { sentAt: { not: null } },
      orderBy: { stateAt: 'desc' },
      select: { sentAt: true },
    }),
    db().outgoingEmail.findFirst({
      where: { failure: { not: null } },
      orderBy: { stateAt: 'desc' },
      select: { id: true, stateAt: true, failure: true, failureDetail: true },
    }),
  ])
  const counts = (span: 'day' | 'week') =>
    Object.fromEntries(
      MAIL_STATES.map((state) => [state, Number(rows.find((row) => row.state === state)?.[span] ?? 0n)]),
    ) as Record<MailState, number>
  return {
    lastDay: counts('day'),
    lastWeek: counts('week'),
    lastSentAt: sent?.sentAt ?? null,
    lastFailure: failed && {
      at: failed.stateAt,
      failure: failed.failure as MailFailure,
      detail: failed.failureDetail,
      emailId: failed.id,
    },
  }
}
