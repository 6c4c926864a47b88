import { type Tx, Prisma } from '@/lib/db'
import { findLink } from './links'
import { referralProgramme } from './rules'

export type Via = 'cookie' | 'address' | 'typed'

/**
 * Remembers who brought a person, in the transaction that opens the account: there and never later. The first code that works counts, so the
 * caller names what the cookie holds before what the address carries. A code that is unknown, switched off, or one's own earns nothing and is
 * passed over in silence. What the two already share is looked for at once, and holds what will be earned.
 */
export async function attributeSignUp(
  tx: Tx,
  account: { userId: string },
  touches: readonly { via: Via; code: string }[],
): Promise<void> {
  if (!(await referralProgramme.read()).isOn) return
  for (const { via, code } of touches) {
    const link = await findLink(code.toUpperCase())
    if (!link || link.userId === account.userId) continue
    await tx.referral.create({
      data: { userId: account.userId, referrerId: link.userId, linkId: link.id, via },
      select: { userId: true },
    })
    await tx.$queryRaw(Prisma.sql`SELECT hold_self_referrals(ARRAY[${account.userId}])`)
    return
  }
}
