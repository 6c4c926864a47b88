import { expect, test } from 'vitest'
import { signStandardWebhook } from '@/fakes/fakepay'
import { fakepayProvider, verifyStandardWebhook } from './fakepay'

const SECRET = 'whsec_aW52ZW50ZWQtMjQtYnl0ZS1zZWNyZXQh'
const KEY = Buffer.from(SECRET.slice(6), 'base64')
const NOW = 1_790_000_000
const BODY = '{"type":"payment.paid","data":{"order":"topup_8f3a"}}'
const RIGHT = 'v1,FMtF9oL+xJJmMe++gimSrDTQLtngYeX7JIxd3bx3bgU='
/** What comes out when the secret is used as text instead of decoded. */
const WRONG = 'v1,x3qo5dvny0cLHzN1GCr90t+F6pTjV/a2961gquhmhXY='

function verify(over: { signature?: string; body?: string; at?: number; id?: string; timestamp?: string } = {}) {
  const headers = new Headers({
    'webhook-id': over.id ?? 'msg_demo_0001',
    'webhook-timestamp': over.timestamp ?? String(NOW),
    'webhook-signature': over.signature ?? RIGHT,
  })
  return verifyStandardWebhook(KEY, {
    headers,
    body: Buffer.from(over.body ?? BODY),
    now: new Date((over.at ?? NOW) * 1000),
  })
}

test('the Standard Webhooks vector holds; its body is then found not to be ours', () => {
  expect(verify()).toMatchObject({ refusal: { code: 'malformed' } })
})

test.each([
  ['the secret taken as text', { signature: WRONG }],
  ['another body', { body: `${BODY} ` }],
  ['another id', { id: 'msg_demo_0002' }],
  ['another timestamp', { timestamp: String(NOW + 1) }],
  ['six minutes later', { at: NOW + 360 }],
  ['six minutes earlier', { at: NOW - 360 }],
  ['another version of the scheme', { signature: RIGHT.replace('v1', 'v2') }],
  ['no signature', { signature: 'v1,' }],
  ['a short signature', { signature: 'v1,AAAA' }],
  ['letters for a timestamp', { timestamp: 'now' }],
])('is refused: %s', (_, over) => {
  expect(verify(over)).toMatchObject({ refusal: { code: 'bad_signature' } })
})

test('one good signature among several is enough, as when a secret is rotated', () => {
  expect(verify({ signature: `v1a,xyz ${WRONG} ${RIGHT}` })).toMatchObject({ refusal: { code: 'malformed' } })
})

test('of a genuine event only the ids are taken', () => {
  const body = JSON.stringify({ data: { id: 'fpi_1', orderId: 'pay_1', payer: { email: 'a@b.c' } } })
  const signature = signStandardWebhook(SECRET, { id: 'msg_1', timestamp: NOW, body })
  expect(verify({ id: 'msg_1', body, signature })).toEqual({
    ok: true,
    value: { externalId: 'msg_1', providerPaymentId: 'fpi_1', paymentId: 'pay_1' },
  })
})

test('an empty secret makes no provider', () => {
  expect(() => fakepayProvider({ apiUrl: 'http://x', apiKey: 'k', webhookSecret: 'whsec_' })).toThrow()
})
