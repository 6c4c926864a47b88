import type { Policy, PolicyRow } from '@/lib/catalog'
import { HOUR_MS } from '@/lib/kit'

/** All that a policy may ask about one proxy that a customer holds. */
export type ProxyFacts = {
  allocationId: string
  /** When this proxy was handed over, and when its order was. */
  handedOverAt: Date
  deliveredAt: Date
  expiresAt: Date
  /** Its last check failed. */
  isDead: boolean
  grantedBytes: bigint | null
  usedBytes: bigint | null
  /** What was paid for this place of the order in all, with its renewals, and what of it was given back already. */
  paidMicros: bigint
  creditedMicros: bigint
  /** How often this place was exchanged. */
  replacements: number
}

export type Remedy =
  | { kind: 'replace'; row: PolicyRow; moneyMicros: bigint }
  | { kind: 'refund'; row: PolicyRow; moneyMicros: bigint }

/**
 * What a policy gives for a proxy at a moment: by the first row that fits, of the remedy that is asked for, or of any. Null: nothing. `moneyMicros` is exact:
 * the row's percent of what was paid for the proxy, or of what is left of that by time, rounded down to a micro, never more than was paid and not
 * given back. For a replacement it is what is given when there is nothing to replace it with.
 */
export function decideRemedy(
  policy: Policy,
  facts: ProxyFacts,
  now: Date,
  asked: 'replace' | 'refund' | 'any' = 'any',
): Remedy | null {
  const row = policy.rows.find((each) => (asked === 'any' || each.remedy === asked) && fits(each, policy, facts, now))
  if (!row) return null
  return { kind: row.remedy, row, moneyMicros: moneyBy(row, facts, now) }
}

function fits(row: PolicyRow, policy: Policy, facts: ProxyFacts, now: Date): boolean {
  const since = row.when === 'dead' ? facts.handedOverAt : facts.deliveredAt
  if (row.withinHours !== null && now.getTime() - since.getTime() > row.withinHours * HOUR_MS) return false
  if (row.remedy === 'replace' && facts.replacements >= policy.replacementsPerProxy) return false
  switch (row.when) {
    case 'dead':
      return facts.isDead
    case 'unused':
      if (facts.grantedBytes === null) return false
      return (facts.usedBytes ?? 0n) * 100n <= facts.grantedBytes * BigInt(row.maxTrafficPercent ?? 0)
    case 'any':
      return true
  }
}

function moneyBy(row: PolicyRow, facts: ProxyFacts, now: Date): bigint {
  const base = row.of === 'paid' ? facts.paidMicros : shareOf(facts, now, facts.expiresAt)
  const money = (base * BigInt(row.refundPercent)) / 100n
  const left = facts.paidMicros - facts.creditedMicros
  return money < left ? money : left > 0n ? left : 0n
}

/** What was paid for the time between two moments of a proxy's life, rounded down to a micro. */
export function shareOf(
  facts: Pick<ProxyFacts, 'paidMicros' | 'deliveredAt' | 'expiresAt'>,
  from: Date,
  to: Date,
): bigint {
  const begin = Math.max(from.getTime(), facts.deliveredAt.getTime())
  const end = Math.min(to.getTime(), facts.expiresAt.getTime())
  const whole = facts.expiresAt.getTime() - facts.deliveredAt.getTime()
  if (end <= begin || whole <= 0) return 0n
  return (facts.paidMicros * BigInt(end - begin)) / BigInt(whole)
}
