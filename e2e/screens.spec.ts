import { expect, expectAccessible, makePerson, query, signIn, test } from './fixtures'

/** Every screen, narrow and wide, light and dark, in both languages: axe finds nothing, nothing sticks out, the console is silent. */
const PUBLIC = [
  '/',
  '/catalogue',
  '/catalogue/datacenter-ipv4?country=NL&days=30&quantity=7',
  '/sign-in',
  '/sign-up',
  '/verify',
  '/forgot-password',
  '/legal/privacy',
  '/legal/terms',
]
const ACCOUNT = [
  '/account',
  '/account/orders',
  '/account/balance',
  '/account/payments',
  '/account/top-up',
  '/account/settings',
]
const ADMIN = [
  '/admin',
  '/admin/customers',
  '/admin/payments',
  '/admin/orders',
  '/admin/catalogue',
  '/admin/catalogue/products/new',
  '/admin/stock',
  '/admin/jobs',
]

for (const { width, scheme, locale } of [
  { width: 360, scheme: 'dark', locale: 'ru' },
  { width: 1440, scheme: 'light', locale: 'en' },
] as const) {
  test.describe(`${width} px, ${scheme}, ${locale}`, () => {
    test.use({ viewport: { width, height: 900 }, colorScheme: scheme, locale: locale === 'ru' ? 'ru-RU' : 'en-GB' })

    test('public screens', async ({ page }) => {
      test.setTimeout(120_000)
      for (const path of PUBLIC) {
        await page.goto(path)
        await expect(page.locator('html')).toHaveAttribute('lang', locale)
        await expectAccessible(page)
      }
    })

    test('account screens, new and with an order', async ({ page, context }) => {
      test.setTimeout(180_000)
      await signIn(context, await makePerson({ locale }))
      for (const path of ACCOUNT) {
        await page.goto(path)
        await expectAccessible(page)
      }
      await context.clearCookies()
      const person = await makePerson({ balance: 50, locale })
      await signIn(context, person)
      await page.goto('/catalogue/datacenter-ipv4?country=DE&days=30&quantity=2')
      await page.locator('main form button[type=submit]').last().click()
      await page.waitForURL(/\/account\/orders\/ord_/)
      await expect
        .poll(
          () =>
            query<{ state: string }>(`SELECT state FROM orders WHERE user_id = $1`, [person.id]).then(
              ([row]) => row!.state,
            ),
          { timeout: 20_000 },
        )
        .toBe('active')
      await page.reload()
      await expectAccessible(page)
      for (const path of ACCOUNT) {
        await page.goto(path)
        await expectAccessible(page)
      }
    })

    test('admin screens', async ({ page, context }) => {
      test.setTimeout(180_000)
      await signIn(context, await makePerson({ role: 'owner', locale }))
      const [row] = await query<{ plan: string; person: string }>(
        `SELECT (SELECT id FROM plans WHERE slug = 'datacenter-ipv4') AS plan, (SELECT id FROM users WHERE username = 'anna') AS person`,
      )
      for (const path of [...ADMIN, `/admin/catalogue/plans/${row!.plan}`, `/admin/customers/${row!.person}`]) {
        await page.goto(path)
        await expectAccessible(page)
      }
    })
  })
}

test('the whole of buying can be done with the keyboard', async ({ page, person }) => {
  expect(person.id).toBeTruthy()
  await page.goto('/catalogue/datacenter-ipv4?country=NL&days=30&quantity=1')
  const buy = page.getByRole('button', { name: /Buy 1 for/ })
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab')
    if (await buy.evaluate((element) => element === document.activeElement)) break
  }
  await expect(buy).toBeFocused()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/account\/orders\/ord_/)
})
