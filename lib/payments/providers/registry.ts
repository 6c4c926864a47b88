import { db, type Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { OperationalError } from '@/lib/kit'
import { log } from '@/lib/log'
import { openSecret, type SecretPlace } from '@/lib/settings'
import {
  findMissing,
  hasForm,
  PROVIDER_DEFINITIONS,
  type ProviderDefinition,
  type ProviderValues,
  refuseInProduction,
} from './definitions'
import type { Provider, ProviderTerms } from './provider'

export const PROVIDER_ROW = {
  name: true,
  isEnabled: true,
  settings: true,
  sealed: true,
  hints: true,
  minMicros: true,
  maxMicros: true,
  toleranceBasisPoints: true,
  chargeCurrency: true,
  chargeRate: true,
  testedAt: true,
  testResult: true,
} as const satisfies Prisma.PaymentProviderSelect
export type ProviderRow = Prisma.PaymentProviderGetPayload<{ select: typeof PROVIDER_ROW }>

/** Why a provider cannot be used as it is set up. */
export type ProviderProblem = 'not_set_up' | 'unreadable' | 'refused_in_production'

/** A provider as the database has it: the adapter when its settings are whole, else why there is none. */
export type ConfiguredProvider = {
  name: string
  isEnabled: boolean
  provider: Provider | null
  problem: ProviderProblem | null
  /** Origins of its payment pages. */
  origins: readonly string[]
}

/** How old a process's copy may get: so long after a change other processes still go by what was. A callback therefore asks nothing of the database here. */
const MAX_AGE_MS = 2_000
type Copy = { readAt: number; providers: Promise<ConfiguredProvider[]> }
/** One for the process, however many times a bundler brings this file along. */
const holder = globalThis as { sluiceProviders?: Copy | undefined }

/** Every provider this shop knows, in the order they are offered, from this process's copy. */
export function configuredProviders(): Promise<ConfiguredProvider[]> {
  const current = holder.sluiceProviders
  if (current && Date.now() - current.readAt <= MAX_AGE_MS) return current.providers
  const mine: Copy = { readAt: Date.now(), providers: readProviders() }
  holder.sluiceProviders = mine
  mine.providers.catch(() => {
    if (holder.sluiceProviders === mine) holder.sluiceProviders = undefined
  })
  return mine.providers
}

/** Makes this process read the providers anew; for the command that changed one. */
export function forgetProviders(): void {
  holder.sluiceProviders = undefined
}

/** The providers that are offered for new top-ups, in the order they are offered. */
export async function enabledProviders(): Promise<readonly Provider[]> {
  return (await configuredProviders()).flatMap(({ isEnabled, provider }) => (isEnabled && provider ? [provider] : []))
}

/**
 * The providers whose settings are whole, offered or not: callbacks and reconcile go by these, because money that comes is the customer's, also when the
 * way it came is not offered any more.
 */
export async function usableProviders(): Promise<readonly Provider[]> {
  return (await configuredProviders()).flatMap(({ provider }) => (provider ? [provider] : []))
}

/** The usable provider of this name, or null. `providers` takes the place of the shop's own, for tests. */
export async function findProvider(name: string, providers?: readonly Provider[]): Promise<Provider | null> {
  return (providers ?? (await usableProviders())).find((provider) => provider.name === name) ?? null
}

/** The provider of this name when it is offered for new top-ups, or null. */
export async function findEnabledProvider(name: string, providers?: readonly Provider[]): Promise<Provider | null> {
  return (providers ?? (await enabledProviders())).find((provider) => provider.name === name) ?? null
}

/** Where forms of ours may end: the origins of the pages of every provider that is offered. */
export async function paymentOrigins(): Promise<string[]> {
  return (await configuredProviders()).flatMap(({ isEnabled, provider, origins }) =>
    isEnabled && provider ? origins : [],
  )
}

async function readProviders(): Promise<ConfiguredProvider[]> {
  const rows = await db().paymentProvider.findMany({ select: PROVIDER_ROW })
  return PROVIDER_DEFINITIONS.map((definition) =>
    configure(definition, rows.find((row) => row.name === definition.name) ?? null),
  )
}

/** What a row makes of a provider. Never throws: one that cannot be read must not take the others with it. */
export function configure(definition: ProviderDefinition, row: ProviderRow | null): ConfiguredProvider {
  const none = (problem: ProviderProblem): ConfiguredProvider => ({
    name: definition.name,
    isEnabled: row?.isEnabled ?? false,
    provider: null,
    problem,
    origins: [],
  })
  if (!row) return none('not_set_up')
  let values: ProviderValues
  try {
    values = openValues(definition, row)
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    log('payments').error({ error, provider: definition.name }, 'the settings of a provider cannot be read')
    return none('unreadable')
  }
  if (findMissing(definition, values)) return none('not_set_up')
  if (definition.fields.some((field) => values[field.name] && !hasForm(field, values[field.name]!)))
    return none('unreadable')
  if (env().SLUICE_MODE === 'production' && refuseInProduction(definition, values)) return none('refused_in_production')
  const origins = [new URL(values.apiUrl!).origin, ...(definition.pageOrigin ? [definition.pageOrigin] : [])]
  return {
    name: definition.name,
    isEnabled: row.isEnabled,
    provider: { ...definition.build(values), terms: termsOf(row) },
    problem: null,
    origins,
  }
}

/** Where a provider's secret lies, as its seal is bound to it. */
export function placeOf(provider: string, field: string): SecretPlace {
  return { group: 'payments', owner: provider, name: field }
}

/** All values of a row, the secret ones opened, first values where nothing was set. Throws OperationalError for one that cannot be opened. */
export function openValues(definition: ProviderDefinition, row: ProviderRow): ProviderValues {
  const settings = row.settings as Record<string, string>
  const sealed = row.sealed as Record<string, string>
  return Object.fromEntries(
    definition.fields.map((field) => {
      if (!field.isSecret) return [field.name, settings[field.name] || field.initial]
      const value = sealed[field.name]
      return [field.name, value ? openSecret(placeOf(definition.name, field.name), value) : '']
    }),
  )
}

function termsOf(row: ProviderRow): ProviderTerms {
  return {
    minMicros: row.minMicros,
    maxMicros: row.maxMicros,
    toleranceBasisPoints: row.toleranceBasisPoints,
    charge: row.chargeCurrency && row.chargeRate ? { currency: row.chargeCurrency, rate: row.chargeRate } : null,
  }
}
