import type { Tx } from '@/lib/db'
import { newId } from '@/lib/kit'

export type ConsentKind = 'terms' | 'age' | 'marketing'

/** Records in the caller's transaction that a person said yes or no, to which version, in which words. Rows are only ever added. */
export async function recordConsent(
  tx: Tx,
  consent: {
    userId: string
    kind: ConsentKind
    isGranted: boolean
    version: string
    text: string
    locale: string
    now: Date
  },
): Promise<void> {
  const { now, ...data } = consent
  await tx.consent.create({ data: { id: newId('cns'), ...data, at: now }, select: { id: true } })
}
