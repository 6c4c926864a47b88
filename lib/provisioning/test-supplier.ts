import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction } from '@/lib/db'
import { accepted, OperationalError, type Refusal, refused, type Result, SECOND_MS } from '@/lib/kit'
import type { AccountGap, AccountValues } from '@/lib/settings'
import { findSupplierDefinition, type SupplierDefinition } from '@/lib/suppliers'
import { ACCOUNT_ROW, supplierAccounts } from './suppliers-in-use'

/** What a test of the connection said, in a word. */
export const SUPPLIER_TEST_RESULTS = ['ok', 'unreachable', 'key_refused', 'too_many', 'unexpected_answer'] as const
export type SupplierTestResult = (typeof SUPPLIER_TEST_RESULTS)[number]

/** Longer than a slow answer, shorter than a person's patience. */
const TIMEOUT_MS = 10 * SECOND_MS

/**
 * Asks the supplier for our balance there, which changes nothing, with what is stored, and keeps when that was and what came of it. Refuses what is not
 * whole yet; what the supplier says is a value, never a refusal. What was saved meanwhile is not stamped with an older answer.
 */
export async function testSupplier(
  actor: Actor,
  name: string,
): Promise<
  Result<{ result: SupplierTestResult }, Refusal<'unknown_supplier' | 'stand_in_in_production'> | AccountGap>
> {
  const definition = findSupplierDefinition(name)
  if (!definition) return refused('unknown_supplier')
  const row = await db().supplierAccount.findUnique({ where: { name }, select: { ...ACCOUNT_ROW, updatedAt: true } })
  const values = supplierAccounts.read(definition, row)
  if (!values.ok) return values
  const why = supplierAccounts.refuseInProduction(definition, values.value)
  if (why) return why
  const result = await ask(definition, values.value)
  await inTransaction(async (tx) => {
    await tx.supplierAccount.updateMany({
      where: { name, updatedAt: row!.updatedAt },
      data: { testedAt: new Date(), testResult: result },
    })
    await recordAudit(tx, actor, {
      action: 'provisioning.supplier_tested',
      subjectKind: 'supplier',
      subjectId: name,
      data: { result },
    })
    return accepted(undefined)
  })
  return accepted({ result })
}

/** Adapters tell what failed in sentences for the log; what was seen on the wire says which kind of failure it was. */
async function ask(definition: SupplierDefinition, values: AccountValues): Promise<SupplierTestResult> {
  let seen: { status: number; answer: string } | undefined
  const listening: typeof fetch = async (input, init) => {
    seen = undefined
    const response = await fetch(input, init)
    seen = { status: response.status, answer: (await response.clone().text()).slice(0, 10_000) }
    return response
  }
  const supplier = definition.build(values, { fetch: listening, timeoutMs: TIMEOUT_MS })
  try {
    if (supplier.traffic) await supplier.traffic.getTraffic()
    else await supplier.getBalance()
    return 'ok'
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    if (!seen) return 'unreachable'
    if (seen.status === 401 || seen.status === 403 || definition.refusesKey?.(seen.answer)) return 'key_refused'
    return seen.status === 429 ? 'too_many' : 'unexpected_answer'
  }
}
