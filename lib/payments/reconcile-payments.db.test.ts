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
