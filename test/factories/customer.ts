import { db, inTransaction, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, newId } from '@/lib/kit'
import { postTransfer } from '@/lib/ledger'

export type Customer = { id: string; email: string; username: string }

/**
 * A customer with a confirmed address, by a direct insert: sign-up hashes a password, which costs more than the rest of a test, and what is
 * tested here is not sign-up. The hash fits no password.
 */
export async function insertCustomer(
  input: { balanceMicros?: bigint; locale?: string; role?: string } = {},
): Promise<Customer> {
  const id = newId('usr')
  const username = `c${id.slice(-12)}`
  const customer = { id, email: `${username}@example.test`, username }
  await db().user.create({
    data: {
      ...customer,
      usernameKey: username,
      passwordHash: 'none',
      locale: input.locale ?? 'en',
      role: input.role ?? 'customer',
      emailVerifiedAt: new Date(),
    },
    select: { id: true },
  })
  if (input.balanceMicros) await giveMoney(id, input.balanceMicros)
  return customer
}

/** Puts money on a balance through the ledger, as an adjustment. */
export async function giveMoney(userId: string, amountMicros: bigint): Promise<void> {
  const currency = env().SHOP_CURRENCY
  const given = await inTransaction(async (tx) => {
    const posted = await postTransfer(tx, {
      key: `adjustment:${newId('req')}`,
      from: { owner: 'shop', kind: 'adjustments', currency },
      to: { owner: userId, kind: 'customer_balance', currency },
      amountMicros,
      source: { kind: 'adjustment', id: userId },
      happenedAt: new Date(),
    })
    return posted.ok ? accepted(null) : posted
  })
  if (!given.ok) throw new Error(`no money given: ${given.refusal.code}`)
}

/** Puts money from outside on a balance, by a payment that a provider has confirmed. Returns the payment's id. */
export async function bringMoney(userId: string, amountMicros: bigint): Promise<string> {
  const id = newId('pay')
  await db().payment.create({
    data: {
      id,
      userId,
      provider: 'fakepay',
      state: 'awaiting',
      requestedMicros: amountMicros,
      currency: env().SHOP_CURRENCY,
      chargeMicros: amountMicros,
      chargeCurrency: env().SHOP_CURRENCY,
      providerPaymentId: `theirs_${id}`,
      requestKey: newId('req'),
    },
    select: { id: true },
  })
  await db().$queryRaw(
    Prisma.sql`SELECT outcome FROM credit_payment(${id}, ${`theirs_${id}`}, ${amountMicros}, ${amountMicros}, now())`,
  )
  return id
}
