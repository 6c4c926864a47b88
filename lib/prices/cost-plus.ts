import { roundUp } from '@/lib/catalog/price'

// Pure: the preview of a rule, the job that applies it and the simulator use the very same functions.

/** What comes on top of the cost of one piece for one period, and the least it may come to. */
export type CostPlusLine = {
  /** Of the cost, in hundredths of a per cent. */
  marginBasisPoints: number
  fixedMicros: bigint
  minimumMicros: bigint
}

/**
 * How a computed price ends: up to the next multiple of the step less `belowMicros`. A step of 0.05 gives 1.25, a step of 1.00 with 0.01 below gives 1.99.
 * Without a step the price stays as it was computed.
 */
export type PriceEnding = { stepMicros: bigint | null; belowMicros: bigint }

/**
 * The price of one piece that costs so much: cost, its margin (rounded up to a whole micro) and the fixed part together, no less than the minimum, up to the
 * ending. Never below the cost, never less for a higher cost. Nothing for a cost of nothing, unless the line makes something of it.
 */
export function costPlusPrice(costMicros: bigint, line: CostPlusLine, ending: PriceEnding): bigint {
  const marginMicros = (costMicros * BigInt(line.marginBasisPoints) + 9_999n) / 10_000n
  const computed = costMicros + marginMicros + line.fixedMicros
  const least = computed > line.minimumMicros ? computed : line.minimumMicros
  if (ending.stepMicros === null) return least
  return roundUp(least + ending.belowMicros, ending.stepMicros) - ending.belowMicros
}

/** A rate as decimal text, exact: nine decimals at most, above zero. Null for anything else. */
export function parseRate(text: string): { billionths: bigint } | null {
  const match = /^(\d{1,9})(?:[.,](\d{1,9}))?$/.exec(text.trim())
  if (!match) return null
  const billionths = BigInt(match[1]!) * 1_000_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'))
  return billionths > 0n ? { billionths } : null
}

/** A cost in the shop's currency, rounded up to a whole micro. The rate says how much of it one unit of the other is; text that is no rate gives null. */
export function convertCost(costMicros: bigint, rate: string): bigint | null {
  const parsed = parseRate(rate)
  return parsed && (costMicros * parsed.billionths + 999_999_999n) / 1_000_000_000n
}
