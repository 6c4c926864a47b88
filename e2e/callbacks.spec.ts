import { createHash, createHmac } from 'node:crypto'
import type { Page } from '@playwright/test'
import { control, demo, expect, makePerson, mailsTo, query, signIn, test } from './fixtures'

/** Starts a top-up by the form and returns our payment's id and the provider's. */
async function startTopUp(page: Page, amount: string): Promise<{ id: string; invoice: string }> {
  await page.goto('/account/top-up')
  await page.getByLabel('Amount in USD').fill(amount)
  await page.getByLabel(/Test payments/).check()
  await page.getByRole('button', { name: 'Continue to the payment page' }).click()
  await page.waitForURL((url) => url.port !== new URL(demo().url).port)
  const invoice = new URL(page.url()).pathname.split('/').at(-1)!
  const [row] = await query<{ id: string }>(`SELECT id FROM payments WHERE provider_payment_id = $1`, [invoice])
  return { id: row!.id, invoice }
}
const creditsOf = (id: string) =>
  query<{ n: string; total: string }>(
    `SELECT count(*) AS n, coalesce(sum(amount_micros), 0) AS total FROM ledger_transfers WHERE source_kind = 'payment' AND source_id = $1`,
    [id],
  ).then(([row]) => row!)
const stateOf = (id: string) =>
  query<{ state: string }>(`SELECT state FROM payments WHERE id = $1`, [id]).then(([row]) => row!.state)

test('the callback sent twenty times at once credits once', async ({ page, person }) => {
  expect(person.id).toBeTruthy()
  const { controlUrl } = demo().providers.fakepay
  const { id, invoice } = await startTopUp(page, '20')
  await control(controlUrl, `invoices/${invoice}/pay`, { webhooks: 0 })
  await control(controlUrl, `invoices/${invoice}/webhook`, { times: 20, concurrently: true })
  await expect.poll(() => stateOf(id), { timeout: 20_000 }).toBe('credited')
  await control(controlUrl, `invoices/${invoice}/webhook`, { times: 5 })
  expect(await creditsOf(id)).toEqual({ n: '1', total: '20000000' })
})

test('paid less: a person decides with a reason, and the customer gets what came', async ({
  page,
  person,
  browser,
}) => {
  const { controlUrl } = demo().providers.fakepay
  const { id, invoice } = await startTopUp(page, '10')
  await control(controlUrl, `invoices/${invoice}`, { state: 'paid', paid: '7.50' })
  await control(controlUrl, `invoices/${invoice}/webhook`, { times: 1 })
  await expect.poll(() => stateOf(id), { timeout: 20_000 }).toBe('needs_review')
  const desk = await browser.newContext({ baseURL: demo().url })
  await signIn(desk, await makePerson({ role: 'finance' }))
  const admin = await desk.newPage()
  await admin.goto(`/admin/payments/${id}`)
  await admin.getByRole('button', { name: 'Decline' }).click()
  await expect(admin.getByLabel('Reason')).toHaveAttribute('aria-invalid', 'true')
  await admin.getByLabel('Reason').fill('The network took its fee')
  await admin.getByRole('button', { name: /Credit what was received: 7.50/ }).click()
  await expect.poll(() => stateOf(id)).toBe('credited')
  await desk.close()
  expect(await creditsOf(id)).toEqual({ n: '1', total: '7500000' })
  await expect.poll(async () => (await mailsTo(person.email)).length, { timeout: 20_000 }).toBeGreaterThan(1)
})

test('a support agent may look at a payment but not decide', async ({ page, context }) => {
  await signIn(context, await makePerson({ role: 'support' }))
  await page.goto('/admin/payments?state=needs_review')
  await expect(page.getByRole('heading', { name: 'Payments' })).toBeVisible()
  await page.goto('/admin')
  await expect(page.getByRole('link', { name: 'Stock' })).toHaveCount(0)
})

test('what others send is answered with a problem, never with a 500, and leaves no trace', async ({ request }) => {
  const { webhookUrl, secret } = demo().providers.fakepay
  const now = Math.floor(Date.now() / 1000)
  const sign = (body: string, at = now, key = secret) => ({
    'webhook-id': 'msg_forged',
    'webhook-timestamp': String(at),
    'webhook-signature': `v1,${createHmac('sha256', Buffer.from(key.slice(6), 'base64'))
      .update(`msg_forged.${at}.${body}`)
      .digest('base64')}`,
  })
  const body = '{"type":"invoice.paid","data":{"id":"x"}}'
  const cases: [string, { data?: string; headers?: Record<string, string>; url?: string; status: number[] }][] = [
    ['nothing', { status: [400, 401] }],
    ['no signature', { data: body, status: [401] }],
    [
      'a signature with another key',
      {
        data: body,
        headers: sign(body, now, `whsec_${Buffer.from('x'.repeat(24)).toString('base64')}`),
        status: [401],
      },
    ],
    ['an old signature', { data: body, headers: sign(body, now - 3600), status: [401] }],
    ['a changed body', { data: `${body} `, headers: sign(body), status: [401] }],
    ['signed nonsense', { data: 'not json', headers: sign('not json'), status: [400] }],
    ['signed, of the wrong shape', { data: '[1,2]', headers: sign('[1,2]'), status: [400] }],
    ['too long', { data: 'x'.repeat(200_000), headers: sign('x'), status: [413] }],
    ['an unknown provider', { data: body, url: '/api/webhooks/nobody', status: [404] }],
    [
      'another provider’s door',
      { data: body, headers: sign(body), url: '/api/webhooks/cryptocloud', status: [400, 401] },
    ],
    ['a path with tricks', { data: body, url: '/api/webhooks/..%2f..%2fadmin', status: [404] }],
  ]
  for (const [name, { data, headers, url, status }] of cases) {
    const answer = await request.post(url ?? webhookUrl, {
      data: data === undefined ? undefined : Buffer.from(data),
      headers: { 'content-type': 'application/json', ...headers },
    })
    expect(status, name).toContain(answer.status())
  }
  expect((await request.get(webhookUrl)).status()).toBe(405)
  // By the digests of these bodies: callbacks of payments made by other tests come in at the same time.
  const digests = cases.flatMap(([, { data }]) =>
    data === undefined ? [] : [createHash('sha256').update(data).digest('hex')],
  )
  expect(
    await query(`SELECT id FROM webhook_messages WHERE digest = ANY($1) OR external_id = 'msg_forged'`, [digests]),
  ).toEqual([])
})
