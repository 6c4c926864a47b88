import { expect, test } from 'vitest'
import { db } from '@/lib/db'
import { type EmailTemplate, NOTICE_TYPES, tellCustomers } from '@/lib/notifications'
import { newId } from '@/lib/kit'
import { insertCustomer } from '@/test/factories/customer'
import { countUnread, getNoticeSettings, listNotices, listTypesInUse, markRead, saveNoticeSettings } from './index'
import { NOTICE_CHANNELS } from './schemas'

type Customer = Awaited<ReturnType<typeof insertCustomer>>

const SHAPES = {
  order_failed: { orderId: 'ord_1', refundedMicros: '1000000', currency: 'USD', reason: 'sold_out' },
  order_expired: { orderId: 'ord_1', wasAutomatic: false },
  order_withdrawn: { orderId: 'ord_1' },
  password_changed: { username: 'x', resetUrl: 'http://shop.test/' },
  reset_password: { username: 'x', url: 'http://shop.test/reset-password?token=very-secret' },
} as const

const fact = (user: Customer, template: keyof typeof SHAPES, key = `t:${newId('req')}`, more: object = {}) => ({
  key,
  userId: user.id,
  template: template as EmailTemplate,
  props: SHAPES[template] as never,
  ...more,
})
const tell = (...facts: ReturnType<typeof fact>[]) => db().$transaction((tx) => tellCustomers(tx, facts))
const mailsOf = (user: Customer) =>
  db()
    .outgoingEmail.findMany({ where: { userId: user.id }, orderBy: { id: 'asc' } })
    .then((rows) => rows.map((row) => row.template))
const noticesOf = async (user: Customer) =>
  (await listNotices({ userId: user.id, limit: 50 })).rows.map((row) => row.template)
const jobsOf = async (user: Customer) => {
  const ids = [
    ...(await db().outgoingEmail.findMany({ where: { userId: user.id } })),
    ...(await db().channelMessage.findMany({ where: { userId: user.id } })),
  ].map((row) => row.id)
  const jobs = await db().outboxJob.findMany()
  return jobs.filter(({ payload }) => ids.some((id) => JSON.stringify(payload).includes(id))).map((job) => job.name)
}

/** The form with everything on but what is named; the other settings at their defaults. */
async function save(
  user: Customer,
  off: string[],
  more: Partial<Parameters<typeof saveNoticeSettings>[1]> = {},
  now?: Date,
) {
  const all = NOTICE_TYPES.flatMap((type) => NOTICE_CHANNELS.map((channel) => `${type}:${channel}`))
  const on = new Set(all.filter((each) => !off.includes(each)))
  const saved = await saveNoticeSettings(
    user.id,
    { on, digestHour: null, lowBalanceMicros: null, nextChargeDays: 3, isNextChargeLoud: false, ...more },
    now,
  )
  expect(saved.ok).toBe(true)
}
const linkChat = (user: Customer) =>
  db().linkedChannel.create({ data: { userId: user.id, channel: 'telegram', address: user.id } })

test('a fact is told once per channel, repeated, raced and by both of the older functions', async () => {
  const user = await insertCustomer()
  await linkChat(user)
  const one = fact(user, 'order_failed')
  const mails = JSON.stringify([one])
  await Promise.all([
    ...Array.from({ length: 8 }, () => tell(one)),
    db().$executeRaw`SELECT queue_user_emails(${mails}::jsonb)`,
    db()
      .$executeRaw`SELECT queue_user_email(${one.key}, ${user.id}, ${one.template}, ${JSON.stringify(one.props)}::jsonb)`,
  ])
  await tell(one)
  expect(await noticesOf(user)).toEqual(['order_failed'])
  expect(await mailsOf(user)).toEqual(['order_failed'])
  expect((await jobsOf(user)).sort()).toEqual(['notices.send_message', 'notifications.send_email'])
})

test('a transaction that ends in a fault tells nothing, and the next one tells', async () => {
  const user = await insertCustomer()
  const one = fact(user, 'order_failed')
  await expect(
    db().$transaction(async (tx) => {
      await tellCustomers(tx, [one])
      throw new Error('killed')
    }),
  ).rejects.toThrow('killed')
  expect([await noticesOf(user), await mailsOf(user)]).toEqual([[], []])
  await tell(one)
  expect([await noticesOf(user), await mailsOf(user)]).toEqual([['order_failed'], ['order_failed']])
})

test('a mail that is switched off leaves its notice, and a repeat after the switch does not make it good', async () => {
  const user = await insertCustomer()
  await save(user, ['orders:mail'])
  const one = fact(user, 'order_failed')
  await tell(one)
  await tell(fact(user, 'order_expired'))
  await save(user, [])
  await tell(one)
  expect(await noticesOf(user)).toEqual(['order_expired', 'order_failed'])
  expect(await mailsOf(user)).toEqual(['order_expired'])
})

test('what cannot be switched off is mailed and shown, whatever rows say', async () => {
  const user = await insertCustomer()
  for (const type of NOTICE_TYPES)
    for (const channel of NOTICE_CHANNELS)
      await db().noticeSwitch.create({ data: { userId: user.id, type, channel, isOn: false } })
  await tell(fact(user, 'password_changed'), fact(user, 'order_withdrawn'), fact(user, 'order_failed'))
  expect((await mailsOf(user)).sort()).toEqual(['order_withdrawn', 'password_changed'])
  expect((await noticesOf(user)).sort()).toEqual(['order_withdrawn', 'password_changed'])
  expect(await countUnread({ userId: user.id })).toBe(2)
})

test('a link that opens an account is mailed and stands nowhere else', async () => {
  const user = await insertCustomer()
  await linkChat(user)
  await tell(fact(user, 'reset_password'), fact(user, 'reset_password'))
  expect(await mailsOf(user)).toEqual(['reset_password', 'reset_password'])
  expect(await db().notice.count({ where: { userId: user.id } })).toBe(0)
  expect(await db().channelMessage.count({ where: { userId: user.id } })).toBe(0)
})

test('a quiet fact is in the app only; a channel is used where it is linked and switched on', async () => {
  const user = await insertCustomer()
  await tell(fact(user, 'order_failed', undefined, { isQuiet: true }))
  expect(await mailsOf(user)).toEqual([])
  await linkChat(user)
  await tell(fact(user, 'order_failed', undefined, { isQuiet: true }), fact(user, 'order_expired'))
  await db().noticeSwitch.create({ data: { userId: user.id, type: 'orders', channel: 'telegram', isOn: false } })
  await tell(fact(user, 'order_failed'))
  const messages = await db().channelMessage.findMany({ where: { userId: user.id }, select: { notice: true } })
  expect(messages.map((each) => each.notice.template)).toEqual(['order_expired'])
  expect(await noticesOf(user)).toHaveLength(4)
})

test('many customers in one statement, each by their own switches; an unknown template tells nobody', async () => {
  const people = await Promise.all(Array.from({ length: 30 }, () => insertCustomer()))
  await Promise.all(people.slice(0, 10).map((user) => save(user, ['renewals:mail'])))
  const facts = people.map((user) => fact(user, 'order_expired'))
  await tell(...facts, ...facts.map((each) => ({ ...each, key: `${each.key}:2` })))
  const count = (ids: Customer[]) => db().outgoingEmail.count({ where: { userId: { in: ids.map(({ id }) => id) } } })
  expect([await count(people.slice(0, 10)), await count(people.slice(10))]).toEqual([0, 40])
  expect(await db().notice.count({ where: { userId: { in: people.map(({ id }) => id) } } })).toBe(60)
  const stranger = await insertCustomer()
  await expect(
    tell(fact(stranger, 'order_failed'), { ...fact(stranger, 'order_failed'), template: 'no_such' as EmailTemplate }),
  ).rejects.toThrow()
  expect(await noticesOf(stranger)).toEqual([])
})

test('switches are kept as what differs from the defaults, and channels that are not offered stay', async () => {
  const user = await insertCustomer()
  await db().noticeSwitch.create({ data: { userId: user.id, type: 'orders', channel: 'telegram', isOn: false } })
  await save(user, ['orders:mail', 'renewals:app', 'security:mail', 'security:app', 'news:mail'])
  const rows = await db().noticeSwitch.findMany({ where: { userId: user.id }, orderBy: { channel: 'asc' } })
  expect(rows.map(({ type, channel, isOn }) => [type, channel, isOn])).toEqual([
    ['renewals', 'app', false],
    ['orders', 'mail', false],
    ['orders', 'telegram', false],
  ])
  const settings = await getNoticeSettings({ userId: user.id })
  expect(settings.isOn('orders', 'mail')).toBe(false)
  expect(settings.isOn('orders', 'app')).toBe(true)
  expect(settings.isOn('security', 'mail')).toBe(true)
  expect(settings.telegram).toBeNull()
  // News by mail is off by default.
  await save(user, ['news:mail'])
  expect(await db().noticeSwitch.count({ where: { userId: user.id } })).toBe(1)
  expect(listTypesInUse()).toContainEqual({ type: 'security', required: 'all' })
  expect(listTypesInUse()).toContainEqual({ type: 'renewals', required: 'none' })
})

test('what is switched off in the app is not on the page and not counted', async () => {
  const user = await insertCustomer()
  await save(user, ['orders:app'])
  await tell(fact(user, 'order_failed'))
  expect(await noticesOf(user)).toEqual([])
  expect(await countUnread({ userId: user.id })).toBe(0)
  expect(await mailsOf(user)).toEqual(['order_failed'])
})

test('pages go on from the last one, newest first; filters hold; somebody else sees and marks nothing', async () => {
  const [user, stranger] = await Promise.all([insertCustomer(), insertCustomer()])
  for (let index = 0; index < 5; index += 1) await tell(fact(user, index % 2 ? 'order_expired' : 'order_failed'))
  const first = await listNotices({ userId: user.id, limit: 2 })
  const second = await listNotices({ userId: user.id, limit: 2, before: first.nextBefore! })
  const third = await listNotices({ userId: user.id, limit: 2, before: second.nextBefore! })
  expect([first, second, third].map((page) => page.rows.map((row) => row.template))).toEqual([
    ['order_failed', 'order_expired'],
    ['order_failed', 'order_expired'],
    ['order_failed'],
  ])
  expect(third.nextBefore).toBeNull()
  expect((await listNotices({ userId: user.id, type: 'renewals', limit: 9 })).rows).toHaveLength(2)
  expect((await listNotices({ userId: stranger.id, limit: 9 })).rows).toEqual([])

  const [newest] = first.rows
  expect(await markRead(stranger.id, { noticeId: newest!.id })).toMatchObject({ refusal: { code: 'not_found' } })
  await markRead(stranger.id, {})
  expect(await countUnread({ userId: user.id })).toBe(5)
  expect(await markRead(user.id, { noticeId: newest!.id })).toMatchObject({ ok: true })
  expect(await countUnread({ userId: user.id })).toBe(4)
  expect((await listNotices({ userId: user.id, isUnreadOnly: true, limit: 9 })).rows).toHaveLength(4)
  await markRead(user.id, {})
  expect(await countUnread({ userId: user.id })).toBe(0)
})
