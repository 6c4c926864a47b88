import type { Provider } from './providers/provider'
import { enabledProviders } from './providers/registry'
import { MAX_TOP_UP_MICROS, MIN_TOP_UP_MICROS } from './schemas'

/** What may be paid at once through a provider, in micros of the shop's currency: what the operator set for it, within what the vendor takes and the shop's own limits. */
export function topUpLimits(provider: Pick<Provider, 'minMicros' | 'maxMicros' | 'terms'>): {
  minMicros: bigint
  maxMicros: bigint
} {
  const lows = [MIN_TOP_UP_MICROS, provider.minMicros, provider.terms?.minMicros ?? 0n]
  const highs = [MAX_TOP_UP_MICROS, provider.maxMicros, provider.terms?.maxMicros ?? MAX_TOP_UP_MICROS]
  return {
    minMicros: lows.reduce((highest, each) => (each > highest ? each : highest)),
    maxMicros: highs.reduce((lowest, each) => (each < lowest ? each : lowest)),
  }
}

/** The least that can be paid in at once, by whichever way of paying asks for the least. */
export async function leastTopUpMicros(): Promise<bigint> {
  const least = (await enabledProviders()).map((provider) => topUpLimits(provider).minMicros)
  return least.reduce((lowest, each) => (each < lowest ? each : lowest), least[0] ?? MIN_TOP_UP_MICROS)
}
