import { defineTransitions } from '@/lib/kit'

/**
 * created: our row stands, the provider may not know of it yet. awaiting: the customer has a page to pay on. confirming: money is on its
 * way and not sure yet. underpaid: a part came, the rest may follow. needs_review: money came that we may not credit by ourselves.
 * declined: a person decided against it.
 */
export type PaymentState =
  | 'created'
  | 'awaiting'
  | 'confirming'
  | 'underpaid'
  | 'expired'
  | 'cancelled'
  | 'needs_review'
  | 'declined'
  | 'credited'

/**
 * Every move a payment may make. `credited` is left by nothing: what follows a credit is a new transfer in the ledger. Expiry is not an
 * end: money that comes late is still the customer's.
 */
export const PAYMENT_TRANSITIONS = defineTransitions<PaymentState>('created', {
  created: ['awaiting', 'confirming', 'underpaid', 'expired', 'cancelled', 'needs_review', 'credited'],
  awaiting: ['confirming', 'underpaid', 'expired', 'cancelled', 'needs_review', 'credited'],
  confirming: ['awaiting', 'underpaid', 'expired', 'cancelled', 'needs_review', 'credited'],
  underpaid: ['confirming', 'needs_review', 'credited'],
  expired: ['confirming', 'underpaid', 'needs_review', 'credited'],
  cancelled: ['confirming', 'underpaid', 'needs_review', 'credited'],
  needs_review: ['declined', 'credited'],
  declined: ['needs_review'],
  credited: [],
})

/** States in which a customer may still pay on the page; they count against the number of payments one may have open. */
export const OPEN_STATES: readonly PaymentState[] = ['created', 'awaiting', 'confirming', 'underpaid']
