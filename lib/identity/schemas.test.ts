import { expect, it } from 'vitest'
import { signInSchema, signUpSchema, usernameSchema } from './schemas'

const whole = { email: ' Ann@Example.COM ', username: 'ann.b', password: 'a good long one', terms: 'on', age: 'on' }

function messages(input: Record<string, unknown>): string[] {
  const parsed = signUpSchema.safeParse({ ...whole, ...input })
  return parsed.success ? [] : parsed.error.issues.map((issue) => issue.message)
}

it('keeps an email trimmed and in lower case, and marketing unticked unless ticked', () => {
  expect(signUpSchema.parse(whole)).toMatchObject({ email: 'ann@example.com', marketing: false })
  expect(signUpSchema.parse({ ...whole, marketing: 'on' }).marketing).toBe(true)
})

it('names the text that says how to mend each field', () => {
  expect(messages({ email: 'ann' })).toEqual(['email_invalid'])
  expect(messages({ email: undefined })).toEqual(['email_invalid'])
  expect(messages({ email: `${'a'.repeat(250)}@example.com` })).toContain('email_invalid')
  expect(messages({ username: 'ab' })).toEqual(['username_length'])
  expect(messages({ username: 'ann b' })).toEqual(['username_invalid'])
  expect(messages({ password: 'short' })).toEqual(['password_length'])
  expect(messages({ password: 'x'.repeat(201) })).toEqual(['password_length'])
  expect(messages({ terms: undefined, age: 'yes' })).toEqual(['terms_needed', 'age_needed'])
})

it('takes no username that could be read as an email', () => {
  expect(usernameSchema.safeParse('ann@example.com').success).toBe(false)
})

it('does not judge a password at sign-in, only bounds it', () => {
  expect(signInSchema.safeParse({ login: 'ann', password: 'x' }).success).toBe(true)
  expect(signInSchema.safeParse({ login: 'ann', password: 'x'.repeat(201) }).success).toBe(false)
  expect(signInSchema.safeParse({ login: '', password: '' }).success).toBe(false)
})
