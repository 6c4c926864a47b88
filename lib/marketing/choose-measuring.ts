import { inTransaction, Prisma, type Tx } from '@/lib/db'
import { addressDigest, recordConsent } from '@/lib/identity'
import { accepted, type Clock, type Refusal, type Result, refused, systemClock } from '@/lib/kit'
import { readPreferencesToken } from './links'
import { lockPerson, type Saying } from './lock-person'
import { MEASURING_VERSION, measuringStatement } from './topics'

/**
 * Writes down in the caller's transaction, under the lock of the person, whether the shop may learn that they open its news and which links they follow. What stays as it was
 * adds nothing. A no erases what was kept of them: it waits for a batch that is being claimed, and so finds each row that the old yes marked.
 */
export async function setMeasuring(
  tx: Tx,
  userId: string,
  isAllowed: boolean,
  said: Saying & { now: Date },
): Promise<void> {
  const { now } = said
  const old = await tx.measuringChoice.findUnique({ where: { userId }, select: { isAllowed: true } })
  if ((old?.isAllowed ?? false) === isAllowed) return
  const consentId = await recordConsent(tx, {
    userId,
    kind: 'measuring',
    isGranted: isAllowed,
    version: MEASURING_VERSION,
    text: measuringStatement(said.locale),
    locale: said.locale,
    source: said.source,
    addressDigest: said.visit ? addressDigest(said.visit) : null,
    cause: said.cause ?? null,
    now,
  })
  const data = { isAllowed, consentId, updatedAt: now }
  await tx.measuringChoice.upsert({
    where: { userId },
    create: { userId, ...data },
    update: data,
    select: { userId: true },
  })
  if (isAllowed) return
  await tx.$executeRaw(
    Prisma.sql`UPDATE campaign_recipients SET is_measured = false, opened_at = NULL, clicked_at = NULL, clicked_link = NULL WHERE user_id = ${userId} AND is_measured`,
  )
}

/**
 * A person's own answer, with the words they saw as proof; it has nothing to do with topics. It holds for mails that are sent from now on; a no also erases what was kept of
 * earlier ones. Refuses `not_found` for nobody.
 */
export async function chooseMeasuring(
  userId: string,
  input: { isAllowed: boolean } & Saying,
  clock: Clock = systemClock,
): Promise<Result<null, Refusal<'not_found'>>> {
  const { isAllowed, ...saying } = input
  return inTransaction<null, Refusal<'not_found'>>(async (tx) => {
    if (!(await lockPerson(tx, userId))) return refused('not_found')
    await setMeasuring(tx, userId, isAllowed, { ...saying, now: clock() })
    return accepted(null)
  })
}

/** The same from the page that a mail links to. Refuses `link_invalid` for a token that is not ours, and as `chooseMeasuring`. */
export async function chooseMeasuringByLink(
  token: string,
  input: { isAllowed: boolean } & Omit<Saying, 'source' | 'cause'>,
  clock: Clock = systemClock,
): Promise<Result<null, Refusal<'link_invalid' | 'not_found'>>> {
  const link = readPreferencesToken(token)
  if (!link) return refused('link_invalid')
  return chooseMeasuring(link.userId, { ...input, source: 'preferences', cause: link.campaignId }, clock)
}
