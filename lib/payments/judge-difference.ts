import { CENT_MICROS, HOUR_MS } from '@/lib/kit'
import type { Truth } from './providers/provider'
import { CREDITED_STATES, type PaymentState } from './states'

export type DifferenceKind = 'theirs_only' | 'ours_only' | 'other_amount'

/** What a provider says of one payment, from its list or asked: only money that it has taken. */
export type TheirSide = Pick<
  Truth,
  'providerPaymentId' | 'checkoutId' | 'paymentId' | 'receivedMicros' | 'refunds' | 'currency' | 'isTest'
>

/** What of our payment the comparison needs. Amounts are in the payer's currency. */
export type OurSide = {
  id: string
  userId: string
  state: PaymentState
  providerPaymentId: string | null
  receivedMicros: bigint | null
  chargeCurrency: string
  creditedAt: Date | null
  expiresAt: Date | null
  nextCheckAt: Date | null
}

export type Difference = {
  kind: DifferenceKind
  providerPaymentId: string
  paymentId: string | null
  userId: string | null
  theirMicros: bigint | null
  ourMicros: bigint | null
  currency: string
  isTest: boolean
}

/** Money that may have come a moment ago is not missing yet. */
export const IN_FLIGHT_MS = HOUR_MS

/**
 * How the two sides of one payment differ, or null when they do not. Pure. A page on which the customer may have paid within the last hour is left
 * to reconcile, which looks at it every few minutes. A payment whose money has gone back is not looked for in a list of what was paid.
 */
export function judgeDifference(theirs: TheirSide | null, ours: OurSide | null, now: Date): Difference | null {
  const isCredited = ours !== null && CREDITED_STATES.includes(ours.state)
  const ourMicros = ours?.receivedMicros ?? 0n
  if (theirs && theirs.receivedMicros > 0n) {
    const difference = {
      providerPaymentId: theirs.providerPaymentId,
      paymentId: ours?.id ?? null,
      userId: ours?.userId ?? null,
      theirMicros: theirs.receivedMicros,
      currency: theirs.currency,
      isTest: theirs.isTest,
    }
    if (!isCredited) return isInFlight(ours, now) ? null : { ...difference, kind: 'theirs_only', ourMicros: null }
    // The same order id under another provider's id: a second page was paid, and the first one's credit is not its.
    if (ours.providerPaymentId !== theirs.providerPaymentId)
      return { ...difference, kind: 'theirs_only', ourMicros: null }
    return isSameMoney(theirs, ours) ? null : { ...difference, kind: 'other_amount', ourMicros }
  }
  if (!isCredited || ours.state !== 'credited' || ourMicros === 0n || ours.providerPaymentId === null) return null
  return {
    kind: 'ours_only',
    providerPaymentId: ours.providerPaymentId,
    paymentId: ours.id,
    userId: ours.userId,
    theirMicros: null,
    ourMicros,
    currency: ours.chargeCurrency,
    isTest: false,
  }
}

/** Vendors tell what came before or after what they gave back. Less than a cent is how their exchange rates round. */
function isSameMoney(theirs: TheirSide, ours: OurSide): boolean {
  if (theirs.currency !== ours.chargeCurrency) return false
  const returned = (theirs.refunds ?? []).filter((each) => each.state !== 'failed')
  const before = returned.reduce((sum, each) => sum + each.amountMicros, theirs.receivedMicros)
  return [theirs.receivedMicros, before].some((told) => {
    const off = told - (ours.receivedMicros ?? 0n)
    return off < CENT_MICROS && off > -CENT_MICROS
  })
}

function isInFlight(ours: OurSide | null, now: Date): boolean {
  if (!ours?.nextCheckAt || ours.state === 'needs_review') return false
  return ours.expiresAt !== null && ours.expiresAt.getTime() > now.getTime() - IN_FLIGHT_MS
}
