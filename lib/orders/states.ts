import { defineTransitions } from '@/lib/kit'

/**
 * The life of an order. Before its goods: `placed` (paid into the hold, nobody works on it yet), `delivering` (a run at a supplier is under way), `unknown`
 * (the supplier did not say what came of it; nothing is bought again and no money moves until that is known). Without goods: `failed` and `cancelled`
 * (the money went back). With goods it is told from its proxies (SQL function refresh_order): `active` (at least one runs), `in_grace` (their time is over,
 * the order renews itself and is tried again until the grace ends), `expired`, `refunded` (given back by rule), `withdrawn` (a person took them back,
 * because the money they were bought with was taken back).
 */
export type OrderState =
  | 'placed'
  | 'delivering'
  | 'unknown'
  | 'active'
  | 'in_grace'
  | 'expired'
  | 'cancelled'
  | 'refunded'
  | 'failed'
  | 'withdrawn'

export const ORDER_TRANSITIONS = defineTransitions<OrderState>('placed', {
  placed: ['delivering', 'active', 'failed', 'cancelled'],
  delivering: ['unknown', 'active', 'failed', 'cancelled', 'delivering'],
  unknown: ['delivering', 'active', 'failed'],
  active: ['in_grace', 'expired', 'refunded', 'withdrawn'],
  // a supplier may report a renewal that was sent in time after the grace is over
  in_grace: ['active', 'expired', 'refunded', 'withdrawn'],
  expired: ['active'],
  cancelled: [],
  refunded: [],
  failed: [],
  withdrawn: [],
})

/** Orders whose end is still open. */
export const OPEN_ORDER_STATES: readonly OrderState[] = ['placed', 'delivering', 'unknown']

/** Orders whose proxies somebody holds now. */
export const LIVE_ORDER_STATES: readonly OrderState[] = ['active', 'in_grace']

/**
 * The life of one proxy in a customer's hands (an allocation). `active` until its time is over to the second; the others as of orders. `replaced`: another
 * one took its place, and the record says which.
 */
export type AllocationState = 'active' | 'in_grace' | 'expired' | 'replaced' | 'withdrawn' | 'refunded'

export const ALLOCATION_TRANSITIONS = defineTransitions<AllocationState>('active', {
  active: ['in_grace', 'expired', 'replaced', 'withdrawn', 'refunded'],
  in_grace: ['active', 'expired', 'withdrawn', 'refunded'],
  expired: ['active'],
  replaced: [],
  withdrawn: [],
  refunded: [],
})
