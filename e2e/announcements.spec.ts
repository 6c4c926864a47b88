import type { Page } from '@playwright/test'
import { demo, expect, expectAccessible, mailsTo, makePerson, type Person, query, signIn, test } from './fixtures'

const DAY_MS = 86_400_000
/** As `datetime-local` fields take it. The browsers of these tests live in UTC. */
const typed = (at: number) => new Date(at).toISOString().slice(0, 16)

async function buy(page: Page, person: Person, country: string): Promise<string> {
  await page.goto(`/catalogue/datacenter-ipv4?country=${country}&days=30&quantity=1`)
  await page.getByRole('button', { name: /Buy 1 for/ }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  const orderId = new URL(page.url()).pathname.split('/').at(-1)!
  const state = () =>
    query<{ state: string }>(`SELECT state FROM orders WHERE id = $1 AND user_id = $2`, [orderId, person.id])
  await expect.poll(async () => (await state())[0]?.state, { timeout: 30_000 }).toBe('active')
  return orderId
}

const mailsAbout = async (person: Person, words: string) =>
  (await mailsTo(person.email)).filter((mail) => mail.subject.includes(words)).length

test.use({ timezoneId: 'UTC', locale: 'en-GB' })

test('staff announce maintenance: whoever holds such a proxy has notice, mail, banner and a line on the order; nobody else has; withdrawn, they are gone', async ({
  page,
  person,
  browser,
}) => {
  test.setTimeout(240_000)
  const own = await buy(page, person, 'DE')
  const other = await makePerson({ balance: 50 })
  const owner = await makePerson({ role: 'owner' })
  const open = async (who: Person) => {
    const context = await browser.newContext({ baseURL: demo().url, timezoneId: 'UTC', locale: 'en-GB' })
    await signIn(context, who)
    return context.newPage()
  }
  const elsewhere = await open(other)
  const otherOrder = await buy(elsewhere, other, 'NL')

  const desk = await open(owner)
  const name = `Work in Frankfurt ${person.id.slice(-6)}`
  await desk.goto('/admin/announcements')
  await desk.getByRole('link', { name: 'New announcement' }).first().click()
  await desk.getByRole('link', { name: 'Maintenance' }).click()
  await desk.waitForURL(/kind=maintenance/)
  await desk.getByLabel('Title in English').fill(name)
  await desk
    .getByLabel('Text in English')
    .fill('We replace a switch.\n\nSee https://status.test/frankfurt. <b>Sorry.</b>')
  await desk.getByLabel('Title in Russian').fill('Работы во Франкфурте')
  await desk.getByRole('button', { name: 'Save the draft' }).click()
  // What is missing is said beside its field, and nothing that was typed is lost.
  await expect(desk.getByText('Fill this in.')).toBeVisible()
  await expect(desk.getByText('Choose a day and a time.').first()).toBeVisible()
  await expect(desk.getByText('Say what is touched')).toBeVisible()
  await expect(desk.getByLabel('Title in English')).toHaveValue(name)
  await desk.getByLabel('Text in Russian').fill('Меняем коммутатор.')
  await desk.getByLabel('Begins (UTC)').fill(typed(Date.now() + DAY_MS / 2))
  await desk.getByLabel('Ends (UTC)').fill(typed(Date.now() + DAY_MS))
  await desk.getByLabel('Countries').fill('de')
  await desk.getByRole('checkbox', { name: 'Datacenter IPv4' }).check()
  await desk.getByRole('button', { name: 'Save the draft' }).click()
  await desk.waitForURL(/\/admin\/announcements\/ann_/)
  await expect(desk.getByText('Работы во Франкфурте')).toBeVisible()
  await expect(desk.getByText(/people hold|person holds/)).toBeVisible()
  await expectAccessible(desk)
  await desk.getByRole('button', { name: 'Publish now' }).click()
  await expect(desk.getByRole('button', { name: 'Withdraw it' })).toBeVisible()

  await expect.poll(() => mailsAbout(person, name), { timeout: 30_000 }).toBe(1)
  const mail = (await mailsTo(person.email)).find(({ subject }) => subject.includes(name))!
  expect(mail.text).toContain(own.slice(-8))
  await page.goto('/account/notices')
  await expect(page.getByRole('link', { name: `Maintenance: ${name}` })).toBeVisible()
  await expect(page.getByText(`Maintenance is near: ${name}`)).toBeVisible()
  await page.goto(`/account/orders/${own}`)
  await expect(page.getByText(/^Maintenance from .* to .*: Work in Frankfurt/)).toBeVisible()
  await expect(page.getByText('It touches 1 proxy of this order.')).toBeVisible()
  await expectAccessible(page)
  const [held] = await query<{ id: string }>(`SELECT id FROM allocations WHERE order_id = $1`, [own])
  await page.goto(`/account/proxies/${held!.id}`)
  await expect(page.getByText(/^Maintenance from .* to .*: Work in Frankfurt/)).toBeVisible()

  await page.goto('/account/proxies')
  await expect(page.getByRole('link', { name: /^Maintenance from / })).toHaveAttribute('title', name)
  await expectAccessible(page)

  for (const path of ['/account/notices', '/account/proxies', `/account/orders/${otherOrder}`]) {
    await elsewhere.goto(path)
    await expect(elsewhere.getByRole('heading', { level: 1 })).toBeVisible()
    await expect(elsewhere.getByText(name)).toHaveCount(0)
    await expect(elsewhere.getByRole('link', { name: /^Maintenance from / })).toHaveCount(0)
  }
  expect(await mailsAbout(other, name)).toBe(0)

  // The public page, as text, with its link; and the feed.
  await page.getByRole('link', { name: 'About it' }).first().click()
  await page.waitForURL(/\/announcements\//)
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible()
  await expect(page.getByText('<b>Sorry.</b>')).toBeVisible()
  await expect(page.getByRole('link', { name: 'https://status.test/frankfurt' })).toHaveAttribute('rel', /noopener/)
  await expect(page.getByText('Datacenter IPv4 · Germany')).toBeVisible()
  await expectAccessible(page)
  const address = page.url()
  await page.goto('/announcements')
  await expect(page.getByRole('link', { name })).toBeVisible()
  await expectAccessible(page)
  const feed = await page.request.get('/announcements/feed?locale=en')
  expect(feed.headers()['content-type']).toContain('application/atom+xml')
  expect(await feed.text()).toContain('&lt;b&gt;Sorry.&lt;/b&gt;')

  await desk.getByLabel('Ends (UTC)').fill(typed(Date.now() + 2 * DAY_MS))
  await desk.getByRole('button', { name: 'Change the times and tell' }).click()
  await expect.poll(() => mailsAbout(person, 'Maintenance at other times'), { timeout: 30_000 }).toBe(1)
  await desk.getByLabel('Title in English').fill(`${name}, at night`)
  await desk.getByRole('button', { name: 'Save the text' }).click()
  await expect(desk.getByText('Saved.')).toBeVisible()
  await page.goto(address)
  await expect(page.getByText('The times were changed.')).toBeVisible()
  await page.getByText('What it said before').click()
  await expect(page.getByText(name, { exact: true })).toBeVisible()

  await desk.reload()
  await desk.getByRole('button', { name: 'Withdraw it' }).click()
  await expect.poll(() => mailsAbout(person, 'Called off'), { timeout: 30_000 }).toBe(1)
  await page.goto(`/account/orders/${own}`)
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
  await expect(page.getByText(name)).toHaveCount(0)
  await page.goto('/announcements')
  await expect(page.getByRole('link', { name })).toHaveCount(0)
  await page.goto(address)
  await expect(page.getByText(/This maintenance was called off/)).toBeVisible()
  expect(await mailsAbout(other, name)).toBe(0)
})

test('staff delete a draft in two steps, and it is gone', async ({ browser }) => {
  const context = await browser.newContext({ baseURL: demo().url, timezoneId: 'UTC', locale: 'en-GB' })
  const owner = await makePerson({ role: 'owner' })
  await signIn(context, owner)
  const desk = await context.newPage()
  const name = `Never said ${owner.id.slice(-6)}`
  await desk.goto('/admin/announcements/new?kind=news')
  await desk.getByLabel('Title in English').fill(name)
  await desk.getByLabel('Text in English').fill('Nothing.')
  await desk.getByLabel('Title in Russian').fill('Не сказано')
  await desk.getByLabel('Text in Russian').fill('Ничего.')
  await desk.getByRole('button', { name: 'Save the draft' }).click()
  await desk.waitForURL(/\/admin\/announcements\/ann_/)
  await expect(desk.getByRole('button', { name: 'Delete this draft' })).toBeHidden()
  await desk.getByText('Delete it…').click()
  await expect(desk.getByText(`“${name}” goes for good`)).toBeVisible()
  await expectAccessible(desk)
  await desk.getByRole('button', { name: 'Delete this draft' }).click()
  await desk.waitForURL(/\/admin\/announcements$/)
  await expect(desk.getByText(name)).toHaveCount(0)
  await context.close()
})
