import { db, Prisma } from '@/lib/db'
import { OperationalError } from '@/lib/kit'
import type { SupplierFor } from './suppliers-in-use'
import type { Supplier } from '@/lib/suppliers'

/**
 * Does a call to a supplier and notes in the database how it went, so that every process knows: after five failures in a row its circuit is open. A "no"
 * is an answer; "too many requests" says nothing of its health. What the call throws is thrown on.
 */
export async function watching<T>(supplier: string, call: () => Promise<T>): Promise<T> {
  let result: T
  try {
    result = await call()
  } catch (error) {
    if (error instanceof OperationalError && error.retryAfterMs === undefined)
      await db().$queryRaw(
        Prisma.sql`SELECT note_supplier_failure(${supplier}, ${error.message.slice(0, 300)})::int AS failures`,
      )
    throw error
  }
  await db().$executeRaw(Prisma.sql`SELECT note_supplier_ok(${supplier})`)
  return result
}

/**
 * The adapter for a call that may be made now. Throws OperationalError while the supplier's circuit is open; when its time is over, one caller of all
 * processes is let through to try.
 */
export async function supplierForCall(name: string, supplierFor: SupplierFor): Promise<Supplier> {
  const supplier = await supplierFor(name)
  const [row] = await db().$queryRaw<{ may: boolean }[]>(Prisma.sql`SELECT claim_supplier_call(${name}) AS may`)
  if (!row!.may) throw new OperationalError(name, 'it failed too often, and is left alone for a while')
  return supplier
}
