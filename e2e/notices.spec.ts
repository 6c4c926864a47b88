import type { Page } from '@playwright/test'
import { control, demo, expect, mailsTo, type Person, query, test } from './fixtures'

const bell = (page: Page) => page.getByRole('banner').getByRole('link', { name: /^Notices/ })

/** Buys one proxy and waits until the worker has handed it over. */
async function buy(page: Page, person: Person, country: string): Promise<void> {
  await page.goto(`/catalogue/datacenter-ipv4?country=${country}&days=30&quantity=1`)
  await page.getByRole('button', { name: /Buy 1 for/ }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)
  const orderId = new URL(page.url()).pathname.split('/').at(-1)
  await expect
    .poll(
      async () =>
        (
          await query<{ state: string }>(`SELECT state FROM orders WHERE id = $1 AND user_id = $2`, [
            orderId,
            person.id,
          ])
        )[0]?.state,
      { timeout: 30_000 },
    )
    .toBe('active')
}

const readyMails = async (person: Person) =>
  (await mailsTo(person.email)).filter((mail) => mail.subject.includes('proxy is ready')).length

test('an order is told by the bell, the page and a mail; with its mail off by a notice only; and in a linked chat', async ({
  page,
  person,
}) => {
  test.setTimeout(150_000)
  await page.goto('/account/notices')
  await expect(page.getByText('Nothing yet')).toBeVisible()
  await expect(bell(page)).toHaveAccessibleName('Notices')

  await buy(page, person, 'NL')
  await expect.poll(() => readyMails(person), { timeout: 20_000 }).toBe(1)
  await page.goto('/account')
  await expect(bell(page)).toHaveAccessibleName('Notices, 1 unread')
  await bell(page).click()
  await expect(page.getByRole('link', { name: 'Your proxy is ready' })).toBeVisible()
  await page.getByRole('button', { name: 'Mark as read: Your proxy is ready' }).click()
  await expect(bell(page)).toHaveAccessibleName('Notices')
  await expect(page.getByRole('button', { name: /Mark/ })).toHaveCount(0)
  await page.getByRole('link', { name: 'Unread' }).click()
  await expect(page.getByText('Nothing of this kind')).toBeVisible()
  await page.goto('/account/notices?type=orders')
  await page.getByRole('link', { name: 'Your proxy is ready' }).click()
  await page.waitForURL(/\/account\/orders\/ord_/)

  await page.goto('/account/settings/notifications')
  const fixed = page.getByRole('checkbox', { name: 'Security Mail' })
  await expect(fixed).toBeChecked()
  await expect(fixed).toBeDisabled()
  await page.getByRole('checkbox', { name: 'Orders Mail' }).uncheck()
  await page.getByRole('button', { name: 'Save' }).click()
  await expect(page.getByText('Saved.')).toBeVisible()
  await page.reload()
  await expect(page.getByRole('checkbox', { name: 'Orders Mail' })).not.toBeChecked()
  await expect(page.getByRole('checkbox', { name: 'Orders In the app' })).toBeChecked()

  // The chat is linked by the address that the link leads to, as Telegram would report it.
  await page.getByRole('button', { name: 'Make a link' }).click()
  const link = page.getByRole('link', { name: 'Open Telegram' })
  await expect(link).toBeVisible()
  const address = new URL((await link.getAttribute('href'))!)
  expect(address.pathname).toBe('/sluice_demo_bot')
  const telegram = demo().telegram.controlUrl
  const chatId = Number(BigInt(`0x${person.id.slice(-8)}`)) + 1
  const start = { chatId, token: address.searchParams.get('start') }
  const heard = await control<{ status: number; reply: string }>(telegram, 'start', start)
  expect(heard).toMatchObject({ status: 200, reply: expect.stringContaining(person.username) })
  expect(await control(telegram, 'say', { chatId, text: '/stop', secret: 'forged' })).toMatchObject({ status: 401 })
  await page.reload()
  await expect(page.getByRole('button', { name: 'Unlink' })).toBeVisible()

  await buy(page, person, 'DE')
  const inChat = async () =>
    (await control<{ text: string }[]>(telegram, `messages?chat=${chatId}`)).filter((each) =>
      each.text.includes('<b>Your proxy is ready</b>'),
    ).length
  await expect.poll(inChat, { timeout: 20_000 }).toBe(1)
  await page.goto('/account/notices?show=unread')
  await expect(page.getByRole('link', { name: 'Your proxy is ready' })).toHaveCount(1)
  expect(await readyMails(person)).toBe(1)
  await page.getByRole('button', { name: 'Mark all as read' }).click()
  await expect(bell(page)).toHaveAccessibleName('Notices')

  await page.goto('/account/settings/notifications')
  await page.getByRole('button', { name: 'Unlink' }).click()
  await expect(page.getByRole('button', { name: 'Make a link' })).toBeVisible()
})
