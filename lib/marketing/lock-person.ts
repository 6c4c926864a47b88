import { Prisma, type Tx } from '@/lib/db'
import type { ConsentSource, Visit } from '@/lib/identity'

/** Where and how something was said, for its proof. Of the network address only a keyed digest is kept. */
export type Saying = { source: ConsentSource; locale: string; visit?: Visit; cause?: string | null }

/** The person, locked: of two choices at once one is first, and the rows agree with the last consent. Null for nobody. */
export async function lockPerson(tx: Tx, userId: string) {
  const [person] = await tx.$queryRaw<{ email: string; username: string; locale: string }[]>(
    Prisma.sql`SELECT email, username, locale FROM users WHERE id = ${userId} FOR NO KEY UPDATE`,
  )
  return person ?? null
}
