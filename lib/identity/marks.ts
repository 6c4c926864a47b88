import { createHmac } from 'node:crypto'
import { BlockList, isIP } from 'node:net'
import { z } from 'zod'
import { db, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { defineJob } from '@/lib/jobs'
import { DAY_MS } from '@/lib/kit'

/** What a request tells about who comes. Read for marks, and never stored as it is. */
export type Visit = { address: string | null; userAgent: string | null; languages: string | null }

/** How long a mark is kept after it was last seen: rewards wait for weeks, and what is older than a season decides nothing. */
const KEPT_DAYS = 120

/** Addresses behind which anybody may sit: a mark made of them would accuse strangers. */
const SHARED = new BlockList()
const SHARED_NETWORKS = ['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12']
for (const network of [...SHARED_NETWORKS, '192.168.0.0/16', '::/127', 'fc00::/7', 'fe80::/10']) {
  const [address, bits] = network.split('/')
  SHARED.addSubnet(address!, Number(bits), address!.includes(':') ? 'ipv6' : 'ipv4')
}

export const removeOldMarksJob = defineJob({ name: 'identity.remove_old_marks', payload: z.object({}), maxAttempts: 3 })

/**
 * Remembers, as keyed digests, what a person was seen with: the public address (of IPv6 the network a provider gives to one household), the device (browser and
 * languages within one network), the mail address without its variants, a payer's reference. Equal digests tell that two accounts
 * share something, and nothing else can be read from them. Kept for 120 days from when they were last seen.
 */
export async function noteMarks(
  userId: string,
  seen: { visit?: Visit; email?: string; payerReference?: string },
  tx?: Tx,
): Promise<void> {
  const marks: [kind: string, value: string][] = []
  if (seen.email) marks.push(['mail', plainMailbox(seen.email)])
  if (seen.payerReference) marks.push(['payer', seen.payerReference])
  const network = seen.visit?.address ? networkOf(seen.visit.address) : null
  if (seen.visit && network) {
    marks.push(['address', network.household])
    const { userAgent, languages } = seen.visit
    if (userAgent) marks.push(['device', JSON.stringify([network.wide, userAgent, languages ?? ''])])
  }
  if (marks.length === 0) return
  await (tx ?? db()).$executeRaw(Prisma.sql`
    INSERT INTO person_marks (user_id, kind, digest)
    SELECT ${userId}, kind, digest FROM jsonb_to_recordset(${JSON.stringify(
      marks.map(([kind, value]) => ({ kind, digest: digestOf(kind, value) })),
    )}::jsonb) AS m(kind text, digest text)
    ON CONFLICT (user_id, kind, digest) DO UPDATE SET seen_at = now() WHERE person_marks.seen_at < now() - interval '1 hour'`)
}

/** Forgets marks that nobody was seen with for 120 days. Returns how many. */
export async function removeOldMarks(now = new Date()): Promise<number> {
  const removed = await db().personMark.deleteMany({
    where: { seenAt: { lt: new Date(now.getTime() - KEPT_DAYS * DAY_MS) } },
  })
  return removed.count
}

/** The network address of a visit as a keyed digest, for the proof of a consent: equal digests say "the same", and nothing else can be read. Null without one. */
export function addressDigest({ address }: Visit): string | null {
  return address === null ? null : digestOf('consent', address)
}

function digestOf(kind: string, value: string): string {
  return createHmac('sha256', env().AUTH_SECRET).update(`person-mark:${kind}:${value}`).digest('base64url')
}

/**
 * The mailbox behind an address: without `+tag`, for Google's without dots and under one name. Two accounts with one mailbox are allowed;
 * that one of them earns by the other is what a person looks at.
 */
export function plainMailbox(email: string): string {
  const [name = '', host = ''] = email.trim().toLowerCase().split('@')
  const plain = name.split('+')[0]!
  return host === 'gmail.com' || host === 'googlemail.com'
    ? `${plain.replaceAll('.', '')}@gmail.com`
    : `${plain}@${host}`
}

/** The household an address belongs to and the network around it; null for addresses that many strangers share. */
function networkOf(address: string): { household: string; wide: string } | null {
  const family = isIP(address)
  if (family === 0 || SHARED.check(address, family === 6 ? 'ipv6' : 'ipv4')) return null
  if (family === 4) return { household: address, wide: address.split('.').slice(0, 3).join('.') }
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = groups.split('::')
  const first = head.split(':').filter(Boolean)
  const last = tail === undefined ? [] : tail.split(':').filter(Boolean)
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => '0'), ...last]
  return { household: all.slice(0, 4).join(':'), wide: all.slice(0, 3).join(':') }
}
