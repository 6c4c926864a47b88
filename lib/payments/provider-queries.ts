import { db } from '@/lib/db'
import { env } from '@/lib/env'
import type { AccountFieldView, AccountProblem } from '@/lib/settings'
import { findDefinition, PROVIDER_DEFINITIONS, type ProviderDefinition } from './providers/definitions'
import { PROVIDER_ROW, providerAccounts, type ProviderRow } from './providers/registry'

export type ProviderView = {
  name: string
  isEnabled: boolean
  problem: AccountProblem | null
  minMicros: bigint | null
  maxMicros: bigint | null
  toleranceBasisPoints: number
  chargeCurrency: string | null
  chargeRate: string | null
  testedAt: Date | null
  testResult: string | null
  /** When a callback that holds was last taken. */
  heardAt: Date | null
  /** What to paste at the vendor. */
  callbackUrl: string
  fields: AccountFieldView[]
}

/** Every provider this shop knows, as it is set up, read fresh. */
export async function listProvidersForAdmin(): Promise<ProviderView[]> {
  const rows = await db().paymentProvider.findMany({ select: PROVIDER_ROW })
  return Promise.all(
    PROVIDER_DEFINITIONS.map((definition) =>
      view(definition, rows.find(({ name }) => name === definition.name) ?? null),
    ),
  )
}

/** One provider as it is set up, or null for a name this shop does not know. */
export async function findProviderForAdmin(name: string): Promise<ProviderView | null> {
  const definition = findDefinition(name)
  if (!definition) return null
  return view(definition, await db().paymentProvider.findUnique({ where: { name }, select: PROVIDER_ROW }))
}

async function view(definition: ProviderDefinition, row: ProviderRow | null): Promise<ProviderView> {
  const heard = await db().webhookMessage.findFirst({
    where: { provider: definition.name },
    select: { receivedAt: true },
    orderBy: { receivedAt: 'desc' },
  })
  return {
    name: definition.name,
    isEnabled: row?.isEnabled ?? false,
    problem: providerAccounts.judge(definition, row).problem,
    minMicros: row?.minMicros ?? null,
    maxMicros: row?.maxMicros ?? null,
    toleranceBasisPoints: row?.toleranceBasisPoints ?? 0,
    chargeCurrency: row?.chargeCurrency ?? null,
    chargeRate: row?.chargeRate ?? null,
    testedAt: row?.testedAt ?? null,
    testResult: row?.testResult ?? null,
    heardAt: heard?.receivedAt ?? null,
    callbackUrl: `${env().PUBLIC_URL}/api/webhooks/${definition.name}`,
    fields: providerAccounts.viewFields(definition, row),
  }
}
