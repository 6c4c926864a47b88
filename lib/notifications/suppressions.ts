import { db, Prisma, type Tx } from '@/lib/db'
import { DAY_MS, newId } from '@/lib/kit'
import type { SuppressionReason } from './states'
import { TEMPLATE_RULES } from './template-rules'
import type { EmailTemplate } from './templates'

/** What a mail is for: `required` is about access, law or money; `marketing` is what nobody has to be sent. */
export type MailPurpose = 'required' | 'service' | 'marketing'

/** How often a day an address whose mails come back is tried with a confirming link: its owner asks for it, but so can a stranger at sign-up. */
const CONFIRMATIONS_A_DAY = 3

/** Lists an address in the caller's transaction. What happened before the address was last lifted does not list it again. Twice is once. */
export async function suppressAddress(
  tx: Tx,
  stop: { address: string; reason: SuppressionReason; emailId: string | null; at: Date },
): Promise<void> {
  const address = stop.address.toLowerCase()
  await tx.$executeRaw(Prisma.sql`
    INSERT INTO suppressed_addresses (id, address, reason, email_id, suppressed_at)
    SELECT ${newId('sup')}, ${address}, ${stop.reason}, ${stop.emailId}, ${stop.at}
    WHERE NOT EXISTS (SELECT 1 FROM suppressed_addresses WHERE address = ${address} AND reason = ${stop.reason} AND lifted_at >= ${stop.at})
    ON CONFLICT (address, reason) WHERE lifted_at IS NULL DO NOTHING`)
}

/**
 * Which of these addresses get no mail of this purpose, in lower case. A mailbox that is not there gets nothing; a complaint stops all but what is required, and
 * marketing for ever, also after staff lifted it.
 */
export async function listStopped(
  addresses: readonly string[],
  purpose: MailPurpose,
  tx: Tx | ReturnType<typeof db> = db(),
): Promise<Map<string, SuppressionReason>> {
  const rows = await tx.suppressedAddress.findMany({
    where: {
      address: { in: addresses.map((address) => address.toLowerCase()) },
      OR: [
        { reason: { in: ['hard_bounce', 'provider_list'] }, liftedAt: null },
        ...(purpose === 'service' ? [{ reason: 'complaint', liftedAt: null }] : []),
        ...(purpose === 'marketing' ? [{ reason: 'complaint' }] : []),
      ],
    },
    select: { address: true, reason: true },
    orderBy: { suppressedAt: 'asc' },
  })
  return new Map(rows.map((row) => [row.address, row.reason as SuppressionReason]))
}

/**
 * What stops this mail now, and whether it may pass all the same: a confirming link goes to an address whose mails came back, three times a day,
 * because following it is how its owner proves that the mailbox is there again.
 */
export async function findStop(
  mail: { id: string; to: string; template: string },
  now: Date,
): Promise<{ reason: SuppressionReason; isPassed: boolean } | null> {
  const rule = TEMPLATE_RULES[mail.template as EmailTemplate]
  const stopped = await listStopped([mail.to], rule?.isMailRequired ? 'required' : 'service')
  const reason = stopped.get(mail.to.toLowerCase())
  if (!reason) return null
  if (mail.template !== 'verify_email' || reason === 'complaint') return { reason, isPassed: false }
  const tried = await db().outgoingEmail.count({
    where: {
      to: mail.to,
      template: 'verify_email',
      id: { not: mail.id },
      triedAt: { gt: new Date(now.getTime() - DAY_MS) },
      state: { notIn: ['suppressed'] },
    },
  })
  return { reason, isPassed: tried < CONFIRMATIONS_A_DAY }
}

/** Lifts what came back, in the caller's transaction, because the owner of the address followed a link that was mailed there. A complaint stays. */
export async function liftConfirmed(tx: Tx, confirmed: { address: string; at: Date }): Promise<void> {
  await tx.suppressedAddress.updateMany({
    where: {
      address: confirmed.address.toLowerCase(),
      reason: { in: ['hard_bounce', 'provider_list'] },
      liftedAt: null,
      suppressedAt: { lte: confirmed.at },
    },
    data: { liftedAt: confirmed.at },
  })
}
