import { afterAll, beforeAll, expect, test } from 'vitest'
import { db } from '@/lib/db'
import { newId } from '@/lib/kit'
import { insertCustomer } from '@/test/factories/customer'
import { type OpenPayment, type PaymentsBench, startPaymentsBench } from '@/test/payments-bench'
import {
  countPaymentsNeedingReview,
  decideReview,
  findPayment,
  getPaymentForAdmin,
  listAllPayments,
  settlePayment,
} from './index'

let bench: PaymentsBench
beforeAll(async () => {
  bench = await startPaymentsBench()
})
afterAll(async () => {
  await bench.close()
})

async function settle(payment: OpenPayment, says: object): Promise<string> {
  await bench.control('fakepay', `invoices/${payment.providerPaymentId}`, says)
  const asked = {
    provider: 'fakepay',
    providerPaymentId: payment.providerPaymentId,
    paymentId: payment.id,
    messageId: null,
  }
  return (await settlePayment(asked, { provider: bench.providers[0]! })).outcome
}

async function inReview(says: object = { state: 'paid', paid: '12.00' }): Promise<OpenPayment> {
  const payment = await bench.topUp('fakepay')
  expect(await settle(payment, says)).toBe('needs_review')
  return payment
}

test('credits what was received, once, with reason in the audit and no card number in it', async () => {
  const staff = await insertCustomer({ role: 'finance' })
  const payment = await inReview()
  const waiting = await countPaymentsNeedingReview()
  const input = {
    paymentId: payment.id,
    decision: 'credit_received' as const,
    reason: 'Short by a fee; card 4111 1111 1111 1111 seen',
  }
  const decided = await Promise.all([decideReview(staff, input), decideReview(staff, input)])
  expect(decided.map((each) => each.ok).sort()).toEqual([false, true])
  expect(decided.find((each) => !each.ok)).toMatchObject({ refusal: { code: 'not_in_review' } })
  expect(await bench.balanceOf(payment.user.id)).toBe(12_000_000n)
  expect(await countPaymentsNeedingReview()).toBe(waiting - 1)
  const audit = await db().auditEntry.findFirstOrThrow({
    where: { subjectId: payment.id, action: 'payments.review_decided' },
  })
  expect(audit).toMatchObject({ actorKind: 'staff', actorId: staff.id })
  expect(JSON.stringify(audit.data)).toContain('•••• 1111')
  expect(JSON.stringify(audit.data)).not.toContain('4111')
  const mails = await db().outgoingEmail.findMany({ where: { userId: payment.user.id } })
  expect(mails.map((mail) => mail.template).sort()).toEqual(['top_up_needs_review', 'top_up_receipt'])
  const shown = await findPayment({ userId: payment.user.id, paymentId: payment.id })
  expect(
    JSON.stringify(shown!.events, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
  ).not.toContain('Short by')
})

test('declines; more money afterwards calls a person again, the same money does not', async () => {
  const staff = await insertCustomer({ role: 'finance' })
  const payment = await inReview()
  const decided = await decideReview(staff, { paymentId: payment.id, decision: 'decline', reason: 'sent back by hand' })
  expect(decided).toEqual({ ok: true, value: { state: 'declined' } })
  const mail = await db().outgoingEmail.findFirstOrThrow({ where: { key: { startsWith: `declined:${payment.id}:` } } })
  expect(mail).toMatchObject({ userId: payment.user.id, template: 'top_up_declined' })
  expect(JSON.stringify(mail.props)).not.toContain('sent back')
  expect(await settle(payment, { paid: '12.00' })).toBe('declined')
  // However often the provider tells of it: what came after a "no" is credited by a person only.
  for (let told = 0; told < 3; told += 1) expect(await settle(payment, { paid: '20.00' })).toBe('needs_review')
  expect(await bench.balanceOf(payment.user.id)).toBe(0n)
  const admin = await getPaymentForAdmin(payment.id)
  expect(admin).toMatchObject({
    state: 'needs_review',
    reviewReason: 'paid_after_decline',
    receivedMicros: 20_000_000n,
  })
  expect(admin!.events.map((event) => event.kind)).toContain('review_decided')
})

test('two people who decide differently at once, and a provider that speaks in between: one outcome, one credit at most', async () => {
  const staff = await insertCustomer({ role: 'finance' })
  for (let round = 0; round < 4; round += 1) {
    const payment = await inReview()
    const decide = (decision: 'credit_received' | 'decline') =>
      decideReview(staff, { paymentId: payment.id, decision, reason: 'looked at it' })
    const [credit, decline] = await Promise.all([
      decide('credit_received'),
      decide('decline'),
      settle(payment, { paid: '20.00' }),
    ])
    expect([credit, decline].filter((each) => each.ok).length).toBeLessThanOrEqual(1)
    const credits = await db().ledgerTransfer.findMany({ where: { key: `top_up:${payment.id}` } })
    expect(credits.length).toBeLessThanOrEqual(1)
    expect(await bench.balanceOf(payment.user.id)).toBe(credits[0]?.amountMicros ?? 0n)
    const { state } = (await findPayment({ userId: payment.user.id, paymentId: payment.id }))!
    expect(state === 'credited').toBe(credits.length === 1)
  }
})

test('what went back at the vendor’s desk while it waited is not credited', async () => {
  const staff = await insertCustomer({ role: 'finance' })
  const settleNow = { state: 'paid' }
  const decide = (paymentId: string) =>
    decideReview(staff, { paymentId, decision: 'credit_received', reason: 'short by a fee' })

  const all = await inReview()
  await bench.control('fakepay', `invoices/${all.providerPaymentId}/refund`, { webhooks: 0 })
  for (let told = 0; told < 2; told += 1) expect(await settle(all, settleNow)).toBe('needs_review')
  expect(await decide(all.id)).toMatchObject({ refusal: { code: 'nothing_to_credit' } })
  const shown = await findPayment({ userId: all.user.id, paymentId: all.id })
  expect(shown!.events.filter((event) => event.kind === 'refunded')).toHaveLength(1)
  // The vendor could not send it after all: it is there again.
  await bench.control('fakepay', `invoices/${all.providerPaymentId}/fail-refund`, { webhooks: 0 })
  await settle(all, settleNow)
  expect((await decide(all.id)).ok).toBe(true)
  await bench.work()
  expect(await bench.balanceOf(all.user.id)).toBe(12_000_000n)

  const part = await inReview()
  await bench.control('fakepay', `invoices/${part.providerPaymentId}/refund`, { amount: '5.00', webhooks: 0 })
  expect((await decide(part.id)).ok).toBe(true)
  await bench.work()
  expect(await bench.balanceOf(part.user.id)).toBe(7_000_000n)
})

test('money that cannot be counted in our currency cannot be credited by a click', async () => {
  const staff = await insertCustomer({ role: 'finance' })
  const payment = await inReview({ state: 'paid', paid: '20.00', currency: 'EUR' })
  const input = { paymentId: payment.id, decision: 'credit_received' as const, reason: 'looks right' }
  expect(await decideReview(staff, input)).toMatchObject({ refusal: { code: 'nothing_to_credit' } })
})

test('refuses what does not wait, what is not there, and no reason', async () => {
  const staff = await insertCustomer({ role: 'finance' })
  const payment = await bench.topUp('fakepay')
  const decide = (paymentId: string, reason = 'because') =>
    decideReview(staff, { paymentId, decision: 'decline', reason })
  expect(await decide(payment.id)).toMatchObject({ refusal: { code: 'not_in_review' } })
  expect(await decide(newId('pay'))).toMatchObject({ refusal: { code: 'not_found' } })
  expect(await decide(payment.id, '  ')).toMatchObject({ refusal: { code: 'reason_missing' } })
  expect(await getPaymentForAdmin(newId('pay'))).toBeNull()
})

test('staff read all payments page by page, without gaps or repeats', async () => {
  for (let made = 0; made < 22; made += 1) await bench.topUp('fakepay')
  const seen: string[] = []
  let before: string | undefined
  do {
    const page: Awaited<ReturnType<typeof listAllPayments>> = await listAllPayments({ before })
    seen.push(...page.rows.map((each) => each.id))
    before = page.nextBefore ?? undefined
  } while (before)
  expect(new Set(seen).size).toBe(seen.length)
  expect(seen.length).toBe(await db().payment.count())
  const waiting = await listAllPayments({ state: 'awaiting' })
  expect(new Set(waiting.rows.map((each) => each.state))).toEqual(new Set(['awaiting']))
})
