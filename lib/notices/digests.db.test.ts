import { expect, test } from 'vitest'
import { db } from '@/lib/db'
import { newId } from '@/lib/kit'
import { type EmailProps, tellCustomers } from '@/lib/notifications'
import { insertCustomer } from '@/test/factories/customer'
import { dayOfLastDigest, removeOldNotices, saveNoticeSettings, sendDigests } from './index'

const at = (text: string) => new Date(`${text}:00.000Z`)
const save = (user: { id: string }, digestHour: number | null, now: Date) =>
  saveNoticeSettings(
    user.id,
    {
      on: new Set(['orders:app', 'orders:mail', 'renewals:app', 'renewals:mail', 'payments:app', 'payments:mail']),
      digestHour,
      lowBalanceMicros: null,
      nextChargeDays: 3,
      isNextChargeLoud: false,
    },
    now,
  )
const tell = (user: { id: string }, template: 'order_expired' | 'order_withdrawn' = 'order_expired') =>
  db().$transaction((tx) =>
    tellCustomers(tx, [
      { key: `t:${newId('req')}`, userId: user.id, template, props: { orderId: 'ord_1', wasAutomatic: false } },
    ]),
  )
const mailsOf = (user: { id: string }) =>
  db().outgoingEmail.findMany({ where: { userId: user.id }, orderBy: { id: 'asc' } })
const digestsOf = async (user: { id: string }) =>
  (await mailsOf(user))
    .filter((mail) => mail.template === 'digest')
    .map((mail) => [mail.key, (mail.props as EmailProps['digest']).items.length])

test('mails that can be switched off wait for the day’s digest; what money needs comes at once', async () => {
  const user = await insertCustomer()
  await save(user, 9, at('2027-03-04T08:00'))
  await tell(user)
  await tell(user)
  await tell(user, 'order_withdrawn')
  expect((await mailsOf(user)).map((mail) => mail.template)).toEqual(['order_withdrawn'])
  await sendDigests(at('2027-03-04T08:59'))
  expect(await digestsOf(user)).toEqual([])
  await sendDigests(at('2027-03-04T09:00'))
  expect(await digestsOf(user)).toEqual([[`digest:${user.id}:2027-03-04`, 2]])
})

test('once a day, repeated and raced; a quiet day has none; a worker that was away makes it good', async () => {
  const user = await insertCustomer()
  await save(user, 9, at('2027-03-04T08:00'))
  await tell(user)
  await Promise.all(Array.from({ length: 6 }, () => sendDigests(at('2027-03-04T09:05'))))
  await tell(user)
  await sendDigests(at('2027-03-04T23:00'))
  expect(await digestsOf(user)).toEqual([[`digest:${user.id}:2027-03-04`, 1]])
  await sendDigests(at('2027-03-05T09:00'))
  await sendDigests(at('2027-03-06T09:00'))
  await tell(user)
  // Away from the morning of the 8th until after midnight.
  await sendDigests(at('2027-03-09T02:00'))
  expect(await digestsOf(user)).toEqual([
    [`digest:${user.id}:2027-03-04`, 1],
    [`digest:${user.id}:2027-03-05`, 1],
    [`digest:${user.id}:2027-03-08`, 1],
  ])
})

/** A trigger stands in for the kill: it ends the transaction after the notices were gathered and before the mail is there. */
test('a run that dies in the middle leaves all for the next one', async () => {
  const user = await insertCustomer()
  await save(user, 9, at('2027-03-04T08:00'))
  await tell(user)
  await db().$executeRawUnsafe(
    `CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'killed'; END $$`,
  )
  await db().$executeRawUnsafe(
    `CREATE TRIGGER die BEFORE INSERT ON outgoing_emails FOR EACH ROW WHEN (NEW.template = 'digest') EXECUTE FUNCTION die()`,
  )
  await expect(sendDigests(at('2027-03-04T09:00'))).rejects.toThrow('killed')
  await db().$executeRawUnsafe('DROP TRIGGER die ON outgoing_emails')
  await sendDigests(at('2027-03-04T09:05'))
  expect(await digestsOf(user)).toEqual([[`digest:${user.id}:2027-03-04`, 1]])
})

/** A trigger that refuses one person's mail, and that person comes first: ids sort by age. */
test('somebody whose digest cannot be made keeps nobody from theirs, and the run says that it failed', async () => {
  const [broken, ...others] = [await insertCustomer(), await insertCustomer(), await insertCustomer()]
  for (const user of [broken, ...others]) {
    await save(user, 9, at('2027-03-04T08:00'))
    await tell(user)
  }
  await db().$executeRawUnsafe(
    `CREATE FUNCTION refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'this one cannot be made'; END $$`,
  )
  await db().$executeRawUnsafe(
    `CREATE TRIGGER refuse_one BEFORE INSERT ON outgoing_emails FOR EACH ROW WHEN (NEW.template = 'digest' AND NEW.user_id = '${broken.id}') EXECUTE FUNCTION refuse_one()`,
  )
  await expect(sendDigests(at('2027-03-04T09:00'))).rejects.toThrow('cannot be made')
  await db().$executeRawUnsafe('DROP TRIGGER refuse_one ON outgoing_emails')
  const one = (user: { id: string }) => [[`digest:${user.id}:2027-03-04`, 1]]
  for (const user of others) expect(await digestsOf(user)).toEqual(one(user))
  expect(await digestsOf(broken)).toEqual([])
  await sendDigests(at('2027-03-04T09:05'))
  for (const user of [broken, ...others]) expect(await digestsOf(user)).toEqual(one(user))
})

test('another hour on the same day makes no second digest and loses nothing', async () => {
  const user = await insertCustomer()
  await save(user, 9, at('2027-03-04T08:00'))
  await tell(user)
  await sendDigests(at('2027-03-04T09:00'))
  await tell(user)
  await save(user, 15, at('2027-03-04T12:00'))
  await sendDigests(at('2027-03-04T15:00'))
  expect(await digestsOf(user)).toHaveLength(1)
  await sendDigests(at('2027-03-05T15:00'))
  expect(await digestsOf(user)).toHaveLength(2)
})

test('who goes back to single mails gets what waited as a last digest', async () => {
  const user = await insertCustomer()
  await save(user, 9, at('2027-03-04T08:00'))
  await tell(user)
  await save(user, null, at('2027-03-04T08:30'))
  await tell(user)
  await sendDigests(at('2027-03-04T08:35'))
  expect((await mailsOf(user)).map((mail) => mail.template)).toEqual(['order_expired', 'digest'])
})

test('a long day is listed in part and counted whole', async () => {
  const user = await insertCustomer()
  await save(user, 9, at('2027-03-04T08:00'))
  for (let index = 0; index < 33; index += 1) await tell(user)
  await sendDigests(at('2027-03-04T09:00'))
  const [mail] = await mailsOf(user)
  expect(mail!.props).toMatchObject({ more: 3, day: '2027-03-04' })
})

test('the day of a digest is the one at whose hour it was last due', () => {
  expect(dayOfLastDigest(9, at('2027-03-04T09:00'))).toBe('2027-03-04')
  expect(dayOfLastDigest(9, at('2027-03-04T08:59'))).toBe('2027-03-03')
  expect(dayOfLastDigest(0, at('2027-03-01T00:00'))).toBe('2027-03-01')
  expect(dayOfLastDigest(23, at('2027-03-01T00:00'))).toBe('2027-02-28')
})

test('notices are kept for over a year, and then go', async () => {
  const user = await insertCustomer()
  await tell(user)
  await removeOldNotices(new Date(Date.now() + 399 * 86_400_000))
  expect(await db().notice.count({ where: { userId: user.id } })).toBe(1)
  await removeOldNotices(new Date(Date.now() + 401 * 86_400_000))
  expect(await db().notice.count({ where: { userId: user.id } })).toBe(0)
})
