import { NextRequest } from 'next/server'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { chooseLocale } from '@/i18n/locales'
import { accepted, refused } from '@/lib/kit'

/** Modules are loaded anew for each test, because settings are read once per process. */
async function load(publicUrl = 'http://shop.test') {
  vi.resetModules()
  Object.assign(process.env, {
    SLUICE_MODE: 'test',
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
    AUTH_SECRET: 'test-'.repeat(8),
    PUBLIC_URL: publicUrl,
    LOG_LEVEL: 'silent',
  })
  return {
    ...(await import('./routes')),
    ...(await import('./errors')),
    ...(await import('./actions')),
    ...(await import('./auth-options')),
    ...(await import('./auth-route')),
    ...(await import('@/proxy')),
  }
}

const settings = { ...process.env }
beforeEach(() => void vi.useRealTimers())
afterEach(() => {
  process.env = { ...settings }
})

const context = { params: Promise.resolve({ provider: 'fakepay' }) }
const post = (body: BodyInit, headers: Record<string, string> = {}) =>
  new Request('http://shop.test/api/x', { method: 'POST', body, headers, duplex: 'half' } as RequestInit)

it('gives a webhook its raw bytes and its place in the address, and answers what the work said', async () => {
  const { webhookRoute } = await load()
  const bytes = Buffer.from([0, 255, 10, 13, 123])
  const route = webhookRoute(async ({ body, params, headers }) => {
    expect(body.equals(bytes)).toBe(true)
    return accepted({ provider: params.provider!, signature: headers.get('x-signature') })
  })
  const answer = await route(post(bytes, { 'x-signature': 'abc' }), context)
  expect(await answer.json()).toEqual({ provider: 'fakepay', signature: 'abc' })
  expect(answer.headers.get('cache-control')).toBe('no-store')
})

it('refuses a body above the cap with 413, whether or not its length was told, and reads no further', async () => {
  const { webhookRoute, BODY_BYTES_MAX } = await load()
  const work = vi.fn(async () => accepted(null))
  let pulled = 0
  const endless = new ReadableStream({
    pull(controller) {
      pulled += 1
      controller.enqueue(new Uint8Array(16 * 1024))
    },
  })
  const answer = await webhookRoute(work)(post(endless), context)
  expect(answer.status).toBe(413)
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  expect(await answer.json()).toMatchObject({ status: 413, code: 'body_too_large' })
  expect(pulled).toBeLessThan(10)
  expect((await webhookRoute(work)(post('x', { 'content-length': String(BODY_BYTES_MAX + 1) }), context)).status).toBe(
    413,
  )
  expect(work).not.toHaveBeenCalled()
})

it('answers a sender that hangs up with 400, not with a fault', async () => {
  const { publicRoute } = await load()
  const broken = new ReadableStream({ pull: () => Promise.reject(new Error('gone')) })
  const route = publicRoute(async ({ readBody }) => accepted((await readBody()).length))
  expect((await route(post(broken), context)).status).toBe(400)
})

it('turns a refusal into a problem and a fault into one calm sentence with a reference', async () => {
  const { publicRoute } = await load()
  const no = await publicRoute(async () => refused('not_found'))(post(''), context)
  expect([no.status, await no.json()]).toEqual([404, expect.objectContaining({ code: 'not_found' })])
  const fault = await publicRoute(async () => {
    throw new Error('password=hunter2')
  })(post(''), context)
  const text = await fault.text()
  expect(fault.status).toBe(500)
  expect(text).toMatch(/"reference":"[0-9A-F]{8}"/)
  expect(text).not.toContain('hunter2')
})

it('puts the facts of a refusal into the sentence', async () => {
  const { sayRefusal } = await load()
  expect(sayRefusal({ code: 'password_too_weak', facts: { reason: 'is_login' } }, 'en')).toContain('differ')
  expect(sayRefusal({ code: 'password_too_weak', facts: { reason: 'common' } }, 'ru')).toContain('подбирают')
  expect(sayRefusal({ code: 'body_too_large', facts: { maximum: 65536 } }, 'en')).toContain('65,536')
})

it('says for each field its first issue in the person’s language, and never zod’s own words', async () => {
  const { sayIssues } = await load()
  const schema = z.object({
    email: z.email('email_invalid'),
    amount: z.coerce.number().min(5),
    plan: z.string(),
    kind: z.enum(['a']),
  })
  const parsed = schema.safeParse({ email: 'x', amount: '1', kind: 'b' })
  expect(sayIssues(parsed.error!.issues, 'en')).toEqual({
    email: 'Type an email address like name@example.com.',
    amount: 'Not less than 5.',
    plan: expect.stringMatching(/Fill this in|cannot be used/),
    kind: 'This cannot be used as it is. Check it.',
  })
  expect(sayIssues(parsed.error!.issues, 'ru').amount).toBe('Не меньше 5.')
})

it('binds the cookie to the host when customers come by https', async () => {
  expect((await load()).sessionCookie()).toMatchObject({
    name: 'sluice-session',
    options: { secure: false, httpOnly: true },
  })
  expect((await load('https://shop.example')).sessionCookie()).toMatchObject({
    name: '__Host-sluice-session',
    options: { secure: true, httpOnly: true, sameSite: 'lax', path: '/' },
  })
})

it('lets next-auth redirect to our own pages only', async () => {
  const redirect = (await load()).authOptions().callbacks!.redirect!
  const to = (url: string) => redirect({ url, baseUrl: 'http://other.test' })
  expect(await to('/account/orders')).toBe('http://shop.test/account/orders')
  expect(await to('http://shop.test/account/orders')).toBe('http://shop.test/account/orders')
  expect(await to('http://shop.test.evil.example/x')).toBe('http://shop.test/account')
  expect(await to('//evil.example')).toBe('http://shop.test/account')
})

it('sends the security headers with every page, a nonce of its own each time, and HSTS only by https', async () => {
  const plain = await load()
  const [one, two] = await Promise.all(
    [1, 2].map(() => plain.proxy(new NextRequest('http://shop.test/sign-in?next=/x'))),
  )
  const policy = one!.headers.get('content-security-policy')!
  expect(policy).toMatch(/script-src 'self' 'nonce-[A-Za-z0-9+/=]{24}' 'strict-dynamic';/)
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toContain('unsafe')
  expect(policy).not.toBe(two!.headers.get('content-security-policy'))
  expect(one!.headers.get('strict-transport-security')).toBeNull()
  expect(one!.headers.get('x-content-type-options')).toBe('nosniff')
  const secure = await (await load('https://shop.example')).proxy(new NextRequest('https://shop.example/'))
  expect(secure.headers.get('strict-transport-security')).toContain('max-age=')
})

it('chooses the language: the choice, else the browser’s best, else English', () => {
  expect(chooseLocale('ru', 'en')).toBe('ru')
  expect(chooseLocale('xx', 'de, ru;q=0.8, en;q=0.5')).toBe('ru')
  expect(chooseLocale(undefined, 'ru-RU,ru;q=0.9,en-US;q=0.8')).toBe('ru')
  expect(chooseLocale(undefined, 'ru;q=0, en;q=0.1')).toBe('en')
  for (const odd of [null, '', '*', ';;;', 'q=1', 'de']) expect(chooseLocale(undefined, odd)).toBe('en')
})

it('answers an address that means nothing with 400, whatever page it would have led to', async () => {
  const { proxy } = await load()
  for (const path of ['/catalogue/%ff', '/account/orders/%00', '/admin/customers?search=a%00b', '/legal/%C0%80'])
    expect((await proxy(new NextRequest(`http://shop.test${path}`))).status, path).toBe(400)
  expect((await proxy(new NextRequest('http://shop.test/catalogue/100%25?search=%25'))).status).toBe(200)
})

it('takes forms from its own pages only, whatever a header says the host was', async () => {
  const { proxy } = await load()
  const send = async (headers: Record<string, string>, method = 'POST') =>
    (await proxy(new NextRequest('http://shop.test/account', { method, headers: { host: 'shop.test', ...headers } })))
      .status
  expect(await send({ origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' })).toBe(403)
  expect(await send({ origin: 'null' })).toBe(403)
  expect(await send({ origin: 'http://shop.test' })).toBe(200)
  expect(await send({ origin: 'http://10.0.0.5:3000', host: '10.0.0.5:3000' })).toBe(200)
  expect(await send({})).toBe(200)
  expect(await send({ origin: 'https://evil.example' }, 'GET')).toBe(200)
})

it('next-auth takes no log lines from strangers and makes no fault of a link or of what it cannot read', async () => {
  const { authRoute } = await load()
  const ask = (path: string, init: RequestInit) =>
    authRoute(new Request(`http://shop.test/api/auth/${path}`, init), {
      params: Promise.resolve({ nextauth: path.split('/') }),
    })
  expect((await ask('_log', { method: 'POST' })).status).toBe(404)
  expect((await ask('callback/credentials', { method: 'GET' })).status).toBe(404)
  for (const [type, body] of [
    ['application/json', '{'],
    ['application/json', 'null'],
    ['multipart/form-data; boundary=x', '--x'],
  ])
    expect(
      (await ask('callback/credentials', { method: 'POST', body, headers: { 'content-type': type! } })).status,
    ).toBe(400)
  const long = { method: 'POST', body: 'login='.padEnd(70_000, 'a') }
  expect((await ask('signin', long)).status).toBe(413)
})

it('a field with a zero byte is a wrong field, not a fault', async () => {
  vi.doMock('next/headers', () => ({
    cookies: async () => ({ get: () => undefined }),
    headers: async () => new Headers(),
  }))
  const { publicAction } = await load()
  vi.doUnmock('next/headers')
  const work = vi.fn(async () => accepted(null))
  const form = new FormData()
  form.set('name', 'a\0b')
  const idle = { status: 'idle' as const, message: null, code: null, facts: {}, fieldErrors: {}, values: {} }
  const answer = await publicAction(z.object({ name: z.string() }), work)(idle, form)
  expect(answer).toMatchObject({ status: 'invalid', fieldErrors: { name: expect.any(String) } })
  expect(work).not.toHaveBeenCalled()
})

it('the address of a request is what our own outermost balancer saw, whatever the sender wrote', async () => {
  await load()
  const { addressOf } = await import('./address-of')
  const from = (hops: string, balancers?: number) => addressOf(new Headers({ 'x-forwarded-for': hops }), balancers)
  expect(from('203.0.113.7')).toBe('203.0.113.7')
  expect(from('198.51.100.1, 203.0.113.7')).toBe('203.0.113.7')
  expect(from('198.51.100.1, 203.0.113.7, 10.0.0.2', 2)).toBe('203.0.113.7')
  expect(from('::ffff:203.0.113.7')).toBe('203.0.113.7')
  expect(from('2001:db8::7')).toBe('2001:db8::7')
  expect(from('203.0.113.7', 2)).toBeNull()
  expect(from('<script>')).toBeNull()
  expect(addressOf(new Headers())).toBeNull()
})
