import { startProxySellerFake } from '@/fakes/proxy-seller'
import { checkBooks } from '@/lib/admin'
import { COMMON_POLICY, type Policy } from '@/lib/catalog'
import { db } from '@/lib/db'
import { getBalance } from '@/lib/ledger'
import { findOrder, placeOrder, renewOrder } from '@/lib/orders'
import { deliverOrder, listAllocations } from '@/lib/provisioning'
import { createProxySeller } from '@/lib/suppliers'
import { makePlan, orderFor } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { buyDelivered, letHoursPass } from '@/test/factories/orders'
import { checked, planWithPolicy } from '@/test/factories/remedies'
import { insertSupplier } from '@/test/factories/supplier'
import { afterAll, describe, expect, it } from 'vitest'
import { type BulkName, makeSelection, previewBulk, removeSelections, runBulk } from './index'

afterAll(async () => {
  expect((await checkBooks()).findings).toEqual([])
})

const ANY_DAY: Policy = {
  ...COMMON_POLICY,
  rows: [
    ...COMMON_POLICY.rows,
    { when: 'any', withinHours: 24, maxTrafficPercent: null, remedy: 'refund', refundPercent: 100, of: 'paid' },
  ],
}
const balanceOf = async (userId: string) => (await getBalance({ userId })).balanceMicros

async function select(customer: { id: string }, allocationIds: string[]) {
  const made = await makeSelection(customer, { allocationIds })
  if (!made.ok) throw new Error(made.refusal.code)
  return made.value.selectionId
}
async function preview(
  customer: { id: string },
  selectionId: string,
  action: BulkName,
  typed: Record<string, unknown> = {},
) {
  const found = await previewBulk(customer, { selectionId, action, typed })
  if (!found.ok) throw new Error(found.refusal.code)
  return found.value
}

/** Two orders of one customer: two proxies and one. */
async function buyTwice(leftMicros: bigint) {
  const plan = await planWithPolicy(ANY_DAY)
  const customer = await insertCustomer({ balanceMicros: 3_000_000n + leftMicros })
  const one = await buyDelivered({ plan, customer, quantity: 2 })
  const two = await buyDelivered({ plan, customer })
  return { customer, one, two, all: [...one.allocationIds, ...two.allocationIds] }
}

describe('a selection', () => {
  it('with a foreign id anywhere is refused whole, and nothing is stored', async () => {
    const mine = await buyTwice(0n)
    const other = await buyDelivered()
    for (const allocationIds of [
      [...mine.all, ...other.allocationIds],
      [...other.allocationIds, ...mine.all],
      [...mine.all, 'alc_nothing'],
    ])
      expect(await makeSelection(mine.customer, { allocationIds })).toMatchObject({ refusal: { code: 'not_found' } })
    expect(await makeSelection(mine.customer, { allocationIds: [] })).toMatchObject({
      refusal: { code: 'nothing_selected' },
    })
    expect(await makeSelection(mine.customer, { filter: { country: 'FR' } })).toMatchObject({
      refusal: { code: 'nothing_selected' },
    })
    const tooMany = Array.from({ length: 10_001 }, (_, index) => `alc_${index}`)
    expect(await makeSelection(mine.customer, { allocationIds: tooMany })).toMatchObject({
      refusal: { code: 'selection_too_large' },
    })
    expect(await db().proxySelection.count({ where: { userId: mine.customer.id } })).toBe(0)
    expect(await makeSelection(mine.customer, { filter: {} })).toMatchObject({ value: { count: 3 } })
  })

  it('is its maker’s only, names no order that is not in it, and is gone after a day', async () => {
    const { customer, all, one, two } = await buyTwice(9_000_000n)
    const selectionId = await select(customer, one.allocationIds)
    const stranger = await insertCustomer()
    const input = { selectionId, action: 'renew' as const, typed: {} }
    expect(await previewBulk(stranger, input)).toMatchObject({ refusal: { code: 'not_found' } })
    const { shown } = await preview(customer, selectionId, 'renew')
    expect(await runBulk(stranger, { ...input, shown })).toMatchObject({ refusal: { code: 'not_found' } })
    expect(await runBulk(customer, { ...input, shown: `${shown},${two.orderId}:30-1000000` })).toMatchObject({
      refusal: { code: 'not_found' },
    })
    expect(await runBulk(customer, { ...input, shown: '' })).toMatchObject({ refusal: { code: 'preview_outdated' } })
    expect(await balanceOf(customer.id)).toBe(9_000_000n)
    await db().proxySelection.update({
      where: { id: selectionId },
      data: { madeAt: new Date(Date.now() - 25 * 3_600_000) },
    })
    expect(await previewBulk(customer, input)).toMatchObject({ refusal: { code: 'not_found' } })
    const young = await select(customer, all)
    await removeSelections()
    expect(await db().proxySelection.findMany({ where: { userId: customer.id }, select: { id: true } })).toEqual([
      { id: young },
    ])
  })
})

describe('renewing many', () => {
  it('does what the preview said, once, however often and at once it is confirmed', async () => {
    const { customer, all, one, two } = await buyTwice(9_000_000n)
    const selectionId = await select(customer, all)
    const shown = await preview(customer, selectionId, 'renew')
    expect(shown).toMatchObject({
      paysMicros: 3_000_000n,
      periods: [30],
      left: 0,
      parts: [{ lines: [{ kind: 'renewed', count: 2 }] }, { lines: [{ count: 1 }] }],
    })
    const input = { selectionId, action: 'renew' as const, typed: {}, shown: shown.shown }
    const results = await Promise.all(Array.from({ length: 6 }, () => runBulk(customer, input)))
    expect(results.every((result) => result.ok)).toBe(true)
    expect(await runBulk(customer, input)).toMatchObject({ value: { done: 2, refused: 0 } })
    expect(await balanceOf(customer.id)).toBe(6_000_000n)
    expect(await db().renewal.count({ where: { orderId: { in: [one.orderId, two.orderId] } } })).toBe(2)
    const after = await preview(customer, selectionId, 'renew')
    expect(after).toMatchObject({ parts: [], shown: '', results: [{ isDone: true }, { isDone: true }] })
  })

  it('leaves out what has ended, says why an order cannot be renewed, and does the others', async () => {
    const { customer, all, one, two } = await buyTwice(1_500_000n)
    await letHoursPass(two.orderId, 31 * 24)
    await letHoursPass(one.orderId, 24)
    const selectionId = await select(customer, all)
    const shown = await preview(customer, selectionId, 'renew')
    expect(shown.parts).toMatchObject([
      { refusal: null },
      { refusal: { code: 'not_renewable' }, shown: '', lines: [{ kind: 'left_out', count: 1 }] },
    ])
    expect((await preview(customer, selectionId, 'renew', { days: '7' })).parts[0]).toMatchObject({
      refusal: { code: 'period_unavailable' },
    })
    // Two cost 2.00 and 1.50 is there: refused, kept with its words, and done when money has come.
    const input = { selectionId, action: 'renew' as const, typed: {}, shown: shown.shown }
    expect(await runBulk(customer, input)).toMatchObject({ value: { done: 0, refused: 1 } })
    expect((await preview(customer, selectionId, 'renew')).results).toMatchObject([
      { isDone: false, facts: { code: 'insufficient_balance', facts: { missingMicros: '500000', currency: 'USD' } } },
    ])
    expect(await balanceOf(customer.id)).toBe(1_500_000n)
  })

  it('a price that changed since is asked about again', async () => {
    const { customer, one } = await buyTwice(9_000_000n)
    const selectionId = await select(customer, one.allocationIds)
    const shown = `${one.orderId}:30-1999999`
    expect(await runBulk(customer, { selectionId, action: 'renew', typed: {}, shown })).toMatchObject({
      value: { refused: 1 },
    })
    expect((await preview(customer, selectionId, 'renew')).results).toMatchObject([
      { facts: { code: 'price_changed' } },
    ])
    expect(await balanceOf(customer.id)).toBe(9_000_000n)
  })
})

describe('exchanging and giving back many', () => {
  it('exchanges the dead ones only, as its dry run said', async () => {
    const { customer, all, one } = await buyTwice(0n)
    await checked(one.orderId, one.allocationIds[0]!, [{ at: new Date(), ok: false }])
    const selectionId = await select(customer, all)
    const shown = await preview(customer, selectionId, 'replace', { reason: 'dead' })
    expect(shown.parts).toMatchObject([
      {
        lines: [
          { kind: 'replaced', count: 1 },
          { kind: 'refused', count: 1 },
        ],
        refusal: null,
      },
      { lines: [{ kind: 'refused', count: 1 }], refusal: { code: 'nothing_to_replace' } },
    ])
    const input = { selectionId, action: 'replace' as const, typed: { reason: 'dead' }, shown: shown.shown }
    await Promise.all([runBulk(customer, input), runBulk(customer, input), runBulk(customer, input)])
    expect(await runBulk(customer, input)).toMatchObject({ value: { done: 1 } })
    expect(await db().replacement.count({ where: { orderId: one.orderId } })).toBe(1)
    expect(await listAllocations({ userId: customer.id, orderId: one.orderId })).toHaveLength(2)
  })

  it('gives back to the micro what was shown, once', async () => {
    const { customer, all, one, two } = await buyTwice(0n)
    const selectionId = await select(customer, all)
    const shown = await preview(customer, selectionId, 'give-back')
    expect(shown.givesMicros).toBe(3_000_000n)
    const input = { selectionId, action: 'give-back' as const, typed: {}, shown: shown.shown }
    await Promise.all([runBulk(customer, input), runBulk(customer, input)])
    await runBulk(customer, input)
    expect(await balanceOf(customer.id)).toBe(3_000_000n)
    expect(await findOrder({ orderId: one.orderId })).toMatchObject({ state: 'refunded' })
    // What was given back can be neither renewed nor exchanged nor given back again, whichever way it is asked.
    const again = await select(customer, two.allocationIds)
    for (const action of ['renew', 'replace', 'give-back'] as const)
      expect((await preview(customer, again, action)).shown, action).toBe('')
    expect(
      await renewOrder(customer, {
        orderId: two.orderId,
        periodDays: 30,
        totalMicros: 1_000_000n,
        requestKey: 'req-again',
      }),
    ).toMatchObject({ refusal: { code: 'not_renewable' } })
  })

  it('one that went in between keeps its order as it is', async () => {
    const { customer, one } = await buyTwice(0n)
    const selectionId = await select(customer, one.allocationIds)
    const shown = await preview(customer, selectionId, 'give-back')
    const single = await select(customer, one.allocationIds.slice(0, 1))
    const first = await preview(customer, single, 'give-back')
    await runBulk(customer, { selectionId: single, action: 'give-back', typed: {}, shown: first.shown })
    expect(await runBulk(customer, { selectionId, action: 'give-back', typed: {}, shown: shown.shown })).toMatchObject({
      value: { refused: 1 },
    })
    expect(await balanceOf(customer.id)).toBe(1_000_000n)
  })
})

it('one action on a selection is not taken for another one that was done to it', async () => {
  const apiKey = 'bulk-test-key'
  const seller = await startProxySellerFake({ port: 0, apiKey, exitPort: 1 })
  try {
    await fetch(`${seller.controlUrl}/delivery`, { method: 'POST', body: JSON.stringify({ afterMs: 0 }) })
    const apiUrl = `${seller.url}/personal/api/v2`
    await insertSupplier('proxy-seller', { apiUrl, apiKey })
    const plan = await makePlan({
      supplier: 'proxy-seller',
      unitPriceMicros: 20_000_000n,
      params: { section: 'ipv4', purpose: 'Tests', protocol: 'http' },
    })
    const customer = await insertCustomer({ balanceMicros: 90_000_000n })
    const placed = await placeOrder(customer, await orderFor(plan, 2))
    if (!placed.ok) throw new Error(placed.refusal.code)
    const { orderId } = placed.value
    await deliverOrder({ orderId }, () => createProxySeller({ baseUrl: apiUrl, apiKey, pollDelaysMs: [0] }))
    const held = () => db().allocation.findMany({ where: { orderId }, orderBy: { position: 'asc' } })
    const before = await held()
    const selectionId = await select(
      customer,
      before.map((row) => row.id),
    )
    for (const [action, typed] of [
      ['rotate', {}],
      ['bind', { addresses: '8.8.4.4' }],
    ] as const) {
      const { shown } = await preview(customer, selectionId, action, typed)
      expect(await runBulk(customer, { selectionId, action, typed, shown })).toMatchObject({ value: { done: 1 } })
    }
    const after = await held()
    expect(after.map((row) => row.boundAddresses)).toEqual([['8.8.4.4'], ['8.8.4.4']])
    expect(after[0]!.password).not.toBe(before[0]!.password)
  } finally {
    await seller.close()
  }
})

it('tags are added and taken from the whole selection; ten thousand are refused before anything is read', async () => {
  const { customer, all } = await buyTwice(0n)
  const selectionId = await select(customer, all)
  expect((await preview(customer, selectionId, 'retag')).shown).toBe('')
  const typed = { add: 'red, blue', remove: 'old' }
  const { shown } = await preview(customer, selectionId, 'retag', typed)
  const many = { add: Array.from({ length: 10_000 }, (_, index) => `t${index}`).join(',') }
  expect(await previewBulk(customer, { selectionId, action: 'retag', typed: many })).toMatchObject({
    value: { refusal: { code: 'too_many_tags' } },
  })
  expect(await runBulk(customer, { selectionId, action: 'retag', typed: many, shown })).toMatchObject({
    refusal: { code: 'too_many_tags' },
  })
  expect(await runBulk(customer, { selectionId, action: 'retag', typed, shown })).toMatchObject({ value: { done: 2 } })
  expect(await db().proxyMark.findMany({ where: { userId: customer.id }, select: { tags: true } })).toEqual(
    Array.from({ length: 3 }, () => ({ tags: ['blue', 'red'] })),
  )
})
