import { db, type Prisma } from '@/lib/db'
import { HOUR_MS, isId, type Page, pageOf } from '@/lib/kit'
import type { RefundState } from './refund-payment'
import { OPEN_STATES, type PaymentState, type PaymentStatus, statusOf } from './states'

const PAGE = 20

export type PaymentView = {
  id: string
  provider: string
  state: PaymentState
  requestedMicros: bigint
  receivedMicros: bigint | null
  creditedMicros: bigint | null
  currency: string
  /** What the provider was asked to take; `receivedMicros` is in this currency, too. */
  chargeMicros: bigint
  chargeCurrency: string
  /** The word for it on screens. */
  status: PaymentStatus
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
/** What of a payment went back, or is on its way. */
export type Returns = {
  refunds: {
    id: string
    amountMicros: bigint
    chargeMicros: bigint
    state: RefundState
    createdAt: Date
    endedAt: Date | null
  }[]
  disputes: {
    id: string
    amountMicros: bigint
    debtMicros: bigint
    state: 'open' | 'won' | 'lost'
    openedAt: Date
    endedAt: Date | null
  }[]
  /** The most that could still be refunded, if the customer has it. */
  leftMicros: bigint
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
  chargeMicros: true,
  chargeCurrency: true,
  checkoutUrl: true,
  reviewReason: true,
  orderIntentId: true,
  createdAt: true,
  expiresAt: true,
  creditedAt: true,
} as const
const ADMIN_VIEW = { ...VIEW, userId: true, providerPaymentId: true, nextCheckAt: true, checks: true } as const
const RETURNS = {
  refunds: {
    orderBy: { id: 'asc' },
    select: { id: true, amountMicros: true, chargeMicros: true, state: true, createdAt: true, endedAt: true },
  },
  disputes: {
    orderBy: { id: 'asc' },
    select: { id: true, amountMicros: true, debtMicros: true, state: true, openedAt: true, endedAt: true },
  },
} as const
const EVENTS = { orderBy: { id: 'asc' }, select: { kind: true, data: true, at: true } } as const

function shown<
  Row extends {
    state: string
    checkoutUrl: string | null
    reviewReason: string | null
    requestedMicros: bigint
    creditedMicros: bigint | null
  },
>(row: Row): Row & { state: PaymentState; status: PaymentStatus } {
  const state = row.state as PaymentState
  return {
    ...row,
    state,
    status: statusOf({ ...row, state }),
    checkoutUrl: OPEN_STATES.includes(state) ? row.checkoutUrl : null,
    reviewReason: state === 'needs_review' || state === 'declined' ? row.reviewReason : null,
  }
}

type ReturnRows = {
  [Kind in 'refunds' | 'disputes']: (Omit<Returns[Kind][number], 'state'> & { state: string })[]
}

function returnsOf(row: ReturnRows & { creditedMicros: bigint | null }): Returns {
  const { refunds, disputes } = row as unknown as Pick<Returns, 'refunds' | 'disputes'>
  const gone = [
    ...refunds.filter((refund) => refund.state !== 'failed'),
    ...disputes.filter((dispute) => dispute.state !== 'won'),
  ].reduce((sum, each) => sum + each.amountMicros, 0n)
  return { refunds, disputes, leftMicros: (row.creditedMicros ?? 0n) - gone }
}

/** A reason is staff's own note; a customer's timeline says what was done, not in which words. */
function forCustomer(event: TimelineEvent): TimelineEvent {
  const { reason, ...data } = event.data as Prisma.JsonObject
  // Why money waits for a person is one of few codes, and the customer may know it.
  return { ...event, data: event.kind === 'needs_review' ? { ...data, reason: reason ?? null } : data }
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
}): Promise<(PaymentView & { events: TimelineEvent[] } & Returns) | null> {
  const row = await db().payment.findFirst({
    where: { id: query.paymentId, userId: query.userId },
    select: { ...VIEW, ...RETURNS, events: EVENTS },
  })
  return (
    row && {
      ...shown(row),
      ...returnsOf(row),
      events: row.events.filter((event) => event.kind !== 'return_unbooked').map(forCustomer),
    }
  )
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
): Promise<(AdminPaymentView & { events: TimelineEvent[]; messages: InboxMessage[] } & Returns) | null> {
  const row = await db().payment.findUnique({
    where: { id: paymentId },
    select: { ...ADMIN_VIEW, ...RETURNS, events: EVENTS },
  })
  if (!row) return null
  // What names the vendor's charge and not its page (refunds, disputes) carries our id once it was settled.
  const { provider, providerPaymentId } = row
  const messages = await db().webhookMessage.findMany({
    where: { provider, OR: [...(providerPaymentId ? [{ providerPaymentId }] : []), { paymentId }] },
    orderBy: { receivedAt: 'asc' },
    take: 100,
    select: { id: true, receivedAt: true, repeats: true, processedAt: true, outcome: true },
  })
  return { ...shown(row), ...returnsOf(row), messages }
}

/** A provider answers within minutes; a refund that is older waits for a person, too. */
const SLOW_REFUND_MS = HOUR_MS

export type OpenRefund = {
  id: string
  paymentId: string
  userId: string
  state: 'manual' | 'sending'
  amountMicros: bigint
  currency: string
  createdAt: Date
}

/** Refunds that a person has to send by hand, and those whose provider has not answered for an hour; oldest first. */
export async function listOpenRefunds(now: Date = new Date()): Promise<OpenRefund[]> {
  const since = new Date(now.getTime() - SLOW_REFUND_MS)
  const rows = await db().paymentRefund.findMany({
    where: { OR: [{ state: 'manual' }, { state: 'sending', createdAt: { lt: since } }] },
    orderBy: { createdAt: 'asc' },
    take: 100,
    select: {
      id: true,
      paymentId: true,
      userId: true,
      state: true,
      amountMicros: true,
      createdAt: true,
      payment: { select: { currency: true } },
    },
  })
  return rows.map(({ payment, ...row }) => ({
    ...row,
    state: row.state as OpenRefund['state'],
    currency: payment.currency,
  }))
}

/** How many refunds wait to be sent by hand: the number on the admin's queue. */
export async function countManualRefunds(): Promise<number> {
  return db().paymentRefund.count({ where: { state: 'manual' } })
}

/** How many payments wait for a person: the number on the admin's queue. */
export async function countPaymentsNeedingReview(): Promise<number> {
  return db().payment.count({ where: { state: 'needs_review' } })
}

function olderThan(before: string | undefined): { id?: { lt: string } } {
  return before && isId('pay', before) ? { id: { lt: before } } : {}
}
