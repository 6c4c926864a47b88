import { control, demo, expect, makePerson, query, signIn, test } from './fixtures'

const PLAN = '/catalogue/datacenter-ipv4?country=NL&days=30&quantity=2'

test('with a short balance the order waits, and is placed by itself when exactly the missing money arrives', async ({
  page,
  context,
}) => {
  await signIn(context, await makePerson({ balance: 1 }))
  await page.goto(PLAN)
  await page.getByRole('button', { name: 'Top up exactly 1.40 USD and finish this order' }).click()
  await page.waitForURL(/top-up/)
  await expect(page.getByLabel('Amount in USD')).toHaveValue(/^1[.,]40?$/)
  await page.getByLabel(/Test payments/).check()
  await page.getByRole('button', { name: 'Continue to the payment page' }).click()
  await page.waitForURL((url) => url.port !== new URL(demo().url).port)
  await page.getByRole('button', { name: /^Pay \d/ }).click()
  await page.getByRole('link', { name: /back/i }).click()
  await page.getByRole('link', { name: /Open order/ }).click({ timeout: 30_000 })
  await expect(page.getByText(/Proxies: 2 of 2\./)).toBeVisible({ timeout: 20_000 })
})

test('a price that changes between page and click is asked about again', async ({ page, person }) => {
  await page.goto('/catalogue/isp?country=US&days=30&quantity=1')
  const buy = page.getByRole('button', { name: /Buy 1 for 2.90 USD/ })
  await expect(buy).toBeVisible()
  const raise = (price: number) =>
    query(
      `WITH p AS (UPDATE plans SET revision = revision + 1 WHERE slug = 'isp' RETURNING id) UPDATE plan_periods SET unit_price_micros = $1 FROM p WHERE plan_id = p.id AND days = 30`,
      [price],
    )
  await raise(3_100_000)
  try {
    await buy.click()
    await expect(page.getByText(/The price has changed: it is 3\.10\sUSD now\. Nothing was charged/)).toBeVisible()
    await page.getByRole('button', { name: /Buy 1 for 3.10 USD/ }).click()
    await page.waitForURL(/\/account\/orders\/ord_/)
  } finally {
    await raise(2_900_000)
  }
  const [row] = await query<{ total_micros: string }>(`SELECT total_micros FROM orders WHERE user_id = $1`, [person.id])
  expect(row!.total_micros).toBe('3100000')
})

test('bought from a supplier the moment it is ordered, and it works', async ({ page, person }) => {
  expect(person.id).toBeTruthy()
  await page.goto('/catalogue/datacenter-ipv6?country=DE&days=7&quantity=5')
  await page.getByRole('button', { name: /Buy 5 for/ }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  await expect(page.getByText(/Proxies: 5 of 5\./)).toBeVisible({ timeout: 30_000 })
})

test('what the supplier refuses is refunded by itself, and the page says so', async ({ page, person }) => {
  const { controlUrl } = demo().suppliers.px6
  const before = 100
  await page.goto('/catalogue/shared-ipv4?country=GB&days=7&quantity=1')
  await control(controlUrl, 'balance', { amount: '0.00' })
  try {
    await page.getByRole('button', { name: /Buy 1 for/ }).click()
    await page.waitForURL(/\/account\/orders\/ord_/)
    await expect(page.getByText('Why it was not delivered')).toBeVisible({ timeout: 30_000 })
  } finally {
    await control(controlUrl, 'balance', { amount: '1000.00' })
  }
  const [row] = await query<{ balance_micros: string }>(
    `SELECT balance_micros FROM ledger_accounts WHERE owner = $1 AND kind = 'customer_balance'`,
    [person.id],
  )
  expect(row!.balance_micros).toBe(String(before * 1_000_000))
})

test('somebody else’s order, payment and list are not there', async ({ page, context, person }) => {
  await page.goto(PLAN)
  await page.getByRole('button', { name: /Buy 2 for/ }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  const order = new URL(page.url()).pathname
  expect(person.id).toBeTruthy()
  await context.clearCookies()
  await signIn(context, await makePerson())
  for (const path of [
    order,
    `${order}/export?format=csv`,
    '/account/orders/ord_nonsense',
    '/account/payments/pay_nonsense',
  ]) {
    const answer = await page.request.get(path)
    expect(answer.status(), path).toBe(404)
  }
})
