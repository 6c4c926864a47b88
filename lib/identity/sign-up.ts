import { recordAudit } from '@/lib/audit'
import { inTransaction, type Tx } from '@/lib/db'
import { accepted, type Clock, type Refusal, type Result, refused, systemClock } from '@/lib/kit'
import { queueEmail } from '@/lib/notifications'
import { recordConsent } from './consents'
import { insertUser, takenColumn } from './create-account'
import { shopUrl } from './links'
import { hashPassword, passwordWeakness } from './passwords'
import { ANSWER_FLOOR_MS, takeAtLeast } from './take-at-least'
import { TERMS_VERSION } from './terms'
import { issueToken } from './tokens'

export type SignUpInput = {
  email: string
  username: string
  password: string
  locale: string
  /** The very words beside each tick box, in the language the person saw. */
  statements: { terms: string; age: string }
}

/** What others do in the transaction that opens an account: remember who brought this person, and whether they want news. */
export type OnOpened = (tx: Tx, account: { userId: string; email: string; now: Date }) => Promise<void>

/**
 * Opens an account and mails a link that confirms the address. An address that has an account already gets a mail that says so instead; the
 * answer here is the same, in words and in time. Refuses `username_taken` and `password_too_weak` (fact `reason`). The caller has validated
 * the input, the accepted terms and the age statement among it.
 */
export async function signUp(
  input: SignUpInput,
  clock: Clock = systemClock,
  onOpened?: OnOpened,
): Promise<Result<null, Refusal<'username_taken' | 'password_too_weak'>>> {
  const weakness = passwordWeakness(input.password, input)
  if (weakness) return refused('password_too_weak', { reason: weakness })
  return takeAtLeast(ANSWER_FLOOR_MS, async () => {
    // Hashed before anything is looked up, so that both branches pay for it.
    const passwordHash = await hashPassword(input.password)
    try {
      return await inTransaction((tx) => openAccount(tx, input, { passwordHash, now: clock(), onOpened }))
    } catch (error) {
      // Two sign-ups at once: the unique columns decided, and the later one is answered as if it had come later.
      const column = takenColumn(error)
      if (column === null) throw error
      if (column === 'username') return refused('username_taken')
      return inTransaction((tx) => tellOwner(tx, input, clock()))
    }
  })
}

async function openAccount(
  tx: Tx,
  input: SignUpInput,
  { passwordHash, now, onOpened }: { passwordHash: string; now: Date; onOpened: OnOpened | undefined },
): Promise<Result<null, Refusal<'username_taken'>>> {
  const usernameKey = input.username.toLowerCase()
  // Claimed in both branches below, so that the name's second use is answered alike whether or not the first made an account.
  const claimed = await tx.usernameReservation.createMany({ data: [{ usernameKey }], skipDuplicates: true })
  if (claimed.count === 0) return refused('username_taken')
  const taken = await tx.user.findMany({
    where: { OR: [{ email: input.email }, { usernameKey }] },
    select: { email: true, usernameKey: true },
  })
  if (taken.some((user) => user.usernameKey === usernameKey)) return refused('username_taken')
  if (taken.length > 0) return tellOwner(tx, input, now)

  const userId = await insertUser(tx, {
    email: input.email,
    username: input.username,
    passwordHash,
    locale: input.locale,
    role: 'customer',
    emailVerifiedAt: null,
    now,
  })
  await onOpened?.(tx, { userId, email: input.email, now })
  const consent = { userId, version: TERMS_VERSION, locale: input.locale, source: 'sign_up' as const, now }
  await recordConsent(tx, { ...consent, kind: 'terms', isGranted: true, text: input.statements.terms })
  await recordConsent(tx, { ...consent, kind: 'age', isGranted: true, text: input.statements.age })
  await queueVerification(tx, { userId, email: input.email, username: input.username, locale: input.locale, now })
  await recordAudit(
    tx,
    { kind: 'user', id: userId },
    { action: 'identity.signed_up', subjectKind: 'user', subjectId: userId },
  )
  return accepted(null)
}

/** Promises the mail that confirms an address, unless one was promised within the last minute. */
export async function queueVerification(
  tx: Tx,
  user: { userId: string; email: string; username: string; locale: string; now: Date },
): Promise<void> {
  const token = await issueToken(tx, { userId: user.userId, purpose: 'verify_email', now: user.now })
  if (!token) return
  await queueEmail(tx, {
    key: `verify_email:${token.id}`,
    userId: user.userId,
    to: user.email,
    locale: user.locale,
    template: 'verify_email',
    props: { username: user.username, url: shopUrl('/verify', { token: token.secret }) },
  })
}

/**
 * Tells the owner of an address that somebody tried to sign up with it. An owner who never confirmed the address gets the link again: that is
 * what they came for. The key holds the day: one such mail a day is enough, and nobody can fill a mailbox through us.
 */
async function tellOwner(tx: Tx, input: SignUpInput, now: Date): Promise<Result<null, never>> {
  const owner = await tx.user.findUnique({
    where: { email: input.email },
    select: { id: true, email: true, username: true, locale: true, emailVerifiedAt: true, suspendedAt: true },
  })
  if (!owner || owner.suspendedAt) return accepted(null)
  if (!owner.emailVerifiedAt) {
    await queueVerification(tx, { ...owner, userId: owner.id, now })
    return accepted(null)
  }
  await queueEmail(tx, {
    key: `account_exists:${owner.id}:${now.toISOString().slice(0, 10)}`,
    userId: owner.id,
    to: owner.email,
    locale: owner.locale,
    template: 'account_exists',
    props: { username: owner.username, signInUrl: shopUrl('/sign-in'), resetUrl: shopUrl('/forgot-password') },
  })
  return accepted(null)
}
