import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkBooks } from '@/lib/admin'
import { db, inTransaction, Prisma } from '@/lib/db'
import { newId, refused } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import {
  cancelOrder,
  dropOrderIntent,
  expireIntents,
  finishIntents,
  keepOrderIntent,
  placeOrder,
  previewOrder,
} from '@/lib/orders'
import {
  finishRefund,
  getPaymentForAdmin,
  getRefundable,
  refundPayment,
  settlePayment,
  startTopUp,
} from '@/lib/payments'
import { deliverOrder } from '@/lib/provisioning'
import { makePlan, orderFor, type PlanOnSale } from '@/test/factories/catalog'
import { type Customer, giveMoney, insertCustomer } from '@/test/factories/customer'
import { makePromotion, makeVoucherBatch } from '@/test/factories/promotions'
import { type PaymentsBench, startPaymentsBench } from '@/test/payments-bench'
import {
  createBatch,
  findPromotion,
  listOrderDiscounts,
  listPromotions,
  makeVouchers,
  redeemVoucher,
  savePromotion,
  savePromotionSchema,
  switchPromotion,
  withdrawBatch,
} from './index'

const STAFF = { kind: 'staff' as const, id: newId('usr') }
const USD = 1_000_000n

let bench: PaymentsBench
beforeAll(async () => {
  bench = await startPaymentsBench()
})
afterAll(async () => {
  const { findings } = await checkBooks()
  await bench.close()
  expect(findings).toEqual([])
})

/** What somebody sends who was shown the discount of a code on this choice. */
async function orderWith(plan: PlanOnSale, code: string, discountMicros: bigint, quantity = 1) {
  const order = await orderFor(plan, quantity)
  return { ...order, totalMicros: order.totalMicros - discountMicros, promotionCode: code }
}
const usedOf = async (promotionId: string) => {
  const { used, reserved, consumed, givenMicros } = (await findPromotion(promotionId))!
  return { used, reserved, consumed, givenMicros }
}
const balanceOf = async (userId: string) => (await getBalance({ userId })).balanceMicros

describe('a code on an order', () => {
  it('lowers what is paid: shown first, charged as shown, kept on the order, consumed when it is handed over', async () => {
    const plan = await makePlan()
    const customer = await insertCustomer({ balanceMicros: 10n * USD })
    const { promotionId, code } = await makePromotion()
    const choice = await orderFor(plan, 2)
    const preview = await previewOrder(customer, { ...choice, promotionCode: code })
    expect(preview).toMatchObject({ ok: true, value: { discountMicros: 200_000n, totalMicros: 1_800_000n, code } })
    expect(await usedOf(promotionId)).toMatchObject({ used: 0 })
    const placed = await placeOrder(customer, await orderWith(plan, code, 200_000n, 2))
    if (!placed.ok) throw new Error(placed.refusal.code)
    const { orderId } = placed.value
    expect(await balanceOf(customer.id)).toBe(8_200_000n)
    expect(await usedOf(promotionId)).toEqual({ used: 1, reserved: 1, consumed: 0, givenMicros: 0n })
    await deliverOrder({ orderId })
    expect(await usedOf(promotionId)).toEqual({ used: 1, reserved: 0, consumed: 1, givenMicros: 200_000n })
    expect(await db().order.findUnique({ where: { id: orderId } })).toMatchObject({
      totalMicros: 1_800_000n,
      promotionMicros: 200_000n,
      promotionId,
      state: 'active',
    })
    expect((await listOrderDiscounts([orderId])).get(orderId)).toEqual({ code, amountMicros: 200_000n })
  })

  it('never charges another total than agreed: a code typed and not shown yet asks again with the new one', async () => {
    const plan = await makePlan()
    const customer = await insertCustomer({ balanceMicros: 10n * USD })
    const { promotionId, code } = await makePromotion()
    const typed = { ...(await orderFor(plan)), promotionCode: code }
    expect(await placeOrder(customer, typed)).toMatchObject({
      refusal: { code: 'price_changed', facts: { totalMicros: 900_000n, promotionMicros: 100_000n } },
    })
    expect(await placeOrder(customer, { ...typed, totalMicros: 800_000n })).toMatchObject({
      refusal: { code: 'price_changed' },
    })
    expect(await balanceOf(customer.id)).toBe(10n * USD)
    expect(await usedOf(promotionId)).toMatchObject({ used: 0 })
    expect(await placeOrder(customer, { ...typed, totalMicros: 900_000n })).toMatchObject({ ok: true })
  })

  it('twenty sessions at once for the last use: exactly one buys cheaper, nobody else pays', async () => {
    const plan = await makePlan({ units: 30 })
    const { promotionId, code } = await makePromotion({ kind: 'amount', amountMicros: '0.40', maxUses: '1' })
    const customers = await Promise.all(Array.from({ length: 20 }, () => insertCustomer({ balanceMicros: 2n * USD })))
    const inputs = await Promise.all(customers.map(() => orderWith(plan, code, 400_000n)))
    const results = await Promise.all(customers.map((each, index) => placeOrder(each, inputs[index]!)))
    expect(results.filter((each) => each.ok)).toHaveLength(1)
    for (const result of results) if (!result.ok) expect(result.refusal.code).toBe('promotion_used_up')
    const balances = await Promise.all(customers.map((each) => balanceOf(each.id)))
    expect(balances.filter((each) => each === 2n * USD)).toHaveLength(19)
    expect(await usedOf(promotionId)).toMatchObject({ used: 1, reserved: 1 })
    expect(await db().stockUnit.count({ where: { offerId: plan.offerId, state: 'reserved' } })).toBe(1)
  })

  it('the last use of one person, raced by their own tabs past this process’s queue, is one', async () => {
    const plan = await makePlan({ units: 30 })
    const customer = await insertCustomer({ balanceMicros: 50n * USD })
    const { promotionId } = await makePromotion({ kind: 'percent', percent: '50', perPerson: '1' })
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        db().$queryRaw<{ outcome: string }[]>(Prisma.sql`
          SELECT outcome FROM place_order(${newId('ord')}, ${customer.id}, ${newId('req')}, ${plan.planId}, ${plan.revision}::int, ${plan.offerId}, true,
            'datacenter_ipv4', 'NL', 30::int, 1::int, 1000000::bigint, 0::bigint, 500000::bigint, 'USD', ${promotionId}, 1::int, 500000::bigint)`),
      ),
    )
    expect(outcomes.map(([row]) => row!.outcome).sort()).toEqual([
      'placed',
      ...Array.from({ length: 19 }, () => 'promotion_used_up'),
    ])
  })

  it('clicked twenty times it is one order and one use, also when its code was for a first order or is over by then', async () => {
    const plan = await makePlan({ units: 30 })
    const customer = await insertCustomer({ balanceMicros: 20n * USD })
    const { promotionId, code } = await makePromotion({ kind: 'percent', percent: '10', firstOnly: 'on', maxUses: '1' })
    const input = await orderWith(plan, code, 100_000n)
    const results = await Promise.all(Array.from({ length: 20 }, () => placeOrder(customer, input)))
    expect(new Set(results.map((each) => each.ok && each.value.orderId)).size).toBe(1)
    await switchPromotion(STAFF, { promotionId, isActive: false })
    expect(await placeOrder(customer, input)).toMatchObject({ ok: true, value: { isRepeat: true } })
    expect(await usedOf(promotionId)).toMatchObject({ used: 1 })
  })

  it('gives its use back when the order is cancelled or fails; a part that came has its share of the discount', async () => {
    const plan = await makePlan({ units: 5 })
    const customer = await insertCustomer({ balanceMicros: 20n * USD })
    const { promotionId, code } = await makePromotion({ kind: 'percent', percent: '10', maxUses: '1' })
    const first = await placeOrder(customer, await orderWith(plan, code, 100_000n))
    if (!first.ok) throw new Error(first.refusal.code)
    expect(await cancelOrder(customer, first.value)).toMatchObject({ ok: true, value: { releasedMicros: 900_000n } })
    expect(await usedOf(promotionId)).toMatchObject({ used: 0 })
    const second = await placeOrder(customer, await orderWith(plan, code, 100_000n))
    if (!second.ok) throw new Error(second.refusal.code)
    await db().$queryRaw(Prisma.sql`SELECT fail_order(${second.value.orderId}, 'sold_out')::text`)
    expect(await usedOf(promotionId)).toMatchObject({ used: 0 })
    const part = await placeOrder(customer, await orderWith(plan, code, 200_000n, 2))
    if (!part.ok) throw new Error(part.refusal.code)
    // one of the two units is gone, as if a supplier had sent fewer
    const unit = await db().stockUnit.findFirstOrThrow({ where: { orderId: part.value.orderId } })
    await db().stockUnit.update({ where: { id: unit.id }, data: { state: 'withdrawn', orderId: null } })
    await deliverOrder(part.value)
    expect(await usedOf(promotionId)).toMatchObject({ used: 1, consumed: 1, givenMicros: 100_000n })
    expect(await balanceOf(customer.id)).toBe(20n * USD - 900_000n)
  })

  it('one same answer for wrong, over, not begun, switched off, not for this, too cheap, not the first, of top-ups', async () => {
    const plan = await makePlan({ units: 30 })
    const buyer = await insertCustomer({ balanceMicros: 20n * USD })
    await placeOrder(buyer, await orderFor(plan))
    const off = await makePromotion()
    await switchPromotion(STAFF, { promotionId: off.promotionId, isActive: false })
    const used = await makePromotion({ kind: 'percent', percent: '10', perPerson: '1' })
    await placeOrder(buyer, await orderWith(plan, used.code, 100_000n))
    const percent = { kind: 'percent', percent: '10' }
    const codes = [
      'NO-SUCH-CODE',
      'x'.repeat(150),
      '%_\'"<b>',
      off.code,
      used.code,
      (await makePromotion({ ...percent, endsAt: '2026-01-01T00:00' })).code,
      (await makePromotion({ ...percent, startsAt: '2099-01-01T00:00' })).code,
      (await makePromotion({ ...percent, productIds: [newId('prd')] })).code,
      (await makePromotion({ ...percent, countries: 'DE, FR' })).code,
      (await makePromotion({ ...percent, minimumMicros: '1.01' })).code,
      (await makePromotion({ ...percent, firstOnly: 'on' })).code,
      (await makePromotion({ kind: 'gigabytes', gigabytes: '5' })).code,
      (await makePromotion({ kind: 'top_up_bonus', percent: '10' })).code,
    ]
    for (const promotionCode of codes) {
      await db().throttle.deleteMany()
      expect(await previewOrder(buyer, { ...(await orderFor(plan)), promotionCode })).toEqual(
        refused('promotion_not_valid'),
      )
      // Nor does a click with a total that was never shown tell anything.
      expect(await placeOrder(buyer, { ...(await orderFor(plan)), promotionCode })).toEqual(
        refused('promotion_not_valid'),
      )
    }
  })

  it('guessing is throttled for the person and for the address behind many accounts', async () => {
    await db().throttle.deleteMany()
    const plan = await makePlan()
    const { code } = await makePromotion()
    const input = await orderFor(plan)
    const guesser = await insertCustomer({ balanceMicros: USD })
    const codes = Array.from({ length: 15 }, (_, index) => `GUESS-${index}`)
    const answers = []
    for (const promotionCode of codes) answers.push(await previewOrder(guesser, { ...input, promotionCode }))
    expect(answers.filter((each) => !each.ok && each.refusal.code === 'too_many_tries')).toHaveLength(5)
    expect(await previewOrder(guesser, { ...input, promotionCode: code })).toMatchObject({
      refusal: { code: 'too_many_tries' },
    })
    expect(await previewOrder(await insertCustomer(), { ...input, promotionCode: code })).toMatchObject({ ok: true })
  })

  it('a call that is rolled back leaves no use and no count', async () => {
    const plan = await makePlan()
    const customer = await insertCustomer({ balanceMicros: USD })
    const { promotionId } = await makePromotion()
    await inTransaction(async (tx) => {
      const [row] = await tx.$queryRaw<{ outcome: string }[]>(Prisma.sql`
        SELECT outcome FROM place_order(${newId('ord')}, ${customer.id}, ${newId('req')}, ${plan.planId}, ${plan.revision}::int, ${plan.offerId}, true,
          'datacenter_ipv4', 'NL', 30::int, 1::int, 1000000::bigint, 0::bigint, 900000::bigint, 'USD', ${promotionId}, 1::int, 100000::bigint)`)
      expect(row!.outcome).toBe('placed')
      return refused('killed')
    })
    expect(await usedOf(promotionId)).toMatchObject({ used: 0, reserved: 0 })
    expect(await balanceOf(customer.id)).toBe(USD)
  })
})

describe('a choice that waits with its code', () => {
  it('keeps its use, and is bought with it when the money comes, though the code has ended by then', async () => {
    const plan = await makePlan()
    const customer = await insertCustomer()
    const { promotionId, code } = await makePromotion({ kind: 'percent', percent: '10', maxUses: '1' })
    const { requestKey: _, ...choice } = await orderWith(plan, code, 100_000n)
    const kept = await keepOrderIntent(customer, choice)
    expect(kept).toMatchObject({ ok: true, value: { missingMicros: 900_000n } })
    expect(await usedOf(promotionId)).toMatchObject({ used: 1, reserved: 1 })
    const rival = await insertCustomer({ balanceMicros: 5n * USD })
    expect(await placeOrder(rival, await orderWith(plan, code, 100_000n))).toMatchObject({
      refusal: { code: 'promotion_used_up' },
    })
    await switchPromotion(STAFF, { promotionId, isActive: false })
    await giveMoney(customer.id, 900_000n)
    await Promise.all([finishIntents({ userId: customer.id }), finishIntents({ userId: customer.id })])
    expect(await balanceOf(customer.id)).toBe(0n)
    expect(await usedOf(promotionId)).toMatchObject({ used: 1, reserved: 1 })
    const order = await db().order.findFirstOrThrow({ where: { userId: customer.id } })
    expect(order).toMatchObject({ promotionId, promotionMicros: 100_000n, totalMicros: 900_000n })
  })

  it('frees its use when it is taken back, when its time is over, and when it can no longer be had as agreed', async () => {
    const plan = await makePlan()
    const { promotionId, code } = await makePromotion({ kind: 'percent', percent: '10', maxUses: '3' })
    const people = await Promise.all([insertCustomer(), insertCustomer(), insertCustomer()])
    const intents = []
    for (const person of people) {
      const { requestKey: _, ...choice } = await orderWith(plan, code, 100_000n)
      const kept = await keepOrderIntent(person, choice)
      if (!kept.ok) throw new Error(kept.refusal.code)
      intents.push(kept.value.intentId)
    }
    expect(await usedOf(promotionId)).toMatchObject({ used: 3 })
    await dropOrderIntent(people[0]!, intents[0]!)
    expect(await dropOrderIntent(people[1]!, intents[0]!)).toMatchObject({ ok: false })
    expect(await usedOf(promotionId)).toMatchObject({ used: 2 })
    await db().orderIntent.update({ where: { id: intents[1]! }, data: { expiresAt: new Date(Date.now() - 1) } })
    expect(await expireIntents()).toBe(1)
    expect(await usedOf(promotionId)).toMatchObject({ used: 1 })
    await db().planPeriod.updateMany({ where: { planId: plan.planId }, data: { unitPriceMicros: 2_000_000n } })
    await db().plan.update({ where: { id: plan.planId }, data: { revision: { increment: 1 } } })
    await giveMoney(people[2]!.id, 5n * USD)
    await finishIntents({ userId: people[2]!.id })
    expect(await usedOf(promotionId)).toMatchObject({ used: 0 })
    expect(await balanceOf(people[2]!.id)).toBe(5n * USD)
  })

  it('belongs to its customer: a click under its id takes neither the choice nor the code of somebody else', async () => {
    const plan = await makePlan()
    const { promotionId, code } = await makePromotion({ kind: 'percent', percent: '10' })
    const owner = await insertCustomer()
    const { requestKey: _, ...choice } = await orderWith(plan, code, 100_000n)
    const kept = await keepOrderIntent(owner, choice)
    if (!kept.ok) throw new Error(kept.refusal.code)
    const { intentId } = kept.value
    const stranger = await insertCustomer({ balanceMicros: 5n * USD })
    const theirs = { ...(await orderFor(plan, 1, intentId)), reservedPromotionId: promotionId, totalMicros: 900_000n }
    expect(await placeOrder(stranger, theirs)).toEqual(refused('promotion_not_valid'))
    expect(await placeOrder(stranger, await orderFor(plan, 1, intentId))).toMatchObject({ ok: true })
    expect(await db().orderIntent.findUnique({ where: { id: intentId } })).toMatchObject({ state: 'waiting' })
    expect(await usedOf(promotionId)).toMatchObject({ used: 1, reserved: 1 })
    // Its own customer may buy it at the full price instead: then its code is free again.
    await giveMoney(owner.id, 5n * USD)
    expect(await placeOrder(owner, await orderFor(plan, 1, intentId))).toMatchObject({ ok: true })
    expect(await usedOf(promotionId)).toMatchObject({ used: 0 })
  })

  it('twenty people at once keep the last use: one does', async () => {
    const plan = await makePlan()
    const { promotionId, code } = await makePromotion({ kind: 'percent', percent: '10', maxUses: '1' })
    const people = await Promise.all(Array.from({ length: 20 }, () => insertCustomer()))
    const { requestKey: _, ...choice } = await orderWith(plan, code, 100_000n)
    const kept = await Promise.all(people.map((person) => keepOrderIntent(person, choice)))
    expect(kept.filter((each) => each.ok)).toHaveLength(1)
    for (const each of kept) if (!each.ok) expect(each.refusal.code).toBe('promotion_used_up')
    expect(await usedOf(promotionId)).toMatchObject({ used: 1 })
  })
})

describe('a code on a top-up', () => {
  async function topUpWith(code: string, amountMicros = 20n * USD, user?: Customer) {
    const person = user ?? (await insertCustomer())
    const started = await startTopUp(
      { id: person.id, locale: 'en' },
      { provider: 'fakepay', amountMicros, requestKey: newId('req'), promotionCode: code },
      bench,
    )
    if (!started.ok) return { person, refusal: started.refusal.code, paymentId: '', providerPaymentId: '' }
    const { paymentId } = started.value
    const row = await db().payment.findUniqueOrThrow({ where: { id: paymentId } })
    return { person, refusal: null, paymentId, providerPaymentId: row.providerPaymentId! }
  }
  const pay = async (providerPaymentId: string, body: unknown = {}) => {
    await bench.control('fakepay', `invoices/${providerPaymentId}/pay`, body)
    await bench.work()
  }
  const eventsOf = async (paymentId: string) =>
    (await db().paymentEvent.findMany({ where: { paymentId }, orderBy: { id: 'asc' } })).map((each) => each.kind)

  it('is a gift on the balance in the moment of the credit, once, computed from what came', async () => {
    const { promotionId, code } = await makePromotion({ kind: 'top_up_bonus', percent: '10', capMicros: '1.50' })
    const { person, paymentId, providerPaymentId } = await topUpWith(code)
    expect(await usedOf(promotionId)).toMatchObject({ used: 1, reserved: 1 })
    await pay(providerPaymentId)
    const settle = { provider: 'fakepay', providerPaymentId, paymentId, messageId: null }
    const provider = bench.providers.find((each) => each.name === 'fakepay')!
    await Promise.all(Array.from({ length: 5 }, () => settlePayment(settle, { provider })))
    expect(await getBalance({ userId: person.id })).toMatchObject({
      balanceMicros: 21_500_000n,
      giftMicros: 1_500_000n,
    })
    expect(await usedOf(promotionId)).toEqual({ used: 1, reserved: 0, consumed: 1, givenMicros: 1_500_000n })
    expect(await eventsOf(paymentId)).toContain('bonus')
    const receipt = await db().outgoingEmail.findFirstOrThrow({ where: { key: `receipt:${paymentId}` } })
    expect(receipt.props).toMatchObject({ bonusMicros: '1500000', balanceMicros: '21500000' })
  })

  it('a fixed bonus is given in the share of what was asked for that came, and none below its least amount', async () => {
    const fixed = await makePromotion({ kind: 'top_up_bonus', amountMicros: '5' })
    const least = await makePromotion({ kind: 'top_up_bonus', percent: '10', minimumMicros: '20' })
    const half = await topUpWith(fixed.code)
    const short = await topUpWith(least.code)
    for (const [each, credit] of [
      [half, 10n * USD],
      [short, 19n * USD],
    ] as const)
      await db().$queryRaw(
        Prisma.sql`SELECT outcome FROM credit_payment(${each.paymentId}, ${each.providerPaymentId}, ${credit}::bigint, ${credit}::bigint, now())`,
      )
    expect(await balanceOf(half.person.id)).toBe(12_500_000n)
    expect(await balanceOf(short.person.id)).toBe(19n * USD)
    expect(await usedOf(least.promotionId)).toMatchObject({ used: 0, consumed: 0 })
    expect(await eventsOf(short.paymentId)).toContain('bonus_missed')
  })

  it('one that ends without money frees its use; money that comes late takes one back, or says that there is none', async () => {
    const { promotionId, code } = await makePromotion({ kind: 'top_up_bonus', percent: '10', maxUses: '1' })
    const expire = (id: string) => db().payment.update({ where: { id }, data: { state: 'expired' } })
    const late = await topUpWith(code)
    await expire(late.paymentId)
    expect(await usedOf(promotionId)).toMatchObject({ used: 0 })
    const credit = (id: string) =>
      db().$queryRaw(
        Prisma.sql`SELECT outcome FROM credit_payment(${id}, NULL::text, 20000000::bigint, 20000000::bigint, now())`,
      )
    await credit(late.paymentId)
    expect(await balanceOf(late.person.id)).toBe(22n * USD)
    expect(await usedOf(promotionId)).toMatchObject({ used: 1, consumed: 1 })
    expect((await topUpWith(code)).refusal).toBe('promotion_not_valid')

    const other = await makePromotion({ kind: 'top_up_bonus', percent: '10', maxUses: '1' })
    const tooLate = await topUpWith(other.code)
    await expire(tooLate.paymentId)
    const quick = await topUpWith(other.code)
    await credit(quick.paymentId)
    await credit(tooLate.paymentId)
    expect(await balanceOf(tooLate.person.id)).toBe(20n * USD)
    const receipt = await db().outgoingEmail.findFirstOrThrow({ where: { key: `receipt:${tooLate.paymentId}` } })
    expect(receipt.props).toMatchObject({ bonusMissed: 'used_up' })
    expect(await usedOf(other.promotionId)).toMatchObject({ used: 1, consumed: 1 })
  })

  it('for a first top-up is that of one: of two payments under way the second brings none', async () => {
    const one = await makePromotion({ kind: 'top_up_bonus', percent: '10', firstOnly: 'on' })
    const two = await makePromotion({ kind: 'top_up_bonus', percent: '20', firstOnly: 'on' })
    const person = await insertCustomer()
    const first = await topUpWith(one.code, 20n * USD, person)
    expect((await topUpWith(one.code, 20n * USD, person)).refusal).toBe('promotion_not_valid')
    const second = await topUpWith(two.code, 20n * USD, person)
    await Promise.all([pay(first.providerPaymentId), pay(second.providerPaymentId)])
    await bench.work()
    expect([42n * USD, 44n * USD]).toContain(await balanceOf(person.id))
    expect((await topUpWith(one.code, 20n * USD, person)).refusal).toBe('promotion_not_valid')
  })

  it('twenty people at once with the last use: one payment has it, the others begin none', async () => {
    const { promotionId, code } = await makePromotion({ kind: 'top_up_bonus', percent: '10', maxUses: '1' })
    const started = await Promise.all(Array.from({ length: 20 }, () => topUpWith(code)))
    expect(started.filter((each) => each.refusal === null)).toHaveLength(1)
    expect(await db().payment.count({ where: { userId: { in: started.map((each) => each.person.id) } } })).toBe(1)
    expect(await usedOf(promotionId)).toMatchObject({ used: 1 })
  })

  it('goes back in proportion with a refund, as far as it is still there, and comes again when the refund fails', async () => {
    const { promotionId, code } = await makePromotion({ kind: 'top_up_bonus', percent: '10' })
    const finance = { id: newId('usr') }
    const refund = (paymentId: string, amountMicros: bigint) =>
      refundPayment(finance, { paymentId, amountMicros, reason: 'asked', requestKey: newId('req') }, bench)
    const kept = await topUpWith(code)
    await pay(kept.providerPaymentId)
    // What is offered is what is taken: the gift stays here.
    const offered = async () => getRefundable((await getPaymentForAdmin(kept.paymentId))!)
    expect(await offered()).toBe(20n * USD)
    expect(await refund(kept.paymentId, 10n * USD)).toMatchObject({ ok: true })
    expect(await offered()).toBe(10n * USD)
    expect(await refund(kept.paymentId, 10n * USD + 1n)).toMatchObject({ refusal: { code: 'refund_too_large' } })
    // What was taken of the bonus was taken from the gift: the other half can go to its source whole.
    expect(await getBalance({ userId: kept.person.id })).toMatchObject({ balanceMicros: 11n * USD, giftMicros: USD })
    expect(await usedOf(promotionId)).toMatchObject({ givenMicros: USD })
    expect(await refund(kept.paymentId, 10n * USD)).toMatchObject({ ok: true })
    expect(await balanceOf(kept.person.id)).toBe(0n)

    const spent = await topUpWith(code)
    await pay(spent.providerPaymentId)
    const plan = await makePlan({ units: 5 })
    await placeOrder(spent.person, await orderFor(plan, 3))
    // The gift was spent first, so 19.00 of 20.00 are left, and none of it is the bonus.
    expect(await refund(spent.paymentId, 19n * USD)).toMatchObject({ ok: true })
    expect(await balanceOf(spent.person.id)).toBe(0n)

    const failed = await topUpWith(code)
    await pay(failed.providerPaymentId)
    const begun = await refund(failed.paymentId, 20n * USD)
    expect(await balanceOf(failed.person.id)).toBe(0n)
    if (!begun.ok) throw new Error(begun.refusal.code)
    await finishRefund(finance, { refundId: begun.value.refundId, end: 'failed', reason: 'no such card' })
    expect(await getBalance({ userId: failed.person.id })).toMatchObject({
      balanceMicros: 22n * USD,
      giftMicros: 2n * USD,
    })
  })
})

describe('a bonus and a bank', () => {
  it('goes back with a chargeback as far as it is there, and comes again when that is won', async () => {
    const { promotionId, code } = await makePromotion({ kind: 'top_up_bonus', percent: '10' })
    const person = await insertCustomer()
    const started = await startTopUp(
      { id: person.id, locale: 'en' },
      { provider: 'fakepay', amountMicros: 20n * USD, requestKey: newId('req'), promotionCode: code },
      bench,
    )
    if (!started.ok) throw new Error(started.refusal.code)
    const { providerPaymentId } = await db().payment.findUniqueOrThrow({ where: { id: started.value.paymentId } })
    const path = `invoices/${providerPaymentId}`
    await bench.control('fakepay', `${path}/pay`)
    await bench.work()
    expect(await balanceOf(person.id)).toBe(22n * USD)
    await bench.control('fakepay', `${path}/dispute`)
    await bench.work()
    expect(await balanceOf(person.id)).toBe(0n)
    expect(await usedOf(promotionId)).toMatchObject({ consumed: 1, givenMicros: 0n })
    await bench.control('fakepay', `${path}/dispute`, { state: 'won' })
    await bench.work()
    expect(await getBalance({ userId: person.id })).toMatchObject({ balanceMicros: 22n * USD, giftMicros: 2n * USD })
    expect(await usedOf(promotionId)).toMatchObject({ givenMicros: 2n * USD })
  })
})

describe('vouchers', () => {
  it('are worth their amount once for ever, to one of twenty who redeem at once; the same person again is told so', async () => {
    const { codes } = await makeVoucherBatch()
    const people = await Promise.all(Array.from({ length: 20 }, () => insertCustomer()))
    const results = await Promise.all(people.map((each) => redeemVoucher(each, { voucherCode: codes[0]! })))
    expect(results.filter((each) => each.ok)).toHaveLength(1)
    for (const result of results) if (!result.ok) expect(result.refusal.code).toBe('voucher_not_valid')
    const winner = people[results.findIndex((each) => each.ok)]!
    expect(await getBalance({ userId: winner.id })).toMatchObject({ balanceMicros: 5n * USD, giftMicros: 5n * USD })
    expect(await redeemVoucher(winner, { voucherCode: codes[0]! })).toMatchObject({ value: { isRepeat: true } })
    expect(await balanceOf(winner.id)).toBe(5n * USD)
  })

  it('are read as people type them', async () => {
    const { codes } = await makeVoucherBatch()
    const person = await insertCustomer()
    const typed = ` ${codes[0]!.toLowerCase().replaceAll('0', 'o').replaceAll('1', 'l').replaceAll('-', ' – ')} `
    expect(await redeemVoucher(person, { voucherCode: typed })).toMatchObject({ ok: true })
  })

  it('one answer for wrong, used by somebody else, over, withdrawn and nonsense; guessing is throttled', async () => {
    await db().throttle.deleteMany()
    const person = await insertCustomer()
    const used = await makeVoucherBatch()
    await redeemVoucher(await insertCustomer(), { voucherCode: used.codes[0]! })
    const over = await makeVoucherBatch({ endsAt: new Date(Date.now() - 1000) })
    const gone = await makeVoucherBatch({ count: 2 })
    await redeemVoucher(person, { voucherCode: gone.codes[0]! })
    expect(await withdrawBatch(STAFF, gone)).toMatchObject({ value: { unused: 1 } })
    expect(await withdrawBatch(STAFF, gone)).toMatchObject({ refusal: { code: 'batch_withdrawn' } })
    const wrong = [
      used.codes[0]!,
      over.codes[0]!,
      gone.codes[1]!,
      '0000-0000-0000-0000',
      'x',
      "' OR 1=1 --",
      '🙂'.repeat(16),
    ]
    for (const voucherCode of wrong)
      expect(await redeemVoucher(person, { voucherCode })).toEqual(refused('voucher_not_valid'))
    expect(await balanceOf(person.id)).toBe(5n * USD)
    for (let index = 0; index < 3; index += 1) await redeemVoucher(person, { voucherCode: '0000-0000-0000-0000' })
    const right = await makeVoucherBatch()
    expect(await redeemVoucher(person, { voucherCode: right.codes[0]! })).toMatchObject({
      refusal: { code: 'too_many_tries' },
    })
  })

  it('codes are seen once, are all different, and the database holds none of them', async () => {
    const { batchId } = await createBatch(STAFF, { label: 'Fair', amountMicros: USD, count: 10_000, endsAt: undefined })
    const made = await Promise.all(Array.from({ length: 5 }, () => makeVouchers(STAFF, { batchId })))
    const codes = made.flatMap((each) => (each.ok ? [each.value.codes] : []))
    expect(codes).toHaveLength(1)
    expect(new Set(codes[0]).size).toBe(10_000)
    for (const each of made) if (!each.ok) expect(each.refusal.code).toBe('codes_made')
    const rows = await db().voucher.findMany({ where: { batchId }, take: 100, select: { digest: true } })
    for (const { digest } of rows) expect(digest).toMatch(/^[0-9a-f]{64}$/)
    expect(await makeVouchers(STAFF, { batchId: newId('vbt') })).toMatchObject({ refusal: { code: 'not_found' } })
  })

  it('withdrawing and redeeming at once leave each voucher either paid or worthless', async () => {
    const { batchId, codes } = await makeVoucherBatch({ count: 10, amountMicros: USD })
    const people = await Promise.all(codes.map(() => insertCustomer()))
    const [withdrawn, ...redeemed] = await Promise.all([
      withdrawBatch(STAFF, { batchId }),
      ...people.map((each, index) => redeemVoucher(each, { voucherCode: codes[index]! })),
    ])
    const paid = redeemed.filter((each) => each.ok).length
    expect(withdrawn).toMatchObject({ value: { unused: 10 - paid } })
    const sums = await Promise.all(people.map((each) => balanceOf(each.id)))
    expect(sums.filter((each) => each === USD)).toHaveLength(paid)
  })

  it('a redeemed voucher cannot be undone, whatever writes the row', async () => {
    const { codes, batchId } = await makeVoucherBatch()
    await redeemVoucher(await insertCustomer(), { voucherCode: codes[0]! })
    await expect(
      db().voucher.updateMany({ where: { batchId }, data: { redeemedAt: null, redeemedBy: null } }),
    ).rejects.toThrow()
  })
})

describe('making codes', () => {
  const form = { code: ' spring-26 ', label: 'Spring', kind: 'percent', percent: '20' }

  it('writes them in capitals, once, with an audit entry; of two at once one is made', async () => {
    const input = savePromotionSchema.parse(form)
    const saved = await Promise.all([savePromotion(STAFF, input), savePromotion(STAFF, input)])
    expect(saved.filter((each) => each.ok)).toHaveLength(1)
    expect(saved.find((each) => !each.ok)).toMatchObject({ refusal: { code: 'code_taken' } })
    const row = (await listPromotions()).find((each) => each.code === 'SPRING-26')!
    expect(row).toMatchObject({ percent: 20, used: 0, isActive: true })
    expect(await db().auditEntry.count({ where: { subjectId: row.id, action: 'promotions.created' } })).toBe(1)
  })

  it('keeps the terms of a code that was used; limits may change, at the revision that was shown', async () => {
    const plan = await makePlan()
    const { promotionId, code } = await makePromotion()
    const input = { ...form, code, promotionId, revision: '1' }
    await placeOrder(await insertCustomer({ balanceMicros: USD }), await orderWith(plan, code, 100_000n))
    expect(await savePromotion(STAFF, savePromotionSchema.parse(input))).toMatchObject({
      refusal: { code: 'terms_in_use', facts: { field: 'percent' } },
    })
    // Whether it is for a first order is asked again when a choice that waited is bought, or a top-up comes: it is a promise, too.
    const narrowed = savePromotionSchema.parse({ ...input, percent: '10', firstOnly: 'on' })
    expect(await savePromotion(STAFF, narrowed)).toMatchObject({
      refusal: { code: 'terms_in_use', facts: { field: 'firstOnly' } },
    })
    const limited = savePromotionSchema.parse({ ...input, percent: '10', maxUses: '1' })
    expect(await savePromotion(STAFF, limited)).toMatchObject({ ok: true })
    expect(await savePromotion(STAFF, limited)).toMatchObject({ refusal: { code: 'changed_meanwhile' } })
  })

  it.each([
    [{ percent: '0' }, 'percent'],
    [{ percent: '101' }, 'percent'],
    [{ percent: '-5' }, 'percent'],
    [{ percent: '1e3' }, 'percent'],
    [{ percent: '' }, 'percent'],
    [{ kind: 'amount', amountMicros: '-1' }, 'amountMicros'],
    [{ kind: 'amount', amountMicros: '0' }, 'amountMicros'],
    [{ kind: 'amount', amountMicros: '10000.01' }, 'amountMicros'],
    [{ kind: 'gigabytes', gigabytes: '99999999' }, 'gigabytes'],
    [{ kind: 'top_up_bonus', amountMicros: '5' }, 'percent'],
    [{ code: 'A' }, 'code'],
    [{ code: 'ÄÖÜ-CODE' }, 'code'],
    [{ code: '<script>' }, 'code'],
    [{ label: '' }, 'label'],
    [{ maxUses: '0' }, 'maxUses'],
    [{ perPerson: '-1' }, 'perPerson'],
    [{ countries: 'Germany' }, 'countries'],
    [{ startsAt: '2026-05-01T00:00', endsAt: '2026-05-01T00:00' }, 'endsAt'],
    [{ endsAt: 'tomorrow' }, 'endsAt'],
    [{ minimumMicros: '999999999' }, 'minimumMicros'],
  ])('refuses %j beside its field', (change, field) => {
    const parsed = savePromotionSchema.safeParse({ ...form, ...change })
    expect(parsed.error?.issues.map((issue) => issue.path.join('.'))).toContain(field)
  })
})

it('the books notice a count that is off, and a bonus or a voucher without its transfer', async () => {
  const { promotionId } = await makePromotion()
  const { batchId } = await makeVoucherBatch()
  const rules = async () => (await checkBooks()).findings.map((finding) => finding.rule).join('; ')
  expect(await rules()).toBe('')
  await db().promotion.update({ where: { id: promotionId }, data: { used: 3 } })
  await db().promotionUse.create({
    data: {
      id: newId('pru'),
      promotionId,
      userId: newId('usr'),
      subjectKind: 'payment',
      subjectId: newId('pay'),
      amountMicros: 1n,
      currency: 'USD',
      state: 'consumed',
      endedAt: new Date(),
    },
  })
  const voucher = await db().voucher.findFirstOrThrow({ where: { batchId } })
  await db().$executeRaw(
    Prisma.sql`UPDATE vouchers SET redeemed_by = 'usr_x', redeemed_at = now() WHERE id = ${voucher.id}`,
  )
  const found = await rules()
  for (const words of ['the uses a promotion counts', 'each bonus that was given', 'each voucher that was redeemed'])
    expect(found).toContain(words)
  await db().promotionUse.deleteMany({ where: { promotionId } })
  await db().promotion.update({ where: { id: promotionId }, data: { used: 0 } })
  await db().$transaction([
    db().$executeRaw(Prisma.sql`ALTER TABLE vouchers DISABLE TRIGGER redeemed_once`),
    db().$executeRaw(Prisma.sql`UPDATE vouchers SET redeemed_by = NULL, redeemed_at = NULL WHERE id = ${voucher.id}`),
    db().$executeRaw(Prisma.sql`ALTER TABLE vouchers ENABLE TRIGGER redeemed_once`),
  ])
})

it('any sequence of reserving, consuming, releasing and expiring keeps the counts right and the limits whole', async () => {
  const plan = await makePlan({ units: 2000 })
  const step = fc.tuple(fc.constantFrom('buy', 'keep', 'drop', 'expire', 'deliver', 'cancel', 'fail'), fc.nat(3))
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 14 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 1, max: 2 }),
      async (steps, maxUses, perPerson) => {
        const limits = { maxUses: String(maxUses), perPerson: String(perPerson) }
        const { promotionId, code } = await makePromotion({ kind: 'percent', percent: '10', ...limits })
        const people = await Promise.all(Array.from({ length: 4 }, () => insertCustomer({ balanceMicros: 50n * USD })))
        for (const [what, who] of steps) {
          const person = people[who]!
          const intent = await db().orderIntent.findFirst({ where: { userId: person.id, state: 'waiting' } })
          const order = await db().order.findFirst({ where: { userId: person.id, state: 'placed' } })
          const input = await orderWith(plan, code, 100_000n)
          if (what === 'buy') await placeOrder(person, input)
          if (what === 'keep') await keepOrderIntent(person, { ...input, quantity: 1 })
          if (what === 'drop' && intent) await dropOrderIntent(person, intent.id)
          if (what === 'expire' && intent) await expireIntents(new Date(Date.now() + 10 * 86_400_000))
          if (what === 'deliver' && order) await deliverOrder({ orderId: order.id })
          if (what === 'cancel' && order) await cancelOrder(person, { orderId: order.id })
          if (what === 'fail' && order)
            await db().$queryRaw(Prisma.sql`SELECT fail_order(${order.id}, 'sold_out')::text`)
        }
        const uses = await db().promotionUse.findMany({ where: { promotionId, state: { not: 'released' } } })
        const { used } = await usedOf(promotionId)
        expect(used).toBe(uses.length)
        expect(used).toBeLessThanOrEqual(maxUses)
        for (const { id } of people)
          expect(uses.filter((use) => use.userId === id).length).toBeLessThanOrEqual(perPerson)
      },
    ),
    { numRuns: 12 },
  )
}, 60_000)
