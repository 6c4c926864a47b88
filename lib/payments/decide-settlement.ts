import { canMove } from '@/lib/kit'
import type { Truth } from './providers/provider'
import { PAYMENT_TRANSITIONS, type PaymentState } from './states'

/** Why money that came was not credited by itself. Screens and mails put these into words. */
export type ReviewReason =
  | 'underpaid'
  | 'paid_late'
  | 'wrong_currency'
  | 'order_mismatch'
  | 'test_payment'
  | 'second_invoice'
  | 'paid_after_decline'

/** What of a payment the decision needs. */
export type SettledPayment = {
  id: string
  state: PaymentState
  requestedMicros: bigint
  receivedMicros: bigint | null
  currency: string
  providerPaymentId: string | null
  reviewReason: string | null
}

export type Settlement =
  | { kind: 'credit'; creditMicros: bigint }
  /** `receivedMicros` is null when what came cannot be counted in our currency, or is not money. */
  | { kind: 'review'; reason: ReviewReason; receivedMicros: bigint | null }
  /** Another invoice of the provider carries this payment's id, and it was paid. */
  | { kind: 'second_invoice' }
  | { kind: 'move'; to: 'awaiting' | 'confirming' | 'underpaid' | 'expired' | 'cancelled'; receivedMicros: bigint }
  | { kind: 'nothing' }

/**
 * What follows for a payment from what its provider says now. Pure; the same truth always leads to the same place, in whatever order the
 * messages came. Credits what was received, when it is at least what was asked; everything doubtful goes to a person.
 */
export function decideSettlement(payment: SettledPayment, truth: Truth, options: { acceptsTest: boolean }): Settlement {
  const hasMoney = truth.receivedMicros > 0n || truth.state === 'paid'
  if (payment.providerPaymentId !== null && payment.providerPaymentId !== truth.providerPaymentId)
    return hasMoney ? { kind: 'second_invoice' } : { kind: 'nothing' }
  // A second invoice stands as a payment of its own and carries the first one's id for ever; only a person moves it.
  if (payment.reviewReason === 'second_invoice') return { kind: 'nothing' }
  if (payment.state === 'credited') return { kind: 'nothing' }

  if (hasMoney) {
    if (truth.paymentId !== payment.id) return review(payment, 'order_mismatch', null)
    if (truth.isTest && !options.acceptsTest) return review(payment, 'test_payment', null)
    if (truth.currency !== payment.currency) return review(payment, 'wrong_currency', null)
    // What came after a "no" waits for a person, however often the provider tells of it.
    if (payment.state === 'needs_review' && payment.reviewReason === 'paid_after_decline')
      return review(payment, 'paid_after_decline', truth.receivedMicros)
    if (payment.state === 'declined')
      return truth.receivedMicros > (payment.receivedMicros ?? 0n)
        ? review(payment, 'paid_after_decline', truth.receivedMicros)
        : { kind: 'nothing' }
  }
  const isEnough = truth.receivedMicros >= payment.requestedMicros
  switch (truth.state) {
    case 'paid':
      return isEnough
        ? { kind: 'credit', creditMicros: truth.receivedMicros }
        : review(payment, 'underpaid', truth.receivedMicros)
    case 'expired':
    case 'cancelled':
      // The time ran out on a part, and nobody will add the rest; or all of it came too late for the provider to call it paid. A person
      // decides about what is there.
      return truth.receivedMicros > 0n
        ? review(payment, isEnough ? 'paid_late' : 'underpaid', truth.receivedMicros)
        : move(payment, truth.state, truth.receivedMicros)
    case 'awaiting':
    case 'confirming':
    case 'underpaid':
      return move(payment, truth.state, truth.receivedMicros)
  }
}

function review(payment: SettledPayment, reason: ReviewReason, receivedMicros: bigint | null): Settlement {
  const isKnown =
    payment.state === 'needs_review' &&
    payment.reviewReason === reason &&
    (payment.receivedMicros ?? null) === receivedMicros
  return isKnown ? { kind: 'nothing' } : { kind: 'review', reason, receivedMicros }
}

function move(
  payment: SettledPayment,
  to: 'awaiting' | 'confirming' | 'underpaid' | 'expired' | 'cancelled',
  receivedMicros: bigint,
): Settlement {
  const hasMoreOfTheSame = payment.state === to && (payment.receivedMicros ?? 0n) !== receivedMicros
  return canMove(PAYMENT_TRANSITIONS, payment.state, to) || hasMoreOfTheSame
    ? { kind: 'move', to, receivedMicros }
    : { kind: 'nothing' }
}
