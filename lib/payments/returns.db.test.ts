import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkBooks } from '@/lib/admin'
import { db, Prisma } from '@/lib/db'
import { newId } from '@/lib/kit'
import { getBalance, getDebt } from '@/lib/ledger'
import { decideDisputedOrder, listDisputedOrders, listOrdersInDispute, placeOrder } from '@/lib/orders'
import { deliverOrder, listAllocations } from '@/lib/provisioning'
import { makePlan } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { type PaymentsBench, startPaymentsBench } from '@/test/payments-bench'
import { decideReview } from './decide-review'
import { findPayment } from './queries'
import { finishRefund, refundPayment, sendRefund } from './refund-payment'
import { settlePayment } from './settle-payment'

let bench: PaymentsBench
beforeAll(async () => {
  bench = await startPaymentsBench()
})
afterAll(async () => {
  const { findings } = await checkBooks()
  await bench.close()
  expect(findings).toEqual([])
})

const finance = { id: newId('usr') }
const USD = 1_000_000n

async function credited(provider = 'fakepay', amountMicros = 20n * USD) {
  const payment = await bench.topUp(provider, amountMicros)
  await bench.control(provider, `invoices/${payment.providerPaymentId}/pay`)
  await bench.work()
  expect(await bench.balanceOf(payment.user.id)).toBe(amountMicros)
  return payment
}
const refund = (paymentId: string, amountMicros: bigint, requestKey = newId('req')) =>
  refundPayment(finance, { paymentId, amountMicros, reason: 'asked by mail', requestKey }, bench)
const stateOf = async (id: string) => (await db().payment.findUniqueOrThrow({ where: { id } })).state
const refundsOf = (paymentId: string) => db().paymentRefund.findMany({ where: { paymentId }, orderBy: { id: 'asc' } })
const eventsOf = async (paymentId: string) =>
  (await db().paymentEvent.findMany({ where: { paymentId }, orderBy: { id: 'asc' } })).map((each) => each.kind)
const debtOf = (userId: string) => getDebt({ userId, currency: 'USD' })
const mailsOf = async (userId: string) =>
  (await db().outgoingEmail.findMany({ where: { userId }, orderBy: { createdAt: 'asc' } })).map((each) => each.template)

async function buy(userId: string, units: number) {
  const plan = await makePlan({ units })
  const placed = await placeOrder(
    { id: userId },
    { ...plan, periodDays: 30, quantity: units, totalMicros: BigInt(units) * USD, requestKey: newId('req') },
  )
  if (placed.ok) await deliverOrder({ orderId: placed.value.orderId })
  return placed
}

describe('refunds', () => {
  test.each(['fakepay', 'stripe', 'yookassa'])(
    '%s: sent to its source by the provider’s own call, once',
    async (name) => {
      const payment = await credited(name)
      const begun = await refund(payment.id, 5n * USD)
      expect(begun).toMatchObject({ ok: true, value: { state: 'sending' } })
      if (!begun.ok) return
      // The money is set aside before the provider is asked.
      expect(await bench.balanceOf(payment.user.id)).toBe(15n * USD)
      await Promise.all([sendRefund(begun.value, bench), sendRefund(begun.value, bench)])
      await sendRefund(begun.value, bench)
      expect(await refundsOf(payment.id)).toMatchObject([{ state: 'done', amountMicros: 5n * USD }])
      // The provider's own word about it books nothing again.
      await settlePayment(
        { provider: name, providerPaymentId: payment.providerPaymentId, paymentId: payment.id, messageId: null },
        { provider: bench.providers.find((each) => each.name === name)! },
      )
      expect(await refundsOf(payment.id)).toHaveLength(1)
      expect(await bench.balanceOf(payment.user.id)).toBe(15n * USD)
      expect(await stateOf(payment.id)).toBe('credited')
      const rest = await refund(payment.id, 15n * USD)
      if (rest.ok) await sendRefund(rest.value, bench)
      expect(await stateOf(payment.id)).toBe('refunded')
    },
  )

  test('never above what is left of the payment, nor above what the customer has', async () => {
    const payment = await credited()
    expect(await refund(payment.id, 20n * USD + 1n)).toMatchObject({
      refusal: { code: 'refund_too_large', facts: { maxMicros: '20000000' } },
    })
    expect((await buy(payment.user.id, 8)).ok).toBe(true)
    expect(await refund(payment.id, 13n * USD)).toMatchObject({
      refusal: { code: 'refund_too_large', facts: { maxMicros: '12000000' } },
    })
    expect((await refund(payment.id, 12n * USD)).ok).toBe(true)
    expect(await bench.balanceOf(payment.user.id)).toBe(0n)
    const waiting = await bench.topUp('fakepay')
    expect(await refund(waiting.id, 1n)).toMatchObject({ refusal: { code: 'not_refundable' } })
    expect(await refund(newId('pay'), 1n)).toMatchObject({ refusal: { code: 'not_found' } })
  })

  test('asked for ten times at once with one key it is one; with ten keys it never exceeds the payment', async () => {
    const payment = await credited()
    const key = newId('req')
    const same = await Promise.all(Array.from({ length: 10 }, () => refund(payment.id, 2n * USD, key)))
    expect(new Set(same.map((each) => each.ok && each.value.refundId)).size).toBe(1)
    expect(await refund(payment.id, 3n * USD, key)).toMatchObject({ refusal: { code: 'request_key_reused' } })
    const many = await Promise.all(Array.from({ length: 10 }, () => refund(payment.id, 5n * USD)))
    expect(many.filter((each) => each.ok)).toHaveLength(3)
    expect(await bench.balanceOf(payment.user.id)).toBe(3n * USD)
  })

  test('a call that timed out after the vendor had done it is asked again, and money goes back once', async () => {
    const payment = await credited('stripe')
    const begun = await refund(payment.id, 20n * USD)
    if (!begun.ok) throw new Error(begun.refusal.code)
    await bench.control('stripe', 'fail', { times: 1, match: '/v1/refunds', status: 500, after: true })
    await expect(sendRefund(begun.value, bench)).rejects.toThrow('stripe')
    expect(await refundsOf(payment.id)).toMatchObject([{ state: 'sending' }])
    // The vendor's word overtakes our second try.
    await bench.control('stripe', `invoices/${payment.providerPaymentId}/webhook`)
    await bench.work()
    expect(await refundsOf(payment.id)).toMatchObject([{ state: 'done' }])
    await sendRefund(begun.value, bench)
    expect(await refundsOf(payment.id)).toHaveLength(1)
    expect(await bench.balanceOf(payment.user.id)).toBe(0n)
    expect(await stateOf(payment.id)).toBe('refunded')
  })

  test('a clear no, and a refund that fails after it was done, give the money back', async () => {
    const payment = await credited()
    // Half of it went back at the vendor's desk before, and we have not heard of it yet.
    await bench.control('fakepay', `invoices/${payment.providerPaymentId}/refund`, { amount: '15.00', webhooks: 0 })
    const begun = await refund(payment.id, 10n * USD)
    if (!begun.ok) throw new Error(begun.refusal.code)
    await sendRefund(begun.value, bench)
    expect(await refundsOf(payment.id)).toMatchObject([{ state: 'failed' }])
    expect(await bench.balanceOf(payment.user.id)).toBe(20n * USD)

    const other = await credited('stripe')
    const sent = await refund(other.id, 20n * USD)
    if (!sent.ok) throw new Error(sent.refusal.code)
    await sendRefund(sent.value, bench)
    expect(await stateOf(other.id)).toBe('refunded')
    await bench.control('stripe', `invoices/${other.providerPaymentId}/fail-refund`)
    await bench.work()
    expect(await stateOf(other.id)).toBe('credited')
    expect(await bench.balanceOf(other.user.id)).toBe(20n * USD)
    expect(await mailsOf(other.user.id)).toEqual(['top_up_receipt', 'top_up_refund_begun', 'refund_failed'])
  })

  test('without a call for it a person sends it by hand, and says what came of it, once', async () => {
    const payment = await credited('cryptocloud')
    const begun = await refund(payment.id, 20n * USD)
    expect(begun).toMatchObject({ value: { state: 'manual' } })
    if (!begun.ok) return
    const { refundId } = begun.value
    const ends = await Promise.all([
      finishRefund(finance, { refundId, end: 'done', reason: 'sent to their wallet' }),
      finishRefund(finance, { refundId, end: 'failed', reason: 'no wallet' }),
    ])
    expect(ends.filter((each) => each.ok)).toHaveLength(1)
    expect(await finishRefund(finance, { refundId, end: 'done', reason: 'again' })).toMatchObject({
      refusal: { code: 'refund_ended' },
    })
    const [row] = await refundsOf(payment.id)
    expect(await bench.balanceOf(payment.user.id)).toBe(row!.state === 'done' ? 0n : 20n * USD)
  })

  test.each(['fakepay', 'stripe', 'yookassa'])(
    '%s: made at the vendor’s desk it is booked once, whatever is repeated',
    async (name) => {
      const payment = await credited(name)
      await bench.control(name, `invoices/${payment.providerPaymentId}/refund`, { amount: '7.50' })
      await bench.control(name, `invoices/${payment.providerPaymentId}/webhook`, { times: 5, concurrently: true })
      await bench.work()
      expect(await refundsOf(payment.id)).toMatchObject([
        { state: 'done', requestedBy: null, amountMicros: 7_500_000n },
      ])
      expect(await bench.balanceOf(payment.user.id)).toBe(12_500_000n)
      expect(await mailsOf(payment.user.id)).toEqual(['top_up_receipt', 'top_up_refunded'])
    },
  )

  test.each(['fakepay', 'stripe', 'yookassa'])(
    '%s: in two parts at the vendor’s desk, each told after the other was booked',
    async (name) => {
      const payment = await credited(name)
      for (const amount of ['5.00', '7.50']) {
        await bench.control(name, `invoices/${payment.providerPaymentId}/refund`, { amount })
        await bench.work()
      }
      expect((await refundsOf(payment.id)).map((each) => each.amountMicros)).toEqual([5_000_000n, 7_500_000n])
      expect(await bench.balanceOf(payment.user.id)).toBe(7_500_000n)
    },
  )

  test('of the same amount at the vendor’s desk, told while ours is being sent: both are booked', async () => {
    const payment = await credited()
    const begun = await refund(payment.id, 5n * USD)
    if (!begun.ok) throw new Error(begun.refusal.code)
    await bench.control('fakepay', `invoices/${payment.providerPaymentId}/refund`, { amount: '5.00' })
    await bench.work()
    expect((await refundsOf(payment.id)).map((each) => each.state).sort()).toEqual(['done', 'sending'])
    expect(await bench.balanceOf(payment.user.id)).toBe(10n * USD)
    await sendRefund(begun.value, bench)
    await quietlySettle(payment.providerPaymentId)
    expect((await refundsOf(payment.id)).map((each) => each.state)).toEqual(['done', 'done'])
    expect(await bench.balanceOf(payment.user.id)).toBe(10n * USD)
  })

  test('paid and given back before we looked: nothing is credited', async () => {
    const payment = await bench.topUp('fakepay')
    const path = `invoices/${payment.providerPaymentId}`
    await bench.control('fakepay', `${path}/pay`, { webhooks: 0 })
    await bench.control('fakepay', `${path}/refund`)
    await bench.work()
    expect(await stateOf(payment.id)).toBe('cancelled')
    expect(await bench.balanceOf(payment.user.id)).toBe(0n)
  })
})

describe('disputes', () => {
  test.each(['fakepay', 'stripe'])(
    '%s: takes the money back below zero; the debt blocks buying and is paid first',
    async (name) => {
      const payment = await credited(name)
      const { user } = payment
      const bought = await buy(user.id, 8)
      expect(bought.ok).toBe(true)
      const path = `invoices/${payment.providerPaymentId}`
      await bench.control(name, `${path}/dispute`)
      await bench.control(name, `${path}/webhook`, { times: 5, concurrently: true })
      await bench.work()
      expect(await stateOf(payment.id)).toBe('disputed')
      expect([await bench.balanceOf(user.id), await debtOf(user.id)]).toEqual([0n, 8n * USD])
      expect(await buy(user.id, 1)).toMatchObject({ refusal: { code: 'in_debt', facts: { owedMicros: 8n * USD } } })

      const next = await bench.topUp(name, 18n * USD, user)
      await bench.control(name, `invoices/${next.providerPaymentId}/pay`)
      await bench.work()
      expect([await bench.balanceOf(user.id), await debtOf(user.id)]).toEqual([10n * USD, 0n])
      expect((await buy(user.id, 1)).ok).toBe(true)

      // The bank decides for us: all of it comes back.
      await bench.control(name, `${path}/dispute`, { state: 'won' })
      await bench.control(name, `${path}/webhook`, { times: 3 })
      await bench.work()
      expect(await stateOf(payment.id)).toBe('credited')
      expect([await bench.balanceOf(user.id), await debtOf(user.id)]).toEqual([29n * USD, 0n])
      expect(await mailsOf(user.id)).toContain('dispute_won')
    },
  )

  test('lost: the money stays away, and what is left to refund is nothing', async () => {
    const payment = await credited()
    const path = `invoices/${payment.providerPaymentId}`
    await bench.control('fakepay', `${path}/dispute`)
    await bench.work()
    await bench.control('fakepay', `${path}/dispute`, { state: 'lost' })
    await bench.work()
    expect(await stateOf(payment.id)).toBe('charged_back')
    expect(await bench.balanceOf(payment.user.id)).toBe(0n)
    expect(await refund(payment.id, 1n)).toMatchObject({ refusal: { facts: { maxMicros: '0' } } })
    expect((await eventsOf(payment.id)).slice(-2)).toEqual(['disputed', 'dispute_lost'])
  })

  test('what was refunded cannot be taken a second time', async () => {
    const payment = await credited()
    const begun = await refund(payment.id, 12n * USD)
    if (begun.ok) await sendRefund(begun.value, bench)
    await bench.control('fakepay', `invoices/${payment.providerPaymentId}/dispute`)
    await bench.work()
    expect([await bench.balanceOf(payment.user.id), await debtOf(payment.user.id)]).toEqual([0n, 0n])
    expect(await db().paymentDispute.findFirst({ where: { paymentId: payment.id } })).toMatchObject({
      amountMicros: 8n * USD,
    })
  })

  test('after everything was refunded there is nothing to take, and staff are told so, once', async () => {
    const payment = await credited()
    const begun = await refund(payment.id, 20n * USD)
    if (begun.ok) await sendRefund(begun.value, bench)
    await bench.control('fakepay', `invoices/${payment.providerPaymentId}/dispute`)
    await bench.work()
    await quietlySettle(payment.providerPaymentId)
    expect(await stateOf(payment.id)).toBe('refunded')
    expect([await bench.balanceOf(payment.user.id), await debtOf(payment.user.id)]).toEqual([0n, 0n])
    const events = await db().paymentEvent.findMany({ where: { paymentId: payment.id, kind: 'return_unbooked' } })
    expect(events.map((each) => each.data)).toMatchObject([{ what: 'dispute', amountMicros: '20000000' }])
    expect(await db().auditEntry.count({ where: { subjectId: payment.id, action: 'payments.return_unbooked' } })).toBe(
      1,
    )
    const own = await findPayment({ userId: payment.user.id, paymentId: payment.id })
    expect(own!.events.map((each) => each.kind)).not.toContain('return_unbooked')
  })

  test('that came while a refund of the same money was on its way is booked when that refund comes to nothing', async () => {
    const payment = await credited()
    const begun = await refund(payment.id, 20n * USD)
    if (!begun.ok) throw new Error(begun.refusal.code)
    await bench.control('fakepay', `invoices/${payment.providerPaymentId}/dispute`)
    await bench.work()
    const end = { refundId: begun.value.refundId, end: 'failed' as const, reason: 'the bank was faster' }
    expect((await finishRefund(finance, end)).ok).toBe(true)
    await bench.work()
    expect(await stateOf(payment.id)).toBe('disputed')
    expect([await bench.balanceOf(payment.user.id), await debtOf(payment.user.id)]).toEqual([0n, 0n])
  })

  test('of a second invoice’s money, which carries the first one’s id, is booked like any other', async () => {
    const payment = await bench.topUp('fakepay')
    const path = `invoices/${payment.providerPaymentId}`
    // As after a create call that timed out: our row knows the page that was made next.
    await db().payment.update({ where: { id: payment.id }, data: { providerPaymentId: newId('req') } })
    await bench.control('fakepay', `${path}/pay`)
    await bench.work()
    const second = await db().payment.findFirstOrThrow({
      where: { userId: payment.user.id, reviewReason: 'second_invoice' },
    })
    const decision = { paymentId: second.id, decision: 'credit_received' as const, reason: 'theirs' }
    expect((await decideReview(finance, decision)).ok).toBe(true)
    expect(await bench.balanceOf(payment.user.id)).toBe(20n * USD)
    await bench.control('fakepay', `${path}/dispute`)
    await bench.work()
    expect(await stateOf(second.id)).toBe('disputed')
    expect(await bench.balanceOf(payment.user.id)).toBe(0n)
  })

  test('orders bought with the money are listed, and a person ends or keeps each, once', async () => {
    const payment = await credited()
    const first = await buy(payment.user.id, 3)
    const second = await buy(payment.user.id, 2)
    if (!first.ok || !second.ok) throw new Error('not bought')
    await bench.control('fakepay', `invoices/${payment.providerPaymentId}/dispute`)
    await bench.work()
    const [job] = await db().$queryRaw<{ payload: { disputeId: string; userId: string; since: string } }[]>(
      Prisma.sql`SELECT payload FROM outbox_jobs WHERE name = 'orders.list_disputed' AND payload ->> 'userId' = ${payment.user.id}`,
    )
    await Promise.all([listDisputedOrders(job!.payload), listDisputedOrders(job!.payload)])
    const { disputeId } = job!.payload
    const listed = await listOrdersInDispute({ disputeIds: [disputeId] })
    expect(listed.map((each) => each.orderId).sort()).toEqual([first.value.orderId, second.value.orderId].sort())

    const decide = (orderId: string, decision: 'keep' | 'withdraw') =>
      decideDisputedOrder(finance, { disputeId, orderId, decision, reason: 'known customer' })
    const both = await Promise.all([decide(first.value.orderId, 'withdraw'), decide(first.value.orderId, 'withdraw')])
    expect(both.map((each) => each.ok).sort()).toEqual([false, true])
    expect((await decide(second.value.orderId, 'keep')).ok).toBe(true)
    const proxies = (orderId: string) => listAllocations({ userId: payment.user.id, orderId })
    expect(await proxies(first.value.orderId)).toEqual([])
    expect(await proxies(second.value.orderId)).toHaveLength(2)
    expect(await mailsOf(payment.user.id)).toContain('order_withdrawn')
    expect(await decide(newId('ord'), 'keep')).toMatchObject({ refusal: { code: 'not_found' } })
  })

  test('a purchase and a chargeback at once: the books hold, and no debt while money is there', async () => {
    const plan = await makePlan({ units: 100 })
    const outcomes: boolean[] = []
    for (let round = 0; round < 10; round += 1) {
      const payment = await credited('fakepay', 9n * USD)
      await bench.control('fakepay', `invoices/${payment.providerPaymentId}/dispute`)
      const choice = { ...plan, periodDays: 30, quantity: 9, totalMicros: 9n * USD, requestKey: newId('req') }
      const order = async () => {
        // Every other round the chargeback gets a head start of its two questions.
        if (round % 2 === 1) await new Promise((resolve) => setTimeout(resolve, 30))
        return placeOrder({ id: payment.user.id }, choice)
      }
      const [, bought] = await Promise.all([bench.work(), order()])
      outcomes.push(bought.ok)
      expect(await debtOf(payment.user.id)).toBe(bought.ok ? 9n * USD : 0n)
      expect(await bench.balanceOf(payment.user.id)).toBe(0n)
    }
    expect(outcomes).toContain(true)
  })
})

test('in any order of payments, refunds, disputes and repeats the customer ends with what is theirs', async () => {
  const step = fc.constantFrom('refund', 'desk', 'dispute', 'won', 'webhook', 'work', 'buy')
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 10 }), async (steps) => {
      const payment = await credited('fakepay', 10n * USD)
      const path = `invoices/${payment.providerPaymentId}`
      let spent = 0n
      for (const each of steps) {
        if (each === 'refund') {
          const begun = await refund(payment.id, 2n * USD)
          if (begun.ok) await sendRefund(begun.value, bench)
        }
        const quietly = (action: string, body = {}) =>
          bench.control('fakepay', `${path}/${action}`, body).catch(() => undefined)
        if (each === 'desk') await quietly('refund', { amount: '1.00' })
        if (each === 'dispute') await quietly('dispute', { amount: '3.00' })
        if (each === 'won') await quietly('dispute', { state: 'won' })
        if (each === 'webhook') await quietly('webhook', { times: 2, concurrently: true })
        if (each === 'work') await bench.work()
        if (each === 'buy' && (await buy(payment.user.id, 4)).ok) spent += 4n * USD
      }
      await quietlySettle(payment.providerPaymentId)
      const refunds = await refundsOf(payment.id)
      const disputes = await db().paymentDispute.findMany({ where: { paymentId: payment.id } })
      const gone =
        refunds.filter((each) => each.state !== 'failed').reduce((sum, each) => sum + each.amountMicros, 0n) +
        disputes.filter((each) => each.state !== 'won').reduce((sum, each) => sum + each.amountMicros, 0n)
      const { balanceMicros } = await getBalance({ userId: payment.user.id })
      expect(balanceMicros - (await debtOf(payment.user.id))).toBe(10n * USD - gone - spent)
      expect(gone <= 10n * USD).toBe(true)
    }),
    { numRuns: 25 },
  )
})

async function quietlySettle(providerPaymentId: string): Promise<void> {
  await bench.work()
  const provider = bench.providers.find((each) => each.name === 'fakepay')!
  await settlePayment({ provider: 'fakepay', providerPaymentId, paymentId: null, messageId: null }, { provider })
}

test('somebody without money and without a debt owes nothing', async () => {
  const user = await insertCustomer()
  expect(await debtOf(user.id)).toBe(0n)
})
