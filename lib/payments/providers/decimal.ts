import { MAX_AMOUNT_MICROS, MICROS_PER_UNIT } from '@/lib/kit'
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
