import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, expectAccessible, makePerson, press, query, signIn, tabTo, test, typeInto } from './fixtures'

/**
 * A supplier from nothing to a delivered order, with the keyboard: Tab, arrows, Enter, Space and letters. Proxy-Seller, from which no other test buys,
 * is set up again with the key of its stand-in, named by an offer, and sells.
 */
type Instance = { ports: Record<'proxySeller', number>; secrets: Record<'proxySellerKey', string> }

test('the owner takes a supplier from nothing to a delivered order with the keyboard alone', async ({
  page,
  context,
}) => {
  test.setTimeout(150_000)
  const { ports, secrets } = JSON.parse(
    readFileSync(path.join(process.env.SLUICE_E2E_DATA_DIR!, 'instance.json'), 'utf8'),
  ) as Instance
  const address = `http://127.0.0.1:${ports.proxySeller}/personal/api/v2`
  const owner = await makePerson({ role: 'owner' })
  await signIn(context, owner)

  await page.goto('/admin')
  await press(page, /^Suppliers/)
  await expect(page.getByRole('heading', { level: 1, name: 'Suppliers' })).toBeVisible()
  await expectAccessible(page)
  await press(page, 'Proxy-Seller')
  await expect(page.getByRole('heading', { level: 1, name: /Proxy-Seller/ })).toContainText('On')

  // Nothing: the demo's key goes.
  await press(page, 'Switch off and delete the keys')
  await expect(page.getByRole('heading', { level: 1, name: /Proxy-Seller/ })).toContainText('Not set up')
  expect((await query("SELECT 1 FROM supplier_accounts WHERE name = 'proxy-seller' AND sealed = '{}'")).length).toBe(1)

  // Without its key it cannot be switched on, and what was typed stays.
  await page.reload()
  await typeInto(page, 'API address', address)
  await tabTo(page, 'Buy new orders there')
  await page.keyboard.press('Space')
  await press(page, 'Save')
  const key = page.getByLabel('API key')
  await expect(key).toHaveAttribute('aria-invalid', 'true')
  await expect(key).toBeFocused()
  await expect(page.getByLabel('API address')).toHaveValue(address)

  // A wrong key is told by the test of the connection.
  await page.keyboard.type('not-the-key-of-this-shop')
  await tabTo(page, 'Buy new orders there')
  await page.keyboard.press('Space')
  await press(page, 'Save')
  await expect(page.getByText('Saved. Nothing new is bought there.')).toBeVisible()
  await press(page, 'Test the connection')
  await expect(page.getByText(/^Proxy-Seller answered and refused us/)).toBeVisible()

  // The right one works, and switches it on.
  await typeInto(page, 'API key', secrets.proxySellerKey)
  await press(page, 'Save')
  await expect(page.getByText('Not tested since the last change.')).toBeVisible()
  await press(page, 'Test the connection')
  await expect(page.getByText(/^It works: Proxy-Seller answered/)).toBeVisible()
  await tabTo(page, 'Buy new orders there')
  await page.keyboard.press('Space')
  await press(page, 'Save')
  await expect(page.getByText('Saved. New orders are bought there now.')).toBeVisible()
  await expectAccessible(page)

  // Nothing secret is in the page, as the server sends it or as it stands there.
  const html = await (await page.request.get(page.url())).text()
  for (const text of [html, await page.content()]) {
    expect(text).not.toContain(secrets.proxySellerKey)
    expect(text).toContain(`…${secrets.proxySellerKey.slice(-4)}`)
  }

  // An offer of it in a country that nobody else serves; what it must say is told beside the field.
  const [plan] = await query<{ id: string }>("SELECT id FROM plans WHERE slug = 'isp'")
  await page.goto(`/admin/catalogue/plans/${plan!.id}`)
  const form = page.locator('form').filter({ has: page.getByRole('button', { name: 'Add an offer' }) })
  await form.getByLabel('Country').focus()
  await page.keyboard.type('FR')
  await tabTo(page, 'Supplier')
  await page.keyboard.type('Proxy-S')
  await expect(form.getByLabel('Purpose')).toBeVisible()
  await expect(form.getByLabel('Locations')).toBeHidden()
  await tabTo(page, 'Section')
  await page.keyboard.type('ISP')
  await press(page, 'Add an offer')
  await expect(form.getByLabel('Purpose')).toHaveAttribute('aria-invalid', 'true')
  await typeInto(page, 'Purpose', 'Market research')
  await press(page, 'Add an offer')
  await expect(page.getByText('FR · Proxy-Seller')).toBeVisible()

  // A customer buys there, and it is delivered.
  const customer = await makePerson({ balance: 100 })
  await context.clearCookies()
  await signIn(context, customer)
  await page.goto('/catalogue/isp?country=FR&days=30&quantity=1')
  await page.getByRole('button', { name: /^Buy 1 for/ }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  await expect(page.getByText(/Proxies: 1 of 1\./)).toBeVisible({ timeout: 60_000 })
  const [order] = await query<{ supplier: string; cost: string }>(
    'SELECT d.supplier, d.cost_micros AS cost FROM orders o JOIN deliveries d ON d.order_id = o.id WHERE o.user_id = $1',
    [customer.id],
  )
  expect(order!.supplier).toBe('proxy-seller')
  expect(Number(order!.cost)).toBeGreaterThan(0)
})
