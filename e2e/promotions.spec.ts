import type { Browser, Page } from '@playwright/test'
import { demo, expect, expectAccessible, makePerson, query, signIn, test } from './fixtures'

async function pageOf(browser: Browser, person: { id: string }): Promise<Page> {
  const context = await browser.newContext({ baseURL: demo().url })
  await signIn(context, person)
  return context.newPage()
}

const PLAN = '/catalogue/datacenter-ipv4?country=NL&days=30&quantity=3'

test('a code with one use: two customers race for it, one buys cheaper, the other is told and pays nothing', async ({
  browser,
  page,
  context,
}) => {
  const code = `RACE-${Date.now().toString(36).toUpperCase()}`
  await signIn(context, await makePerson({ role: 'finance' }))
  await page.goto('/admin/promotions')
  await page.getByRole('link', { name: 'New code' }).first().click()
  await expectAccessible(page)
  await page.getByLabel('Code', { exact: true }).fill(code.toLowerCase())
  await page.getByLabel('Note for staff').fill('One use, <b>raced</b>')
  await page.getByLabel('Per cent', { exact: true }).fill('250')
  await page.getByLabel('Uses in all').fill('1')
  await page.getByRole('button', { name: 'Save the code' }).click()
  await expect(page.getByText('Not more than 100.')).toBeVisible()
  await expect(page.getByLabel('Note for staff')).toHaveValue('One use, <b>raced</b>')
  await page.getByLabel('Per cent', { exact: true }).fill('50')
  await page.getByRole('button', { name: 'Save the code' }).click()
  await page.waitForURL(/\/admin\/promotions\/prm_/)
  await expect(page.getByRole('heading', { name: `Code ${code}` })).toBeVisible()

  const people = [await makePerson({ balance: 20 }), await makePerson({ balance: 20 })]
  const pages = await Promise.all(people.map((person) => pageOf(browser, person)))
  for (const each of pages) {
    await each.goto(PLAN)
    await each.getByLabel('Promo code').fill('no-such-code')
    await each.getByRole('button', { name: 'Check' }).click()
    await expect(each.getByText('This code does not hold for this.')).toBeVisible()
    await expect(each.getByLabel('Promo code')).toHaveValue('no-such-code')
    await each.getByLabel('Promo code').fill(code.toLowerCase())
    await each.getByLabel('Promo code').press('Enter')
    await expect(each.getByText('With the code: 1.80 USD less, 1.80 USD to pay')).toBeVisible()
  }
  await expectAccessible(pages[0]!)
  await Promise.all(pages.map((each) => each.getByRole('button', { name: 'Buy 3 for 1.80 USD from balance' }).click()))
  const answers = await Promise.all(
    pages.map((each) =>
      Promise.race([
        each.waitForURL(/\/account\/orders\/ord_/).then(() => 'bought'),
        each
          .getByText('Somebody has just taken the last use of this code.')
          .waitFor()
          .then(() => 'told'),
      ]),
    ),
  )
  expect(answers.toSorted()).toEqual(['bought', 'told'])
  const winner = pages[answers.indexOf('bought')]!
  await expect(winner.getByText(`Code ${code}`)).toBeVisible()
  await expect(winner.getByText(/Proxies: 3 of 3\./)).toBeVisible({ timeout: 20_000 })
  await winner.goto('/account/balance')
  await expect(winner.getByRole('row').nth(1)).toContainText(`Code ${code}`)
  await expect(winner.getByRole('row').nth(1)).toContainText('18.20')
  const loser = pages[answers.indexOf('told')]!
  await expect(loser.getByRole('button', { name: 'Buy 3 for 3.60 USD from balance' })).toBeVisible()
  await loser.goto('/account/balance')
  await expect(loser.getByRole('main')).toContainText('20.00')

  await page.goto('/admin/promotions')
  const row = page.getByRole('row').filter({ hasText: code })
  await expect(row).toContainText('Used up')
  await expect(row).toContainText('1.80')
  await expectAccessible(page)
  for (const each of pages) await each.context().close()
})

test('vouchers: made and shown once, redeemed once, worthless when withdrawn', async ({ browser, page, context }) => {
  await signIn(context, await makePerson({ role: 'admin' }))
  const label = `Fair ${Date.now().toString(36)}`
  await page.goto('/admin/promotions/batches/new')
  await page.getByLabel('Note for staff').fill(label)
  await page.getByLabel('Each is worth, in USD').fill('7.50')
  await page.getByLabel('Vouchers').fill('3')
  await page.getByRole('button', { name: 'Go on to the codes' }).click()
  await page.waitForURL(/\/batches\/vbt_/)
  await expectAccessible(page)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Make 3 codes and download them' }).click(),
  ])
  const chunks: Buffer[] = []
  for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer)
  const codes = Buffer.concat(chunks).toString().trim().split('\r\n').slice(1)
  expect(codes).toHaveLength(3)
  await page.reload()
  await expect(page.getByText('They cannot be shown again.')).toBeVisible()

  const [first, second] = [await makePerson(), await makePerson()]
  const theirs = await pageOf(browser, first)
  await theirs.goto('/account/balance')
  await theirs.getByLabel('Voucher', { exact: true }).fill(codes[0]!.toLowerCase().replaceAll('-', ' '))
  await theirs.getByRole('button', { name: 'Redeem the voucher' }).click()
  await expect(theirs.getByText('7.50 USD came to your balance.')).toBeVisible()
  await theirs.getByRole('button', { name: 'Redeem the voucher' }).click()
  await expect(theirs.getByText('You have redeemed this voucher already')).toBeVisible()
  await expect(theirs.getByRole('cell', { name: /Voucher redeemed/ })).toHaveCount(1)
  const others = await pageOf(browser, second)
  await others.goto('/account/balance')
  for (const wrong of [codes[0]!, 'AAAA-AAAA-AAAA-AAAA']) {
    await others.getByLabel('Voucher', { exact: true }).fill(wrong)
    await others.getByRole('button', { name: 'Redeem the voucher' }).click()
    await expect(others.getByText('This voucher cannot be redeemed.')).toBeVisible()
  }
  await expectAccessible(others)

  await page.reload()
  await page.getByRole('button', { name: 'Withdraw 2 vouchers' }).click()
  await expect(page.getByText('2 vouchers are worthless now.')).toBeVisible()
  await others.getByLabel('Voucher', { exact: true }).fill(codes[1]!)
  await others.getByRole('button', { name: 'Redeem the voucher' }).click()
  await expect(others.getByText('This voucher cannot be redeemed.')).toBeVisible()
  const sums = await query<{ sum: string }>(
    `SELECT coalesce(sum(balance_micros), 0)::text AS sum FROM ledger_accounts WHERE owner = ANY ($1) AND kind = 'customer_balance'`,
    [[first.id, second.id]],
  )
  expect(sums[0]!.sum).toBe('7500000')
  for (const each of [theirs, others]) await each.context().close()
})

test('without script a code is checked and bought with by plain forms', async ({ browser }) => {
  const code = `PLAIN-${Date.now().toString(36).toUpperCase()}`
  await query(
    `INSERT INTO promotions (id, code, label, kind, percent, currency, created_by) VALUES ('prm_' || lpad($1, 32, '0'), $2, 'plain', 'percent', 25, 'USD', 'test')`,
    [Date.now().toString(16), code],
  )
  const context = await browser.newContext({ baseURL: demo().url, javaScriptEnabled: false })
  await signIn(context, await makePerson({ balance: 20 }))
  const page = await context.newPage()
  await page.goto(PLAN)
  await page.getByLabel('Promo code').fill(code)
  await page.getByRole('button', { name: 'Check' }).click()
  await expect(page.getByText('With the code: 0.90 USD less, 2.70 USD to pay')).toBeVisible()
  await expect(page.getByLabel('Promo code')).toHaveValue(code)
  await page.getByRole('button', { name: 'Buy 3 for 2.70 USD from balance' }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  await expect(page.getByText(`Code ${code}`)).toBeVisible()
  await context.close()
})

test('a code on a top-up brings its bonus with the money, and the payment says so', async ({ browser }) => {
  const code = `BONUS-${Date.now().toString(36).toUpperCase()}`
  await query(
    `INSERT INTO promotions (id, code, label, kind, percent, currency, first_only, created_by) VALUES ('prm_' || lpad($1, 32, '0'), $2, 'bonus', 'top_up_bonus', 10, 'USD', true, 'test')`,
    [`${Date.now().toString(16)}b`, code],
  )
  const page = await pageOf(browser, await makePerson())
  await page.goto('/account/top-up')
  await page.getByLabel('Amount in USD').fill('20')
  await page.getByLabel('Promo code').fill('nothing-like-it')
  await page.getByLabel(/Test payments/).check()
  await page.getByRole('button', { name: 'Continue to the payment page' }).click()
  await expect(page.getByText('This code does not hold for this.')).toBeVisible()
  await expect(page.getByLabel('Amount in USD')).toHaveValue('20')
  await page.getByLabel('Promo code').fill(code)
  await page.getByRole('button', { name: 'Continue to the payment page' }).click()
  await page.waitForURL((url) => url.port !== new URL(demo().url).port)
  await page.getByRole('button', { name: /^Pay \d/ }).click()
  await page.getByRole('link', { name: /back/i }).click()
  await expect(page.getByText(`Code ${code} added 2.00 USD as a gift.`)).toBeVisible({ timeout: 20_000 })
  await page.goto('/account/balance')
  await expect(page.getByRole('row').nth(1)).toContainText('22.00')
  await page.context().close()
})

test('the code that the demo names takes off what it says', async ({ browser }) => {
  const page = await pageOf(browser, await makePerson({ balance: 20 }))
  await page.goto(PLAN)
  await page.getByLabel('Promo code').fill(demo().promotionCode)
  await page.getByRole('button', { name: 'Check' }).click()
  await expect(page.getByText('With the code: 0.36 USD less, 3.24 USD to pay')).toBeVisible()
  await page.context().close()
})
