import { isDeepStrictEqual } from 'node:util'
import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, invariant, OperationalError, type Refusal, refused, type Result } from '@/lib/kit'
import { openSecret, sealSecret } from '@/lib/settings'
import {
  findSupplierDefinition,
  hasSupplierForm,
  type SupplierDefinition,
  type SupplierField,
  type SupplierValues,
} from '@/lib/suppliers'
import type { SaveSupplierInput } from './schemas'
import {
  ACCOUNT_ROW,
  type AccountRow,
  findMissingSetting,
  forgetSuppliers,
  isRefusedInProduction,
  placeOfSecret,
} from './suppliers-in-use'

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
    const next = mergeAccount(definition, row, input.values)
    const [kept] = next.kept
    // Otherwise whoever may change the address could have the stored secrets sent to a server of their own, and so read them after all.
    if (kept && originOf(definition, row.settings) !== originOf(definition, next.settings))
      return refused('secret_needed_again', { field: supplierInputName(kept) })
    if (input.isEnabled) {
      const why = findReasonAgainst(definition, next)
      if (why) return why
    }
    const changed = namesOfChanges(definition, row, next, input)
    await tx.supplierAccount.update({
      where: { name: definition.name },
      data: {
        isEnabled: input.isEnabled,
        settings: next.settings,
        sealed: next.sealed,
        hints: next.hints,
        costCurrency: input.costCurrency,
        costRate: input.costRate,
        // What was tested is not what is there now.
        ...(changed.some((name) => definition.fields.some((field) => field.name === name)) && {
          testedAt: null,
          testResult: null,
        }),
        updatedAt: new Date(),
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
 * Switches a supplier off and deletes its secrets; its address and rate stay. Refuses `supplier_in_use` {count} while proxies are held there or a run's
 * end is open: without the keys nobody could renew them, close them or find out what was bought.
 */
export async function forgetSupplier(
  actor: Actor,
  name: string,
): Promise<Result<null, Refusal<'unknown_supplier' | 'supplier_in_use'>>> {
  if (!findSupplierDefinition(name)) return refused('unknown_supplier')
  const result = await inTransaction<null, Refusal<'supplier_in_use'>>(async (tx) => {
    await lockAccount(tx, name)
    const [row] = await tx.$queryRaw<{ count: number }[]>(Prisma.sql`
      SELECT ((SELECT count(*) FROM allocations a JOIN offers f ON f.id = a.offer_id WHERE f.supplier = ${name} AND a.state IN ('active', 'in_grace'))
            + (SELECT count(*) FROM deliveries d WHERE d.supplier = ${name} AND d.state IN ('calling', 'unknown'))
            + (SELECT count(*) FROM renewal_runs u WHERE u.supplier = ${name} AND u.state IN ('calling', 'unknown')))::int AS count`)
    if (row!.count > 0) return refused('supplier_in_use', { count: row!.count })
    await tx.supplierAccount.update({
      where: { name },
      data: { isEnabled: false, sealed: {}, hints: {}, testedAt: null, testResult: null, updatedAt: new Date() },
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
  const malformed = definition.fields.find(
    (field) => input.values[field.name] && !hasSupplierForm(field, input.values[field.name]!),
  )
  if (malformed) return refused('setting_malformed', { field: supplierInputName(malformed) })
  if ((input.costCurrency === null) !== (input.costRate === null))
    return refused('charge_incomplete', { field: input.costRate === null ? 'costRate' : 'costCurrency' })
  if (input.costCurrency === env().SHOP_CURRENCY) return refused('charge_is_shop_currency', { field: 'costCurrency' })
  return null
}

type Merged = {
  settings: Record<string, string>
  sealed: Record<string, string>
  hints: Record<string, string>
  /** Everything that will hold, the secrets in clear. */
  values: SupplierValues
  /** The first stored secret that cannot be opened and was not typed again. */
  unreadable: SupplierField | null
  /** Secrets that are other than before. */
  newSecrets: string[]
  /** Secrets that were stored and not typed again. */
  kept: SupplierField[]
}

function mergeAccount(definition: SupplierDefinition, row: AccountRow, typed: SupplierValues): Merged {
  const merged: Merged = {
    settings: { ...(row.settings as Record<string, string>) },
    sealed: { ...(row.sealed as Record<string, string>) },
    hints: { ...(row.hints as Record<string, string>) },
    values: {},
    unreadable: null,
    newSecrets: [],
    kept: [],
  }
  const values: Record<string, string> = {}
  for (const field of definition.fields) {
    const { name } = field
    if (!field.isSecret) {
      if (typed[name] !== undefined) merged.settings[name] = typed[name]
      values[name] = merged.settings[name] || field.initial
      continue
    }
    const place = placeOfSecret(definition.name, name)
    const stored = merged.sealed[name]
    const before = stored ? tryOpen(() => openSecret(place, stored)) : ''
    if (stored && !typed[name]) merged.kept.push(field)
    const value = typed[name] || before
    values[name] = value ?? ''
    if (value === null) merged.unreadable ??= field
    if (!value) continue
    if (value !== before) merged.newSecrets.push(name)
    // Sealed anew with every save, so that a new key takes over and the old one can be thrown away.
    merged.sealed[name] = sealSecret(place, value)
    if (value.length >= 12) merged.hints[name] = value.slice(-4)
    else delete merged.hints[name]
  }
  merged.values = values
  return merged
}

/** Where the stored secrets are sent today. */
function originOf(definition: SupplierDefinition, settings: Prisma.JsonValue): string {
  const first = definition.fields.find(({ name }) => name === 'apiUrl')!.initial
  return new URL((settings as Record<string, string>).apiUrl || first).origin
}

function tryOpen(open: () => string): string | null {
  try {
    return open()
  } catch (error) {
    if (error instanceof OperationalError) return null
    throw error
  }
}

/** Why a supplier cannot be switched on with these settings. */
function findReasonAgainst(
  definition: SupplierDefinition,
  next: Merged,
): { ok: false; refusal: SaveSupplierRefusal } | null {
  if (next.unreadable) return refused('secret_unreadable', { field: supplierInputName(next.unreadable) })
  if (isRefusedInProduction(next.values)) return refused('stand_in_in_production', { field: 'setting.apiUrl' })
  const missing = findMissingSetting(definition, next.values)
  if (!missing) return null
  return refused(missing.isSecret ? 'secret_missing' : 'setting_missing', { field: supplierInputName(missing) })
}

function namesOfChanges(
  definition: SupplierDefinition,
  row: AccountRow,
  next: Merged,
  input: SaveSupplierInput,
): string[] {
  const before = row.settings as Record<string, string>
  const plain = definition.fields.filter(
    ({ isSecret, name, initial }) => !isSecret && (before[name] || initial) !== (next.settings[name] || initial),
  )
  const terms = (['isEnabled', 'costCurrency', 'costRate'] as const).filter(
    (name) => !isDeepStrictEqual(row[name], input[name]),
  )
  return [...plain.map(({ name }) => name), ...next.newSecrets, ...terms]
}

/** What the field is called in the form; the wrapper of actions shows nothing again whose name speaks of a secret. */
export function supplierInputName(field: Pick<SupplierField, 'name' | 'isSecret'>): string {
  return `${field.isSecret ? 'secret' : 'setting'}.${field.name}`
}

/** Reads the account anew, past every copy; for a test of the connection. */
export function findAccount(name: string) {
  return db().supplierAccount.findUnique({ where: { name }, select: { ...ACCOUNT_ROW, updatedAt: true } })
}
