import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { cryptoCloudProvider } from './cryptocloud'

const SECRET = 'cc-demo-secret-2c9f41d7a0be4e55-notreal'
const NOW = 1_790_000_000
/** The published vector: id QX7K2M9P, good for 300 seconds from NOW. */
const TOKEN =
  'eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpZCI6IlFYN0syTTlQIiwiZXhwIjoxNzkwMDAwMzAwfQ.pdebgrPT3EEAshITHmBlk8YZzOkL6GmELMxIbi7j-uE'
const provider = cryptoCloudProvider({ apiUrl: 'http://127.0.0.1:1', apiKey: 'k', shopId: 's', secret: SECRET })

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
function token(header: object, payload: object, hash: 'sha256' | 'sha512' | null = 'sha256', secret = SECRET): string {
  const signed = `${encode(header)}.${encode(payload)}`
  return `${signed}.${hash ? createHmac(hash, secret).update(signed).digest('base64url') : ''}`
}

function postback(over: Record<string, unknown> = {}): Buffer {
  return Buffer.from(
    JSON.stringify({ status: 'success', invoice_id: 'QX7K2M9P', order_id: 'pay_1', token: TOKEN, ...over }),
  )
}

async function verify(body: Buffer, options: { at?: number; type?: string } = {}) {
  const headers = new Headers({ 'content-type': options.type ?? 'application/json' })
  return provider.verifyWebhook({ headers, body, now: new Date((options.at ?? NOW) * 1000) })
}

test('the vector is accepted, as JSON and as a form, and the id gets its prefix', async () => {
  const value = {
    externalId: 'INV-QX7K2M9P:success',
    providerPaymentId: 'INV-QX7K2M9P',
    paymentId: 'pay_1',
  }
  expect(await verify(postback())).toEqual({ ok: true, value })
  const form = new URLSearchParams({ status: 'success', invoice_id: 'QX7K2M9P', order_id: 'pay_1', token: TOKEN })
  const type = 'application/x-www-form-urlencoded; charset=utf-8'
  expect(await verify(Buffer.from(form.toString()), { type })).toEqual({ ok: true, value })
  expect(await verify(postback(), { at: NOW + 299 })).toMatchObject({ ok: true })
})

test.each([
  ['for another invoice', postback({ invoice_id: 'ZB41TR8W' }), NOW],
  ['after its end', postback(), NOW + 301],
  ['long before it was made', postback(), NOW - 3600],
  [
    'with alg none',
    postback({ token: token({ typ: 'JWT', alg: 'none' }, { id: 'QX7K2M9P', exp: NOW + 300 }, null) }),
    NOW,
  ],
  [
    'with HS512',
    postback({ token: token({ typ: 'JWT', alg: 'HS512' }, { id: 'QX7K2M9P', exp: NOW + 300 }, 'sha512') }),
    NOW,
  ],
  ['without an end', postback({ token: token({ typ: 'JWT', alg: 'HS256' }, { id: 'QX7K2M9P' }) }), NOW],
  [
    'with a far end',
    postback({ token: token({ typ: 'JWT', alg: 'HS256' }, { id: 'QX7K2M9P', exp: NOW + 86_400 }) }),
    NOW,
  ],
  ['without an id', postback({ token: token({ typ: 'JWT', alg: 'HS256' }, { exp: NOW + 300 }) }), NOW],
  [
    'under another secret',
    postback({ token: token({ alg: 'HS256' }, { id: 'QX7K2M9P', exp: NOW + 300 }, 'sha256', 'x') }),
    NOW,
  ],
  [
    'under an empty secret',
    postback({ token: token({ alg: 'HS256' }, { id: 'QX7K2M9P', exp: NOW + 300 }, 'sha256', '') }),
    NOW,
  ],
])('the token is refused %s', async (_, body, at) => {
  expect(await verify(body, { at })).toMatchObject({ ok: false, refusal: { code: 'bad_signature' } })
})

test('an invoice that is overpaid after it was paid is another fact; a word nobody knows is none', async () => {
  const told = async (status: unknown) => {
    const verdict = await verify(postback({ invoice_info: { status } }))
    return verdict.ok && verdict.value.externalId
  }
  expect(await told('paid')).toBe('INV-QX7K2M9P:success:paid')
  expect(await told('overpaid')).toBe('INV-QX7K2M9P:success:overpaid')
  for (const word of ['invented', '__proto__', 'x'.repeat(9_000), 7, null])
    expect(await told(word)).toBe('INV-QX7K2M9P:success')
})

test('the id may come as `uuid`, with its prefix', async () => {
  const odd = token({ typ: 'JWT', alg: 'HS256' }, { uuid: 'INV-QX7K2M9P', exp: NOW + 300 })
  expect(await verify(postback({ token: odd }))).toMatchObject({ ok: true })
})

test('no secret, no provider', () => {
  expect(() => cryptoCloudProvider({ apiUrl: 'http://x', apiKey: 'k', shopId: 's', secret: '' })).toThrow()
})
