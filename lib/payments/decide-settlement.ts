import { canMove, CENT_MICROS } from '@/lib/kit'
import type { Truth } from './providers/provider'
import { CREDITED_STATES, PAYMENT_TRANSITIONS, type PaymentState } from './states'

/** Why money that came was not credited by itself. Screens and mails put these into words. */
export type ReviewReason =
  | 'underpaid'
  | 'paid_late'
  | 'wrong_currency'
  | 'order_mismatch'
  | 'test_payment'
  | 'second_invoice'
  | 'paid_after_decline'
  | 'redeposit'
  | 'not_confirmed'

/** What of a payment the decision needs. */
export type SettledPayment = {
  id: string
  state: PaymentState
  requestedMicros: bigint
  currency: string
  /** What the vendor was asked to take, in its currency; `receivedMicros` is in that currency, too. */
  chargeMicros: bigint
  chargeCurrency: string
  receivedMicros: bigint | null
  providerPaymentId: string | null
  reviewReason: string | null
}

export type Settlement =
  | { kind: 'credit'; creditMicros: bigint }
  /** Something more came to a payment that is past its credit: the new sum in all, and what of it is new. */
  | { kind: 'redeposit'; receivedMicros: bigint; extraMicros: bigint; isCredited: boolean }
  /** `receivedMicros` is null when what came cannot be counted in our currency, or is not money. */
  | { kind: 'review'; reason: ReviewReason; receivedMicros: bigint | null }
  /** Another invoice of the provider carries this payment's id, and it was paid. */
  | { kind: 'second_invoice' }
  | { kind: 'move'; to: 'awaiting' | 'confirming' | 'underpaid' | 'expired' | 'cancelled'; receivedMicros: bigint }
  | { kind: 'nothing' }

/** What the shop decided beforehand; see `paymentRules` and `ProviderTerms`. */
export type SettlementRules = {
  acceptsTest: boolean
  underpaid: 'credit' | 'wait'
  late: 'credit' | 'wait'
  redeposit: 'credit' | 'wait'
  toleranceBasisPoints: number
}

/** What a received amount is worth on the balance: the share of what was asked for that came of the charge, rounded down to a whole micro. */
export function creditFor(
  payment: Pick<SettledPayment, 'requestedMicros' | 'chargeMicros'>,
  receivedMicros: bigint,
): bigint {
  return (payment.requestedMicros * receivedMicros) / payment.chargeMicros
}

/**
 * What follows for a payment from what its provider says now. Pure; the same truth always leads to the same place, in whatever order the
 * messages came. Credits what was received, when it is enough or the shop's rule says so; everything doubtful goes to a person.
 */
export function decideSettlement(payment: SettledPayment, truth: Truth, rules: SettlementRules): Settlement {
  const hasMoney = truth.receivedMicros > 0n || truth.state === 'paid'
  if (payment.providerPaymentId !== null && payment.providerPaymentId !== truth.providerPaymentId)
    return hasMoney ? { kind: 'second_invoice' } : { kind: 'nothing' }
  // A second invoice stands as a payment of its own and carries the first one's id for ever; only a person moves it.
  if (payment.reviewReason === 'second_invoice') return { kind: 'nothing' }
  if (CREDITED_STATES.includes(payment.state)) return decideRedeposit(payment, truth, rules)

  if (hasMoney) {
    if (truth.paymentId !== payment.id) return review(payment, 'order_mismatch', null)
    if (truth.isTest && !rules.acceptsTest) return review(payment, 'test_payment', null)
    if (truth.currency !== payment.chargeCurrency) return review(payment, 'wrong_currency', null)
    // What came after a "no" waits for a person, however often the provider tells of it.
    if (payment.state === 'needs_review' && payment.reviewReason === 'paid_after_decline')
      return review(payment, 'paid_after_decline', truth.receivedMicros)
    if (payment.state === 'declined')
      return truth.receivedMicros > (payment.receivedMicros ?? 0n)
        ? review(payment, 'paid_after_decline', truth.receivedMicros)
        : { kind: 'nothing' }
  }
  switch (truth.state) {
    case 'paid':
      return decideFinal(payment, truth, rules, isLate(payment))
    case 'expired':
    case 'cancelled':
      // The time ran out on a part, and nobody will add the rest; or all of it came too late for the provider to call it paid.
      return truth.receivedMicros > 0n
        ? decideFinal(payment, truth, rules, true)
        : move(payment, truth.state, truth.receivedMicros)
    case 'rejected':
      return truth.receivedMicros > 0n
        ? review(payment, 'not_confirmed', truth.receivedMicros)
        : move(payment, 'cancelled', 0n)
    case 'awaiting':
    case 'confirming':
    case 'underpaid':
      return move(payment, truth.state, truth.receivedMicros)
  }
}

/** Whether our own page of it had ended before anything came. */
function isLate(payment: SettledPayment): boolean {
  const waits = payment.state === 'needs_review' && payment.reviewReason === 'paid_late'
  return waits || payment.state === 'expired' || payment.state === 'cancelled'
}

/** The provider expects no more: what is there is all there will be. */
function decideFinal(payment: SettledPayment, truth: Truth, rules: SettlementRules, late: boolean): Settlement {
  const { receivedMicros } = truth
  const isEnough = receivedMicros * 10_000n >= payment.chargeMicros * BigInt(10_000 - rules.toleranceBasisPoints)
  if (!isEnough && rules.underpaid === 'wait') return review(payment, 'underpaid', receivedMicros)
  if (isEnough && late && rules.late === 'wait') return review(payment, 'paid_late', receivedMicros)
  const creditMicros = creditFor(payment, receivedMicros)
  // Nothing at all, or less than the smallest unit of the balance.
  return creditMicros > 0n ? { kind: 'credit', creditMicros } : review(payment, 'underpaid', receivedMicros)
}

/** Less than a cent more is how a vendor's exchange rates round, not a payment. */
function decideRedeposit(payment: SettledPayment, truth: Truth, rules: SettlementRules): Settlement {
  const before = payment.receivedMicros
  if (before === null || truth.currency !== payment.chargeCurrency || truth.paymentId !== payment.id)
    return { kind: 'nothing' }
  const extraMicros = truth.receivedMicros - before
  if (extraMicros < CENT_MICROS || (truth.isTest && !rules.acceptsTest)) return { kind: 'nothing' }
  // Money that is only seen may still vanish; the provider speaks again when it is sure.
  if (truth.state === 'awaiting' || truth.state === 'confirming' || truth.state === 'rejected')
    return { kind: 'nothing' }
  return {
    kind: 'redeposit',
    receivedMicros: truth.receivedMicros,
    extraMicros,
    isCredited: rules.redeposit === 'credit' && creditFor(payment, extraMicros) > 0n,
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
