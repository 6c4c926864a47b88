import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import { expect, expectAccessible, makePerson, type Person, query, signIn, test } from './fixtures'

type Proxy = { host: string; port: number; username: string; password: string }

/** Two proxies from stock, bought as a customer buys. */
async function buyTwo(page: Page, person: Person): Promise<{ orderId: string; proxies: Proxy[] }> {
  await page.goto('/catalogue/datacenter-ipv4?country=NL&days=30&quantity=2')
  await page.getByRole('button', { name: /^Buy 2 for/ }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  const orderId = new URL(page.url()).pathname.split('/').at(-1)!
  const read = () =>
    query<Proxy>(
      `SELECT host, port, username, password FROM allocations WHERE order_id = $1 AND user_id = $2 ORDER BY position`,
      [orderId, person.id],
    )
  await expect.poll(async () => (await read()).length, { timeout: 30_000 }).toBe(2)
  return { orderId, proxies: await read() }
}

test('proxies are taken elsewhere: by a template of one’s own, as a file, and by a feed that is revoked', async ({
  page,
  context,
}) => {
  test.setTimeout(180_000)
  const person = await makePerson({ balance: 20 })
  await signIn(context, person)
  const { orderId, proxies } = await buyTwo(page, person)

  await page.goto('/account/proxies/export')
  await expect(page.getByText('2 working proxies to take elsewhere.')).toBeVisible()
  const studio = page.locator('section', { has: page.getByRole('heading', { name: 'What and how' }) })
  // The preview hides passwords until asked, and follows what is chosen by itself.
  await expect(studio.locator('pre')).toHaveText(/:••••••••\n.*:••••••••/)
  await studio.getByLabel('Format').selectOption({ label: 'URL (http:// or socks5://)' })
  await expect(studio.locator('pre')).toContainText(`http://${proxies[0]!.username}:••••••••@`)
  await studio.getByLabel('Show the passwords in the preview').check()
  await expect(studio.locator('pre')).not.toContainText('•')
  await expectAccessible(page)

  // What is wrong with a template is told with its place, and what was typed stays.
  const templates = page.locator('#templates')
  await templates.getByLabel('Name').fill('Mine')
  await templates.getByLabel('Template', { exact: true }).fill('{user};{prt};{host}')
  await templates.getByRole('button', { name: 'Save the template' }).click()
  await expect(templates.getByText('There is no field {prt} (at character 8).').first()).toBeVisible()
  await expect(templates.getByLabel('Template', { exact: true })).toHaveValue('{user};{prt};{host}')
  await templates.getByLabel('Template', { exact: true }).fill('{user};{port};{host};{pass}')
  await expect(templates.locator('pre')).toContainText(`${proxies[0]!.username};${proxies[0]!.port};`)
  await templates.getByRole('button', { name: 'Save the template' }).click()
  await expect(templates.getByText('Saved. You find it among the formats.')).toBeVisible()

  await page.getByRole('link', { name: 'Use', exact: true }).click()
  await page.waitForURL(/format=tpl_/)
  const templateId = new URL(page.url()).searchParams.get('format')!
  const wanted = proxies
    .map(({ host, port, username, password }) => `${username};${port};${host};${password}\n`)
    .join('')
  const download = page.waitForEvent('download')
  await studio.getByRole('button', { name: 'Download' }).click()
  expect(readFileSync(await (await download).path(), 'utf8')).toBe(wanted)
  const ofOrder = await context.request.get(`/account/orders/${orderId}/export?format=${templateId}`)
  expect(await ofOrder.text()).toBe(wanted)

  // One of two, chosen in the table of proxies.
  await page.goto('/account/proxies')
  await page
    .getByRole('checkbox', { name: /^Choose \d/ })
    .first()
    .check()
  await page.getByRole('button', { name: 'Export', exact: true }).click()
  await page.waitForURL(/\/account\/proxies\/export\?selection=sel_/)
  await expect(page.getByText('Only the proxies you selected.')).toBeVisible()
  await studio.getByLabel('Format').selectOption({ label: 'login:password@host:port' })
  await expect(studio.getByText('The first line of 1 proxy.')).toBeVisible()

  const feeds = page.locator('#feeds')
  await feeds.getByLabel('Name').fill('Scraper')
  await feeds.getByLabel('Format').selectOption({ label: 'Mine' })
  await feeds.getByRole('button', { name: 'Make the feed' }).click()
  await expect(feeds.getByText('Copy the address now. It is shown this once.')).toBeVisible()
  const address = (await feeds.getByLabel('Address of the feed').textContent())!
  await expectAccessible(page)

  // A program has no session.
  const first = await fetch(address)
  expect([first.status, await first.text()]).toEqual([200, wanted])
  expect(first.headers.get('referrer-policy')).toMatch(/no-referrer$/)
  expect(first.headers.get('cache-control')).toContain('private')
  const tag = first.headers.get('etag')!
  const again = await fetch(address, { headers: { 'If-None-Match': tag } })
  expect([again.status, await again.text()]).toEqual([304, ''])
  expect((await fetch(address, { method: 'HEAD' })).headers.get('etag')).toBe(tag)

  await page.reload()
  await expect(feeds.getByText(/Used .*(ago|now|second)/)).toBeVisible()
  await expect(feeds.getByText(address)).toHaveCount(0)
  await feeds.locator('summary', { hasText: 'Revoke' }).click()
  await feeds.getByRole('button', { name: 'Revoke “Scraper”' }).click()
  await expect(feeds.getByText('No feeds yet.')).toBeVisible()
  const gone = await fetch(address)
  expect([gone.status, gone.headers.get('content-type')]).toEqual([404, 'application/problem+json'])

  await page.setViewportSize({ width: 360, height: 740 })
  await expectAccessible(page)
})

test('the planner says what falls due, how long the balance lasts, and a calendar program can follow it', async ({
  page,
  context,
}) => {
  test.setTimeout(180_000)
  const person = await makePerson({ balance: 5 })
  await signIn(context, person)
  await page.goto('/account/planner')
  await expect(page.getByText('Nothing falls due', { exact: true })).toBeVisible()
  const { orderId, proxies } = await buyTwo(page, person)
  const [order] = await query<{ total: string }>(`SELECT total_micros AS total FROM orders WHERE id = $1`, [orderId])
  const total = Number(order!.total) / 1_000_000
  const usd = (amount: number) => new RegExp(`${amount.toFixed(2)}\\sUSD`)

  await page.goto('/account/planner')
  const row = page.getByRole('table', { name: 'Day by day' }).getByRole('row').nth(1)
  await expect(row).toContainText('Renew by hand')
  await expect(row).toContainText(usd(total))
  await expect(page.getByText(/covers everything, also what you renew by hand/)).toBeVisible()

  // As the switch on the order's page leaves it; three times in 90 days is more than the balance has.
  await query(
    `UPDATE orders SET auto_renew = true, renew_period_days = 30, renew_unit_micros = total_micros WHERE id = $1`,
    [orderId],
  )
  await page.reload()
  await expect(page.getByText(/The balance lasts until/)).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Renewal planner' }).locator('..')).toContainText(usd(3 * total))
  await expect(page.getByRole('link', { name: /^Top up / }).first()).toHaveAttribute('href', /top-up\?amount=\d/)
  await expect(page.getByRole('table', { name: 'Day by day' }).getByRole('row')).toHaveCount(4)
  await expectAccessible(page)

  await page.getByLabel('Name').fill('Phone')
  await page.getByRole('button', { name: 'Make the address' }).click()
  const address = (await page.getByLabel('Address of the feed').textContent())!
  expect(address).toMatch(/\/api\/calendar\/[\w-]{43}\.ics$/)
  const calendar = await fetch(address)
  expect(calendar.headers.get('content-type')).toBe('text/calendar; charset=utf-8')
  const text = (await calendar.text()).replaceAll('\r\n ', '')
  expect(text.match(/^BEGIN:VEVENT/gm)).toHaveLength(3)
  expect(text).toMatch(new RegExp(`SUMMARY:Order ${orderId.slice(-8)} renews by itself: ${total.toFixed(2)}\\sUSD`))
  for (const { host, password } of proxies) {
    expect(text).not.toContain(host)
    expect(text).not.toContain(password)
  }
  expect((await fetch(address, { headers: { 'If-None-Match': calendar.headers.get('etag')! } })).status).toBe(304)

  await page.setViewportSize({ width: 360, height: 740 })
  await context.addCookies([{ name: 'sluice_locale', value: 'ru', url: page.url() }])
  await page.reload()
  await expectAccessible(page)
})
