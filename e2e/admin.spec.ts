import { demo, expect, makePerson, query, signIn, test } from './fixtures'

test('stock is previewed line by line, added once, and bad lines are named', async ({ page, context }) => {
  await signIn(context, await makePerson({ role: 'admin' }))
  const net = `198.51.${Math.floor(Math.random() * 250)}`
  await page.goto('/admin/stock')
  const lines = [
    `${net}.1:8080:anna:pw`,
    `boris:pw@${net}.2:3128`,
    `${net}.1:8080:anna:pw`,
    'nonsense',
    `${net}.3:70000:a:b`,
  ]
  await page.getByLabel('Proxies').fill(lines.join('\n'))
  await page.getByRole('button', { name: 'Preview' }).click()
  await expect(page.getByText('2 lines understood, 3 lines not')).toBeVisible()
  for (const words of ['Stands here twice', 'Cannot be read', 'The port is not from 1 to 65535'])
    await expect(page.getByText(words)).toBeVisible()
  await page.getByRole('button', { name: 'Add what was understood' }).click()
  await expect(page.getByText('2 proxies added, 3 lines left out.')).toBeVisible()
  await page.getByRole('button', { name: 'Add what was understood' }).click()
  await expect(page.getByText('No line of this can be taken.')).toBeVisible()
  await expect(page.getByLabel('Proxies')).toHaveValue(lines.join('\n'))
  // They lead nowhere: nobody may buy them in a later test.
  await query(`UPDATE stock_units SET state = 'withdrawn' WHERE host LIKE $1`, [`${net}.%`])
})

test('a product, a plan with prices and an offer are made by hand, and are then for sale', async ({
  page,
  context,
}) => {
  await signIn(context, await makePerson({ role: 'admin' }))
  const slug = `made-${Date.now().toString(36)}`
  await page.goto('/admin/catalogue')
  await page.getByRole('link', { name: 'New product' }).first().click()
  await page.getByLabel('Address').fill('Not an address')
  await page.getByLabel('Name in English').fill('Made by hand')
  await page.getByLabel('Name in Russian').fill('Сделано вручную')
  await page.getByLabel('Description in English').fill('Made in a test by hand.')
  await page.getByLabel('Description in Russian').fill('Сделано вручную в проверке.')
  await page.getByRole('button', { name: 'Save the product' }).click()
  await expect(page.getByText('Use small latin letters')).toBeVisible()
  await expect(page.getByLabel('Name in English')).toHaveValue('Made by hand')
  await page.getByLabel('Address').fill(slug)
  await page.getByRole('button', { name: 'Save the product' }).click()
  await page.waitForURL('/admin/catalogue')
  await page.locator('section', { hasText: 'Made by hand' }).last().getByRole('link', { name: 'New plan' }).click()
  await page.getByLabel('Address').fill(slug)
  await page.getByLabel('Name in English').fill('By hand')
  await page.getByLabel('Name in Russian').fill('Вручную')
  await page.getByLabel('Days, Line 1').fill('30')
  await page.getByLabel('Price, Line 1').fill('-1')
  await page.getByRole('button', { name: 'Save the plan' }).click()
  await expect(page.getByText('Type a price above zero')).toBeVisible()
  await page.getByLabel('Price, Line 1').fill('1.50')
  await page.getByLabel('From pieces, Line 1').fill('10')
  await page.getByLabel('Per cent off, Line 1').fill('5')
  await page.getByRole('button', { name: 'Save the plan' }).click()
  await page.waitForURL(/plans\/pln_/)
  await page.getByLabel('Country').fill('US')
  await page.getByLabel('Supplier').selectOption('px6')
  await page.getByRole('button', { name: 'Add an offer' }).click()
  await expect(page.getByText('US · px6')).toBeVisible()
  await page.goto(`/catalogue/${slug}`)
  await expect(page.getByRole('heading', { name: 'By hand' })).toBeVisible()
  // Out of the other tests' way again.
  await query(`UPDATE products SET is_active = false WHERE slug = $1`, [slug])
})

test('two people who save one plan: the later one is told, nothing is overwritten', async ({ page, context }) => {
  await signIn(context, await makePerson({ role: 'admin' }))
  const [plan] = await query<{ id: string }>(`SELECT id FROM plans WHERE slug = 'shared-ipv4'`)
  await page.goto(`/admin/catalogue/plans/${plan!.id}`)
  await query(`UPDATE plans SET revision = revision + 1 WHERE id = $1`, [plan!.id])
  await page.getByRole('button', { name: 'Save the plan' }).click()
  await expect(page.getByText('Somebody saved this plan after you opened it')).toBeVisible()
  await page.getByRole('button', { name: 'Save the plan' }).click()
  await expect(page.getByText('Somebody saved this plan after you opened it')).toBeVisible()
})

test('a failed job is seen and sent again', async ({ page, context }) => {
  await signIn(context, await makePerson({ role: 'owner' }))
  await query(
    `SELECT graphile_worker.add_job('notifications.send_email', '{"emailId":"eml_none"}', run_at => now() + interval '1 day', max_attempts => 1)`,
  )
  await query(
    `UPDATE graphile_worker._private_jobs SET attempts = 1, last_error = 'made to fail' WHERE payload->>'emailId' = 'eml_none'`,
  )
  await page.goto('/admin/jobs')
  await expect(page.getByText('made to fail')).toBeVisible()
  await page
    .getByRole('button', { name: /Send again/ })
    .first()
    .click()
  await expect(page.getByText('made to fail')).toHaveCount(0)
})

test('a customer is found by the beginning of their name', async ({ page, context }) => {
  await signIn(context, await makePerson({ role: 'support' }))
  const { username } = demo().customers[0]!
  await page.goto('/admin/customers')
  await page.getByRole('searchbox').fill(username.slice(0, 3))
  await page.getByRole('button', { name: 'Search' }).click()
  await page.getByRole('link', { name: username, exact: true }).click()
  await expect(page.getByRole('heading', { name: username })).toBeVisible()
})
