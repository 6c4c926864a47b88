import { invariant, isWholeCents, MAX_AMOUNT_MICROS, MICROS_PER_UNIT, OperationalError } from '@/lib/kit'
import { z } from 'zod'

/**
 * A provider's amount in micros, exactly, rounded down once below a micro. A JSON number goes through its shortest decimal text, never
 * through arithmetic. Null for anything that is not a plain amount: signs, exponents, NaN, separators, more than a billion units.
 */
export function microsOf(amount: unknown): bigint | null {
  const text = typeof amount === 'number' ? String(amount) : amount
  if (typeof text !== 'string') return null
  const match = /^(\d{1,15})(?:\.(\d{1,30}))?$/.exec(text)
  if (!match) return null
  const micros = BigInt(match[1]!) * MICROS_PER_UNIT + BigInt((match[2] ?? '').slice(0, 6).padEnd(6, '0'))
  return micros > MAX_AMOUNT_MICROS ? null : micros
}

/** An amount of an answer, as `microsOf` reads it. */
export const microsSchema = z.unknown().transform((amount, context) => {
  const micros = microsOf(amount)
  if (micros !== null) return micros
  context.addIssue({ code: 'custom', message: 'not an amount' })
  return z.NEVER
})

/**
 * Currencies whose smallest unit is a hundredth at every provider that counts in smallest units. What is not here is refused and not guessed: the yen
 * has no smaller unit, the dinar has thousandths, and some change from provider to provider.
 */
const TWO_DECIMALS: ReadonlySet<string> = new Set(
  'USD EUR GBP CHF CAD AUD NZD SGD HKD SEK NOK DKK PLN CZK RON TRY AED ILS ZAR BRL MXN INR THB MYR PHP CNY RUB UAH KZT GEL AMD AZN'.split(
    ' ',
  ),
)

/** Whether amounts of this currency can be told to a provider in hundredths, or with two decimals, without guessing. */
export function hasTwoDecimals(currency: string): boolean {
  return TWO_DECIMALS.has(currency)
}

/** A whole number of cents for providers that count so. Throws OperationalError for a currency that has no cents or may have none. */
export function centsOf(provider: string, micros: bigint, currency: string): string {
  if (!hasTwoDecimals(currency)) throw new OperationalError(provider, `is not offered in ${currency}`)
  invariant(isWholeCents(micros), 'an amount to pay is in whole cents')
  return String(micros / 10_000n)
}
