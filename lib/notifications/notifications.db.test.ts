import type { Fake } from '@/fakes/kit'
import { startMailFake } from '@/fakes/mail'
import { db } from '@/lib/db'
import { newId, OperationalError } from '@/lib/kit'
import { insertCustomer } from '@/test/factories/customer'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type EmailRenderer, queueEmail, sendEmail } from './index'

let mail: Fake
const render: EmailRenderer = async (template, props, locale) => ({
  subject: `${template} ${locale}`,
  html: '<p>x</p>',
  text: JSON.stringify(props),
})

beforeAll(async () => {
  mail = await startMailFake({ port: 0, apiKey: 'test-resend-key' })
  process.env.RESEND_API_URL = mail.url // before the settings are read for the first time
})
afterAll(() => mail.close())

async function promise(key: string, template: 'order_failed' | 'reset_password' = 'order_failed') {
  const user = await insertCustomer({ locale: 'ru' })
  const props =
    template === 'order_failed'
      ? { orderId: 'ord_1', refundedMicros: '1', currency: 'USD', reason: 'sold_out' }
      : { username: user.username, url: 'http://shop.test/reset-password?token=very-secret' }
  await db().$transaction((tx) =>
    queueEmail(tx, { key, userId: user.id, to: user.email, locale: 'ru', template, props: props as never }),
  )
  const row = await db().outgoingEmail.findUniqueOrThrow({ where: { key } })
  const received = async () =>
    ((await (await fetch(`${mail.controlUrl}/mails?to=${user.email}`)).json()) as { subject: string }[]).map(
      (each) => each.subject,
    )
  return { row, received, user }
}

it('the same fact is told once, however often it is promised', async () => {
  const key = `failed:${newId('req')}`
  const { row, user } = await promise(key)
  await Promise.all(
    Array.from({ length: 5 }, () =>
      db().$transaction((tx) =>
        queueEmail(tx, {
          key,
          userId: user.id,
          to: user.email,
          locale: 'ru',
          template: 'order_failed',
          props: { orderId: 'ord_1', refundedMicros: '1', currency: 'USD', reason: 'sold_out' },
        }),
      ),
    ),
  )
  expect(await db().outgoingEmail.count({ where: { key } })).toBe(1)
  expect(await db().outboxJob.count({ where: { payload: { path: ['emailId'], equals: row.id } } })).toBe(1)
})

it('is sent once through Resend, also when the run that sent it died before saying so', async () => {
  const { row, received } = await promise(`failed:${newId('req')}`)
  await sendEmail(row.id, render)
  await sendEmail(row.id, render)
  // Sent, and killed before the row was written: the idempotency key makes the second sending none.
  await db().outgoingEmail.update({
    where: { id: row.id },
    data: { state: 'queued', providerMessageId: null, sentAt: null },
  })
  await sendEmail(row.id, render)
  expect(await received()).toEqual(['order_failed ru'])
  expect(await db().outgoingEmail.findUniqueOrThrow({ where: { id: row.id } })).toMatchObject({
    state: 'sent',
    providerMessageId: expect.any(String),
  })
})

it('waits when the mail service is away, and goes out later', async () => {
  const { row, received } = await promise(`failed:${newId('req')}`)
  await fetch(`${mail.controlUrl}/fail`, {
    method: 'POST',
    body: JSON.stringify({ times: 1, match: 'emails', status: 500 }),
  })
  await expect(sendEmail(row.id, render)).rejects.toThrow(OperationalError)
  await sendEmail(row.id, render)
  expect(await received()).toEqual(['order_failed ru'])
})

it('a link that opens an account leaves our rows when it has been sent', async () => {
  const { row } = await promise(`reset:${newId('req')}`, 'reset_password')
  expect(JSON.stringify(row.props)).toContain('very-secret')
  await sendEmail(row.id, render)
  expect((await db().outgoingEmail.findUniqueOrThrow({ where: { id: row.id } })).props).toEqual({})
})
