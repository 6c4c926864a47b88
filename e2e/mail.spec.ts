import type { Page } from '@playwright/test'
import {
  control,
  demo,
  expect,
  expectAccessible,
  mailsTo,
  makePerson,
  type Person,
  query,
  signIn,
  test,
} from './fixtures'

const stateOf = (key: string) =>
  query<{ state: string }>('SELECT state FROM outgoing_emails WHERE key = $1', [key]).then(([row]) => row?.state)

/** Promises a mail as the shop does, and waits until the mail service has it. */
async function mailed(person: Person, key: string): Promise<void> {
  await query(
    `SELECT queue_user_email($1, $2, 'top_up_declined', '{"paymentId":"pay_1","requestedMicros":"20000000","currency":"USD"}')`,
    [key, person.id],
  )
  await expect.poll(() => stateOf(key), { timeout: 20_000 }).not.toMatch(/queued|sending/)
}

async function open(page: Page, path: string): Promise<void> {
  await page.goto(path)
  await expectAccessible(page)
}

test('an address whose mails come back is seen by its owner and by support, lifted, and the next mail arrives', async ({
  page,
  person,
  browser,
}) => {
  await mailed(person, `bounce:${person.id}`)
  const [mail] = (await mailsTo(person.email)) as unknown as { id: string }[]
  const { answers } = await control<{ answers: number[] }>(demo().mail.controlUrl, `mails/${mail!.id}/webhook`, {
    type: 'bounced',
  })
  expect(answers).toEqual([202])

  // Its owner sees it everywhere in the account, and in the log of their mails.
  await open(page, '/account')
  await expect(page.getByText(`Our mails do not reach ${person.email}`)).toBeVisible()
  await page.getByRole('link', { name: 'See what to do' }).click()
  await expect(page.getByRole('heading', { name: 'Mails sent to you' })).toBeVisible()
  await expect(page.getByRole('cell', { name: /Came back/ })).toBeVisible()
  await expectAccessible(page)

  // Meanwhile nothing is sent there.
  await mailed(person, `stopped:${person.id}`)
  expect(await stateOf(`stopped:${person.id}`)).toBe('suppressed')

  // Support sees it on the customer's page, and lets it get mail again with a reason.
  const desk = await browser.newContext({ baseURL: demo().url })
  await signIn(desk, await makePerson({ role: 'support' }))
  const admin = await desk.newPage()
  await open(admin, `/admin/customers/${person.id}`)
  await expect(admin.getByText(`${person.email} gets no mail: No such mailbox.`)).toBeVisible()
  await admin.getByRole('link', { name: 'Stopped addresses' }).click()
  await expect(admin.getByRole('cell', { name: person.email, exact: true })).toBeVisible()
  await admin.getByText('Let it get mail again').first().click()
  await admin.getByRole('button', { name: 'Let it get mail again' }).click()
  await expect(admin.getByLabel('Reason')).toHaveAttribute('aria-invalid', 'true')
  await admin.getByLabel('Reason').fill('The mailbox was full, she says')
  await expectAccessible(admin)
  await admin.getByRole('button', { name: 'Let it get mail again' }).click()
  await expect(admin.getByText('The mailbox was full, she says')).toBeVisible()

  // What was held back is sent again, and what comes next arrives by itself.
  await open(admin, `/admin/mail?search=${person.email}&state=suppressed`)
  await admin.getByRole('button', { name: /^Send again/ }).click()
  await expect.poll(() => stateOf(`stopped:${person.id}`), { timeout: 20_000 }).toBe('delivered')
  await desk.close()
  await mailed(person, `after:${person.id}`)
  await expect.poll(() => stateOf(`after:${person.id}`), { timeout: 20_000 }).toBe('delivered')
  expect(await mailsTo(person.email)).toHaveLength(3)
  await page.goto('/account')
  await expect(page.getByText('Our mails do not reach')).toHaveCount(0)
})

test('an owner of an address proves that the mailbox is there again', async ({ page, person }) => {
  await mailed(person, `bounce:${person.id}`)
  const [mail] = (await mailsTo(person.email)) as unknown as { id: string }[]
  await control(demo().mail.controlUrl, `mails/${mail!.id}/webhook`, { type: 'bounced' })
  await page.goto('/account/settings/mails')
  await page.getByRole('button', { name: 'Send me a confirming link' }).click()
  await expect(page.getByText('A link is on its way to your mailbox.')).toBeVisible()
  await expect.poll(async () => (await mailsTo(person.email)).length, { timeout: 20_000 }).toBe(2)
  await page.goto((await mailsTo(person.email))[0]!.links[0]!)
  await page.getByRole('button', { name: /Confirm/ }).click()
  await page.waitForURL((url) => !url.pathname.startsWith('/verify'))
  await page.goto('/account/settings/mails')
  await expect(page.getByRole('heading', { name: 'Mails sent to you' })).toBeVisible()
  await expect(page.getByText('Our mails do not reach')).toHaveCount(0)
})

test('the owner sets who mails come from, sees how they look, and tries them out', async ({ page, context }) => {
  const owner = await makePerson({ role: 'owner' })
  await signIn(context, owner)
  await open(page, '/admin/settings/mail')
  await page.getByLabel('Sender’s name').fill('Shop <evil@example.com>')
  await page.getByLabel('Colour of buttons and links').fill('#ffe14d')
  await page.getByRole('button', { name: 'Save the sender' }).click()
  await expect(page.getByText('Use one line without')).toBeVisible()
  await expect(page.getByText('Choose a tone in between')).toBeVisible()
  await page.getByLabel('Sender’s name').fill('Sluice')
  await page.getByLabel('Lines at the foot').fill('Sluice Ltd\n1 Quay Street, Dublin')
  await page.getByLabel('Colour of buttons and links').fill('#0e7977')
  await page.getByRole('button', { name: 'Save the sender' }).click()
  await expect(page.getByText('Saved. The next mail looks so.')).toBeVisible()
  await page.getByRole('button', { name: 'Send me a test' }).click()
  await expect.poll(async () => (await mailsTo(owner.email)).length, { timeout: 20_000 }).toBe(1)
  expect((await mailsTo(owner.email))[0]!.text).toContain('1 Quay Street, Dublin')

  // The frame's page is asked for by itself as well: scripts are off in it, so nothing can be asked inside.
  const address = '/admin/mail/previews/order_delivered/html?locale=ru&scheme=dark'
  const framed = page.waitForResponse((answer) => answer.url().endsWith(address))
  await page.goto('/admin/mail/previews/order_delivered?locale=ru&scheme=dark')
  expect((await framed).status()).toBe(200)
  await expectAccessible(page)
  const answer = await page.request.get(address)
  expect(answer.headers()['content-security-policy']).toMatch(/^default-src 'none';.* frame-ancestors 'self'; sandbox$/)
  const html = await answer.text()
  expect(html).toContain('1 Quay Street, Dublin')
  expect(html).toContain('@media all {')
  expect(html).not.toMatch(/href="http/)
  await expect(page.getByText('Готовы 3 прокси').first()).toBeVisible()
})
