import { roundUp } from '@/lib/catalog'
import { CENT_MICROS } from '@/lib/kit'
import type { PromotionKind } from './schemas'

/** What a code does and to what; who may use it and how often is told by its row under lock. */
export type PromotionTerms = {
  kind: PromotionKind
  percent: number | null
  amountMicros: bigint | null
  gigabytes: number | null
  minimumMicros: bigint | null
  capMicros: bigint | null
  productIds: readonly string[]
  countries: readonly string[]
}

/** A priced choice: the total is after the quantity's own discount. */
export type PricedChoice = {
  productId: string
  productKind: string
  countryCode: string
  quantity: number
  totalMicros: bigint
  totalStepMicros: bigint | null
}

/**
 * What a code takes off the price of a choice; null when it does not hold for it: another product or country, too low a price, goods that are not sold by the
 * gigabyte, a bonus on top-ups. Rounded up as the plan's own discounts are, in the customer's favour; at least a cent is left to pay,
 * because an order moves money. Free gigabytes cost what a gigabyte of this order costs.
 */
export function discountOf(terms: PromotionTerms, choice: PricedChoice): bigint | null {
  const { totalMicros } = choice
  if (terms.kind === 'top_up_bonus') return null
  if (terms.productIds.length > 0 && !terms.productIds.includes(choice.productId)) return null
  if (terms.countries.length > 0 && !terms.countries.includes(choice.countryCode)) return null
  if (terms.minimumMicros !== null && totalMicros < terms.minimumMicros) return null
  if (terms.kind === 'gigabytes' && choice.productKind !== 'residential') return null
  const exact =
    terms.kind === 'percent'
      ? ceilDiv(totalMicros * BigInt(terms.percent ?? 0), 100n)
      : terms.kind === 'amount'
        ? (terms.amountMicros ?? 0n)
        : ceilDiv(totalMicros * BigInt(Math.min(terms.gigabytes ?? 0, choice.quantity)), BigInt(choice.quantity))
  const rounded = terms.kind === 'amount' ? exact : roundUp(exact, choice.totalStepMicros ?? 1n)
  const discountMicros = [terms.capMicros, totalMicros - CENT_MICROS].reduce<bigint>(
    (least, most) => (most !== null && most < least ? most : least),
    rounded,
  )
  return discountMicros > 0n ? discountMicros : null
}

/** What a code will add to a top-up of this amount when all of it comes; null when it does not hold for it. */
export function bonusOf(terms: PromotionTerms, amountMicros: bigint): bigint | null {
  if (terms.kind !== 'top_up_bonus') return null
  if (terms.minimumMicros !== null && amountMicros < terms.minimumMicros) return null
  const whole = terms.percent === null ? (terms.amountMicros ?? 0n) : (amountMicros * BigInt(terms.percent)) / 100n
  const bonusMicros = terms.capMicros !== null && terms.capMicros < whole ? terms.capMicros : whole
  return bonusMicros > 0n ? bonusMicros : null
}

function ceilDiv(amount: bigint, by: bigint): bigint {
  return (amount + by - 1n) / by
}
