import { Prisma } from '@/lib/db'
import { refused } from '@/lib/kit'

/**
 * Catches what a save throws: of two at once with one slug the unique column lets one in, and the other is refused `slug_taken` as if it had
 * come later. Everything else is thrown on.
 */
export function refuseTakenSlug(error: unknown) {
  if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002') return refused('slug_taken')
  throw error
}
