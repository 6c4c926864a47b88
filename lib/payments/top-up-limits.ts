import type { Provider } from './providers/provider'
import { enabledProviders } from './providers/registry'
import { MAX_TOP_UP_MICROS, MIN_TOP_UP_MICROS } from './schemas'

/** What may be paid at once through a provider, in micros: its own limits within the shop's. */
export function topUpLimits(provider: Provider): { minMicros: bigint; maxMicros: bigint } {
  return {
    minMicros: provider.minMicros > MIN_TOP_UP_MICROS ? provider.minMicros : MIN_TOP_UP_MICROS,
    maxMicros: provider.maxMicros < MAX_TOP_UP_MICROS ? provider.maxMicros : MAX_TOP_UP_MICROS,
  }
}

/** The least that can be paid in at once, by whichever way of paying asks for the least. */
export function leastTopUpMicros(providers: readonly Provider[] = enabledProviders()): bigint {
  const least = providers.map((provider) => topUpLimits(provider).minMicros)
  return least.reduce((lowest, each) => (each < lowest ? each : lowest), least[0] ?? MIN_TOP_UP_MICROS)
}
