import type { Policy, PolicyRow } from '@/lib/catalog'
import { HOUR_MS } from '@/lib/kit'

export type Guarantee = { row: PolicyRow; until: Date; isOver: boolean }

/**
 * Until when each row of a policy holds for one proxy: its clock, as decideRemedy of lib/remedies reads it. Rows that can never fit (traffic rules for what is
 * not sold by traffic) are left out; an exchange that was used up is over.
 */
export function guaranteesOf(
  policy: Policy,
  proxy: {
    handedOverAt: Date
    deliveredAt: Date
    expiresAt: Date
    isByTraffic: boolean
    isHeld: boolean
    replacements: number
  },
  now: Date,
): Guarantee[] {
  return policy.rows
    .filter((row) => row.when !== 'unused' || proxy.isByTraffic)
    .map((row) => {
      const since = row.when === 'dead' ? proxy.handedOverAt : proxy.deliveredAt
      const ends = row.withinHours === null ? null : new Date(since.getTime() + row.withinHours * HOUR_MS)
      const until = ends && ends < proxy.expiresAt ? ends : proxy.expiresAt
      const isUsedUp = row.remedy === 'replace' && proxy.replacements >= policy.replacementsPerProxy
      return { row, until, isOver: !proxy.isHeld || isUsedUp || until <= now }
    })
}
