import { readFileSync, writeFileSync } from 'node:fs'
import { db, Prisma } from '@/lib/db'
import { newId } from '@/lib/kit'
import { replaceDead } from '@/lib/remedies'
import { makePlan } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { buyDelivered, letHoursPass } from '@/test/factories/orders'
import { checked, planWithPolicy } from '@/test/factories/remedies'
import { describe, expect, it } from 'vitest'
import {
  countProxies,
  dropView,
  findMarks,
  listProxies,
  listProxyFacets,
  listTags,
  listViews,
  makeSelection,
  markProxy,
  type ProxyFilter,
  proxyFilterSchema,
  proxiesQuery,
  readFilter,
  retagProxies,
  saveView,
} from './index'

const noMarks = { label: '', note: '', tags: '' }

describe('the table of proxies', () => {
  it('finds by every part, filters, sorts and pages, and never shows somebody else’s', async () => {
    const plan = await makePlan({ units: 20 })
    const one = await buyDelivered({ plan, quantity: 4, leftMicros: 4_000_000n })
    const two = await buyDelivered({
      plan: await makePlan({ units: 5, countryCode: 'DE' }),
      customer: one.customer,
      quantity: 2,
    })
    await buyDelivered({ plan, quantity: 2 })
    const userId = one.customer.id
    const find = async (filter: ProxyFilter) => (await listProxies({ userId, filter })).rows.map((row) => row.id).sort()
    const [first, second] = one.allocationIds as [string, string]
    await markProxy(one.customer, { allocationId: first, label: 'Shop 7', note: 'for the cat', tags: 'blue, Red' })
    await checked(one.orderId, first, [{ at: new Date(), ok: false }])
    await checked(one.orderId, second, [{ at: new Date(), ok: true }])
    await letHoursPass(two.orderId, 29 * 24)
    const row = await db().allocation.findUniqueOrThrow({ where: { id: first } })

    expect(await find({})).toHaveLength(6)
    expect(await find({ country: 'DE' })).toEqual(two.allocationIds.toSorted())
    expect(await find({ plan: plan.planId })).toEqual(one.allocationIds.toSorted())
    expect(await find({ order: two.orderId })).toEqual(two.allocationIds.toSorted())
    expect(await find({ days: 3 })).toEqual(two.allocationIds.toSorted())
    expect(await find({ tag: 'blue' })).toEqual([first])
    expect(await find({ check: 'failing' })).toEqual([first])
    expect(await find({ check: 'working' })).toEqual([second])
    expect(await find({ check: 'never' })).toHaveLength(4)
    for (const q of ['SHOP 7', 'the cat', 'red', row.username]) expect(await find({ q }), q).toEqual([first])
    expect(await find({ q: two.orderId.slice(-10) })).toEqual(two.allocationIds.toSorted())
    for (const q of ['%', "'; --", 'shop 7 for']) expect(await find({ q }), q).toEqual([])
    await letHoursPass(two.orderId, 48)
    expect(await find({})).toHaveLength(4)
    expect(await find({ state: 'ended' })).toEqual(two.allocationIds.toSorted())
    expect(await find({ state: 'all' })).toHaveLength(6)
    expect(await find({ state: 'grace' })).toEqual([])
    expect(await countProxies({ userId, filter: { state: 'all', country: 'NL' } })).toBe(4)
    expect(await listProxyFacets({ userId })).toMatchObject({
      countries: ['DE', 'NL'],
      tags: [{ tag: 'Red' }, { tag: 'blue' }],
    })

    for (const sort of ['expiry', '-expiry', 'country', '-country', 'host', 'added', 'check', '-check'] as const) {
      const whole = (await listProxies({ userId, filter: { state: 'all' }, sort })).rows
      const paged: string[] = []
      let after: string | undefined
      do {
        const page = await listProxies({ userId, filter: { state: 'all' }, sort, after, limit: 2 })
        paged.push(...page.rows.map((each) => each.id))
        after = page.nextAfter ?? undefined
      } while (after)
      expect(paged, sort).toEqual(whole.map((each) => each.id))
      expect(new Set(paged).size).toBe(6)
    }
    for (const after of ['', 'nonsense', Buffer.from(`now\n${first}`).toString('base64url')])
      expect((await listProxies({ userId, filter: { state: 'all' }, after })).rows).toHaveLength(6)
  })

  it('takes what an address says, and leaves out what it does not understand', () => {
    expect(
      proxyFilterSchema.parse({
        q: ' a\n b ',
        state: 'dead',
        country: 'nl',
        days: '0',
        tag: '',
        check: ['failing', 'x'],
        other: 1,
      }),
    ).toEqual({ q: 'a b', check: 'failing' })
  })
})

describe('marks', () => {
  it('are bounded, masked, one’s own, and follow a proxy to the one that replaces it', async () => {
    const plan = await planWithPolicy()
    const { customer, orderId, allocationIds } = await buyDelivered({ plan, quantity: 2 })
    const [allocationId] = allocationIds as [string]
    const mark = (more: Partial<typeof noMarks>) => markProxy(customer, { allocationId, ...noMarks, ...more })
    const many = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `t${from + index}`).join(',')
    expect(await mark({ tags: many(10_000) })).toMatchObject({ refusal: { code: 'too_many_tags', facts: { max: 50 } } })
    expect(await mark({ tags: many(51) })).toMatchObject({ refusal: { code: 'too_many_tags' } })
    expect(await mark({ tags: 'x'.repeat(41) })).toMatchObject({ refusal: { code: 'tag_too_long' } })
    expect(await findMarks({ userId: customer.id, allocationId })).toMatchObject({ tags: [] })
    expect(
      await mark({
        label: 'pay 4242 4242 4242 4242',
        note: '4242424242424242',
        tags: 'b, a,\n b,  , 4242424242424242',
      }),
    ).toMatchObject({ ok: true })
    expect(await findMarks({ userId: customer.id, allocationId })).toEqual({
      label: 'pay •••• 4242',
      note: '•••• 4242',
      tags: ['a', 'b', '•••• 4242'],
    })
    expect(await markProxy(await insertCustomer(), { allocationId, ...noMarks })).toMatchObject({
      refusal: { code: 'not_found' },
    })

    await checked(orderId, allocationId, [{ at: new Date(), ok: false }])
    expect(await replaceDead({ orderId, allocationIds: [allocationId] })).toMatchObject({ replaced: 1 })
    const { newAllocationId } = await db().replacement.findFirstOrThrow({ where: { oldAllocationId: allocationId } })
    expect(await findMarks({ userId: customer.id, allocationId: newAllocationId! })).toMatchObject({
      tags: ['a', 'b', '•••• 4242'],
    })
  })

  it('are at most 500 different tags in all, also of twenty who write at once', async () => {
    const { customer, allocationIds } = await buyDelivered({ quantity: 11 })
    const tagsOf = (proxy: number) => Array.from({ length: 50 }, (_, index) => `p${proxy}-${index}`)
    const results = await Promise.all(
      allocationIds.map((allocationId, index) =>
        markProxy(customer, { allocationId, ...noMarks, tags: tagsOf(index).join(',') }),
      ),
    )
    expect(results.filter((result) => !result.ok)).toMatchObject([
      { refusal: { code: 'too_many_own_tags', facts: { max: 500 } } },
    ])
    expect(await listTags({ userId: customer.id })).toHaveLength(500)
  })

  it('are added and taken from many at once, or from none', async () => {
    const mine = await buyDelivered({ quantity: 3 })
    const other = await buyDelivered()
    const ask = { allocationIds: mine.allocationIds, add: ['x', 'y'], remove: ['z'] }
    expect(
      await retagProxies(mine.customer, { ...ask, allocationIds: [...mine.allocationIds, ...other.allocationIds] }),
    ).toMatchObject({
      refusal: { code: 'not_found' },
    })
    expect(await listTags({ userId: mine.customer.id })).toEqual([])
    expect(await retagProxies(mine.customer, ask)).toMatchObject({ ok: true })
    expect(await retagProxies(mine.customer, { ...ask, add: ['z'], remove: ['y'] })).toMatchObject({ ok: true })
    expect(await retagProxies(mine.customer, { ...ask, add: [], remove: ['none'] })).toMatchObject({ ok: true })
    expect(await listTags({ userId: mine.customer.id })).toEqual([
      { tag: 'x', count: 3 },
      { tag: 'z', count: 3 },
    ])
    const full = Array.from({ length: 49 }, (_, index) => `f${index}`)
    expect(await retagProxies(mine.customer, { ...ask, add: full, remove: [] })).toMatchObject({
      refusal: { code: 'too_many_tags' },
    })
    expect(await listTags({ userId: mine.customer.id })).toHaveLength(2)
  })
})

describe('saved views', () => {
  it('are twenty, by name, and only one’s own to drop', async () => {
    const me = await insertCustomer()
    for (let index = 0; index < 20; index += 1)
      await saveView(me, { name: `view ${index}`, query: 'country=NL&rubbish=1' })
    expect(await saveView(me, { name: 'one more', query: '' })).toMatchObject({ refusal: { code: 'too_many_views' } })
    expect(await saveView(me, { name: 'view 0', query: 'tag=a+b' })).toMatchObject({ ok: true })
    const views = await listViews({ userId: me.id })
    expect(views).toHaveLength(20)
    expect(views[0]).toMatchObject({ name: 'view 0', query: 'tag=a+b' })
    expect(views[1]).toMatchObject({ query: 'country=NL' })
    const viewId = views[0]!.id
    expect(await dropView(await insertCustomer(), { viewId })).toMatchObject({ refusal: { code: 'not_found' } })
    expect(await dropView(me, { viewId })).toMatchObject({ ok: true })
    expect(await dropView(me, { viewId })).toMatchObject({ refusal: { code: 'not_found' } })
  })
})

/** What the database reads of a table, summed over a plan: rows that went on, and rows it looked at and dropped. */
type Node = {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  Plans?: Node[]
}
const nodesOf = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(nodesOf)]
const rowsRead = (node: Node) => (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']

describe('with a hundred thousand proxies of others', () => {
  /** Others' rows by direct insert: five hundred customers with two hundred proxies each, checked and marked like one's own. */
  async function fillForeign() {
    const stamp = newId('req').slice(-12)
    await db().$executeRaw(Prisma.sql`
      INSERT INTO orders (id, user_id, request_key, plan_id, plan_revision, product_kind, offer_id, country_code, period_days, quantity, unit_price_micros,
                          discount_micros, total_micros, currency, state, delivered_at, expires_at, due_at, look_at)
      SELECT 'ord_f' || ${stamp} || n, 'usr_f' || ${stamp} || n, 'fill', 'pln_f', 1, 'datacenter_ipv4', 'ofr_f', 'NL', 30, 200, 1, 0, 200, 'USD', 'active', now(), v.until, v.until, v.until
      FROM generate_series(1, 500) n, (SELECT now() + interval '30 days' AS until) v`)
    await db().$executeRaw(Prisma.sql`
      INSERT INTO allocations (id, order_id, user_id, position, host, port, username, password, protocols, country_code, expires_at, offer_id)
      SELECT 'alc_f' || ${stamp} || n, 'ord_f' || ${stamp} || (1 + n % 500), 'usr_f' || ${stamp} || (1 + n % 500), n / 500, '198.51.100.' || (n % 250), 10000 + n / 250,
             'u' || n, 'pw', ARRAY['http'], 'NL', now() + make_interval(mins => n % 40000), 'ofr_f'
      FROM generate_series(0, 99999) n`)
    await db().$executeRaw(Prisma.sql`
      INSERT INTO proxy_health (allocation_id, order_id, last_at, last_ok) SELECT a.id, a.order_id, now(), true FROM allocations a WHERE a.id LIKE 'alc_f%'`)
    await db().$executeRaw(Prisma.sql`
      INSERT INTO proxy_marks (user_id, allocation_id, label, tags) SELECT a.user_id, a.id, 'shop', ARRAY['red'] FROM allocations a WHERE a.id LIKE 'alc_f%'`)
    await db().$executeRawUnsafe('ANALYZE allocations, orders, proxy_health, proxy_marks')
  }

  const ASKED: { name: string; filter: ProxyFilter; sort?: Parameters<typeof proxiesQuery>[0]['sort'] }[] = [
    { name: 'the first page', filter: {} },
    { name: 'sorted by the last check', filter: {}, sort: 'check' },
    { name: 'by tag', filter: { tag: 'red' }, sort: 'host' },
    { name: 'a search', filter: { q: 'shop', state: 'all' } },
    { name: 'by plan, those that fail', filter: { plan: `pln_${'0'.repeat(32)}`, check: 'failing' } },
  ]

  it('the table is read through its own customer’s index, and reads no row of theirs', async () => {
    const { customer, allocationIds } = await buyDelivered({ quantity: 60 })
    await retagProxies(customer, { allocationIds, add: ['red'], remove: [] })
    await fillForeign()
    const own = allocationIds.length
    const lines: string[] = []
    for (const { name, filter, sort } of ASKED) {
      const query = proxiesQuery({ userId: customer.id, filter, sort, limit: 51 })
      const [row] = await db().$queryRaw<{ 'QUERY PLAN': { Plan: Node }[] }[]>(
        Prisma.sql`EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, FORMAT JSON) ${query}`,
      )
      const nodes = nodesOf(row!['QUERY PLAN'][0]!.Plan)
      const scans = nodes.filter((node) => node['Relation Name'] !== undefined)
      expect(
        nodes.some((node) => node['Index Name'] === 'allocations_user_id_expires_at_id_idx'),
        name,
      ).toBe(true)
      expect(
        scans
          .filter((node) => node['Node Type'] === 'Seq Scan' && node['Relation Name'] !== 'offers')
          .map((node) => node['Relation Name']),
        name,
      ).toEqual([])
      for (const scan of scans) expect(rowsRead(scan), `${name}: ${scan['Relation Name']}`).toBeLessThanOrEqual(own + 1)
      lines.push(
        '',
        `## ${name[0]!.toUpperCase()}${name.slice(1)}`,
        '',
        '| step | of | through | rows |',
        '|---|---|---|---|',
      )
      for (const scan of nodes.filter((node) => node['Relation Name'] ?? node['Index Name']))
        lines.push(
          `| ${scan['Node Type']} | ${scan['Relation Name'] ?? ''} | ${scan['Index Name'] ?? ''} | ${rowsRead(scan)} |`,
        )
    }
    const text = [
      '# How the table of proxies is read',
      '',
      'A customer with 60 proxies beside 100,000 of others. Written by `lib/holdings/holdings.db.test.ts`, which holds these plans to what they say: set',
      '`WRITE_PLANS=1` to write it anew. No step reads more rows than the customer has, so the time does not grow with what others hold.',
      ...lines,
      '',
    ].join('\n')
    if (process.env.WRITE_PLANS) writeFileSync('docs/plans.md', text)
    expect(readFileSync('docs/plans.md', 'utf8')).toContain('allocations_user_id_expires_at_id_idx')
  }, 120_000)
})

it('signs that mean something elsewhere are looked for as they are, and a zero byte is no filter', async () => {
  const { customer, allocationIds } = await buyDelivered({ quantity: 3 })
  const [allocationId] = allocationIds
  const marks = { label: `50% off "a" 'b' \\`, note: '[x](y)*?', tags: `x%y, "q"` }
  await markProxy(customer, { allocationId: allocationId!, ...marks })
  const find = async (q: string) => {
    const filter = readFilter(new URLSearchParams({ q }).toString())
    return (await listProxies({ userId: customer.id, filter })).rows.map((row) => row.id)
  }
  for (const q of ['%', '"a"', "'b'", '\\', '50% OFF', 'x%y', 'q"', '[x](y)*?'])
    expect([q, await find(q)]).toEqual([q, [allocationId]])
  for (const q of ['5%f', "' OR 1=1 --", '.*', 'x_y']) expect([q, await find(q)]).toEqual([q, []])
  // As it stands in a query that a form carries along.
  expect(readFilter('q=a%00b&tag=%00&state=live')).toEqual({ state: 'live' })
  expect(await makeSelection(customer, { filter: readFilter('q=a%00b') })).toMatchObject({ value: { count: 3 } })
})
