const CENT_MICROS = 10_000n
const WHOLE_BASIS_POINTS = 10_000n

/**
 * The tax contained in a total, in whole cents rounded half up, and what remains without it. All are micros; net + tax is the total to the last
 * micro, and neither is ever negative. A part of a cent in the total stays in the net amount.
 */
export function splitTax(totalMicros: bigint, rateBasisPoints: number): { netMicros: bigint; taxMicros: bigint } {
  const rate = BigInt(rateBasisPoints)
  const divisor = (WHOLE_BASIS_POINTS + rate) * CENT_MICROS
  const rounded = ((2n * totalMicros * rate + divisor) / (2n * divisor)) * CENT_MICROS
  // Of less than a cent, a rounded-up tax would be more than there is.
  const taxMicros = rounded > totalMicros ? 0n : rounded
  return { netMicros: totalMicros - taxMicros, taxMicros }
}
