import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COMMON_POLICY, type Policy } from '@/lib/catalog/policy'
import { decideRemedy, type ProxyFacts, shareOf } from './decide-remedy'

const HOUR = 3_600_000
const DELIVERED = new Date('2027-01-01T00:00:00Z')
const after = (hours: number) => new Date(DELIVERED.getTime() + hours * HOUR)
const facts = (more: Partial<ProxyFacts> = {}): ProxyFacts => ({
  allocationId: 'alc_1',
  handedOverAt: DELIVERED,
  deliveredAt: DELIVERED,
  expiresAt: after(30 * 24),
  isDead: false,
  grantedBytes: null,
  usedBytes: null,
  paidMicros: 3_000_000n,
  creditedMicros: 0n,
  replacements: 0,
  ...more,
})

describe('the common policy', () => {
  test.each([
    ['dead in the first day: another one, or all of the money', facts({ isDead: true }), 23, 'replace', 3_000_000n],
    ['dead later: another one, or what is left by time', facts({ isDead: true }), 15 * 24, 'replace', 1_500_000n],
    ['dead, exchanged often enough', facts({ isDead: true, replacements: 2 }), 1, null, 0n],
    ['alive: nothing', facts(), 1, null, 0n],
    [
      'gigabytes hardly used in the first day: all of the money',
      facts({ grantedBytes: 1000n, usedBytes: 100n }),
      24,
      'refund',
      3_000_000n,
    ],
    ['gigabytes used a little more', facts({ grantedBytes: 1000n, usedBytes: 101n }), 24, null, 0n],
    ['gigabytes not used, but later', facts({ grantedBytes: 1000n, usedBytes: 0n }), 24.1, null, 0n],
    [
      'never above what is left of what was paid',
      facts({ isDead: true, creditedMicros: 2_900_000n }),
      1,
      'replace',
      100_000n,
    ],
  ] as const)('%s', (_, proxy, hours, kind, money) => {
    const remedy = decideRemedy(COMMON_POLICY, proxy, after(hours))
    expect(remedy?.kind ?? null).toBe(kind)
    expect(remedy?.moneyMicros ?? 0n).toBe(money)
  })

  test('what is asked for is given by a row for it only', () => {
    expect(decideRemedy(COMMON_POLICY, facts({ isDead: true }), after(1), 'refund')).toBeNull()
    expect(decideRemedy(COMMON_POLICY, facts({ isDead: true }), after(1), 'replace')).not.toBeNull()
  })
})

test('the clock of a dead proxy starts with that proxy, the clock of a change of mind with the order', () => {
  const policy: Policy = {
    rows: [
      { when: 'dead', withinHours: 24, maxTrafficPercent: null, remedy: 'replace', refundPercent: 0, of: 'paid' },
      { when: 'any', withinHours: 48, maxTrafficPercent: null, remedy: 'refund', refundPercent: 50, of: 'remaining' },
    ],
    replacementsPerProxy: 5,
    downtimeHours: null,
  }
  const later = facts({ isDead: true, handedOverAt: after(40), replacements: 1 })
  expect(decideRemedy(policy, later, after(47))?.kind).toBe('replace')
  expect(decideRemedy(policy, { ...later, isDead: false }, after(47))?.kind).toBe('refund')
  expect(decideRemedy(policy, { ...later, isDead: false }, after(49))).toBeNull()
})

test('whatever the policy and the facts: never more than was paid and not given back, and less as time passes', () => {
  const row = fc.record({
    when: fc.constantFrom('dead' as const, 'any' as const),
    withinHours: fc.option(fc.integer({ min: 1, max: 800 }), { nil: null }),
    maxTrafficPercent: fc.constant(null),
    remedy: fc.constantFrom('replace' as const, 'refund' as const),
    refundPercent: fc.integer({ min: 1, max: 100 }),
    of: fc.constantFrom('paid' as const, 'remaining' as const),
  })
  fc.assert(
    fc.property(
      fc.array(row, { maxLength: 5 }),
      fc.bigInt({ min: 0n, max: 10n ** 12n }),
      fc.bigInt({ min: 0n, max: 10n ** 12n }),
      fc.double({ min: 0, max: 900, noNaN: true }),
      (rows, paidMicros, creditedMicros, hours) => {
        const policy = { rows, replacementsPerProxy: 1, downtimeHours: null }
        const remedy = decideRemedy(policy, facts({ paidMicros, creditedMicros, isDead: true }), after(hours))
        const money = remedy?.moneyMicros ?? 0n
        expect(money >= 0n).toBe(true)
        expect(money <= paidMicros).toBe(true)
        if (money > 0n) expect(money + creditedMicros <= paidMicros).toBe(true)
      },
    ),
  )
})

test('shares of a life that is cut in pieces never sum to more than was paid', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 720 }), { minLength: 1, maxLength: 8 }),
      fc.bigInt({ min: 0n, max: 10n ** 10n }),
      (cuts, paidMicros) => {
        const moments = [0, ...cuts.toSorted((a, b) => a - b), 720]
        const proxy = facts({ paidMicros })
        const sum = moments
          .slice(1)
          .reduce((total, hours, index) => total + shareOf(proxy, after(moments[index]!), after(hours)), 0n)
        expect(sum <= paidMicros).toBe(true)
        expect(paidMicros - sum <= BigInt(moments.length)).toBe(true)
      },
    ),
  )
})
