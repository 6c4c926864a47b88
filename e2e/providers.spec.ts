import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, focused, makePerson, press, query, signIn, tabTo, test, typeInto } from './fixtures'

/**
 * A way to pay from nothing to a credited payment, with the keyboard alone: nothing here clicks, fills or focuses; Tab, arrows, Enter, Space and
 * letters are all there is. Cryptomus, which no other test uses, is set up again with the keys of its stand-in.
 */
type Instance = { ports: Record<'cryptomus', number>; secrets: Record<'cryptomus' | 'cryptomusMerchantId', string> }

test('the owner takes a provider from nothing to a credited payment with the keyboard alone', async ({
  page,
  context,
}) => {
  test.setTimeout(150_000)
  const { ports, secrets } = JSON.parse(
    readFileSync(path.join(process.env.SLUICE_E2E_DATA_DIR!, 'instance.json'), 'utf8'),
  ) as Instance
  const owner = await makePerson({ role: 'owner' })
  await signIn(context, owner)

  await page.goto('/admin')
  await press(page, 'Settings')
  await expect(page.getByRole('heading', { level: 1, name: 'Settings' })).toBeVisible()
  await press(page, 'Ways to pay')
  await expect(page.getByRole('heading', { level: 1, name: 'Ways to pay' })).toBeVisible()
  await press(page, 'Cryptomus')
  await expect(page.getByRole('heading', { level: 1, name: /Cryptomus/ })).toContainText('On')

  // Nothing: the demo's keys go.
  await press(page, 'Switch off and delete the keys')
  await expect(page.getByRole('heading', { level: 1, name: /Cryptomus/ })).toContainText('Not set up')
  expect((await query("SELECT 1 FROM payment_providers WHERE name = 'cryptomus' AND sealed = '{}'")).length).toBe(1)

  // Without its secret it cannot be switched on, and what was typed stays.
  await page.reload()
  await typeInto(page, 'API address', `http://127.0.0.1:${ports.cryptomus}`)
  await typeInto(page, 'Merchant id', secrets.cryptomusMerchantId)
  await tabTo(page, 'Offer it to customers')
  await page.keyboard.press('Space')
  await press(page, 'Save')
  const key = page.getByLabel('Payment key')
  await expect(key).toHaveAttribute('aria-invalid', 'true')
  await expect(page.getByText('It is needed before this can be switched on or tested.')).toBeVisible()
  await expect(key).toBeFocused()
  await expect(page.getByLabel('Merchant id')).toHaveValue(secrets.cryptomusMerchantId)
  await expect(page.getByLabel('Offer it to customers')).toBeChecked()

  // A wrong key is told by the test of the connection.
  await page.keyboard.type('not-the-key-of-this-merchant')
  await tabTo(page, 'Offer it to customers')
  await page.keyboard.press('Space')
  await press(page, 'Save')
  await expect(page.getByText('Saved. It is not offered to customers.')).toBeVisible()
  await press(page, 'Test the connection')
  await expect(page.getByText(/^Cryptomus answered and refused the key/)).toBeVisible()

  // The right one works, and switches it on.
  await typeInto(page, 'Payment key', secrets.cryptomus)
  await press(page, 'Save')
  await expect(page.getByText('Not tested since the last change.')).toBeVisible()
  await press(page, 'Test the connection')
  await expect(page.getByText('It works: Cryptomus answered and took the key.')).toBeVisible()
  await tabTo(page, 'Offer it to customers')
  await page.keyboard.press('Space')
  await press(page, 'Save')
  await expect(page.getByText('Saved. Customers can pay with it now.')).toBeVisible()
  await expect(page.getByText(`/api/webhooks/cryptomus`)).toBeVisible()

  // Nothing secret is in the page, as the server sends it or as it stands there.
  const html = await (await page.request.get(page.url())).text()
  for (const text of [html, await page.content()]) {
    expect(text).not.toContain(secrets.cryptomus)
    expect(text).toContain(`…${secrets.cryptomus.slice(-4)}`)
  }

  // A customer pays with it.
  const customer = await makePerson()
  await context.clearCookies()
  await signIn(context, customer)
  await page.goto('/account/top-up')
  await typeInto(page, 'Amount in USD', '20')
  // Of a group of radios Tab finds the chosen one; arrows choose another.
  await tabTo(page, /^Test payments/)
  for (let presses = 0; presses < 10 && (await focused(page)) !== 'Cryptocurrency (Cryptomus)'; presses += 1)
    await page.keyboard.press('ArrowDown')
  expect(await focused(page)).toBe('Cryptocurrency (Cryptomus)')
  await press(page, /^(Continue|Go on|Pay)/)
  await page.waitForURL((url) => url.port === String(ports.cryptomus))
  await press(page, 'Pay 20.00 USD')
  await expect(page.getByText('paid', { exact: true })).toBeVisible()
  await press(page, 'Back to the shop')
  await expect(page.getByRole('main')).toContainText(/20\.00\sUSD/)
  await expect(page.getByText('Your payment arrived', { exact: false }).first()).toBeVisible({ timeout: 30_000 })
  const [row] = await query<{ state: string; credited: string }>(
    'SELECT state, credited_micros::text AS credited FROM payments WHERE user_id = $1',
    [customer.id],
  )
  expect(row).toEqual({ state: 'credited', credited: '20000000' })

  // The admin sees that it was heard from.
  await context.clearCookies()
  await signIn(context, owner)
  await page.goto('/admin/settings/payments/cryptomus')
  await expect(page.getByText(/^Last heard from/)).toBeVisible()
})
