import { expect, it } from 'vitest'
import { hashPassword, isPasswordRight, passwordWeakness } from './passwords'

const ann = { email: 'annabelle.lee@example.com', username: 'Annabelle_1849' }

it('refuses a password that is the login, on every list, or hardly anything', () => {
  expect(passwordWeakness('ANNABELLE.LEE@example.com', ann)).toBe('is_login')
  expect(passwordWeakness('annabelle.lee', ann)).toBe('is_login')
  expect(passwordWeakness('annabelle_1849', ann)).toBe('is_login')
  expect(passwordWeakness('Password123', ann)).toBe('common')
  expect(passwordWeakness('ababababababab', ann)).toBe('common')
  expect(passwordWeakness('correct horse battery', ann)).toBeNull()
})

it('hashes with argon2id and a salt of its own, and nobody has the password of no account', async () => {
  const [first, second] = await Promise.all([hashPassword('correct horse'), hashPassword('correct horse')])
  expect(first).toMatch(/^\$argon2id\$v=19\$m=19456,(t=2,p=1|p=1,t=2)\$/)
  expect(first).not.toBe(second)
  expect(await isPasswordRight(first, 'correct horse')).toBe(true)
  expect(await isPasswordRight(first, 'correct horse ')).toBe(false)
  expect(await isPasswordRight(null, 'correct horse')).toBe(false)
})
