import { db } from '@/lib/db'
import type { ConsentKind } from './consents'

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
