import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canMove } from '@/lib/kit'
import { decideSettlement, type SettledPayment } from './decide-settlement'
import type { Truth } from './providers/provider'
import { PAYMENT_TRANSITIONS, type PaymentState } from './states'

const payment = (over: Partial<SettledPayment> = {}): SettledPayment => ({
  id: 'pay_1',
  state: 'awaiting',
  requestedMicros: 20_000_000n,
  receivedMicros: null,
  currency: 'USD',
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
const strict = { acceptsTest: false }

test('a test payment credits a shop in demo mode and calls a person in production', () => {
  expect(decideSettlement(payment(), truth({ isTest: true }), { acceptsTest: true }).kind).toBe('credit')
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

test('whatever the state and the truth: only allowed moves, no way out of credited, no credit below what was asked', () => {
  const states = fc.constantFrom(...(Object.keys(PAYMENT_TRANSITIONS) as PaymentState[]))
  const truths = fc.record({
    state: fc.constantFrom('awaiting', 'confirming', 'paid', 'underpaid', 'expired', 'cancelled') as fc.Arbitrary<
      Truth['state']
    >,
    receivedMicros: fc.bigInt(0n, 40_000_000n),
    currency: fc.constantFrom('USD', 'EUR'),
    paymentId: fc.constantFrom('pay_1', 'pay_2', null),
    isTest: fc.boolean(),
  })
  fc.assert(
    fc.property(states, fc.option(fc.bigInt(0n, 40_000_000n)), truths, (state, receivedMicros, over) => {
      const before = payment({ state, receivedMicros })
      const settlement = decideSettlement(before, truth(over), strict)
      if (state === 'credited') expect(settlement.kind).toBe('nothing')
      if (settlement.kind === 'credit') {
        expect(canMove(PAYMENT_TRANSITIONS, state, 'credited')).toBe(true)
        expect(settlement.creditMicros).toBe(over.receivedMicros)
        expect(settlement.creditMicros >= before.requestedMicros).toBe(true)
        expect([over.currency, over.paymentId, over.isTest]).toEqual(['USD', 'pay_1', false])
      }
      if (settlement.kind === 'move' && settlement.to !== state)
        expect(canMove(PAYMENT_TRANSITIONS, state, settlement.to)).toBe(true)
      if (settlement.kind === 'review' && state !== 'needs_review')
        expect(canMove(PAYMENT_TRANSITIONS, state, 'needs_review')).toBe(true)
    }),
    { numRuns: 2_000 },
  )
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
  expect(decideSettlement(payment({ state: 'expired' }), truth(), strict)).toMatchObject({ kind: 'credit' })
})
