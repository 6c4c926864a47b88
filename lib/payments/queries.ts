import { db, type Prisma } from '@/lib/db'
import { isId, type Page, pageOf } from '@/lib/kit'
import { OPEN_STATES, type PaymentState } from './states'

const PAGE = 20

export type PaymentView = {
  id: string
  provider: string
  state: PaymentState
  requestedMicros: bigint
  receivedMicros: bigint | null
  creditedMicros: bigint | null
  currency: string
  /** Where the customer can still pay; null otherwise. */
  checkoutUrl: string | null
  /** Why a person had to look; null once that is over. */
  reviewReason: string | null
  /** The choice that is bought when this money arrives, if there is one. */
  orderIntentId: string | null
  createdAt: Date
  expiresAt: Date | null
  creditedAt: Date | null
}
/** A fact of the timeline: kinds are `created`, `awaiting`, `provider_unavailable`, the states, `second_invoice`, `review_decided`, `credited`. */
export type TimelineEvent = { kind: string; data: Prisma.JsonValue; at: Date }
export type AdminPaymentView = PaymentView & {
  userId: string
  providerPaymentId: string | null
  nextCheckAt: Date | null
  checks: number
}
export type InboxMessage = {
  id: string
  receivedAt: Date
  repeats: number
  processedAt: Date | null
  outcome: string | null
}

const VIEW = {
  id: true,
  provider: true,
  state: true,
  requestedMicros: true,
  receivedMicros: true,
  creditedMicros: true,
  currency: true,
  checkoutUrl: true,
  reviewReason: true,
  orderIntentId: true,
  createdAt: true,
  expiresAt: true,
  creditedAt: true,
} as const
const ADMIN_VIEW = { ...VIEW, userId: true, providerPaymentId: true, nextCheckAt: true, checks: true } as const
const EVENTS = { orderBy: { id: 'asc' }, select: { kind: true, data: true, at: true } } as const

function shown<Row extends { state: string; checkoutUrl: string | null; reviewReason: string | null }>(
  row: Row,
): Row & { state: PaymentState } {
  const state = row.state as PaymentState
  return {
    ...row,
    state,
    checkoutUrl: OPEN_STATES.includes(state) ? row.checkoutUrl : null,
    reviewReason: state === 'needs_review' || state === 'declined' ? row.reviewReason : null,
  }
}

/** The decision's reason is staff's own note; a customer's timeline says what was decided, not in which words. */
function forCustomer(event: TimelineEvent): TimelineEvent {
  if (event.kind !== 'review_decided') return event
  const { decision } = event.data as { decision: string }
  return { ...event, data: { decision } }
}

/** A page of a customer's payments, newest first. `before` is the last id seen; anything else starts from the top. */
export async function listPayments(query: { userId: string; before?: string }): Promise<Page<PaymentView>> {
  const rows = await db().payment.findMany({
    where: { userId: query.userId, ...olderThan(query.before) },
    orderBy: { id: 'desc' },
    take: PAGE + 1,
    select: VIEW,
  })
  return pageOf(rows.map(shown), PAGE)
}

/** One of the customer's own payments with its timeline; null for anyone else's. */
export async function findPayment(query: {
  userId: string
  paymentId: string
}): Promise<(PaymentView & { events: TimelineEvent[] }) | null> {
  const row = await db().payment.findFirst({
    where: { id: query.paymentId, userId: query.userId },
    select: { ...VIEW, events: EVENTS },
  })
  return row && { ...shown(row), events: row.events.map(forCustomer) }
}

/** A page of all payments, newest first, of one state or of all. For staff with `payments.read`. */
export async function listAllPayments(
  query: { state?: PaymentState; before?: string } = {},
): Promise<Page<AdminPaymentView>> {
  const rows = await db().payment.findMany({
    where: { ...(query.state ? { state: query.state } : {}), ...olderThan(query.before) },
    orderBy: { id: 'desc' },
    take: PAGE + 1,
    select: ADMIN_VIEW,
  })
  return pageOf(rows.map(shown), PAGE)
}

/** One payment for staff: timeline and what the provider sent about it. Null when there is none. */
export async function getPaymentForAdmin(
  paymentId: string,
): Promise<(AdminPaymentView & { events: TimelineEvent[]; messages: InboxMessage[] }) | null> {
  const row = await db().payment.findUnique({ where: { id: paymentId }, select: { ...ADMIN_VIEW, events: EVENTS } })
  if (!row) return null
  // By the provider's id, which is indexed; a message that named only our id carries the provider's as well.
  const messages = row.providerPaymentId
    ? await db().webhookMessage.findMany({
        where: { provider: row.provider, providerPaymentId: row.providerPaymentId },
        orderBy: { receivedAt: 'asc' },
        take: 100,
        select: { id: true, receivedAt: true, repeats: true, processedAt: true, outcome: true },
      })
    : []
  return { ...shown(row), messages }
}

/** How many payments wait for a person: the number on the admin's queue. */
export async function countPaymentsNeedingReview(): Promise<number> {
  return db().payment.count({ where: { state: 'needs_review' } })
}

function olderThan(before: string | undefined): { id?: { lt: string } } {
  return before && isId('pay', before) ? { id: { lt: before } } : {}
}
