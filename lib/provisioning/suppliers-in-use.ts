import { db, type Prisma } from '@/lib/db'
import { env, isLocal } from '@/lib/env'
import { OperationalError } from '@/lib/kit'
import { log } from '@/lib/log'
import { openSecret, type SecretPlace } from '@/lib/settings'
import {
  hasSupplierForm,
  type Supplier,
  SUPPLIER_DEFINITIONS,
  type SupplierDefinition,
  type SupplierField,
  type SupplierModel,
  type SupplierValues,
} from '@/lib/suppliers'

export const ACCOUNT_ROW = {
  name: true,
  isEnabled: true,
  settings: true,
  sealed: true,
  hints: true,
  costCurrency: true,
  costRate: true,
  testedAt: true,
  testResult: true,
} as const satisfies Prisma.SupplierAccountSelect
export type AccountRow = Prisma.SupplierAccountGetPayload<{ select: typeof ACCOUNT_ROW }>

/** Why a supplier cannot be used as it is set up. */
export type SupplierProblem = 'not_set_up' | 'unreadable' | 'refused_in_production'

/** A supplier as the database has it: the adapter when its account is whole, else why there is none. */
export type ConfiguredSupplier = {
  name: string
  model: SupplierModel
  isEnabled: boolean
  supplier: Supplier | null
  problem: SupplierProblem | null
  /** What one of its money is worth in the shop's, as decimal text; null where nobody said. */
  rate: { currency: string; rate: string } | null
}

/** Makes an adapter of a supplier's name. Tests put their own in its place. */
export type SupplierFor = (name: string) => Supplier | Promise<Supplier>

/** How old a process's copy may get: so long after a change other processes still go by what was. */
const MAX_AGE_MS = 2_000
type Copy = { readAt: number; suppliers: Promise<ConfiguredSupplier[]> }
/** One for the process, however many times a bundler brings this file along. */
const holder = globalThis as { sluiceSuppliers?: Copy | undefined }

/** Every supplier this shop knows, from this process's copy. */
export function configuredSuppliers(): Promise<ConfiguredSupplier[]> {
  const current = holder.sluiceSuppliers
  if (current && Date.now() - current.readAt <= MAX_AGE_MS) return current.suppliers
  const mine: Copy = { readAt: Date.now(), suppliers: readSuppliers() }
  holder.sluiceSuppliers = mine
  mine.suppliers.catch(() => {
    if (holder.sluiceSuppliers === mine) holder.sluiceSuppliers = undefined
  })
  return mine.suppliers
}

/** Makes this process read the accounts anew; for the command that changed one. */
export function forgetSuppliers(): void {
  holder.sluiceSuppliers = undefined
}

/**
 * The supplier behind an offer, switched on or not: what is held there is renewed, looked up and closed as long as its account is whole. Stock is not
 * one: its units are rows of ours. Throws OperationalError when it cannot be used, so that the job waits.
 */
export async function supplierOf(name: string): Promise<Supplier> {
  const found = (await configuredSuppliers()).find((each) => each.name === name)
  if (!found?.supplier) throw new OperationalError(name, `this supplier is ${found?.problem ?? 'unknown'}`)
  return found.supplier
}

/** The same for something new to be bought: throws OperationalError also for one that is switched off. */
export async function enabledSupplierOf(name: string): Promise<Supplier> {
  const found = (await configuredSuppliers()).find((each) => each.name === name)
  if (found && !found.isEnabled) throw new OperationalError(name, 'this supplier is switched off')
  return supplierOf(name)
}

/** Whether new orders may be bought there. Stock always may. */
export async function isSupplierSetUp(name: string): Promise<boolean> {
  if (name === 'stock') return true
  return (await configuredSuppliers()).some((each) => each.name === name && each.isEnabled && each.supplier !== null)
}

async function readSuppliers(): Promise<ConfiguredSupplier[]> {
  const rows = await db().supplierAccount.findMany({ select: ACCOUNT_ROW })
  return SUPPLIER_DEFINITIONS.map((definition) =>
    configure(definition, rows.find((row) => row.name === definition.name) ?? null),
  )
}

/** What a row makes of a supplier. Never throws: one that cannot be read must not take the others with it. */
export function configure(definition: SupplierDefinition, row: AccountRow | null): ConfiguredSupplier {
  const none = (problem: SupplierProblem): ConfiguredSupplier => ({
    name: definition.name,
    model: definition.model,
    isEnabled: row?.isEnabled ?? false,
    supplier: null,
    problem,
    rate: rateOf(row),
  })
  if (!row) return none('not_set_up')
  let values: SupplierValues
  try {
    values = openAccount(definition, row)
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    log('provisioning').error({ error, supplier: definition.name }, 'the account of a supplier cannot be read')
    return none('unreadable')
  }
  if (findMissingSetting(definition, values)) return none('not_set_up')
  if (definition.fields.some((field) => !hasSupplierForm(field, values[field.name]!))) return none('unreadable')
  if (isRefusedInProduction(values)) return none('refused_in_production')
  return { ...none('not_set_up'), supplier: definition.build(values), problem: null }
}

/** The first setting that is missing, or null when the account is whole. */
export function findMissingSetting(definition: SupplierDefinition, values: SupplierValues): SupplierField | null {
  return definition.fields.find((field) => !values[field.name]) ?? null
}

/** A stand-in sells nothing: production buys from no address of this machine. */
export function isRefusedInProduction(values: SupplierValues): boolean {
  const url = values.apiUrl ?? ''
  return env().SLUICE_MODE === 'production' && URL.canParse(url) && isLocal(url)
}

function rateOf(row: AccountRow | null): ConfiguredSupplier['rate'] {
  return row?.costCurrency && row.costRate ? { currency: row.costCurrency, rate: row.costRate } : null
}

/** Where a supplier's secret lies, as its seal is bound to it. */
export function placeOfSecret(supplier: string, field: string): SecretPlace {
  return { group: 'suppliers', owner: supplier, name: field }
}

/** All values of a row, the secret ones opened, first values where nothing was set. Throws OperationalError for one that cannot be opened. */
export function openAccount(
  definition: Pick<SupplierDefinition, 'name' | 'fields'>,
  row: Pick<AccountRow, 'settings' | 'sealed'>,
): SupplierValues {
  const settings = row.settings as Record<string, string>
  const sealed = row.sealed as Record<string, string>
  return Object.fromEntries(
    definition.fields.map((field) => {
      if (!field.isSecret) return [field.name, settings[field.name] || field.initial]
      const value = sealed[field.name]
      return [field.name, value ? openSecret(placeOfSecret(definition.name, field.name), value) : '']
    }),
  )
}
