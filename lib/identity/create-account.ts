import { recordAudit, SYSTEM } from '@/lib/audit'
import { inTransaction, Prisma, type Tx } from '@/lib/db'
import { accepted, newId, type Refusal, type Result, refused } from '@/lib/kit'
import { hashPassword } from './passwords'
import type { Role } from './permissions'

/** The unique column that an insert ran into, or null when the error is another one. */
export function takenColumn(error: unknown): 'email' | 'username' | null {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError) || error.code !== 'P2002') return null
  return JSON.stringify(error.meta ?? {}).includes('username') ? 'username' : 'email'
}

/** Writes the account's row in the caller's transaction and returns its id. Throws Prisma's P2002 when email or username are taken. */
export async function insertUser(
  tx: Tx,
  user: {
    email: string
    username: string
    passwordHash: string
    locale: string
    role: Role
    emailVerifiedAt: Date | null
    now: Date
  },
): Promise<string> {
  const { now, ...data } = user
  const id = newId('usr')
  await tx.user.create({
    data: { id, ...data, usernameKey: user.username.toLowerCase(), createdAt: now },
    select: { id: true },
  })
  return id
}

/**
 * An account made by the shop itself: staff, demo customers, tests. Its address counts as confirmed and no mail is sent. The caller has
 * validated the input. Refuses a taken email or username.
 */
export async function createAccount(input: {
  email: string
  username: string
  password: string
  role?: Role
  locale?: string
}): Promise<Result<{ userId: string }, Refusal<'email_taken' | 'username_taken'>>> {
  const passwordHash = await hashPassword(input.password)
  const now = new Date()
  try {
    return await inTransaction(async (tx) => {
      const userId = await insertUser(tx, {
        email: input.email.trim().toLowerCase(),
        username: input.username,
        passwordHash,
        locale: input.locale ?? 'en',
        role: input.role ?? 'customer',
        emailVerifiedAt: now,
        now,
      })
      await recordAudit(tx, SYSTEM, {
        action: 'identity.account_created',
        subjectKind: 'user',
        subjectId: userId,
        data: { role: input.role ?? 'customer' },
      })
      return accepted({ userId })
    })
  } catch (error) {
    const column = takenColumn(error)
    if (column === null) throw error
    return refused(column === 'username' ? 'username_taken' : 'email_taken')
  }
}
