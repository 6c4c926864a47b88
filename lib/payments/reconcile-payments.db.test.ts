import { afterAll, beforeAll, expect, test } from 'vitest'
import { db } from '@/lib/db'
import { type PaymentsBench, startPaymentsBench } from '@/test/payments-bench'
import { type Provider, reconcilePayments } from './index'
import { ShapeError } from './providers/call'

let bench: PaymentsBench
beforeAll(async () => {
  bench = await startPaymentsBench()
})
afterAll(async () => {
  await bench.close()
})

test('one payment that the provider answers about in nonsense holds up no other, and is asked again', async () => {
  const known = await bench.topUp('fakepay')
  await bench.control('fakepay', `invoices/${known.providerPaymentId}/pay`, { webhooks: 0 })
  const [odd, fine] = [await bench.topUp('fakepay'), await bench.topUp('fakepay')]
  // As after a create call whose answer got lost.
  for (const { id, providerPaymentId } of [odd, fine]) {
    await bench.control('fakepay', `invoices/${providerPaymentId}/pay`, { webhooks: 0 })
    await db().payment.update({ where: { id }, data: { providerPaymentId: null, state: 'created' } })
  }
  const provider = bench.providers.find((each) => each.name === 'fakepay')!
  const strange: Provider = {
    ...provider,
    async findByPaymentId(paymentId) {
      if (paymentId === odd.id) throw new ShapeError('fakepay', 'answered in another shape')
      return provider.findByPaymentId!(paymentId)
    },
  }
  const later = (minutes: number) => new Date(Date.now() + minutes * 60_000)
  expect(await reconcilePayments({ providers: [strange], now: later(2) })).toMatchObject({
    credited: 2,
    unavailable: [],
  })
  expect(await bench.balanceOf(known.user.id)).toBe(20_000_000n)
  expect(await bench.balanceOf(fine.user.id)).toBe(20_000_000n)
  expect(await db().payment.findUnique({ where: { id: odd.id } })).toMatchObject({ state: 'created' })
  // Also long after its page ended: what cannot be read is not taken for silence.
  await reconcilePayments({ providers: [strange], now: later(300) })
  await reconcilePayments({ providers: [provider], now: later(600) })
  expect(await bench.balanceOf(odd.user.id)).toBe(20_000_000n)
})

const later = (hours: number) => new Date(Date.now() + hours * 3_600_000)
const lookAt = (hours: number, providers = bench.providers.filter((each) => each.name === 'fakepay')) =>
  reconcilePayments({ providers, now: later(hours) })
const stateOf = async ({ id }: { id: string }) => {
  const { state, reviewReason, nextCheckAt } = await db().payment.findUniqueOrThrow({ where: { id } })
  return { state, reviewReason, isAskedAgain: nextCheckAt !== null }
}
const says = (payment: { providerPaymentId: string }, state: string, paid = '20.00') =>
  bench.control('fakepay', `invoices/${payment.providerPaymentId}`, { state, paid })

test('money that is seen and not confirmed is asked about for two weeks, then waits for a person, and is credited if it is confirmed after all', async () => {
  const payment = await bench.topUp('fakepay')
  await says(payment, 'confirming')
  for (const hours of [1, 60, 24 * 13]) {
    await lookAt(hours)
    expect(await stateOf(payment)).toEqual({ state: 'confirming', reviewReason: null, isAskedAgain: true })
  }
  await lookAt(24 * 15)
  expect(await stateOf(payment)).toEqual({
    state: 'needs_review',
    reviewReason: 'not_confirmed',
    isAskedAgain: false,
  })
  expect(await bench.balanceOf(payment.user.id)).toBe(0n)
  await says(payment, 'paid')
  await bench.control('fakepay', `invoices/${payment.providerPaymentId}/webhook`)
  await bench.work()
  expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
})

test('a part to which nothing was added in two days is the end of it: the rule for parts decides', async () => {
  const payment = await bench.topUp('fakepay')
  await says(payment, 'underpaid', '8.00')
  for (const hours of [1, 40]) {
    await lookAt(hours)
    expect(await stateOf(payment)).toMatchObject({ state: 'underpaid', isAskedAgain: true })
  }
  await lookAt(60)
  expect(await stateOf(payment)).toEqual({ state: 'needs_review', reviewReason: 'underpaid', isAskedAgain: false })
})

test('money on its way that the provider forgets waits for a person', async () => {
  const payment = await bench.topUp('fakepay')
  await says(payment, 'confirming')
  await lookAt(1)
  const forgetful = bench.providers
    .filter((each) => each.name === 'fakepay')
    .map((each): Provider => ({ ...each, fetchPayments: async () => [] }))
  await lookAt(24 * 13, forgetful)
  expect(await stateOf(payment)).toMatchObject({ state: 'confirming' })
  await lookAt(24 * 15, forgetful)
  expect(await stateOf(payment)).toMatchObject({ state: 'needs_review', reviewReason: 'not_confirmed' })
})

test('money that comes after the last look is asked about again, for the callback that says what came of it may be lost', async () => {
  const payment = await bench.topUp('fakepay')
  await says(payment, 'expired', '0')
  await lookAt(72)
  expect(await stateOf(payment)).toEqual({ state: 'expired', reviewReason: null, isAskedAgain: false })
  await says(payment, 'confirming')
  await bench.control('fakepay', `invoices/${payment.providerPaymentId}/webhook`)
  await bench.work()
  expect(await stateOf(payment)).toMatchObject({ state: 'confirming', isAskedAgain: true })
  await says(payment, 'paid')
  await lookAt(2)
  expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
})
