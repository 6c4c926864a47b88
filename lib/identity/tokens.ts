import { createHash, randomBytes } from 'node:crypto'
import type { Tx } from '@/lib/db'
import { DAY_MS, HOUR_MS, MINUTE_MS, newId } from '@/lib/kit'
import { tokenSchema } from './schemas'

export type TokenPurpose = 'verify_email' | 'reset_password'

/**
 * How long a mailed link holds. A day for confirming an address: people sign up in the evening and read mail in the morning. An hour for a
 * new password: whoever asks for one is waiting for it, and the link is worth an account.
 */
const LIFETIME_MS: Record<TokenPurpose, number> = { verify_email: DAY_MS, reset_password: HOUR_MS }

/** A second link within this time is not sent: a page reloaded twice, or somebody filling a stranger's mailbox. */
const PAUSE_MS = MINUTE_MS

function hashToken(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}

/**
 * Makes a link's secret in the caller's transaction and returns it with the row's id. Only its hash is stored. Returns null when one of this
 * purpose was made less than a minute ago.
 */
export async function issueToken(
  tx: Tx,
  token: { userId: string; purpose: TokenPurpose; now: Date },
): Promise<{ id: string; secret: string } | null> {
  const recent = await tx.emailToken.findFirst({
    where: {
      userId: token.userId,
      purpose: token.purpose,
      usedAt: null,
      createdAt: { gt: new Date(token.now.getTime() - PAUSE_MS) },
    },
    select: { id: true },
  })
  if (recent) return null
  const secret = randomBytes(32).toString('base64url')
  const id = newId('etk')
  await tx.emailToken.create({
    data: {
      id,
      userId: token.userId,
      purpose: token.purpose,
      tokenHash: hashToken(secret),
      createdAt: token.now,
      expiresAt: new Date(token.now.getTime() + LIFETIME_MS[token.purpose]),
    },
    select: { id: true },
  })
  return { id, secret }
}

/**
 * Uses a link up in the caller's transaction and returns whose it is; null when it is malformed, unknown, of another purpose, expired or used.
 * One conditional update, so that of two clicks at once exactly one wins.
 */
export async function consumeToken(
  tx: Tx,
  token: { secret: string; purpose: TokenPurpose; now: Date },
): Promise<string | null> {
  if (!tokenSchema.safeParse(token.secret).success) return null
  const [row] = await tx.emailToken.updateManyAndReturn({
    where: {
      tokenHash: hashToken(token.secret),
      purpose: token.purpose,
      usedAt: null,
      expiresAt: { gt: token.now },
    },
    data: { usedAt: token.now },
    select: { userId: true },
  })
  return row?.userId ?? null
}

/** Makes every open link of this purpose worthless, in the caller's transaction. */
export async function voidTokens(tx: Tx, tokens: { userId: string; purpose: TokenPurpose; now: Date }): Promise<void> {
  await tx.emailToken.updateMany({
    where: { userId: tokens.userId, purpose: tokens.purpose, usedAt: null },
    data: { usedAt: tokens.now },
  })
}
