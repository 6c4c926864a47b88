import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { POST } from '@/app/api/webhooks/telegram/route'
import { startTelegramFake, type TelegramFake } from '@/fakes/telegram'
import { SYSTEM } from '@/lib/audit'
import { db } from '@/lib/db'
import { newId, OperationalError } from '@/lib/kit'
import { tellCustomers } from '@/lib/notifications'
import { insertCustomer } from '@/test/factories/customer'
import {
  getTelegramForAdmin,
  saveTelegram,
  sendChannelMessage,
  startTelegramLink,
  testTelegram,
  unlinkTelegram,
} from './index'
import { openTelegram } from './telegram-account'

const TOKEN = '1000000001:test-token-of-the-stand-in'
let telegram: TelegramFake
let nextChat = 900_000

beforeAll(async () => {
  telegram = await startTelegramFake({ port: 0, token: TOKEN })
})
afterAll(() => telegram.close())
beforeEach(async () => {
  await fetch(`${telegram.controlUrl}/reset`, { method: 'POST' })
  const saved = await saveTelegram(SYSTEM, { isEnabled: true, secretToken: TOKEN, apiUrl: telegram.url })
  expect(saved).toMatchObject({ ok: true, value: { isEnabled: true } })
})

const control = (what: string, body: object) =>
  fetch(`${telegram.controlUrl}/${what}`, { method: 'POST', body: JSON.stringify(body) })
const messagesIn = async (chatId: number) =>
  ((await (await fetch(`${telegram.controlUrl}/messages?chat=${chatId}`)).json()) as { text: string; from: string }[])
    .filter((each) => each.from === 'bot')
    .map((each) => each.text)

/** What Telegram would send, through the route itself. */
async function report(update: unknown, secret?: string) {
  const given = secret ?? (await openTelegram())?.webhookSecret ?? 'none'
  const answer = await POST(
    new Request('http://shop.test/api/webhooks/telegram', {
      method: 'POST',
      body: typeof update === 'string' ? update : JSON.stringify(update),
      headers: { 'x-telegram-bot-api-secret-token': given },
    }),
    { params: Promise.resolve({}) },
  )
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}
const write = (chatId: number, text: string, more: object = {}) =>
  report({ update_id: 1, message: { chat: { id: chatId, type: 'private' }, text, ...more } })

async function tokenFor(user: { id: string }): Promise<string> {
  const link = await startTelegramLink({ userId: user.id })
  if (!link.ok) throw new Error(link.refusal.code)
  return new URL(link.value.url).searchParams.get('start')!
}
async function insertLinked(locale = 'en') {
  const user = await insertCustomer({ locale })
  const chatId = (nextChat += 1)
  expect((await write(chatId, `/start ${await tokenFor(user)}`)).body.text).toContain(user.username)
  return { ...user, chatId }
}
async function tell(user: { id: string }, props: object = {}) {
  const key = `t:${newId('req')}`
  await db().$transaction((tx) =>
    tellCustomers(tx, [
      {
        key,
        userId: user.id,
        template: 'order_intent_refused',
        props: { planSlug: 'a', reason: 'sold_out', ...props },
      },
    ]),
  )
  const message = await db().channelMessage.findFirst({ where: { notice: { key } }, select: { id: true } })
  return message?.id ?? ''
}
const stateOf = async (id: string) => (await db().channelMessage.findUniqueOrThrow({ where: { id } })).state
const linkOf = (user: { id: string }) => db().linkedChannel.findFirst({ where: { userId: user.id } })

test('a chat is linked by a link that works once; /stop ends it', async () => {
  const user = await insertCustomer()
  const [chatId, other] = [(nextChat += 1), (nextChat += 1)]
  const old = await tokenFor(user)
  const token = await tokenFor(user)
  expect(await db().channelLink.count({ where: { tokenDigest: token } })).toBe(0)
  expect((await write(chatId, `/start ${old}`)).body.text).toContain('no longer works')
  const answers = await Promise.all(Array.from({ length: 6 }, () => write(chatId, `/start ${token}`)))
  expect(answers.filter(({ body }) => String(body.text).includes(user.username))).toHaveLength(1)
  expect(answers.filter(({ body }) => String(body.text).includes('linked already'))).toHaveLength(5)
  expect((await write(other, `/start ${token}`)).body.text).toContain('no longer works')
  expect(await linkOf(user)).toMatchObject({ address: String(chatId) })
  expect((await write(chatId, '/stop', { from: { language_code: 'ru-RU' } })).body).toMatchObject({
    method: 'sendMessage',
    chat_id: chatId,
    text: expect.stringContaining('Отвязано'),
  })
  expect((await write(chatId, '/stop')).body.text).toContain('not linked')
  expect(await linkOf(user)).toBeNull()
})

test('an old link links nobody; a chat of somebody else is not taken, and the link still works', async () => {
  const [first, second] = [await insertLinked(), await insertCustomer()]
  const token = await tokenFor(second)
  expect((await write(first.chatId, `/start ${token}`)).body.text).toContain('another account')
  expect(await linkOf(first)).not.toBeNull()
  const chatId = (nextChat += 1)
  await db().channelLink.updateMany({ where: { userId: second.id }, data: { expiresAt: new Date(Date.now() - 1000) } })
  expect((await write(chatId, `/start ${token}`)).body.text).toContain('no longer works')
  expect((await write(chatId, `/start ${await tokenFor(second)}`)).body.text).toContain(second.username)
})

test('a message comes in the reader’s language, escaped, once, also when its job runs again or twice at once', async () => {
  const user = await insertLinked('ru')
  const id = await tell(user)
  await Promise.all(Array.from({ length: 5 }, () => sendChannelMessage({ messageId: id })))
  await sendChannelMessage({ messageId: id })
  const [text, ...rest] = (await messagesIn(user.chatId)).filter((each) => each.includes('<b>'))
  expect(rest).toEqual([])
  expect(text).toContain('<b>Деньги пришли, заказ не оформлен</b>')
  expect(text).toContain('http')
  expect(await stateOf(id)).toBe('sent')
})

test('a worker that died while it sent does not send again; one that Telegram told to wait does, later', async () => {
  const user = await insertLinked()
  const lost = await tell(user)
  await db().channelMessage.update({ where: { id: lost }, data: { state: 'sending' } })
  await sendChannelMessage({ messageId: lost })
  expect(await messagesIn(user.chatId)).toEqual([])

  const id = await tell(user)
  await db().outboxJob.deleteMany()
  await control('limit', { times: 1, retryAfter: 40 })
  await sendChannelMessage({ messageId: id })
  expect(await stateOf(id)).toBe('queued')
  const [job] = await db().outboxJob.findMany()
  expect(job).toMatchObject({ name: 'notices.send_message', payload: { messageId: id } })
  expect(job!.runAt.getTime() - Date.now()).toBeGreaterThan(30_000)
  await sendChannelMessage({ messageId: id })
  expect(await messagesIn(user.chatId)).toHaveLength(1)
})

test('Telegram down means later, and no error holds the token', async () => {
  const user = await insertLinked()
  const id = await tell(user)
  await control('fail', { times: 1, match: 'sendMessage', status: 502 })
  await expect(sendChannelMessage({ messageId: id })).rejects.toThrow(OperationalError)
  await sendChannelMessage({ messageId: id })
  expect(await messagesIn(user.chatId)).toHaveLength(1)
  const error = await (async () => {
    await control('fail', { times: 1, match: 'sendMessage', status: 500 })
    return sendChannelMessage({ messageId: await tell(user) }).catch((each: Error) => each)
  })()
  expect(String(error)).not.toContain('test-token')
})

test('a blocked bot unlinks itself, by a message that is refused and by what Telegram reports', async () => {
  const [user, other] = [await insertLinked(), await insertLinked()]
  const [first, second] = [await tell(user), await tell(user)]
  await control('block', { chatId: user.chatId, quiet: true })
  await sendChannelMessage({ messageId: first })
  expect(await linkOf(user)).toBeNull()
  expect([await stateOf(first), await stateOf(second)]).toEqual(['refused', 'dropped'])
  expect(await tell(user)).toBe('')
  const kicked = { chat: { id: other.chatId, type: 'private' }, new_chat_member: { status: 'kicked' } }
  expect(await report({ update_id: 2, my_chat_member: kicked })).toEqual({ status: 200, body: {} })
  expect(await linkOf(other)).toBeNull()
})

test('unlinking and switching the bot off drop what is on its way', async () => {
  const [user, other] = [await insertLinked(), await insertLinked()]
  const [first, second] = [await tell(user), await tell(other)]
  await unlinkTelegram({ userId: user.id })
  expect(await stateOf(first)).toBe('dropped')
  await saveTelegram(SYSTEM, { isEnabled: false, secretToken: '', apiUrl: telegram.url })
  await sendChannelMessage({ messageId: second })
  expect(await stateOf(second)).toBe('dropped')
  expect((await write(other.chatId, '/stop')).status).toBe(404)
})

test('whatever is sent to the door is a refusal or silence, and changes nothing', async () => {
  const user = await insertLinked()
  const kicked = {
    my_chat_member: { chat: { id: user.chatId, type: 'private' }, new_chat_member: { status: 'kicked' } },
  }
  for (const secret of ['', 'wrong', 'x'.repeat(300), `${(await openTelegram())!.webhookSecret}x`])
    expect((await report(kicked, secret)).status).toBe(401)
  for (const body of ['', 'null', '[]', '{', '"text"', '7', '\u0000', '['.repeat(30_000)])
    expect((await report(body)).status).toBe(400)
  const odd: unknown[] = [
    {},
    { message: null },
    { message: { chat: { id: 'x', type: 'private' }, text: '/stop' } },
    { message: { chat: { id: 1e308, type: 'private' }, text: '/stop' } },
    { message: { chat: { id: user.chatId, type: 'group' }, text: '/stop' } },
    { message: { chat: { id: user.chatId, type: 'private' } } },
    { my_chat_member: { chat: { id: user.chatId, type: 'group' }, new_chat_member: { status: 'kicked' } } },
    { __proto__: { message: 1 }, constructor: 1 },
  ]
  for (const update of odd) expect(await report(update)).toEqual({ status: 200, body: {} })
  for (const text of [
    '/start',
    '/start \u0000',
    `/start ${'a'.repeat(5000)}`,
    "/start ' OR 1=1 --",
    '/stopp',
    '\u0000',
  ])
    expect((await write(user.chatId, text)).status).toBe(200)
  expect(await linkOf(user)).not.toBeNull()
  expect((await report('x'.repeat(70_000))).status).toBe(413)
})

test('the token is sealed, masked and asked for again by another server; only a bot that works is switched on', async () => {
  const row = await db().channelAccount.findUniqueOrThrow({ where: { channel: 'telegram' } })
  expect(JSON.stringify(row)).not.toContain('test-token')
  const view = await getTelegramForAdmin()
  expect(view).toMatchObject({ isEnabled: true, botUsername: 'sluice_demo_bot', tokenHint: TOKEN.slice(-4) })
  expect(JSON.stringify(view)).not.toContain('test-token')
  const save = (input: object) =>
    saveTelegram(SYSTEM, { isEnabled: true, secretToken: '', apiUrl: telegram.url, ...input })
  expect(await save({ apiUrl: 'http://127.0.0.1:9' })).toMatchObject({ refusal: { code: 'secret_needed_again' } })
  expect(await save({ secretToken: TOKEN, apiUrl: 'http://127.0.0.1:9' })).toMatchObject({
    refusal: { code: 'telegram_unavailable' },
  })
  expect(await save({ secretToken: '1:another-token-that-is-long' })).toMatchObject({
    refusal: { code: 'telegram_token_refused' },
  })
  expect(await save({})).toMatchObject({ ok: true })
  expect(await testTelegram(SYSTEM)).toMatchObject({ value: { result: 'ok' } })
  await control('fail', { times: 1, match: 'getMe', status: 500 })
  expect(await testTelegram(SYSTEM)).toMatchObject({ value: { result: 'unreachable' } })
  expect((await getTelegramForAdmin()).testResult).toBe('unreachable')
})
