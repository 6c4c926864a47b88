import { newId } from '../lib/kit/ids'
import { demo, expect, expectAccessible, makePerson, query, signIn, test } from './fixtures'

/** The minute job, with room for the turn before it. */
const MINUTE_JOB_MS = 90_000

/** A plan of its own at 0.20 for 2 days and 1.00 for 30, with a few pieces in stock that lead nowhere: other tests' prices stay as they are. */
async function makeOwnPlan() {
  const [productId, planId, offerId] = [newId('prd'), newId('pln'), newId('ofr')]
  const slug = `priced-${planId.slice(-8)}`
  await query(
    `INSERT INTO products (id, slug, kind, name_en, name_ru, description_en, description_ru) VALUES ($1, $2, 'isp', 'Priced ' || $2, 'С ценой ' || $2, 'Made in a test.', 'Сделано в проверке.')`,
    [productId, slug],
  )
  await query(
    `INSERT INTO plans (id, product_id, slug, name_en, name_ru, max_quantity) VALUES ($1, $2, $3, 'Priced plan', 'Тариф с ценой', 100)`,
    [planId, productId, slug],
  )
  await query(`INSERT INTO plan_periods (plan_id, days, unit_price_micros) VALUES ($1, 2, 200000), ($1, 30, 1000000)`, [
    planId,
  ])
  await query(`INSERT INTO offers (id, plan_id, country_code, supplier) VALUES ($1, $2, 'US', 'stock')`, [
    offerId,
    planId,
  ])
  const importId = newId('imp')
  await query(
    `INSERT INTO stock_imports (id, offer_id, imported_by, added, skipped) VALUES ($1, $2, 'usr_test', 3, 0)`,
    [importId, offerId],
  )
  for (const port of [8001, 8002, 8003])
    await query(
      `INSERT INTO stock_units (id, offer_id, import_id, host, port, username, password, protocols) VALUES ($1, $2, $3, '192.0.2.1', $4, $5, 'pw', '{http}')`,
      [newId('stk'), offerId, importId, port, slug],
    )
  return { planId, offerId, slug }
}

/** A moment in some days as the form's own field writes it, in UTC. */
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 16)

const priceOf = (planId: string, days: number) =>
  query<{ price: string }>(
    `SELECT unit_price_micros::text AS price FROM plan_periods WHERE plan_id = $1 AND days = $2`,
    [planId, days],
  ).then(([row]) => row?.price)

test('a planned change is announced, simulated, applied at its moment, and a rule takes over', async ({
  page,
  context,
  browser,
}) => {
  test.setTimeout(400_000)
  const { planId, slug } = await makeOwnPlan()
  const person = await makePerson({ balance: 50 })
  await signIn(context, person)

  // An order for the simulator. The catalogue's copy may be two seconds old.
  const path = `/catalogue/${slug}?country=US&days=30&quantity=2`
  await expect.poll(async () => (await page.request.get(path)).status(), { timeout: 15_000 }).toBe(200)
  await page.goto(path)
  await page.getByRole('button', { name: /^Buy 2 for/ }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  const orderId = new URL(page.url()).pathname.split('/').at(-1)!
  await expect
    .poll(
      () => query(`SELECT 1 FROM orders WHERE id = $1 AND state = 'active'`, [orderId]).then((rows) => rows.length),
      {
        timeout: 60_000,
      },
    )
    .toBe(1)
  await query(
    `UPDATE orders SET auto_renew = true, renew_period_days = 30, renew_unit_micros = 1000000 WHERE id = $1`,
    [orderId],
  )

  const staffContext = await browser.newContext({ baseURL: demo().url })
  await signIn(staffContext, await makePerson({ role: 'admin' }))
  const staff = await staffContext.newPage()
  await staff.goto(`/admin/catalogue/plans/${planId}`)
  await staff.getByRole('link', { name: 'Planned changes, rule and costs' }).click()
  await staff.waitForURL(/\/prices$/)
  const plan = (at: string, price: string) =>
    staff
      .getByLabel('From when on, in UTC')
      .fill(at)
      .then(() => staff.getByLabel('Price, Line 2').fill(price))
      .then(() => staff.getByRole('button', { name: 'Plan this change' }).click())
  await plan(inDays(-1), '1.50')
  await expect(staff.getByText('This moment has passed.')).toBeVisible()
  const moment = inDays(10)
  await plan(moment, '1.50')
  const planned = staff.getByRole('list', { name: 'Planned changes' })
  await expect(planned).toContainText('30 days: 1.00 USD becomes 1.50 USD a piece.')
  await plan(moment, '1.60')
  await expect(staff.getByText('Another change of this plan is planned for that very moment.')).toBeVisible()
  await expectAccessible(staff)

  await page.goto(path)
  const announced = page.locator('section', { has: page.getByRole('heading', { name: 'Prices change' }) }).last()
  await expect(announced).toContainText('30 days: 1.00 USD becomes 1.50 USD a piece.')
  await expect(page.getByRole('button', { name: /^Buy 2 for 2\.00/ })).toBeVisible()
  await expectAccessible(page)
  await page.goto(`/account/orders/${orderId}`)
  await expect(page.getByText('The price of renewing changes')).toBeVisible()
  await expect(page.getByText(/1\.50\sUSD a piece for 30 days, now 1\.00\sUSD/)).toBeVisible()

  await planned.getByRole('link', { name: 'What last month would have brought' }).click()
  const answer = staff.locator('section', { has: staff.getByRole('heading', { name: 'What it would have brought' }) })
  await expect(answer).toContainText('Brought2.00 USD')
  await expect(answer).toContainText('Would have brought3.00 USD')
  await expect(answer).toContainText('+1.00 USD')
  await expectAccessible(staff)
  const href = await answer.getByRole('link', { name: 'All sales as CSV' }).getAttribute('href')
  const csv = await (await staff.request.get(href!)).text()
  expect(csv.split('\r\n').filter((line) => line.includes(orderId))).toEqual([
    `order,${orderId},${planId},30,2,2.00,3.00,1.00,,USD`,
  ])
  await staff.getByLabel('Under which prices').selectOption('percent')
  await staff.getByLabel('Per cent', { exact: true }).fill('-91')
  await staff.getByRole('button', { name: 'Simulate' }).click()
  await expect(staff.getByText('Type per cent from -90 to 1000')).toBeVisible()
  await staff.getByLabel('Per cent', { exact: true }).fill('-50')
  await staff.getByRole('button', { name: 'Simulate' }).click()
  await expect(answer).toContainText('Would have brought1.00 USD')

  // Its moment comes; the worker applies it, and nobody is charged the old price unasked.
  await query(`UPDATE price_changes SET at = now() - interval '1 second' WHERE plan_id = $1`, [planId])
  await expect.poll(() => priceOf(planId, 30), { timeout: MINUTE_JOB_MS }).toBe('1500000')
  await expect(async () => {
    await page.goto(path)
    await expect(page.getByRole('button', { name: /^Buy 2 for 3\.00/ })).toBeVisible({ timeout: 1_000 })
  }).toPass({ timeout: 15_000 })
  await expect(page.getByRole('heading', { name: 'Prices change' })).toHaveCount(0)
  await staff.goto(`/admin/catalogue/plans/${planId}/prices`)
  await expect(staff.getByRole('list', { name: 'What became of changes' })).toContainText('Planned by staff')

  // A rule: refused while a cost is missing, looked at, switched on, applied.
  await staff.getByLabel('Per cent, 30 days').fill('20')
  await staff.getByRole('button', { name: 'Save the rule' }).click()
  await expect(staff.getByText(/nobody knows what a piece of US · stock costs/)).toBeVisible()
  await staff.getByRole('button', { name: 'Switch the rule on' }).click()
  await expect(staff.getByText(/for 30 days nobody knows what a piece costs/)).toBeVisible()
  await staff.getByLabel('Cost of a piece, 30 days').fill('1')
  await staff.getByRole('button', { name: 'Save costs' }).click()
  await expect(staff.getByText('The costs are saved.')).toBeVisible()
  const preview = staff.getByRole('table', { name: "What the rule makes of today's costs" })
  await expect(preview.getByRole('row', { name: /30 days/ })).toContainText('1.20 USD')
  await staff.getByRole('button', { name: 'Switch the rule on' }).click()
  await expect(staff.getByText('A rule sets these prices.')).toBeVisible()
  await expect.poll(() => priceOf(planId, 30), { timeout: 30_000 }).toBe('1200000')
  expect(await priceOf(planId, 2)).toBe('200000')
  await expectAccessible(staff)
  await staffContext.close()
})

test('the rules of renewals, checks and rounding refuse what would make nonsense', async ({ page, context }) => {
  await makeOwnPlan()
  await signIn(context, await makePerson({ role: 'admin' }))
  await page.goto('/admin/settings/rules')
  const lead = page.getByLabel('Renew so many hours before the end')
  const before = await lead.inputValue()
  await lead.fill('168')
  await page.getByRole('button', { name: 'Save renewals' }).click()
  await expect(page.getByText(/The shortest period on sale is \d+ days?/)).toBeVisible()
  await lead.fill(before)
  await page.getByRole('button', { name: 'Save renewals' }).click()
  await expect(page.getByText('Saved. The rules hold from now on.')).toBeVisible()
  await page.getByLabel('Checks open at a time').fill('0')
  await page.getByRole('button', { name: 'Save checks' }).click()
  await expect(page.getByText('Not less than 1.')).toBeVisible()
  await page.getByLabel('Price step, in USD').fill('0')
  await page.getByRole('button', { name: 'Save rounding' }).click()
  await expect(page.getByText('Type a price above zero')).toBeVisible()
  await expectAccessible(page)
})

test.describe('on a phone, in Russian', () => {
  test.use({ viewport: { width: 360, height: 800 }, locale: 'ru-RU', colorScheme: 'dark' })

  test('prices, simulator and rules fit', async ({ page, context }) => {
    const { planId } = await makeOwnPlan()
    await signIn(context, await makePerson({ role: 'admin', locale: 'ru' }))
    for (const path of [
      `/admin/catalogue/plans/${planId}/prices`,
      `/admin/catalogue/simulator?plan=${planId}&by=percent&percent=10`,
      '/admin/catalogue/simulator?by=rule',
      '/admin/settings/rules',
    ]) {
      await page.goto(path)
      await expectAccessible(page)
    }
  })
})
