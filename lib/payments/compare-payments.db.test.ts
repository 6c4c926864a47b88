import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { db, Prisma } from '@/lib/db'
import { DAY_MS, HOUR_MS, newId } from '@/lib/kit'
import { getDebt, takeMoney } from '@/lib/ledger'
import { checkBooks } from '@/lib/admin'
import { insertCustomer } from '@/test/factories/customer'
import { PAYMENT_STANDS } from '@/test/payment-stands'
import { type OpenPayment, type PaymentsBench, startPaymentsBench } from '@/test/payments-bench'
import {
  askAgain,
  comparePayments,
  correctDifference,
  countOpenDifferences,
  dismissDifference,
  getPaymentForAdmin,
  listDifferences,
  listLastComparisons,
  type Provider,
  refundPayment,
  settlePayment,
} from './index'

let bench: PaymentsBench
let staff: { id: string }
beforeAll(async () => {
  bench = await startPaymentsBench()
  staff = await insertCustomer({ role: 'finance' })
})
afterAll(async () => {
  await bench.close()
})
beforeEach(async () => {
  for (const { name } of PAYMENT_STANDS) await bench.control(name, 'reset')
  await db().paymentDifference.deleteMany()
  await db().paymentComparison.deleteMany()
})

const providerOf = (name: string): Provider => bench.providers.find((each) => each.name === name)!
/** As in the night after: everything of today is older than an hour and younger than three days. */
const tonight = () => new Date(Date.now() + 5 * HOUR_MS)
const compare = async (name: string, over: Partial<Provider> = {}) =>
  (await comparePayments({ providers: [{ ...providerOf(name), ...over }], now: tonight() }))[0]!
const settle = (payment: OpenPayment, name: string) =>
  settlePayment(
    { provider: name, providerPaymentId: payment.providerPaymentId, paymentId: payment.id, messageId: null },
    { provider: providerOf(name) },
  )
const say = (name: string, payment: OpenPayment, wish: object) =>
  bench.control(name, `invoices/${payment.providerPaymentId}`, wish)
const pay = (name: string, payment: OpenPayment, amount?: string) =>
  bench.control(name, `invoices/${payment.providerPaymentId}/pay`, { webhooks: 0, ...(amount && { amount }) })
async function credited(name: string): Promise<OpenPayment> {
  const payment = await bench.topUp(name)
  await pay(name, payment)
  expect((await settle(payment, name)).outcome).toBe('credited')
  return payment
}
const openOf = async ({ id }: OpenPayment) =>
  (await listDifferences({ isOpen: true })).rows.filter((each) => each.paymentId === id)
const mend = (differenceId: string) => ({ differenceId, reason: 'looked at it, card 4111 1111 1111 1111' })
const at = (name: string) => ({ providers: [providerOf(name)], now: tonight() })
const mailsOf = async (userId: string) =>
  (await db().outgoingEmail.findMany({ where: { userId }, orderBy: { id: 'asc' } })).map((mail) => mail.template)

describe.each(PAYMENT_STANDS)('$name', ({ name, words, path }) => {
  test('what agrees is no difference; money that we missed is found and asking again credits it', async () => {
    const fine = await credited(name)
    const missed = await bench.topUp(name)
    await pay(name, missed)
    // As if nobody had ever heard of it: reconcile has given up long ago.
    await db().payment.update({ where: { id: missed.id }, data: { nextCheckAt: null, state: 'expired' } })
    const first = await compare(name)
    expect(first.isUnavailable).toBe(false)
    expect(await openOf(fine)).toEqual([])
    const [difference] = await openOf(missed)
    expect(difference).toMatchObject({ kind: 'theirs_only', theirMicros: 20_000_000n, ourMicros: null, isTest: false })

    // The same night again, also twice at once: the same rows.
    const [second, third] = await Promise.all([compare(name), compare(name)])
    expect([second!.differences, third!.differences]).toEqual([first.differences, first.differences])
    expect((await openOf(missed)).map((each) => each.id)).toEqual([difference!.id])

    expect(await askAgain(staff, mend(difference!.id), at(name))).toEqual({ ok: true, value: { isMended: true } })
    expect(await bench.balanceOf(missed.user.id)).toBe(20_000_000n)
    expect(await askAgain(staff, mend(difference!.id), at(name))).toMatchObject({
      refusal: { code: 'difference_ended' },
    })
    expect(await openOf(missed)).toEqual([])
    expect((await compare(name)).differences).toBe(first.differences - 1)
    const [ended] = (await listDifferences({ isOpen: false })).rows
    expect(ended).toMatchObject({ id: difference!.id, state: 'mended', endedBy: staff.id, paymentState: 'credited' })
    expect(ended!.note).not.toContain('4111')
    const audit = await db().auditEntry.findFirstOrThrow({ where: { subjectId: difference!.id } })
    expect(audit).toMatchObject({ action: 'payments.difference_asked', actorId: staff.id })
  })

  test('a provider that is down changes nothing and the run says so', async () => {
    const missed = await bench.topUp(name)
    await pay(name, missed)
    await db().payment.update({ where: { id: missed.id }, data: { nextCheckAt: null, state: 'expired' } })
    await compare(name)
    const before = await listDifferences({ isOpen: true })
    await bench.control(name, 'fail', { times: 50, match: path, status: 503 })
    expect(await compare(name)).toMatchObject({ isUnavailable: true, compared: 0, differences: before.rows.length })
    expect(await compare(name)).toMatchObject({ isUnavailable: true })
    expect(await listDifferences({ isOpen: true })).toEqual(before)
    const [run] = await listLastComparisons()
    expect(run!.failingSince!.getTime()).toBeLessThan(run!.startedAt.getTime())
    const asked = await askAgain(staff, mend(before.rows[0]!.id), at(name))
    expect(asked).toMatchObject({ refusal: { code: 'provider_unavailable' } })
    expect(await bench.balanceOf(missed.user.id)).toBe(0n)
    await bench.control(name, 'reset')
    await compare(name)
    expect((await listLastComparisons())[0]).toMatchObject({ failingSince: null })
  })

  test('a credit that they know nothing of is taken back by a correction, below zero into a debt', async () => {
    const payment = await credited(name)
    // Three quarters of it are spent by then.
    await db().$transaction((tx) =>
      takeMoney(tx, {
        key: `correction:test:${payment.id}`,
        owner: payment.user.id,
        shopKind: 'adjustments',
        amountMicros: 15_000_000n,
        currency: 'USD',
        source: { kind: 'payment', id: payment.id },
        happenedAt: new Date(),
      }),
    )
    await say(name, payment, { state: words.expired, paid: '0' })
    await compare(name)
    const [difference] = await openOf(payment)
    expect(difference).toMatchObject({ kind: 'ours_only', theirMicros: null, ourMicros: 20_000_000n })
    expect(await askAgain(staff, mend(difference!.id), at(name))).toEqual({ ok: true, value: { isMended: false } })
    const corrected = await correctDifference(staff, mend(difference!.id), at(name))
    expect(corrected).toEqual({ ok: true, value: { movedMicros: -20_000_000n } })
    expect(await bench.balanceOf(payment.user.id)).toBe(0n)
    expect(await getDebt({ userId: payment.user.id, currency: 'USD' })).toBe(15_000_000n)
    expect(await mailsOf(payment.user.id)).toEqual(['top_up_receipt', 'top_up_corrected'])
    expect(await openOf(payment)).toEqual([])
    await compare(name)
    expect(await openOf(payment)).toEqual([])
  })
})

describe('other amounts', () => {
  test('more came than we credited: asking again makes the rest a payment of its own', async () => {
    const payment = await credited('fakepay')
    await say('fakepay', payment, { paid: '33.00' })
    await compare('fakepay')
    const [difference] = await openOf(payment)
    expect(difference).toMatchObject({ kind: 'other_amount', theirMicros: 33_000_000n, ourMicros: 20_000_000n })
    expect(await askAgain(staff, mend(difference!.id), at('fakepay'))).toEqual({ ok: true, value: { isMended: true } })
    const rest = await db().payment.findMany({ where: { userId: payment.user.id, id: { not: payment.id } } })
    expect(rest).toMatchObject([{ state: 'needs_review', reviewReason: 'redeposit', receivedMicros: 13_000_000n }])
    await compare('fakepay')
    expect(await openOf(payment)).toEqual([])
  })

  test('less came than we credited: a correction takes the difference, once, however many press at once', async () => {
    const payment = await credited('fakepay')
    await say('fakepay', payment, { paid: '12.50' })
    await compare('fakepay')
    const [difference] = await openOf(payment)
    expect(difference).toMatchObject({ kind: 'other_amount', theirMicros: 12_500_000n, ourMicros: 20_000_000n })
    expect(await askAgain(staff, mend(difference!.id), at('fakepay'))).toEqual({ ok: true, value: { isMended: false } })
    const all = await Promise.all(
      Array.from({ length: 5 }, () => correctDifference(staff, mend(difference!.id), at('fakepay'))),
    )
    expect(all.filter((each) => each.ok)).toEqual([{ ok: true, value: { movedMicros: -7_500_000n } }])
    expect(await bench.balanceOf(payment.user.id)).toBe(12_500_000n)
    const events = await db().paymentEvent.findMany({ where: { paymentId: payment.id }, orderBy: { id: 'asc' } })
    expect(events.at(-1)).toMatchObject({ kind: 'corrected', data: { movedMicros: '-7500000' } })
    // What never came cannot be given back either, and is not offered to be.
    expect((await getPaymentForAdmin(payment.id))!.leftMicros).toBe(12_500_000n)
    const refund = { paymentId: payment.id, amountMicros: 12_510_000n, reason: 'too much', requestKey: newId('req') }
    expect(await refundPayment(staff, refund, { providers: bench.providers })).toMatchObject({
      refusal: { code: 'refund_too_large', facts: { maxMicros: '12500000' } },
    })
    await compare('fakepay')
    expect(await openOf(payment)).toEqual([])
  })

  test('more came, and a correction gives it; another currency is for nobody’s click', async () => {
    const payment = await credited('fakepay')
    await say('fakepay', payment, { paid: '25.00' })
    await compare('fakepay')
    const [more] = await openOf(payment)
    expect(await correctDifference(staff, mend(more!.id), at('fakepay'))).toEqual({
      ok: true,
      value: { movedMicros: 5_000_000n },
    })
    expect(await bench.balanceOf(payment.user.id)).toBe(25_000_000n)
    expect(await mailsOf(payment.user.id)).toEqual(['top_up_receipt', 'top_up_corrected'])
    await say('fakepay', payment, { currency: 'EUR' })
    await compare('fakepay')
    const [other] = await openOf(payment)
    expect(other).toMatchObject({ kind: 'other_amount', currency: 'EUR' })
    const refusal = { refusal: { code: 'not_correctable' } }
    expect(await correctDifference(staff, mend(other!.id), at('fakepay'))).toMatchObject(refusal)
    expect((await openOf(payment))[0]).toMatchObject({ id: other!.id, state: 'open' })
  })
})

test('a payment that is not of this shop is listed, dismissed once, and comes again only when it is another sum', async () => {
  const payment = await credited('stripe')
  const strange = await bench.topUp('stripe')
  await say('stripe', strange, { state: 'complete:paid', paid: '20.00', orderId: 'the operator’s own' })
  await db().paymentEvent.deleteMany({ where: { paymentId: strange.id } })
  await db().payment.deleteMany({ where: { id: strange.id } })
  const foreign = async () =>
    (await listDifferences({ isOpen: true })).rows.filter(
      (each) => each.providerPaymentId === strange.providerPaymentId,
    )
  await compare('stripe')
  const [difference] = await foreign()
  expect(difference).toMatchObject({ kind: 'theirs_only', paymentId: null, userId: null, paymentState: null })
  expect(await askAgain(staff, mend(difference!.id), at('stripe'))).toEqual({ ok: true, value: { isMended: false } })
  expect(await correctDifference(staff, mend(difference!.id), at('stripe'))).toMatchObject({ ok: false })
  const before = await countOpenDifferences()
  const dismissed = await Promise.all([1, 2, 3].map(() => dismissDifference(staff, mend(difference!.id))))
  expect(dismissed.filter((each) => each.ok)).toHaveLength(1)
  expect(await countOpenDifferences()).toBe(before - 1)
  await compare('stripe')
  expect(await foreign()).toEqual([])
  await say('stripe', strange, { paid: '21.00' })
  await compare('stripe')
  expect(await foreign()).toHaveLength(1)
  expect(await openOf(payment)).toEqual([])
})

test('a difference that is gone by the next night ends by itself, also one from before the span', async () => {
  const missed = await bench.topUp('yookassa')
  await pay('yookassa', missed)
  await db().payment.update({ where: { id: missed.id }, data: { nextCheckAt: null, state: 'expired' } })
  await compare('yookassa')
  expect(await openOf(missed)).toHaveLength(1)
  // Weeks later the list does not reach back to it; it is asked about by its id, and stays while it holds.
  const later = { providers: [providerOf('yookassa')], now: new Date(Date.now() + 30 * DAY_MS) }
  await comparePayments(later)
  expect(await openOf(missed)).toHaveLength(1)
  expect((await settle(missed, 'yookassa')).outcome).toBe('credited')
  await comparePayments(later)
  expect(await openOf(missed)).toEqual([])
  const [ended] = (await listDifferences({ isOpen: false })).rows
  expect(ended).toMatchObject({ paymentId: missed.id, state: 'mended', endedBy: null })
})

test('a page on which somebody may be paying right now is left to reconcile', async () => {
  const payment = await bench.topUp('fakepay')
  await pay('fakepay', payment)
  await comparePayments({ providers: [providerOf('fakepay')], to: new Date(Date.now() + HOUR_MS) })
  expect(await openOf(payment)).toEqual([])
})

test('without a list that can be trusted each payment of ours is asked about, and the run says so', async () => {
  const payment = await credited('cryptocloud')
  await compare('cryptocloud')
  expect((await listLastComparisons())[0]).toMatchObject({ provider: 'cryptocloud', method: 'asked' })
  expect(await openOf(payment)).toEqual([])
})

test('refuses no reason, what is not there and a provider without settings', async () => {
  const input = { differenceId: newId('dif'), reason: '  ' }
  for (const act of [askAgain, correctDifference, dismissDifference]) {
    expect(await act(staff, input)).toMatchObject({ refusal: { code: 'reason_missing' } })
    expect(await act(staff, mend(input.differenceId))).toMatchObject({ refusal: { code: 'not_found' } })
  }
  const missed = await bench.topUp('btcpay')
  await pay('btcpay', missed)
  await db().payment.update({ where: { id: missed.id }, data: { nextCheckAt: null, state: 'expired' } })
  await compare('btcpay')
  const [difference] = await openOf(missed)
  expect(await askAgain(staff, mend(difference!.id), { providers: [] })).toMatchObject({
    refusal: { code: 'unknown_provider' },
  })
})

test('a thousand payments over many pages agree to the last one', async () => {
  const { id: userId } = await insertCustomer()
  const made: { id: string; providerPaymentId: string }[] = []
  for (let batch = 0; batch < 10; batch += 1)
    made.push(
      ...(await Promise.all(
        Array.from({ length: 100 }, async () => {
          const id = newId('pay')
          const { providerPaymentId } = await providerOf('stripe').createCheckout({
            paymentId: id,
            amountMicros: 5_000_000n,
            currency: 'USD',
            returnUrl: 'http://shop.test/back',
            webhookUrl: 'http://shop.test/hook',
            locale: 'en',
            expiresAt: new Date(Date.now() + 2 * HOUR_MS),
          })
          await bench.control('stripe', `invoices/${providerPaymentId}`, { state: 'complete:paid', paid: '5.00' })
          return { id, providerPaymentId }
        }),
      )),
    )
  // Written at once, because a thousand top-ups of one customer are more than anybody may have open.
  await db().$executeRaw(Prisma.sql`
    INSERT INTO payments (id, user_id, provider, state, requested_micros, currency, charge_micros, charge_currency, received_micros, credited_micros,
      provider_payment_id, request_key, credited_at)
    SELECT m.id, ${userId}, 'stripe', 'credited', 5000000, 'USD', 5000000, 'USD', 5000000, 5000000, m."providerPaymentId", m.id, now()
    FROM jsonb_to_recordset(${JSON.stringify(made)}::jsonb) AS m(id text, "providerPaymentId" text)`)
  const before = await compare('stripe')
  const [agreed] = await listLastComparisons()
  const gone = made[700]!
  await bench.control('stripe', `invoices/${gone.providerPaymentId}`, { state: 'expired:unpaid', paid: '0' })
  const after = await compare('stripe')
  expect(after.compared).toBeGreaterThanOrEqual(1000)
  expect(after.differences).toBe(before.differences + 1)
  const [run] = await listLastComparisons()
  expect([run!.ourMicros, run!.theirMicros]).toEqual([agreed!.ourMicros, agreed!.theirMicros - 5_000_000n])
  await db().payment.deleteMany({ where: { userId } })
})

test('the books hold after all of it', async () => {
  expect((await checkBooks()).findings).toEqual([])
})
