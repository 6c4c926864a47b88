import { beforeEach, describe, expect, it } from 'vitest'
import { db } from '@/lib/db'
import { findCustomer, signUp } from '@/lib/identity'
import { DAY_MS, newId } from '@/lib/kit'
import { insertCustomer } from '@/test/factories/customer'
import { makeCampaign, MARKETER } from '@/test/factories/marketing'
import {
  choosePreferences,
  chooseTopics,
  confirmTopics,
  findPreferences,
  listChoices,
  marketingRules,
  preferencesToken,
  recordSignUpChoice,
  signUpStatement,
  statementOf,
  TOPICS,
  unsubscribe,
  withdrawFor,
} from './index'

const visit = { address: '203.0.113.7', userAgent: null, languages: null }
const statesOf = async (userId: string) =>
  Object.fromEntries((await listChoices(userId)).map(({ topic, state }) => [topic, state]))
const proofsOf = (userId: string) =>
  db().consent.findMany({ where: { userId, kind: 'marketing' }, orderBy: [{ at: 'asc' }, { id: 'asc' }] })
const confirmMails = async (userId: string) =>
  (await db().outgoingEmail.findMany({ where: { userId, template: 'marketing_confirm' }, orderBy: { id: 'asc' } })).map(
    ({ props }) => new URL((props as { url: string }).url).searchParams.get('token')!,
  )
const doubleOptIn = (isOn: boolean) => marketingRules.save(MARKETER, { doubleOptIn: isOn, mailsPerSecond: 50 })

beforeEach(() => doubleOptIn(false))

describe('what somebody agreed to (promise O9, promise R13)', () => {
  it('is nothing until they say so', async () => {
    const { id } = await insertCustomer()
    expect(await listChoices(id)).toEqual(TOPICS.map((topic) => ({ topic, state: 'off', proof: null })))
  })

  it('is kept with its proof: when, where, which words, which language, and of the address only a digest', async () => {
    const { id } = await insertCustomer()
    const now = new Date('2027-01-02T03:04:05.000Z')
    await chooseTopics(id, { topics: ['offers'], source: 'settings', locale: 'ru', visit }, () => now)
    const [proof, ...others] = await proofsOf(id)
    expect(others).toEqual([])
    expect(proof).toMatchObject({
      topic: 'offers',
      channel: 'mail',
      isGranted: true,
      isPending: false,
      source: 'settings',
      locale: 'ru',
      text: statementOf('offers', 'ru'),
      at: now,
      addressDigest: expect.stringMatching(/^[\w-]{43}$/),
    })
    expect(JSON.stringify(proof)).not.toContain('203.0.113')
    expect(await statesOf(id)).toEqual({ news: 'off', offers: 'on', guides: 'off' })
  })

  it('said again in other words adds nothing; a no adds a row and edits none', async () => {
    const { id } = await insertCustomer()
    const choose = (topics: (typeof TOPICS)[number][]) => chooseTopics(id, { topics, source: 'settings', locale: 'en' })
    await choose(['news'])
    await choose(['news'])
    expect(await proofsOf(id)).toHaveLength(1)
    await choose([])
    await choose([])
    expect((await proofsOf(id)).map(({ isGranted }) => isGranted)).toEqual([true, false])
    await expect(db().consent.updateMany({ where: { userId: id }, data: { isGranted: true } })).rejects.toThrow()
    expect(await statesOf(id)).toMatchObject({ news: 'off' })
  })

  it('said ten times at once is one yes', async () => {
    const { id } = await insertCustomer()
    await Promise.all(
      Array.from({ length: 10 }, () => chooseTopics(id, { topics: [...TOPICS], source: 'settings', locale: 'en' })),
    )
    expect(await proofsOf(id)).toHaveLength(3)
  })

  it('at sign-up is every topic in the sentence that names them all, and without the tick nothing', async () => {
    const open = async (isTicked: boolean) => {
      const username = newId('req').slice(-20)
      const form = { email: `${username}@example.test`, username, password: 'three quiet otters', locale: 'en' }
      let id = ''
      await signUp({ ...form, statements: { terms: 't', age: 'a' } }, undefined, async (tx, { userId, now }) => {
        id = userId
        await recordSignUpChoice(tx, { userId, now }, { isTicked, locale: 'en', visit })
      })
      return id
    }
    const ticked = await open(true)
    expect(await statesOf(ticked)).toEqual({ news: 'on', offers: 'on', guides: 'on' })
    expect(new Set((await proofsOf(ticked)).map(({ text, source }) => `${source}: ${text}`))).toEqual(
      new Set([`sign_up: ${signUpStatement('en')}`]),
    )
    for (const word of ['news', 'offers', 'guides']) expect(signUpStatement('en')).toContain(word)
    expect(await proofsOf(await open(false))).toEqual([])
  })
})

describe('double opt-in', () => {
  it('a yes counts after the click only; what counted before goes on, and a no needs no click', async () => {
    const { id } = await insertCustomer()
    const choose = (topics: (typeof TOPICS)[number][]) => chooseTopics(id, { topics, source: 'settings', locale: 'en' })
    await choose(['news'])
    await doubleOptIn(true)
    expect(await choose(['news', 'offers'])).toMatchObject({ value: { isWaiting: true } })
    expect(await statesOf(id)).toEqual({ news: 'on', offers: 'pending', guides: 'off' })
    const [token] = await confirmMails(id)
    expect(await confirmTopics(token!, { locale: 'en', visit })).toMatchObject({ value: { topics: ['offers'] } })
    expect(await statesOf(id)).toMatchObject({ offers: 'on' })
    // Pressed twice is once.
    expect(await confirmTopics(token!, { locale: 'en' })).toMatchObject({ value: { topics: [] } })
    expect((await proofsOf(id)).map(({ source, isPending }) => [source, isPending])).toEqual([
      ['settings', false],
      ['settings', true],
      ['confirmation', false],
    ])
    expect(await choose([])).toMatchObject({ value: { isWaiting: false } })
    expect(await statesOf(id)).toEqual({ news: 'off', offers: 'off', guides: 'off' })
    // The old link does not bring back what was withdrawn.
    await confirmTopics(token!, { locale: 'en' })
    expect(await statesOf(id)).toMatchObject({ offers: 'off' })
  })

  it('a link is old after a week, nobody else’s, and void when asked anew', async () => {
    const { id } = await insertCustomer()
    await doubleOptIn(true)
    const asked = new Date('2027-01-01T00:00:00.000Z')
    const ask = (at: Date) => chooseTopics(id, { topics: ['news'], source: 'settings', locale: 'en' }, () => at)
    await ask(asked)
    await ask(new Date(asked.getTime() + DAY_MS))
    const [first, second] = await confirmMails(id)
    const at = (days: number) => () => new Date(asked.getTime() + days * DAY_MS + 1)
    const confirm = (token: string, days: number) => confirmTopics(token, { locale: 'en' }, at(days))
    expect(await confirm(first!, 2)).toMatchObject({ refusal: { code: 'link_invalid' } })
    expect(await confirm(second!, 8)).toMatchObject({ refusal: { code: 'link_invalid' } })
    const stranger = await insertCustomer()
    const theirs = `${stranger.id.slice(4)}${second!.slice(32)}`
    expect(await confirm(theirs, 2)).toMatchObject({ refusal: { code: 'link_invalid' } })
    expect(await statesOf(id)).toMatchObject({ news: 'pending' })
    expect(await confirm(second!, 2)).toMatchObject({ ok: true })
  })

  it('nobody’s mailbox is filled: six confirming mails an hour, and a no is never counted', async () => {
    const { id } = await insertCustomer()
    await doubleOptIn(true)
    const choose = (topics: (typeof TOPICS)[number][]) => chooseTopics(id, { topics, source: 'settings', locale: 'en' })
    for (let index = 0; index < 6; index += 1) expect((await choose(['news'])).ok).toBe(true)
    expect(await choose(['news'])).toMatchObject({ refusal: { code: 'too_many_tries' } })
    expect(await choose([])).toMatchObject({ ok: true })
  })

  it('a no to one topic of several holds, whatever was asked before or with it', async () => {
    const { id } = await insertCustomer()
    const choose = (topics: (typeof TOPICS)[number][]) => chooseTopics(id, { topics, source: 'settings', locale: 'en' })
    await choose(['news', 'offers', 'guides'])
    await doubleOptIn(true)
    // Nothing is asked for: no mail, and no turn.
    for (let index = 0; index < 8; index += 1) expect((await choose(['news', 'offers', 'guides'])).ok).toBe(true)
    expect(await choose(['news', 'offers'])).toMatchObject({ ok: true })
    for (let index = 0; index < 6; index += 1) expect((await choose(['news', 'offers', 'guides'])).ok).toBe(true)
    expect(await choose(['news', 'guides'])).toMatchObject({ refusal: { code: 'too_many_tries' } })
    expect(await statesOf(id)).toEqual({ news: 'on', offers: 'off', guides: 'pending' })
    expect(await choose(['news'])).toMatchObject({ ok: true })
    expect(await confirmMails(id)).toHaveLength(6)
  })
})

describe('the ways out', () => {
  it('the link of a mail opens one person’s choices, masked, for ever, and nothing of anybody else', async () => {
    const { id, email } = await insertCustomer()
    const other = await insertCustomer()
    const { id: campaignId } = await makeCampaign()
    await chooseTopics(id, { topics: ['news', 'guides'], source: 'settings', locale: 'en' })
    await chooseTopics(other.id, { topics: ['news'], source: 'settings', locale: 'en' })
    const token = preferencesToken(id, campaignId)
    const found = (await findPreferences(token))!
    expect(found.address).toBe(`${email[0]}•••@e•••.test`)
    expect(JSON.stringify(found)).not.toContain(email)
    expect(await choosePreferences(token, { topics: ['guides'], locale: 'en', visit })).toMatchObject({ ok: true })
    expect(await statesOf(id)).toEqual({ news: 'off', offers: 'off', guides: 'on' })
    expect((await proofsOf(id)).at(-1)).toMatchObject({ source: 'preferences', isGranted: false, cause: campaignId })
    expect(await statesOf(other.id)).toMatchObject({ news: 'on' })

    const forged = `${other.id.slice(4)}${token.slice(32)}`
    expect(await findPreferences(forged)).toBeNull()
    for (const wrong of [forged, '', 'x'.repeat(200), token.slice(0, -2)]) {
      expect(await choosePreferences(wrong, { topics: [], locale: 'en' })).toMatchObject({
        refusal: { code: 'link_invalid' },
      })
      expect(await unsubscribe(wrong, visit)).toMatchObject({ refusal: { code: 'link_invalid' } })
    }
    expect(await statesOf(other.id)).toMatchObject({ news: 'on' })
    // A person who is gone has a link that is right and leads nowhere.
    expect(await findPreferences(preferencesToken(newId('usr')))).toBeNull()
    expect(await unsubscribe(preferencesToken(newId('usr')), visit)).toMatchObject({
      refusal: { code: 'link_invalid' },
    })
  })

  it('one click ends every topic, once however often and however many at once, with the campaign as its cause', async () => {
    const { id } = await insertCustomer()
    const { id: campaignId } = await makeCampaign()
    await chooseTopics(id, { topics: ['news', 'offers'], source: 'settings', locale: 'en' })
    const token = preferencesToken(id, campaignId)
    const answers = await Promise.all(Array.from({ length: 10 }, () => unsubscribe(token, visit)))
    expect(answers.every(({ ok }) => ok)).toBe(true)
    expect(await statesOf(id)).toEqual({ news: 'off', offers: 'off', guides: 'off' })
    const said = (await proofsOf(id)).filter(({ source }) => source === 'one_click')
    expect(said.map(({ topic, cause }) => [topic, cause]).sort()).toEqual([
      ['news', campaignId],
      ['offers', campaignId],
    ])
  })

  it('whoever makes links up is slowed down; right links of others from the same address are not', async () => {
    const address = '198.51.100.9'
    const forge = () => unsubscribe('f'.repeat(76), { ...visit, address })
    const codes: string[] = []
    for (let index = 0; index < 31; index += 1) {
      const answer = await forge()
      codes.push(answer.ok ? 'ok' : answer.refusal.code)
    }
    expect(codes.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 'link_invalid'))
    expect(codes[30]).toBe('too_many_tries')
    const { id } = await insertCustomer()
    expect(await unsubscribe(preferencesToken(id), { ...visit, address })).toMatchObject({ ok: true })
  })

  it('support notes a no, audited; nobody can note a yes for somebody else', async () => {
    const { id } = await insertCustomer()
    await chooseTopics(id, { topics: ['news'], source: 'settings', locale: 'en' })
    expect(await withdrawFor(MARKETER, id)).toMatchObject({ value: { topics: ['news'] } })
    expect((await proofsOf(id)).at(-1)).toMatchObject({ source: 'support', cause: MARKETER.id, isGranted: false })
    expect(await db().auditEntry.count({ where: { action: 'marketing.withdrawn', subjectId: id } })).toBe(1)
    expect(await withdrawFor(MARKETER, newId('usr'))).toMatchObject({ refusal: { code: 'not_found' } })
    expect(await findCustomer(id)).not.toBeNull()
  })
})
