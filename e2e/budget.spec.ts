import { gzipSync } from 'node:zlib'
import { demo, expect, makePerson, query, signIn, test } from './fixtures'

/** 150 kB: what a page may ship of compressed script (decimal kilobytes, gzip, the way the server sends it). */
const BUDGET_BYTES = 150_000

test('no public or account page ships more script than the budget', async ({ browser }) => {
  test.setTimeout(120_000)
  const person = await makePerson({ balance: 10 })
  const orderId = `ord_${'1'.repeat(20)}${person.id.slice(-12)}`
  await query(
    `SELECT place_order($1, $2, 'budget', p.id, p.revision, (SELECT id FROM offers WHERE plan_id = p.id LIMIT 1), true, 'datacenter_ipv4', 'NL', 30, 1, 1200000, 0, 1200000, 'USD')
     FROM plans p WHERE slug = 'datacenter-ipv4'`,
    [orderId, person.id],
  )
  const pages = [
    '/',
    '/catalogue',
    '/catalogue/datacenter-ipv4',
    '/sign-in',
    '/sign-up',
    '/verify',
    '/legal/privacy',
    '/account',
    '/account/orders',
    `/account/orders/${orderId}`,
    '/account/proxies',
    '/account/proxies/export',
    '/account/planner',
    '/account/balance',
    '/account/payments',
    '/account/top-up',
    '/account/settings',
    '/account/settings/mails',
    '/account/notices',
    '/account/settings/notifications',
  ]
  const sizes: string[] = []
  const tooBig: string[] = []
  for (const path of pages) {
    const context = await browser.newContext({ baseURL: demo().url })
    if (path.startsWith('/account')) await signIn(context, person)
    const page = await context.newPage()
    const scripts = new Map<string, number>()
    const loading: Promise<void>[] = []
    page.on('response', (response) => {
      if (response.request().resourceType() !== 'script') return
      loading.push(response.body().then((body) => void scripts.set(response.url(), gzipSync(body).length)))
    })
    await page.goto(path, { waitUntil: 'load' })
    await Promise.all(loading)
    const bytes = [...scripts.values()].reduce((sum, each) => sum + each, 0)
    expect(scripts.size, `${path} has scripts`).toBeGreaterThan(0)
    sizes.push(`${path} ${(bytes / 1000).toFixed(1)} kB`)
    if (bytes > BUDGET_BYTES) tooBig.push(`${path}: ${bytes} bytes`)
    await context.close()
  }
  console.log(sizes.join('\n'))
  expect(tooBig).toEqual([])
})
