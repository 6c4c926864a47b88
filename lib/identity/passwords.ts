import { argon2id, hash, verify } from 'argon2'

/**
 * argon2id with 19 MiB and two passes: what OWASP names as enough against offline guessing, and about 30 ms of one core here, so that a
 * burst of sign-ins does not starve the pages.
 */
const ARGON = { type: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const

/** The hash to store. It carries its own salt and parameters. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, ARGON)
}

let nobodysHash: Promise<string> | undefined

/**
 * Whether the password belongs to the hash. Without a hash (no such account) it does the same work against a hash that nobody has the
 * password of, and says no: the time of the answer does not tell whether the account exists.
 */
export async function isPasswordRight(passwordHash: string | null, password: string): Promise<boolean> {
  nobodysHash ??= hashPassword(crypto.randomUUID())
  const isRight = await verify(passwordHash ?? (await nobodysHash), password)
  return isRight && passwordHash !== null
}

/** Ten characters and more that every list of leaked passwords begins with; compared without case. */
const COMMON = new Set([
  '1234567890',
  '12345678910',
  '123456789a',
  '1234567891',
  '0123456789',
  '0987654321',
  '9876543210',
  '1q2w3e4r5t',
  '1q2w3e4r5t6y',
  '1qaz2wsx3edc',
  'q1w2e3r4t5',
  'qwertyuiop',
  'qwerty123456',
  'qwerty12345',
  'qwerty1234',
  'qwertyuiop123',
  'asdfghjkl1',
  'asdfghjkl123',
  'zxcvbnm123',
  'password12',
  'password123',
  'password1234',
  'password12345',
  'passw0rd123',
  'mypassword',
  'iloveyou123',
  'iloveyou12',
  'letmein123',
  'welcome123',
  'administrator',
  'admin12345',
  'admin123456',
  'changeme123',
  'abcdefghij',
  'abc1234567',
  'abcd123456',
  'a123456789',
  'aa12345678',
  'football123',
  'basketball',
  'superman123',
  'trustno1234',
  'monkey1234',
  'princess123',
  'sunshine123',
  'йцукенгшщз',
  'пароль1234',
  'пароль12345',
])

/**
 * Why a password that is long enough is still refused, or null. `is_login`: it is the email, its name part or the username;
 * `common`: it is on every guesser's list, or one or two characters repeated.
 */
export function passwordWeakness(
  password: string,
  person: { email: string; username: string },
): 'is_login' | 'common' | null {
  const lower = password.toLowerCase()
  const logins = [person.email, person.email.split('@')[0] ?? '', person.username].map((login) => login.toLowerCase())
  if (logins.includes(lower)) return 'is_login'
  if (COMMON.has(lower) || new Set(lower).size <= 2) return 'common'
  return null
}
