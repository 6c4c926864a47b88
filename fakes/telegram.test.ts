import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTelegramFake, type TelegramFake } from './telegram'

const TOKEN = '1000000001:test-token-of-the-stand-in'
let fake: TelegramFake
let shop: Server
const heard: { secret: string | undefined; body: string }[] = []

beforeAll(async () => {
  fake = await startTelegramFake({ port: 0, token: TOKEN })
  shop = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      heard.push({ secret: request.headers['x-telegram-bot-api-secret-token'] as string, body })
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ method: 'sendMessage', chat_id: 5, text: 'Hello' }))
    })
  })
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  shop.close()
  await fake.close()
})

const call = async (method: string, body: object = {}, token = TOKEN) => {
  const answer = await fetch(`${fake.url}/bot${token}/${method}`, { method: 'POST', body: JSON.stringify(body) })
  return { status: answer.status, ...((await answer.json()) as { ok: boolean; parameters?: object }) }
}
const control = (what: string, body: object) =>
  fetch(`${fake.controlUrl}/${what}`, { method: 'POST', body: JSON.stringify(body) })

test('knows its bot, and no other', async () => {
  expect(await call('getMe')).toMatchObject({ status: 200, result: { username: 'sluice_demo_bot' } })
  expect(await call('getMe', {}, '1:another-token-that-is-long-enough')).toMatchObject({ status: 401, ok: false })
  expect(await call('getMe', {}, 'x')).toMatchObject({ status: 404 })
})

test('takes messages as Telegram does, and refuses what Telegram refuses', async () => {
  expect(await call('sendMessage', { chat_id: '7', text: '<b>a</b> &amp; b', parse_mode: 'HTML' })).toMatchObject({
    ok: true,
  })
  expect(await call('sendMessage', { chat_id: '7', text: 'a < b', parse_mode: 'HTML' })).toMatchObject({ status: 400 })
  expect(await call('sendMessage', { chat_id: '7', text: 'x'.repeat(5000) })).toMatchObject({ status: 400 })
  await control('limit', { times: 1, retryAfter: 3 })
  expect(await call('sendMessage', { chat_id: '7', text: 'x' })).toMatchObject({
    status: 429,
    parameters: { retry_after: 3 },
  })
  await control('block', { chatId: 7, quiet: true })
  expect(await call('sendMessage', { chat_id: '7', text: 'x' })).toMatchObject({ status: 403 })
  const said = (await (await fetch(`${fake.controlUrl}/messages?chat=7`)).json()) as { text: string }[]
  expect(said.map((each) => each.text)).toEqual(['<b>a</b> &amp; b'])
})

test('reports what people write with the secret that was agreed, and carries out the answer', async () => {
  const { port } = shop.address() as { port: number }
  await call('setWebhook', { url: `http://127.0.0.1:${port}/`, secret_token: 'agreed' })
  expect(await fake.say(5, '/start abc')).toEqual({ status: 200, reply: 'Hello' })
  expect(heard.at(-1)).toMatchObject({ secret: 'agreed', body: expect.stringContaining('/start abc') })
  await fake.say(5, 'x', { secret: 'forged' })
  expect(heard.at(-1)!.secret).toBe('forged')
  await control('block', { chatId: 5 })
  expect(heard.at(-1)!.body).toContain('kicked')
})
