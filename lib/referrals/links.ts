import { randomInt } from 'node:crypto'
import { db, inTransaction, Prisma } from '@/lib/db'
import { accepted, newId, refused, type Refusal, type Result } from '@/lib/kit'

/** Without letters and digits that look alike. */
const ALPHABET = 'ABCDEFGHJKMNPQRSTUVWXYZ23456789'
const MAX_LINKS = 20

/**
 * Makes a personal link. Without a code of their own, a person gets eight characters that nobody mistypes. Refuses `referral_code_taken`, and
 * `too_many_links` {max} from twenty on (those switched off count: their codes stay theirs).
 */
export async function makeLink(
  actor: { id: string },
  input: { label: string; code: string | null },
): Promise<Result<{ linkId: string; code: string }, Refusal<'referral_code_taken' | 'too_many_links'>>> {
  return inTransaction<{ linkId: string; code: string }, Refusal<'referral_code_taken' | 'too_many_links'>>(
    async (tx) => {
      // Two at once stand in line behind their owner's row.
      await tx.$executeRaw(Prisma.sql`SELECT 1 FROM users WHERE id = ${actor.id} FOR NO KEY UPDATE`)
      if ((await tx.referralLink.count({ where: { userId: actor.id } })) >= MAX_LINKS)
        return refused('too_many_links', { max: MAX_LINKS })
      const id = newId('rfl')
      for (;;) {
        const code = input.code ?? Array.from({ length: 8 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
        const made = await tx.referralLink.createMany({
          data: [{ id, userId: actor.id, label: input.label, code }],
          skipDuplicates: true,
        })
        if (made.count === 1) return accepted({ linkId: id, code })
        if (input.code !== null) return refused('referral_code_taken')
      }
    },
  )
}

/** Renames a link or switches it off and on. What came through it stays. Refuses `not_found`, also for somebody else's. */
export async function changeLink(
  actor: { id: string },
  input: { linkId: string; label: string; isActive: boolean },
): Promise<Result<null, Refusal<'not_found'>>> {
  const changed = await db().referralLink.updateMany({
    where: { id: input.linkId, userId: actor.id },
    data: { label: input.label, isActive: input.isActive },
  })
  return changed.count === 1 ? accepted(null) : refused('not_found')
}

/** The link behind a code, if it works: switched on, and its owner not suspended. The code is in upper case. */
export async function findLink(code: string): Promise<{ id: string; userId: string } | null> {
  const [link] = await db().$queryRaw<{ id: string; userId: string }[]>(Prisma.sql`
    SELECT l.id, l.user_id AS "userId" FROM referral_links l JOIN users u ON u.id = l.user_id
    WHERE l.code = ${code} AND l.is_active AND u.suspended_at IS NULL`)
  return link ?? null
}

/** Counts one visit through a link on this day (UTC). Nothing about the visitor is kept. */
export async function countClick(linkId: string): Promise<void> {
  await db().$executeRaw(Prisma.sql`
    INSERT INTO referral_link_days (link_id, day, clicks) VALUES (${linkId}, (now() AT TIME ZONE 'UTC')::date, 1)
    ON CONFLICT (link_id, day) DO UPDATE SET clicks = referral_link_days.clicks + 1`)
}
