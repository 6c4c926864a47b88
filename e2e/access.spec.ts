import { readdirSync } from 'node:fs'
import path from 'node:path'
import { demo, expect, makePerson, type Person, query, signIn, test } from './fixtures'

/**
 * Every address of the shop, and what each kind of person gets there. An address that is missing here is red. `in`: sent to sign in. Numbers are
 * statuses. Addresses of one thing (an order, a payment) are asked for by their owner and by a stranger.
 */
type Answer = number | 'in'
type Row = {
  path: string
  visitor: Answer
  stranger: Answer
  owner?: Answer
  support: Answer
  admin: Answer
  finance: Answer
}

const everyone = (route: string, answer: Answer = 200): Row => ({
  path: route,
  visitor: answer,
  stranger: answer,
  support: answer,
  admin: answer,
  finance: answer,
})
const signedIn = (route: string): Row => ({
  path: route,
  visitor: 'in',
  stranger: 200,
  support: 200,
  admin: 200,
  finance: 200,
})
const ownersOnly = (route: string): Row => ({
  path: route,
  visitor: 'in',
  stranger: 404,
  owner: 200,
  support: 404,
  admin: 404,
  finance: 404,
})
const staff = (route: string, roles: { support?: Answer; admin?: Answer; finance?: Answer } = {}): Row => ({
  path: route,
  visitor: 'in',
  stranger: 404,
  support: 200,
  admin: 200,
  finance: 200,
  ...roles,
})

const ROUTES: Record<string, Row[]> = {
  '/': [everyone('/')],
  '/catalogue': [everyone('/catalogue')],
  '/catalogue/[slug]': [everyone('/catalogue/datacenter-ipv4'), everyone('/catalogue/none', 404)],
  '/legal/[document]': [
    ...['privacy', 'terms', 'acceptable-use', 'refunds', 'cookies'].map((name) => everyone(`/legal/${name}`)),
    everyone('/legal/none', 404),
  ],
  '/announcements': [everyone('/announcements'), everyone('/announcements?before=none')],
  '/announcements/[slug]': [everyone('/announcements/SLUG'), everyone('/announcements/none', 404)],
  '/announcements/feed': [everyone('/announcements/feed'), everyone('/announcements/feed?locale=none')],
  '/sign-in': [{ ...everyone('/sign-in'), stranger: 307, support: 307, admin: 307, finance: 307 }],
  '/sign-up': [{ ...everyone('/sign-up'), stranger: 307, support: 307, admin: 307, finance: 307 }],
  '/forgot-password': [everyone('/forgot-password')],
  '/reset-password': [everyone('/reset-password')],
  '/verify': [everyone('/verify')],
  '/preferences': [everyone('/preferences'), everyone(`/preferences?token=${'0'.repeat(32)}.${'x'.repeat(43)}`)],
  '/preferences/confirm': [everyone('/preferences/confirm?token=x')],
  '/account': [signedIn('/account')],
  '/account/balance': [signedIn('/account/balance')],
  '/account/balance/statement': [
    { ...signedIn('/account/balance/statement?from=2026-01-01&to=2026-12-31&format=pdf'), visitor: 401 },
    { ...everyone('/account/balance/statement?from=2026-12-31&to=2026-01-01', 422), visitor: 401 },
  ],
  '/account/notices': [signedIn('/account/notices'), signedIn('/account/notices?type=none&before=nonsense')],
  '/account/orders': [signedIn('/account/orders')],
  '/account/orders/[orderId]': [ownersOnly('/account/orders/ORDER')],
  '/account/orders/[orderId]/export': [{ ...ownersOnly('/account/orders/ORDER/export?format=json'), visitor: 401 }],
  '/account/orders/[orderId]/renewals/[renewalId]/invoice': [
    { ...everyone('/account/orders/ORDER/renewals/rnw_none/invoice', 404), visitor: 401 },
  ],
  '/account/orders/[orderId]/invoice': [{ ...ownersOnly('/account/orders/ORDER/invoice'), visitor: 401 }],
  '/account/payments': [signedIn('/account/payments')],
  '/account/payments/[paymentId]': [ownersOnly('/account/payments/PAYMENT')],
  '/account/payments/[paymentId]/receipt': [{ ...ownersOnly('/account/payments/PAYMENT/receipt'), visitor: 401 }],
  '/account/planner': [signedIn('/account/planner')],
  '/account/referrals': [signedIn('/account/referrals')],
  '/account/referrals/rewards': [signedIn('/account/referrals/rewards')],
  '/account/referrals/people': [signedIn('/account/referrals/people')],
  '/account/referrals/payouts': [signedIn('/account/referrals/payouts')],
  '/r/[code]': [everyone('/r/NO-SUCH-CODE', 303)],
  '/account/proxies': [signedIn('/account/proxies')],
  '/account/proxies/[allocationId]': [
    ownersOnly('/account/proxies/ALLOCATION'),
    { ...everyone('/account/proxies/alc_none', 404), visitor: 'in' },
  ],
  '/account/proxies/selection/[selectionId]': [ownersOnly('/account/proxies/selection/SELECTION?do=renew')],
  '/account/proxies/export': [signedIn('/account/proxies/export')],
  '/account/proxies/export/file': [
    { ...signedIn('/account/proxies/export/file?format=csv'), visitor: 401 },
    { ...everyone('/account/proxies/export/file?format=none', 404), visitor: 401 },
  ],
  '/account/settings': [signedIn('/account/settings')],
  '/account/settings/notifications': [signedIn('/account/settings/notifications')],
  '/account/settings/mails': [signedIn('/account/settings/mails')],
  '/account/top-up': [signedIn('/account/top-up')],
  '/admin': [staff('/admin')],
  '/admin/announcements': [staff('/admin/announcements', { finance: 404 })],
  '/admin/announcements/[announcementId]': [
    staff('/admin/announcements/new?kind=maintenance', { finance: 404 }),
    staff('/admin/announcements/ANNOUNCEMENT', { finance: 404 }),
    staff('/admin/announcements/none', { support: 404, admin: 404, finance: 404 }),
  ],
  '/admin/catalogue': [staff('/admin/catalogue', { support: 404, finance: 404 })],
  '/admin/catalogue/plans/[planId]': [
    staff('/admin/catalogue/plans/PLAN', { support: 404, finance: 404 }),
    staff('/admin/catalogue/plans/none', { support: 404, admin: 404, finance: 404 }),
  ],
  '/admin/catalogue/plans/[planId]/prices': [
    staff('/admin/catalogue/plans/PLAN/prices', { support: 404, finance: 404 }),
    staff('/admin/catalogue/plans/none/prices', { support: 404, admin: 404, finance: 404 }),
  ],
  '/admin/catalogue/products/[productId]': [staff('/admin/catalogue/products/new', { support: 404, finance: 404 })],
  '/admin/catalogue/simulator': [
    staff('/admin/catalogue/simulator?by=percent&percent=10', { support: 404, finance: 404 }),
  ],
  '/admin/catalogue/simulator/file': [
    {
      ...staff('/admin/catalogue/simulator/file?by=percent&percent=10', { support: 403, finance: 403 }),
      visitor: 401,
      stranger: 403,
    },
  ],
  '/admin/customers': [staff('/admin/customers')],
  '/admin/customers/[userId]': [
    staff('/admin/customers/USER'),
    staff('/admin/customers/none', { support: 404, admin: 404, finance: 404 }),
  ],
  '/admin/jobs': [staff('/admin/jobs', { support: 404, finance: 404 })],
  '/admin/mail': [staff('/admin/mail', { finance: 404 })],
  '/admin/mail/stopped': [staff('/admin/mail/stopped', { finance: 404 })],
  '/admin/mail/previews': [staff('/admin/mail/previews', { finance: 404 })],
  '/admin/mail/previews/[template]': [
    staff('/admin/mail/previews/verify_email?scheme=dark', { finance: 404 }),
    staff('/admin/mail/previews/constructor', { support: 404, admin: 404, finance: 404 }),
  ],
  '/admin/mail/previews/[template]/html': [
    { ...staff('/admin/mail/previews/verify_email/html', { finance: 403 }), visitor: 401, stranger: 403 },
    {
      ...staff('/admin/mail/previews/none/html', { support: 404, admin: 404, finance: 403 }),
      visitor: 401,
      stranger: 403,
    },
  ],
  '/admin/campaigns': [staff('/admin/campaigns', { support: 404, finance: 404 })],
  '/admin/campaigns/[campaignId]': [
    staff('/admin/campaigns/new', { support: 404, finance: 404 }),
    staff('/admin/campaigns/cpn_none', { support: 404, admin: 404, finance: 404 }),
  ],
  '/admin/campaigns/[campaignId]/html': [
    {
      ...staff('/admin/campaigns/cpn_none/html', { support: 403, admin: 404, finance: 403 }),
      visitor: 401,
      stranger: 403,
    },
  ],
  '/admin/orders': [staff('/admin/orders')],
  '/admin/orders/[orderId]': [staff('/admin/orders/ORDER')],
  '/admin/orders/[orderId]/invoice': [{ ...staff('/admin/orders/ORDER/invoice'), visitor: 401, stranger: 403 }],
  '/admin/payments': [staff('/admin/payments')],
  '/admin/payments/differences': [staff('/admin/payments/differences')],
  '/admin/payments/returns': [staff('/admin/payments/returns')],
  '/admin/payments/[paymentId]': [staff('/admin/payments/PAYMENT')],
  '/admin/payments/[paymentId]/receipt': [{ ...staff('/admin/payments/PAYMENT/receipt'), visitor: 401, stranger: 403 }],
  '/admin/referrals': [staff('/admin/referrals')],
  '/admin/referrals/rules': [staff('/admin/referrals/rules', { support: 404, finance: 404 })],
  '/admin/referrals/export': [{ ...staff('/admin/referrals/export'), visitor: 401, stranger: 403 }],
  '/admin/promotions': [staff('/admin/promotions', { support: 404 })],
  '/admin/promotions/[promotionId]': [
    staff('/admin/promotions/new', { support: 404 }),
    staff('/admin/promotions/prm_none', { support: 404, admin: 404, finance: 404 }),
  ],
  '/admin/promotions/batches/[batchId]': [
    staff('/admin/promotions/batches/new', { support: 404 }),
    staff('/admin/promotions/batches/vbt_none', { support: 404, admin: 404, finance: 404 }),
  ],
  '/admin/promotions/batches/[batchId]/codes': [everyone('/admin/promotions/batches/vbt_none/codes', 405)],
  '/admin/settings': [staff('/admin/settings', { support: 404, finance: 404 })],
  '/admin/settings/payments': [staff('/admin/settings/payments', { support: 404, finance: 404 })],
  '/admin/settings/payments/[provider]': [
    staff('/admin/settings/payments/stripe', { support: 404, finance: 404 }),
    staff('/admin/settings/payments/nobody', { support: 404, admin: 404, finance: 404 }),
  ],
  '/admin/settings/rules': [staff('/admin/settings/rules', { support: 404, finance: 404 })],
  '/admin/settings/telegram': [staff('/admin/settings/telegram', { support: 404, finance: 404 })],
  '/admin/settings/marketing': [staff('/admin/settings/marketing', { support: 404, finance: 404 })],
  '/admin/settings/mail': [staff('/admin/settings/mail', { support: 404, finance: 404 })],
  '/admin/settings/papers': [staff('/admin/settings/papers', { support: 404, finance: 404 })],
  '/admin/suppliers': [staff('/admin/suppliers', { support: 404, finance: 404 })],
  '/admin/suppliers/[supplier]': [
    staff('/admin/suppliers/px6', { support: 404, finance: 404 }),
    staff('/admin/suppliers/nobody', { support: 404, admin: 404, finance: 404 }),
  ],
  '/admin/suppliers/unknown': [staff('/admin/suppliers/unknown', { support: 404, finance: 404 })],
  '/admin/stock/imports/[importId]': [
    { ...everyone('/admin/stock/imports/imp_none', 404), visitor: 401, stranger: 403, support: 403, finance: 403 },
  ],
  '/admin/stock': [staff('/admin/stock', { support: 404, finance: 404 })],
  '/api/auth/[...nextauth]': [everyone('/api/auth/csrf')],
  '/api/calendar/[file]': [everyone(`/api/calendar/${'x'.repeat(43)}.ics`, 404)],
  '/api/campaign-links/[token]': [everyone('/api/campaign-links/x', 404)],
  '/api/campaign-opens/[token]': [everyone('/api/campaign-opens/x', 404)],
  '/api/check/address': [everyone('/api/check/address')],
  '/api/feeds/[file]': [everyone(`/api/feeds/${'x'.repeat(43)}.txt`, 404)],
  '/api/health': [everyone('/api/health')],
  '/api/ready': [everyone('/api/ready')],
  '/api/unsubscribe': [everyone('/api/unsubscribe?token=x', 303)],
  '/api/webhooks/[provider]': [everyone('/api/webhooks/fakepay', 405)],
  '/api/webhooks/resend': [everyone('/api/webhooks/resend', 405)],
  '/api/webhooks/telegram': [everyone('/api/webhooks/telegram', 405)],
}

/** The addresses that app/ has: folders in round brackets are not part of them. */
function addresses(folder = 'app'): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /^(page\.tsx|route\.ts)$/.test(entry.name))
    .map((entry) =>
      path
        .relative(folder, entry.parentPath)
        .split(path.sep)
        .filter((part) => part !== '' && !part.startsWith('(')),
    )
    .map((parts) => `/${parts.join('/')}`)
}

test('every address is in the table', () => {
  expect([...new Set(addresses())].sort()).toEqual(Object.keys(ROUTES).sort())
})

test('every address answers each kind of person as it should', async ({ browser }) => {
  test.setTimeout(240_000)
  const owner = await makePerson()
  const people: Record<'visitor' | 'stranger' | 'owner' | 'support' | 'admin' | 'finance', Person | null> = {
    visitor: null,
    stranger: await makePerson(),
    owner,
    support: await makePerson({ role: 'support' }),
    admin: await makePerson({ role: 'admin' }),
    finance: await makePerson({ role: 'finance' }),
  }
  const [plan] = await query<{ id: string; offer: string }>(
    `SELECT p.id, o.id AS offer FROM plans p JOIN offers o ON o.plan_id = p.id WHERE p.slug = 'datacenter-ipv4' LIMIT 1`,
  )
  const orderId = `ord_${'0'.repeat(20)}${owner.id.slice(-12)}`
  const paymentId = `pay_${'0'.repeat(20)}${owner.id.slice(-12)}`
  await query(
    `SELECT ledger_post('adjustment:' || $1, ledger_account('shop', 'adjustments', 'USD'), ledger_account($1, 'customer_balance', 'USD'), 5000000, 'USD', 'adjustment', $1, NULL, now())`,
    [owner.id],
  )
  await query(
    `SELECT place_order($1, $2, 'access', p.id, p.revision, $3, true, 'datacenter_ipv4', 'NL', 30, 1, 1200000, 0, 1200000, 'USD') FROM plans p WHERE p.id = $4`,
    [orderId, owner.id, plan!.offer, plan!.id],
  )
  await query(
    `INSERT INTO payments (id, user_id, provider, requested_micros, currency, charge_micros, charge_currency, request_key) VALUES ($1, $2, 'fakepay', 1000000, 'USD', 1000000, 'USD', 'access')`,
    [paymentId, owner.id],
  )
  // Credited and delivered, so that there are papers.
  await query(`SELECT credit_payment($1, 'access-' || $1, 1000000, 1000000, now())`, [paymentId])
  await query(`SELECT complete_delivery($1, NULL, NULL, NULL, NULL, NULL)`, [orderId])
  const [held] = await query<{ id: string }>(`SELECT id FROM allocations WHERE order_id = $1`, [orderId])
  const selectionId = `sel_${'0'.repeat(20)}${owner.id.slice(-12)}`
  await query(`INSERT INTO proxy_selections (id, user_id, allocation_ids) VALUES ($1, $2, $3)`, [
    selectionId,
    owner.id,
    [held!.id],
  ])
  const announcementId = `ann_${'0'.repeat(20)}${owner.id.slice(-12)}`
  await query(
    `INSERT INTO announcements (id, slug, kind, state, title_en, title_ru, text_en, text_ru, published_at, told_at, created_by)
     VALUES ($1, $1, 'news', 'published', 'Access', 'Доступ', 'Text.', 'Текст.', now(), now(), $2)`,
    [announcementId, owner.id],
  )
  const fill = (route: string) =>
    route
      .replace('SLUG', announcementId)
      .replace('ANNOUNCEMENT', announcementId)
      .replace('ALLOCATION', held!.id)
      .replace('SELECTION', selectionId)
      .replace('ORDER', orderId)
      .replace('PAYMENT', paymentId)
      .replace('PLAN', plan!.id)
      .replace('USER', owner.id)

  const wrong: string[] = []
  for (const [kind, person] of Object.entries(people) as [keyof typeof people, Person | null][]) {
    const context = await browser.newContext({ baseURL: demo().url })
    if (person) await signIn(context, person)
    for (const row of Object.values(ROUTES).flat()) {
      const wanted = kind === 'owner' ? (row.owner ?? row.stranger) : row[kind]
      const answer = await context.request.get(fill(row.path), { maxRedirects: 0 })
      const location = answer.headers().location ?? ''
      const isSentToSignIn = answer.status() === 307 && new URL(location, demo().url).pathname === '/sign-in'
      const got: Answer = wanted === 'in' ? (isSentToSignIn ? 'in' : answer.status()) : answer.status()
      if (got !== wanted) wrong.push(`${kind} ${row.path}: ${got} instead of ${wanted}`)
    }
    await context.close()
  }
  expect(wrong).toEqual([])
})
