import { checkBooks } from '@/lib/admin'
import { db, inTransaction, Prisma } from '@/lib/db'
import { accepted, DAY_MS, newId } from '@/lib/kit'
import { getBalance, getDebt } from '@/lib/ledger'
import { placeOrder, renewOrder } from '@/lib/orders'
import { deliverOrder } from '@/lib/provisioning'
import { refundProxies } from '@/lib/remedies'
import { makePlan, orderFor, type PlanOnSale } from '@/test/factories/catalog'
import { bringMoney, giveMoney, insertCustomer } from '@/test/factories/customer'
import fc from 'fast-check'
import { Client } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { noteMarks } from '@/lib/identity'
import {
  attributeSignUp,
  changeLink,
  decidePayout,
  getReferralOverview,
  makeLink,
  moveRewards,
  referralProgramme,
  requestPayout,
  reviewReferral,
  reviseRewards,
  runRewards,
  saveCommissionRule,
  withdrawPayout,
} from './index'

const staff = { kind: 'staff' as const, id: 'usr_staff' }
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS)
const WALLET = 'TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE'
let plan: PlanOnSale

const terms = (over: Partial<Parameters<typeof saveCommissionRule>[2] & object> = {}) => ({
  basisPoints: 1000,
  forDays: null,
  personCapMicros: null,
  monthCapMicros: null,
  ...over,
})
const setRule = (over = {}) => saveCommissionRule(staff, { basis: 'orders', productId: null }, terms(over))

beforeAll(async () => {
  plan = await makePlan({ units: 2_000 })
  await referralProgramme.save(staff, {
    isOn: true,
    cookieDays: 30,
    holdDays: 14,
    payoutMethods: [{ id: 'usdt', label: 'USDT', kind: 'crypto', minimumMicros: '300000' }],
  })
})
beforeEach(async () => {
  await setRule()
  await saveCommissionRule(staff, { basis: 'first_top_up', productId: null }, null)
})
afterAll(async () => {
  expect((await checkBooks()).findings).toEqual([])
})

/** A referrer with a link, and somebody who came through it. */
async function makePair(options: { referrer?: { id: string } } = {}) {
  const referrer = options.referrer ?? (await insertCustomer())
  const link = await makeLink(referrer, { label: 'Forum', code: null })
  if (!link.ok) throw new Error(link.refusal.code)
  const friend = await insertCustomer()
  await signUpThrough(friend.id, link.value.code)
  return { referrer, friend, link: link.value }
}
const signUpThrough = (userId: string, code: string) =>
  inTransaction(async (tx) => {
    await attributeSignUp(tx, { userId }, [{ via: 'address', code }])
    return accepted(null)
  })

/** Buys so many at 1.00 with what is on the balance, delivered. */
async function buy(customer: { id: string }, quantity = 1): Promise<string> {
  const placed = await placeOrder(customer, await orderFor(plan, quantity))
  if (!placed.ok) throw new Error(placed.refusal.code)
  await deliverOrder({ orderId: placed.value.orderId })
  return placed.value.orderId
}
const rewardsOf = (referrerId: string) =>
  db().referralReward.findMany({ where: { referrerId }, orderBy: { happenedAt: 'asc' } })
const payableTo = async (owner: string) =>
  (await db().ledgerAccount.findFirst({ where: { owner, kind: 'referral_payable' } }))?.balanceMicros ?? 0n
const owedBy = async (owner: string) =>
  -((await db().ledgerAccount.findFirst({ where: { owner, kind: 'referral_debt' } }))?.balanceMicros ?? 0n)
const move = (who: { id: string }, requestKey = newId('req')) => moveRewards(who, { requestKey })
const payout = (who: { id: string }, requestKey = newId('req')) =>
  requestPayout(who, { requestKey, method: 'usdt', destination: WALLET })
/** Gives back a share of an order, as a rule of remedies would. */
async function credit(orderId: string, amountMicros: bigint) {
  const [row] = await db().$queryRaw<{ outcome: string }[]>(Prisma.sql`
    SELECT outcome FROM credit_order(${newId('ocr')}, ${orderId}, ${newId('req')}, 'late', ${amountMicros}, ARRAY[]::text[], '{}'::jsonb, NULL)`)
  expect(row!.outcome).toBe('given')
}
/** A bank takes back so much of a payment, or what is left of it. */
async function dispute(paymentId: string, asked: bigint): Promise<string | null> {
  return db().$transaction(async (tx) => {
    await tx.$executeRaw(Prisma.sql`SELECT 1 FROM payments WHERE id = ${paymentId} FOR NO KEY UPDATE`)
    const { userId, creditedMicros } = await tx.payment.findUniqueOrThrow({ where: { id: paymentId } })
    const gone = await tx.paymentDispute.aggregate({
      where: { paymentId, state: { not: 'won' } },
      _sum: { amountMicros: true },
    })
    const refunded = await tx.paymentRefund.aggregate({ where: { paymentId }, _sum: { amountMicros: true } })
    const left = creditedMicros! - (gone._sum.amountMicros ?? 0n) - (refunded._sum.amountMicros ?? 0n)
    const amountMicros = asked < left ? asked : left
    if (amountMicros <= 0n) return null
    const id = newId('dsp')
    await tx.$queryRaw(
      Prisma.sql`SELECT taken FROM ledger_take(${`dispute:${id}`}, ${userId}, ledger_account('shop', 'provider_clearing:fakepay', 'USD'), ${amountMicros}, 'USD', 'payment', ${paymentId}, now())`,
    )
    const amounts = { amountMicros, chargeMicros: amountMicros, debtMicros: 0n }
    await tx.paymentDispute.create({
      data: { id, paymentId, userId, providerDisputeId: id, ...amounts, state: 'open' },
    })
    return id
  })
}
/** So much of a payment went back to its source at the vendor's desk. */
async function refundPart(paymentId: string, amountMicros: bigint): Promise<string> {
  return db().$transaction(async (tx) => {
    const { userId } = await tx.payment.findUniqueOrThrow({ where: { id: paymentId } })
    const id = newId('rfd')
    await tx.$queryRaw(
      Prisma.sql`SELECT taken FROM ledger_take(${`refund:${id}`}, ${userId}, ledger_account('shop', 'provider_clearing:fakepay', 'USD'), ${amountMicros}, 'USD', 'payment', ${paymentId}, now())`,
    )
    const amounts = { amountMicros, chargeMicros: amountMicros }
    await tx.paymentRefund.create({
      data: { id, paymentId, userId, requestKey: id, ...amounts, state: 'done', endedAt: new Date() },
    })
    return id
  })
}
const netOf = async (referrerId: string) =>
  (await rewardsOf(referrerId)).reduce((sum, reward) => sum + reward.amountMicros - reward.revertedMicros, 0n)
async function winDispute(id: string): Promise<void> {
  const won = await db().paymentDispute.update({ where: { id }, data: { state: 'won', endedAt: new Date() } })
  await db().$queryRaw(
    Prisma.sql`SELECT outcome FROM ledger_give(${`dispute_won:${id}`}, ledger_account('shop', 'provider_clearing:fakepay', 'USD'), ${won.userId}, ${won.amountMicros}, 'USD', 'payment', ${won.paymentId}, now())`,
  )
}

describe('who brought whom', () => {
  it('is said once, at sign-up: a second touch, one’s own code, a dead code and a later try change nothing', async () => {
    const { referrer, friend } = await makePair()
    const other = await insertCustomer()
    const theirs = await makeLink(other, { label: 'x', code: `OTHER-${newId('req').slice(-6)}`.toUpperCase() })
    const code = theirs.ok ? theirs.value.code : ''
    await expect(signUpThrough(friend.id, code)).rejects.toThrow()
    await expect(
      db().referral.update({ where: { userId: friend.id }, data: { referrerId: other.id } }),
    ).rejects.toThrow()
    expect(await db().referral.findUnique({ where: { userId: friend.id } })).toMatchObject({ referrerId: referrer.id })

    const lone = await insertCustomer()
    const own = await makeLink(lone, { label: 'own', code: null })
    await signUpThrough(lone.id, own.ok ? own.value.code : '')
    await changeLink(other, { linkId: theirs.ok ? theirs.value.linkId : '', label: 'off', isActive: false })
    await signUpThrough(lone.id, code)
    await signUpThrough(lone.id, 'NO-SUCH-CODE')
    expect(await db().referral.findUnique({ where: { userId: lone.id } })).toBeNull()
  })

  it('the first touch counts, in any case of letters, and a dead one gives way', async () => {
    const { link, referrer } = await makePair()
    const newcomer = await insertCustomer()
    await inTransaction(async (tx) => {
      await attributeSignUp(tx, { userId: newcomer.id }, [
        { via: 'cookie', code: 'NO-SUCH-CODE' },
        { via: 'address', code: link.code.toLowerCase() },
      ])
      return accepted(null)
    })
    expect(await db().referral.findUnique({ where: { userId: newcomer.id } })).toMatchObject({
      referrerId: referrer.id,
      via: 'address',
    })
  })

  it('a code is taken once, and nobody makes links without end', async () => {
    const me = await insertCustomer()
    const code = `MINE-${newId('req').slice(-8).toUpperCase()}`
    expect(await makeLink(me, { label: 'a', code })).toMatchObject({ ok: true })
    expect(await makeLink(await insertCustomer(), { label: 'b', code })).toMatchObject({
      refusal: { code: 'referral_code_taken' },
    })
    const results = await Promise.all(
      Array.from({ length: 30 }, (_, n) => makeLink(me, { label: `link ${n}`, code: null })),
    )
    expect(results.filter((result) => result.ok)).toHaveLength(19)
  })
})

describe('a commission', () => {
  it('is earned on what came from outside, waits, and becomes payable once', async () => {
    const { referrer, friend } = await makePair()
    await bringMoney(friend.id, 5_000_000n)
    await giveMoney(friend.id, 1_000_000n)
    const orderId = await buy(friend, 3)
    await Promise.all([runRewards(), runRewards(), runRewards()])
    expect(await rewardsOf(referrer.id)).toMatchObject([
      // One of the three was paid by a gift.
      { sourceKind: 'order', sourceId: orderId, baseMicros: 2_000_000n, amountMicros: 200_000n, state: 'pending' },
    ])
    expect(await payableTo(referrer.id)).toBe(0n)
    await runRewards({ now: inDays(13) })
    expect((await rewardsOf(referrer.id))[0]!.state).toBe('pending')
    await Promise.all([runRewards({ now: inDays(15) }), runRewards({ now: inDays(15) })])
    expect((await rewardsOf(referrer.id))[0]!.state).toBe('available')
    expect(await payableTo(referrer.id)).toBe(200_000n)
    expect(await db().outgoingEmail.count({ where: { userId: referrer.id, template: 'rewards_available' } })).toBe(1)
  })

  it('is not earned on money that is itself a reward', async () => {
    const { referrer, friend } = await makePair()
    await bringMoney(friend.id, 20_000_000n)
    for (const quantity of [8, 8]) await buy(friend, quantity)
    await runRewards({ now: inDays(15) })
    expect(await move(referrer)).toMatchObject({ ok: true, value: { amountMicros: 1_600_000n } })
    const upper = await makePair()
    // The referrer spends the reward: whoever had brought them earns nothing by it.
    await db().referral.create({
      data: {
        userId: referrer.id,
        referrerId: upper.referrer.id,
        linkId: upper.link.linkId,
        via: 'typed',
        createdAt: new Date(0),
      },
    })
    await buy(referrer, 1)
    await runRewards()
    expect(await rewardsOf(upper.referrer.id)).toEqual([])
  })

  it('follows its rule: of the product before all, for so long, with caps for the person and the month', async () => {
    const other = await makePlan({ units: 10 })
    const { productId } = await db().plan.findUniqueOrThrow({ where: { id: other.planId } })
    await saveCommissionRule(staff, { basis: 'orders', productId }, terms({ basisPoints: 2000 }))
    await setRule({ personCapMicros: 250_000n, monthCapMicros: 400_000n, forDays: 30 })
    const { referrer, friend } = await makePair()
    const { friend: second } = await makePair({ referrer })
    for (const who of [friend, second]) await bringMoney(who.id, 20_000_000n)
    const special = await placeOrder(friend, await orderFor(other, 1))
    await deliverOrder({ orderId: special.ok ? special.value.orderId : '' })
    await runRewards()
    await buy(friend, 2)
    await runRewards()
    await buy(second, 3)
    await runRewards()
    expect((await rewardsOf(referrer.id)).map(({ amountMicros, cappedBy }) => [amountMicros, cappedBy])).toEqual([
      [200_000n, null],
      [50_000n, 'person'],
      [150_000n, 'month'],
    ])
    await db().$executeRaw`ALTER TABLE referrals DISABLE TRIGGER first_touch_holds`
    await db().referral.update({ where: { userId: second.id }, data: { createdAt: inDays(-31) } })
    await db().$executeRaw`ALTER TABLE referrals ENABLE TRIGGER first_touch_holds`
    await setRule({ forDays: 30 })
    await buy(second, 1)
    await runRewards()
    expect(await rewardsOf(referrer.id)).toHaveLength(3)
  })

  it('of the first top-up is earned once, and by renewals as by orders', async () => {
    await setRule({ basisPoints: 0 })
    await saveCommissionRule(staff, { basis: 'first_top_up', productId: null }, terms({ basisPoints: 500 }))
    const { referrer, friend } = await makePair()
    const first = await bringMoney(friend.id, 4_000_000n)
    await bringMoney(friend.id, 9_000_000n)
    await runRewards()
    expect(await rewardsOf(referrer.id)).toMatchObject([{ sourceId: first, amountMicros: 200_000n }])
    await setRule()
    const orderId = await buy(friend, 1)
    const renewed = await renewOrder(friend, {
      orderId,
      periodDays: 30,
      totalMicros: 1_000_000n,
      requestKey: newId('req'),
    })
    expect(renewed).toMatchObject({ ok: true })
    await runRewards()
    expect((await rewardsOf(referrer.id)).map(({ sourceKind }) => sourceKind)).toEqual(['top_up', 'order', 'renewal'])
  })

  it('rules keep to their bounds in the database, too', async () => {
    for (const over of [{ basisPoints: -1 }, { basisPoints: 5001 }, { forDays: 0 }, { personCapMicros: 0n }])
      await expect(setRule(over)).rejects.toThrow(/check constraint/)
    await expect(db().referralRule.updateMany({ data: { basisPoints: 1 } })).rejects.toThrow()
    expect(await saveCommissionRule(staff, { basis: 'orders', productId: 'prd_none' }, terms())).toMatchObject({
      refusal: { code: 'not_found' },
    })
  })

  it('of what was paid while the programme was off is due to nobody, also once it is on again; what was paid before is', async () => {
    const { referrer, friend } = await makePair()
    await bringMoney(friend.id, 9_000_000n)
    const programme = { isOn: true, cookieDays: 30, holdDays: 14, payoutMethods: [] }
    const before = await db().shopSettings.findUniqueOrThrow({ where: { name: 'referrals.programme' } })
    const earned = await buy(friend, 1)
    await referralProgramme.save(staff, { ...programme, isOn: false })
    try {
      await buy(friend, 2)
      await runRewards()
      expect((await rewardsOf(referrer.id)).map(({ orderId }) => orderId)).toEqual([earned])
    } finally {
      await referralProgramme.save(staff, before.value as never)
    }
    await reviseRewards()
    expect((await rewardsOf(referrer.id)).map(({ orderId }) => orderId)).toEqual([earned])
    const later = await buy(friend, 3)
    await runRewards()
    expect((await rewardsOf(referrer.id)).map(({ orderId }) => orderId)).toEqual([earned, later])
  })

  it('of a first top-up is one, also when another that was credited a moment before it is written later', async () => {
    await setRule({ basisPoints: 0 })
    await saveCommissionRule(staff, { basis: 'first_top_up', productId: null }, terms())
    const { referrer, friend } = await makePair()
    const moment = new Date()
    const first = await bringMoney(friend.id, 4_000_000n)
    await runRewards()
    const second = await bringMoney(friend.id, 4_000_000n)
    // Its worker had read the clock before the other did, and waited for the customer's balance.
    await db().payment.update({ where: { id: second }, data: { creditedAt: moment } })
    await runRewards()
    expect((await rewardsOf(referrer.id)).map(({ sourceId }) => sourceId)).toEqual([first])
  })

  it('was due to nobody while no rule held', async () => {
    const { referrer, friend } = await makePair()
    await bringMoney(friend.id, 5_000_000n)
    await db().referralRule.updateMany({ where: { untilAt: null }, data: { untilAt: new Date() } })
    await buy(friend)
    await runRewards()
    await setRule()
    await runRewards({ lookBackMs: DAY_MS })
    expect(await rewardsOf(referrer.id)).toEqual([])
  })
})

describe('what is undone', () => {
  it('while it waits: in the share in which the order was given back, once', async () => {
    const { referrer, friend } = await makePair()
    await bringMoney(friend.id, 10_000_000n)
    const orderId = await buy(friend, 4)
    await runRewards()
    await credit(orderId, 1_000_000n)
    await Promise.all([runRewards(), runRewards()])
    expect(await rewardsOf(referrer.id)).toMatchObject([
      { amountMicros: 400_000n, revertedMicros: 100_000n, state: 'pending' },
    ])
    await credit(orderId, 3_000_000n)
    await runRewards()
    expect(await rewardsOf(referrer.id)).toMatchObject([{ revertedMicros: 400_000n, state: 'reverted' }])
    await runRewards({ now: inDays(15) })
    expect(await payableTo(referrer.id)).toBe(0n)
  })

  it('a refund by the rules reverts as well', async () => {
    const { referrer, friend } = await makePair()
    await bringMoney(friend.id, 10_000_000n)
    const orderId = await buy(friend, 2)
    await runRewards()
    const ids = await db().allocation.findMany({ where: { orderId }, select: { id: true } })
    const refunded = await refundProxies(
      { ...friend, kind: 'user' } as never,
      {
        orderId,
        allocationIds: ids.map(({ id }) => id),
        requestKey: newId('req'),
      } as never,
    )
    if (!refunded.ok) await credit(orderId, 2_000_000n) // a policy that gives nothing: the shop gives it by itself
    await runRewards()
    const [reward] = await rewardsOf(referrer.id)
    expect(reward!.revertedMicros).toBeGreaterThan(0n)
  })

  it('when available: from what is payable; when it has left: it is owed, and the next reward pays', async () => {
    const { referrer, friend } = await makePair()
    await bringMoney(friend.id, 30_000_000n)
    const first = await buy(friend, 8)
    await runRewards({ now: inDays(15) })
    await credit(first, 2_000_000n)
    await runRewards()
    expect(await payableTo(referrer.id)).toBe(600_000n)
    expect(await move(referrer)).toMatchObject({ value: { amountMicros: 600_000n } })
    expect((await getBalance({ userId: referrer.id })).giftMicros).toBe(600_000n)
    await credit(first, 4_000_000n)
    await runRewards()
    expect(await owedBy(referrer.id)).toBe(400_000n)
    expect(await getDebt({ userId: referrer.id, currency: 'USD' })).toBe(0n)
    await buy(friend, 8)
    await runRewards({ now: inDays(15) })
    expect([await payableTo(referrer.id), await owedBy(referrer.id)]).toEqual([400_000n, 0n])
    const [, second] = await rewardsOf(referrer.id)
    expect(second).toMatchObject({ state: 'available', offsetMicros: 400_000n })
    // The reward that had paid the debt is undone in its turn.
    await credit(second!.orderId!, 8_000_000n)
    await runRewards()
    expect([await payableTo(referrer.id), await owedBy(referrer.id)]).toEqual([0n, 400_000n])
  })

  it('when it waits to be paid out: the payout becomes less, and whoever decides must see it', async () => {
    const { referrer, friend } = await makePair()
    await bringMoney(friend.id, 30_000_000n)
    const orderId = await buy(friend, 8)
    await runRewards({ now: inDays(15) })
    const asked = await payout(referrer)
    const settlementId = asked.ok ? asked.value.settlementId : ''
    await credit(orderId, 4_000_000n)
    await runRewards()
    const decide = (amountMicros: bigint) =>
      decidePayout(staff, { settlementId, amountMicros, end: 'paid', reference: 'tx 1' })
    expect(await decide(800_000n)).toMatchObject({
      refusal: { code: 'amount_changed', facts: { amountMicros: 400_000n } },
    })
    await credit(orderId, 4_000_000n)
    await runRewards()
    expect(await db().referralSettlement.findUnique({ where: { id: settlementId } })).toMatchObject({
      state: 'withdrawn',
      amountMicros: 0n,
      destination: null,
    })
    expect(await decide(0n)).toMatchObject({ refusal: { code: 'payout_ended' } })
  })

  it('by a dispute: what was bought with its money, in proportion; won, it is due again', async () => {
    const { referrer, friend } = await makePair()
    const paymentId = await bringMoney(friend.id, 10_000_000n)
    await buy(friend, 4)
    await buy(friend, 4)
    await runRewards({ now: inDays(15) })
    const disputeId = await dispute(paymentId, 4_000_000n)
    await runRewards()
    await runRewards()
    expect((await rewardsOf(referrer.id)).map((reward) => reward.revertedMicros)).toEqual([200_000n, 200_000n])
    await winDispute(disputeId!)
    await Promise.all([runRewards({ now: inDays(1) }), runRewards({ now: inDays(1) })])
    expect(await payableTo(referrer.id)).toBe(800_000n)
    expect((await rewardsOf(referrer.id)).filter((reward) => reward.sourceKind === 'reinstated')).toHaveLength(2)
  })
})

describe('a reward that a won dispute gave anew', () => {
  /** Bought 8.00 with all of a payment; what was earned by it, 0.80, is gone while the bank asks. */
  async function disputed() {
    const pair = await makePair()
    const paymentId = await bringMoney(pair.friend.id, 8_000_000n)
    const orderId = await buy(pair.friend, 8)
    await runRewards()
    const disputeId = await dispute(paymentId, 8_000_000n)
    await runRewards()
    expect(await netOf(pair.referrer.id)).toBe(0n)
    return { ...pair, paymentId, orderId, disputeId: disputeId! }
  }

  it('is undone by a credit of its order, before the bank has decided or after', async () => {
    const before = await disputed()
    await credit(before.orderId, 6_000_000n)
    await runRewards()
    await winDispute(before.disputeId)
    await runRewards()
    await runRewards()
    expect(await netOf(before.referrer.id)).toBe(200_000n)
    await credit(before.orderId, 2_000_000n)
    await runRewards()
    expect(await netOf(before.referrer.id)).toBe(0n)

    const after = await disputed()
    await winDispute(after.disputeId)
    await runRewards()
    expect(await netOf(after.referrer.id)).toBe(800_000n)
    await credit(after.orderId, 4_000_000n)
    await runRewards()
    expect(await netOf(after.referrer.id)).toBe(400_000n)
  })

  it('is not undone again by what had been given back before the dispute', async () => {
    const { referrer, friend } = await makePair()
    const paymentId = await bringMoney(friend.id, 8_000_000n)
    const orderId = await buy(friend, 8)
    await credit(orderId, 4_000_000n)
    await runRewards()
    const disputeId = await dispute(paymentId, 8_000_000n)
    await runRewards()
    await winDispute(disputeId!)
    await runRewards()
    await runRewards({ lookBackMs: 7 * DAY_MS })
    expect(await netOf(referrer.id)).toBe(400_000n)
  })

  it('is taken back when the bank begins again', async () => {
    const { referrer, paymentId, disputeId } = await disputed()
    await winDispute(disputeId)
    await runRewards()
    await dispute(paymentId, 8_000_000n)
    await runRewards()
    expect(await netOf(referrer.id)).toBe(0n)
  })

  it('fills the caps as before: while the bank asks, nothing else takes its room', async () => {
    await setRule({ personCapMicros: 800_000n })
    const { referrer, friend, disputeId } = await disputed()
    await bringMoney(friend.id, 20_000_000n)
    await buy(friend, 4)
    await runRewards()
    expect(await netOf(referrer.id)).toBe(0n)
    await winDispute(disputeId)
    await runRewards()
    await buy(friend, 4)
    await runRewards()
    expect(await netOf(referrer.id)).toBe(800_000n)
    expect((await getReferralOverview({ userId: referrer.id })).days.at(-1)!.earnedMicros).toBe(800_000n)
  })
})

describe('what is undone in parts adds up', () => {
  it('two disputes of one payment, each of half of it, leave nothing', async () => {
    const { referrer, friend } = await makePair()
    const paymentId = await bringMoney(friend.id, 8_000_000n)
    await buy(friend, 8)
    await runRewards()
    for (const left of [400_000n, 0n]) {
      await dispute(paymentId, 4_000_000n)
      await runRewards()
      expect(await netOf(referrer.id)).toBe(left)
    }
  })

  it('a refund that failed after it was done gives back what it had taken, once', async () => {
    await setRule({ basisPoints: 0 })
    await saveCommissionRule(staff, { basis: 'first_top_up', productId: null }, terms())
    const { referrer, friend } = await makePair()
    const paymentId = await bringMoney(friend.id, 8_000_000n)
    await runRewards()
    const refundId = await refundPart(paymentId, 4_000_000n)
    await runRewards()
    expect(await netOf(referrer.id)).toBe(400_000n)
    await db().paymentRefund.update({ where: { id: refundId }, data: { state: 'failed', endedAt: new Date() } })
    await db().$queryRaw(
      Prisma.sql`SELECT outcome FROM ledger_give(${`refund_failed:${refundId}`}, ledger_account('shop', 'provider_clearing:fakepay', 'USD'), ${friend.id}, 4000000, 'USD', 'payment', ${paymentId}, now())`,
    )
    await Promise.all([runRewards(), runRewards()])
    expect(await netOf(referrer.id)).toBe(800_000n)
    await refundPart(paymentId, 8_000_000n)
    await runRewards()
    expect(await netOf(referrer.id)).toBe(0n)
  })

  it('a first top-up half refunded, then disputed for the rest', async () => {
    await setRule({ basisPoints: 0 })
    await saveCommissionRule(staff, { basis: 'first_top_up', productId: null }, terms())
    const { referrer, friend } = await makePair()
    const paymentId = await bringMoney(friend.id, 8_000_000n)
    await runRewards()
    await refundPart(paymentId, 4_000_000n)
    await runRewards()
    expect(await netOf(referrer.id)).toBe(400_000n)
    const disputeId = await dispute(paymentId, 4_000_000n)
    await runRewards()
    expect(await netOf(referrer.id)).toBe(0n)
    await winDispute(disputeId!)
    await runRewards()
    expect(await netOf(referrer.id)).toBe(400_000n)
  })
})

describe('rewards leave once', () => {
  async function withReward(quantity = 8) {
    const pair = await makePair()
    await bringMoney(pair.friend.id, BigInt(quantity) * 1_000_000n)
    await buy(pair.friend, quantity)
    await runRewards({ now: inDays(15) })
    return pair
  }

  it('whatever is clicked at the same time: twenty moves and payouts find the money once', async () => {
    const { referrer } = await withReward()
    const results = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 ? move(referrer) : payout(referrer))))
    expect(results.filter((result) => result.ok)).toHaveLength(1)
    for (const result of results) if (!result.ok) expect(result.refusal.code).toBe('nothing_available')
    expect(await payableTo(referrer.id)).toBe(0n)
  })

  it('the same click twice is one; the key for another thing is refused; somebody else’s is not there', async () => {
    const { referrer } = await withReward()
    const key = newId('req')
    const both = await Promise.all([payout(referrer, key), payout(referrer, key)])
    expect(both[0]).toEqual(both[1])
    expect(await move(referrer, key)).toMatchObject({ refusal: { code: 'key_reused' } })
    const settlementId = both[0].ok ? both[0].value.settlementId : ''
    expect(await withdrawPayout(await insertCustomer(), { settlementId })).toMatchObject({
      refusal: { code: 'not_found' },
    })
    expect(await withdrawPayout(referrer, { settlementId })).toMatchObject({ ok: true })
    expect(await withdrawPayout(referrer, { settlementId })).toMatchObject({ refusal: { code: 'payout_ended' } })
    expect(await payableTo(referrer.id)).toBe(800_000n)
  })

  it('paid or declined, once, by whoever is first; the address is gone then', async () => {
    const { referrer } = await withReward()
    const asked = await payout(referrer)
    const settlementId = asked.ok ? asked.value.settlementId : ''
    const row = () => db().referralSettlement.findUniqueOrThrow({ where: { id: settlementId } })
    expect((await row()).destination).not.toContain(WALLET)
    expect((await row()).destinationHint).toBe('…bLSE')
    const decisions = await Promise.all([
      decidePayout(staff, { settlementId, amountMicros: 800_000n, end: 'paid', reference: 'tx 9' }),
      decidePayout(staff, { settlementId, amountMicros: 800_000n, end: 'declined', reason: 'no' }),
      withdrawPayout(referrer, { settlementId }),
    ])
    expect(decisions.filter((decision) => decision.ok)).toHaveLength(1)
    expect((await row()).destination).toBeNull()
    expect(await decidePayout(staff, { settlementId, amountMicros: 1n, end: 'declined', reason: ' ' })).toMatchObject({
      refusal: { code: 'reason_missing' },
    })
  })

  it('a payout needs a method that is offered, an address that can be one, and enough', async () => {
    const { referrer } = await withReward(2)
    const ask = (method: string, destination: string) =>
      requestPayout(referrer, { requestKey: newId('req'), method, destination })
    expect(await ask('cash', WALLET)).toMatchObject({ refusal: { code: 'payout_method_unknown' } })
    for (const odd of ['short', `${WALLET}'; DROP TABLE`, '<b>x</b>'.repeat(5)])
      expect(await ask('usdt', odd)).toMatchObject({ refusal: { code: 'destination_unreadable' } })
    expect(await ask('usdt', WALLET)).toMatchObject({ refusal: { code: 'below_minimum' } })
    expect(await payout(await insertCustomer())).toMatchObject({ refusal: { code: 'nothing_available' } })
  })
})

describe('a process that dies in the middle', () => {
  /** Does something to rewards in a transaction of its own, whose process is gone before it could say so. */
  async function dieAfter(text: string, values: unknown[]): Promise<void> {
    const client = new Client({ connectionString: process.env.DATABASE_URL })
    client.on('error', () => {})
    await client.connect()
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    await client.query('BEGIN')
    const done = await client.query<{ did: unknown }>(text, values)
    expect(done.rows[0]!.did, 'it had done something').toBeTruthy()
    const ended = new Promise((resolve) => client.once('end', resolve))
    await db().$queryRaw`SELECT pg_terminate_backend(${rows[0]!.pid}::int)`
    await ended
  }
  const books = async () => expect((await checkBooks()).findings).toEqual([])

  it('leaves no reward half made, let go, taken back, moved or paid; whoever comes next does all of it once', async () => {
    const { referrer, friend } = await makePair()
    await bringMoney(friend.id, 8_000_000n)
    const orderId = await buy(friend, 8)
    await dieAfter(
      `SELECT made > 0 AS did FROM accrue_rewards('order', '-infinity', $1, '-infinity', '', 500, interval '14 days', 'USD')`,
      [inDays(1)],
    )
    expect(await rewardsOf(referrer.id)).toEqual([])
    await runRewards()
    await dieAfter(`SELECT released > 0 AS did FROM release_rewards($1, 500, 'USD')`, [inDays(15)])
    expect(await payableTo(referrer.id)).toBe(0n)
    await runRewards({ now: inDays(15) })
    expect(await payableTo(referrer.id)).toBe(800_000n)

    await credit(orderId, 2_000_000n)
    await dieAfter(`SELECT reverted > 0 AS did FROM revert_rewards('-infinity', $1, 500)`, [inDays(1)])
    expect(await payableTo(referrer.id)).toBe(800_000n)
    await runRewards()
    expect(await payableTo(referrer.id)).toBe(600_000n)

    for (const kind of ['move', 'payout'])
      await dieAfter(
        `SELECT outcome = 'settled' AS did FROM settle_rewards($1, $2, $3, $4, 0, 'USD', 'usdt', NULL, NULL)`,
        [newId('rst'), referrer.id, newId('req'), kind],
      )
    expect(await payableTo(referrer.id)).toBe(600_000n)
    await books()
    const asked = await payout(referrer)
    const settlementId = asked.ok ? asked.value.settlementId : ''
    for (const end of ['paid', 'declined'])
      await dieAfter(`SELECT outcome = 'ended' AS did FROM end_payout($1, $2, 600000, 'tx', NULL, 'usr_staff')`, [
        settlementId,
        end,
      ])
    expect(await db().referralSettlement.findUnique({ where: { id: settlementId } })).toMatchObject({
      state: 'requested',
    })
    await decidePayout(staff, { settlementId, amountMicros: 600_000n, end: 'paid', reference: 'tx' })
    expect(await db().referralSettlement.findUnique({ where: { id: settlementId } })).toMatchObject({ state: 'paid' })
    await books()
  })
})

describe('those who share something with their referrer', () => {
  const visit = { address: '203.0.113.77', userAgent: 'Browser 1', languages: 'en' }

  it.each([
    ['an address', { visit: { ...visit, address: '203.0.113.1' } }, ['address', 'device']],
    ['a payer', { payerReference: 'payer 1' }, ['payer']],
    ['a mailbox', { email: 'some.one+shop@gmail.com' }, ['mail']],
  ])('by %s: held for a person, released by one', async (_, seen, kinds) => {
    const { referrer, friend } = await makePair()
    await noteMarks(referrer.id, seen)
    await noteMarks(friend.id, 'email' in seen ? { email: 'someone@googlemail.com' } : seen)
    await bringMoney(friend.id, 5_000_000n)
    await buy(friend, 5)
    await runRewards({ now: inDays(15) })
    expect((await rewardsOf(referrer.id))[0]!.state).toBe('pending')
    const signals = await db().referralSignal.findMany({ where: { userId: friend.id }, orderBy: { kind: 'asc' } })
    expect(signals.map(({ kind }) => kind)).toEqual(kinds)
    expect(
      await reviewReferral(staff, { userId: friend.id, decision: 'approved', reason: 'one household' }),
    ).toMatchObject({ ok: true })
    await runRewards({ now: inDays(15) })
    expect((await rewardsOf(referrer.id))[0]!.state).toBe('available')
  })

  it('one’s own second account: rejected, nothing is earned then or later', async () => {
    const { referrer, friend } = await makePair()
    await bringMoney(friend.id, 9_000_000n)
    await buy(friend, 5)
    await runRewards({ now: inDays(15) })
    await reviewReferral(staff, { userId: friend.id, decision: 'rejected', reason: 'same person' })
    await buy(friend, 1)
    await runRewards({ now: inDays(15) })
    expect(await rewardsOf(referrer.id)).toMatchObject([{ state: 'reverted', revertedMicros: 500_000n }])
    expect(await payableTo(referrer.id)).toBe(0n)
    expect(await reviewReferral(staff, { userId: 'usr_none', decision: 'approved', reason: 'x' })).toMatchObject({
      refusal: { code: 'not_found' },
    })
  })

  it('a loop: the one at the end of the chain is the one at its start', async () => {
    const top = await makePair()
    const middle = await makePair({ referrer: top.friend })
    await noteMarks(top.referrer.id, { visit: { ...visit, address: '203.0.113.90' } })
    await noteMarks(middle.friend.id, { visit: { ...visit, address: '203.0.113.90' } })
    await bringMoney(middle.friend.id, 2_000_000n)
    await buy(middle.friend, 2)
    await runRewards({ now: inDays(15) })
    expect(await db().referral.findUnique({ where: { userId: middle.friend.id } })).toMatchObject({ review: 'held' })
  })

  it('addresses that many share make no mark', async () => {
    const { referrer, friend } = await makePair()
    for (const address of ['127.0.0.1', '10.1.2.3', '100.64.9.9', '::1', 'fe80::1', 'nonsense'])
      for (const who of [referrer, friend]) await noteMarks(who.id, { visit: { ...visit, address } })
    expect(await db().personMark.count({ where: { userId: { in: [referrer.id, friend.id] } } })).toBe(0)
    await noteMarks(referrer.id, { visit: { ...visit, address: '2001:db8:1:2::1', userAgent: null } })
    await noteMarks(friend.id, { visit: { ...visit, address: '2001:db8:1:2:ffff::9', userAgent: null } })
    const marks = await db().personMark.findMany({ where: { userId: { in: [referrer.id, friend.id] } } })
    expect(marks).toHaveLength(2)
    expect(marks[0]!.digest).toBe(marks[1]!.digest)
    expect(JSON.stringify(marks)).not.toContain('2001')
  })
})

type Step =
  | { do: 'buy'; who: number; quantity: number }
  | { do: 'credit'; order: number; share: number }
  | { do: 'dispute'; who: number; share: number }
  | { do: 'run'; days: number }
  | { do: 'move' | 'payout' | 'decline' | 'pay' | 'withdraw' }

/**
 * Whatever happens in whatever order, one after the other or at once: each commission leaves once at most, what left and was undone is owed, and
 * the books hold.
 */
describe('any order of orders, refunds, disputes, payouts and moves', () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      arbitrary: fc.record({
        do: fc.constant('buy' as const),
        who: fc.nat(1),
        quantity: fc.integer({ min: 1, max: 5 }),
      }),
      weight: 3,
    },
    {
      arbitrary: fc.record({
        do: fc.constant('credit' as const),
        order: fc.nat(7),
        share: fc.integer({ min: 1, max: 100 }),
      }),
      weight: 3,
    },
    {
      arbitrary: fc.record({
        do: fc.constant('dispute' as const),
        who: fc.nat(1),
        share: fc.integer({ min: 1, max: 60 }),
      }),
      weight: 1,
    },
    { arbitrary: fc.record({ do: fc.constant('run' as const), days: fc.constantFrom(0, 15) }), weight: 4 },
    {
      arbitrary: fc.record({ do: fc.constantFrom('move' as const, 'payout', 'decline', 'pay', 'withdraw') }),
      weight: 4,
    },
  )

  async function makeWorld() {
    const { referrer, friend } = await makePair()
    const { friend: second } = await makePair({ referrer })
    const friends = [friend, second]
    const payments = await Promise.all(friends.map((who) => bringMoney(who.id, 40_000_000n)))
    const orders: string[] = []
    const open = () => db().referralSettlement.findFirst({ where: { userId: referrer.id, state: 'requested' } })
    const take = async (each: Step): Promise<unknown> => {
      switch (each.do) {
        case 'buy': {
          const placed = await placeOrder(friends[each.who]!, await orderFor(plan, each.quantity))
          if (!placed.ok) return null
          await deliverOrder({ orderId: placed.value.orderId })
          return orders.push(placed.value.orderId)
        }
        case 'credit': {
          const orderId = orders[each.order]
          if (!orderId) return null
          return db().$queryRaw(Prisma.sql`
            SELECT c.outcome FROM order_left(${orderId}) l, credit_order(${newId('ocr')}, ${orderId}, ${newId('req')}, 'late',
              greatest(1, l.paid * ${each.share}::int / 100), ARRAY[]::text[], '{}'::jsonb, NULL) c WHERE l.paid > 0`)
        }
        case 'dispute':
          return dispute(payments[each.who]!, BigInt(each.share) * 100_000n)
        case 'run':
          return runRewards({ now: inDays(each.days), lookBackMs: 20 * DAY_MS })
        case 'move':
          return move(referrer)
        case 'payout':
          return payout(referrer)
        default: {
          const settlement = await open()
          if (!settlement) return null
          const input = { settlementId: settlement.id, amountMicros: settlement.amountMicros }
          if (each.do === 'withdraw') return withdrawPayout(referrer, input)
          return each.do === 'pay'
            ? decidePayout(staff, { ...input, end: 'paid', reference: 'tx' })
            : decidePayout(staff, { ...input, end: 'declined', reason: 'no' })
        }
      }
    }
    const check = async () => {
      await runRewards({ now: inDays(15), lookBackMs: 20 * DAY_MS })
      const rewards = await rewardsOf(referrer.id)
      const gone = await db().referralSettlement.aggregate({
        where: { userId: referrer.id, state: { in: ['moved', 'paid'] } },
        _sum: { amountMicros: true },
      })
      const waiting = (await open())?.amountMicros ?? 0n
      const due = rewards.reduce((sum, reward) => sum + reward.amountMicros - reward.revertedMicros, 0n)
      // What was earned for good is what has left, waits or is payable, less what is owed.
      expect(
        (gone._sum.amountMicros ?? 0n) + waiting + (await payableTo(referrer.id)) - (await owedBy(referrer.id)),
      ).toBe(due)
      for (const reward of rewards) expect(reward.settledMicros + reward.offsetMicros <= reward.amountMicros).toBe(true)
    }
    return { take, check }
  }

  it('one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 20 }), async (steps) => {
        const { take, check } = await makeWorld()
        for (const each of steps) await take(each)
        await check()
      }),
      { numRuns: 20 },
    )
    expect((await checkBooks()).findings).toEqual([])
  }, 240_000)

  it('all at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 20 }), async (steps) => {
        const { take, check } = await makeWorld()
        for (const each of steps.filter((one) => one.do === 'buy')) await take(each)
        await runRewards({ now: inDays(15), lookBackMs: 20 * DAY_MS })
        await Promise.all(steps.map(take))
        await check()
      }),
      { numRuns: 15 },
    )
    expect((await checkBooks()).findings).toEqual([])
  }, 240_000)
})
