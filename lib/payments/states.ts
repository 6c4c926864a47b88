import { defineTransitions } from '@/lib/kit'

/**
 * created: our row stands, the provider may not know of it yet. awaiting: the customer has a page to pay on. confirming: money is on its
 * way and not sure yet. underpaid: a part came, the rest may follow. needs_review: money came that we may not credit by ourselves.
 * declined: a person decided against it. After the credit: disputed (the payer's bank has taken money back, the vendor decides), charged_back (it stays
 * away), refunded (all of it went back to its source). Two more words are told from the facts of a state and have none of their own, see
 * `statusOf`: overpaid is a credit of more than was asked, late is money that waits for a person because it came after the page had ended.
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
  | 'disputed'
  | 'charged_back'
  | 'refunded'

/**
 * Every move a payment may make. A credit is undone by nothing: what follows it is a new transfer in the ledger, and only money that goes back
 * moves the payment on. Expiry is not an end: money that comes late is still the customer's.
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
  credited: ['disputed', 'charged_back', 'refunded'],
  disputed: ['credited', 'charged_back', 'refunded'],
  charged_back: ['credited', 'disputed', 'refunded'],
  refunded: ['credited', 'disputed', 'charged_back'],
})

/** States that a payment only reaches after its credit. */
export const CREDITED_STATES: readonly PaymentState[] = ['credited', 'disputed', 'charged_back', 'refunded']

/** What people are told a payment is: its state, made more exact by what came. */
export type PaymentStatus = PaymentState | 'overpaid' | 'late'

/** The word for a payment: `overpaid` when more was credited than asked, `late` while money that came after the end waits for a person. */
export function statusOf(payment: {
  state: PaymentState
  requestedMicros: bigint
  creditedMicros: bigint | null
  reviewReason: string | null
}): PaymentStatus {
  const { state, requestedMicros, creditedMicros, reviewReason } = payment
  if (state === 'credited' && creditedMicros !== null && creditedMicros > requestedMicros) return 'overpaid'
  if (state === 'needs_review' && reviewReason === 'paid_late') return 'late'
  return state
}

/** States in which a customer may still pay on the page; they count against the number of payments one may have open. */
export const OPEN_STATES: readonly PaymentState[] = ['created', 'awaiting', 'confirming', 'underpaid']
