import { db } from '@/lib/db'
import { isId, type Page, pageOf } from '@/lib/kit'
import { OPEN_ORDER_STATES, type OrderState } from './states'

const PAGE = 25

const orderSelect = {
  id: true,
  userId: true,
  planId: true,
  productKind: true,
  countryCode: true,
  periodDays: true,
  quantity: true,
  unitPriceMicros: true,
  discountMicros: true,
  totalMicros: true,
  promotionId: true,
  promotionMicros: true,
  currency: true,
  state: true,
  failure: true,
  placedAt: true,
  deliveredAt: true,
  expiresAt: true,
  policyId: true,
  autoRenew: true,
  renewPeriodDays: true,
  renewUnitMicros: true,
  dueAt: true,
} as const

function readOrders(where: { userId?: string; state?: string }, before: string | undefined, limit: number) {
  return db().order.findMany({
    where: { ...where, ...(before && isId('ord', before) ? { id: { lt: before } } : {}) },
    orderBy: { id: 'desc' },
    take: limit + 1,
    select: orderSelect,
  })
}

export type OrderSummary = Omit<Awaited<ReturnType<typeof readOrders>>[number], 'state'> & { state: OrderState }

/** A page of somebody's orders, newest first; `before` is the id of the last order seen, anything else starts from the top. */
export async function listOrders(input: { userId: string; before?: string }): Promise<Page<OrderSummary>> {
  return pageOf((await readOrders({ userId: input.userId }, input.before, PAGE)) as OrderSummary[], PAGE)
}

/** A page of everybody's orders, or of one customer's, for staff with `orders.read`. `before` as above. */
export async function listAllOrders(input: {
  state?: OrderState
  userId?: string
  before?: string
  limit?: number
}): Promise<Page<OrderSummary>> {
  const { state, userId, before, limit = PAGE } = input
  return pageOf((await readOrders({ state, userId }, before, limit)) as OrderSummary[], limit)
}

export type OrderEventKind =
  | 'placed'
  | 'supplier_called'
  | 'supplier_refused'
  | 'source_changed'
  | 'outcome_unknown'
  | 'looked_up'
  | 'delivered'
  | 'failed'
  | 'cancelled'
  | 'renewal_held'
  | 'renewed'
  | 'renewal_failed'
  | 'renewal_short'
  | 'renewal_dearer'
  | 'renewal_switched'
  | 'in_grace'
  | 'expired'
  | 'replaced'
  | 'access_changed'
  | 'replacement_asked'
  | 'not_replaced'
  | 'credited'
  | 'withdrawn'
export type OrderDetails = OrderSummary & {
  events: { kind: OrderEventKind; data: Record<string, unknown>; at: Date }[]
}

/** One order with its timeline, oldest fact first. With `userId` somebody else's order is simply not found; staff leave it out. */
export async function findOrder(input: { orderId: string; userId?: string }): Promise<OrderDetails | null> {
  const order = await db().order.findFirst({
    where: { id: input.orderId, userId: input.userId },
    select: { ...orderSelect, events: { select: { kind: true, data: true, at: true }, orderBy: { id: 'asc' } } },
  })
  return order as OrderDetails | null
}

/** How many of somebody's orders have not ended yet, however old they are. */
export async function countOpenOrders({ userId }: { userId: string }): Promise<number> {
  return db().order.count({ where: { userId, state: { in: [...OPEN_ORDER_STATES] } } })
}

/** How many orders stand in each state. */
export async function countOrdersByState(): Promise<Record<OrderState, number>> {
  const counts: Record<OrderState, number> = {
    placed: 0,
    delivering: 0,
    unknown: 0,
    active: 0,
    in_grace: 0,
    expired: 0,
    cancelled: 0,
    refunded: 0,
    failed: 0,
    withdrawn: 0,
  }
  const groups = await db().order.groupBy({ by: ['state'], _count: true })
  for (const group of groups) counts[group.state as OrderState] = group._count
  return counts
}

/** What an intent says of the order it waits to become. */
export const INTENT_CHOICE = {
  id: true,
  planId: true,
  countryCode: true,
  periodDays: true,
  quantity: true,
  totalMicros: true,
  promotionId: true,
} as const

/** What somebody chose and has not enough money for yet. */
export async function listWaitingIntents({ userId }: { userId: string }) {
  return db().orderIntent.findMany({
    where: { userId, state: 'waiting', expiresAt: { gt: new Date() } },
    orderBy: { createdAt: 'asc' },
    select: {
      ...INTENT_CHOICE,
      currency: true,
      expiresAt: true,
    },
  })
}

/** One intent of this customer, in whatever state; null when it is not theirs. */
export async function findOrderIntent(input: { userId: string; intentId: string }) {
  return db().orderIntent.findFirst({
    where: { id: input.intentId, userId: input.userId },
    select: {
      ...INTENT_CHOICE,
      currency: true,
      state: true,
      refusal: true,
      orderId: true,
    },
  })
}

const renewalSelect = {
  id: true,
  userId: true,
  key: true,
  periodDays: true,
  quantity: true,
  unitPriceMicros: true,
  totalMicros: true,
  capturedMicros: true,
  currency: true,
  state: true,
  createdAt: true,
  endedAt: true,
} as const

/** The renewals of an order of this customer, newest first. */
export async function listRenewals(input: { orderId: string; userId: string }) {
  const rows = await db().renewal.findMany({
    where: input,
    orderBy: { id: 'desc' },
    take: 100,
    select: renewalSelect,
  })
  return rows.map(({ key, ...row }) => ({ ...row, isAutomatic: key.startsWith('auto:') }))
}

/** One renewal with what its order says of the goods. With `userId` somebody else's is not found. */
export async function findRenewal(input: { renewalId: string; userId?: string }) {
  return db().renewal.findFirst({
    where: { id: input.renewalId, userId: input.userId },
    select: { ...renewalSelect, order: { select: { planId: true, productKind: true, countryCode: true } } },
  })
}
