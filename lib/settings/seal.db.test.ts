import { afterEach, expect, test, vi } from 'vitest'

const PLACE = { group: 'payments', owner: 'stripe', name: 'secretKey' }
const SECRET = 'sk_live_invented_ключ'
const OLD = '1f'.repeat(32)
const NEW = Buffer.alloc(32, 5).toString('base64')

/** A process of its own, as far as settings go: they are parsed once. */
async function withKeys(keys: { SETTINGS_KEY?: string; SETTINGS_KEY_PREVIOUS?: string }) {
  vi.resetModules()
  for (const name of ['SETTINGS_KEY', 'SETTINGS_KEY_PREVIOUS'] as const) vi.stubEnv(name, keys[name] ?? '')
  return import('./seal')
}
afterEach(() => vi.unstubAllEnvs())

/** `instanceof` would compare classes of two module graphs. */
const names = (words: string) =>
  expect.objectContaining({ name: 'OperationalError', message: expect.stringContaining(words) })

test('what was sealed opens again, never looks the same twice, and does not hold the secret', async () => {
  const { openSecret, sealSecret } = await withKeys({ SETTINGS_KEY: OLD })
  const sealed = sealSecret(PLACE, SECRET)
  expect(openSecret(PLACE, sealed)).toBe(SECRET)
  expect(sealSecret(PLACE, SECRET)).not.toBe(sealed)
  expect(sealed).toMatch(/^v1\.[0-9a-f]{8}\.[\w-]+$/)
  expect(Buffer.from(sealed.split('.')[2]!, 'base64url').includes(SECRET)).toBe(false)
})

test.each([
  ['another owner', { ...PLACE, owner: 'btcpay' }],
  ['another field', { ...PLACE, name: 'webhookSecret' }],
  ['another group', { ...PLACE, group: 'suppliers' }],
])('a value moved to %s does not open', async (_, place) => {
  const { openSecret, sealSecret } = await withKeys({ SETTINGS_KEY: OLD })
  const sealed = sealSecret(PLACE, SECRET)
  expect(() => openSecret(place, sealed)).toThrow(names('belongs elsewhere'))
})

test('a changed, a cut and a foreign value are refused by name', async () => {
  const { openSecret, sealSecret } = await withKeys({ SETTINGS_KEY: OLD })
  const sealed = sealSecret(PLACE, SECRET)
  const last = sealed.at(-2) === 'A' ? 'B' : 'A'
  expect(() => openSecret(PLACE, sealed.slice(0, -2) + last + sealed.at(-1)!)).toThrow(names('stripe: secretKey'))
  expect(() => openSecret(PLACE, sealed.slice(0, 30))).toThrow(names('cut short'))
  for (const odd of ['', 'plain', `v2${sealed.slice(2)}`, `${sealed}.x`])
    expect(() => openSecret(PLACE, odd)).toThrow(names('no sealed value'))
})

test('a changed key reads old values only while the old key is named, and seals under the new one', async () => {
  const sealed = (await withKeys({ SETTINGS_KEY: OLD })).sealSecret(PLACE, SECRET)
  const alone = await withKeys({ SETTINGS_KEY: NEW })
  expect(() => alone.openSecret(PLACE, sealed)).toThrow(names('another SETTINGS_KEY'))
  const both = await withKeys({ SETTINGS_KEY: NEW, SETTINGS_KEY_PREVIOUS: OLD })
  expect(both.openSecret(PLACE, sealed)).toBe(SECRET)
  const again = both.sealSecret(PLACE, SECRET)
  expect((await withKeys({ SETTINGS_KEY: NEW })).openSecret(PLACE, again)).toBe(SECRET)
})

test('without a key nothing is kept', async () => {
  const { sealSecret } = await withKeys({})
  expect(() => sealSecret(PLACE, SECRET)).toThrow(names('SETTINGS_KEY is not set'))
})
