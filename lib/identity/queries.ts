import { db } from '@/lib/db'
import { isId, type Page, pageOf } from '@/lib/kit'
import type { ConsentKind } from './consents'
import type { Role } from './permissions'

export type ConsentProof = { isGranted: boolean; version: string; text: string; locale: string; at: Date }

export type Profile = {
  username: string
  email: string
  locale: string
  createdAt: Date
  /** The answer that holds now for each kind, with its proof; absent when never asked. */
  consents: Partial<Record<ConsentKind, ConsentProof>>
}

/** A person's own profile for the settings page. Throws when there is no such person. */
export async function getProfile(userId: string): Promise<Profile> {
  const { consents, ...user } = await db().user.findUniqueOrThrow({
    where: { id: userId },
    select: {
      username: true,
      email: true,
      locale: true,
      createdAt: true,
      consents: {
        orderBy: [{ at: 'asc' }, { id: 'asc' }],
        select: { kind: true, isGranted: true, version: true, text: true, locale: true, at: true },
      },
    },
  })
  // In order of time, so that the newest of each kind is what remains.
  const newest: Profile['consents'] = {}
  for (const { kind, ...proof } of consents) newest[kind as ConsentKind] = proof
  return { ...user, consents: newest }
}

const PAGE = 50
const customerSelect = {
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
  return db().user.findMany({ where, orderBy: { id: 'desc' }, take, select: customerSelect })
}
type UserRow = Awaited<ReturnType<typeof readUsers>>[number]
export type CustomerView = Omit<UserRow, 'role'> & { role: Role }

/**
 * Everybody with an account, newest first, for staff with `customers.read`. `search` is the beginning of an email or username, or a whole id;
 * `before` is the id of the last one seen.
 */
export async function listCustomers(query: { search?: string; before?: string }): Promise<Page<CustomerView>> {
  const text = query.search?.trim().toLowerCase() ?? ''
  const found = isId('usr', text)
    ? { id: text }
    : text
      ? { OR: [{ email: { startsWith: text } }, { usernameKey: { startsWith: text } }] }
      : {}
  const after = query.before && isId('usr', query.before) ? { id: { lt: query.before } } : {}
  return pageOf((await readUsers({ AND: [found, after] }, PAGE + 1)) as CustomerView[], PAGE)
}

/** One person for staff; null when there is none. */
export async function findCustomer(userId: string): Promise<CustomerView | null> {
  return (await db().user.findUnique({ where: { id: userId }, select: customerSelect })) as CustomerView | null
}

/** Names for ids, for tables that show whose a row is. */
export async function listUsernames(userIds: string[]): Promise<Map<string, string>> {
  const rows = await db().user.findMany({
    where: { id: { in: [...new Set(userIds)] } },
    select: { id: true, username: true },
  })
  return new Map(rows.map((row) => [row.id, row.username]))
}
