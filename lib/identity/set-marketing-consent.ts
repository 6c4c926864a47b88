import { inTransaction } from '@/lib/db'
import { accepted, type Clock, systemClock } from '@/lib/kit'
import { recordConsent } from './consents'
import { TERMS_VERSION } from './terms'

/**
 * Records a yes or a no to news and offers, with the words the person saw. The same answer in the same words as before adds nothing, so that
 * the proof keeps the time of the first.
 */
export async function setMarketingConsent(
  userId: string,
  input: { isGranted: boolean; text: string; locale: string },
  clock: Clock = systemClock,
): Promise<void> {
  await inTransaction(async (tx) => {
    const current = await tx.consent.findFirst({
      where: { userId, kind: 'marketing' },
      orderBy: [{ at: 'desc' }, { id: 'desc' }],
      select: { isGranted: true },
    })
    if (current?.isGranted !== input.isGranted)
      await recordConsent(tx, { userId, kind: 'marketing', version: TERMS_VERSION, now: clock(), ...input })
    return accepted(null)
  })
}
