import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canMove } from '@/lib/kit'
import { decideSettlement, type SettledPayment, type SettlementRules } from './decide-settlement'
import type { Truth } from './providers/provider'
import { CREDITED_STATES, PAYMENT_TRANSITIONS, type PaymentState } from './states'

const payment = (over: Partial<SettledPayment> = {}): SettledPayment => ({
  id: 'pay_1',
  state: 'awaiting',
  requestedMicros: 20_000_000n,
  currency: 'USD',
  chargeMicros: 20_000_000n,
  chargeCurrency: 'USD',
  receivedMicros: null,
  providerPaymentId: 'inv_1',
  reviewReason: null,
  ...over,
})
const truth = (over: Partial<Truth> = {}): Truth => ({
  providerPaymentId: 'inv_1',
  paymentId: 'pay_1',
  state: 'paid',
  receivedMicros: 20_000_000n,
  requestedMicros: 20_000_000n,
  currency: 'USD',
  isTest: false,
  ...over,
})
const strict: SettlementRules = {
  acceptsTest: false,
  underpaid: 'wait',
  late: 'wait',
  redeposit: 'wait',
  toleranceBasisPoints: 0,
}
const generous: SettlementRules = { ...strict, underpaid: 'credit', late: 'credit', redeposit: 'credit' }

test('a test payment credits a shop in demo mode and calls a person in production', () => {
  expect(decideSettlement(payment(), truth({ isTest: true }), { ...strict, acceptsTest: true }).kind).toBe('credit')
  expect(decideSettlement(payment(), truth({ isTest: true }), strict)).toEqual({
    kind: 'review',
    reason: 'test_payment',
    receivedMicros: null,
  })
})

test('a truth that carries no order id is not enough', () => {
  expect(decideSettlement(payment(), truth({ paymentId: null }), strict)).toMatchObject({ reason: 'order_mismatch' })
})

test('an unpaid second invoice is nobody’s business; a paid one is', () => {
  const other = { providerPaymentId: 'inv_2' }
  expect(decideSettlement(payment(), truth({ ...other, state: 'expired', receivedMicros: 0n }), strict).kind).toBe(
    'nothing',
  )
  expect(decideSettlement(payment(), truth(other), strict).kind).toBe('second_invoice')
  expect(decideSettlement(payment({ state: 'credited' }), truth(other), strict).kind).toBe('second_invoice')
})

test('whatever the state, the truth and the rules: only allowed moves, one credit, never more than came of the charge', () => {
  const states = fc.constantFrom(...(Object.keys(PAYMENT_TRANSITIONS) as PaymentState[]))
  const truths = fc.record({
    state: fc.constantFrom(
      'awaiting',
      'confirming',
      'paid',
      'underpaid',
      'expired',
      'cancelled',
      'rejected',
    ) as fc.Arbitrary<Truth['state']>,
    receivedMicros: fc.bigInt(0n, 4_000_000_000n),
    currency: fc.constantFrom('RUB', 'EUR'),
    paymentId: fc.constantFrom('pay_1', 'pay_2', null),
    isTest: fc.boolean(),
  })
  const rule = fc.constantFrom('credit', 'wait') as fc.Arbitrary<'credit' | 'wait'>
  const rules = fc.record({
    acceptsTest: fc.constant(false),
    underpaid: rule,
    late: rule,
    redeposit: rule,
    toleranceBasisPoints: fc.integer({ min: 0, max: 1000 }),
  })
  const charge = { chargeMicros: 1_850_000_000n, chargeCurrency: 'RUB' }
  fc.assert(
    fc.property(states, fc.option(fc.bigInt(0n, 4_000_000_000n)), truths, rules, (state, receivedMicros, over, by) => {
      const before = payment({ state, receivedMicros, ...charge })
      const settlement = decideSettlement(before, truth(over), by)
      if (CREDITED_STATES.includes(state)) expect(['nothing', 'redeposit']).toContain(settlement.kind)
      if (settlement.kind === 'redeposit') {
        expect(over.receivedMicros - receivedMicros!).toBe(settlement.extraMicros)
        expect(settlement.isCredited).toBe(by.redeposit === 'credit')
      }
      if (settlement.kind === 'credit') {
        expect(canMove(PAYMENT_TRANSITIONS, state, 'credited')).toBe(true)
        // 20 USD were quoted at 1850 RUB: the credit is that share, rounded down.
        expect(settlement.creditMicros).toBe((over.receivedMicros * 20_000_000n) / 1_850_000_000n)
        const least = (charge.chargeMicros * BigInt(10_000 - by.toleranceBasisPoints)) / 10_000n
        if (by.underpaid === 'wait') expect(over.receivedMicros >= least).toBe(true)
        expect([over.currency, over.paymentId, over.isTest]).toEqual(['RUB', 'pay_1', false])
        expect(['paid', 'expired', 'cancelled']).toContain(over.state)
      }
      if (settlement.kind === 'move' && settlement.to !== state)
        expect(canMove(PAYMENT_TRANSITIONS, state, settlement.to)).toBe(true)
      if (settlement.kind === 'review' && state !== 'needs_review')
        expect(canMove(PAYMENT_TRANSITIONS, state, 'needs_review')).toBe(true)
    }),
    { numRuns: 3_000 },
  )
})

test('the shop’s rules: what is credited by itself, and what waits', () => {
  const late = truth({ state: 'expired' })
  const part = truth({ receivedMicros: 5_000_000n })
  expect(decideSettlement(payment(), late, generous)).toEqual({ kind: 'credit', creditMicros: 20_000_000n })
  expect(decideSettlement(payment(), part, generous)).toEqual({ kind: 'credit', creditMicros: 5_000_000n })
  expect(decideSettlement(payment(), part, strict)).toMatchObject({ kind: 'review', reason: 'underpaid' })
  // The rest may still come while the page is open, whatever the rule.
  expect(decideSettlement(payment(), { ...part, state: 'underpaid' }, generous)).toMatchObject({ kind: 'move' })
  // Paid after our page had ended, and the vendor calls it paid all the same.
  const expired = payment({ state: 'expired' })
  expect(decideSettlement(expired, truth(), strict)).toMatchObject({ kind: 'review', reason: 'paid_late' })
  expect(decideSettlement(expired, truth(), generous)).toMatchObject({ kind: 'credit' })
})

test('a fee that came off on the way is within the tolerance, one micro more is not', () => {
  const rules = { ...strict, toleranceBasisPoints: 150 }
  const came = (receivedMicros: bigint) => decideSettlement(payment(), truth({ receivedMicros }), rules)
  expect(came(19_700_000n)).toEqual({ kind: 'credit', creditMicros: 19_700_000n })
  expect(came(19_699_999n)).toMatchObject({ kind: 'review', reason: 'underpaid' })
})

test('more money for a credited invoice is told once, and a rounding cent is not money', () => {
  const credited = payment({ state: 'credited', receivedMicros: 20_000_000n })
  expect(decideSettlement(credited, truth(), generous)).toEqual({ kind: 'nothing' })
  expect(decideSettlement(credited, truth({ receivedMicros: 20_009_999n }), generous)).toEqual({ kind: 'nothing' })
  expect(decideSettlement(credited, truth({ receivedMicros: 35_000_000n }), generous)).toEqual({
    kind: 'redeposit',
    receivedMicros: 35_000_000n,
    extraMicros: 15_000_000n,
    isCredited: true,
  })
  expect(decideSettlement({ ...credited, state: 'refunded' }, truth({ receivedMicros: 1n }), generous)).toEqual({
    kind: 'nothing',
  })
})

test('money that the provider does not stand by is credited by no rule, and by itself once the provider does', () => {
  const seen = truth({ state: 'rejected' })
  const waiting = { kind: 'review', reason: 'not_confirmed', receivedMicros: 20_000_000n }
  for (const state of ['awaiting', 'confirming', 'expired'] as const)
    expect(decideSettlement(payment({ state }), seen, generous)).toEqual(waiting)
  const inReview = payment({ state: 'needs_review', reviewReason: 'not_confirmed', receivedMicros: 20_000_000n })
  expect(decideSettlement(inReview, seen, generous)).toEqual({ kind: 'nothing' })
  expect(decideSettlement(inReview, truth(), strict)).toMatchObject({ kind: 'credit' })
  expect(decideSettlement(payment(), { ...seen, receivedMicros: 0n }, strict)).toMatchObject({ to: 'cancelled' })
  const credited = payment({ state: 'credited', receivedMicros: 10_000_000n })
  expect(decideSettlement(credited, seen, generous)).toEqual({ kind: 'nothing' })
})

test('money that came after a decline waits for a person, however often it is told', () => {
  const waiting = payment({ state: 'needs_review', reviewReason: 'paid_after_decline', receivedMicros: 20_000_000n })
  expect(decideSettlement(waiting, truth(), strict)).toEqual({ kind: 'nothing' })
  expect(decideSettlement(waiting, truth({ receivedMicros: 30_000_000n }), strict)).toMatchObject({
    kind: 'review',
    receivedMicros: 30_000_000n,
  })
})

test('money that the provider calls expired waits for a person, who is told whether all of it came', () => {
  const late = truth({ state: 'expired' })
  expect(decideSettlement(payment(), late, strict)).toEqual({
    kind: 'review',
    reason: 'paid_late',
    receivedMicros: 20_000_000n,
  })
  expect(decideSettlement(payment(), { ...late, receivedMicros: 5_000_000n }, strict)).toMatchObject({
    reason: 'underpaid',
  })
})
