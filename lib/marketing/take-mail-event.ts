import type { Tx } from '@/lib/db'
import type { MailEventTaker } from '@/lib/notifications'
import { recipientStatesBefore } from './states'

/**
 * What the mail service tells of a mail of a campaign: found by the id that the mail carried, and moved where the moves allow. The caller keeps the event and stops
 * the address.
 */
export const campaignMails: MailEventTaker = {
  prefix: 'rcp',
  async find(tx: Tx, id: string) {
    const row = await tx.campaignRecipient.findUnique({ where: { id }, select: { to: true } })
    return row?.to ? { to: row.to } : null
  },
  async move(tx: Tx, id: string, told) {
    await tx.campaignRecipient.updateMany({
      where: { id, state: { in: recipientStatesBefore(told.kind) } },
      data: { state: told.kind, stateAt: told.happenedAt, failure: told.failure },
    })
    await tx.campaignRecipient.updateMany({
      where: { id, providerMessageId: null },
      data: { providerMessageId: told.messageId },
    })
  },
}
