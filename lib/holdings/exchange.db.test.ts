import type { Fake } from '@/fakes/kit'
import { startProxySellerFake } from '@/fakes/proxy-seller'
import { checkBooks } from '@/lib/admin'
import { COMMON_POLICY, findPlan, savePolicy } from '@/lib/catalog'
import { db } from '@/lib/db'
import { placeOrder } from '@/lib/orders'
import { deliverOrder } from '@/lib/provisioning'
import { exchangeProxy } from '@/lib/remedies'
import { createProxySeller } from '@/lib/suppliers'
import { makePlan, orderFor } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { checked } from '@/test/factories/remedies'
import { insertSupplier } from '@/test/factories/supplier'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type BulkName, findProxy, makeSelection, previewBulk, runBulk } from './index'

const KEY = 'bulk-exchange-key'
let seller: Fake
beforeAll(async () => {
  seller = await startProxySellerFake({ port: 0, apiKey: KEY, exitPort: 1 })
  await fetch(`${seller.controlUrl}/delivery`, { method: 'POST', body: JSON.stringify({ afterMs: 0 }) })
  await insertSupplier('proxy-seller', { apiUrl: `${seller.url}/personal/api/v2`, apiKey: KEY })
})
afterAll(async () => {
  await seller.close()
  expect((await checkBooks()).findings).toEqual([])
})

it('many at once: the preview says who is asked, doing it asks once, and then nothing else is done with those until it has an end', async () => {
  const plan = await makePlan({
    supplier: 'proxy-seller',
    unitPriceMicros: 20_000_000n,
    params: { section: 'ipv4', purpose: 'Tests', protocol: 'http' },
  })
  const { product } = (await findPlan(plan.planId, { fresh: true }))!
  const staff = { kind: 'staff' as const, id: 'usr_test' }
  const anyDay = {
    when: 'any',
    withinHours: 24,
    maxTrafficPercent: null,
    remedy: 'refund',
    refundPercent: 100,
  } as const
  const rules = { ...COMMON_POLICY, rows: [...COMMON_POLICY.rows, { ...anyDay, of: 'paid' as const }] }
  const saved = await savePolicy(staff, { productId: product.id, version: 0, rules })
  if (!saved.ok) throw new Error(saved.refusal.code)
  const customer = await insertCustomer({ balanceMicros: 60_000_000n })
  const placed = await placeOrder(customer, await orderFor(plan, 2))
  if (!placed.ok) throw new Error(placed.refusal.code)
  const { orderId } = placed.value
  const adapter = createProxySeller({
    baseUrl: `${seller.url}/personal/api/v2`,
    apiKey: KEY,
    waitForTurn: async () => {},
    pollDelaysMs: [0, 0, 0],
  })
  await deliverOrder({ orderId }, () => adapter)
  const ids = (await db().allocation.findMany({ where: { orderId }, orderBy: { position: 'asc' } })).map(({ id }) => id)
  await checked(orderId, ids[0]!, [{ at: new Date(), ok: false }])

  const made = await makeSelection(customer, { allocationIds: ids })
  if (!made.ok) throw new Error(made.refusal.code)
  const { selectionId } = made.value
  const preview = async (action: BulkName) => {
    const found = await previewBulk(customer, { selectionId, action, typed: {} })
    if (!found.ok) throw new Error(found.refusal.code)
    return found.value
  }
  const shown = await preview('replace')
  expect(shown.parts).toMatchObject([
    {
      lines: [
        { kind: 'requested', count: 1 },
        { kind: 'refused', count: 1 },
      ],
      refusal: null,
      givesMicros: 0n,
    },
  ])
  expect(await findProxy({ userId: customer.id, allocationId: ids[0]! })).toMatchObject({ exchangeAskedAt: null })
  const input = { selectionId, action: 'replace' as const, typed: {}, shown: shown.shown }
  await Promise.all([runBulk(customer, input), runBulk(customer, input), runBulk(customer, input)])
  const row = await db().replacement.findFirstOrThrow({ where: { orderId } })
  expect(await db().replacement.count({ where: { orderId } })).toBe(1)
  expect(await findProxy({ userId: customer.id, allocationId: ids[0]! })).toMatchObject({
    exchangeAskedAt: row.createdAt,
    exchangeUntil: row.giveUpAt,
  })

  expect((await preview('renew')).parts).toMatchObject([
    {
      lines: [
        { kind: 'renewed', count: 1 },
        { kind: 'left_out', count: 1 },
      ],
      paysMicros: 20_000_000n,
    },
  ])
  expect((await preview('give-back')).parts).toMatchObject([
    {
      lines: [
        { kind: 'given_back', count: 1 },
        { kind: 'left_out', count: 1 },
      ],
    },
  ])
  const alone = await makeSelection(customer, { allocationIds: ids.slice(0, 1) })
  if (!alone.ok) throw new Error(alone.refusal.code)
  for (const action of ['renew', 'replace', 'give-back'] as const)
    expect(
      await previewBulk(customer, { selectionId: alone.value.selectionId, action, typed: {} }),
      action,
    ).toMatchObject({ value: { shown: '', parts: [{ refusal: { code: 'proxy_being_replaced' } }] } })

  await exchangeProxy({ replacementId: row.id }, () => adapter)
  expect(await findProxy({ userId: customer.id, allocationId: ids[0]! })).toMatchObject({
    state: 'replaced',
    exchangeAskedAt: null,
  })
})
