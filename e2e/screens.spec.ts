import { expect, expectAccessible, makePerson, query, signIn, test } from './fixtures'

/** Every screen, narrow and wide, light and dark, in both languages: axe finds nothing, nothing sticks out, the console is silent. */
const PUBLIC = [
  '/',
  '/catalogue',
  '/catalogue/datacenter-ipv4?country=NL&days=30&quantity=7',
  '/sign-in',
  '/sign-up',
  '/verify',
  '/forgot-password',
  '/preferences',
  '/preferences/confirm',
  '/legal/privacy',
  '/legal/terms',
  '/announcements',
]
const ACCOUNT = [
  '/account',
  '/account/orders',
  '/account/balance',
  '/account/payments',
  '/account/top-up',
  '/account/settings',
  '/account/settings/mails',
  '/account/notices',
  '/account/notices?show=unread',
  '/account/referrals',
  '/account/referrals/rewards',
  '/account/referrals/people',
  '/account/referrals/payouts',
  '/account/settings/notifications',
]
const ADMIN = [
  '/admin',
  '/admin/customers',
  '/admin/payments',
  '/admin/payments/differences',
  '/admin/payments/differences?state=ended',
  '/admin/payments/returns',
  '/admin/orders',
  '/admin/catalogue',
  '/admin/catalogue/products/new',
  '/admin/catalogue/simulator?by=percent&percent=10',
  '/admin/stock',
  '/admin/jobs',
  '/admin/announcements',
  '/admin/announcements/new?kind=change',
  '/admin/announcements/new?kind=maintenance',
  '/admin/promotions',
  '/admin/promotions/new',
  '/admin/promotions/batches/new',
  '/admin/referrals',
  '/admin/referrals/rules',
  '/admin/settings',
  '/admin/settings/payments',
  '/admin/settings/payments/nowpayments',
  '/admin/settings/payments/yookassa',
  '/admin/settings/rules',
  '/admin/settings/mail',
  '/admin/settings/marketing',
  '/admin/campaigns',
  '/admin/campaigns/new',
  '/admin/mail',
  '/admin/mail/stopped',
  '/admin/mail/previews',
  '/admin/mail/previews/order_delivered?scheme=dark',
  '/admin/settings/telegram',
]

for (const { width, scheme, locale } of [
  { width: 360, scheme: 'dark', locale: 'ru' },
  { width: 1440, scheme: 'light', locale: 'en' },
] as const) {
  test.describe(`${width} px, ${scheme}, ${locale}`, () => {
    test.use({ viewport: { width, height: 900 }, colorScheme: scheme, locale: locale === 'ru' ? 'ru-RU' : 'en-GB' })

    test('public screens', async ({ page }) => {
      test.setTimeout(120_000)
      for (const path of PUBLIC) {
        await page.goto(path)
        await expect(page.locator('html')).toHaveAttribute('lang', locale)
        await expectAccessible(page)
      }
    })

    test('account screens, new and with an order', async ({ page, context }) => {
      test.setTimeout(180_000)
      await signIn(context, await makePerson({ locale }))
      for (const path of ACCOUNT) {
        await page.goto(path)
        await expectAccessible(page)
      }
      await context.clearCookies()
      // As long as balances get: the header of a phone has to hold it.
      const person = await makePerson({ balance: 23_456.78, locale })
      await signIn(context, person)
      await page.goto('/catalogue/datacenter-ipv4?country=DE&days=30&quantity=2')
      await page.locator('main form button[type=submit]').last().click()
      await page.waitForURL(/\/account\/orders\/ord_/)
      await expect
        .poll(
          () =>
            query<{ state: string }>(`SELECT state FROM orders WHERE user_id = $1`, [person.id]).then(
              ([row]) => row!.state,
            ),
          { timeout: 20_000 },
        )
        .toBe('active')
      await page.reload()
      await expectAccessible(page)
      for (const path of ACCOUNT) {
        await page.goto(path)
        await expectAccessible(page)
      }
    })

    test('one order and one payment in every state, for their owner and for staff', async ({ page, context }) => {
      test.setTimeout(180_000)
      const person = await makePerson({ balance: 50, locale })
      const orders = await makeOrders(person.id)
      const payments = await makePayments(person.id)
      await signIn(context, person)
      for (const path of [
        ...orders.map((id) => `/account/orders/${id}`),
        ...payments.map((id) => `/account/payments/${id}`),
      ]) {
        await page.goto(path)
        await expectAccessible(page)
      }
      await context.clearCookies()
      await signIn(context, await makePerson({ role: 'owner', locale }))
      for (const path of [
        ...orders.map((id) => `/admin/orders/${id}`),
        ...payments.map((id) => `/admin/payments/${id}`),
      ]) {
        await page.goto(path)
        await expectAccessible(page)
      }
    })

    test('admin screens', async ({ page, context }) => {
      test.setTimeout(180_000)
      await signIn(context, await makePerson({ role: 'owner', locale }))
      const [row] = await query<{ plan: string; person: string }>(
        `SELECT (SELECT id FROM plans WHERE slug = 'datacenter-ipv4') AS plan, (SELECT id FROM users WHERE username = 'anna') AS person`,
      )
      await makeDifferences((await makePerson()).id)
      for (const path of [...ADMIN, `/admin/catalogue/plans/${row!.plan}`, `/admin/customers/${row!.person}`]) {
        await page.goto(path)
        await expectAccessible(page)
      }
    })
  })
}

/** An order that failed and one whose outcome is unknown: made in one transaction, so that the worker does not come in between. */
async function makeOrders(userId: string): Promise<string[]> {
  const [failed, unknown] = ['f', 'e'].map((digit) => `ord_${digit.repeat(20)}${userId.slice(-12)}`)
  const place = (
    id: string,
  ) => `PERFORM place_order('${id}', '${userId}', '${id}', p.id, p.revision, o.id, false, 'datacenter_ipv4', 'US', 7, 1, 150000, 0, 150000, 'USD')
    FROM plans p JOIN offers o ON o.plan_id = p.id AND o.country_code = 'US' WHERE p.slug = 'shared-ipv4';`
  await query(`DO $$ BEGIN
    ${place(failed!)} PERFORM fail_order('${failed}', 'sold_out');
    ${place(unknown!)} UPDATE orders SET state = 'unknown' WHERE id = '${unknown}';
    INSERT INTO deliveries (id, order_id, offer_id, supplier, reference, state) SELECT 'dlv_${unknown}', id, offer_id, 'px6', 'dlv_${unknown}', 'unknown' FROM orders WHERE id = '${unknown}';
    INSERT INTO order_events (order_id, kind) VALUES ('${unknown}', 'supplier_called'), ('${unknown}', 'outcome_unknown'), ('${unknown}', 'looked_up');
    DELETE FROM outbox_jobs WHERE payload ->> 'orderId' IN ('${failed}', '${unknown}');
  END $$`)
  return [failed!, unknown!]
}

/** A difference of each kind, open and ended, and a comparison of each outcome, by direct insert: a comparison runs at night only. */
async function makeDifferences(userId: string): Promise<void> {
  const [payment] = await makePayments(userId)
  await query(
    `INSERT INTO payment_differences (id, provider, kind, provider_payment_id, payment_id, user_id, their_micros, our_micros, currency, state, ended_at, note)
     SELECT new_id('dif'), 'stripe', kind, 'cs_test_' || kind || right($2, 12), $1, $2, theirs, ours, 'USD', state,
       CASE WHEN state <> 'open' THEN now() END, CASE WHEN state = 'dismissed' THEN 'A payment of our own.' END
     FROM (VALUES ('theirs_only', 20000000, NULL), ('ours_only', NULL, 20000000), ('other_amount', 12500000, 20000000)) k(kind, theirs, ours),
       (VALUES ('open'), ('mended'), ('dismissed')) s(state)
     UNION ALL SELECT new_id('dif'), 'btcpay', 'theirs_only', 'foreign' || right($2, 12), NULL, NULL, 5000000, NULL, 'USD', 'open', NULL, NULL`,
    [payment, userId],
  )
  await query(
    `INSERT INTO payment_comparisons (id, provider, method, from_at, to_at, started_at, compared, differences, their_micros, our_micros, currency, failure)
     SELECT new_id('cmp'), provider, method, now() - interval '3 days', now(), now(), 412, differences, 8240000000, 8240000000, 'USD', failure
     FROM (VALUES ('stripe', 'list', 3, NULL), ('cryptocloud', 'asked', 0, NULL), ('btcpay', 'list', 1, 'btcpay did not answer in time')) v(provider, method, differences, failure)`,
  )
}

/** A payment in each state that is not money, by direct insert: most of them are left within seconds when they come by themselves. */
async function makePayments(userId: string): Promise<string[]> {
  const rows = await query<{ id: string }>(
    `INSERT INTO payments (id, user_id, provider, state, requested_micros, received_micros, currency, charge_micros, charge_currency, request_key, review_reason, expires_at)
     SELECT 'pay_' || lpad(n::text, 20, '0') || right($1, 12), $1, 'fakepay', state, 20000000, received, 'USD', 20000000, 'USD', 'screens' || n, reason, now() + interval '1 hour'
     FROM (VALUES (1, 'created', NULL, NULL), (2, 'awaiting', NULL, NULL), (3, 'confirming', 20000000, NULL), (4, 'underpaid', 5000000, NULL), (5, 'expired', NULL, NULL),
       (6, 'cancelled', NULL, NULL), (7, 'needs_review', 5000000, 'underpaid'), (8, 'needs_review', NULL, 'wrong_currency'), (9, 'declined', 5000000, 'underpaid')) v(n, state, received, reason)
     RETURNING id`,
    [userId],
  )
  return rows.map((row) => row.id)
}

test('the whole of buying can be done with the keyboard', async ({ page, person }) => {
  expect(person.id).toBeTruthy()
  await page.goto('/catalogue/datacenter-ipv4?country=NL&days=30&quantity=1')
  const buy = page.getByRole('button', { name: /Buy 1 for/ })
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab')
    if (await buy.evaluate((element) => element === document.activeElement)) break
  }
  await expect(buy).toBeFocused()
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/account\/orders\/ord_/)
})
