import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { cryptomusCallback, startCryptomusFake } from '@/fakes/cryptomus'
import type { Fake } from '@/fakes/kit'
import { SYSTEM } from '@/lib/audit'
import { db, Prisma } from '@/lib/db'
import { newId } from '@/lib/kit'
import { insertCustomer } from '@/test/factories/customer'
import { insertProvider } from '@/test/factories/provider'
import {
  enabledProviders,
  findProviderForAdmin,
  forgetProvider,
  listProvidersForAdmin,
  receiveWebhook,
  reconcilePayments,
  saveProvider,
  type SaveProviderInput,
  settlePayment,
  startTopUp,
  testProvider,
  usableProviders,
} from '.'
import { forgetProviders } from './providers/registry'

const KEY = 'cm-payment-key-of-this-test-7f31'
const MERCHANT = 'merchant-77'
let fake: Fake

beforeAll(async () => {
  fake = await startCryptomusFake({ port: 0, merchantId: MERCHANT, paymentKey: KEY, retryGapsMs: [] })
})
afterAll(() => fake.close())
beforeEach(async () => {
  await db().paymentProvider.deleteMany()
  forgetProviders()
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
})

const whole = () => ({ apiUrl: fake.url, merchantId: MERCHANT, paymentKey: KEY })
const save = (more: Partial<SaveProviderInput> = {}) =>
  saveProvider(SYSTEM, {
    provider: 'cryptomus',
    isEnabled: true,
    values: whole(),
    minMicros: null,
    maxMicros: null,
    toleranceBasisPoints: 0,
    chargeCurrency: null,
    chargeRate: null,
    ...more,
  })
const refusal = (code: string, field?: string) => ({ ok: false, refusal: { code, facts: field ? { field } : {} } })
const names = async (list: () => Promise<readonly { name: string }[]>) => (await list()).map(({ name }) => name)

describe('saving', () => {
  test('whole settings switch a provider on at once in this process, with the operator’s terms', async () => {
    expect(await names(enabledProviders)).toEqual([])
    const terms = { minMicros: 5_000_000n, maxMicros: 100_000_000n, toleranceBasisPoints: 50 }
    expect(await save({ ...terms, chargeCurrency: 'EUR', chargeRate: '0.92' })).toEqual({
      ok: true,
      value: { isEnabled: true },
    })
    const [provider] = await enabledProviders()
    expect(provider).toMatchObject({
      name: 'cryptomus',
      terms: { ...terms, charge: { currency: 'EUR', rate: '0.92' } },
    })
  })

  test('it cannot be switched on without its secret, and half of it may be kept switched off', async () => {
    const half = { apiUrl: fake.url, merchantId: MERCHANT }
    expect(await save({ values: half })).toEqual(refusal('secret_missing', 'secret.paymentKey'))
    expect(await save({ values: { paymentKey: KEY } })).toEqual(refusal('setting_missing', 'setting.merchantId'))
    expect(await db().paymentProvider.count()).toBe(0)
    expect(await save({ values: half, isEnabled: false })).toMatchObject({ ok: true })
    expect(await findProviderForAdmin('cryptomus')).toMatchObject({ isEnabled: false, problem: 'not_set_up' })
    expect(await save({ values: { paymentKey: KEY } })).toMatchObject({ ok: true })
  })

  test.each<[string, Partial<SaveProviderInput>, string, string]>([
    ['an address of another kind', { values: { apiUrl: 'ftp://x' } }, 'setting_malformed', 'setting.apiUrl'],
    ['an address with a password', { values: { apiUrl: 'https://a:b@x.test' } }, 'setting_malformed', 'setting.apiUrl'],
    ['a key with a space', { values: { paymentKey: 'a b' } }, 'setting_malformed', 'secret.paymentKey'],
    ['a key with a line break', { values: { paymentKey: 'a\r\nx: y' } }, 'setting_malformed', 'secret.paymentKey'],
    ['limits that cross', { minMicros: 9_000_000n, maxMicros: 8_000_000n }, 'limits_crossed', 'maxMicros'],
    ['a currency without a rate', { chargeCurrency: 'EUR' }, 'charge_incomplete', 'chargeRate'],
    ['a rate without a currency', { chargeRate: '1' }, 'charge_incomplete', 'chargeCurrency'],
    [
      'the shop’s own currency',
      { chargeCurrency: 'USD', chargeRate: '1' },
      'charge_is_shop_currency',
      'chargeCurrency',
    ],
  ])('%s is refused beside its field', async (_, odd, code, field) => {
    const before = await db().paymentProvider.count()
    expect(await save({ ...odd, values: { ...whole(), ...odd.values } })).toEqual(refusal(code, field))
    expect(await db().paymentProvider.count()).toBe(before)
  })

  test('limits that the vendor’s own leave nothing of are refused', async () => {
    const values = { apiUrl: 'https://api.nowpayments.test', apiKey: 'k', ipnSecret: 's' }
    const asked = { provider: 'nowpayments', values, maxMicros: 4_000_000n }
    expect(await save(asked)).toEqual(refusal('limits_crossed', 'maxMicros'))
    expect(await save({ ...asked, values: { ...values, email: 'a@b.test' }, maxMicros: null })).toEqual(
      refusal('secret_missing', 'secret.password'),
    )
    expect(await save({ provider: 'nobody' })).toEqual(refusal('unknown_provider'))
  })

  test('an empty secret keeps the stored one, another one takes its place', async () => {
    await save()
    expect(await save({ values: { paymentKey: '', merchantId: 'other' } })).toMatchObject({ ok: true })
    expect(await testProvider(SYSTEM, 'cryptomus')).toEqual({ ok: true, value: { result: 'key_refused' } })
    await save({ values: { merchantId: MERCHANT } })
    expect(await testProvider(SYSTEM, 'cryptomus')).toEqual({ ok: true, value: { result: 'ok' } })
  })

  test('another server does not get the stored secret: it has to be typed again', async () => {
    await save()
    for (const isEnabled of [true, false])
      expect(await save({ isEnabled, values: { apiUrl: 'https://evil.example' } })).toEqual(
        refusal('secret_needed_again', 'secret.paymentKey'),
      )
    expect(await save({ values: { apiUrl: `${fake.url}/` } })).toMatchObject({ ok: true })
    expect(await save({ values: { apiUrl: '' } })).toEqual(refusal('secret_needed_again', 'secret.paymentKey'))
    expect(await save({ values: { apiUrl: 'https://other.example', paymentKey: 'theirs' } })).toMatchObject({
      ok: true,
    })
  })

  test('two saves at once are both kept whole: one brings the key, the other the limits', async () => {
    await save()
    await Promise.all([
      save({ values: { paymentKey: 'another-key-of-the-vendor' } }),
      save({ values: {}, maxMicros: 50_000_000n }),
      ...Array.from({ length: 6 }, (_, index) => save({ values: { merchantId: `merchant-${index}` } })),
    ])
    const view = (await findProviderForAdmin('cryptomus'))!
    expect(view).toMatchObject({ problem: null, isEnabled: true })
    expect(view.fields.find(({ name }) => name === 'paymentKey')).toMatchObject({ isStored: true, hint: 'ndor' })
  })
})

describe('secrets', () => {
  test('are nowhere in the database, in the audit or in what screens are given', async () => {
    await save()
    await testProvider(SYSTEM, 'cryptomus')
    expect(await findInDatabase(KEY)).toEqual([])
    // The search finds what is there.
    expect(await findInDatabase(MERCHANT)).toEqual(['payment_providers'])
    expect(
      JSON.stringify([await listProvidersForAdmin(), await findProviderForAdmin('cryptomus')], bigints),
    ).not.toContain(KEY)
    const audit = await db().auditEntry.findMany({
      where: { subjectId: 'cryptomus' },
      orderBy: { at: 'desc' },
      take: 2,
    })
    expect(audit.map(({ action }) => action).sort()).toEqual(['payments.provider_saved', 'payments.provider_tested'])
    expect(audit.find(({ action }) => action.endsWith('saved'))!.data).toEqual({
      fields: ['apiUrl', 'merchantId', 'paymentKey', 'isEnabled'],
      isEnabled: true,
    })
  })

  test('that are short show nothing of themselves', async () => {
    await save({ values: { ...whole(), paymentKey: 'short-key11' } })
    const field = (await findProviderForAdmin('cryptomus'))!.fields.find(({ name }) => name === 'paymentKey')
    expect(field).toMatchObject({ isStored: true, hint: null, value: '' })
  })

  test('sealed for one row do not open in another, and take only their own provider down', async () => {
    await save()
    await insertProvider('yookassa', { apiUrl: fake.url, shopId: '1', secretKey: 'test_yk' })
    const { sealed } = (await db().paymentProvider.findUnique({ where: { name: 'cryptomus' } }))!
    const moved = { secretKey: (sealed as { paymentKey: string }).paymentKey }
    await db().paymentProvider.update({ where: { name: 'yookassa' }, data: { sealed: moved } })
    forgetProviders()
    expect(await names(enabledProviders)).toEqual(['cryptomus'])
    expect(await findProviderForAdmin('yookassa')).toMatchObject({ isEnabled: true, problem: 'unreadable' })
    expect(await testProvider(SYSTEM, 'yookassa')).toEqual(refusal('secret_unreadable'))
    // Typing it again mends it.
    expect(await saveYookassa({})).toEqual(refusal('secret_unreadable', 'secret.secretKey'))
    expect(await saveYookassa({ secretKey: 'test_again' })).toMatchObject({ ok: true })
    expect(await names(enabledProviders)).toEqual(['cryptomus', 'yookassa'])
  })
})

const saveYookassa = (values: Record<string, string>) => save({ provider: 'yookassa', values })

describe('testing', () => {
  test('keeps when and what, until something else is saved', async () => {
    expect(await testProvider(SYSTEM, 'cryptomus')).toEqual(refusal('setting_missing', 'setting.merchantId'))
    await save({ isEnabled: false })
    expect(await testProvider(SYSTEM, 'cryptomus')).toMatchObject({ value: { result: 'ok' } })
    expect(await findProviderForAdmin('cryptomus')).toMatchObject({ testResult: 'ok', testedAt: expect.any(Date) })
    await save({ isEnabled: true, values: {} })
    expect(await findProviderForAdmin('cryptomus')).toMatchObject({ testResult: 'ok' })
    await save({ values: { apiUrl: 'http://127.0.0.1:2', paymentKey: KEY } })
    expect(await findProviderForAdmin('cryptomus')).toMatchObject({ testResult: null, testedAt: null })
    expect(await testProvider(SYSTEM, 'cryptomus')).toMatchObject({ value: { result: 'unreachable' } })
  })
})

describe('a provider that is switched off', () => {
  test('is not offered, and still takes callbacks and answers reconcile', async () => {
    await save()
    await save({ isEnabled: false, values: {} })
    expect(await names(enabledProviders)).toEqual([])
    expect(await names(usableProviders)).toEqual(['cryptomus'])
    const user = await insertCustomer()
    const asked = { provider: 'cryptomus', amountMicros: 20_000_000n, requestKey: newId('req') }
    expect(await startTopUp({ id: user.id, locale: 'en' }, asked)).toEqual(refusal('unknown_provider'))
  })

  test('still credits what was begun before: by its callback, and by reconcile where the callback is lost', async () => {
    await save()
    const user = await insertCustomer()
    const begin = async () => {
      const asked = { provider: 'cryptomus', amountMicros: 20_000_000n, requestKey: newId('req') }
      const started = await startTopUp({ id: user.id, locale: 'en' }, asked)
      const paymentId = started.ok ? started.value.paymentId : ''
      const { providerPaymentId } = (await db().payment.findUnique({ where: { id: paymentId } }))!
      return { paymentId, providerPaymentId: providerPaymentId! }
    }
    const [called, lost] = [await begin(), await begin()]
    await save({ isEnabled: false, values: {} })
    for (const { providerPaymentId } of [called, lost])
      await fetch(`${fake.controlUrl}/invoices/${providerPaymentId}/pay`, {
        method: 'POST',
        body: JSON.stringify({ webhooks: 0 }),
      })
    const message = { type: 'payment', uuid: called.providerPaymentId, order_id: called.paymentId, status: 'paid' }
    const receipt = await receiveWebhook('cryptomus', new Headers(), Buffer.from(cryptomusCallback(KEY, message)))
    expect(receipt).toMatchObject({ ok: true, value: { isNew: true, isQueued: true } })
    expect(await settlePayment({ provider: 'cryptomus', ...called, messageId: null })).toMatchObject({
      outcome: 'credited',
    })
    expect(await reconcilePayments({ now: new Date(Date.now() + 10 * 60_000) })).toMatchObject({ credited: 1 })
    const states = await db().payment.findMany({ where: { userId: user.id }, select: { state: true } })
    expect(states).toEqual([{ state: 'credited' }, { state: 'credited' }])
    expect(await findProviderForAdmin('cryptomus')).toMatchObject({ heardAt: expect.any(Date) })
  })

  test('keeps its keys while payments are under way, and is forgotten after that', async () => {
    await save()
    const user = await insertCustomer()
    const asked = { provider: 'cryptomus', amountMicros: 20_000_000n, requestKey: newId('req') }
    const started = await startTopUp({ id: user.id, locale: 'en' }, asked)
    expect(started).toMatchObject({ ok: true })
    expect(await forgetProvider(SYSTEM, 'cryptomus')).toMatchObject({
      refusal: { code: 'payments_open', facts: { count: 1 } },
    })
    // As after its last look; nothing but time leads there.
    await db().payment.updateMany({ data: { state: 'expired', nextCheckAt: null } })
    expect(await forgetProvider(SYSTEM, 'cryptomus')).toEqual({ ok: true, value: null })
    expect(await names(usableProviders)).toEqual([])
    expect(await findProviderForAdmin('cryptomus')).toMatchObject({ isEnabled: false, problem: 'not_set_up' })
    expect(await save({ values: {} })).toEqual(refusal('secret_missing', 'secret.paymentKey'))
  })
})

test('a change made elsewhere reaches this process when its copy is two seconds old', async () => {
  await save()
  expect(await names(enabledProviders)).toEqual(['cryptomus'])
  await db().paymentProvider.updateMany({ data: { isEnabled: false } })
  expect(await names(enabledProviders)).toEqual(['cryptomus'])
  const later = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 2_001)
  expect(await names(enabledProviders)).toEqual([])
  later.mockRestore()
})

describe('production', () => {
  test.each<[string, Record<string, string>, string, string]>([
    [
      'fakepay',
      { apiUrl: 'https://x.test', apiKey: 'k', webhookSecret: `whsec_${'A'.repeat(32)}` },
      'stand_in_in_production',
      'isEnabled',
    ],
    [
      'cryptomus',
      { apiUrl: 'http://127.0.0.1:9', merchantId: 'm', paymentKey: 'k' },
      'stand_in_in_production',
      'setting.apiUrl',
    ],
    [
      'btcpay',
      { apiUrl: 'http://localhost', apiKey: 'k', storeId: 's', secret: 's' },
      'stand_in_in_production',
      'setting.apiUrl',
    ],
    ['stripe', { secretKey: 'sk_test_1', webhookSecret: 'w' }, 'test_key_in_production', 'secret.secretKey'],
    ['yookassa', { shopId: '1', secretKey: 'test_1' }, 'test_key_in_production', 'secret.secretKey'],
    [
      'nowpayments',
      { apiUrl: 'https://api-sandbox.nowpayments.io', apiKey: 'k', ipnSecret: 's' },
      'test_key_in_production',
      'setting.apiUrl',
    ],
  ])('does not switch on what brings no real money: %s', async (provider, values, code, field) => {
    await insertProvider(provider, values)
    for (const [name, value] of Object.entries({
      SLUICE_MODE: 'production',
      PUBLIC_URL: 'https://shop.example',
      AUTH_SECRET: '9f3b1c7d5e2a48660b1d4f7a9c3e5b70',
      RESEND_API_URL: '',
      MAIL_FROM: 'Shop <shop@shop.example.org>',
      SETTINGS_KEY: '7e3ba0c41d5f62880912f6e7d3c4b5a6978812340fedcba96655443322110f0e',
      SETTINGS_KEY_PREVIOUS: '7e'.repeat(32),
    }))
      vi.stubEnv(name, value)
    vi.resetModules()
    const inProduction = await import('.')
    const registry = await import('./providers/registry')
    registry.forgetProviders()
    expect(await inProduction.findProviderForAdmin(provider)).toMatchObject({ problem: 'refused_in_production' })
    expect(await inProduction.usableProviders()).toEqual([])
    const input = { ...(await formOf(provider)), isEnabled: true }
    expect(await inProduction.saveProvider(SYSTEM, input)).toEqual(refusal(code, field))
    registry.forgetProviders()
  })
})

async function formOf(provider: string): Promise<SaveProviderInput> {
  const view = (await findProviderForAdmin(provider))!
  const { minMicros, maxMicros, toleranceBasisPoints, chargeCurrency, chargeRate, isEnabled } = view
  return { provider, isEnabled, values: {}, minMicros, maxMicros, toleranceBasisPoints, chargeCurrency, chargeRate }
}

/** The tables that have this text anywhere in a row. */
async function findInDatabase(text: string): Promise<string[]> {
  const tables = await db().$queryRaw<{ name: string }[]>`
    SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`
  const found: string[] = []
  for (const { name } of tables) {
    const [row] = await db().$queryRaw<{ count: bigint }[]>(Prisma.sql`
      SELECT count(*) AS count FROM ${Prisma.raw(`"${name}"`)} AS each WHERE strpos(each::text, ${text}) > 0`)
    if (row!.count > 0n) found.push(name)
  }
  return found
}

function bigints(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
