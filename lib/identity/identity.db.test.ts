import { randomBytes } from 'node:crypto'
import { beforeEach, expect, it } from 'vitest'
import { db } from '@/lib/db'
import { insertCustomer } from '@/test/factories/customer'
import { DAY_MS, HOUR_MS, MINUTE_MS, newId } from '@/lib/kit'
import {
  changePassword,
  createAccount,
  findSession,
  getProfile,
  grantRole,
  openSession,
  requestPasswordReset,
  requestVerification,
  resetPassword,
  revokeSession,
  SESSION_LIFETIME_MS,
  signUp,
  TERMS_VERSION,
  updateProfile,
  verifyCredentials,
  verifyEmail,
} from './index'

const password = 'a rather long password'
const statements = { terms: 'I accept the terms.', age: 'I am an adult.' }
let name: string
let email: string

beforeEach(() => {
  name = `u${randomBytes(6).toString('hex')}`
  email = `${name}@example.com`
})

const later = (ms: number) => () => new Date(Date.now() + ms)
const person = (more: object = {}) => ({
  email,
  username: name,
  password,
  locale: 'en',
  statements,
  ...more,
})
const mails = (to = email) =>
  db().outgoingEmail.findMany({
    where: { to },
    orderBy: { id: 'asc' },
    select: { id: true, template: true, props: true },
  })
async function lastToken(to = email): Promise<string> {
  const props = (await mails(to)).at(-1)!.props as { url: string }
  return new URL(props.url).searchParams.get('token')!
}
async function account(): Promise<string> {
  const made = await createAccount({ email, username: name, password })
  if (!made.ok) throw new Error(made.refusal.code)
  return made.value.userId
}

it('opens an account that can sign in, by email or username, once the mailed link was used', async () => {
  expect(await signUp(person())).toEqual({ ok: true, value: null })
  expect(await verifyCredentials(email, password)).toMatchObject({ ok: false })
  const token = await lastToken()
  expect(await verifyEmail(token)).toMatchObject({ ok: true })
  for (const login of [email, email.toUpperCase(), name, ` ${name.toUpperCase()} `])
    expect(await verifyCredentials(login, password)).toMatchObject({ ok: true })
  expect(await verifyCredentials(email, `${password}!`)).toEqual(
    await verifyCredentials('nobody@example.com', password),
  )
})

it('keeps neither password nor token as they are', async () => {
  await signUp(person())
  const token = await lastToken()
  const user = await db().user.findUniqueOrThrow({ where: { email }, include: { tokens: true } })
  expect(user.passwordHash).not.toContain(password)
  expect(user.tokens).toHaveLength(1)
  expect(JSON.stringify(user.tokens)).not.toContain(token)
})

it('stores each consent with version, words, language, place and time, and nobody can edit it', async () => {
  await signUp(person({ locale: 'ru' }))
  const user = await db().user.findUniqueOrThrow({ where: { email }, select: { id: true } })
  const { consents } = await getProfile(user.id)
  expect(consents.terms).toMatchObject({
    isGranted: true,
    version: TERMS_VERSION,
    text: statements.terms,
    locale: 'ru',
  })
  expect(consents.age).toMatchObject({ isGranted: true, text: statements.age })
  expect(consents.marketing).toBeUndefined()
  const rows = await db().consent.findMany({ where: { userId: user.id } })
  expect(rows.map(({ source }) => source)).toEqual(['sign_up', 'sign_up'])
  await expect(db().consent.updateMany({ where: { userId: user.id }, data: { text: 'Other words.' } })).rejects.toThrow(
    'consents are only added',
  )
})

it('answers a sign-up with a taken email like any other, changes nothing and tells the owner once a day', async () => {
  const userId = await account()
  const other = `${name}x`
  expect(await signUp(person({ username: other }))).toEqual({ ok: true, value: null })
  expect(await signUp(person({ username: `${name}y`, email }))).toEqual({ ok: true, value: null })
  expect((await mails()).map((mail) => mail.template)).toEqual(['account_exists'])
  expect(await db().user.count({ where: { OR: [{ id: userId }, { usernameKey: other }] } })).toBe(1)
  expect(await db().consent.count({ where: { userId } })).toBe(0)
})

it('says that a username is taken, whatever its case', async () => {
  await account()
  expect(await signUp(person({ email: `x${email}`, username: name.toUpperCase() }))).toMatchObject({
    refusal: { code: 'username_taken' },
  })
})

it('opens one account of ten sign-ups at once', async () => {
  const results = await Promise.all(Array.from({ length: 10 }, (_, i) => signUp(person({ username: `${name}${i}` }))))
  expect(results.every((result) => result.ok)).toBe(true)
  expect(await db().user.count({ where: { email } })).toBe(1)
  expect((await mails()).filter((mail) => mail.template === 'verify_email')).toHaveLength(1)
})

it('refuses a password equal to the login', async () => {
  expect(await signUp(person({ password: email }))).toMatchObject({ refusal: { code: 'password_too_weak' } })
  expect(await db().user.count({ where: { email } })).toBe(0)
})

it('lets a link work once, of two clicks at once too, and not after a day', async () => {
  await signUp(person())
  const token = await lastToken()
  expect(await verifyEmail(token, later(DAY_MS + 1000))).toMatchObject({ refusal: { code: 'link_invalid' } })
  const both = await Promise.all([verifyEmail(token), verifyEmail(token)])
  expect(both.filter((result) => result.ok)).toHaveLength(1)
  for (const bad of [token, '', 'x'.repeat(43), `${token}'`, '\u0000'])
    expect(await verifyEmail(bad)).toMatchObject({ ok: false })
})

it('sends the confirming link again, but not within a minute, not to the confirmed, not to strangers', async () => {
  await signUp(person())
  await requestVerification(email)
  expect(await mails()).toHaveLength(1)
  await requestVerification(email, later(2 * MINUTE_MS))
  expect(await mails()).toHaveLength(2)
  await verifyEmail(await lastToken())
  await requestVerification(email, later(10 * MINUTE_MS))
  await requestVerification(`x${email}`)
  expect(await mails()).toHaveLength(2)
  expect(await mails(`x${email}`)).toHaveLength(0)
})

it('resets a password by link: once, within the hour, ending every session, and tells by mail', async () => {
  const userId = await account()
  const { sessionId } = await openSession(userId)
  await requestPasswordReset(email)
  await requestPasswordReset(`x${email}`)
  const token = await lastToken()
  const next = 'another long password'
  expect(await resetPassword({ token, password: next }, later(HOUR_MS + 1000))).toMatchObject({ ok: false })
  expect(await resetPassword({ token, password: name })).toMatchObject({ refusal: { code: 'password_too_weak' } })
  expect(await verifyEmail(token)).toMatchObject({ ok: false })
  expect(await resetPassword({ token, password: next })).toEqual({ ok: true, value: null })
  expect(await resetPassword({ token, password: next })).toMatchObject({ refusal: { code: 'link_invalid' } })
  expect(await findSession(sessionId)).toBeNull()
  expect(await verifyCredentials(email, password)).toMatchObject({ ok: false })
  expect(await verifyCredentials(email, next)).toMatchObject({ ok: true })
  expect((await mails()).at(-1)!.template).toBe('password_changed')
})

it('finds a session until it ends, is revoked, or its person is suspended or has an unknown role', async () => {
  const userId = await account()
  const { sessionId } = await openSession(userId)
  expect(await findSession(sessionId)).toMatchObject({ id: userId, email, role: 'customer', isEmailVerified: true })
  expect(await findSession(sessionId, later(SESSION_LIFETIME_MS + 1000))).toBeNull()
  await db().user.update({ where: { id: userId }, data: { role: 'king' } })
  expect(await findSession(sessionId)).toBeNull()
  await db().user.update({ where: { id: userId }, data: { role: 'customer', suspendedAt: new Date() } })
  expect(await findSession(sessionId)).toBeNull()
  expect(await verifyCredentials(email, password)).toMatchObject({ ok: false })
  await db().user.update({ where: { id: userId }, data: { suspendedAt: null } })
  expect(await findSession(sessionId)).not.toBeNull()
  await revokeSession(sessionId)
  expect(await findSession(sessionId)).toBeNull()
  for (const bad of ['', 'ses_1', `${sessionId}'`]) expect(await findSession(bad)).toBeNull()
})

it('changes a password with the old one, keeps this session and ends the others', async () => {
  const userId = await account()
  const here = await openSession(userId)
  const elsewhere = await openSession(userId)
  const actor = { userId, sessionId: here.sessionId }
  const next = 'another long password'
  expect(await changePassword(actor, { currentPassword: 'wrong', password: next })).toMatchObject({
    refusal: { code: 'password_wrong' },
  })
  expect(await changePassword(actor, { currentPassword: password, password: email })).toMatchObject({
    refusal: { code: 'password_too_weak' },
  })
  expect(await changePassword(actor, { currentPassword: password, password: next })).toEqual({ ok: true, value: null })
  expect(await findSession(here.sessionId)).not.toBeNull()
  expect(await findSession(elsewhere.sessionId)).toBeNull()
  expect(await verifyCredentials(name, next)).toMatchObject({ ok: true })
})

it('changes username and language, and refuses a name that somebody has', async () => {
  const userId = await account()
  await createAccount({ email: `y${email}`, username: `${name}y`, password })
  expect(await updateProfile(userId, { username: `${name}Y`, locale: 'ru' })).toMatchObject({
    refusal: { code: 'username_taken' },
  })
  expect(await updateProfile(userId, { username: name.toUpperCase(), locale: 'ru' })).toEqual({ ok: true, value: null })
  expect(await getProfile(userId)).toMatchObject({ username: name.toUpperCase(), locale: 'ru' })
})

it('refuses to create an account whose email or username is taken', async () => {
  await account()
  expect(await createAccount({ email, username: `${name}z`, password })).toMatchObject({
    refusal: { code: 'email_taken' },
  })
  expect(await createAccount({ email: `z${email}`, username: name, password })).toMatchObject({
    refusal: { code: 'username_taken' },
  })
})

it('a role is granted from the shell only, ends the sessions of before, and is on record', async () => {
  const made = await createAccount({
    email: `staff-${newId('req')}@example.test`,
    username: newId('req').slice(-20),
    password: 'three quiet otters',
  })
  const userId = made.ok ? made.value.userId : ''
  const { email } = await db().user.findUniqueOrThrow({ where: { id: userId }, select: { email: true } })
  const { sessionId } = await openSession(userId)
  expect(await grantRole({ email: ` ${email.toUpperCase()} `, role: 'finance' })).toMatchObject({ ok: true })
  expect(await findSession(sessionId)).toBeNull()
  expect(await findSession((await openSession(userId)).sessionId)).toMatchObject({ role: 'finance' })
  expect(
    await db().auditEntry.findFirst({ where: { subjectId: userId, action: 'identity.role_granted' } }),
  ).toMatchObject({
    actorKind: 'system',
    data: { from: 'customer', to: 'finance' },
  })
  expect(await grantRole({ email: 'nobody@example.test', role: 'owner' })).toMatchObject({
    refusal: { code: 'not_found' },
  })
})

it('a name’s second use does not tell whether the first sign-up met an address that has an account', async () => {
  const known = await insertCustomer()
  const form = {
    password: 'three quiet otters',
    locale: 'en',
    statements: { terms: 't', age: 'a' },
  }
  for (const address of [known.email, `${newId('req')}@example.test`]) {
    const username = newId('req').slice(-20)
    expect(await signUp({ ...form, email: address, username })).toMatchObject({ ok: true })
    expect(
      await signUp({ ...form, email: `${newId('req')}@example.test`, username: username.toUpperCase() }),
    ).toMatchObject({ refusal: { code: 'username_taken' } })
  }
})
