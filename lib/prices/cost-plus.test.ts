import fc from 'fast-check'
import { expect, it } from 'vitest'
import { convertCost, costPlusPrice, parseRate } from './cost-plus'

const NONE = { marginBasisPoints: 0, fixedMicros: 0n, minimumMicros: 0n }
const EXACT = { stepMicros: null, belowMicros: 0n }

it.each([
  ['a fifth on top', 1_000_000n, { ...NONE, marginBasisPoints: 2000 }, EXACT, 1_200_000n],
  ['a fixed part on top', 1_000_000n, { ...NONE, fixedMicros: 150_000n }, EXACT, 1_150_000n],
  [
    'both, up to 0.05',
    1_000_000n,
    { ...NONE, marginBasisPoints: 1000, fixedMicros: 20_000n },
    step(50_000n),
    1_150_000n,
  ],
  ['what lies on the step stays', 1_000_000n, NONE, step(50_000n), 1_000_000n],
  ['up to .99', 1_000_001n, NONE, { stepMicros: 1_000_000n, belowMicros: 10_000n }, 1_990_000n],
  ['what ends in .99 stays', 1_990_000n, NONE, { stepMicros: 1_000_000n, belowMicros: 10_000n }, 1_990_000n],
  ['above .99 goes to the next', 1_995_000n, NONE, { stepMicros: 1_000_000n, belowMicros: 10_000n }, 2_990_000n],
  ['no less than the minimum', 10_000n, { ...NONE, minimumMicros: 300_000n }, EXACT, 300_000n],
  ['the minimum is rounded, too', 10_000n, { ...NONE, minimumMicros: 310_000n }, step(50_000n), 350_000n],
  ['a part of a micro of margin counts as one', 1n, { ...NONE, marginBasisPoints: 1 }, EXACT, 2n],
])('%s', (_, cost, line, ending, price) => {
  expect(costPlusPrice(cost, line, ending)).toBe(price)
})

function step(stepMicros: bigint) {
  return { stepMicros, belowMicros: 0n }
}

const cost = fc.bigInt({ min: 0n, max: 10n ** 13n })
const line = fc.record({
  marginBasisPoints: fc.integer({ min: 0, max: 100_000 }),
  fixedMicros: fc.bigInt({ min: 0n, max: 10n ** 9n }),
  minimumMicros: fc.bigInt({ min: 0n, max: 10n ** 9n }),
})
const ending = fc.oneof(
  fc.constant(EXACT),
  fc
    .tuple(fc.bigInt({ min: 1n, max: 10n ** 8n }), fc.bigInt({ min: 0n, max: 10n ** 8n }))
    .map(([stepMicros, below]) => ({ stepMicros, belowMicros: below % stepMicros })),
)

it('always: never below the cost nor below what was computed, and less than one step above it', () => {
  fc.assert(
    fc.property(cost, line, ending, (costMicros, terms, end) => {
      const computed = costPlusPrice(costMicros, terms, EXACT)
      const price = costPlusPrice(costMicros, terms, end)
      expect(computed >= costMicros && computed >= terms.minimumMicros).toBe(true)
      expect(price >= computed && price - computed < (end.stepMicros ?? 1n)).toBe(true)
      if (end.stepMicros !== null) expect((price + end.belowMicros) % end.stepMicros).toBe(0n)
      // The margin asked for is there to the last part of a micro.
      expect(
        (computed - terms.fixedMicros) * 10_000n >= costMicros * BigInt(10_000 + terms.marginBasisPoints) ||
          computed === terms.minimumMicros,
      ).toBe(true)
    }),
  )
})

it('always: a higher cost never makes a lower price', () => {
  fc.assert(
    fc.property(cost, cost, line, ending, (a, b, terms, end) => {
      const [low, high] = a < b ? [a, b] : [b, a]
      expect(costPlusPrice(low, terms, end) <= costPlusPrice(high, terms, end)).toBe(true)
    }),
  )
})

it('converts a cost exactly, up to the next micro, and takes nothing that is no rate', () => {
  expect(convertCost(1_000_000n, '1.0842')).toBe(1_084_200n)
  expect(convertCost(1n, '0.000000001')).toBe(1n)
  expect(convertCost(3_000_000n, '0,333333333')).toBe(1_000_000n)
  for (const wrong of ['0', '0.0', '-1', '1e3', '', '1.2.3', '1.0000000001', 'NaN'])
    expect(parseRate(wrong), wrong).toBeNull()
})
