import { defineTransitions } from '@/lib/kit'

/**
 * The life of an order. `placed`: paid into the hold, nobody works on it yet. `delivering`: a run at a supplier is under way. `unknown`: the
 * supplier did not say what came of it; nothing is bought again and no money moves until that is known. `active`: handed over, money taken.
 * `failed`: the money went back. `withdrawn`: a person took the proxies back, because the money they were bought with was taken back.
 */
export type OrderState = 'placed' | 'delivering' | 'unknown' | 'active' | 'failed' | 'withdrawn'

export const ORDER_TRANSITIONS = defineTransitions<OrderState>('placed', {
  placed: ['delivering', 'active', 'failed'],
  delivering: ['unknown', 'active', 'failed', 'delivering'],
  unknown: ['delivering', 'active', 'failed'],
  active: ['withdrawn'],
  failed: [],
  withdrawn: [],
})

/** Orders whose end is still open. */
export const OPEN_ORDER_STATES: readonly OrderState[] = ['placed', 'delivering', 'unknown']
