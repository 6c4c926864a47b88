import { db } from '@/lib/db'
import { env } from '@/lib/env'
import { OperationalError } from '@/lib/kit'
import {
  findDefinition,
  PROVIDER_DEFINITIONS,
  type ProviderDefinition,
  type ProviderField,
} from './providers/definitions'
import { configure, openValues, PROVIDER_ROW, type ProviderProblem, type ProviderRow } from './providers/registry'
import { inputNameOf } from './save-provider'

/** A field as the form shows it. Of a secret only whether it is stored and how it ends; never more, also not to the owner. */
export type ProviderFieldView = Pick<ProviderField, 'name' | 'kind' | 'isSecret' | 'isRequired'> & {
  inputName: string
  value: string
  isStored: boolean
  hint: string | null
  /** It is stored, and the key in the environment does not open it. */
  isUnreadable: boolean
}
export type ProviderView = {
  name: string
  isEnabled: boolean
  problem: ProviderProblem | null
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
  fields: ProviderFieldView[]
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
  const settings = (row?.settings ?? {}) as Record<string, string>
  const sealed = (row?.sealed ?? {}) as Record<string, string>
  const hints = (row?.hints ?? {}) as Record<string, string>
  return {
    name: definition.name,
    isEnabled: row?.isEnabled ?? false,
    problem: configure(definition, row).problem,
    minMicros: row?.minMicros ?? null,
    maxMicros: row?.maxMicros ?? null,
    toleranceBasisPoints: row?.toleranceBasisPoints ?? 0,
    chargeCurrency: row?.chargeCurrency ?? null,
    chargeRate: row?.chargeRate ?? null,
    testedAt: row?.testedAt ?? null,
    testResult: row?.testResult ?? null,
    heardAt: heard?.receivedAt ?? null,
    callbackUrl: `${env().PUBLIC_URL}/api/webhooks/${definition.name}`,
    fields: definition.fields.map((field) => ({
      name: field.name,
      kind: field.kind,
      isSecret: field.isSecret,
      isRequired: field.isRequired,
      inputName: inputNameOf(field),
      value: field.isSecret ? '' : settings[field.name] || field.initial,
      isStored: field.isSecret && Boolean(sealed[field.name]),
      hint: field.isSecret ? (hints[field.name] ?? null) : null,
      isUnreadable: field.isSecret && Boolean(sealed[field.name]) && !opens(definition, field, row!),
    })),
  }
}

function opens(definition: ProviderDefinition, field: ProviderField, row: ProviderRow): boolean {
  try {
    openValues({ ...definition, fields: [field] }, row)
    return true
  } catch (error) {
    if (error instanceof OperationalError) return false
    throw error
  }
}
