import { expect, test } from 'vitest'
import { findMissing, hasForm } from '@/lib/settings'
import { findDefinition, PROVIDER_DEFINITIONS, refuseInProduction } from './definitions'

const WHOLE: Record<string, Record<string, string>> = {
  cryptocloud: { apiUrl: 'https://api.cryptocloud.plus', apiKey: 'k', shopId: 's', secret: 'x' },
  btcpay: { apiUrl: 'https://btc.example', apiKey: 'k', storeId: 's', secret: 'w' },
  stripe: { apiUrl: 'https://api.stripe.com', secretKey: 'sk_live_1', webhookSecret: 'whsec_1' },
  nowpayments: { apiUrl: 'https://api.nowpayments.io', apiKey: 'k', ipnSecret: 's' },
  cryptomus: { apiUrl: 'https://api.cryptomus.com', merchantId: 'm', paymentKey: 'k' },
  yookassa: { apiUrl: 'https://api.yookassa.ru', shopId: '1', secretKey: 'live_1' },
}

test.each(Object.entries(WHOLE))(
  'whole and real settings of %s make an adapter, also in production',
  (name, values) => {
    const definition = findDefinition(name)!
    expect(findMissing(definition, values)).toBeNull()
    expect(refuseInProduction(definition, values)).toBeNull()
    expect(definition.build(values).name).toBe(name)
  },
)

test.each(Object.entries(WHOLE))('half of %s is told by the field that is missing', (name, values) => {
  const definition = findDefinition(name)!
  for (const field of definition.fields.filter(({ isRequired }) => isRequired))
    expect(findMissing(definition, { ...values, [field.name]: '' })!.name).toBe(field.name)
})

test.each([
  ['a test key of Stripe', 'stripe', { secretKey: 'sk_test_1' }, 'secretKey', 'test_key_in_production'],
  ['a restricted test key', 'stripe', { secretKey: 'rk_test_1' }, 'secretKey', 'test_key_in_production'],
  ['a sandbox', 'nowpayments', { apiUrl: 'https://api-sandbox.nowpayments.io' }, 'apiUrl', 'test_key_in_production'],
  ['a test shop', 'yookassa', { secretKey: 'test_1' }, 'secretKey', 'test_key_in_production'],
  ['a stand-in of BTCPay', 'btcpay', { apiUrl: 'http://127.0.0.1:1' }, 'apiUrl', 'stand_in_in_production'],
  ['a stand-in of Stripe', 'stripe', { apiUrl: 'http://localhost:1' }, 'apiUrl', 'stand_in_in_production'],
  ['a stand-in of Cryptomus', 'cryptomus', { apiUrl: 'http://[::1]:1' }, 'apiUrl', 'stand_in_in_production'],
  ['a stand-in of YooKassa', 'yookassa', { apiUrl: 'http://127.0.0.2:1' }, 'apiUrl', 'stand_in_in_production'],
] as const)('%s is refused in production by name', (_, name, odd, field, code) => {
  expect(refuseInProduction(findDefinition(name)!, { ...WHOLE[name], ...odd })).toEqual({ field, code })
})

test('the stand-in of our own is refused as a whole', () => {
  expect(refuseInProduction(findDefinition('fakepay')!, {})).toMatchObject({ code: 'stand_in_in_production' })
})

test('an email needs its password, and a password its email', () => {
  const definition = findDefinition('nowpayments')!
  expect(findMissing(definition, { ...WHOLE.nowpayments, email: 'a@b.example' })!.name).toBe('password')
  expect(findMissing(definition, { ...WHOLE.nowpayments, password: 'p' })!.name).toBe('email')
})

test('every secret of a provider is marked as one', () => {
  const open = PROVIDER_DEFINITIONS.flatMap(({ fields }) => fields.filter(({ isSecret }) => !isSecret))
  expect(new Set(open.map(({ name }) => name))).toEqual(
    new Set(['apiUrl', 'shopId', 'storeId', 'email', 'merchantId', 'checksAddress']),
  )
})

test.each([
  '',
  'x',
  'ftp://x.example',
  'https://a:b@x.example',
  'https://x.example?a=b',
  'https://x.example#a',
  'javascript:1',
])('the address %j is none', (address) => {
  expect(hasForm(findDefinition('btcpay')!.fields[0]!, address)).toBe(false)
})
