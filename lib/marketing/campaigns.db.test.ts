import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { POST as mailWebhook } from '@/app/api/webhooks/resend/route'
import { renderCampaign, renderEmail } from '@/emails/render'
import type { Fake } from '@/fakes/kit'
import { startMailFake } from '@/fakes/mail'
import { db } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { HOUR_MS, MINUTE_MS, newId } from '@/lib/kit'
import {
  BATCH_MAX,
  chooseTransport,
  liftSuppression,
  type MailMessage,
  type MailTransport,
  queueEmail,
  sendEmail,
  suppressAddress,
} from '@/lib/notifications'
import { makePlan } from '@/test/factories/catalog'
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
  chooseTopics,
  countAudience,
  findCampaign,
  listCampaignMails,
  listFigures,
  listRecipients,
  marketingRules,
  moveCampaign,
  readPreferencesToken,
  runCampaigns,
  runCampaignsJob,
  type RunOptions,
  saveCampaign,
  saveCampaignSchema,
  scheduleCampaign,
  sendCampaignTest,
  startCampaign,
  unsubscribe,
} from './index'

const SECRET = `whsec_${Buffer.from('the signing secret of a test').toString('base64')}`
const visit = { address: '203.0.113.7', userAgent: null, languages: null }
const ANYBODY = { hasBalance: false }
let mail: Fake
let shop: Server

beforeAll(async () => {
  // The door of the shop behind a socket, so that the stand-in calls it as Resend would.
  shop = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const headers = incoming.headers as Record<string, string>
      const request = new Request('http://shop.test/api/webhooks/resend', {
        method: 'POST',
        body: Buffer.concat(chunks),
        headers,
      })
      void mailWebhook(request, { params: Promise.resolve({}) }).then(async (answer) =>
        outgoing.writeHead(answer.status).end(await answer.text()),
      )
    })
  })
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(shop.address() as { port: number }).port}/api/webhooks/resend`
  mail = await startMailFake({ port: 0, apiKey: 'test-resend-key', webhook: { url, secret: SECRET } })
  Object.assign(process.env, { RESEND_API_URL: mail.url, RESEND_WEBHOOK_SECRET: SECRET })
})
afterAll(async () => {
  shop.closeAllConnections()
  shop.close()
  await mail.close()
})

const control = async (call: string, body: object) =>
  (await fetch(`${mail.controlUrl}/${call}`, { method: 'POST', body: JSON.stringify(body) })).json()

// Nobody of one test is in the audience of the next.
beforeEach(async () => {
  await control('reset', {})
  await db().marketingChoice.deleteMany({})
  await db().campaign.updateMany({
    where: { state: { in: ['sending', 'scheduled', 'paused'] } },
    data: { state: 'cancelled' },
  })
})

type Arrived = { id: string; to: string; subject: string; html: string; text: string; headers: Record<string, string> }
const arrived = async (address?: string) =>
  (await (await fetch(`${mail.controlUrl}/mails${address ? `?to=${address}` : ''}`)).json()) as Arrived[]
/** How often each address has a mail of this campaign. */
async function copies(campaignId: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const { to, headers } of await arrived()) {
    const token = /token=([^>]+)/.exec(headers['List-Unsubscribe'] ?? '')?.[1]
    if (token && readPreferencesToken(token)?.campaignId === campaignId) counts.set(to, (counts.get(to) ?? 0) + 1)
  }
  return counts
}
const run = (options: RunOptions = {}) =>
  runCampaigns(renderCampaign, { mailsPerSecond: Number.POSITIVE_INFINITY, runMs: 20_000, ...options })
const figuresOf = async (id: string) => (await listFigures([id])).get(id)!
const recipient = (campaignId: string, userId: string) =>
  db().campaignRecipient.findUniqueOrThrow({ where: { campaignId_userId: { campaignId, userId } } })
/** The transport of the shop, with a step before each batch. */
function watched(before: (messages: readonly MailMessage[]) => Promise<void>): MailTransport {
  const transport = chooseTransport()
  return {
    ...transport,
    sendBatch: async (key, messages) => {
      await before(messages)
      return transport.sendBatch(key, messages)
    },
  }
}

describe('who gets a campaign (promise O9)', () => {
  it('is never anybody without consent, whatever else is true of them', async () => {
    const agreed = await insertReader()
    const offersOnly = await insertReader({ topics: ['offers'] })
    const never = await insertCustomer()
    const withdrawn = await insertReader()
    await chooseTopics(withdrawn.id, { topics: [], source: 'settings', locale: 'en' })
    const suspended = await insertReader()
    await db().user.update({ where: { id: suspended.id }, data: { suspendedAt: new Date() } })
    const unconfirmed = await insertReader()
    await db().user.update({ where: { id: unconfirmed.id }, data: { emailVerifiedAt: null } })
    await marketingRules.save(MARKETER, { doubleOptIn: true, mailsPerSecond: 50 })
    const pending = await insertReader()
    await marketingRules.save(MARKETER, { doubleOptIn: false, mailsPerSecond: 50 })
    const [bounced, complained] = [await insertReader(), await insertReader()]
    const stop = (address: string, reason: 'hard_bounce' | 'complaint') =>
      db().$transaction((tx) => suppressAddress(tx, { address, reason, emailId: null, at: new Date() }))
    await stop(bounced.email, 'hard_bounce')
    await stop(complained.email, 'complaint')
    const { id: suppressionId } = await db().suppressedAddress.findFirstOrThrow({
      where: { address: complained.email },
    })
    await liftSuppression(MARKETER, { suppressionId, reason: 'she asked for receipts' })

    expect(await countAudience('news', ANYBODY)).toEqual({
      count: 1,
      sample: [{ address: `${agreed.email[0]}•••@e•••.test`, locale: 'en' }],
    })
    const id = await startedCampaign()
    expect(await run()).toEqual({ sent: 1 })
    expect([...(await copies(id)).keys()]).toEqual([agreed.email])
    for (const person of [offersOnly, never, withdrawn, suspended, unconfirmed, pending, bounced, complained])
      expect(await arrived(person.email), person.email).toEqual([])
    expect(await findCampaign(id)).toMatchObject({ state: 'sent', endedAt: expect.any(Date) })
  })

  it('is narrowed by what they bought, where, when, by language and by balance', async () => {
    const [dutch, german] = [await makePlan({ countryCode: 'NL' }), await makePlan({ countryCode: 'DE' })]
    const { productId } = await db().plan.findUniqueOrThrow({ where: { id: dutch.planId } })
    const bought = async (person: { id: string }, plan: typeof dutch, day: string) => {
      await db().$executeRaw`
        INSERT INTO orders (id, user_id, request_key, plan_id, plan_revision, product_kind, offer_id, country_code, period_days, quantity,
          unit_price_micros, discount_micros, total_micros, currency, state, placed_at, delivered_at)
        VALUES (${newId('ord')}, ${person.id}, ${newId('req')}, ${plan.planId}, 1, 'datacenter_ipv4', ${plan.offerId}, ${plan.countryCode}, 30, 1,
          1, 0, 1, 'USD', 'expired', ${new Date(day)}, ${new Date(day)})`
    }
    const [anna, boris, clara] = [
      await insertReader({ balanceMicros: 1n }),
      await insertReader({ locale: 'ru' }),
      await insertReader(),
    ]
    await bought(anna, dutch, '2026-03-01')
    await bought(boris, german, '2026-06-01')
    const count = async (audience: object) => (await countAudience('news', { ...ANYBODY, ...audience })).count
    expect(await count({})).toBe(3)
    expect(await count({ productId })).toBe(1)
    expect(await count({ countryCode: 'DE' })).toBe(1)
    expect(await count({ productId, countryCode: 'DE' })).toBe(0)
    expect(await count({ lastOrderBefore: '2026-04-01' })).toBe(1)
    expect(await count({ lastOrderFrom: '2026-06-01' })).toBe(1)
    expect(await count({ lastOrderBefore: '2026-06-01', lastOrderFrom: '2026-03-02' })).toBe(0)
    expect(await count({ locale: 'ru' })).toBe(1)
    expect(await count({ hasBalance: true })).toBe(1)
    const id = await startedCampaign({ audience: { countryCode: 'DE' } })
    await run()
    expect([...(await copies(id)).keys()]).toEqual([boris.email])
    expect((await arrived(boris.email))[0]!.subject).toBe(`Новости для ${boris.username}`)
    expect(await arrived(clara.email)).toEqual([])
  })
})

describe('a mail of a campaign', () => {
  it('carries its reader’s name and way out, and both headers of the one click', async () => {
    const person = await insertReader()
    const id = await startedCampaign()
    await run()
    const [own] = await arrived(person.email)
    expect(own).toMatchObject({ subject: `News for ${person.username}` })
    expect(own!.headers['List-Unsubscribe-Post']).toBe('List-Unsubscribe=One-Click')
    const [, token] = /^<http:\/\/shop\.test\/api\/unsubscribe\?token=([^>]+)>$/.exec(
      own!.headers['List-Unsubscribe']!,
    )!
    expect(readPreferencesToken(token!)).toEqual({ userId: person.id, campaignId: id })
    expect(own!.html.replaceAll('<!-- -->', '')).toContain(`Hello ${person.username},`)
    expect(own!.html).toContain('<strong>new</strong>')
    expect(own!.html).toContain('href="https://shop.test/catalogue"')
    for (const form of [own!.html, own!.text]) expect(form).toContain(`http://shop.test/preferences?token=${token}`)
    expect(`${own!.subject}${own!.html}${own!.text}`).not.toMatch(/[\u{E000}-\u{F8FF}]/u)
    expect(await listCampaignMails({ userId: person.id })).toMatchObject({
      rows: [{ subject: `News for ${person.username}`, state: 'sent' }],
    })
  })

  it('lets neither markup nor template syntax out of names and words', async () => {
    const person = await insertReader()
    const username = '<script>{{x}}</script>"><img src=x>{name}'
    await db().user.update({ where: { id: person.id }, data: { username } })
    await startedCampaign({
      subjectEn: '<b>{name}</b> ${y}',
      bodyEn: '<script>alert(1)</script> {{z}} {other}\n\n[run](javascript:alert(1)) **<i>{name}</i>**',
    })
    await run()
    const [own] = await arrived(person.email)
    expect(own!.subject).toBe(`<b>${username}</b> \${y}`)
    expect(own!.html).not.toMatch(/<script|<img|<i>|href="javascript/i)
    expect(own!.html).toContain('&lt;script&gt;{{x}}&lt;/script&gt;')
    expect(own!.text).toContain('{{z}} {other}')
    // A name that holds the sign for a name is not read again.
    expect(own!.text).toContain(`<i>${username}</i>`)
  })

  it('as a test goes to whoever asks, in both languages, whether or not they agreed to anything', async () => {
    const person = await insertCustomer()
    const { id } = await makeCampaign()
    expect(await sendCampaignTest(MARKETER, { campaignId: id, person })).toMatchObject({ ok: true })
    expect(await sendCampaignTest(MARKETER, { campaignId: newId('cpn'), person })).toMatchObject({
      refusal: { code: 'not_found' },
    })
    for (const { id: emailId } of await db().outgoingEmail.findMany({ where: { userId: person.id } }))
      await sendEmail(emailId, renderEmail)
    expect((await arrived(person.email)).map(({ subject }) => subject).sort()).toEqual([
      `[Test] News for ${person.username}`,
      `[Проба] Новости для ${person.username}`,
    ])
    expect((await figuresOf(id)).recipients).toBe(0)
  })
})

describe('nobody gets it twice', () => {
  it('however often it runs, and however many run at once', async () => {
    const people = await insertReaders(430)
    const id = await startedCampaign()
    await Promise.all(Array.from({ length: 4 }, () => run()))
    await run()
    const counts = await copies(id)
    expect(counts.size).toBe(people.length)
    expect([...counts.values()].every((count) => count === 1)).toBe(true)
    expect(await figuresOf(id)).toMatchObject({ recipients: 430, sent: 430 })
    expect((await listRecipients({ campaignId: id })).rows).toHaveLength(50)
  })

  it('of two presses at once one sends, and nothing that was not read', async () => {
    const { id, revision } = await makeCampaign()
    const press = (at: number) => startCampaign(MARKETER, { campaignId: id, revision: at })
    expect(await press(revision + 1)).toMatchObject({ refusal: { code: 'changed_meanwhile' } })
    const answers = await Promise.all([press(revision), press(revision), press(revision)])
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1)
    const words = { topic: 'news', subjectEn: 'S', bodyEn: 'B', subjectRu: 'Т', bodyRu: 'Т', name: 'N' }
    const again = saveCampaignSchema.parse({ ...words, campaignId: id, revision: String(revision) })
    expect(await saveCampaign(MARKETER, again)).toMatchObject({ refusal: { code: 'campaign_under_way' } })
  })

  it('when the answer to a batch was lost, and whoever withdrew in between is left out of its repeat', async () => {
    const people = await insertReaders(20)
    const id = await startedCampaign()
    await control('fail', { times: 1, match: 'batch', status: 502, after: true })
    await run({ waits: false })
    expect(await findCampaign(id)).toMatchObject({ state: 'sending', failure: 'service_away' })
    expect((await copies(id)).size).toBe(20)
    const gone = people[7]!
    await chooseTopics(gone.id, { topics: [], source: 'settings', locale: 'en' })
    await run({ clock: () => new Date(Date.now() + MINUTE_MS) })
    expect([...(await copies(id)).values()]).toEqual(Array.from({ length: 20 }, () => 1))
    expect(await findCampaign(id)).toMatchObject({ state: 'sent' })
    expect(await recipient(id, gone.id)).toMatchObject({ state: 'skipped', failure: 'withdrawn' })
    // The mail service knows better, and its word counts.
    const [theirs] = await arrived(gone.email)
    await control(`mails/${theirs!.id}/webhook`, { type: 'delivered' })
    expect(await recipient(id, gone.id)).toMatchObject({ state: 'delivered', providerMessageId: theirs!.id })
  })

  it('with a mail server, which knows no keys: what nobody knows the end of counts as sent', async () => {
    await insertReaders(3)
    const id = await startedCampaign()
    const handed: string[] = []
    const server: MailTransport = {
      ...chooseTransport(),
      name: 'smtp',
      isIdempotent: false,
      sendBatch: async (_, messages) => {
        handed.push(...messages.map(({ to }) => to))
        if (handed.length === 2) throw new Error('killed')
        return messages.map(() => ({ kind: 'taken', messageId: null }))
      },
    }
    await expect(run({ transport: server })).rejects.toThrow('killed')
    expect(handed).toHaveLength(2)
    await run({ transport: server, clock: () => new Date(Date.now() + 3 * MINUTE_MS) })
    expect(new Set(handed).size).toBe(3)
    expect(handed).toHaveLength(3)
    expect(await figuresOf(id)).toMatchObject({ sent: 3 })
    expect(await db().campaignRecipient.count({ where: { campaignId: id, failure: 'outcome_unknown' } })).toBe(1)
  })
})

describe('while it is under way', () => {
  it('the withdrawal of consent wins, from the next batch on', async () => {
    const people = await insertReaders(250)
    const id = await startedCampaign()
    const left: string[] = []
    let batches = 0
    await run({
      transport: watched(async (messages) => {
        batches += 1
        expect(messages.length).toBeLessThanOrEqual(BATCH_MAX)
        if (batches > 1) return
        const queued = await db().campaignRecipient.findMany({
          where: { campaignId: id, state: 'queued' },
          take: 30,
          select: { userId: true },
        })
        for (const { userId } of queued) {
          left.push(userId)
          await chooseTopics(userId, { topics: [], source: 'settings', locale: 'en' })
        }
      }),
    })
    const counts = await copies(id)
    expect(counts.size).toBe(220)
    for (const userId of left)
      expect(counts.has(people.find((person) => person.id === userId)!.email), userId).toBe(false)
    expect(await figuresOf(id)).toMatchObject({ recipients: 250, sent: 220, skipped: 30 })
  })

  it('one click in its first mail keeps its next away, is counted, and stops no receipt', async () => {
    const person = await insertReader({ topics: ['news', 'offers'] })
    const first = await startedCampaign()
    await run()
    const [own] = await arrived(person.email)
    const token = /token=([^>]+)/.exec(own!.headers['List-Unsubscribe']!)![1]!
    await unsubscribe(token, visit)
    expect(await figuresOf(first)).toMatchObject({ sent: 1, unsubscribed: 1 })
    await startedCampaign()
    await startedCampaign({ topic: 'offers' })
    expect(await run()).toEqual({ sent: 0 })
    const key = `failed:${newId('req')}`
    await db().$transaction((tx) =>
      queueEmail(tx, {
        key,
        userId: person.id,
        to: person.email,
        locale: 'en',
        template: 'top_up_declined',
        props: { paymentId: 'pay_1', requestedMicros: '1', currency: 'USD' },
      }),
    )
    await sendEmail((await db().outgoingEmail.findUniqueOrThrow({ where: { key } })).id, renderEmail)
    expect(await arrived(person.email)).toHaveLength(2)
  })

  it('pauses after the batch on its way, goes on, and ends where it is cancelled', async () => {
    await insertReaders(250)
    const id = await startedCampaign()
    const move = (to: 'pause' | 'resume' | 'cancel' | 'unschedule') => moveCampaign(MARKETER, { campaignId: id, to })
    await run({ transport: watched(async () => void (await move('pause'))) })
    expect((await copies(id)).size).toBe(100)
    expect(await run()).toEqual({ sent: 0 })
    expect(await move('unschedule')).toMatchObject({ refusal: { code: 'campaign_cannot' } })
    expect(await move('resume')).toMatchObject({ ok: true })
    expect(await move('resume')).toMatchObject({ refusal: { code: 'campaign_cannot' } })
    await run({ transport: watched(async () => void (await move('cancel'))) })
    expect((await copies(id)).size).toBe(200)
    expect(await run()).toEqual({ sent: 0 })
    expect(await findCampaign(id)).toMatchObject({ state: 'cancelled' })
    expect(await figuresOf(id)).toMatchObject({ sent: 200, queued: 50 })
  })

  it('begins at its moment and not before', async () => {
    await insertReaders(1)
    const { id, revision } = await makeCampaign()
    const now = Date.now()
    const schedule = (at: number) => scheduleCampaign(MARKETER, { campaignId: id, revision, at: new Date(at) })
    expect(await schedule(now - 1)).toMatchObject({ refusal: { code: 'moment_passed' } })
    expect(await schedule(now + HOUR_MS)).toMatchObject({ ok: true })
    expect(await run()).toEqual({ sent: 0 })
    expect(await run({ clock: () => new Date(now + HOUR_MS) })).toEqual({ sent: 1 })
  })

  it('is not planned with words that whoever plans it has not read', async () => {
    await insertReaders(1)
    const { id, revision } = await makeCampaign()
    await db().campaign.update({ where: { id }, data: { subjectEn: 'Other words', revision: { increment: 1 } } })
    const at = new Date(Date.now() + HOUR_MS)
    expect(await scheduleCampaign(MARKETER, { campaignId: id, revision, at })).toMatchObject({
      refusal: { code: 'changed_meanwhile' },
    })
    expect(await scheduleCampaign(MARKETER, { campaignId: id, revision: revision + 1, at })).toMatchObject({ ok: true })
  })

  it('keeps within its rate, all runs together', async () => {
    await insertReaders(300)
    const id = await startedCampaign()
    const from = Date.now()
    // Two runs at once, at so many milliseconds by the clock that the rows go by.
    const at = (ms: number) => {
      const options = { mailsPerSecond: 200, waits: false, clock: () => new Date(from + ms) }
      return Promise.all([run(options), run(options)])
    }
    const sizes: number[] = []
    for (const ms of [0, 100, 500, 600, 1000]) {
      await at(ms)
      sizes.push((await copies(id)).size)
    }
    expect(sizes).toEqual([100, 100, 200, 200, 300])
  })
})

describe('what the mail service does', () => {
  it('away for an hour: all arrive afterwards, each once', async () => {
    await insertReaders(120)
    const id = await startedCampaign()
    await control('fail', { times: 1000, match: 'batch', status: 503 })
    const from = Date.now()
    for (let minute = 0; minute < 60; minute += 5)
      await run({ waits: false, clock: () => new Date(from + minute * MINUTE_MS) })
    expect((await copies(id)).size).toBe(0)
    expect(await findCampaign(id)).toMatchObject({ state: 'sending', failure: 'service_away' })
    await control('reset', {})
    await run({ clock: () => new Date(from + 2 * HOUR_MS) })
    expect([...(await copies(id)).values()]).toEqual(Array.from({ length: 120 }, () => 1))
    expect(await findCampaign(id)).toMatchObject({ state: 'sent', failure: null })
  })

  it('asked too fast: its Retry-After is kept, and nobody is lost', async () => {
    await insertReaders(5)
    const id = await startedCampaign()
    await control('limit', { times: 1, retryAfter: 120 })
    const now = new Date()
    await run({ waits: false, clock: () => now })
    const waits = (await findCampaign(id))!
    expect(waits).toMatchObject({ failure: 'rate_limited' })
    expect(waits.nextBatchAt!.getTime() - now.getTime()).toBe(120_000)
    expect(await run({ waits: false, clock: () => new Date(now.getTime() + 119_000) })).toEqual({ sent: 0 })
    expect(await run({ clock: () => new Date(now.getTime() + 121_000) })).toEqual({ sent: 5 })
  })

  it('an address that is none holds nobody back; the reason stands beside it', async () => {
    const people = await insertReaders(3)
    await db().user.update({ where: { id: people[1]!.id }, data: { email: `no@@${people[1]!.email}` } })
    const id = await startedCampaign()
    expect(await run()).toEqual({ sent: 2 })
    expect(await recipient(id, people[1]!.id)).toMatchObject({ state: 'failed', failure: 'invalid_address' })
  })

  it('tells of mails: delivered and returned are counted once, and who cannot or will not get more is not in the next', async () => {
    const people = await insertReaders(4)
    const [delivered, bounced, complained, soft] = people as [
      { id: string; email: string },
      ...{ id: string; email: string }[],
    ]
    const id = await startedCampaign()
    await run()
    const tell = async (email: string, event: object) =>
      control(`mails/${(await arrived(email))[0]!.id}/webhook`, event)
    expect(await tell(delivered.email, { type: 'delivered', times: 5, concurrently: true })).toMatchObject({
      answers: [202, 202, 202, 202, 202],
    })
    await tell(delivered.email, { type: 'sent' })
    await tell(delivered.email, { type: 'opened' })
    await tell(bounced!.email, { type: 'bounced' })
    await tell(complained!.email, { type: 'complained' })
    await tell(soft!.email, { type: 'bounced', bounce: 'Transient' })
    expect(await tell(delivered.email, { type: 'complained', forged: true })).toMatchObject({ answers: [401] })
    expect(await figuresOf(id)).toMatchObject({ sent: 4, delivered: 1, bounced: 2, complained: 1 })
    expect(await db().mailEvent.count({ where: { emailId: (await recipient(id, delivered.id)).id } })).toBe(2)

    const next = await startedCampaign()
    await run()
    expect([...(await copies(next)).keys()].sort()).toEqual([delivered.email, soft!.email].sort())
  })
})

describe('a worker that is killed', () => {
  const workers = new Set<ChildProcess>()
  const startWorker = () => {
    const worker = spawn(process.execPath, ['--import', 'tsx', 'worker/main.ts'], {
      env: { ...process.env, WORKER_CONCURRENCY: '2', DATABASE_POOL: '4', LOG_LEVEL: 'error' },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    workers.add(worker)
    return worker
  }
  const end = async (worker: ChildProcess) => {
    workers.delete(worker)
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    worker.kill('SIGKILL')
    await ended
  }
  afterEach(async () => {
    for (const worker of workers) await end(worker)
  })

  /**
   * The stand-in takes the third batch and never answers: the worker waits, with the mails gone and nothing written, and is killed -9 there. Its lease is made old
   * instead of waited for; the next worker hands the same batch over under its key and goes on.
   */
  it('between sending and writing leaves nobody out and mails nobody twice', { timeout: 120_000 }, async () => {
    await marketingRules.save(MARKETER, { doubleOptIn: false, mailsPerSecond: 200 })
    // Some are measured, so that the repeat has addresses of their own to say again.
    for (const { id: userId } of (await insertReaders(450)).slice(0, 60)) await sayMeasuring(userId, true)
    const first = startWorker()
    const id = await startedCampaign()
    const sent = () => copies(id).then(({ size }) => size)
    await expect.poll(sent, { timeout: 60_000, interval: 20 }).toBeGreaterThanOrEqual(100)
    await control('fail', { times: 1, match: 'batch', timeout: true, after: true })
    const hasFailed = async () =>
      ((await (await fetch(`${mail.controlUrl}/fail`)).json()) as { waiting: number }).waiting === 0
    // Once the failure has happened, what is under way is the batch that is never answered.
    const open = async () =>
      (await hasFailed()) &&
      (await db().campaignRecipient.count({ where: { campaignId: id, state: 'sending' } })) > 0 &&
      (await sent()) > (await db().campaignRecipient.count({ where: { campaignId: id, state: 'sent' } }))
    await expect.poll(open, { timeout: 30_000, interval: 20 }).toBe(true)
    await end(first)
    expect(await sent()).toBeLessThan(450)

    await db().$executeRaw`UPDATE campaigns SET batch_tried_at = batch_tried_at - interval '3 minutes' WHERE id = ${id}`
    startWorker()
    await db().$transaction((tx) => enqueue(tx, runCampaignsJob, {}))
    await expect
      .poll(() => findCampaign(id).then((campaign) => campaign!.state), { timeout: 60_000, interval: 50 })
      .toBe('sent')
    const counts = await copies(id)
    expect(counts.size).toBe(450)
    expect([...counts.values()].every((count) => count === 1)).toBe(true)
    expect(await figuresOf(id)).toMatchObject({ recipients: 450, sent: 450, sending: 0, queued: 0, measured: 60 })
  })
})
