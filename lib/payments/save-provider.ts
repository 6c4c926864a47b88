import { isDeepStrictEqual } from 'node:util'
import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, invariant, OperationalError, type Refusal, refused, type Result } from '@/lib/kit'
import { openSecret, sealSecret } from '@/lib/settings'
import {
  findDefinition,
  findMissing,
  hasForm,
  type ProviderDefinition,
  type ProviderField,
  type ProviderValues,
  refuseInProduction,
} from './providers/definitions'
import { forgetProviders, placeOf, PROVIDER_ROW, type ProviderRow } from './providers/registry'
import { topUpLimits } from './top-up-limits'

/** A provider's form: values by field name, as `providers/definitions.ts` lists them. An empty secret keeps the one that is stored. */
export type SaveProviderInput = {
  provider: string
  isEnabled: boolean
  values: Record<string, string>
  minMicros: bigint | null
  maxMicros: bigint | null
  toleranceBasisPoints: number
  chargeCurrency: string | null
  /** Decimal text: units of that currency for one of the shop's. */
  chargeRate: string | null
}
export type SaveProviderRefusal = Refusal<
  | 'unknown_provider'
  | 'secret_missing'
  | 'setting_missing'
  | 'setting_malformed'
  | 'secret_unreadable'
  | 'secret_needed_again'
  | 'stand_in_in_production'
  | 'test_key_in_production'
  | 'limits_crossed'
  | 'charge_incomplete'
  | 'charge_is_shop_currency'
>

/**
 * Sets up a way to pay, and switches it on or off. Fields that are not named keep their value; so does a secret that is left empty. Switching on asks for
 * whole settings that production takes; switched off, half of them may be kept. Another server's address asks for the secrets again. Each refusal names its `field`. The audit holds the names of what
 * changed. Throws OperationalError when there is no key to seal a secret with.
 */
export async function saveProvider(
  actor: Actor,
  input: SaveProviderInput,
): Promise<Result<{ isEnabled: boolean }, SaveProviderRefusal>> {
  const definition = findDefinition(input.provider)
  if (!definition) return refused('unknown_provider')
  const odd = findOdd(definition, input)
  if (odd) return odd
  const result = await inTransaction<{ isEnabled: boolean }, SaveProviderRefusal>(async (tx) => {
    const row = await lockProvider(tx, definition.name)
    const next = mergeValues(definition, row, input)
    const [kept] = next.kept
    // Otherwise whoever may change the address could have the stored secrets sent to a server of their own, and so read them after all.
    if (kept && originOf(definition, row) !== originOf(definition, { settings: next.settings }))
      return refused('secret_needed_again', { field: inputNameOf(kept) })
    if (input.isEnabled) {
      const why = findReasonAgainst(definition, next, input)
      if (why) return why
    }
    const changed = namesOfChanges(definition, row, next, input)
    const isChanged = changed.some((name) => definition.fields.some((field) => field.name === name))
    await tx.paymentProvider.update({
      where: { name: definition.name },
      data: {
        isEnabled: input.isEnabled,
        settings: next.settings,
        sealed: next.sealed,
        hints: next.hints,
        minMicros: input.minMicros,
        maxMicros: input.maxMicros,
        toleranceBasisPoints: input.toleranceBasisPoints,
        chargeCurrency: input.chargeCurrency,
        chargeRate: input.chargeRate,
        // What was tested is not what is there now.
        ...(isChanged && { testedAt: null, testResult: null }),
        updatedAt: new Date(),
      },
      select: { name: true },
    })
    if (changed.length > 0)
      await recordAudit(tx, actor, {
        action: 'payments.provider_saved',
        subjectKind: 'provider',
        subjectId: definition.name,
        data: { fields: changed, isEnabled: input.isEnabled },
      })
    return accepted({ isEnabled: input.isEnabled })
  })
  forgetProviders()
  return result
}

/** The provider's row, made when there is none, and locked: two saves at once follow one another, and each is kept whole. */
export async function lockProvider(tx: Tx, name: string): Promise<ProviderRow> {
  await tx.$executeRaw(Prisma.sql`INSERT INTO payment_providers (name) VALUES (${name}) ON CONFLICT (name) DO NOTHING`)
  await tx.$executeRaw(Prisma.sql`SELECT 1 FROM payment_providers WHERE name = ${name} FOR UPDATE`)
  const row = await tx.paymentProvider.findUnique({ where: { name }, select: PROVIDER_ROW })
  invariant(row, 'a row that is locked is there')
  return row
}

/** The first thing typed that cannot be kept at all, switched on or not. */
function findOdd(
  definition: ProviderDefinition,
  input: SaveProviderInput,
): { ok: false; refusal: SaveProviderRefusal } | null {
  const malformed = definition.fields.find(
    (field) => input.values[field.name] && !hasForm(field, input.values[field.name]!),
  )
  if (malformed) return refused('setting_malformed', { field: inputNameOf(malformed) })
  const { minMicros, maxMicros, chargeCurrency, chargeRate } = input
  if (minMicros !== null && maxMicros !== null && minMicros > maxMicros)
    return refused('limits_crossed', { field: 'maxMicros' })
  if ((chargeCurrency === null) !== (chargeRate === null))
    return refused('charge_incomplete', { field: chargeRate === null ? 'chargeRate' : 'chargeCurrency' })
  if (chargeCurrency === env().SHOP_CURRENCY) return refused('charge_is_shop_currency', { field: 'chargeCurrency' })
  return null
}

type Merged = {
  settings: Record<string, string>
  sealed: Record<string, string>
  hints: Record<string, string>
  /** Everything that will hold, the secrets in clear; null at the first stored secret that cannot be opened. */
  values: ProviderValues
  unreadable: ProviderField | null
  /** Secrets that are other than before. */
  newSecrets: string[]
  /** Secrets that were stored and not typed again. */
  kept: ProviderField[]
}

function mergeValues(definition: ProviderDefinition, row: ProviderRow, input: SaveProviderInput): Merged {
  const settings = { ...(row.settings as Record<string, string>) }
  const sealed = { ...(row.sealed as Record<string, string>) }
  const hints = { ...(row.hints as Record<string, string>) }
  const values: Record<string, string> = {}
  const newSecrets: string[] = []
  const kept: ProviderField[] = []
  let unreadable: ProviderField | null = null
  for (const field of definition.fields) {
    const { name } = field
    const typed = input.values[name]
    if (!field.isSecret) {
      if (typed !== undefined) settings[name] = typed
      values[name] = settings[name] || field.initial
      continue
    }
    const place = placeOf(definition.name, name)
    const before = sealed[name] ? tryOpen(() => openSecret(place, sealed[name]!)) : ''
    if (sealed[name] && !typed) kept.push(field)
    const value = typed || before
    if (value === null) {
      unreadable ??= field
      values[name] = ''
      continue
    }
    values[name] = value
    if (!value) continue
    if (value !== before) newSecrets.push(name)
    // Sealed anew with every save, so that a new key takes over and the old one can be thrown away.
    sealed[name] = sealSecret(place, value)
    if (value.length >= 12) hints[name] = value.slice(-4)
    else delete hints[name]
  }
  return { settings, sealed, hints, values, unreadable, newSecrets, kept }
}

/** Where the stored secrets are sent today; null when there is no address yet. */
function originOf(definition: ProviderDefinition, row: Pick<ProviderRow, 'settings'>): string | null {
  const first = definition.fields.find(({ name }) => name === 'apiUrl')!.initial
  const address = (row.settings as Record<string, string>).apiUrl || first
  return address ? new URL(address).origin : null
}

function tryOpen(open: () => string): string | null {
  try {
    return open()
  } catch (error) {
    if (error instanceof OperationalError) return null
    throw error
  }
}

/** Why a provider cannot be switched on with these settings. */
function findReasonAgainst(
  definition: ProviderDefinition,
  next: Merged,
  input: SaveProviderInput,
): { ok: false; refusal: SaveProviderRefusal } | null {
  if (next.unreadable) return refused('secret_unreadable', { field: inputNameOf(next.unreadable) })
  if (env().SLUICE_MODE === 'production') {
    const why = refuseInProduction(definition, next.values)
    const field = definition.fields.find((each) => each.name === why?.field)
    if (why) return refused(why.code, { field: field ? inputNameOf(field) : why.field })
  }
  const missing = findMissing(definition, next.values)
  if (missing) return refused(missing.isSecret ? 'secret_missing' : 'setting_missing', { field: inputNameOf(missing) })
  const { minMicros, maxMicros, toleranceBasisPoints } = input
  const built = definition.build(next.values)
  const limits = topUpLimits({ ...built, terms: { minMicros, maxMicros, toleranceBasisPoints, charge: null } })
  if (limits.minMicros > limits.maxMicros) return refused('limits_crossed', { field: 'maxMicros' })
  return null
}

function namesOfChanges(
  definition: ProviderDefinition,
  row: ProviderRow,
  next: Merged,
  input: SaveProviderInput,
): string[] {
  const before = row.settings as Record<string, string>
  const plain = definition.fields.filter(
    ({ isSecret, name, initial }) => !isSecret && (before[name] || initial) !== (next.settings[name] || initial),
  )
  const terms = (
    ['isEnabled', 'minMicros', 'maxMicros', 'toleranceBasisPoints', 'chargeCurrency', 'chargeRate'] as const
  ).filter((name) => !isDeepStrictEqual(row[name], input[name]))
  return [...plain.map(({ name }) => name), ...next.newSecrets, ...terms]
}

/** What the field is called in the form; the wrapper of actions shows nothing again whose name speaks of a secret. */
export function inputNameOf(field: Pick<ProviderField, 'name' | 'isSecret'>): string {
  return `${field.isSecret ? 'secret' : 'setting'}.${field.name}`
}
