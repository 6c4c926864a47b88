import { readFileSync } from 'node:fs'
import path from 'node:path'
import { invariant } from '../lib/kit/errors'
import {
  control,
  demo,
  expect,
  expectAccessible,
  makePerson,
  press,
  query,
  signIn,
  tabTo,
  test,
  typeInto,
} from './fixtures'

/**
 * A supplier from nothing to a delivered order, with the keyboard: Tab, arrows, Enter, Space and letters. Proxy-Seller, from which only this file buys,
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

test('a dead proxy is exchanged by its supplier: asked after a preview, told while it waits, and there when it comes', async ({
  page,
  context,
  browser,
}) => {
  test.setTimeout(400_000)
  const seller = demo().suppliers['proxy-seller'].controlUrl
  const person = await makePerson({ balance: 50 })
  await signIn(context, person)
  // The demo has no offer of the one supplier that exchanges: one in a country that nobody else serves.
  await query(
    `INSERT INTO offers (id, plan_id, country_code, supplier, supplier_params, priority)
     SELECT 'ofr_exchanged_in_japan', id, 'JP', 'proxy-seller', '{"section":"isp","purpose":"Market research","protocol":"http"}', 0 FROM plans WHERE slug = 'isp'
     ON CONFLICT (id) DO NOTHING`,
  )
  const buyThere = page.getByRole('button', { name: /^Buy 2 for/ })
  await expect(async () => {
    await page.goto('/catalogue/isp?country=JP&days=30&quantity=2')
    await expect(page.getByRole('combobox', { name: 'Country' })).toHaveValue('JP', { timeout: 1000 })
    await expect(buyThere).toBeEnabled({ timeout: 1000 })
  }).toPass({ timeout: 60_000 })
  await buyThere.click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  const orderId = new URL(page.url()).pathname.split('/').at(-1)!
  await expect(page.getByText('All 2 proxies worked at the hand-over.')).toBeVisible({ timeout: 120_000 })
  const [dead] = await query<{ id: string }>(`SELECT id FROM allocations WHERE order_id = $1 ORDER BY position`, [
    orderId,
  ])
  invariant(dead, 'two proxies were delivered')
  await query(`UPDATE proxy_health SET last_ok = false, failing_since = now() WHERE allocation_id = $1`, [dead.id])
  await control(seller, 'replacement', { outcome: 'pending' })
  try {
    await page.goto(`/account/orders/${orderId}`)
    await page.getByRole('button', { name: 'See what would be exchanged' }).click()
    await page.waitForURL(/do=replace/)
    await expect(
      page.getByText(/1 proxy: its supplier is asked for another one\. That takes up to 48 hours/),
    ).toBeVisible()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Exchange 1 proxy' }).click()
    await expect(page.getByText('1 proxy: its supplier was asked for another one')).toBeVisible()
    const step = () => query<{ step: string }>(`SELECT step FROM replacements WHERE order_id = $1`, [orderId])
    await expect.poll(step, { timeout: 60_000 }).toEqual([{ step: 'pending' }])

    // While it waits, the pages say so, and nothing else is done with it.
    await page.goto(`/account/proxies/${dead.id}`)
    await expect(page.getByText(/^Its supplier was asked for another one on/)).toBeVisible()
    await expectAccessible(page)
    await page.getByRole('button', { name: 'Renew', exact: true }).click()
    await page.waitForURL(/do=renew/)
    await expect(page.getByText(/Until that has an end, it is neither renewed, given back nor exchanged/)).toBeVisible()
    await page.goto(`/account/orders/${orderId}`)
    await expect(page.getByText(/^Asked of its supplier, until/)).toBeVisible()
    await page.setViewportSize({ width: 360, height: 740 })
    await expectAccessible(page)
    const staffContext = await browser.newContext({ baseURL: demo().url })
    await signIn(staffContext, await makePerson({ role: 'support' }))
    const staff = await staffContext.newPage()
    await staff.goto(`/admin/orders/${orderId}`)
    await expect(staff.getByText('proxy-seller: has taken it on')).toBeVisible()
    await expectAccessible(staff)

    // Somebody there decides, and the next look finds it.
    await control(seller, 'tickets', { outcome: 'replaced' })
    await query(`UPDATE replacements SET look_at = now() WHERE order_id = $1`, [orderId])
    await expect
      .poll(() => query(`SELECT state FROM replacements WHERE order_id = $1`, [orderId]), { timeout: 180_000 })
      .toEqual([{ state: 'replaced' }])
    await page.goto(`/account/proxies/${dead.id}`)
    await expect(page.getByText('Exchanged for')).toBeVisible()
    await staff.reload()
    await expect(staff.getByRole('table', { name: 'Exchanged proxies' })).toContainText('Exchanged')
    await staffContext.close()

    // What a supplier gives too late waits for somebody who says what became of it. (Days are between: written as the week of looks leaves it.)
    await query(`UPDATE replacements SET late_place = '203.0.113.77:8080' WHERE order_id = $1`, [orderId])
    const ownerContext = await browser.newContext({ baseURL: demo().url })
    await signIn(ownerContext, await makePerson({ role: 'owner' }))
    const owner = await ownerContext.newPage()
    await owner.goto('/admin/suppliers/unknown')
    await expect(owner.getByText('203.0.113.77:8080')).toBeVisible()
    await expectAccessible(owner)
    await owner.setViewportSize({ width: 360, height: 740 })
    await expectAccessible(owner)
    await owner.getByLabel('What became of it').fill('Put into stock')
    await owner.getByRole('button', { name: 'That is settled' }).click()
    await expect(owner.getByText('203.0.113.77:8080')).toBeHidden()
    await ownerContext.close()
  } finally {
    await control(seller, 'replacement', { outcome: 'replaced' })
  }
})
