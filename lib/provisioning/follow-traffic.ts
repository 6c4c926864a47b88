import { STOCK_SUPPLIERS } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import { invariant, OperationalError } from '@/lib/kit'
import { log } from '@/lib/log'
import { watching } from './supplier-health'
import { type SupplierFor, supplierOf } from './suppliers-in-use'

/** One call for each sub-account: what is not reached is read by the next run, the longest unread first. */
const READS_PER_RUN = 2_000
const CLOSED_PER_RUN = 500

type Login = { id: string; supplier: string; supplierRef: string; params: Record<string, unknown> }

/** Reads how much of each running login with traffic is used. A supplier that does not answer is asked again an hour later. Returns how many were read. */
export async function readTraffic(supplierFor: SupplierFor = supplierOf): Promise<number> {
  const logins = await db().$queryRaw<Login[]>(Prisma.sql`
    SELECT a.id, f.supplier, a.supplier_ref AS "supplierRef", f.supplier_params AS params
    FROM allocations a JOIN offers f ON f.id = a.offer_id
    WHERE a.granted_bytes IS NOT NULL AND a.account_closed_at IS NULL AND a.state IN ('active', 'in_grace')
    ORDER BY a.used_bytes NULLS FIRST, random() LIMIT ${READS_PER_RUN}`)
  return forEachLogin(logins, (login) => readLogin(login, supplierFor))
}

/**
 * Reads how much of these logins of an order is used now: before money depends on it, what was read up to an hour ago is not enough. Asks nobody where none of them has
 * traffic. Throws OperationalError where a supplier does not answer.
 */
export async function readTrafficOf(
  input: { orderId: string; userId: string; allocationIds: readonly string[] },
  supplierFor: SupplierFor = supplierOf,
): Promise<void> {
  const logins = await db().$queryRaw<Login[]>(Prisma.sql`
    SELECT a.id, f.supplier, a.supplier_ref AS "supplierRef", f.supplier_params AS params
    FROM allocations a JOIN offers f ON f.id = a.offer_id
    WHERE a.order_id = ${input.orderId} AND a.user_id = ${input.userId} AND a.id = ANY (${[...input.allocationIds]}::text[]) AND a.granted_bytes IS NOT NULL
      AND a.account_closed_at IS NULL AND a.state IN ('active', 'in_grace') AND f.supplier <> ALL (${[...STOCK_SUPPLIERS]}::text[])`)
  for (const login of logins) await readLogin(login, supplierFor)
}

async function readLogin(login: Login, supplierFor: SupplierFor): Promise<void> {
  const account = await trafficOf(supplierFor, login, (traffic) =>
    traffic.readSubAccount(login.supplierRef, login.params),
  )
  if (!account) {
    log('provisioning').error({ allocationId: login.id }, 'a login with traffic is gone at its supplier')
    return
  }
  await db().allocation.updateMany({ where: { id: login.id }, data: { usedBytes: account.usedBytes } })
}

/** Closes the sub-accounts of logins that ended, so that what was not used returns to the parent account. Closing twice is harmless. Returns how many. */
export async function closeTraffic(supplierFor: SupplierFor = supplierOf): Promise<number> {
  const logins = await db().$queryRaw<Login[]>(Prisma.sql`
    SELECT a.id, f.supplier, a.supplier_ref AS "supplierRef", f.supplier_params AS params
    FROM allocations a JOIN offers f ON f.id = a.offer_id
    WHERE a.granted_bytes IS NOT NULL AND a.account_closed_at IS NULL AND a.state IN ('expired', 'refunded', 'withdrawn', 'replaced')
    ORDER BY a.id LIMIT ${CLOSED_PER_RUN}`)
  return forEachLogin(logins, async (login) => {
    const last = await trafficOf(supplierFor, login, (traffic) =>
      traffic.readSubAccount(login.supplierRef, login.params),
    )
    await trafficOf(supplierFor, login, (traffic) => traffic.closeSubAccount(login.supplierRef))
    await db().allocation.updateMany({
      where: { id: login.id },
      data: { accountClosedAt: new Date(), ...(last && { usedBytes: last.usedBytes }) },
    })
  })
}

async function trafficOf<T>(
  supplierFor: SupplierFor,
  { supplier: name }: Login,
  call: (traffic: NonNullable<Awaited<ReturnType<SupplierFor>>['traffic']>) => Promise<T>,
): Promise<T> {
  const { traffic } = await supplierFor(name)
  invariant(traffic, 'a login with traffic comes from a supplier of traffic')
  return watching(name, () => call(traffic))
}

/** One after the other; a supplier that fails is left alone for the rest of the run. */
async function forEachLogin(logins: Login[], work: (login: Login) => Promise<void>): Promise<number> {
  const away = new Set<string>()
  let done = 0
  for (const login of logins) {
    if (away.has(login.supplier)) continue
    try {
      await work(login)
      done += 1
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error
      away.add(login.supplier)
      log('provisioning').warn({ supplier: login.supplier, error }, 'a supplier of traffic did not answer')
    }
  }
  return done
}
