import { describe, expect, test } from 'vitest'
import { judgeDifference, type OurSide, type TheirSide } from './judge-difference'

const NOW = new Date('2026-03-01T03:10:00Z')
const hours = (count: number) => new Date(NOW.getTime() + count * 3_600_000)
const theirs: TheirSide = {
  providerPaymentId: 'inv1',
  paymentId: 'pay_1',
  receivedMicros: 20_000_000n,
  currency: 'USD',
  isTest: false,
}
const ours: OurSide = {
  id: 'pay_1',
  userId: 'usr_1',
  state: 'credited',
  providerPaymentId: 'inv1',
  receivedMicros: 20_000_000n,
  chargeCurrency: 'USD',
  creditedAt: hours(-20),
  expiresAt: hours(-19),
  nextCheckAt: null,
}
const waiting: OurSide = { ...ours, state: 'expired', receivedMicros: null, creditedAt: null, nextCheckAt: hours(0.2) }
const refund = { providerRefundId: 're1', refundId: null, amountMicros: 5_000_000n, state: 'done' as const }

describe('the two sides agree', () => {
  test.each<[string, TheirSide | null, OurSide | null]>([
    ['both know the same', theirs, ours],
    ['nobody knows of money', null, waiting],
    ['nobody knows the payment', null, null],
    ['they tell of nothing that came', { ...theirs, receivedMicros: 0n }, waiting],
    ['their exchange rate rounds within a cent', { ...theirs, receivedMicros: 19_990_001n }, ours],
    ['they tell what is left after a refund', { ...theirs, receivedMicros: 15_000_000n, refunds: [refund] }, ours],
    [
      'a page on which the customer may just have paid',
      theirs,
      { ...waiting, state: 'awaiting', expiresAt: hours(-0.5) },
    ],
    ['money that went back is not in a list of what was paid', null, { ...ours, state: 'refunded' }],
    ['money that a bank took is not either', null, { ...ours, state: 'charged_back' }],
    ['a credit that was corrected to nothing', null, { ...ours, receivedMicros: 0n }],
  ])('%s', (_, their, our) => expect(judgeDifference(their, our, NOW)).toBeNull())
})

describe('they differ', () => {
  test.each<[string, TheirSide | null, OurSide | null, object]>([
    ['a stranger’s payment', theirs, null, { kind: 'theirs_only', paymentId: null, ourMicros: null }],
    ['a credit that was missed', theirs, waiting, { kind: 'theirs_only', paymentId: 'pay_1', userId: 'usr_1' }],
    [
      'a payment in review',
      theirs,
      { ...waiting, state: 'needs_review', expiresAt: hours(1) },
      { kind: 'theirs_only' },
    ],
    [
      'a page that nobody looks after',
      theirs,
      { ...waiting, expiresAt: hours(1), nextCheckAt: null },
      { kind: 'theirs_only' },
    ],
    [
      'a second page of a credited payment',
      { ...theirs, providerPaymentId: 'inv2' },
      ours,
      { kind: 'theirs_only', providerPaymentId: 'inv2' },
    ],
    ['a credit without money', null, ours, { kind: 'ours_only', theirMicros: null, ourMicros: 20_000_000n }],
    [
      'less came',
      { ...theirs, receivedMicros: 12_000_000n },
      ours,
      { kind: 'other_amount', theirMicros: 12_000_000n, ourMicros: 20_000_000n },
    ],
    ['more came', { ...theirs, receivedMicros: 20_010_000n }, ours, { kind: 'other_amount' }],
    ['another currency', { ...theirs, currency: 'EUR' }, ours, { kind: 'other_amount', currency: 'EUR' }],
    [
      'a refund that failed does not explain what is missing',
      { ...theirs, receivedMicros: 15_000_000n, refunds: [{ ...refund, state: 'failed' }] },
      ours,
      { kind: 'other_amount' },
    ],
  ])('%s', (_, their, our, expected) => expect(judgeDifference(their, our, NOW)).toMatchObject(expected))
})
