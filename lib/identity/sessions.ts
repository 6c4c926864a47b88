import { db, type Tx } from '@/lib/db'
import { type Clock, DAY_MS, isId, MINUTE_MS, newId, systemClock } from '@/lib/kit'
import { isRole, type Role } from './permissions'

/** A month: long enough not to be in the way, short enough that a forgotten computer does not stay signed in for good. */
export const SESSION_LIFETIME_MS = 30 * DAY_MS

/** `lastSeenAt` is for the person's eye; writing it on every request would make each page a write. */
const SEEN_EVERY_MS = 10 * MINUTE_MS

/** Who is signed in, as pages and commands know them. */
export type SessionUser = {
  id: string
  email: string
  username: string
  role: Role
  locale: string
  isEmailVerified: boolean
}

/** Opens a session and returns its id. The caller has checked the credentials. */
export async function openSession(
  userId: string,
  clock: Clock = systemClock,
): Promise<{ sessionId: string; expiresAt: Date }> {
  const now = clock()
  const expiresAt = new Date(now.getTime() + SESSION_LIFETIME_MS)
  const sessionId = newId('ses')
  await db().session.create({
    data: { id: sessionId, userId, createdAt: now, lastSeenAt: now, expiresAt },
    select: { id: true },
  })
  return { sessionId, expiresAt }
}

/**
 * Who holds this session; null when it does not exist, has ended or was revoked, and when its person is suspended or has a role we do not know.
 */
export async function findSession(sessionId: string, clock: Clock = systemClock): Promise<SessionUser | null> {
  if (!isId('ses', sessionId)) return null
  const now = clock()
  const session = await db().session.findUnique({
    where: { id: sessionId },
    select: {
      expiresAt: true,
      revokedAt: true,
      lastSeenAt: true,
      user: {
        select: {
          id: true,
          email: true,
          username: true,
          role: true,
          locale: true,
          emailVerifiedAt: true,
          suspendedAt: true,
        },
      },
    },
  })
  if (!session || session.revokedAt || session.expiresAt <= now) return null
  const { emailVerifiedAt, suspendedAt, role, ...user } = session.user
  if (suspendedAt || !isRole(role)) return null
  if (now.getTime() - session.lastSeenAt.getTime() > SEEN_EVERY_MS)
    await db().session.updateMany({ where: { id: sessionId }, data: { lastSeenAt: now } })
  return { ...user, role, isEmailVerified: emailVerifiedAt !== null }
}

/** Ends one session. Ending one that has ended already changes nothing. */
export async function revokeSession(sessionId: string, clock: Clock = systemClock): Promise<void> {
  await db().session.updateMany({ where: { id: sessionId, revokedAt: null }, data: { revokedAt: clock() } })
}

/** Ends every session of a person in the caller's transaction, but for one that may stay. */
export async function revokeSessions(
  tx: Tx,
  sessions: { userId: string; exceptSessionId?: string; now: Date },
): Promise<void> {
  await tx.session.updateMany({
    where: { userId: sessions.userId, revokedAt: null, id: { not: sessions.exceptSessionId } },
    data: { revokedAt: sessions.now },
  })
}
