import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTelegramFake, type TelegramFake } from '@/fakes/telegram'
import { askWhoBotIs, telegramChannel, writeMessage } from './telegram'

const TOKEN = '1000000001:test-token-of-the-stand-in'
const MESSAGE = { title: 'Hello', line: 'a line', url: 'http://shop.test/account' }
let telegram: TelegramFake
/** Takes every call and hangs up without a word. */
let mute: Server

beforeAll(async () => {
  telegram = await startTelegramFake({ port: 0, token: TOKEN })
  mute = createServer((request) => request.socket.destroy())
  await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  mute.close()
  await telegram.close()
})

const control = (what: string, body: object) =>
  fetch(`${telegram.controlUrl}/${what}`, { method: 'POST', body: JSON.stringify(body) })
const muteUrl = () => `http://127.0.0.1:${(mute.address() as { port: number }).port}`

test('every end of a message has its word', async () => {
  const bot = telegramChannel({ apiUrl: telegram.url, token: TOKEN })
  expect(await bot.send('7', MESSAGE)).toEqual({ outcome: 'sent' })
  expect(await bot.send('nobody', MESSAGE)).toEqual({ outcome: 'refused', isGone: true })
  await control('block', { chatId: 7, quiet: true })
  expect(await bot.send('7', MESSAGE)).toEqual({ outcome: 'refused', isGone: true })
  await control('limit', { times: 1, retryAfter: 9 })
  expect(await bot.send('8', MESSAGE)).toMatchObject({ outcome: 'later', retryAfterMs: 9000 })
  await control('fail', { times: 1, match: 'sendMessage', status: 400 })
  expect(await bot.send('8', MESSAGE)).toEqual({ outcome: 'refused', isGone: false })
  await control('fail', { times: 1, match: 'sendMessage', status: 503 })
  expect(await bot.send('8', MESSAGE)).toMatchObject({ outcome: 'later', retryAfterMs: null })
  const wrong = telegramChannel({ apiUrl: telegram.url, token: '1:another-token-that-is-long' })
  expect(await wrong.send('8', MESSAGE)).toMatchObject({ outcome: 'later' })
})

test('what was sent and not answered is unknown; what never left is for later', async () => {
  expect(await telegramChannel({ apiUrl: muteUrl(), token: TOKEN }).send('8', MESSAGE)).toEqual({ outcome: 'unknown' })
  const gone = await startTelegramFake({ port: 0, token: TOKEN })
  await gone.close()
  const nowhere = telegramChannel({ apiUrl: gone.url, token: TOKEN })
  expect(await nowhere.send('8', MESSAGE)).toMatchObject({ outcome: 'later' })
})

test('nothing that comes from outside becomes markup, and nothing is too long', () => {
  const text = writeMessage({ title: '<b>&amp;', line: '<a href="tg://x">', url: 'http://shop.test/?a=1&b=2' })
  expect(text).toBe('<b>&lt;b&gt;&amp;amp;</b>\n&lt;a href="tg://x"&gt;\n\nhttp://shop.test/?a=1&amp;b=2')
  expect(writeMessage({ title: 'x', line: '<'.repeat(5000), url: 'u' }).length).toBeLessThan(4096 + 100)
})

test('who the bot is, by a call that changes nothing', async () => {
  expect(await askWhoBotIs({ apiUrl: telegram.url, token: TOKEN })).toEqual({
    ok: true,
    botUsername: 'sluice_demo_bot',
  })
  expect(await askWhoBotIs({ apiUrl: telegram.url, token: '1:another-token-that-is-long' })).toMatchObject({
    why: 'refused',
  })
  expect(await askWhoBotIs({ apiUrl: muteUrl(), token: TOKEN })).toMatchObject({ why: 'unreachable' })
})
