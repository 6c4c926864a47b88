import { db, Prisma } from '@/lib/db'
import { accepted, type Clock, type Refusal, type Result, refused, systemClock } from '@/lib/kit'
import { readLinkToken, readOpenToken } from './links'
import { listLinks } from './markup'

/** `isCounted`: false for whoever only looks ahead (HEAD, prefetch), which nobody has read. */
export type Reading = { isCounted: boolean }

/** Their yes of now, asked in the statement that writes: one who withdrew is never counted, and one who withdraws at the same time is erased after it. */
const STILL_ALLOWED = Prisma.sql`r.is_measured AND EXISTS (SELECT 1 FROM measuring_choices m WHERE m.user_id = r.user_id AND m.is_allowed)`

/**
 * Where a link of a measured mail leads: what the campaign's own text says under that number, never what the address says. Of somebody who allows it the first time is
 * kept, with the number of that link; who followed a link has opened the mail. Nothing else is kept, and nothing at all of anybody else. Refuses `not_found` for a token
 * that is not ours, and where there is no such mail any more.
 */
export async function followLink(
  token: string,
  { isCounted }: Reading,
  clock: Clock = systemClock,
): Promise<Result<{ url: string }, Refusal<'not_found'>>> {
  const link = readLinkToken(token)
  if (!link) return refused('not_found')
  const mail = await db().campaignRecipient.findUnique({
    where: { id: link.recipientId },
    select: { locale: true, isMeasured: true, clickedAt: true, campaign: { select: { bodyEn: true, bodyRu: true } } },
  })
  if (!mail) return refused('not_found')
  const body = mail.locale === 'ru' ? mail.campaign.bodyRu : mail.campaign.bodyEn
  const target = listLinks(body).find(({ number }) => number === link.number)
  if (!target) return refused('not_found')
  if (isCounted && mail.isMeasured && !mail.clickedAt) {
    const now = clock()
    await db().$executeRaw(Prisma.sql`
      UPDATE campaign_recipients r SET opened_at = coalesce(r.opened_at, ${now}), clicked_at = ${now}, clicked_link = ${link.number}
      WHERE r.id = ${link.recipientId} AND r.clicked_at IS NULL AND ${STILL_ALLOWED}`)
  }
  return accepted({ url: target.url })
}

/** A measured mail's image was loaded: of somebody who allows it the first time is kept, and nothing else. Refuses `not_found` for a token that is not ours. */
export async function noteOpening(
  token: string,
  { isCounted }: Reading,
  clock: Clock = systemClock,
): Promise<Result<null, Refusal<'not_found'>>> {
  const mail = readOpenToken(token)
  if (!mail) return refused('not_found')
  if (isCounted)
    await db().$executeRaw(Prisma.sql`
      UPDATE campaign_recipients r SET opened_at = ${clock()} WHERE r.id = ${mail.recipientId} AND r.opened_at IS NULL AND ${STILL_ALLOWED}`)
  return accepted(null)
}
