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

/**
 * The part of a price that coins paid: the price in the proportion of the coins that came to the coins that were due, exactly, and rounded down
 * once. Zero when either is not told, or nothing was due.
 */
export function inProportion(
  priceMicros: bigint,
  came: string | number | null | undefined,
  due: string | number | null | undefined,
): bigint {
  const [cameUnits, dueUnits] = [coinsOf(came), coinsOf(due)]
  if (cameUnits === null || dueUnits === null || dueUnits === 0n) return 0n
  const micros = (priceMicros * cameUnits) / dueUnits
  return micros > MAX_AMOUNT_MICROS ? MAX_AMOUNT_MICROS : micros
}

/** Coins in units of 10^-30, from text or a number's shortest text, which for small sums has an exponent. Null for anything else. */
function coinsOf(amount: string | number | null | undefined): bigint | null {
  const match = /^(\d{1,20})(?:\.(\d{1,20}))?(?:e-(\d{1,2}))?$/.exec(String(amount ?? ''))
  if (!match) return null
  const decimals = (match[2]?.length ?? 0) + Number(match[3] ?? 0)
  return decimals > 30 ? null : BigInt(match[1]! + (match[2] ?? '')) * 10n ** BigInt(30 - decimals)
}
