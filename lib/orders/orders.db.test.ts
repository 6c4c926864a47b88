import { findPlan, savePlan, saveProduct } from '@/lib/catalog'
import { checkBooks } from '@/lib/admin'
import { db, Prisma } from '@/lib/db'
import { newId } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import { SUBSCRIPTIONS } from '@/lib/jobs'
import { deliverOrder } from '@/lib/provisioning'
import { addUnits, makePlan, orderFor } from '@/test/factories/catalog'
import { giveMoney, insertCustomer } from '@/test/factories/customer'
import { afterAll, describe, expect, it } from 'vitest'
import {
  dropOrderIntent,
  finishIntents,
  finishOrderIntent,
  findOrderIntent,
  keepOrderIntent,
  listOrders,
  placeOrder,
} from './index'

const STAFF = { kind: 'staff' as const, id: 'usr_test' }

afterAll(async () => {
  expect((await checkBooks()).findings).toEqual([])
})

/** Raises a plan's price the way an admin does. */
async function setPrice(planId: string, unitPriceMicros: bigint, isActive = true) {
  const { plan, product } = (await findPlan(planId, { fresh: true }))!
  const { slug, nameEn, nameRu, minQuantity, maxQuantity, revision, steps } = plan
  const periods = [{ days: 30, unitPriceMicros }]
  const names = { slug, nameEn, nameRu, minQuantity, maxQuantity }
  const saved = await savePlan(STAFF, { ...names, planId, revision, productId: product.id, isActive, periods, steps })
  if (!saved.ok) throw new Error(saved.refusal.code)
}

describe('buying', () => {
  it('holds the money, reserves the pieces and promises the delivery in the same moment', async () => {
    const plan = await makePlan({ units: 3 })
    const customer = await insertCustomer({ balanceMicros: 5_000_000n })
    const placed = await placeOrder(customer, await orderFor(plan, 2))
    const orderId = placed.ok ? placed.value.orderId : ''
    expect(await getBalance({ userId: customer.id })).toMatchObject({
      balanceMicros: 3_000_000n,
      heldMicros: 2_000_000n,
    })
    expect(await db().stockUnit.count({ where: { orderId, state: 'reserved' } })).toBe(2)
    const jobs = await db().outboxJob.findMany({ where: { payload: { path: ['orderId'], equals: orderId } } })
    expect(jobs.map((job) => job.name)).toEqual(SUBSCRIPTIONS['orders.placed'])
  })

  it('clicked twice, in two tabs, twenty times at once: one order', async () => {
    const plan = await makePlan({ units: 30 })
    const customer = await insertCustomer({ balanceMicros: 100_000_000n })
    const input = await orderFor(plan)
    const results = await Promise.all(Array.from({ length: 20 }, () => placeOrder(customer, input)))
    expect(new Set(results.map((result) => result.ok && result.value.orderId)).size).toBe(1)
    expect((await listOrders({ userId: customer.id })).rows).toHaveLength(1)
    expect(await placeOrder(customer, { ...(await orderFor(plan, 2)), requestKey: input.requestKey })).toMatchObject({
      refusal: { code: 'key_reused' },
    })
  })

  it('fifty buys at once with money for seven: exactly seven orders', async () => {
    const plan = await makePlan({ units: 60 })
    const customer = await insertCustomer({ balanceMicros: 7_500_000n })
    const inputs = await Promise.all(Array.from({ length: 50 }, () => orderFor(plan)))
    const results = await Promise.all(inputs.map((input) => placeOrder(customer, input)))
    expect(results.filter((result) => result.ok)).toHaveLength(7)
    for (const result of results)
      if (!result.ok)
        expect(result.refusal).toMatchObject({ code: 'insufficient_balance', facts: { missingMicros: 500_000n } })
    expect((await getBalance({ userId: customer.id })).balanceMicros).toBe(500_000n)
  })

  it('fifty buys at once with money for seven, also past this process’s own queue', async () => {
    const plan = await makePlan({ units: 60 })
    const customer = await insertCustomer({ balanceMicros: 7_500_000n })
    const { plan: row, product } = (await findPlan(plan.planId))!
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () =>
        db().$queryRaw<{ outcome: string }[]>(Prisma.sql`
          SELECT outcome FROM place_order(${newId('ord')}, ${customer.id}, ${newId('req')}, ${row.id}, ${row.revision}::int, ${plan.offerId}, true,
            ${product.kind}, 'NL', 30::int, 1::int, 1000000::bigint, 0::bigint, 1000000::bigint, 'USD')`),
      ),
    )
    expect(outcomes.filter(([each]) => each!.outcome === 'placed')).toHaveLength(7)
  })

  it('fifty customers at once for ten pieces: exactly ten sold, nobody else pays', async () => {
    const plan = await makePlan({ units: 10 })
    const customers = await Promise.all(Array.from({ length: 50 }, () => insertCustomer({ balanceMicros: 2_000_000n })))
    const inputs = await Promise.all(customers.map(() => orderFor(plan)))
    const results = await Promise.all(customers.map((customer, index) => placeOrder(customer, inputs[index]!)))
    const placed = results.flatMap((result) => (result.ok ? [result.value.orderId] : []))
    expect(placed).toHaveLength(10)
    for (const result of results) if (!result.ok) expect(result.refusal.code).toBe('sold_out')
    await Promise.all(placed.map((orderId) => deliverOrder({ orderId })))
    const held = await db().allocation.findMany({ where: { orderId: { in: placed } }, select: { supplierRef: true } })
    expect(new Set(held.map((each) => each.supplierRef)).size).toBe(10)
    expect(await db().stockUnit.count({ where: { offerId: plan.offerId, state: 'sold' } })).toBe(10)
  })

  it('a price that changed between page and click is asked about again, never charged', async () => {
    const plan = await makePlan()
    const customer = await insertCustomer({ balanceMicros: 100_000_000n })
    const shown = await orderFor(plan, 2)
    await setPrice(plan.planId, 1_500_000n)
    expect(await placeOrder(customer, shown)).toMatchObject({
      refusal: { code: 'price_changed', facts: { totalMicros: 3_000_000n } },
    })
    expect((await getBalance({ userId: customer.id })).balanceMicros).toBe(100_000_000n)
    expect(await placeOrder(customer, { ...shown, totalMicros: 3_000_000n })).toMatchObject({ ok: true })
  })

  it('a plan or product withdrawn between page and click is refused; one saved without a new price is bought', async () => {
    const plan = await makePlan()
    const customer = await insertCustomer({ balanceMicros: 100_000_000n })
    await setPrice(plan.planId, 1_000_000n)
    expect(await placeOrder(customer, await orderFor(plan))).toMatchObject({ ok: true })
    const input = await orderFor(plan)
    await setPrice(plan.planId, 1_000_000n, false)
    expect(await placeOrder(customer, input)).toMatchObject({ refusal: { code: 'plan_not_found' } })
    await setPrice(plan.planId, 1_000_000n)
    const { product } = (await findPlan(plan.planId, { fresh: true }))!
    const { slug, nameEn, nameRu, descriptionEn, descriptionRu } = product
    const words = { slug, nameEn, nameRu, descriptionEn, descriptionRu }
    await saveProduct(STAFF, { ...words, productId: product.id, kind: 'datacenter_ipv4', isActive: false })
    expect(await placeOrder(customer, input)).toMatchObject({ refusal: { code: 'plan_not_found' } })
  })

  it('a change made by another process is noticed by the revision, not by this process’s copy', async () => {
    const plan = await makePlan()
    const customer = await insertCustomer({ balanceMicros: 100_000_000n })
    const input = await orderFor(plan)
    await db().planPeriod.updateMany({ where: { planId: plan.planId }, data: { unitPriceMicros: 9_000_000n } })
    await db().plan.update({ where: { id: plan.planId }, data: { revision: { increment: 1 } } })
    expect(await placeOrder(customer, input)).toMatchObject({ refusal: { code: 'price_changed' } })
  })

  it.each([
    ['an unknown plan', { planId: 'pln_none' }, 'plan_not_found'],
    ['another country', { countryCode: 'JP' }, 'place_unavailable'],
    ['another period', { periodDays: 31 }, 'period_unavailable'],
    ['too many', { quantity: 5000 }, 'quantity_out_of_range'],
    ['a price of nothing', { totalMicros: 0n }, 'price_changed'],
  ])('%s is refused', async (_, wrong, code) => {
    const plan = await makePlan()
    const customer = await insertCustomer({ balanceMicros: 100_000_000n })
    expect(await placeOrder(customer, { ...(await orderFor(plan)), ...wrong })).toMatchObject({ refusal: { code } })
  })

  it('more than there are is refused with how many there are', async () => {
    const plan = await makePlan({ units: 3 })
    const customer = await insertCustomer({ balanceMicros: 100_000_000n })
    expect(await placeOrder(customer, await orderFor(plan, 4))).toMatchObject({
      refusal: { code: 'sold_out', facts: { available: 3 } },
    })
  })

  it('free units are found by the index over free ones, also after very many sales', async () => {
    const plan = await makePlan({ units: 0 })
    await addUnits(plan.offerId, 50)
    await db().$executeRaw(Prisma.sql`
      INSERT INTO stock_units (id, offer_id, import_id, host, port, username, password, protocols, state, order_id)
      SELECT 'stk_' || i, ${plan.offerId}, (SELECT id FROM stock_imports WHERE offer_id = ${plan.offerId} LIMIT 1), '192.0.2.1', 1, 'sold' || i, 'p', '{http}', 'sold', 'ord_past'
      FROM generate_series(1, 100000) AS i`)
    await db().$executeRaw(Prisma.sql`ANALYZE stock_units`)
    const rows = await db().$queryRaw<{ 'QUERY PLAN': string }[]>(Prisma.sql`
      EXPLAIN SELECT id FROM stock_units WHERE offer_id = ${plan.offerId} AND state = 'free' ORDER BY rank LIMIT 3 FOR UPDATE SKIP LOCKED`)
    expect(rows.map((row) => row['QUERY PLAN']).join('\n')).toContain('stock_units_offer_id_rank_idx')
    await db().stockUnit.deleteMany({ where: { offerId: plan.offerId, orderId: 'ord_past' } }) // they have no orders
  })
})

describe('an order the balance does not cover', () => {
  it('is kept, and placed by itself once when the money arrives', async () => {
    const plan = await makePlan()
    const customer = await insertCustomer({ balanceMicros: 500_000n })
    const { requestKey: _, ...choice } = await orderFor(plan, 2)
    const kept = await keepOrderIntent(customer, choice)
    const again = await keepOrderIntent(customer, choice)
    expect(kept).toEqual(again)
    expect(kept).toMatchObject({ ok: true, value: { missingMicros: 1_500_000n } })
    await finishIntents({ userId: customer.id })
    expect((await listOrders({ userId: customer.id })).rows).toHaveLength(0)
    await giveMoney(customer.id, 5_000_000n)
    await Promise.all([finishIntents({ userId: customer.id }), finishIntents({ userId: customer.id })])
    expect((await listOrders({ userId: customer.id })).rows).toHaveLength(1)
    const intentId = kept.ok ? kept.value.intentId : ''
    expect(await findOrderIntent({ userId: customer.id, intentId })).toMatchObject({ state: 'placed' })
    expect(await findOrderIntent({ userId: 'usr_other', intentId })).toBeNull()
  })

  it('is not bought at another price: the money stays, the customer is told once', async () => {
    const plan = await makePlan()
    const customer = await insertCustomer()
    const { requestKey: _, ...choice } = await orderFor(plan)
    const kept = await keepOrderIntent(customer, choice)
    const intentId = kept.ok ? kept.value.intentId : ''
    await setPrice(plan.planId, 2_000_000n)
    await giveMoney(customer.id, 5_000_000n)
    await finishIntents({ userId: customer.id })
    await finishIntents({ userId: customer.id })
    expect(await findOrderIntent({ userId: customer.id, intentId })).toMatchObject({
      state: 'refused',
      refusal: 'price_changed',
    })
    expect((await getBalance({ userId: customer.id })).balanceMicros).toBe(5_000_000n)
    expect(await db().outgoingEmail.count({ where: { key: `intent_refused:${intentId}` } })).toBe(1)
  })

  it('can be finished by hand, by its owner only, and at once with the worker: one order', async () => {
    const plan = await makePlan()
    const customer = await insertCustomer()
    const { requestKey: _, ...choice } = await orderFor(plan)
    const kept = await keepOrderIntent(customer, choice)
    const intentId = kept.ok ? kept.value.intentId : ''
    expect(await finishOrderIntent(customer, intentId)).toMatchObject({ refusal: { code: 'insufficient_balance' } })
    await giveMoney(customer.id, 5_000_000n)
    expect(await finishOrderIntent({ id: 'usr_other' }, intentId)).toMatchObject({ refusal: { code: 'not_found' } })
    await Promise.all([
      finishOrderIntent(customer, intentId),
      finishIntents({ userId: customer.id }),
      finishOrderIntent(customer, intentId),
    ])
    expect((await listOrders({ userId: customer.id })).rows).toHaveLength(1)
    expect(await findOrderIntent({ userId: customer.id, intentId })).toMatchObject({ state: 'placed' })
    expect(await finishOrderIntent(customer, intentId)).toMatchObject({ ok: true, value: { isRepeat: true } })
  })

  it('can be dropped by its owner only, and expires', async () => {
    const plan = await makePlan()
    const customer = await insertCustomer()
    const { requestKey: _, ...choice } = await orderFor(plan)
    const kept = await keepOrderIntent(customer, choice)
    const intentId = kept.ok ? kept.value.intentId : ''
    expect(await dropOrderIntent({ id: 'usr_other' }, intentId)).toMatchObject({ refusal: { code: 'not_found' } })
    await db().orderIntent.update({ where: { id: intentId }, data: { expiresAt: new Date(0) } })
    await giveMoney(customer.id, 5_000_000n)
    await finishIntents({ userId: customer.id })
    expect(await findOrderIntent({ userId: customer.id, intentId })).toMatchObject({ state: 'expired' })
    expect(await dropOrderIntent(customer, intentId)).toMatchObject({ refusal: { code: 'not_found' } })
  })
})

it('taking a waiting choice back and buying it at the same moment: one of them, never both', async () => {
  const plan = await makePlan({ units: 40 })
  for (let round = 0; round < 10; round += 1) {
    const customer = await insertCustomer()
    const { requestKey: _, ...choice } = await orderFor(plan)
    const kept = await keepOrderIntent(customer, choice)
    const intentId = kept.ok ? kept.value.intentId : ''
    await giveMoney(customer.id, 5_000_000n)
    const [dropped] = await Promise.all([dropOrderIntent(customer, intentId), finishIntents({ userId: customer.id })])
    const { rows } = await listOrders({ userId: customer.id })
    expect(rows).toHaveLength(dropped.ok ? 0 : 1)
    expect(await findOrderIntent({ userId: customer.id, intentId })).toMatchObject({
      state: dropped.ok ? 'expired' : 'placed',
    })
    // The browser's own key may be shaped like anything; a choice that was taken back is not bought through it either.
    if (dropped.ok)
      expect(await placeOrder(customer, { ...choice, requestKey: intentId })).toMatchObject({
        refusal: { code: 'not_found' },
      })
  }
})

it('a product saved twice at once under one slug is one product and one refusal', async () => {
  const slug = `twice-${newId('req').slice(-8)}`
  const words = { nameEn: 'Twice', nameRu: 'Дважды', descriptionEn: 'Made for a test.', descriptionRu: 'Для проверки.' }
  const product = { slug, kind: 'isp' as const, isActive: false, ...words }
  const saved = await Promise.all(Array.from({ length: 4 }, () => saveProduct(STAFF, product)))
  expect(saved.filter((each) => each.ok)).toHaveLength(1)
  expect(saved.find((each) => !each.ok)).toMatchObject({ refusal: { code: 'slug_taken' } })
})
