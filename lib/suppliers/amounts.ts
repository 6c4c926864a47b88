import { z } from 'zod'

/** A number as suppliers write it, in JSON or as text. It becomes text at once: what is counted with is a bigint. */
const decimalText = z
  .union([z.string(), z.number().transform(plainText)])
  .pipe(z.string().regex(/^\d{1,12}(\.\d{1,20})?$/))

/**
 * Money in a supplier's answer, as micros. Sums with a tax or a discount in them can have more than six decimals there; they are rounded to the
 * nearest micro.
 */
export const microsSchema = decimalText.transform((text) => scaled(text, 6))

/** Gigabytes in a supplier's answer, as bytes: 1 GB is 10^9 bytes, so nine decimals are exact and further ones are rounded to the nearest byte. */
export const gigabytesSchema = decimalText.transform((text) => scaled(text, 9))

/** The bytes as gigabytes, for a call that takes a number: exact for every amount below nine million GB. */
export function gigabytesOf(bytes: bigint): number {
  return Number(`${bytes / 1_000_000_000n}.${String(bytes % 1_000_000_000n).padStart(9, '0')}`)
}

/** JavaScript writes what is below a millionth with an exponent: the last thousand bytes of a sub-account, say. */
function plainText(number: number): string {
  return Math.abs(number) < 1e-6 ? number.toFixed(20) : String(number)
}

function scaled(text: string, decimals: number): bigint {
  const [whole = '0', fraction = ''] = text.split('.')
  const kept = BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, '0'))
  return (fraction[decimals] ?? '0') >= '5' ? kept + 1n : kept
}
