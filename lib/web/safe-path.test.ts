import { expect, it } from 'vitest'
import { safePath } from './safe-path'

it('keeps a path of our own with its query', () => {
  expect(safePath('/account/orders?state=active')).toBe('/account/orders?state=active')
})

it('goes to the account for everything that could lead elsewhere', () => {
  const bad = [
    '',
    null,
    undefined,
    'account',
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    '/.//evil.example',
    '/api/auth/signout',
    'javascript:alert(1)',
    `/${'a'.repeat(3000)}`,
  ]
  for (const path of bad) expect(safePath(path)).toBe('/account')
})
