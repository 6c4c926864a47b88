import { control, demo, expect, expectAccessible, makePerson, mailsTo, query, signIn, test } from './fixtures'

/** A top-up that was paid and credited, by the form and the stand-in's control. */
async function paidTopUp(page: import('@playwright/test').Page, amount: string) {
  await page.goto('/account/top-up')
  await page.getByLabel('Amount in USD').fill(amount)
  await page.getByLabel(/Test payments/).check()
  await page.getByRole('button', { name: 'Continue to the payment page' }).click()
  await page.waitForURL((url) => url.port !== new URL(demo().url).port)
  const invoice = new URL(page.url()).pathname.split('/').at(-1)!
  const [row] = await query<{ id: string }>(`SELECT id FROM payments WHERE provider_payment_id = $1`, [invoice])
  await control(demo().providers.fakepay.controlUrl, `invoices/${invoice}/pay`, {})
  await page.goto(`/account/payments/${row!.id}`)
  await expect(page.getByText('Credited', { exact: true }).first()).toBeVisible({ timeout: 20_000 })
  return { id: row!.id, invoice }
}

test('staff give a part of a top-up back: it leaves the balance, goes to its source, and the customer reads so', async ({
  page,
  browser,
  context,
}) => {
  const person = await makePerson()
  await signIn(context, person)
  const payment = await paidTopUp(page, '20')

  const office = await browser.newContext({ locale: 'en-GB', baseURL: demo().url })
  await signIn(office, await makePerson({ role: 'finance' }))
  const desk = await office.newPage()
  await desk.goto(`/admin/payments/${payment.id}`)
  await desk.getByLabel('Amount in USD').fill('25')
  await desk.getByLabel('Reason').fill('paid twice by mistake')
  await desk.getByRole('button', { name: 'Refund', exact: true }).click()
  await expect(desk.getByText(/At most 20\.00\sUSD can be refunded/)).toBeVisible()
  await expect(desk.getByLabel('Reason')).toHaveValue('paid twice by mistake')
  await desk.getByLabel('Amount in USD').fill('5')
  await desk.getByRole('button', { name: 'Refund', exact: true }).click()
  await expect(desk.getByText('The refund was begun.')).toBeVisible()

  await expect
    .poll(
      () =>
        query<{ state: string }>(`SELECT state FROM payment_refunds WHERE payment_id = $1`, [payment.id]).then(
          ([row]) => row?.state,
        ),
      { timeout: 20_000 },
    )
    .toBe('done')
  await page.reload()
  await expect(page.getByText(/5\.00\sUSD, Sent/)).toBeVisible()
  await expect(page.getByText('paid twice by mistake')).toHaveCount(0)
  await expectAccessible(page)
  await page.goto('/account/balance')
  await expect(page.getByText('Returned to its source')).toBeVisible()
  await expect
    .poll(async () =>
      (await mailsTo(person.email)).some((mail) => /A refund of 5\.00\sUSD was begun/.test(mail.subject)),
    )
    .toBe(true)
  await office.close()
})

test('a bank takes spent money back: the debt blocks buying, a person ends the order, the next top-up pays and buys', async ({
  page,
  browser,
  context,
}) => {
  const person = await makePerson()
  await signIn(context, person)
  const payment = await paidTopUp(page, '10')
  const plan = '/catalogue/datacenter-ipv4?country=NL&days=30&quantity=5'
  await page.goto(plan)
  await page.getByRole('button', { name: /^Buy 5 for/ }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  const orderUrl = page.url()
  await expect(page.getByText(/Proxies: 5 of 5\./)).toBeVisible({ timeout: 20_000 })

  await control(demo().providers.fakepay.controlUrl, `invoices/${payment.invoice}/dispute`, {})
  await page.goto(`/account/payments/${payment.id}`)
  const isDisputed = async () => (
    await page.reload(),
    page
      .getByText(/Disputed$/)
      .first()
      .isVisible()
  )
  await expect.poll(isDisputed, { timeout: 20_000 }).toBe(true)
  await expectAccessible(page)
  await page.goto('/account')
  await expect(page.getByText(/^You owe \d/)).toBeVisible()
  await expectAccessible(page)
  await page.goto(plan)
  await page.getByRole('button', { name: /^Buy 5 for/ }).click()
  await expect(page.getByText(/You owe [\d.]+\sUSD, because a bank took back money/)).toBeVisible()

  const office = await browser.newContext({ locale: 'en-GB', baseURL: demo().url })
  await signIn(office, await makePerson({ role: 'finance' }))
  const desk = await office.newPage()
  await desk.goto('/admin/payments/returns')
  const row = desk.getByRole('listitem').filter({ hasText: person.username })
  await expect.poll(async () => (await desk.reload(), row.count()), { timeout: 20_000 }).toBe(1)
  await expectAccessible(desk)
  await row.getByLabel('Reason').fill('a stolen card')
  await row.getByRole('button', { name: 'End it' }).click()
  await expect(row).toHaveCount(0)
  await office.close()
  await page.goto(orderUrl)
  await expect(page.getByText(/Taken back$/).first()).toBeVisible()
  await expectAccessible(page)

  await page.goto(plan)
  await page.getByRole('button', { name: /^Top up exactly [\d.]+ USD and finish this order/ }).click()
  await page.waitForURL(/top-up/)
  await page.getByLabel(/Test payments/).check()
  await page.getByRole('button', { name: 'Continue to the payment page' }).click()
  await page.waitForURL((url) => url.port !== new URL(demo().url).port)
  await page.getByRole('button', { name: /^Pay \d/ }).click()
  await page.getByRole('link', { name: /back/i }).click()
  await page.getByRole('link', { name: /Open order/ }).click({ timeout: 30_000 })
  await expect(page.getByText(/Proxies: 5 of 5\./)).toBeVisible({ timeout: 20_000 })
  await page.goto('/account/balance')
  await expect(page.getByText('Debt paid')).toBeVisible()
  await expect(page.getByText(/^You owe/)).toHaveCount(0)
})
