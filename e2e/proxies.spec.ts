import type { Page } from '@playwright/test'
import { expect, expectAccessible, makePerson, query, signIn, test } from './fixtures'

async function buy(page: Page, quantity: number, plan = '/catalogue/datacenter-ipv4?country=NL'): Promise<string> {
  await page.goto(`${plan}&days=30&quantity=${quantity}`)
  await page.getByRole('button', { name: new RegExp(`^Buy ${quantity} for`) }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  const orderId = new URL(page.url()).pathname.split('/').at(-1)!
  await expect(page.getByRole('heading', { name: 'Proxies', exact: true })).toBeVisible({ timeout: 90_000 })
  return orderId
}

const table = (page: Page) => page.getByRole('table', { name: 'Your proxies' })
const boxes = (page: Page) => table(page).getByRole('checkbox')
const money = async (userId: string) =>
  (
    await query<{ n: string }>(
      `SELECT coalesce(sum(e.amount_micros), 0)::text AS n FROM ledger_entries e JOIN ledger_accounts a ON a.id = e.account_id WHERE a.owner = $1 AND a.kind = 'customer_balance'`,
      [userId],
    )
  )[0]!.n

test('a customer tags, filters, renews, exchanges and gives back, each after a preview of exactly that', async ({
  page,
  context,
}) => {
  test.setTimeout(300_000)
  const person = await makePerson({ balance: 50 })
  await signIn(context, person)
  const orderId = await buy(page, 3)
  await expect(page.getByText('All 3 proxies worked at the hand-over.')).toBeVisible({ timeout: 120_000 })

  await page.goto('/account/proxies')
  await expect(boxes(page)).toHaveCount(3)
  await expectAccessible(page)

  // One gets a label and tags; the table finds it by them, and the filter gets a name.
  await table(page).getByRole('row').nth(1).getByRole('link').first().click()
  await page.waitForURL(/\/account\/proxies\/alc_/)
  const taggedId = new URL(page.url()).pathname.split('/').at(-1)!
  await page.getByLabel('Tags', { exact: true }).fill(Array.from({ length: 60 }, (_, index) => `t${index}`).join(','))
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(page.getByText('A proxy takes 50 tags at most.')).toBeVisible()
  await page.getByLabel('Tags', { exact: true }).fill('berlin, shop')
  await page.getByLabel('Label').fill('Till 7')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(page.getByText('Saved.')).toBeVisible()
  await expectAccessible(page)
  await page.goto('/account/proxies')
  await page.getByLabel('Tag', { exact: true }).selectOption('berlin')
  await page.getByRole('button', { name: 'Apply' }).click()
  await page.waitForURL(/tag=berlin/)
  await expect(boxes(page)).toHaveCount(1)
  await expect(table(page)).toContainText('Till 7')
  await page.getByText('Saved views', { exact: true }).click()
  await page.getByLabel('Name of this view').fill('Berlin')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await expect(page.getByRole('link', { name: 'Berlin', exact: true })).toBeVisible()
  await page.goto('/account/proxies')
  await page.getByRole('link', { name: 'Berlin', exact: true }).click()
  await page.waitForURL(/tag=berlin/)
  await expect(boxes(page)).toHaveCount(1)

  // Nothing chosen is told; two are renewed, once, although the confirmation is sent from two tabs.
  await page.goto('/account/proxies')
  await page.getByRole('button', { name: 'Renew', exact: true }).click()
  await expect(page.getByText('Choose at least one proxy first.')).toBeVisible()
  await boxes(page).nth(0).check()
  await boxes(page).nth(1).check()
  await expect(page.getByText('Chosen: 2')).toBeVisible()
  await page.getByRole('button', { name: 'Renew', exact: true }).click()
  await page.waitForURL(/selection\/sel_.*do=renew/)
  await expect(page.getByRole('heading', { level: 1, name: 'Renew 2 proxies' })).toBeVisible()
  await expect(page.getByText('2 proxies are renewed')).toBeVisible()
  await expectAccessible(page)
  const before = await money(person.id)
  const second = await context.newPage()
  await second.goto(page.url())
  const confirm = { name: /^Renew 2 proxies for/ }
  await Promise.all([
    page.getByRole('button', confirm).click(),
    second.getByRole('button', confirm).click({ noWaitAfter: true }),
  ])
  await expect(page.getByText('2 proxies were renewed')).toBeVisible()
  await expect(second.getByText('2 proxies were renewed')).toBeVisible()
  await second.close()
  const renewals = await query<{ total: string }>(
    `SELECT total_micros::text AS total FROM renewals WHERE order_id = $1`,
    [orderId],
  )
  expect(renewals).toHaveLength(1)
  expect(BigInt(before) - BigInt(await money(person.id))).toBe(BigInt(renewals[0]!.total))

  // One fails its check, after the receipt that would say otherwise: the dry run says which is exchanged, and its tags go with it.
  await query(
    `INSERT INTO proxy_health (allocation_id, order_id, last_at, last_ok, failing_since) VALUES ($1, $2, now(), false, now())
     ON CONFLICT (allocation_id) DO UPDATE SET last_ok = false, last_at = now(), failing_since = now()`,
    [taggedId, orderId],
  )
  await page.goto(`/account/orders/${orderId}`)
  await page.getByRole('button', { name: 'See what would be exchanged' }).click()
  await page.waitForURL(/do=replace/)
  await expect(page.getByText('1 proxy is exchanged for another one')).toBeVisible()
  await expect(page.getByText('2 proxies stay as they are')).toBeVisible()
  await page.getByRole('button', { name: 'Exchange 1 proxy' }).click()
  await expect(page.getByText('1 proxy was exchanged')).toBeVisible()
  await page.goto('/account/proxies?tag=berlin')
  await expect(boxes(page)).toHaveCount(1)
  await expect(table(page)).toContainText('Till 7')
  await table(page).getByRole('row').nth(1).getByRole('link').first().click()
  await expect(page.getByText('Takes the place of')).toBeVisible()

  // All are given back for what was paid, the renewal with it.
  await page.goto(`/account/orders/${orderId}`)
  await expect(page.getByRole('table', { name: 'Exchanged proxies' }).getByRole('row')).toHaveCount(2)
  await expectAccessible(page)
  await page.getByRole('button', { name: 'See what would come back' }).click()
  await page.waitForURL(/do=give-back/)
  await expect(page.getByText('3 proxies are given back')).toBeVisible()
  await expectAccessible(page)
  await page.getByRole('button', { name: /^Give back 3 proxies for/ }).click()
  await expect(page.getByText('3 proxies were given back')).toBeVisible()
  expect(await money(person.id)).toBe('50000000')
  await page.goto('/account/proxies')
  await expect(page.getByText('Nothing matches this filter')).toBeVisible()
  await page.goto(`/account/orders/${orderId}`)
  await expect(page.getByRole('table', { name: 'Money given back' }).getByRole('row')).toHaveCount(2)
})

test('an order is told to renew itself, for at most what was shown, and told to stop', async ({ page, context }) => {
  test.setTimeout(120_000)
  const person = await makePerson({ balance: 2 })
  await signIn(context, person)
  const orderId = await buy(page, 1)
  await page.getByRole('button', { name: 'Let it renew itself' }).click()
  await expect(page.getByText('It renews itself from now on.')).toBeVisible()
  await expect(page.getByText(/at most\. If the price is higher/)).toBeVisible()
  const row = async () =>
    (
      await query<{ on: boolean; unit: string }>(
        `SELECT auto_renew AS on, renew_unit_micros::text AS unit FROM orders WHERE id = $1`,
        [orderId],
      )
    )[0]!
  expect(await row()).toMatchObject({ on: true, unit: expect.stringMatching(/^[1-9]\d+$/) })
  await page.getByRole('button', { name: 'Switch off' }).click()
  await expect(page.getByText('It ends on its day.')).toBeVisible()
  expect((await row()).on).toBe(false)

  // Too little for another period: the preview says what is missing and where to get it, and offers nothing to press.
  await page.getByRole('button', { name: 'Renew now' }).click()
  await page.waitForURL(/do=renew/)
  await expect(page.getByText(/are missing on your balance/)).toBeVisible()
  await expect(page.getByRole('link', { name: 'Top up what is missing' })).toHaveAttribute('href', /amount=\d/)
  await expect(page.getByRole('button', { name: /^Renew 1/ })).toHaveCount(0)
})

test('the table fits a phone, in both languages', async ({ page, context }) => {
  test.setTimeout(120_000)
  const person = await makePerson({ balance: 10 })
  await signIn(context, person)
  await page.goto('/account/proxies')
  await expect(page.getByText('No proxies yet')).toBeVisible()
  await buy(page, 2)
  await page.setViewportSize({ width: 360, height: 740 })
  for (const locale of ['en', 'ru']) {
    await context.addCookies([{ name: 'sluice_locale', value: locale, url: new URL(page.url()).origin }])
    await page.goto('/account/proxies')
    await expect(page.locator('html')).toHaveAttribute('lang', locale)
    await expect(page.locator('table input[name=ids]')).toHaveCount(2)
    await expectAccessible(page)
    await page.locator('table a').first().click()
    await page.waitForURL(/\/account\/proxies\/alc_/)
    await expectAccessible(page)
  }
})

test('new login data for many at once, where their supplier gives it, and only there', async ({ page, context }) => {
  test.setTimeout(200_000)
  const person = await makePerson({ balance: 50 })
  await signIn(context, person)
  await buy(page, 1)
  const toOrder = await buy(page, 2, '/catalogue/isp-to-order?country=DE')
  const logins = () =>
    query<{ password: string }>(`SELECT password FROM allocations WHERE order_id = $1 ORDER BY position`, [toOrder])
  const before = await logins()

  await page.goto('/account/proxies')
  await expect(boxes(page)).toHaveCount(3)
  for (const box of await boxes(page).all()) await box.check()
  await page.getByRole('button', { name: 'New login data', exact: true }).click()
  await page.waitForURL(/do=rotate/)
  await expectAccessible(page)
  await expect(page.getByText('2 proxies get new login data')).toBeVisible()
  await expect(page.getByText('The suppliers of these proxies cannot change this.')).toBeVisible()
  expect(await logins()).toEqual(before)
  await page.getByRole('button', { name: 'New login data for 2 proxies' }).click()
  await expect(page.getByText('2 proxies have new login data')).toBeVisible()
  const after = await logins()
  for (const [index, login] of after.entries()) expect(login.password).not.toBe(before[index]!.password)

  // Addresses that nobody comes from are refused before anybody is asked.
  await page.goto(page.url().replace(/do=rotate.*/, 'do=bind'))
  await page.getByLabel(/Your IPv4 addresses/).fill('10.0.0.1')
  await page.getByRole('button', { name: 'Show what happens' }).click()
  await expect(page.getByText(/10\.0\.0\.1 is an address of a private or special network/)).toBeVisible()
  await expect(page.getByRole('button', { name: /^Bind/ })).toHaveCount(0)
})
