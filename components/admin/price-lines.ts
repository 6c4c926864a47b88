type Form = Record<string, unknown>

/** A field of a form as the list it may be: once, several times, or not at all. */
export const asList = (value: unknown): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value.map(String) : [String(value)]

/** "5" or "7,5" per cent in basis points; null for anything else. At most three digits before the point. */
export function basisPoints(text: string): number | null {
  const match = /^(\d{1,3})(?:[.,](\d{1,2}))?$/.exec(text.trim())
  return match ? Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0')) : null
}

/**
 * The lines of a form's prices, which come as parallel lists (days and price, pieces and per cent). Empty lines are left out; a line that is half filled keeps
 * its place, so that it is refused instead of vanishing.
 */
export function readPriceLines({ periodDays, periodPrice, stepFrom, stepPercent }: Form) {
  const prices = asList(periodPrice)
  const percents = asList(stepPercent)
  return {
    periods: asList(periodDays)
      .map((days, index) => ({ days, unitPriceMicros: prices[index] ?? '' }))
      .filter((line) => line.days.trim() !== '' || line.unitPriceMicros.trim() !== ''),
    steps: asList(stepFrom)
      .map((fromQuantity, index) => ({ fromQuantity, percent: percents[index] ?? '' }))
      .filter((line) => line.fromQuantity.trim() !== '' || line.percent.trim() !== '')
      .map(({ fromQuantity, percent }) => ({ fromQuantity, discountBasisPoints: basisPoints(percent) })),
  }
}
