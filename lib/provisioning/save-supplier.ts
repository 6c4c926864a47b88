import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, invariant, type Refusal, refused, type Result } from '@/lib/kit'
import { accountInputName, findMalformed, FORGOTTEN, namesOfChanges } from '@/lib/settings'
import { findSupplierDefinition, type SupplierDefinition } from '@/lib/suppliers'
import type { SaveSupplierInput } from './schemas'
import { ACCOUNT_ROW, type AccountRow, forgetSuppliers, supplierAccounts } from './suppliers-in-use'

export type SaveSupplierRefusal = Refusal<
  | 'unknown_supplier'
  | 'secret_missing'
  | 'setting_missing'
  | 'setting_malformed'
  | 'secret_unreadable'
  | 'secret_needed_again'
  | 'stand_in_in_production'
  | 'charge_incomplete'
  | 'charge_is_shop_currency'
>

/**
 * Sets up our account at a supplier, and switches it on or off for new orders. Fields that are not named keep their value; so does a secret that is left
 * empty. Switching on asks for a whole account that production takes. Another server's address asks for the secrets again. Each refusal names its
 * `field`; the audit holds the names of what changed. Switched off, its offers count as sold out; what is held there goes on.
 * Throws OperationalError when there is no key to seal a secret with.
 */
export async function saveSupplier(
  actor: Actor,
  input: SaveSupplierInput,
): Promise<Result<{ isEnabled: boolean }, SaveSupplierRefusal>> {
  const definition = findSupplierDefinition(input.supplier)
  if (!definition) return refused('unknown_supplier')
  const odd = findOdd(definition, input)
  if (odd) return odd
  const result = await inTransaction<{ isEnabled: boolean }, SaveSupplierRefusal>(async (tx) => {
    const row = await lockAccount(tx, definition.name)
    const next = supplierAccounts.change(definition, row, input.values)
    if (!next.ok) return next
    const why = input.isEnabled ? supplierAccounts.refuseUse(definition, next.value) : null
    if (why) return why
    const changed = [
      ...next.value.changed,
      ...namesOfChanges(['isEnabled', 'costCurrency', 'costRate'] as const, row, input),
    ]
    await tx.supplierAccount.update({
      where: { name: definition.name },
      data: {
        ...next.value.data,
        isEnabled: input.isEnabled,
        updatedAt: new Date(),
        costCurrency: input.costCurrency,
        costRate: input.costRate,
      },
      select: { name: true },
    })
    if (row.isEnabled !== input.isEnabled && definition.model !== 'pool')
      // Unknown until the supplier is asked; nothing while it is off.
      await tx.offer.updateMany({
        where: { supplier: definition.name },
        data: { stockCount: input.isEnabled ? null : 0 },
      })
    if (changed.length > 0) {
      // With another key the old failures say nothing: the next call is made.
      await tx.supplierHealth.updateMany({
        where: { supplier: definition.name },
        data: { failures: 0, openUntil: null },
      })
      await recordAudit(tx, actor, {
        action: 'provisioning.supplier_saved',
        subjectKind: 'supplier',
        subjectId: definition.name,
        data: { fields: changed, isEnabled: input.isEnabled },
      })
    }
    return accepted({ isEnabled: input.isEnabled })
  })
  forgetSuppliers()
  return result
}

/**
 * Switches a supplier off and deletes its secrets; its address and rate stay. Refuses `supplier_in_use` {count} while proxies are held there, logins with traffic
 * wait to be closed, or a run's end is open: without the keys nobody could renew them, close them or find out what was bought.
 */
export async function forgetSupplier(
  actor: Actor,
  name: string,
): Promise<Result<null, Refusal<'unknown_supplier' | 'supplier_in_use'>>> {
  if (!findSupplierDefinition(name)) return refused('unknown_supplier')
  const result = await inTransaction<null, Refusal<'supplier_in_use'>>(async (tx) => {
    await lockAccount(tx, name)
    const [row] = await tx.$queryRaw<{ count: number }[]>(Prisma.sql`
      SELECT ((SELECT count(*) FROM allocations a JOIN offers f ON f.id = a.offer_id WHERE f.supplier = ${name}
               AND (a.state IN ('active', 'in_grace') OR a.granted_bytes IS NOT NULL AND a.account_closed_at IS NULL))
            + (SELECT count(*) FROM deliveries d WHERE d.supplier = ${name} AND d.state IN ('calling', 'unknown'))
            + (SELECT count(*) FROM renewal_runs u WHERE u.supplier = ${name} AND u.state IN ('calling', 'unknown')))::int AS count`)
    if (row!.count > 0) return refused('supplier_in_use', { count: row!.count })
    await tx.supplierAccount.update({
      where: { name },
      data: { ...FORGOTTEN, updatedAt: new Date() },
      select: { name: true },
    })
    await tx.offer.updateMany({ where: { supplier: name, stockCount: { not: null } }, data: { stockCount: 0 } })
    await recordAudit(tx, actor, {
      action: 'provisioning.supplier_forgotten',
      subjectKind: 'supplier',
      subjectId: name,
    })
    return accepted(null)
  })
  forgetSuppliers()
  return result
}

/** The account's row, made when there is none, and locked: two saves at once follow one another, and each is kept whole. */
async function lockAccount(tx: Tx, name: string): Promise<AccountRow> {
  await tx.$executeRaw(Prisma.sql`INSERT INTO supplier_accounts (name) VALUES (${name}) ON CONFLICT (name) DO NOTHING`)
  await tx.$executeRaw(Prisma.sql`SELECT 1 FROM supplier_accounts WHERE name = ${name} FOR UPDATE`)
  const row = await tx.supplierAccount.findUnique({ where: { name }, select: ACCOUNT_ROW })
  invariant(row, 'a row that is locked is there')
  return row
}

/** The first thing typed that cannot be kept at all, switched on or not. */
function findOdd(
  definition: SupplierDefinition,
  input: SaveSupplierInput,
): { ok: false; refusal: SaveSupplierRefusal } | null {
  const malformed = findMalformed(definition, input.values)
  if (malformed) return refused('setting_malformed', { field: accountInputName(malformed) })
  if ((input.costCurrency === null) !== (input.costRate === null))
    return refused('charge_incomplete', { field: input.costRate === null ? 'costRate' : 'costCurrency' })
  if (input.costCurrency === env().SHOP_CURRENCY) return refused('charge_is_shop_currency', { field: 'costCurrency' })
  return null
}
