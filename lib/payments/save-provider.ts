import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, invariant, type Refusal, refused, type Result } from '@/lib/kit'
import { accountInputName, type AccountValues, findMalformed, namesOfChanges } from '@/lib/settings'
import { findDefinition, type ProviderDefinition } from './providers/definitions'
import { forgetProviders, PROVIDER_ROW, providerAccounts, type ProviderRow } from './providers/registry'
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

const OWN_FIELDS = [
  'isEnabled',
  'minMicros',
  'maxMicros',
  'toleranceBasisPoints',
  'chargeCurrency',
  'chargeRate',
] as const

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
    const next = providerAccounts.change(definition, row, input.values)
    if (!next.ok) return next
    if (input.isEnabled) {
      const why =
        providerAccounts.refuseUse(definition, next.value) ?? refuseLimits(definition, next.value.values, input)
      if (why) return why
    }
    const changed = [...next.value.changed, ...namesOfChanges(OWN_FIELDS, row, input)]
    await tx.paymentProvider.update({
      where: { name: definition.name },
      data: {
        ...next.value.data,
        isEnabled: input.isEnabled,
        updatedAt: new Date(),
        minMicros: input.minMicros,
        maxMicros: input.maxMicros,
        toleranceBasisPoints: input.toleranceBasisPoints,
        chargeCurrency: input.chargeCurrency,
        chargeRate: input.chargeRate,
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
  const malformed = findMalformed(definition, input.values)
  if (malformed) return refused('setting_malformed', { field: accountInputName(malformed) })
  const { minMicros, maxMicros, chargeCurrency, chargeRate } = input
  if (minMicros !== null && maxMicros !== null && minMicros > maxMicros)
    return refused('limits_crossed', { field: 'maxMicros' })
  if ((chargeCurrency === null) !== (chargeRate === null))
    return refused('charge_incomplete', { field: chargeRate === null ? 'chargeRate' : 'chargeCurrency' })
  if (chargeCurrency === env().SHOP_CURRENCY) return refused('charge_is_shop_currency', { field: 'chargeCurrency' })
  return null
}

/** What the operator allows and what the vendor takes must leave something. */
function refuseLimits(definition: ProviderDefinition, values: AccountValues, input: SaveProviderInput) {
  const { minMicros, maxMicros, toleranceBasisPoints } = input
  const built = definition.build(values)
  const limits = topUpLimits({ ...built, terms: { minMicros, maxMicros, toleranceBasisPoints, charge: null } })
  return limits.minMicros > limits.maxMicros ? refused('limits_crossed', { field: 'maxMicros' }) : null
}
