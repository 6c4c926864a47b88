import type { Browser, Page } from '@playwright/test'
import { demo, expect, expectAccessible, mailsTo, makePerson, type Person, query, signIn, test } from './fixtures'

/** Lets the run of rewards come now instead of within five minutes, and waits until what it should have done is there. */
async function runRewards(done: () => Promise<boolean>): Promise<void> {
  await query(`INSERT INTO outbox_jobs (name, payload) VALUES ('referrals.run_rewards', '{}')`)
  await expect.poll(done, { timeout: 30_000 }).toBe(true)
}
const rewardsOf = (person: Person, state: string) =>
  query<{ amount: string }>(
    `SELECT amount_micros::text AS amount FROM referral_rewards WHERE referrer_id = $1 AND state = $2`,
    [person.id, state],
  )
const hasReward = (person: Person, state: string) => async () => (await rewardsOf(person, state)).length > 0

async function makeLink(page: Page, label: string): Promise<string> {
  await page.goto('/account/referrals')
  await page.getByLabel('Label').last().fill(label)
  await page.getByRole('button', { name: 'Make a link' }).click()
  await expect(page.getByText(/The link with the code \w+ works now/)).toBeVisible()
  const address = await page.locator('code').filter({ hasText: '/r/' }).last().textContent()
  return address!.split('/r/')[1]!
}

/** A stranger on a device of their own opens an account, with whatever the address brought along. */
async function openAccount(browser: Browser, path: string, act?: (page: Page) => Promise<void>) {
  const context = await browser.newContext({ baseURL: demo().url })
  const page = await context.newPage()
  await page.goto(path)
  await act?.(page)
  const name = `friend${Date.now().toString(36)}`
  const email = `${name}@example.test`
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Username').fill(name)
  await page.getByLabel('Password').fill('three quiet otters')
  await page.getByLabel(/I accept the/).check()
  await page.getByLabel(/at least 18/).check()
  await page.getByRole('button', { name: 'Open the account' }).click()
  await expect(page.getByRole('heading', { name: 'Check your mail' })).toBeVisible()
  const [user] = await query<{ id: string }>(`SELECT id FROM users WHERE email = $1`, [email])
  return { page, context, email, name, id: user!.id }
}

async function buyThree(page: Page): Promise<void> {
  await page.goto('/account/top-up')
  await page.getByLabel('Amount in USD').fill('20')
  await page.getByLabel(/Test payments/).check()
  await page.getByRole('button', { name: 'Continue to the payment page' }).click()
  await page.waitForURL((url) => url.port !== new URL(demo().url).port)
  await page.getByRole('button', { name: /^Pay \d/ }).click()
  await page.getByRole('link', { name: /back/i }).click()
  await expect(page.getByText('20.00 USD are on your balance')).toBeVisible({ timeout: 30_000 })
  await page.goto('/catalogue')
  await page.getByRole('link', { name: 'Choose Dedicated IPv4' }).click()
  await page.getByLabel('Period').selectOption('30')
  await page.getByLabel('Pieces').fill('3')
  await page.getByRole('button', { name: 'Buy 3 for 3.60 USD from balance' }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  await expect(page.getByText(/Proxies: 3 of 3\./)).toBeVisible({ timeout: 30_000 })
}

test('refer, sign up, buy, wait, ask for a payout, be paid', async ({ page, person, browser, context }) => {
  test.setTimeout(180_000)
  const code = await makeLink(page, 'My <b>forum</b>')
  await expectAccessible(page)

  const friend = await openAccount(browser, `/r/${code.toLowerCase()}`, async (theirs) => {
    await expect(theirs.getByLabel('Invitation code')).toHaveValue(code)
    await expectAccessible(theirs)
  })
  await query(`UPDATE users SET email_verified_at = now() WHERE id = $1`, [friend.id])
  await signIn(friend.context, friend)
  await buyThree(friend.page)
  await friend.context.close()

  await runRewards(hasReward(person, 'pending'))
  await page.goto('/account/referrals/rewards')
  await expect(page.getByText(/10% of 3\.60.USD that f••• paid for an order/)).toBeVisible()
  await expect(page.getByRole('table')).toContainText('0.36')
  await expect(page.getByRole('table')).not.toContainText(friend.name)
  await expectAccessible(page)

  // Two weeks go by.
  await query(`UPDATE referral_rewards SET available_at = now() WHERE referrer_id = $1`, [person.id])
  await runRewards(hasReward(person, 'available'))
  await page.goto('/account/referrals/people')
  await expect(page.getByRole('row', { name: /f•••/ })).toContainText('Buys')
  await expectAccessible(page)
  await page.goto('/account/referrals')
  await expect(page.getByText(/1 visit, 1 account, 1 buyer, 0\.36.USD earned/)).toBeVisible()
  await page.getByRole('link', { name: 'Ask for a payout' }).click()
  await page.getByLabel('Address or account to pay to').fill('not an address')
  await page.getByRole('button', { name: /Ask for 0\.36/ }).click()
  await expect(page.getByText('This does not look like an address')).toBeVisible()
  await expect(page.getByLabel('Address or account to pay to')).toHaveValue('not an address')
  await page.getByLabel('Address or account to pay to').fill('TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE')
  await page.getByRole('button', { name: /Ask for 0\.36/ }).click()
  await expect(page.getByRole('table')).toContainText('Waits for a person')
  await expectAccessible(page)

  const owner = await makePerson({ role: 'owner' })
  await signIn(context, owner)
  await page.goto('/admin/referrals')
  await expectAccessible(page)
  const row = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: person.username }) })
  await expect(row.getByText('TQn9Y2khEsLJW1ChVWFMSMeRDow5KcbLSE')).toBeVisible()
  await row.getByLabel('How the payment can be found').fill('tx 7c1f90ab')
  await row.getByRole('button', { name: /0\.36.USD was sent/ }).click()
  await expect(row).toHaveCount(0)

  await signIn(context, person)
  await page.goto('/account/referrals/payouts')
  await expect(page.getByRole('table')).toContainText('tx 7c1f90ab')
  await expect
    .poll(async () => (await mailsTo(person.email)).map((mail) => mail.subject), { timeout: 20_000 })
    .toContainEqual(expect.stringMatching(/Your payout of 0\.36.USD was sent/))
  expect(await query(`SELECT destination FROM referral_settlements WHERE user_id = $1`, [person.id])).toEqual([
    { destination: null },
  ])
})

test('the first link that was followed counts, also days later and whatever is typed; an unknown code is said beside its field', async ({
  page,
  person,
  browser,
}) => {
  const code = await makeLink(page, 'First')
  const other = await makePerson()
  await query(`INSERT INTO referral_links (id, user_id, code, label) VALUES ($1, $2, $3, 'other')`, [
    `rfl_${other.id.slice(4)}`,
    other.id,
    `OTHER-${other.id.slice(-6).toUpperCase()}`,
  ])
  const friend = await openAccount(browser, `/r/${code}?to=/catalogue`, async (theirs) => {
    await expect(theirs).toHaveURL(/\/catalogue\?ref=/)
    await theirs.goto(`/r/OTHER-${other.id.slice(-6)}`)
    await theirs.goto('/sign-up')
  })
  expect(await query(`SELECT referrer_id, via FROM referrals WHERE user_id = $1`, [friend.id])).toEqual([
    { referrer_id: person.id, via: 'cookie' },
  ])
  await friend.context.close()

  const stranger = await browser.newContext({ baseURL: demo().url })
  const theirs = await stranger.newPage()
  await theirs.goto('/r/no-such-code?to=https://evil.example/')
  expect(new URL(theirs.url()).host).toBe(new URL(demo().url).host)
  await theirs.goto('/sign-up')
  await theirs.getByText('You have an invitation code?').click()
  await theirs.getByLabel('Invitation code').fill('NO-SUCH-CODE')
  await theirs.getByLabel('Email').fill('someone@example.test')
  await theirs.getByLabel('Username').fill(`some${Date.now().toString(36)}`)
  await theirs.getByLabel('Password').fill('three quiet otters')
  await theirs.getByLabel(/I accept the/).check()
  await theirs.getByLabel(/at least 18/).check()
  await theirs.getByRole('button', { name: 'Open the account' }).click()
  await expect(theirs.getByText('We do not know this code')).toBeVisible()
  await stranger.close()
})

test('somebody who shares an address with their referrer is looked at by a person; rules keep to their bounds', async ({
  page,
  context,
}) => {
  const [referrer, friend, owner] = await Promise.all([makePerson(), makePerson(), makePerson({ role: 'owner' })])
  const linkId = `rfl_${referrer.id.slice(4)}`
  await query(`INSERT INTO referral_links (id, user_id, code, label) VALUES ($1, $2, $3, 'x')`, [
    linkId,
    referrer.id,
    `HELD-${referrer.id.slice(-6).toUpperCase()}`,
  ])
  await query(
    `INSERT INTO referrals (user_id, referrer_id, link_id, via, review) VALUES ($1, $2, $3, 'typed', 'held')`,
    [friend.id, referrer.id, linkId],
  )
  await query(`INSERT INTO referral_signals (user_id, kind, with_id) VALUES ($1, 'address', $2)`, [
    friend.id,
    referrer.id,
  ])
  await signIn(context, owner)
  await page.goto('/admin')
  await page.getByRole('link', { name: /^[1-9]\d* ?Payouts and referrals/ }).click()
  const row = page.getByRole('listitem').filter({ has: page.getByRole('link', { name: friend.username }) })
  await expect(row.getByText('Same address')).toBeVisible()
  await row.getByLabel('Reason').fill('One household')
  await row.getByRole('button', { name: 'Let the rewards go' }).click()
  await expect(row).toHaveCount(0)
  expect(await query(`SELECT review, review_reason FROM referrals WHERE user_id = $1`, [friend.id])).toEqual([
    { review: 'approved', review_reason: 'One household' },
  ])

  await page.goto('/admin/referrals/rules')
  await expectAccessible(page)
  for (const percent of ['-5', '51', '1e3', '10.123']) {
    await page.getByLabel('Per cent').fill(percent)
    await page.getByRole('button', { name: 'Put the rule in force' }).click()
    await expect(page.getByText('Type per cent from 0 to 50')).toBeVisible()
    await expect(page.getByLabel('Per cent')).toHaveValue(percent)
  }
  await page.getByLabel('Ways to pay out').fill('nonsense')
  await page.getByRole('button', { name: 'Save the programme' }).click()
  await expect(page.getByText('A line cannot be read')).toBeVisible()
})
