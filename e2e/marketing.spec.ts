import type { Browser, Page } from '@playwright/test'
import { invariant } from '../lib/kit/errors'
import {
  control,
  demo,
  expect,
  expectAccessible,
  type Mail,
  mailsTo,
  makePerson,
  type Person,
  query,
  signIn,
  test,
} from './fixtures'

/** Lets the campaigns run now instead of within a minute. */
const runCampaigns = () => query(`INSERT INTO outbox_jobs (name, payload) VALUES ('marketing.run_campaigns', '{}')`)

type CampaignMail = Mail & { headers: Record<string, string> }
const campaignMails = async (person: Person, subject: string) =>
  ((await mailsTo(person.email)) as CampaignMail[]).filter((mail) => mail.subject === subject)

async function desk(browser: Browser): Promise<{ page: Page; owner: Person; close: () => Promise<void> }> {
  // Staff sit at a desk and read English, whatever the person of the test has in hand.
  const context = await browser.newContext({
    baseURL: demo().url,
    locale: 'en-GB',
    viewport: { width: 1280, height: 900 },
  })
  const owner = await makePerson({ role: 'owner' })
  await signIn(context, owner)
  return { page: await context.newPage(), owner, close: () => context.close() }
}

async function writeCampaign(page: Page, name: string, subject: string, channel = 'mail'): Promise<void> {
  await page.goto('/admin/campaigns')
  await page.getByRole('link', { name: 'New campaign' }).first().click()
  await page.getByLabel('Name', { exact: true }).fill(name)
  await page.getByLabel('Topic').selectOption('guides')
  await page.getByLabel('Channel').selectOption(channel)
  await page.getByLabel('Subject, English').fill(subject)
  await page
    .getByLabel('Text, English')
    .fill('Hello {name},\n\n**read** [this](https://shop.example/guide). <script>x</script>')
  await page.getByLabel('Subject, Russian').fill(`${subject} по-русски`)
  await page.getByLabel('Text, Russian').fill('Здравствуйте, {name}!\n\n**Почитайте** это.')
  await page.getByRole('button', { name: 'Save the draft' }).click()
  await page.waitForURL(/\/admin\/campaigns\/cpn_/)
}

async function send(page: Page): Promise<void> {
  await page.getByRole('button', { name: /^Send (now|to [1-9]\d* (person|people) now)$/ }).click()
  await expect(page.getByText(/Under way|Everybody had their turn/)).toBeVisible()
  await runCampaigns()
  await expect(async () => {
    await page.reload()
    await expect(page.getByText('Everybody had their turn.')).toBeVisible({ timeout: 1000 })
  }).toPass({ timeout: 60_000 })
}

test('opt in, campaign, one click, and not in the next', async ({ page, person, browser }) => {
  test.setTimeout(180_000)
  // Off until said; the yes stands there with its proof.
  await page.goto('/account/settings')
  const guides = page.getByRole('checkbox', { name: /Tips and guides/ })
  await expect(guides).not.toBeChecked()
  await guides.check()
  await page.getByRole('button', { name: 'Save the choice' }).click()
  await expect(page.getByText('Your choice is saved.')).toBeVisible()
  await page.getByText('What we noted, and when').click()
  await expect(page.getByText(/You agreed on .* \(in your settings, version 2\)/)).toBeVisible()
  await expectAccessible(page)

  const admin = await desk(browser)
  const subject = `Guide ${person.username}`
  await writeCampaign(admin.page, 'Guides of spring', subject)
  await expect(admin.page.getByRole('heading', { name: '1 person would get it now.' })).toBeVisible()
  await expect(admin.page.getByText(`${person.email[0]}•••@e•••.test`)).toBeVisible()
  await expectAccessible(admin.page)
  await admin.page.reload()
  await admin.page.getByRole('link', { name: 'Русский' }).first().click()
  await expect(admin.page.getByText(`${subject} по-русски`)).toBeVisible()
  const framed = await admin.page.request.get(`${new URL(admin.page.url()).pathname}/html?locale=en&scheme=dark`)
  expect(framed.headers()['content-security-policy']).toMatch(/^default-src 'none';.* sandbox$/)
  expect(await framed.text()).toContain('&lt;script&gt;x&lt;/script&gt;')

  await admin.page.getByRole('button', { name: 'Send me both languages' }).click()
  await expect(admin.page.getByText('Both tests are on their way to you.')).toBeVisible()
  await expect.poll(async () => (await mailsTo(admin.owner.email)).length, { timeout: 20_000 }).toBe(2)
  expect(await campaignMails(person, subject)).toEqual([])

  await send(admin.page)
  await expect.poll(async () => (await campaignMails(person, subject)).length, { timeout: 20_000 }).toBe(1)
  const [mail] = await campaignMails(person, subject)
  expect(mail!.headers['List-Unsubscribe-Post']).toBe('List-Unsubscribe=One-Click')
  const address = /^<(.+)>$/.exec(mail!.headers['List-Unsubscribe']!)![1]!
  await expect(admin.page.getByText('Nobody it was sent to allows us to see it')).toBeVisible()
  await expectAccessible(admin.page)
  await page.goto('/account/settings/mails')
  await expect(page.getByRole('heading', { name: 'News and offers sent to you' })).toBeVisible()
  await expect(page.getByRole('cell', { name: subject })).toBeVisible()
  await expectAccessible(page)

  // A scanner opens the link and nothing happens; a mail program presses, from wherever it lives.
  const wants = () =>
    query<{ state: string }>(`SELECT state FROM marketing_choices WHERE user_id = $1 AND topic = 'guides'`, [person.id])
  const opened = await fetch(address, { redirect: 'manual' })
  expect([opened.status, (await wants())[0]!.state]).toEqual([303, 'on'])
  const press = (url: string) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://mail.example' },
      body: 'List-Unsubscribe=One-Click',
    })
  expect((await press(address)).status).toBe(200)
  expect((await press(address)).status).toBe(200)
  expect((await press(address.slice(0, -3))).status).toBe(410)
  expect((await wants())[0]!.state).toBe('off')

  const next = `Second ${person.username}`
  await writeCampaign(admin.page, 'Guides of summer', next)
  await expect(admin.page.getByRole('heading', { name: 'Nobody would get it now.' })).toBeVisible()
  await send(admin.page)
  expect(await campaignMails(person, next)).toEqual([])
  await admin.page.goto(`/admin/customers/${person.id}`)
  await expect(admin.page.getByText(/with the unsubscribe button of your mail program/)).toBeVisible()
  await expectAccessible(admin.page)
  await admin.close()
})

test.describe('on a phone, in Russian, in the dark', () => {
  test.use({ viewport: { width: 360, height: 800 }, colorScheme: 'dark', locale: 'ru-RU' })

  test('the page of the link works without signing in, for its person only', async ({ page, browser }) => {
    test.setTimeout(180_000)
    const person = await makePerson({ locale: 'ru' })
    const agree = await browser.newContext({ baseURL: demo().url, locale: 'ru-RU' })
    await signIn(agree, person)
    const settings = await agree.newPage()
    await settings.goto('/account/settings')
    await settings.getByRole('checkbox', { name: /Советы и руководства/ }).check()
    await settings.getByRole('button', { name: 'Сохранить выбор' }).click()
    await expect(settings.getByText('Выбор сохранён.')).toBeVisible()
    await agree.close()
    const admin = await desk(browser)
    const subject = `Phone ${person.username}`
    await writeCampaign(admin.page, 'Guides for phones', subject)
    await send(admin.page)
    await admin.close()
    const own = `${subject} по-русски`
    await expect.poll(async () => (await campaignMails(person, own)).length, { timeout: 20_000 }).toBe(1)
    const link = (await campaignMails(person, own))[0]!.links.find((each) => each.includes('/preferences?token='))!

    await page.goto(link)
    await expect(page.getByRole('heading', { name: 'О чём вам писать' })).toBeVisible()
    await expect(page.getByText(`${person.email[0]}•••@e•••.test`)).toBeVisible()
    await expect(page.getByText(person.email)).toHaveCount(0)
    await expect(page.getByRole('checkbox', { name: /Советы и руководства/ })).toBeChecked()
    await expectAccessible(page)
    await page.getByRole('checkbox', { name: /Новости продукта/ }).check()
    await page.getByRole('button', { name: 'Сохранить выбор' }).click()
    await expect(page.getByText('Выбор сохранён.')).toBeVisible()
    await page.getByRole('button', { name: 'Больше ничего не присылать' }).click()
    await expect(page.getByText('Готово. Таких писем и сообщений больше не будет.')).toBeVisible()
    for (const box of await page.getByRole('checkbox').all()) await expect(box).not.toBeChecked()
    await expectAccessible(page)

    await page.goto(link.slice(0, -4))
    await expect(page.getByRole('heading', { name: 'Ссылка неполная' })).toBeVisible()
    await expectAccessible(page)
  })
})

test('with double opt-in a yes counts after the click in the mail', async ({ page, person, browser }) => {
  const admin = await desk(browser)
  const set = async (isOn: boolean) => {
    await admin.page.goto('/admin/settings/marketing')
    await admin.page.getByRole('checkbox', { name: /counts only after a click/ }).setChecked(isOn)
    await admin.page.getByRole('button', { name: 'Save the rules' }).click()
    await expect(admin.page.getByText('The rules are saved.')).toBeVisible()
  }
  await set(true)
  try {
    await page.goto('/account/settings')
    await page.getByRole('checkbox', { name: /Offers and discounts/ }).check()
    await page.getByRole('button', { name: 'Save the choice' }).click()
    await expect(page.getByText('Your new yes counts once you press the button')).toBeVisible()
  } finally {
    await set(false)
    await admin.close()
  }
  const states = () =>
    query<{ state: string }>(`SELECT state FROM marketing_choices WHERE user_id = $1`, [person.id]).then((rows) =>
      rows.map(({ state }) => state),
    )
  expect(await states()).toEqual(['pending'])
  await expect.poll(async () => (await mailsTo(person.email)).length, { timeout: 20_000 }).toBe(1)
  const link = (await mailsTo(person.email))[0]!.links.find((each) => each.includes('/preferences/confirm'))!
  await page.goto(link)
  await expectAccessible(page)
  expect(await states()).toEqual(['pending'])
  await page.getByRole('button', { name: 'Yes, send me these mails' }).click()
  await expect(page.getByText('Thank you, it is noted.')).toBeVisible()
  expect(await states()).toEqual(['on'])
})

test('what is opened and followed is counted of whoever allows it, and of nobody else', async ({
  page,
  person,
  browser,
}) => {
  test.setTimeout(180_000)
  await page.goto('/account/settings')
  await page.getByRole('checkbox', { name: /Tips and guides/ }).check()
  await page.getByRole('button', { name: 'Save the choice' }).click()
  await expect(page.getByText('Your choice is saved.')).toBeVisible()
  const allow = page.getByRole('checkbox', { name: /Tell the shop whether I open its news/ })
  await expect(allow).not.toBeChecked()
  await allow.check()
  await page.getByRole('button', { name: 'Save the answer' }).click()
  await expect(page.getByText('It holds for the mails we send you from now on.')).toBeVisible()
  await expectAccessible(page)
  // Somebody who wants the same mails and said nothing of being measured.
  const other = await makePerson()
  await query(
    `INSERT INTO marketing_choices (user_id, topic, channel, state, consent_id) VALUES ($1, 'guides', 'mail', 'on', 'cns_of_a_test')`,
    [other.id],
  )

  const admin = await desk(browser)
  const subject = `Read ${person.username}`
  await writeCampaign(admin.page, 'Guides of autumn', subject)
  await send(admin.page)
  const arrived = async (whom: Person) => (await campaignMails(whom, subject))[0]
  for (const whom of [person, other])
    await expect.poll(async () => (await campaignMails(whom, subject)).length, { timeout: 20_000 }).toBe(1)
  const [own, plain] = [(await arrived(person))!, (await arrived(other))!]
  expect(plain.links).toContain('https://shop.example/guide')
  expect(`${plain.html}${plain.text}`).not.toMatch(/api\/campaign|<img/)

  const link = own.links.find((each) => each.includes('/api/campaign-links/'))!
  const follow = (method: string, headers: Record<string, string> = {}) =>
    fetch(link, { method, headers, redirect: 'manual' })
  const moments = () =>
    query<{ opened_at: string | null; clicked_at: string | null }>(
      `SELECT opened_at, clicked_at FROM campaign_recipients WHERE user_id = $1`,
      [person.id],
    )
  // Looking ahead is not reading.
  for (const answer of [await follow('HEAD'), await follow('GET', { 'sec-purpose': 'prefetch' })])
    expect([answer.status, answer.headers.get('location')]).toEqual([302, 'https://shop.example/guide'])
  expect(await moments()).toEqual([{ opened_at: null, clicked_at: null }])
  const forged = await fetch(`${link.slice(0, -2)}xx`, { redirect: 'manual' })
  expect([forged.status, forged.headers.get('location')]).toEqual([404, null])
  const answer = await follow('GET')
  expect([answer.status, answer.headers.get('location')]).toEqual([302, 'https://shop.example/guide'])
  expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
  const image = await fetch(/src="([^"]*\/api\/campaign-opens\/[^"]+)"/.exec(own.html)![1]!)
  expect([image.status, image.headers.get('content-type')]).toEqual([200, 'image/gif'])

  await admin.page.reload()
  await expect(admin.page.getByText('1 of the 1 who allows it')).toHaveCount(2)
  await expect(admin.page.getByText('https://shop.example/guide EN')).toBeVisible()
  await expectAccessible(admin.page)

  // The page of the link ends it without signing in, and what was noted is gone.
  await page.context().clearCookies()
  await page.goto(own.links.find((each) => each.includes('/preferences?token='))!)
  await expect(allow).toBeChecked()
  await expectAccessible(page)
  await allow.uncheck()
  await page.getByRole('button', { name: 'Save the answer' }).click()
  await expect(page.getByText('what we had noted is erased')).toBeVisible()
  expect(await moments()).toEqual([{ opened_at: null, clicked_at: null }])
  expect((await follow('GET')).status).toBe(302)
  expect(await moments()).toEqual([{ opened_at: null, clicked_at: null }])
  await admin.page.reload()
  await expect(admin.page.getByText('Nobody it was sent to allows us to see it')).toBeVisible()
  await admin.close()
  // Nobody of this test is in the audience of another.
  await query(`UPDATE marketing_choices SET state = 'off' WHERE user_id IN ($1, $2)`, [person.id, other.id])
})

test('by Telegram into a linked chat, for whoever said yes to that', async ({ page, person, browser }) => {
  test.setTimeout(180_000)
  const { controlUrl } = demo().telegram
  const chatId = Number(BigInt(`0x${person.id.slice(-8)}`)) + 2
  await page.goto('/account/settings')
  await expect(page.getByText('Link a chat in your notification settings first')).toBeVisible()
  await page.getByRole('link', { name: 'To the notification settings' }).click()
  await page.getByRole('button', { name: 'Make a link' }).click()
  const link = page.getByRole('link', { name: 'Open Telegram' })
  await expect(link).toBeVisible()
  const token = new URL((await link.getAttribute('href'))!).searchParams.get('start')
  expect(await control(controlUrl, 'start', { chatId, token })).toMatchObject({ status: 200 })

  await page.goto('/account/settings')
  const group = page.getByRole('group', { name: 'What you would like to hear of by Telegram' })
  const guides = group.getByRole('checkbox', { name: /Tips and guides/ })
  await expect(guides).not.toBeChecked()
  await guides.check()
  await page.getByRole('button', { name: 'Save the choice for Telegram' }).click()
  await expect(page.getByText('Your choice for Telegram is saved.')).toBeVisible()
  await page.getByText('What we noted, and when').click()
  await expect(page.getByText('Tips and guides, by Telegram')).toBeVisible()
  await expectAccessible(page)

  const admin = await desk(browser)
  const subject = `Chat ${person.username}`
  await writeCampaign(admin.page, 'Guides in chats', subject, 'telegram')
  await expect(admin.page.getByRole('heading', { name: '1 person would get it now.' })).toBeVisible()
  await expectAccessible(admin.page)
  await send(admin.page)
  const inChat = async () =>
    (await control<{ text: string }[]>(controlUrl, `messages?chat=${chatId}`)).filter(({ text }) =>
      text.includes(`<b>${subject}</b>`),
    )
  await expect.poll(async () => (await inChat()).length, { timeout: 20_000 }).toBe(1)
  expect(await campaignMails(person, subject)).toEqual([])
  await expect(admin.page.getByText('Messages in Telegram are not measured.')).toBeVisible()
  await expectAccessible(admin.page)
  await admin.close()

  // The link in the message ends it without signing in.
  const [wayOut] = (await inChat()).map(({ text }) => /href="([^"]+\/preferences\?token=[^"]+)"/.exec(text)?.[1])
  invariant(wayOut, 'the message has a signed link')
  await page.context().clearCookies()
  await page.goto(wayOut)
  await expect(guides).toBeChecked()
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Nothing any more' }).click()
  await expect(page.getByText('Done. You get none of these mails and messages any more.')).toBeVisible()
  await expect(guides).not.toBeChecked()
  expect(await query<{ state: string }>(`SELECT state FROM marketing_choices WHERE user_id = $1`, [person.id])).toEqual(
    [{ state: 'off' }],
  )
})
