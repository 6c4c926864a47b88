import { db, keepCopy, type Prisma } from '@/lib/db'
import { isLocal } from '@/lib/env'
import { OperationalError } from '@/lib/kit'
import { type AccountProblem, type AccountValues, defineAccounts } from '@/lib/settings'
import { type Supplier, SUPPLIER_DEFINITIONS, type SupplierDefinition, type SupplierModel } from '@/lib/suppliers'

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

/** A stand-in sells nothing: production buys from no address of this machine. */
const refuseStandIn = (_: SupplierDefinition, { apiUrl = '' }: AccountValues) =>
  URL.canParse(apiUrl) && isLocal(apiUrl) ? ({ field: 'apiUrl', code: 'stand_in_in_production' } as const) : null
/** What is the same for every account of ours elsewhere: secrets, forms, what production takes. */
export const supplierAccounts = defineAccounts('suppliers', refuseStandIn)

/** A supplier as the database has it: the adapter when its account is whole, else why there is none. */
export type ConfiguredSupplier = {
  name: string
  model: SupplierModel
  isEnabled: boolean
  supplier: Supplier | null
  problem: AccountProblem | null
  /** What one of its money is worth in the shop's, as decimal text; null where nobody said. */
  rate: { currency: string; rate: string } | null
}

/** Makes an adapter of a supplier's name. Tests put their own in its place. */
export type SupplierFor = (name: string) => Supplier | Promise<Supplier>

const copy = keepCopy('suppliers', readSuppliers)

/** Every supplier this shop knows, from this process's copy. */
export const configuredSuppliers = copy.read

/** Makes this process read the accounts anew; for the command that changed one. */
export const forgetSuppliers = copy.forget

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
function configure(definition: SupplierDefinition, row: AccountRow | null): ConfiguredSupplier {
  const { values, problem } = supplierAccounts.judge(definition, row)
  return {
    name: definition.name,
    model: definition.model,
    isEnabled: row?.isEnabled ?? false,
    supplier: values && definition.build(values),
    problem,
    rate: row?.costCurrency && row.costRate ? { currency: row.costCurrency, rate: row.costRate } : null,
  }
}
