import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction } from '@/lib/db'
import { accepted, OperationalError, type Refusal, refused, type Result } from '@/lib/kit'
import { findDefinition, findMissing, hasForm, type ProviderValues } from './providers/definitions'
import type { ConnectionTest } from './providers/provider'
import { openValues, PROVIDER_ROW } from './providers/registry'
import { inputNameOf } from './save-provider'

/** What a test of the connection said, in a word. */
export type TestResult = 'ok' | Extract<ConnectionTest, { ok: false }>['why']

/**
 * Asks the vendor, by a call that changes nothing, whether the stored settings hold, and keeps when that was and what came of it. Switched on or not. Refuses
 * what is not whole yet; what the vendor says is a value, never a refusal. What was saved while the vendor thought is not stamped with an older answer.
 */
export async function testProvider(
  actor: Actor,
  name: string,
): Promise<
  Result<
    { result: TestResult },
    Refusal<'unknown_provider' | 'secret_missing' | 'setting_missing' | 'secret_unreadable'>
  >
> {
  const definition = findDefinition(name)
  if (!definition) return refused('unknown_provider')
  const row = await db().paymentProvider.findUnique({ where: { name }, select: { ...PROVIDER_ROW, updatedAt: true } })
  const values = row ? readValues(() => openValues(definition, row)) : firstValues(definition.fields)
  if (!values) return refused('secret_unreadable')
  const missing = findMissing(definition, values)
  if (missing) return refused(missing.isSecret ? 'secret_missing' : 'setting_missing', { field: inputNameOf(missing) })
  const odd = definition.fields.find((field) => values[field.name] && !hasForm(field, values[field.name]!))
  if (odd) return refused('setting_missing', { field: inputNameOf(odd) })
  const test = await definition.build(values).testConnection()
  const result: TestResult = test.ok ? 'ok' : test.why
  await inTransaction(async (tx) => {
    await tx.paymentProvider.updateMany({
      where: { name, updatedAt: row!.updatedAt },
      data: { testedAt: new Date(), testResult: result },
    })
    await recordAudit(tx, actor, {
      action: 'payments.provider_tested',
      subjectKind: 'provider',
      subjectId: name,
      data: { result },
    })
    return accepted(undefined)
  })
  return accepted({ result })
}

function readValues(read: () => ProviderValues): ProviderValues | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof OperationalError) return null
    throw error
  }
}

function firstValues(fields: readonly { name: string; initial: string }[]): ProviderValues {
  return Object.fromEntries(fields.map(({ name, initial }) => [name, initial]))
}
