import type { Tx } from '@/lib/db'
import { newId } from '@/lib/kit'

/** `measuring`: whether the shop may learn that somebody opens its news and follows its links. */
export type ConsentKind = 'terms' | 'age' | 'marketing' | 'measuring'

/** Where a yes or a no was said. */
export type ConsentSource = 'sign_up' | 'settings' | 'preferences' | 'confirmation' | 'one_click' | 'support'

/**
 * Records in the caller's transaction that a person said yes or no, where, to which version, in which words, and returns the row's id. Rows are only ever added.
 * `addressDigest` comes from `addressDigest()`; an address itself is never kept.
 */
export async function recordConsent(
  tx: Tx,
  consent: {
    userId: string
    kind: ConsentKind
    isGranted: boolean
    version: string
    text: string
    locale: string
    source?: ConsentSource
    now: Date
    topic?: string
    channel?: string
    isPending?: boolean
    addressDigest?: string | null
    cause?: string | null
  },
): Promise<string> {
  const { now, ...data } = consent
  const id = newId('cns')
  await tx.consent.create({ data: { id, ...data, at: now }, select: { id: true } })
  return id
}
