import { beforeEach, describe, expect, it } from 'vitest'
import { renderCampaign } from '@/emails/render'
import { db } from '@/lib/db'
import { HOUR_MS, MINUTE_MS, newId } from '@/lib/kit'
import type { MailMessage, MailTransport, SendOutcome } from '@/lib/notifications'
import { insertCustomer } from '@/test/factories/customer'
import {
  insertReader,
  insertReaders,
  makeCampaign,
  MARKETER,
  sayMeasuring,
  startedCampaign,
} from '@/test/factories/marketing'
import {
  campaignImageUrl,
  campaignLinkUrl,
  chooseMeasuring,
  chooseMeasuringByLink,
  choosePreferences,
  chooseTopics,
  findCampaign,
  findMeasuring,
  findPreferences,
  followLink,
  linkToken,
  listChoices,
  listFigures,
  listLinkFigures,
  measuringStatement,
  noteOpening,
  openToken,
  preferencesToken,
  runCampaigns,
  sendCampaignTest,
  TOPICS,
  unsubscribe,
  withdrawFor,
} from './index'

const visit = { address: '203.0.113.7', userAgent: null, languages: null }
const READ = { isCounted: true }

beforeEach(async () => {
  await db().marketingChoice.deleteMany({})
  await db().measuringChoice.deleteMany({})
  await db().campaign.updateMany({ where: { state: 'sending' }, data: { state: 'cancelled' } })
})

/** A transport that keeps what it was handed, batch by batch, and answers as told. */
function mailbox(answer: (call: number) => SendOutcome = () => ({ kind: 'taken', messageId: null })) {
  const batches: { key: string; messages: MailMessage[] }[] = []
  const transport: MailTransport = {
    name: 'resend',
    isIdempotent: true,
    send: async () => answer(0),
    sendBatch: async (key, messages) => {
      batches.push({ key, messages: structuredClone([...messages]) })
      return messages.map(() => answer(batches.length))
    },
    release: async () => undefined,
  }
  return {
    transport,
    batches,
    to: (email: string) => batches.flatMap(({ messages }) => messages).find(({ to }) => to === email)!,
  }
}
async function sendTo(transport: MailTransport, now = new Date()) {
  await runCampaigns(renderCampaign, {
    transport,
    mailsPerSecond: Number.POSITIVE_INFINITY,
    runMs: 5000,
    clock: () => now,
  })
}
const rowOf = (campaignId: string, userId: string) =>
  db().campaignRecipient.findUniqueOrThrow({ where: { campaignId_userId: { campaignId, userId } } })
const figuresOf = async (id: string) => {
  const { sent, measured, opened, clicked } = (await listFigures([id])).get(id)!
  return { sent, measured, opened, clicked }
}
const proofsOf = (userId: string) =>
  db().consent.findMany({ where: { userId, kind: 'measuring' }, orderBy: [{ at: 'asc' }, { id: 'asc' }] })

/** Somebody who allows it, with the mail of a campaign that went to them. */
async function measuredReader(input: { locale?: string; bodyRu?: string } = {}) {
  const person = await insertReader(input)
  await sayMeasuring(person.id, true)
  const campaignId = await startedCampaign({
    bodyEn: 'Hello {name},\n\n[one](https://one.test/a?b=1&c=2) and [two](https://two.test/).',
    ...(input.bodyRu ? { bodyRu: input.bodyRu } : {}),
  })
  const box = mailbox()
  await sendTo(box.transport)
  const row = await rowOf(campaignId, person.id)
  return {
    person,
    campaignId,
    mail: box.to(person.email),
    recipientId: row.id,
    row: () => rowOf(campaignId, person.id),
  }
}

describe('whether somebody may be measured', () => {
  it('is a no until they say so, kept with its proof as every consent is', async () => {
    const { id } = await insertCustomer()
    expect(await findMeasuring(id)).toEqual({ isAllowed: false, proof: null })
    const now = new Date('2027-01-02T03:04:05.000Z')
    await chooseMeasuring(id, { isAllowed: true, source: 'settings', locale: 'ru', visit }, () => now)
    const [proof, ...others] = await proofsOf(id)
    expect(others).toEqual([])
    expect(proof).toMatchObject({
      topic: null,
      channel: null,
      isGranted: true,
      isPending: false,
      version: '1',
      source: 'settings',
      locale: 'ru',
      text: measuringStatement('ru'),
      at: now,
      addressDigest: expect.stringMatching(/^[\w-]{43}$/),
    })
    expect(JSON.stringify(proof)).not.toContain('203.0.113')
    expect(await findMeasuring(id)).toMatchObject({ isAllowed: true, proof: { isGranted: true, at: now } })
    expect(await chooseMeasuring(newId('usr'), { isAllowed: true, source: 'settings', locale: 'en' })).toMatchObject({
      refusal: { code: 'not_found' },
    })
  })

  it('said again adds nothing, a no adds a row and edits none, and ten at once are one', async () => {
    const { id } = await insertCustomer()
    await sayMeasuring(id, false)
    expect(await proofsOf(id)).toEqual([])
    await Promise.all(Array.from({ length: 10 }, () => sayMeasuring(id, true)))
    await sayMeasuring(id, false)
    await sayMeasuring(id, false)
    expect((await proofsOf(id)).map(({ isGranted }) => isGranted)).toEqual([true, false])
    await expect(db().consent.updateMany({ where: { userId: id }, data: { isGranted: true } })).rejects.toThrow()
  })

  it('has nothing to do with topics: neither says anything about the other', async () => {
    const { id } = await insertCustomer()
    await sayMeasuring(id, true)
    expect((await listChoices(id)).map(({ state }) => state)).toEqual(TOPICS.map(() => 'off'))
    await chooseTopics(id, { topics: ['news'], source: 'settings', locale: 'en' })
    await sayMeasuring(id, false)
    expect((await listChoices(id)).find(({ topic }) => topic === 'news')).toMatchObject({ state: 'on' })
    await sayMeasuring(id, true)
    await chooseTopics(id, { topics: [], source: 'settings', locale: 'en' })
    expect(await findMeasuring(id)).toMatchObject({ isAllowed: true })
    const ticked = await insertReader({ topics: [...TOPICS] })
    expect(await findMeasuring(ticked.id)).toEqual({ isAllowed: false, proof: null })
  })

  it('is chosen on the page of the link too, by nobody with another link', async () => {
    const { id } = await insertCustomer()
    const campaignId = (await makeCampaign()).id
    const token = preferencesToken(id, campaignId)
    const choose = (text: string, isAllowed: boolean) => chooseMeasuringByLink(text, { isAllowed, locale: 'en', visit })
    expect(await choose(`${token.slice(0, -1)}_`, true)).toMatchObject({ refusal: { code: 'link_invalid' } })
    expect(await findMeasuring(id)).toMatchObject({ isAllowed: false })
    expect(await choose(token, true)).toMatchObject({ ok: true })
    expect(await findPreferences(token)).toMatchObject({ measuring: { isAllowed: true } })
    expect(await choose(token, false)).toMatchObject({ ok: true })
    expect((await proofsOf(id)).map(({ source, cause }) => [source, cause])).toEqual([
      ['preferences', campaignId],
      ['preferences', campaignId],
    ])
    // It is no unsubscribing.
    expect((await listFigures([campaignId])).get(campaignId)).toMatchObject({ unsubscribed: 0 })
  })

  it.each([
    ['one click', (id: string) => unsubscribe(preferencesToken(id), visit)],
    ['the page', (id: string) => choosePreferences(preferencesToken(id), { topics: [], stop: 'all', locale: 'en' })],
    ['support', (id: string) => withdrawFor(MARKETER, id)],
  ])('ends with everything else by %s', async (_, end) => {
    const { person, row } = await measuredReader()
    await noteOpening(openToken((await row()).id), READ)
    expect(await end(person.id)).toMatchObject({ ok: true })
    expect(await findMeasuring(person.id)).toMatchObject({ isAllowed: false, proof: { isGranted: false } })
    expect((await listChoices(person.id)).every(({ state }) => state === 'off')).toBe(true)
    expect(await row()).toMatchObject({ isMeasured: false, openedAt: null })
  })
})

describe('a mail', () => {
  it('of whoever allows it has our own links and one image; the way out is what it always was', async () => {
    const person = await insertReader()
    await sayMeasuring(person.id, true)
    const way = `http://shop.test/preferences?token=${preferencesToken(person.id)}`
    const campaignId = await startedCampaign({
      bodyEn: `[one](https://one.test/a?b=1&c=2) [out](${way})\n\n[two](https://two.test/)`,
    })
    const box = mailbox()
    await sendTo(box.transport)
    const { id } = await rowOf(campaignId, person.id)
    const { html, text, headers } = box.to(person.email)
    for (const form of [html, text]) {
      expect(form).toContain(campaignLinkUrl(linkToken(id, 1)))
      expect(form).toContain(campaignLinkUrl(linkToken(id, 3)))
      expect(form).toContain(way)
      expect(form).not.toContain(campaignLinkUrl(linkToken(id, 2)))
      expect(form).not.toMatch(/one\.test|two\.test/)
      expect(form).toContain(`http://shop.test/preferences?token=${preferencesToken(person.id, campaignId)}`)
      expect(form).not.toMatch(/[\u{E000}-\u{F8FF}]/u)
    }
    expect(headers!['List-Unsubscribe']).toBe(
      `<http://shop.test/api/unsubscribe?token=${preferencesToken(person.id, campaignId)}>`,
    )
    expect(html.match(/<img[^>]*>/g)).toEqual([expect.stringContaining(`src="${campaignImageUrl(openToken(id))}"`)])
    expect(text).not.toContain('campaign-opens')
  })

  it('of everybody else is byte for byte what it was before there was any measuring, beside measured ones in the same batch', async () => {
    const [allowing, plain] = [await insertReader(), await insertReader()]
    const campaign = { bodyEn: 'Hello {name},\n\n**read** [this](https://one.test/) now.' }
    const alone = mailbox()
    await startedCampaign(campaign)
    await sendTo(alone.transport)
    await sayMeasuring(allowing.id, true)
    // One who allowed it once and does not any more is everybody else, too.
    await sayMeasuring(plain.id, true)
    await sayMeasuring(plain.id, false)
    const together = mailbox()
    await startedCampaign(campaign)
    await sendTo(together.transport)
    // The token of the way out names the campaign; nothing else may differ.
    const bytes = ({ html, text, subject }: MailMessage) =>
      JSON.stringify({ html, text, subject }).replaceAll(/token=[\w.-]+/g, 'token=')
    expect(bytes(together.to(plain.email))).toBe(bytes(alone.to(plain.email)))
    expect(together.to(plain.email).html).toContain('href="https://one.test/"')
    expect(together.to(plain.email).html).not.toMatch(/<img|api\/campaign/)
    expect(bytes(together.to(allowing.email))).not.toBe(bytes(alone.to(allowing.email)))
  })

  it('as a test to staff who allow it is not measured', async () => {
    const person = await insertCustomer()
    await sayMeasuring(person.id, true)
    const { id } = await makeCampaign()
    await sendCampaignTest(MARKETER, { campaignId: id, person })
    const mails = await db().outgoingEmail.findMany({ where: { userId: person.id } })
    expect(mails).toHaveLength(2)
    expect(JSON.stringify(mails)).not.toContain('campaign-')
  })

  it('that is handed over again after a kill says the same, whatever was allowed since; only a no changes it', async () => {
    const people = await insertReaders(6)
    const [allowing, later, leaving] = people as [{ id: string; email: string }, ...{ id: string; email: string }[]]
    for (const { id } of [allowing, leaving!]) await sayMeasuring(id, true)
    const id = await startedCampaign()
    const killed = mailbox(() => {
      throw new Error('killed')
    })
    await expect(sendTo(killed.transport)).rejects.toThrow('killed')
    await sayMeasuring(later!.id, true)
    const at = (minutes: number) => new Date(Date.now() + minutes * MINUTE_MS)
    const second = mailbox(() => ({ kind: 'later', failure: 'service_away', detail: '', retryAfterMs: null }))
    await sendTo(second.transport, at(3))
    expect(JSON.stringify(second.batches)).toBe(JSON.stringify(killed.batches))
    expect(second.batches).toHaveLength(1)

    await sayMeasuring(leaving!.id, false)
    const third = mailbox()
    await sendTo(third.transport, at(10))
    expect(third.batches[0]!.key).toBe(killed.batches[0]!.key)
    for (const { email } of people.filter((person) => person !== leaving))
      expect(third.to(email)).toEqual(killed.to(email))
    expect(third.to(leaving!.email).html).not.toMatch(/<img|api\/campaign/)
    expect(await figuresOf(id)).toEqual({ sent: 6, measured: 1, opened: 0, clicked: 0 })
    expect(await findCampaign(id)).toMatchObject({ state: 'sent' })
  })
})

describe('what is kept', () => {
  it('is the first opening and the first link, and nothing of the second', async () => {
    const { campaignId, recipientId, row } = await measuredReader()
    const [first, second, third] = [0, 1, 2].map((hours) => new Date(Date.now() + hours * HOUR_MS)) as [
      Date,
      Date,
      Date,
    ]
    expect(await row()).toMatchObject({ isMeasured: true, openedAt: null, clickedAt: null, clickedLink: null })
    for (const at of [first, second]) await noteOpening(openToken(recipientId), READ, () => at)
    expect(await row()).toMatchObject({ openedAt: first, clickedAt: null })
    const follow = (number: number, at: Date) => followLink(linkToken(recipientId, number), READ, () => at)
    expect(await follow(2, second)).toEqual({ ok: true, value: { url: 'https://two.test/' } })
    expect(await follow(1, third)).toEqual({ ok: true, value: { url: 'https://one.test/a?b=1&c=2' } })
    expect(await row()).toMatchObject({ openedAt: first, clickedAt: second, clickedLink: 2 })
    expect(await figuresOf(campaignId)).toEqual({ sent: 1, measured: 1, opened: 1, clicked: 1 })
    expect(await listLinkFigures((await findCampaign(campaignId))!)).toEqual([
      { locale: 'en', number: 2, url: 'https://two.test/', people: 1 },
    ])
  })

  it('is an opening too when a link was followed without the image', async () => {
    const { recipientId, row } = await measuredReader()
    const at = new Date()
    await followLink(linkToken(recipientId, 1), READ, () => at)
    expect(await row()).toMatchObject({ openedAt: at, clickedAt: at, clickedLink: 1 })
  })

  it('is one of ten at once, and no later one moves it', async () => {
    const { campaignId, recipientId, row } = await measuredReader()
    const times = Array.from({ length: 10 }, (_, index) => new Date(Date.now() + index * 1000))
    await Promise.all(
      times.flatMap((at, index) => [
        noteOpening(openToken(recipientId), READ, () => at),
        followLink(linkToken(recipientId, 1 + (index % 2)), READ, () => at),
      ]),
    )
    const kept = await row()
    expect(times).toContainEqual(kept.openedAt)
    expect(times).toContainEqual(kept.clickedAt)
    const later = () => new Date(Date.now() + HOUR_MS)
    await noteOpening(openToken(recipientId), READ, later)
    await followLink(linkToken(recipientId, 1), READ, later)
    expect(await row()).toEqual(kept)
    expect(await figuresOf(campaignId)).toMatchObject({ opened: 1, clicked: 1 })
  })

  it('is nothing of whoever only looks ahead', async () => {
    const { recipientId, row } = await measuredReader()
    expect(await noteOpening(openToken(recipientId), { isCounted: false })).toMatchObject({ ok: true })
    expect(await followLink(linkToken(recipientId, 1), { isCounted: false })).toMatchObject({ ok: true })
    expect(await row()).toMatchObject({ openedAt: null, clickedAt: null })
  })

  it('a link leads where the text of its reader’s language leads, and nowhere else', async () => {
    const { recipientId } = await measuredReader({ locale: 'ru', bodyRu: '[раз](https://ru.test/путь)' })
    expect(await followLink(linkToken(recipientId, 1), READ)).toMatchObject({
      value: { url: 'https://ru.test/%D0%BF%D1%83%D1%82%D1%8C' },
    })
    for (const token of [
      linkToken(recipientId, 2),
      linkToken(newId('rcp'), 1),
      openToken(recipientId),
      `${linkToken(recipientId, 1)}?to=https://evil.test`,
      'x',
      '',
    ])
      expect(await followLink(token, READ), token).toMatchObject({ refusal: { code: 'not_found' } })
    for (const token of [linkToken(recipientId, 1), 'x', ''])
      expect(await noteOpening(token, READ), token).toMatchObject({ refusal: { code: 'not_found' } })
  })
})

describe('a no', () => {
  it('erases what was kept; the links of old mails still lead on, and count nothing, not even after a new yes', async () => {
    const { person, campaignId, recipientId, row } = await measuredReader()
    const read = async () => {
      expect(await noteOpening(openToken(recipientId), READ)).toMatchObject({ ok: true })
      expect(await followLink(linkToken(recipientId, 1), READ)).toMatchObject({ ok: true })
    }
    const nothing = { isMeasured: false, openedAt: null, clickedAt: null, clickedLink: null }
    await read()
    await sayMeasuring(person.id, false)
    expect(await row()).toMatchObject(nothing)
    await read()
    expect(await row()).toMatchObject(nothing)
    expect(await figuresOf(campaignId)).toEqual({ sent: 1, measured: 0, opened: 0, clicked: 0 })
    expect(await listLinkFigures((await findCampaign(campaignId))!)).toEqual([])
    await sayMeasuring(person.id, true)
    await read()
    expect(await row()).toMatchObject(nothing)
  })

  it('wins over openings at the same time', async () => {
    for (let round = 0; round < 8; round += 1) {
      const { person, recipientId, row } = await measuredReader()
      await Promise.all([
        ...Array.from({ length: 3 }, () => noteOpening(openToken(recipientId), READ)),
        sayMeasuring(person.id, false),
        ...Array.from({ length: 3 }, () => followLink(linkToken(recipientId, 1), READ)),
      ])
      expect(await row()).toMatchObject({ isMeasured: false, openedAt: null, clickedAt: null, clickedLink: null })
    }
  })

  /**
   * The claim of the second batch is held up between asking who allows it and marking their rows, by a lock on one of them. A no that comes just then waits for the claim, and
   * so finds the row that it must erase; it is let through once it waits, or has gone past.
   */
  it('while its batch is being claimed leaves no row that is measured without a yes', async () => {
    const people = await insertReaders(110)
    for (const { id } of people) await sayMeasuring(id, true)
    const id = await startedCampaign()
    const waiting = async () => {
      const [row] = await db().$queryRaw<{ count: bigint }[]>`
        SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      return Number(row!.count)
    }
    let release = () => {}
    const held = new Promise<void>((resolve) => (release = resolve))
    let blocker: Promise<unknown> | undefined
    let queued: { id: string; userId: string }[] = []
    const box = mailbox()
    const transport: MailTransport = {
      ...box.transport,
      sendBatch: async (key, messages) => {
        if (!blocker) {
          queued = await db().campaignRecipient.findMany({
            where: { campaignId: id, state: 'queued' },
            select: { id: true, userId: true },
          })
          let locked = () => {}
          const hasLocked = new Promise<void>((resolve) => (locked = resolve))
          blocker = db().$transaction(
            async (tx) => {
              await tx.$queryRaw`SELECT id FROM campaign_recipients WHERE id = ${queued[0]!.id} FOR UPDATE`
              locked()
              await held
            },
            { timeout: 30_000 },
          )
          await hasLocked
        }
        return box.transport.sendBatch(key, messages)
      },
    }
    const running = sendTo(transport)
    await expect.poll(waiting, { timeout: 20_000, interval: 10 }).toBe(1)
    const leaving = queued.at(-1)!.userId
    let hasSaid = false
    const said = sayMeasuring(leaving, false).then(() => (hasSaid = true))
    await expect.poll(async () => hasSaid || (await waiting()) === 2, { timeout: 20_000, interval: 10 }).toBe(true)
    release()
    await Promise.all([running, blocker, said])
    expect(queued).toHaveLength(10)
    expect(await rowOf(id, leaving)).toMatchObject({ state: 'sent', isMeasured: false })
    expect(await figuresOf(id)).toEqual({ sent: 110, measured: 109, opened: 0, clicked: 0 })
  })

  it('cannot be got round: the database keeps nothing on a row that is not measured', async () => {
    const person = await insertReader()
    const id = await startedCampaign()
    await sendTo(mailbox().transport)
    const row = await rowOf(id, person.id)
    const write = (data: object) => db().campaignRecipient.update({ where: { id: row.id }, data })
    await expect(write({ openedAt: new Date() })).rejects.toThrow()
    await expect(write({ isMeasured: true, clickedAt: new Date(), clickedLink: 1 })).rejects.toThrow()
    await expect(write({ isMeasured: true, openedAt: new Date(), clickedLink: 1 })).rejects.toThrow()
    // Somebody else's yes is no yes of theirs.
    await noteOpening(openToken(row.id), READ)
    await followLink(linkToken(row.id, 1), READ)
    expect(await rowOf(id, person.id)).toEqual(row)
  })
})
