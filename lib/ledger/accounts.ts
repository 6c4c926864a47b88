import { Prisma, type Tx } from '@/lib/db'

/**
 * An account is named by whose it is, what for and in which currency. The ledger knows no business: an owner is an opaque id, and the
 * kinds below are only words it must tell apart. Which kinds are guarded (one locked row, never below zero; a debt never above) is said
 * once, in the SQL function `ledger_account`.
 */
export type SystemAccountKind =
  | 'held_for_orders'
  | 'adjustments'
  | 'supplier_cost'
  | 'refunds_pending'
  | 'promotions'
  | 'referral_expense'
  | 'payouts_pending'
  | `payouts:${string}`
  | `provider_clearing:${string}`
  | `revenue:${string}`

export type AccountRef =
  | { owner: 'shop'; kind: SystemAccountKind; currency: string }
  | {
      owner: string
      kind: 'customer_balance' | 'customer_debt' | 'referral_payable' | 'referral_debt'
      currency: string
    }

/** The account's id; the account is made at its first use. */
export async function accountId(tx: Tx, account: AccountRef): Promise<string> {
  const [row] = await tx.$queryRaw<{ id: string }[]>(
    Prisma.sql`SELECT ledger_account(${account.owner}, ${account.kind}, ${account.currency}) AS id`,
  )
  return row!.id
}
