import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { createDatabase, db, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { makeSelection, markProxy } from '@/lib/holdings'
import { newId } from '@/lib/kit'
import { makePlan } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { buyDelivered, letHoursPass } from '@/test/factories/orders'
import { textStream } from '@/components/papers/file-response'
import {
  EXPORT_PAGE,
  FEEDS_MAX,
  findWriter,
  listChoices,
  listFeeds,
  listTemplates,
  makeFeed,
  openFeed,
  readProxies,
  removeTemplate,
  renameFeed,
  revokeFeed,
  rotateFeed,
  saveTemplate,
  TEMPLATES_MAX,
  writeExport,
} from '.'
import { pageQuery } from './read-proxies'

const owner = (id: string) => ({ kind: 'user' as const, id })

/** Many proxies of one order by one statement: thousands through commands would take the test's minute. */
async function insertProxies(orderId: string, userId: string, offerId: string, count: number): Promise<void> {
  await db().$executeRaw(Prisma.sql`
    INSERT INTO allocations (id, order_id, user_id, position, host, port, username, password, protocols, country_code, offer_id, expires_at)
    SELECT 'alc_' || ${randomBytes(6).toString('hex')} || lpad(n::text, 20, '0'), ${orderId}, ${userId}, n, '192.0.2.1', 8000, 'u' || n, 'p', '{http}', 'NL', ${offerId}, now() + interval '30 days'
    FROM generate_series(1000, ${999 + count}::int) n`)
}

/** A database that counts what it is asked. */
function countingDatabase() {
  const inner = createDatabase(env().DATABASE_URL, 2)
  const counted = { queries: 0 }
  const database = inner.$extends({
    query: { $queryRaw: ({ args, query }) => ((counted.queries += 1), query(args)) },
  }) as unknown as typeof inner
  return { database, counted, end: () => inner.$disconnect() }
}

test('a large list is read a page at a time: the first piece is there before the second page is asked for', async () => {
  const { customer, orderId, plan } = await buyDelivered()
  await insertProxies(orderId, customer.id, plan.offerId, 10_000)
  const { database, counted, end } = countingDatabase()
  const writer = (await findWriter(customer.id, 'txt'))!
  const pages = readProxies({ userId: customer.id, filter: { order: orderId }, scope: 'live' }, database)
  const pieces = writeExport(pages, writer)
  const first = await pieces.next()
  expect(counted.queries).toBe(1)
  expect((first.value as string).split('\n')).toHaveLength(EXPORT_PAGE + 1)
  let lines = EXPORT_PAGE
  for await (const piece of pieces) lines += piece.split('\n').length - 1
  expect(lines).toBe(10_001)
  expect(counted.queries).toBe(21)
  await end()
})

test('a page is read from the rows of its customer, however many others have', async () => {
  const { customer, orderId, plan } = await buyDelivered()
  await insertProxies(orderId, customer.id, plan.offerId, 2_000)
  const other = await insertCustomer()
  // Many orders of many others, older and newer than ours.
  await db().$executeRaw(Prisma.sql`
    INSERT INTO allocations (id, order_id, user_id, position, host, port, username, password, protocols, country_code, offer_id, expires_at)
    SELECT ${newId('alc')} || n, 'ord_' || md5(n::text), ${other.id} || n % 500, 1, '192.0.2.1', 8000, 'u' || n, 'p', '{http}', 'NL', ${plan.offerId}, now() + interval '30 days'
    FROM generate_series(1, 60000) n`)
  await db().$executeRaw(Prisma.sql`ANALYZE allocations`)
  const input = { userId: customer.id, filter: {}, scope: 'live' as const }
  for (const after of [undefined, { orderId, position: 1_500 }, { orderId: 'ord_0', position: 1 }]) {
    const rows = await db().$queryRaw<{ 'QUERY PLAN': unknown }[]>(
      Prisma.sql`EXPLAIN (ANALYZE, FORMAT JSON) ${pageQuery(input, after, EXPORT_PAGE)}`,
    )
    const steps = JSON.stringify(rows[0]!['QUERY PLAN']).match(/"Rows Removed by Filter":\d+/g) ?? []
    const removed = steps.map((step) => Number(step.split(':')[1]))
    expect(Math.max(0, ...removed)).toBeLessThanOrEqual(2_001)
  }
  await db().$executeRaw(Prisma.sql`DELETE FROM allocations WHERE user_id LIKE ${`${other.id}%`}`)
})

test('whoever hangs up ends the reading', async () => {
  const { customer, orderId, plan } = await buyDelivered()
  await insertProxies(orderId, customer.id, plan.offerId, 5_000)
  const { database, counted, end } = countingDatabase()
  const writer = (await findWriter(customer.id, 'txt'))!
  const pages = readProxies({ userId: customer.id, filter: { order: orderId }, scope: 'live' }, database)
  const reader = textStream(writeExport(pages, writer)).getReader()
  await reader.read()
  await reader.cancel()
  const asked = counted.queries
  // Whatever was still on its way has its turn; nothing new is asked for.
  await new Promise((resolve) => setImmediate(resolve))
  expect((await pages.next()).done).toBe(true)
  expect(counted.queries).toBe(asked)
  expect(asked).toBeLessThanOrEqual(2)
  await end()
})

test('only what works now is live, an order shows also what has ended, and nobody sees another one’s', async () => {
  const { customer, orderId, allocationIds } = await buyDelivered({ quantity: 2 })
  const stranger = await insertCustomer()
  const count = async (userId: string, scope: 'live' | 'order', filter = {}) => {
    let rows = 0
    for await (const page of readProxies({ userId, filter, scope })) rows += page.length
    return rows
  }
  expect(await count(customer.id, 'live')).toBe(2)
  expect(await count(customer.id, 'live', { country: 'ZZ' })).toBe(0)
  expect(await count(stranger.id, 'order', { order: orderId })).toBe(0)
  expect((await listChoices(customer.id)).orders).toEqual([{ id: orderId, count: 2 }])
  const [first] = allocationIds
  const marked = await markProxy(customer, { allocationId: first!, label: 'office', note: '', tags: 'shop' })
  expect(marked.ok).toBe(true)
  expect(await count(customer.id, 'live', { tag: 'shop' })).toBe(1)
  const { value: page } = await readProxies({ userId: customer.id, filter: { tag: 'shop' }, scope: 'live' }).next()
  expect(page?.[0]?.label).toBe('office')
  const selected = await makeSelection(customer, { allocationIds: [first!] })
  if (!selected.ok) throw new Error(selected.refusal.code)
  const { selectionId: selection } = selected.value
  expect(await count(customer.id, 'live', { selection })).toBe(1)
  expect(await count(customer.id, 'live', { selection: newId('sel') })).toBe(0)
  // Somebody else's selection is none, also for one's own proxies.
  const other = await buyDelivered()
  expect(await count(other.customer.id, 'live', { selection })).toBe(0)
  await letHoursPass(orderId, 31 * 24)
  expect(await count(customer.id, 'live')).toBe(0)
  expect(await count(customer.id, 'order', { order: orderId })).toBe(2)
})

test('templates: kept, changed, removed by their owner only; names are told apart, and their number ends', async () => {
  const [ada, bob] = [await insertCustomer(), await insertCustomer()]
  const input = { name: 'Mine', kind: 'line' as const, text: '{user}@{host}' }
  const saved = await saveTemplate(ada, input)
  if (!saved.ok) throw new Error(saved.refusal.code)
  const { templateId } = saved.value
  expect(await saveTemplate(ada, input)).toMatchObject({ refusal: { code: 'template_name_taken' } })
  expect(await saveTemplate(ada, { ...input, text: '{usr}' })).toMatchObject({
    refusal: { code: 'template_field_unknown' },
  })
  expect(await saveTemplate(bob, { ...input, templateId })).toMatchObject({ refusal: { code: 'not_found' } })
  expect(await removeTemplate(bob, { templateId })).toMatchObject({ refusal: { code: 'not_found' } })
  expect(await findWriter(bob.id, templateId)).toBe(null)
  expect((await saveTemplate(ada, { ...input, templateId, text: '{pass}' })).ok).toBe(true)
  expect(await listTemplates({ userId: ada.id })).toEqual([{ ...input, id: templateId, text: '{pass}' }])
  // The last place, by many at once.
  const rows = Array.from({ length: TEMPLATES_MAX - 2 }, (_, index) => ({
    ...input,
    id: newId('tpl'),
    userId: ada.id,
    name: `t${index}`,
  }))
  await db().exportTemplate.createMany({ data: rows })
  const many = await Promise.all([1, 2, 3].map((n) => saveTemplate(ada, { ...input, name: `last ${n}` })))
  expect(many.filter((each) => each.ok)).toHaveLength(1)
})

test('feeds: the token is kept as a digest only, works until it is rotated or revoked, and belongs to one kind', async () => {
  const { customer, orderId } = await buyDelivered()
  const ada = owner(customer.id)
  const bob = owner((await insertCustomer()).id)
  const made = await makeFeed(ada, { kind: 'proxies', name: 'tool', filter: { order: orderId }, format: 'url' })
  if (!made.ok) throw new Error(made.refusal.code)
  const { feedId, token } = made.value
  const rows = await db().$queryRaw<{ row: string }[]>(
    Prisma.sql`SELECT row_to_json(f)::text AS row FROM feeds f WHERE id = ${feedId}`,
  )
  expect(rows[0]!.row).not.toContain(token)
  expect(await openFeed({ token, kind: 'proxies' })).toEqual({
    id: feedId,
    userId: customer.id,
    filter: { order: orderId },
    format: 'url',
  })
  expect(await openFeed({ token, kind: 'calendar' })).toBe(null)
  for (const wrong of ['', 'x', `${token}x`, token.slice(1), `${token.slice(0, 42)}'`])
    expect(await openFeed({ token: wrong, kind: 'proxies' })).toBe(null)
  expect((await listFeeds({ userId: customer.id, kind: 'proxies' }))[0]!.lastUsedAt).not.toBe(null)
  for (const refusal of [
    await rotateFeed(bob, { feedId }),
    await revokeFeed(bob, { feedId }),
    await renameFeed(bob, { feedId, name: 'x' }),
  ])
    expect(refusal).toMatchObject({ ok: false, refusal: { code: 'not_found' } })
  const rotated = await rotateFeed(ada, { feedId })
  if (!rotated.ok) throw new Error(rotated.refusal.code)
  expect(await openFeed({ token, kind: 'proxies' })).toBe(null)
  expect(await openFeed({ token: rotated.value.token, kind: 'proxies' })).not.toBe(null)
  expect((await revokeFeed(ada, { feedId })).ok).toBe(true)
  expect(await openFeed({ token: rotated.value.token, kind: 'proxies' })).toBe(null)
  expect(await rotateFeed(ada, { feedId })).toMatchObject({ refusal: { code: 'not_found' } })
  expect(await listFeeds({ userId: customer.id, kind: 'proxies' })).toEqual([])
})

test('a feed takes only its owner’s orders and templates, keeps its template from being removed, and their number ends', async () => {
  const { customer, orderId } = await buyDelivered()
  const ada = owner(customer.id)
  const bob = owner((await insertCustomer()).id)
  const saved = await saveTemplate(ada, { name: 'Mine', kind: 'line', text: '{host}' })
  if (!saved.ok) throw new Error(saved.refusal.code)
  const { templateId } = saved.value
  const feed = { kind: 'proxies' as const, name: 'f', filter: {}, format: templateId }
  expect(await makeFeed(bob, feed)).toMatchObject({ refusal: { code: 'not_found' } })
  expect(await makeFeed(bob, { ...feed, format: 'txt', filter: { order: orderId } })).toMatchObject({
    refusal: { code: 'not_found' },
  })
  const made = await makeFeed(ada, feed)
  if (!made.ok) throw new Error(made.refusal.code)
  expect(await removeTemplate(ada, { templateId })).toMatchObject({
    refusal: { code: 'template_in_use', facts: { feeds: 1 } },
  })
  expect((await revokeFeed(ada, made.value)).ok).toBe(true)
  expect((await removeTemplate(ada, { templateId })).ok).toBe(true)
  for (let index = 0; index < FEEDS_MAX; index += 1)
    expect((await makeFeed(ada, { kind: 'calendar', name: `c${index}` })).ok).toBe(true)
  expect(await makeFeed(ada, { kind: 'calendar', name: 'one more' })).toMatchObject({
    refusal: { code: 'too_many_feeds' },
  })
})

test('an empty list is a whole file', async () => {
  const { id } = await insertCustomer()
  await makePlan({ units: 0 })
  const text = async (format: string) => {
    let whole = ''
    for await (const piece of writeExport(
      readProxies({ userId: id, filter: {}, scope: 'live' }),
      (await findWriter(id, format))!,
    ))
      whole += piece
    return whole
  }
  expect(await text('txt')).toBe('')
  expect(JSON.parse(await text('json'))).toEqual([])
  expect(await text('csv')).toMatch(/^host,port,.*\r\n$/)
})
