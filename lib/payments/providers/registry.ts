import { db, keepCopy, type Prisma } from '@/lib/db'
import { type AccountProblem, defineAccounts } from '@/lib/settings'
import { PROVIDER_DEFINITIONS, type ProviderDefinition, refuseInProduction } from './definitions'
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

/** What is the same for every account of ours elsewhere: secrets, forms, what production takes. */
export const providerAccounts = defineAccounts('payments', refuseInProduction)

/** A provider as the database has it: the adapter when its settings are whole, else why there is none. */
export type ConfiguredProvider = {
  name: string
  isEnabled: boolean
  provider: Provider | null
  problem: AccountProblem | null
  /** Origins of its payment pages. */
  origins: readonly string[]
}

/** A callback asks nothing of the database here. */
const copy = keepCopy('providers', readProviders)

/** Every provider this shop knows, in the order they are offered, from this process's copy. */
export const configuredProviders = copy.read

/** Makes this process read the providers anew; for the command that changed one. */
export const forgetProviders = copy.forget

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
  const { values, problem } = providerAccounts.judge(definition, row)
  const { name, pageOrigin } = definition
  const isEnabled = row?.isEnabled ?? false
  if (!row || !values) return { name, isEnabled, provider: null, problem, origins: [] }
  return {
    name,
    isEnabled,
    provider: { ...definition.build(values), terms: termsOf(row) },
    problem: null,
    origins: [new URL(values.apiUrl!).origin, ...(pageOrigin ? [pageOrigin] : [])],
  }
}

function termsOf(row: ProviderRow): ProviderTerms {
  return {
    minMicros: row.minMicros,
    maxMicros: row.maxMicros,
    toleranceBasisPoints: row.toleranceBasisPoints,
    charge: row.chargeCurrency && row.chargeRate ? { currency: row.chargeCurrency, rate: row.chargeRate } : null,
  }
}
