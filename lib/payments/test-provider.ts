import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction } from '@/lib/db'
import { accepted, type Refusal, refused, type Result } from '@/lib/kit'
import type { AccountGap } from '@/lib/settings'
import { findDefinition } from './providers/definitions'
import type { ConnectionTest } from './providers/provider'
import { PROVIDER_ROW, providerAccounts } from './providers/registry'

/** What a test of the connection said, in a word. */
export type TestResult = 'ok' | Extract<ConnectionTest, { ok: false }>['why']

/**
 * Asks the vendor, by a call that changes nothing, whether the stored settings hold, and keeps when that was and what came of it. Switched on or not. Refuses
 * what is not whole yet; what the vendor says is a value, never a refusal. What was saved while the vendor thought is not stamped with an older answer.
 */
export async function testProvider(
  actor: Actor,
  name: string,
): Promise<Result<{ result: TestResult }, Refusal<'unknown_provider'> | AccountGap>> {
  const definition = findDefinition(name)
  if (!definition) return refused('unknown_provider')
  const row = await db().paymentProvider.findUnique({ where: { name }, select: { ...PROVIDER_ROW, updatedAt: true } })
  const values = providerAccounts.read(definition, row)
  if (!values.ok) return values
  const test = await definition.build(values.value).testConnection()
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
