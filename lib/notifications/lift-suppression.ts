import { z } from 'zod'
import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { defineJob, enqueue } from '@/lib/jobs'
import { accepted, type Clock, invariant, type Refusal, type Result, refused, systemClock } from '@/lib/kit'
import { chooseTransport } from './transports/choose-transport'

/** The mail service keeps a list of its own; without this it would go on refusing what we send again. */
export const releaseAddressJob = defineJob({
  name: 'notifications.release_address',
  payload: z.object({ address: z.string() }),
})

/** Has the mail service take an address off its list. Safe any number of times. Throws OperationalError when it cannot be asked; the job comes again. */
export async function releaseAddress({ address }: { address: string }): Promise<void> {
  await chooseTransport().release(address)
}

/**
 * Lets an address get mail again, with a reason, and tells the mail service. A complaint that is lifted brings service mails back, marketing never.
 * Refuses `not_found` and `already_decided` (it was lifted before).
 */
export async function liftSuppression(
  actor: Actor,
  input: { suppressionId: string; reason: string },
  clock: Clock = systemClock,
): Promise<Result<{ address: string }, Refusal<'not_found' | 'already_decided'>>> {
  invariant(actor.kind === 'staff', 'addresses are lifted by staff')
  return inTransaction<{ address: string }, Refusal<'not_found' | 'already_decided'>>(async (tx) => {
    const row = await tx.suppressedAddress.findUnique({
      where: { id: input.suppressionId },
      select: { address: true, reason: true },
    })
    if (!row) return refused('not_found')
    const lifted = await tx.suppressedAddress.updateMany({
      where: { id: input.suppressionId, liftedAt: null },
      data: { liftedAt: clock(), liftedBy: actor.id, liftReason: input.reason },
    })
    if (lifted.count === 0) return refused('already_decided')
    await enqueue(tx, releaseAddressJob, { address: row.address })
    await recordAudit(tx, actor, {
      action: 'mail.address_lifted',
      subjectKind: 'suppressed_address',
      subjectId: input.suppressionId,
      data: { reason: row.reason },
    })
    return accepted({ address: row.address })
  })
}
