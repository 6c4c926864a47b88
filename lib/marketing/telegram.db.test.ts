import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { renderCampaign } from '@/emails/render'
import { startTelegramFake, type TelegramFake } from '@/fakes/telegram'
import { SYSTEM } from '@/lib/audit'
import { db } from '@/lib/db'
import { MINUTE_MS } from '@/lib/kit'
import { saveTelegram } from '@/lib/notices'
import { suppressAddress } from '@/lib/notifications'
import { insertCustomer } from '@/test/factories/customer'
import { insertReader, makeCampaign, MARKETER, sayMeasuring, startedCampaign } from '@/test/factories/marketing'
import {
  type BatchTransport,
  chooseTelegramByLink,
  chooseTelegramTopics,
  chooseTopics,
  countAudience,
  findCampaign,
  findPreferences,
  findTelegramChoices,
  listCampaignMails,
  listChoices,
  listFigures,
  moveCampaign,
  preferencesToken,
  readPreferencesToken,
  readTelegram,
  runCampaigns,
  saveCampaignSchema,
  sendCampaignTest,
  startCampaign,
  statementOf,
  TELEGRAM_PER_SECOND,
  type Topic,
  unsubscribe,
} from './index'

const TOKEN = '1000000001:test-token-of-the-stand-in'
const ANYBODY = { hasBalance: false }
const visit = { address: '203.0.113.7', userAgent: null, languages: null }
let telegram: TelegramFake
let nextChat = 700_000
const handedToMail: string[] = []
const mail: BatchTransport = {
  isIdempotent: true,
  sendBatch: async (_, messages) => {
    handedToMail.push(...messages.map(({ to }) => to))
    return messages.map(() => ({ kind: 'taken', messageId: null }))
  },
}

beforeAll(async () => {
  telegram = await startTelegramFake({ port: 0, token: TOKEN })
})
afterAll(() => telegram.close())
const control = (what: string, body: object = {}) =>
  fetch(`${telegram.controlUrl}/${what}`, { method: 'POST', body: JSON.stringify(body) })
const bot = async (isEnabled: boolean) => {
  const saved = await saveTelegram(SYSTEM, { isEnabled, secretToken: TOKEN, apiUrl: telegram.url })
  expect(saved).toMatchObject({ ok: true })
}
beforeEach(async () => {
  await control('reset')
  await bot(true)
  await db().marketingChoice.deleteMany({})
  await db().campaign.updateMany({
    where: { state: { in: ['sending', 'scheduled', 'paused'] } },
    data: { state: 'cancelled' },
  })
  handedToMail.length = 0
})

const inChat = async (chatId: number) =>
  ((await (await fetch(`${telegram.controlUrl}/messages?chat=${chatId}`)).json()) as { text: string; from: string }[])
    .filter((each) => each.from === 'bot')
    .map((each) => each.text)
/** Links a chat, as the webhook would; how a chat comes to be linked is tested with the notices. */
async function link(userId: string, linkedAt = new Date(Date.now() - MINUTE_MS)): Promise<number> {
  const chatId = (nextChat += 1)
  await db().linkedChannel.upsert({
    where: { userId_channel: { userId, channel: 'telegram' } },
    create: { userId, channel: 'telegram', address: String(chatId), linkedAt },
    update: { address: String(chatId), linkedAt },
  })
  return chatId
}
async function choose(userId: string, topics: Topic[]) {
  const said = await chooseTelegramTopics(userId, { topics, source: 'settings', locale: 'en', visit })
  expect(said).toMatchObject({ ok: true })
}
/** Somebody with a linked chat who said yes to news by Telegram. */
async function insertChatReader(input: { locale?: string } = {}) {
  const person = await insertCustomer(input)
  const chatId = await link(person.id)
  await choose(person.id, ['news'])
  return { ...person, chatId }
}
const started = (input: Parameters<typeof startedCampaign>[0] = {}) =>
  startedCampaign({ ...input, channel: 'telegram' })
const run = (now = new Date(), perSecond = Number.POSITIVE_INFINITY) =>
  runCampaigns(renderCampaign, { transport: mail, mailsPerSecond: perSecond, runMs: 5000, clock: () => now })
const figuresOf = async (id: string) => (await listFigures([id])).get(id)!
const rowOf = (campaignId: string, userId: string) =>
  db().campaignRecipient.findUniqueOrThrow({ where: { campaignId_userId: { campaignId, userId } } })

describe('a yes by Telegram', () => {
  it('is a yes of its own, with its own words as proof; it says nothing of mail, nor mail of it', async () => {
    const person = await insertReader({ topics: ['offers'] })
    expect(await findTelegramChoices(person.id)).toBeNull()
    await link(person.id)
    expect((await findTelegramChoices(person.id))!.map(({ state }) => state)).toEqual(['off', 'off', 'off'])
    await choose(person.id, ['news'])
    const [news] = (await findTelegramChoices(person.id))!
    expect(news).toMatchObject({ topic: 'news', state: 'on', proof: { text: statementOf('news', 'en', 'telegram') } })
    expect(statementOf('news', 'en', 'telegram')).not.toBe(statementOf('news', 'en'))
    expect((await listChoices(person.id)).map(({ state }) => state)).toEqual(['off', 'on', 'off'])
    const rows = await db().consent.findMany({ where: { userId: person.id, channel: 'telegram' } })
    expect(rows).toMatchObject([{ topic: 'news', kind: 'marketing', isGranted: true, source: 'settings' }])
    expect(JSON.stringify(rows)).not.toContain('203.0.113')
    // Said again it adds nothing; a no by mail leaves it.
    await choose(person.id, ['news'])
    await chooseTopics(person.id, { topics: [], source: 'settings', locale: 'en' })
    expect(await db().consent.count({ where: { userId: person.id, channel: 'telegram' } })).toBe(1)
    expect((await findTelegramChoices(person.id))![0]).toMatchObject({ state: 'on' })
  })

  it('needs a linked chat, and does not outlive it; a no needs nothing', async () => {
    const { id } = await insertCustomer()
    const say = (topics: Topic[]) => chooseTelegramTopics(id, { topics, source: 'settings', locale: 'en' })
    expect(await say(['news'])).toMatchObject({ refusal: { code: 'chat_not_linked' } })
    expect(await say([])).toMatchObject({ ok: true })
    await link(id)
    await choose(id, ['news'])
    expect((await countAudience('news', ANYBODY, 'telegram')).count).toBe(1)
    // Another chat is linked later: it was not this one that was agreed to.
    await link(id, new Date(Date.now() + MINUTE_MS))
    expect((await findTelegramChoices(id))![0]).toMatchObject({ state: 'off' })
    expect((await countAudience('news', ANYBODY, 'telegram')).count).toBe(0)
    const later = () => new Date(Date.now() + 2 * MINUTE_MS)
    await chooseTelegramTopics(id, { topics: ['news'], source: 'settings', locale: 'en' }, later)
    expect((await countAudience('news', ANYBODY, 'telegram')).count).toBe(1)
  })

  it('is chosen and ended on the page of the link, and ended by one click with everything else', async () => {
    const { id } = await insertChatReader()
    const token = preferencesToken(id, (await makeCampaign()).id)
    expect((await findPreferences(token))!.telegram![0]).toMatchObject({ state: 'on' })
    const say = (text: string, topics: Topic[]) => chooseTelegramByLink(text, { topics, locale: 'en', visit })
    expect(await say(`${token.slice(0, -1)}_`, [])).toMatchObject({ refusal: { code: 'link_invalid' } })
    expect(await say(token, ['offers'])).toMatchObject({ ok: true })
    expect((await findPreferences(token))!.telegram!.map(({ state }) => state)).toEqual(['off', 'on', 'off'])
    await chooseTopics(id, { topics: ['offers'], source: 'settings', locale: 'en' })
    expect(await unsubscribe(token, visit)).toMatchObject({ value: { topics: ['offers'] } })
    for (const channel of ['mail', 'telegram'] as const)
      expect((await listChoices(id, channel)).every(({ state }) => state === 'off')).toBe(true)
    await bot(false)
    expect((await findPreferences(token))!.telegram).toBeNull()
  })
})

describe('a campaign by Telegram', () => {
  it('goes to whoever said yes to its topic by Telegram, once, and never to anybody else', async () => {
    const [agreed, russian] = [await insertChatReader(), await insertChatReader({ locale: 'ru' })]
    const byMail = await insertReader()
    const mailChat = await link(byMail.id)
    const withdrawn = await insertChatReader()
    await choose(withdrawn.id, [])
    const suspended = await insertChatReader()
    await db().user.update({ where: { id: suspended.id }, data: { suspendedAt: new Date() } })
    const complained = await insertChatReader()
    await db().$transaction((tx) =>
      suppressAddress(tx, { address: complained.email, reason: 'complaint', emailId: null, at: new Date() }),
    )
    // A mailbox that is gone says nothing of a chat.
    const bounced = await insertChatReader()
    await db().$transaction((tx) =>
      suppressAddress(tx, { address: bounced.email, reason: 'hard_bounce', emailId: null, at: new Date() }),
    )
    expect((await countAudience('news', ANYBODY, 'telegram')).count).toBe(3)
    const id = await started()
    await Promise.all([run(), run(), run()])
    await run()
    for (const { chatId } of [agreed, russian, bounced]) expect(await inChat(chatId)).toHaveLength(1)
    for (const chatId of [mailChat, withdrawn.chatId, suspended.chatId, complained.chatId])
      expect(await inChat(chatId)).toEqual([])
    expect(handedToMail).toEqual([])
    expect((await inChat(russian.chatId))[0]).toContain(`<b>Новости для ${russian.username}</b>`)
    expect(await figuresOf(id)).toMatchObject({ recipients: 3, sent: 3, measured: 0 })
    expect(await findCampaign(id)).toMatchObject({ state: 'sent' })
    expect((await listCampaignMails({ userId: agreed.id })).rows).toMatchObject([
      { channel: 'telegram', state: 'sent' },
    ])
    // And one by mail goes to nobody's chat.
    await startedCampaign()
    await run()
    expect(handedToMail).toEqual([byMail.email])
    expect(await inChat(mailChat)).toEqual([])
  })

  it('ends with the signed way out, and lets neither markup nor template syntax out of names and words', async () => {
    const person = await insertChatReader()
    await sayMeasuring(person.id, true)
    const username = '<b>{{x}}</b>"{name}&'
    await db().user.update({ where: { id: person.id }, data: { username } })
    const id = await started({
      subjectEn: '<i>{name}</i>',
      bodyEn: 'Hi {name},\n\n<script>x</script> **bold** [go](https://shop.test/?a=1&b="2")',
    })
    await run()
    const [text] = await inChat(person.chatId)
    const escaped = '&lt;b&gt;{{x}}&lt;/b&gt;&quot;{name}&amp;'
    expect(text).toContain(
      `<b>&lt;i&gt;${escaped}&lt;/i&gt;</b>\n\nHi ${escaped},\n\n&lt;script&gt;x&lt;/script&gt; <b>bold</b>`,
    )
    expect(text).toContain('<a href="https://shop.test/?a=1&amp;b=%222%22">go</a>')
    expect(text).not.toContain('api/campaign')
    expect(readTelegram(text!)).toContain(
      `Hi ${username},\n\n<script>x</script> bold go (https://shop.test/?a=1&b=%222%22)`,
    )
    const token = /href="http:\/\/shop\.test\/preferences\?token=([^"]+)"/.exec(text!)![1]!
    expect(readPreferencesToken(token)).toEqual({ userId: person.id, campaignId: id })
    await unsubscribe(token, visit)
    expect(await figuresOf(id)).toMatchObject({ sent: 1, unsubscribed: 1 })
    await started()
    await run()
    expect(await inChat(person.chatId)).toHaveLength(1)
  })

  it('whoever withdraws or unlinks while it is under way gets nothing', async () => {
    const people = await Promise.all(Array.from({ length: 4 }, () => insertChatReader()))
    const id = await started()
    const now = new Date()
    // One message, and the next is not due before the run is over.
    await run(now, 0.1)
    const waiting = await db().campaignRecipient.findMany({ where: { campaignId: id, state: 'queued' } })
    expect(waiting).toHaveLength(3)
    await choose(waiting[0]!.userId, [])
    await db().linkedChannel.deleteMany({ where: { userId: waiting[1]!.userId } })
    await run(new Date(now.getTime() + MINUTE_MS))
    expect(await rowOf(id, waiting[0]!.userId)).toMatchObject({ state: 'skipped', failure: 'withdrawn' })
    expect(await rowOf(id, waiting[1]!.userId)).toMatchObject({ state: 'skipped', failure: 'unlinked' })
    const counts = await Promise.all(people.map(({ chatId }) => inChat(chatId).then(({ length }) => length)))
    expect(counts.toSorted()).toEqual([0, 0, 1, 1])
  })

  it('whoever blocked the bot is counted as returned and unlinked; the others go', async () => {
    const [gone, other] = [await insertChatReader(), await insertChatReader()]
    await control('block', { chatId: gone.chatId, quiet: true })
    const id = await started()
    await run()
    expect(await rowOf(id, gone.id)).toMatchObject({ state: 'bounced', failure: 'no_such_mailbox' })
    expect(await db().linkedChannel.count({ where: { userId: gone.id } })).toBe(0)
    expect(await db().suppressedAddress.count({ where: { address: gone.email } })).toBe(0)
    expect(await inChat(other.chatId)).toHaveLength(1)
    expect(await figuresOf(id)).toMatchObject({ sent: 2, bounced: 1 })
  })

  it('asked to wait it waits as long; away it is tried again; nobody is lost and nobody twice', async () => {
    const person = await insertChatReader()
    const id = await started()
    const now = new Date()
    await control('limit', { times: 1, retryAfter: 30 })
    await run(now)
    const waits = (await findCampaign(id))!
    expect(waits).toMatchObject({ failure: 'rate_limited' })
    expect(waits.nextBatchAt!.getTime() - now.getTime()).toBe(30_000)
    await control('fail', { times: 1, match: 'sendMessage', status: 503 })
    await run(new Date(now.getTime() + 31_000))
    expect(await findCampaign(id)).toMatchObject({ failure: 'service_away' })
    await run(new Date(now.getTime() + 10 * MINUTE_MS))
    expect(await inChat(person.chatId)).toHaveLength(1)
    expect(await findCampaign(id)).toMatchObject({ state: 'sent', failure: null })
  })

  it('claimed and never answered, as by a killed worker, is not sent again', async () => {
    const person = await insertChatReader()
    const other = await insertChatReader()
    const id = await started()
    // Taken by Telegram without an answer: nobody knows, and it counts as sent.
    await control('fail', { times: 1, match: 'sendMessage', status: 200, after: true })
    await run()
    const states = await db().campaignRecipient.findMany({ where: { campaignId: id }, select: { state: true } })
    expect(states).toEqual([{ state: 'sent' }, { state: 'sent' }])
    for (const { chatId } of [person, other]) expect((await inChat(chatId)).length).toBeLessThanOrEqual(1)

    // Killed between claiming and writing: the row says so, and after the lease it counts as sent.
    const late = await insertChatReader()
    const next = await started()
    await run()
    await db().campaign.update({
      where: { id: next },
      data: {
        state: 'sending',
        endedAt: null,
        isBatchOpen: true,
        batchTriedAt: new Date(),
        batchFirstTriedAt: new Date(),
      },
    })
    const { batch } = await db().campaign.findUniqueOrThrow({ where: { id: next } })
    await db().campaignRecipient.update({
      where: { campaignId_userId: { campaignId: next, userId: late.id } },
      data: { state: 'sending', batch },
    })
    const before = (await inChat(late.chatId)).length
    await run(new Date(Date.now() + 3 * MINUTE_MS))
    expect(await rowOf(next, late.id)).toMatchObject({ state: 'sent', failure: 'outcome_unknown' })
    expect(await inChat(late.chatId)).toHaveLength(before)
  })

  it('keeps within the bot’s rate, by a clock that goes ten milliseconds on whenever it is asked', async () => {
    await Promise.all(Array.from({ length: 4 }, () => insertChatReader()))
    const id = await started()
    let now = Date.now()
    await runCampaigns(renderCampaign, { transport: mail, runMs: 20_000, clock: () => new Date((now += 10)) })
    expect(await figuresOf(id)).toMatchObject({ sent: 4 })
    const rows = await db().campaignRecipient.findMany({ where: { campaignId: id }, orderBy: { stateAt: 'asc' } })
    // A row is written a question or two after its message was claimed.
    for (const [index, { stateAt }] of rows.entries())
      if (index > 0)
        expect(stateAt.getTime() - rows[index - 1]!.stateAt.getTime()).toBeGreaterThanOrEqual(
          1000 / TELEGRAM_PER_SECOND - 10,
        )
  })

  it('does not begin while the bot is off; switched off meanwhile it waits, and mail goes on', async () => {
    const person = await insertChatReader()
    const reader = await insertReader()
    const { id: draft, revision } = await makeCampaign({ channel: 'telegram' })
    await bot(false)
    expect(await startCampaign(MARKETER, { campaignId: draft, revision })).toMatchObject({
      refusal: { code: 'channel_off' },
    })
    await bot(true)
    const id = await started()
    await bot(false)
    const byMail = await startedCampaign()
    await run()
    expect(handedToMail).toEqual([reader.email])
    expect(await findCampaign(byMail)).toMatchObject({ state: 'sent' })
    expect(await findCampaign(id)).toMatchObject({ state: 'sending', failure: 'not_admitted' })
    await bot(true)
    await run()
    expect(await inChat(person.chatId)).toHaveLength(1)
    expect(await findCampaign(id)).toMatchObject({ state: 'sent', failure: null })
    expect(await moveCampaign(MARKETER, { campaignId: id, to: 'pause' })).toMatchObject({ ok: false })
  })

  it('as a test goes into the chat of whoever asks, in both languages', async () => {
    const staff = await insertCustomer()
    const { id } = await makeCampaign({ channel: 'telegram' })
    const test = () => sendCampaignTest(MARKETER, { campaignId: id, person: staff })
    expect(await test()).toMatchObject({ refusal: { code: 'chat_not_linked' } })
    const chatId = await link(staff.id)
    expect(await test()).toMatchObject({ value: { channel: 'telegram' } })
    expect(await inChat(chatId)).toHaveLength(2)
    expect(await db().outgoingEmail.count({ where: { userId: staff.id } })).toBe(0)
    await bot(false)
    expect(await test()).toMatchObject({ refusal: { code: 'channel_off' } })
    expect((await figuresOf(id)).recipients).toBe(0)
  })

  it('must fit into one message', () => {
    const whole = { name: 'N', topic: 'news', subjectEn: 'S', bodyEn: 'B', subjectRu: 'Т', bodyRu: 'Т' }
    const wrong = (input: object) =>
      saveCampaignSchema.safeParse({ ...whole, ...input }).error?.issues.map(({ path, message }) => [path[0], message])
    expect(wrong({ channel: 'telegram', bodyEn: 'x'.repeat(3499) })).toBeUndefined()
    expect(wrong({ channel: 'telegram', bodyEn: 'x'.repeat(3500) })).toEqual([['bodyEn', 'text_too_long']])
    expect(wrong({ channel: 'telegram', bodyRu: '{name}'.repeat(100) })).toEqual([['bodyRu', 'text_too_long']])
    expect(wrong({ bodyEn: 'x'.repeat(9000) })).toBeUndefined()
    expect(wrong({ channel: 'pigeon' })).toEqual([['channel', 'choice_invalid']])
    expect(saveCampaignSchema.parse(whole)).toMatchObject({ channel: 'mail' })
  })
})
