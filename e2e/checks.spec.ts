import { demo, expect, expectAccessible, makePerson, query, signIn, test } from './fixtures'

const RECEIPT_MS = 120_000

test('what was bought is tested by itself, and again when its owner or staff ask', async ({
  page,
  context,
  browser,
}) => {
  test.setTimeout(300_000)
  await signIn(context, await makePerson({ balance: 20 }))
  await page.goto('/catalogue/datacenter-ipv4?country=NL&days=30&quantity=2')
  await page.getByRole('button', { name: /^Buy 2 for/ }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  const orderId = new URL(page.url()).pathname.split('/').at(-1)!

  // The receipt comes by itself; the page waits for it and moves by itself.
  await expect(page.getByText('All 2 proxies worked at the hand-over.')).toBeVisible({ timeout: RECEIPT_MS })
  const rows = page.getByRole('table', { name: 'The checks of each proxy' }).getByRole('row')
  await expect(rows).toHaveCount(3)
  await expect(rows.nth(1)).toContainText('Works')
  // Through the exit, which gives each login an address of its own, and not from the shop itself (127.0.0.1).
  await expect(rows.nth(1).getByRole('cell').nth(2)).toContainText(/127\.[1-9]\d+\.\d+\.\d+/)
  await expect(rows.nth(1)).toContainText(/\d ms/)
  await expectAccessible(page)

  await page.getByLabel('Which', { exact: true }).selectOption({ index: 1 })
  await page.getByRole('button', { name: 'Check now' }).click()
  await expect(page.getByText('The check has begun.')).toBeVisible()
  await expect
    .poll(() => count(`SELECT count(*)::int AS n FROM proxy_checks WHERE order_id = $1 AND kind = 'demand'`, orderId), {
      timeout: 20_000,
    })
    .toBe(1)
  await expect
    .poll(() => count(`SELECT count(*)::int AS n FROM check_runs WHERE order_id = $1 AND ended_at IS NULL`, orderId))
    .toBe(0)
  await page.getByRole('button', { name: 'Check now' }).click()
  await expect(page.getByText(/This order was checked just now\. You can check it again in \d+ second/)).toBeVisible()

  // Its password no longer fits: a check says so, in words, and since when.
  await query(`UPDATE allocations SET password = 'changed-elsewhere' WHERE order_id = $1 AND position = 1`, [orderId])
  await query(`UPDATE check_runs SET requested_at = requested_at - interval '3 minutes' WHERE order_id = $1`, [orderId])
  const staffContext = await browser.newContext({ baseURL: demo().url })
  await signIn(staffContext, await makePerson({ role: 'support' }))
  const staff = await staffContext.newPage()
  await staff.goto(`/admin/orders/${orderId}`)
  await staff.getByRole('button', { name: 'Check now' }).click()
  await expect(staff.getByText('1 proxy does not work now.')).toBeVisible({ timeout: 30_000 })
  await expect(staff.getByText('It does not take its login.')).toBeVisible()
  await expect(staff.getByRole('table', { name: 'When they did not work' }).getByRole('row')).toHaveCount(2)
  await expectAccessible(staff)
  await staffContext.close()
  await page.reload()
  await expect(page.getByText('It does not take its login.')).toBeVisible()
  await expect(page.getByText('All 2 proxies worked at the hand-over.')).toBeVisible()
  await expectAccessible(page)
})

test('a product says what was measured, and nothing where that is too little', async ({ page }) => {
  const path = '/catalogue/isp?country=US&days=30&quantity=1'
  await page.goto(path)
  const card = page.locator('section', { has: page.getByRole('heading', { name: 'Measured quality' }) })
  await expect(card).toContainText('Not enough checks yet')
  const found = await query<{ id: string; countries: string[] }>(
    `SELECT p.product_id AS id, array_agg(DISTINCT o.country_code) AS countries FROM plans p JOIN offers o ON o.plan_id = p.id WHERE p.slug = 'isp' GROUP BY 1`,
  )
  const { id } = found[0]!
  // What a week of checks would leave; the job that reckons it is tested on the database.
  await query(
    `INSERT INTO product_quality (product_id, country_code, checks, passed, median_latency_ms, replacements, computed_at) VALUES ($1, 'US', 400, 399, 84, 3, now())`,
    [id],
  )
  try {
    await page.goto(path)
    const row = page
      .getByRole('table', { name: 'Measured quality by country' })
      .getByRole('row', { name: /United States/ })
    await expect(row).toContainText('99.7%')
    await expect(row).toContainText('84 ms')
    await expectAccessible(page)
  } finally {
    await query(`DELETE FROM product_quality WHERE product_id = $1`, [id])
  }
})

async function count(text: string, orderId: string): Promise<number> {
  return (await query<{ n: number }>(text, [orderId]))[0]!.n
}
