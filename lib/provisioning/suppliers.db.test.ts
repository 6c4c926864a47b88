import { startIproyalFake } from '@/fakes/iproyal'
import { startIproyalResidentialFake } from '@/fakes/iproyal-residential'
import type { Fake } from '@/fakes/kit'
import { startProxyCheapFake } from '@/fakes/proxy-cheap'
import { startProxySellerFake } from '@/fakes/proxy-seller'
import { startPx6Fake } from '@/fakes/px6'
import { startWebshareFake } from '@/fakes/webshare'
import { SYSTEM } from '@/lib/audit'
import { SUPPLIERS } from '@/lib/catalog'
import { db, Prisma } from '@/lib/db'
import { OperationalError } from '@/lib/kit'
import { SUPPLIER_DEFINITIONS } from '@/lib/suppliers'
import { makePlan } from '@/test/factories/catalog'
import { insertSupplier } from '@/test/factories/supplier'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  findSupplierForAdmin,
  forgetSupplier,
  isSupplierSetUp,
  listSuppliersForAdmin,
  pollBalances,
  saveSupplier,
  saveSupplierSchema,
  syncPool,
  testSupplier,
} from './index'
import { enabledSupplierOf, forgetSuppliers, supplierOf } from './suppliers-in-use'

const KEY = 'supplier-key-of-this-test-51c9'
const SECRET = 'supplier-secret-of-this-test-8d2a'
let fakes: Record<string, { fake: Fake; path: string }>

beforeAll(async () => {
  const at = { port: 0, apiKey: KEY, exitPort: 1 }
  fakes = {
    px6: { fake: await startPx6Fake(at), path: '/api' },
    'proxy-seller': { fake: await startProxySellerFake(at), path: '/personal/api/v2' },
    'proxy-cheap': { fake: await startProxyCheapFake({ ...at, apiSecret: SECRET }), path: '' },
    iproyal: { fake: await startIproyalFake(at), path: '/v1/reseller' },
    'iproyal-residential': { fake: await startIproyalResidentialFake(at), path: '/v1' },
    webshare: { fake: await startWebshareFake(at), path: '' },
  }
  const { controlUrl } = fakes.px6!.fake
  await fetch(`${controlUrl}/limit`, { method: 'POST', body: JSON.stringify({ perSecond: 0 }) })
})
afterAll(async () => {
  for (const { fake } of Object.values(fakes)) await fake.close()
})
beforeEach(async () => {
  await db().supplierAccount.deleteMany()
  forgetSuppliers()
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.resetModules()
})

const addressOf = (name: string) => `${fakes[name]!.fake.url}${fakes[name]!.path}`
const whole = (name: string) => ({
  apiUrl: addressOf(name),
  apiKey: KEY,
  ...(name === 'proxy-cheap' && { apiSecret: SECRET }),
})
const save = (values: Record<string, string>, more: object = {}) =>
  saveSupplier(SYSTEM, { supplier: 'px6', isEnabled: true, values, costCurrency: null, costRate: null, ...more })
const refusal = (code: string, field?: string) => ({ ok: false, refusal: { code, facts: field ? { field } : {} } })

it('an offer may name every supplier there is, and stock', () => {
  expect([...SUPPLIERS].sort()).toEqual(['stock', ...SUPPLIER_DEFINITIONS.map(({ name }) => name)].sort())
})

describe('saving', () => {
  it('a whole account is used at once; switched off it still serves what is held there', async () => {
    await expect(supplierOf('px6')).rejects.toThrow(OperationalError)
    expect(await save(whole('px6'), { costCurrency: 'RUB', costRate: '0.0125' })).toMatchObject({ ok: true })
    expect((await (await enabledSupplierOf('px6')).getBalance()).currency).toBe('USD')
    expect(await findSupplierForAdmin('px6')).toMatchObject({ costCurrency: 'RUB', costRate: '0.0125', problem: null })
    expect(await save({}, { isEnabled: false })).toMatchObject({ ok: true })
    await expect(enabledSupplierOf('px6')).rejects.toThrow('switched off')
    expect(await isSupplierSetUp('px6')).toBe(false)
    expect((await supplierOf('px6')).name).toBe('px6')
  })

  it.each<[string, Record<string, string>, object, string, string]>([
    ['no key', { apiKey: '' }, {}, 'secret_missing', 'secret.apiKey'],
    ['an address of another kind', { apiUrl: 'ftp://x' }, {}, 'setting_malformed', 'setting.apiUrl'],
    ['an address with a password', { apiUrl: 'https://a:b@x.test' }, {}, 'setting_malformed', 'setting.apiUrl'],
    ['a key with a line break', { apiKey: 'a\r\nx: y' }, {}, 'setting_malformed', 'secret.apiKey'],
    ['a key that would end its place in a path', { apiKey: 'a/../b' }, {}, 'setting_malformed', 'secret.apiKey'],
    ['a currency without a rate', {}, { costCurrency: 'EUR' }, 'charge_incomplete', 'costRate'],
    ['a rate without a currency', {}, { costRate: '2' }, 'charge_incomplete', 'costCurrency'],
    ['the shop’s own', {}, { costCurrency: 'USD', costRate: '1' }, 'charge_is_shop_currency', 'costCurrency'],
  ])('%s is refused beside its field', async (_, values, more, code, field) => {
    expect(await save({ ...whole('px6'), ...values }, more)).toEqual(refusal(code, field))
    expect(await db().supplierAccount.count()).toBe(0)
  })

  it('a supplier nobody knows is refused, and half an account may be kept switched off', async () => {
    expect(await save({}, { supplier: 'nobody' })).toEqual(refusal('unknown_supplier'))
    const cheap = { supplier: 'proxy-cheap' }
    const { apiSecret: _, ...half } = whole('proxy-cheap') as Record<string, string>
    expect(await save(half, cheap)).toEqual(refusal('secret_missing', 'secret.apiSecret'))
    expect(await save(half, { ...cheap, isEnabled: false })).toMatchObject({ ok: true })
    expect(await findSupplierForAdmin('proxy-cheap')).toMatchObject({ problem: 'not_set_up', isEnabled: false })
    expect(await save({ apiSecret: SECRET }, cheap)).toMatchObject({ ok: true })
  })

  it('an empty secret keeps the stored one; another server’s address asks for it again', async () => {
    await save(whole('px6'))
    expect(await save({ apiKey: '' })).toMatchObject({ ok: true })
    expect(await testSupplier(SYSTEM, 'px6')).toEqual({ ok: true, value: { result: 'ok' } })
    expect(await save({ apiUrl: 'https://elsewhere.test/api' })).toEqual(
      refusal('secret_needed_again', 'secret.apiKey'),
    )
    expect(await save({ apiUrl: `${fakes.px6!.fake.url}/other` })).toMatchObject({ ok: true })
  })

  it('two saves at once are each kept whole', async () => {
    await Promise.all(Array.from({ length: 6 }, (_, n) => save({ ...whole('px6'), apiKey: `${KEY}-${n}` })))
    const row = await db().supplierAccount.findUniqueOrThrow({ where: { name: 'px6' } })
    expect((row.hints as { apiKey: string }).apiKey).toMatch(/^9-\d$|^c9-\d$/)
    expect((await findSupplierForAdmin('px6'))!.problem).toBeNull()
  })

  it('the form takes only its own fields, trims, and refuses a rate of nothing', () => {
    const form = { supplier: 'px6', 'setting.apiUrl': ' https://x.test ', 'secret.apiKey': 'k', other: 'x' }
    const parsed = saveSupplierSchema.parse({ ...form, costCurrency: 'rub', costRate: '0,0125' })
    expect(parsed).toMatchObject({ isEnabled: false, costCurrency: 'RUB', costRate: '0.0125' })
    expect(parsed.values).toEqual({ apiUrl: 'https://x.test', apiKey: 'k' })
    expect(saveSupplierSchema.safeParse({ ...form, costCurrency: 'RUB', costRate: '0.000' }).success).toBe(false)
  })
})

describe('the test of the connection', () => {
  it.each(['px6', 'proxy-seller', 'proxy-cheap', 'iproyal', 'iproyal-residential', 'webshare'])(
    '%s: says that it works, that the key is wrong, that nobody answers, that it is somebody else',
    async (name) => {
      await insertSupplier(name, whole(name))
      expect(await testSupplier(SYSTEM, name)).toEqual({ ok: true, value: { result: 'ok' } })
      expect(await findSupplierForAdmin(name)).toMatchObject({ testResult: 'ok' })
      await insertSupplier(name, { apiKey: 'not-the-key-of-ours' })
      expect(await findSupplierForAdmin(name)).toMatchObject({ testResult: null, testedAt: null })
      expect(await testSupplier(SYSTEM, name)).toEqual({ ok: true, value: { result: 'key_refused' } })
      await insertSupplier(name, { ...whole(name), apiUrl: 'http://127.0.0.1:2' })
      expect(await testSupplier(SYSTEM, name)).toEqual({ ok: true, value: { result: 'unreachable' } })
      await insertSupplier(name, { ...whole(name), apiUrl: `${fakes[name]!.fake.url}/nothing-here` })
      expect(await testSupplier(SYSTEM, name)).toEqual({ ok: true, value: { result: 'unexpected_answer' } })
    },
  )

  it('asks nobody for what is not whole', async () => {
    expect(await testSupplier(SYSTEM, 'px6')).toEqual(refusal('secret_missing', 'secret.apiKey'))
    expect(await testSupplier(SYSTEM, 'nobody')).toEqual(refusal('unknown_supplier'))
  })
})

describe('keys', () => {
  it('stand nowhere in the database, in no view and in no audit; deleting them leaves nothing', async () => {
    for (const name of Object.keys(fakes)) await insertSupplier(name, whole(name))
    for (const name of Object.keys(fakes)) await testSupplier(SYSTEM, name)
    // What a supplier's failure leaves behind is kept as well: in its health, which staff read.
    await fakes.px6!.fake.close()
    await testSupplier(SYSTEM, 'px6')
    await pollBalances()
    expect((await db().supplierHealth.findUniqueOrThrow({ where: { supplier: 'px6' } })).lastError).toContain('px6')
    fakes.px6!.fake = await startPx6Fake({ port: 0, apiKey: KEY, exitPort: 1 })
    for (const secret of [KEY, SECRET]) expect(await tablesWith(secret)).toEqual([])
    const views = JSON.stringify(await listSuppliersForAdmin(), (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    )
    for (const secret of [KEY, SECRET]) expect(views).not.toContain(secret)
    expect(views).toContain(KEY.slice(-4))
    expect(await forgetSupplier(SYSTEM, 'px6')).toMatchObject({ ok: true })
    expect(await db().supplierAccount.findUnique({ where: { name: 'px6' } })).toMatchObject({ sealed: {}, hints: {} })
  })

  it('a sealed value that was moved or changed opens nothing, and takes no other supplier with it', async () => {
    await insertSupplier('px6', whole('px6'))
    await insertSupplier('iproyal', whole('iproyal'))
    const row = await db().supplierAccount.findUniqueOrThrow({ where: { name: 'iproyal' } })
    await db().supplierAccount.update({ where: { name: 'px6' }, data: { sealed: row.sealed as object } })
    forgetSuppliers()
    await expect(supplierOf('px6')).rejects.toThrow('unreadable')
    expect((await supplierOf('iproyal')).name).toBe('iproyal')
    const view = (await findSupplierForAdmin('px6'))!
    expect(view.problem).toBe('unreadable')
    expect(view.fields.find(({ name }) => name === 'apiKey')!.isUnreadable).toBe(true)
    expect(await save({})).toEqual(refusal('secret_unreadable', 'secret.apiKey'))
  })
})

it('production takes no stand-in’s address, neither to switch on nor to use', async () => {
  await insertSupplier('px6', whole('px6'))
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
  const registry = await import('./suppliers-in-use')
  registry.forgetSuppliers()
  expect(await inProduction.findSupplierForAdmin('px6')).toMatchObject({ problem: 'refused_in_production' })
  await expect(registry.supplierOf('px6')).rejects.toThrow('refused_in_production')
  const input = { supplier: 'px6', isEnabled: true, values: {}, costCurrency: null, costRate: null }
  expect(await inProduction.saveSupplier(SYSTEM, input)).toEqual(refusal('stand_in_in_production', 'setting.apiUrl'))
  registry.forgetSuppliers()
})

/** The tables that have this text anywhere in a row. */
async function tablesWith(text: string): Promise<string[]> {
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

it('a pool whose supplier is switched off sells nothing more, and comes back with it', async () => {
  const plan = await makePlan({ supplier: 'webshare', countryCode: 'DE', params: {} })
  const { controlUrl } = fakes.webshare!.fake
  await fetch(`${controlUrl}/add`, { method: 'POST', body: JSON.stringify({ count: 2, country: 'DE' }) })
  const free = () => db().stockUnit.count({ where: { offerId: plan.offerId, state: 'free' } })
  await syncPool()
  expect(await free()).toBe(0)
  await insertSupplier('webshare', whole('webshare'))
  await syncPool()
  const count = await free()
  expect(count).toBeGreaterThanOrEqual(2)
  await insertSupplier('webshare', {}, { isEnabled: false })
  await syncPool()
  expect(await free()).toBe(0)
  await insertSupplier('webshare', {})
  await syncPool()
  expect(await free()).toBe(count)
})
