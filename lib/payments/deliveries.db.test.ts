import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Heard, type ShopDouble, startShopDouble } from '@/fakes/shop-double'
import type { Fake } from '@/fakes/kit'
import { db, Prisma } from '@/lib/db'
import { insertCustomer } from '@/test/factories/customer'
import { newId } from '@/lib/kit'
import { PAYMENT_STANDS } from '@/test/payment-stands'
import { type PaymentsBench, startPaymentsBench } from '@/test/payments-bench'
import {
  type Provider,
  receiveWebhook,
  reconcilePayments,
  settlePayment,
  type SettlePayload,
  startTopUp,
} from './index'

/** Callbacks in any order, repeated and lost, and callbacks at other providers' doors, told over HTTP by the stand-in of each vendor. */

type Step =
  | { do: 'send'; times: number; concurrently: boolean }
  | { do: 'forge' | 'work' | 'work together' | 'settle' | 'expire' }
  | { do: 'part'; cents: number }

const transfersOf = (id: string) => db().ledgerTransfer.count({ where: { sourceKind: 'payment', sourceId: id } })

describe.each(PAYMENT_STANDS)('$name', ({ name, words }) => {
  let bench: PaymentsBench
  beforeAll(async () => {
    bench = await startPaymentsBench()
  })
  afterAll(async () => {
    await bench.close()
  })

  test('any order of deliveries, repeats and losses credits once, with what the provider confirms', async () => {
    const provider = bench.providers.find((each) => each.name === name)!
    const delivery: fc.Arbitrary<Step> = fc.oneof(
      fc.record({
        do: fc.constant('send' as const),
        times: fc.integer({ min: 1, max: 3 }),
        concurrently: fc.boolean(),
      }),
      fc.constant({ do: 'forge' as const }),
      fc.constant({ do: 'work' as const }),
      fc.constant({ do: 'work together' as const }),
      fc.constant({ do: 'settle' as const }),
    )
    const state: fc.Arbitrary<Step> = fc.oneof(
      delivery,
      fc.constant({ do: 'expire' as const }),
      fc.record({ do: fc.constant('part' as const), cents: fc.integer({ min: 1, max: 1_999 }) }),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(state, { maxLength: 6 }),
        fc.integer({ min: 2_000, max: 9_000 }),
        fc.array(delivery, { maxLength: 6 }),
        async (before, cents, after) => {
          const payment = await bench.topUp(name)
          const control = (path: string, wish: object) =>
            bench.control(name, `invoices/${payment.providerPaymentId}${path}`, wish)
          const asked = {
            provider: name,
            providerPaymentId: payment.providerPaymentId,
            paymentId: payment.id,
            messageId: null,
          }
          const act = async (step: Step): Promise<unknown> => {
            switch (step.do) {
              case 'send':
                return control('/webhook', { times: step.times, concurrently: step.concurrently })
              case 'forge':
                return control('/webhook', { times: 1, forged: true })
              case 'work':
                return bench.work()
              case 'work together':
                return Promise.all([bench.work(), bench.work(), settlePayment(asked, { provider })])
              case 'settle':
                return settlePayment(asked, { provider })
              case 'expire':
                return control('', { state: words.expired, paid: '0' })
              case 'part':
                // Where the page takes the price and nothing else there are no parts.
                return words.underpaid === null
                  ? null
                  : control('', { state: words.underpaid, paid: (step.cents / 100).toFixed(2) })
            }
          }
          for (const step of before) await act(step)
          await bench.work()
          expect(await transfersOf(payment.id)).toBe(0)
          // Everything about the money may get lost; what is true is asked for in the end.
          const paid = (cents / 100).toFixed(2)
          await control('', { state: words.paid, paid })
          for (const step of after) await act(step)
          await bench.work()
          await settlePayment(asked, { provider })
          const confirmed = BigInt(cents) * 10_000n
          const row = await db().payment.findUniqueOrThrow({ where: { id: payment.id } })
          expect(row).toMatchObject({ state: 'credited', creditedMicros: confirmed, receivedMicros: confirmed })
          expect(await transfersOf(payment.id)).toBe(1)
          expect(await bench.balanceOf(payment.user.id)).toBe(confirmed)
          const mails = await db().outgoingEmail.findMany({ where: { userId: payment.user.id }, select: { key: true } })
          expect(mails.filter(({ key }) => key === `receipt:${payment.id}`)).toHaveLength(1)
        },
      ),
      { numRuns: 40 },
    )
  })

  test('every callback lost: reconcile finds the money', async () => {
    const provider = bench.providers.find((each) => each.name === name)!
    const payment = await bench.topUp(name)
    await bench.control(name, `invoices/${payment.providerPaymentId}/pay`, { webhooks: 0 })
    const now = new Date(Date.now() + 120_000)
    await Promise.all([1, 2, 3].map(() => reconcilePayments({ providers: [provider], now })))
    expect(await transfersOf(payment.id)).toBe(1)
    expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
  })
})

describe('the wrong door', () => {
  type Stand = { name: string; fake: Fake; provider: Provider; shop: ShopDouble }
  let stands: Stand[]
  beforeAll(async () => {
    stands = await Promise.all(
      PAYMENT_STANDS.map(async ({ name, start }) => {
        const shop = await startShopDouble()
        const { fake, provider } = await start(shop.url)
        const createCheckout: Provider['createCheckout'] = (request) =>
          provider.createCheckout({ ...request, webhookUrl: shop.url })
        return { name, fake, shop, provider: { ...provider, createCheckout } }
      }),
    )
  })
  afterAll(async () => {
    await Promise.all(stands.flatMap(({ fake, shop }) => [fake.close(), shop.close()]))
  })

  const providers = () => stands.map((each) => each.provider)
  async function topUp(stand: Stand) {
    const user = await insertCustomer()
    const wish = { provider: stand.name, amountMicros: 20_000_000n, requestKey: newId('req') }
    const started = await startTopUp({ id: user.id, locale: 'en' }, wish, { providers: providers() })
    if (!started.ok) throw new Error(started.refusal.code)
    const row = await db().payment.findUniqueOrThrow({ where: { id: started.value.paymentId } })
    return { id: row.id, userId: user.id, providerPaymentId: row.providerPaymentId! }
  }
  async function control(stand: Stand, path: string, wish: object): Promise<void> {
    const answer = await fetch(`${stand.fake.controlUrl}/${path}`, { method: 'POST', body: JSON.stringify(wish) })
    expect(answer.status).toBe(200)
  }
  const knock = (door: Stand, { headers, body }: Heard) =>
    receiveWebhook(door.name, new Headers(headers), body, { providers: providers() })
  async function work(): Promise<void> {
    const jobs = await db().$queryRaw<{ payload: SettlePayload }[]>(
      Prisma.sql`DELETE FROM outbox_jobs WHERE name = 'payments.settle' RETURNING payload`,
    )
    for (const { payload } of jobs)
      await settlePayment(payload, { provider: providers().find((each) => each.name === payload.provider) })
  }

  test.each(PAYMENT_STANDS)('a genuine callback of $name opens no other provider’s door', async ({ name }) => {
    const stand = stands.find((each) => each.name === name)!
    const payment = await topUp(stand)
    await control(stand, `invoices/${payment.providerPaymentId}/pay`, { webhooks: 1 })
    const callback = stand.shop.heard.at(-1)!
    for (const door of stands.filter((each) => each !== stand)) {
      const inbox = await db().webhookMessage.count({ where: { provider: door.name } })
      const answer = await knock(door, callback)
      // Where nothing is signed a callback may be read, but not kept: it names no payment of that provider.
      if (answer.ok) expect(answer.value).toMatchObject({ messageId: null, isQueued: false })
      expect(await db().webhookMessage.count({ where: { provider: door.name } })).toBe(inbox)
    }
    await work()
    expect(await transfersOf(payment.id)).toBe(0)
    expect(await knock(stand, callback)).toMatchObject({ ok: true, value: { isNew: true } })
    await work()
    expect(await transfersOf(payment.id)).toBe(1)
  })

  test.each(PAYMENT_STANDS)(
    'an order id of another provider’s payment in a word of $name counts for nothing',
    async ({ name, words }) => {
      const stand = stands.find((each) => each.name === name)!
      const own = await topUp(stand)
      for (const other of stands.filter((each) => each !== stand)) {
        const victim = await topUp(other)
        await control(stand, `invoices/${own.providerPaymentId}`, {
          state: words.paid,
          paid: '20.00',
          orderId: victim.id,
        })
        await control(stand, `invoices/${own.providerPaymentId}/webhook`, { times: 1 })
        await knock(stand, stand.shop.heard.at(-1)!)
        await work()
        expect(await transfersOf(victim.id)).toBe(0)
        expect(await db().payment.findUniqueOrThrow({ where: { id: victim.id } })).toMatchObject({ state: 'awaiting' })
      }
      expect(await transfersOf(own.id)).toBe(0)
    },
  )
})
