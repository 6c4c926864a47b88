import { expect, test } from 'vitest'
import { db } from '@/lib/db'
import { makeFeed, revokeFeed, rotateFeed, saveTemplate } from '@/lib/exports'
import { loggedPath } from '@/lib/web/faults'
import { buyDelivered, letHoursPass } from '@/test/factories/orders'
import { GET, HEAD } from './route'

function ask(
  file: string,
  init: { method?: 'GET' | 'HEAD'; headers?: Record<string, string> } = {},
): Promise<Response> {
  const request = new Request(`http://shop.test/api/feeds/${encodeURIComponent(file)}`, init)
  return (init.method === 'HEAD' ? HEAD : GET)(request, { params: Promise.resolve({ file }) })
}

async function bought(format = 'url') {
  const { customer, orderId } = await buyDelivered({ quantity: 2 })
  const actor = { kind: 'user' as const, id: customer.id }
  const made = await makeFeed(actor, {
    kind: 'proxies',
    name: 'tool',
    filter: { order: orderId },
    format: format as 'url',
  })
  if (!made.ok) throw new Error(made.refusal.code)
  return { ...made.value, actor, orderId }
}

test('gives the list, and nothing to whoever has it already; the tag follows the content', async () => {
  const { token, orderId } = await bought()
  const first = await ask(`${token}.txt`)
  expect(first.status).toBe(200)
  expect(first.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect(first.headers.get('cache-control')).toBe('private, no-cache')
  expect(first.headers.get('referrer-policy')).toBe('no-referrer')
  expect(await first.text()).toMatch(/^(http:\/\/[^@\n]+:pw@192\.0\.2\.\d+:\d+\n){2}$/)
  const tag = first.headers.get('etag')!
  for (const header of [tag, `W/${tag}`, `"x", ${tag}`, '*']) {
    const again = await ask(`${token}.txt`, { headers: { 'if-none-match': header } })
    expect([again.status, await again.text(), again.headers.get('etag')], header).toEqual([304, '', tag])
  }
  expect((await ask(`${token}.txt`, { headers: { 'if-none-match': '"other"' } })).status).toBe(200)
  const head = await ask(`${token}.txt`, { method: 'HEAD' })
  expect([head.status, await head.text(), head.headers.get('etag')]).toEqual([200, '', tag])
  // What has ended is not in it.
  await letHoursPass(orderId, 31 * 24)
  const ended = await ask(`${token}.txt`, { headers: { 'if-none-match': tag } })
  expect([ended.status, await ended.text()]).toEqual([200, ''])
})

test('wrong, old and revoked tokens, wrong endings and rubbish get the very same answer', async () => {
  const { token, feedId, actor } = await bought('json')
  expect((await ask(`${token}.json`)).headers.get('content-type')).toBe('application/json; charset=utf-8')
  const rotated = await rotateFeed(actor, { feedId })
  if (!rotated.ok) throw new Error(rotated.refusal.code)
  expect((await ask(`${rotated.value.token}.json`)).status).toBe(200)
  await revokeFeed(actor, { feedId })
  const calendar = await makeFeed(actor, { kind: 'calendar', name: 'c' })
  if (!calendar.ok) throw new Error(calendar.refusal.code)
  const wrong = [
    `${token}.json`,
    `${rotated.value.token}.json`,
    `${calendar.value.token}.txt`,
    `${'x'.repeat(43)}.json`,
    `${token}.txt`,
    token,
    '.json',
    '',
    '../../etc/passwd',
    '%00',
    `${'x'.repeat(5000)}.txt`,
    "' OR 1=1 --.txt",
  ]
  const answers = await Promise.all(
    wrong.map(async (file) => {
      const answer = await ask(file)
      return `${answer.status} ${answer.headers.get('content-type')} ${await answer.text()}`
    }),
  )
  expect(new Set(answers).size).toBe(1)
  expect(answers[0]).toContain('404 application/problem+json')
  expect(answers[0]).toContain('"code":"not_found"')
})

test('a feed of a suspended account is closed until the account is open again', async () => {
  const { token, actor } = await bought()
  const suspend = (suspendedAt: Date | null) => db().user.update({ where: { id: actor.id }, data: { suspendedAt } })
  await suspend(new Date())
  expect((await ask(`${token}.txt`)).status).toBe(404)
  await suspend(null)
  expect((await ask(`${token}.txt`)).status).toBe(200)
})

test('is written by its owner’s template as it is now', async () => {
  const { customer } = await buyDelivered()
  const actor = { kind: 'user' as const, id: customer.id }
  const saved = await saveTemplate(actor, { name: 'Mine', kind: 'csv', text: '{host},{user}' })
  if (!saved.ok) throw new Error(saved.refusal.code)
  const { templateId } = saved.value
  const made = await makeFeed(actor, { kind: 'proxies', name: 'tool', filter: {}, format: templateId })
  if (!made.ok) throw new Error(made.refusal.code)
  expect(await (await ask(`${made.value.token}.csv`)).text()).toMatch(/^host,user\r\n192\.0\.2\.\d+,u\w+\r\n$/)
  await saveTemplate(actor, { templateId, name: 'Mine', kind: 'line', text: '{country}' })
  expect(await (await ask(`${made.value.token}.txt`)).text()).toMatch(/^[A-Z]{2}\n$/)
})

test('the log never has a token', () => {
  expect(loggedPath('/api/feeds/secret.txt?x=1')).toBe('/api/feeds/…')
  expect(loggedPath('/api/calendar/secret.ics')).toBe('/api/calendar/…')
  expect(loggedPath('/account/orders/ord_1?a=b')).toBe('/account/orders/ord_1')
})
