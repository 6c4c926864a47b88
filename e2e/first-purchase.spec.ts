import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { demo, expect, mailsTo, test } from './fixtures'

/** The journey that everything else stands on, by typing and pressing only: from nothing to a proxy that works. */
test('sign up, confirm, top up 20, buy 3 proxies, reach a page through one of them', async ({ page }) => {
  const name = `new${Date.now().toString(36)}`
  const email = `${name}@example.test`
  await page.goto('/')
  await page.getByRole('banner').getByRole('link', { name: 'Sign up' }).click()
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Username').fill(name)
  await page.getByLabel('Password').fill('three quiet otters')
  await expect(page.getByLabel(/Send me product news/)).not.toBeChecked()
  await page.getByRole('button', { name: 'Open the account' }).click()
  await expect(page.getByText('Without accepting the terms')).toBeVisible()
  await expect(page.getByLabel('Email')).toHaveValue(email)
  await page.getByLabel(/I accept the/).check()
  await page.getByLabel(/at least 18/).check()
  await page.getByRole('button', { name: 'Open the account' }).click()
  await expect(page.getByRole('heading', { name: 'Check your mail' })).toBeVisible()

  await expect.poll(async () => (await mailsTo(email)).length, { timeout: 20_000 }).toBe(1)
  const link = (await mailsTo(email))[0]!.links.find((each) => each.includes('/verify'))!
  await page.goto(link)
  await page.getByRole('button', { name: 'Confirm the address' }).click()
  await expect(page.getByText('Your address is confirmed')).toBeVisible()
  await page.getByLabel('Email or username').fill(name)
  await page.getByLabel('Password').fill('three quiet otters')
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => url.pathname === '/account')

  await page.getByRole('link', { name: 'Top up' }).first().click()
  await page.getByLabel('Amount in USD').fill('20')
  await page.getByLabel(/Test payments/).check()
  await page.getByRole('button', { name: 'Continue to the payment page' }).click()
  await page.waitForURL((url) => url.port !== new URL(demo().url).port)
  await page.getByRole('button', { name: /^Pay \d/ }).click()
  await page.getByRole('link', { name: /back/i }).click()
  await expect(page.getByText('20.00 USD are on your balance')).toBeVisible({ timeout: 20_000 })
  await expect.poll(async () => (await mailsTo(email))[0]?.subject, { timeout: 20_000 }).toMatch(/20/)

  await page.goto('/catalogue')
  await page.getByRole('link', { name: 'Choose Dedicated IPv4' }).click()
  await page.getByLabel('Period').selectOption('30')
  await page.getByLabel('Pieces').fill('3')
  await page.getByRole('button', { name: 'Buy 3 for 3.60 USD from balance' }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  await expect(page.getByText(/Proxies: 3 of 3\./)).toBeVisible({ timeout: 20_000 })

  const file = await page.request.get(`${page.url()}/export?format=txt`)
  expect(file.headers()['cache-control']).toContain('no-store')
  const proxies = (await file.text()).trim().split('\n')
  expect(proxies).toHaveLength(3)
  const [host, port, login, password] = proxies[0]!.split(':')
  const { stdout } = await promisify(execFile)('curl', [
    '-s',
    '-m',
    '20',
    '-x',
    `http://${login}:${password}@${host}:${port}`,
    demo().echoUrl,
  ])
  expect(stdout).toContain('came through')
  await expect.poll(async () => (await mailsTo(email)).length, { timeout: 20_000 }).toBe(3)

  await page.goto('/account/balance')
  await expect(page.getByRole('row').nth(1)).toContainText('16.40')
})
