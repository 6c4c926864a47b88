import { recordAudit } from '@/lib/audit'
import { db, inTransaction, type Tx } from '@/lib/db'
import { accepted } from '@/lib/kit'
import type { BillingProfileFields } from './schemas'

const EMPTY: BillingProfileFields = { name: '', company: '', address: '', countryCode: '', taxId: '' }
const FIELDS = { name: true, company: true, address: true, countryCode: true, taxId: true } as const

/** What a customer wants printed on papers; empty texts where they have said nothing. */
export async function getBillingProfile(userId: string, tx?: Tx): Promise<BillingProfileFields> {
  return (await (tx ?? db()).billingProfile.findUnique({ where: { userId }, select: FIELDS })) ?? EMPTY
}

/** Keeps a customer's billing details for papers issued from now on. Papers that are issued stay as they are. The audit names no value. */
export async function saveBillingProfile(userId: string, fields: BillingProfileFields): Promise<void> {
  const saved = await inTransaction(async (tx) => {
    await tx.billingProfile.upsert({
      where: { userId },
      create: { userId, ...fields },
      update: { ...fields, updatedAt: new Date() },
      select: { userId: true },
    })
    await recordAudit(
      tx,
      { kind: 'user', id: userId },
      { action: 'papers.billing_profile_saved', subjectKind: 'user', subjectId: userId },
    )
    return accepted(null)
  })
  if (!saved.ok) throw new Error('saving billing details refuses nothing')
}
