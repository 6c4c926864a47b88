import { db } from '@/lib/db'
import { isId } from '@/lib/kit'
import type { Role } from './permissions'

const PAGE = 50
const select = {
  id: true,
  email: true,
  username: true,
  role: true,
  locale: true,
  emailVerifiedAt: true,
  suspendedAt: true,
  createdAt: true,
} as const

function readUsers(where: object, take: number) {
  return db().user.findMany({ where, orderBy: { id: 'desc' }, take, select })
}
type UserRow = Awaited<ReturnType<typeof readUsers>>[number]
export type CustomerView = Omit<UserRow, 'role'> & { role: Role }

/**
 * Everybody with an account, newest first, for staff with `customers.read`. `search` is the beginning of an email or username, or a whole id;
 * `before` is the id of the last one seen.
 */
export async function listCustomers(query: {
  search?: string
  before?: string
}): Promise<{ rows: CustomerView[]; nextBefore: string | null }> {
  const text = query.search?.trim().toLowerCase() ?? ''
  const found = isId('usr', text)
    ? { id: text }
    : text
      ? { OR: [{ email: { startsWith: text } }, { usernameKey: { startsWith: text } }] }
      : {}
  const after = query.before && isId('usr', query.before) ? { id: { lt: query.before } } : {}
  const rows = (await readUsers({ AND: [found, after] }, PAGE + 1)) as CustomerView[]
  const shown = rows.slice(0, PAGE)
  return { rows: shown, nextBefore: rows.length > PAGE ? shown.at(-1)!.id : null }
}

/** One person for staff; null when there is none. */
export async function findCustomer(userId: string): Promise<CustomerView | null> {
  return (await db().user.findUnique({ where: { id: userId }, select })) as CustomerView | null
}

/** Names for ids, for tables that show whose a row is. */
export async function listUsernames(userIds: string[]): Promise<Map<string, string>> {
  const rows = await db().user.findMany({
    where: { id: { in: [...new Set(userIds)] } },
    select: { id: true, username: true },
  })
  return new Map(rows.map((row) => [row.id, row.username]))
}
