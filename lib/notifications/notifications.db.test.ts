import { createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Fake } from '@/fakes/kit'
import { startMailFake } from '@/fakes/mail'
import { db } from '@/lib/db'
import { DAY_MS, HOUR_MS, MINUTE_MS, newId } from '@/lib/kit'
import { insertCustomer } from '@/test/factories/customer'
import {
  type EmailRenderer,
  type EmailTemplate,
  findStops,
  liftConfirmed,
  liftSuppression,
  listMails,
  listOwnMails,
  listStopped,
  listStoppedAddresses,
  mailFigures,
  queueEmail,
  readSender,
  receiveMailEvent,
  releaseAddress,
  sendEmail,
  senderSettings,
  sendMailAgain,
  sendTestMail,
  suppressAddress,
  sweepEmails,
} from './index'
import { smtpTransport } from './transports/smtp'

let mail: Fake
const render: EmailRenderer = async (template, props, locale) => ({
  subject: `${template}\r\nBcc: thief@example.test ${locale}`,
  html: '<p>x</p>',
  text: JSON.stringify(props),
})

beforeAll(async () => {
  mail = await startMailFake({ port: 0, apiKey: 'test-resend-key' })
  process.env.RESEND_API_URL = mail.url // before the settings are read for the first time
})
afterAll(() => mail.close())
beforeEach(() => control('reset', {}))

const control = (call: string, body: object) =>
  fetch(`${mail.controlUrl}/${call}`, { method: 'POST', body: JSON.stringify(body) })

type Arrived = { id: string; subject: string; text: string; from: string; replyTo: string[]; tags: object }
const arrivedAt = async (address: string) =>
  (await (await fetch(`${mail.controlUrl}/mails?to=${address}`)).json()) as Arrived[]

const PROPS: Partial<Record<EmailTemplate, object>> = {
  order_failed: { orderId: 'ord_1', refundedMicros: '1', currency: 'USD', reason: 'sold_out' },
  reset_password: { username: 'ann', url: 'http://shop.test/reset-password?token=very-secret' },
  verify_email: { username: 'ann', url: 'http://shop.test/verify?token=very-secret' },
  top_up_declined: { paymentId: 'pay_1', requestedMicros: '1', currency: 'USD' },
}

async function promise(template: EmailTemplate = 'order_failed', to?: string) {
  const user = await insertCustomer({ locale: 'ru' })
  const key = `${template}:${newId('req')}`
  const promised = {
    key,
    userId: user.id,
    to: to ?? user.email,
    locale: 'ru',
    template,
    props: PROPS[template] as never,
  }
  await db().$transaction((tx) => queueEmail(tx, promised))
  const { id } = await db().outgoingEmail.findUniqueOrThrow({ where: { key } })
  const row = () => db().outgoingEmail.findUniqueOrThrow({ where: { id } })
  return { id, key, user, promised, row, arrived: () => arrivedAt(promised.to) }
}

const staff = { kind: 'staff', id: 'usr_staff' } as const

describe('a mail', () => {
  it('is promised once for its fact, however often', async () => {
    const { id, key, promised } = await promise()
    await Promise.all(Array.from({ length: 5 }, () => db().$transaction((tx) => queueEmail(tx, promised))))
    expect(await db().outgoingEmail.count({ where: { key } })).toBe(1)
    expect(await db().outboxJob.count({ where: { payload: { path: ['emailId'], equals: id } } })).toBe(1)
  })

  it('is sent once, also by many runs at once and after a run that died before saying so', async () => {
    const { id, row, arrived } = await promise()
    await Promise.all(Array.from({ length: 8 }, () => sendEmail(id, render)))
    // Sent, and killed before the row was written: it still says that it is being sent, since long ago.
    await db().outgoingEmail.update({
      where: { id },
      data: { state: 'sending', providerMessageId: null, sentAt: null, triedAt: new Date(Date.now() - 6 * MINUTE_MS) },
    })
    await sendEmail(id, render)
    await sendEmail(id, render)
    expect(await arrived()).toHaveLength(1)
    expect(await row()).toMatchObject({ state: 'sent', providerMessageId: expect.any(String), transport: 'resend' })
  })

  it('has a subject of one line, and its sender and answer address from the settings', async () => {
    const sender = {
      name: 'Sluice Shop',
      address: 'shop@sluice.test',
      replyTo: 'help@sluice.test',
      logo: '',
      footer: '',
      accent: '#dc2626',
    }
    await senderSettings.save(staff, sender)
    expect(await readSender()).toMatchObject({ look: { logo: 'Sluice', accent: '#dc2626', footerLines: [] } })
    const { id, row, arrived } = await promise()
    await sendEmail(id, render)
    expect((await arrived())[0]).toMatchObject({
      subject: 'order_failed Bcc: thief@example.test ru',
      from: '"Sluice Shop" <shop@sluice.test>',
      replyTo: ['help@sluice.test'],
    })
    expect((await row()).subject).not.toMatch(/[\r\n]/)
  })

  it('keeps no link that opens an account, whatever became of it', async () => {
    const sent = await promise('reset_password')
    expect(JSON.stringify((await sent.row()).props)).toContain('very-secret')
    await sendEmail(sent.id, render)
    expect((await sent.row()).props).toEqual({})
    const failed = await promise('reset_password', 'no@@example.test')
    await sendEmail(failed.id, render)
    expect(await failed.row()).toMatchObject({ state: 'failed', failure: 'invalid_address', props: {} })
  })
})

describe('what the mail service does', () => {
  /** Runs every waiting mail when its time has come, on a clock of our own, until the end; what a worker does in a day. */
  async function live(ids: string[], from: Date, until: Date): Promise<Date> {
    let now = from
    for (;;) {
      const due = await db().outgoingEmail.findMany({
        where: { id: { in: ids }, state: 'queued' },
        select: { id: true, nextTryAt: true },
        orderBy: { nextTryAt: { sort: 'asc', nulls: 'first' } },
      })
      const next = due[0]
      if (!next || (next.nextTryAt ?? now) > until) return now
      now = next.nextTryAt && next.nextTryAt > now ? next.nextTryAt : now
      const at = now
      await sendEmail(next.id, render, { clock: () => at })
    }
  }

  it('away for an hour: all mails arrive afterwards, each once', async () => {
    const start = new Date(Date.now() - DAY_MS)
    const mails = await Promise.all(Array.from({ length: 12 }, () => promise()))
    const ids = mails.map(({ id }) => id)
    await control('fail', { times: 1_000_000, match: 'emails', status: 503 })
    const later = await live(ids, start, new Date(start.getTime() + HOUR_MS))
    expect(
      await db().outgoingEmail.count({ where: { id: { in: ids }, state: 'queued', failure: 'service_away' } }),
    ).toBe(12)
    // A job waits for each, for the very moment that the row names.
    for (const { id, row } of mails) {
      const jobs = await db().outboxJob.findMany({ where: { payload: { path: ['emailId'], equals: id } } })
      expect(jobs.map(({ runAt }) => runAt?.getTime())).toContain((await row()).nextTryAt!.getTime())
    }
    await control('reset', {})
    await live(ids, later, new Date(start.getTime() + 3 * HOUR_MS))
    for (const { row, arrived } of mails) {
      expect(await row()).toMatchObject({ state: 'sent', failure: null })
      expect(await arrived()).toHaveLength(1)
    }
  })

  it('took some of them and never answered: each is there once all the same', async () => {
    const start = new Date(Date.now() - DAY_MS)
    const mails = await Promise.all(Array.from({ length: 4 }, () => promise()))
    await control('fail', { times: 6, match: 'emails', status: 502, after: true })
    await live(
      mails.map(({ id }) => id),
      start,
      new Date(start.getTime() + HOUR_MS),
    )
    for (const { row, arrived } of mails) {
      expect((await row()).state).toBe('sent')
      expect(await arrived()).toHaveLength(1)
    }
  })

  it('away for a day: given up after twenty hours, visibly, and sent again by staff', async () => {
    const start = new Date(Date.now() - DAY_MS)
    const { id, row, arrived } = await promise()
    await control('fail', { times: 1_000_000, match: 'emails', status: 503 })
    const end = await live([id], start, new Date(start.getTime() + DAY_MS))
    expect(end.getTime() - start.getTime()).toBeGreaterThan(18 * HOUR_MS)
    expect(await row()).toMatchObject({ state: 'failed', failure: 'gave_up', nextTryAt: null })
    await control('reset', {})
    const both = await Promise.all([sendMailAgain(staff, id), sendMailAgain(staff, id)])
    expect(both.filter(({ ok }) => ok)).toHaveLength(1)
    await sendEmail(id, render)
    expect(await row()).toMatchObject({ state: 'sent', round: 1 })
    expect(await arrived()).toHaveLength(1)
  })

  it('asked too fast: left alone for as long as it says', async () => {
    const now = new Date(Date.now() - HOUR_MS)
    const { id, row, arrived } = await promise()
    await control('limit', { times: 1, retryAfter: 600 })
    await sendEmail(id, render, { clock: () => now })
    const waiting = await row()
    expect(waiting).toMatchObject({ state: 'queued', failure: 'rate_limited' })
    expect(waiting.nextTryAt!.getTime() - now.getTime()).toBeGreaterThanOrEqual(600_000)
    await sendEmail(id, render, { clock: () => waiting.nextTryAt! })
    expect(await arrived()).toHaveLength(1)
  })

  it('refuses an address: failed at once, tried no more; what is no address is not even asked about', async () => {
    // Of a form that we let pass and Resend does not.
    const odd = await promise('order_failed', 'ann@example')
    await db().outgoingEmail.update({ where: { id: odd.id }, data: { to: 'o"dd@example.test' } })
    for (const to of [
      '',
      'no address',
      'a@example.test,b@example.test',
      'a@example.test\nBcc: b@example.test',
      odd.promised.to,
    ]) {
      const { id, row } = await promise()
      await db().outgoingEmail.update({ where: { id }, data: { to } })
      await db().outboxJob.deleteMany({ where: { payload: { path: ['emailId'], equals: id } } })
      await control('fail', { times: 1, match: 'emails', status: 503 })
      await sendEmail(id, render)
      expect(await row(), to).toMatchObject({ state: 'failed', failure: 'invalid_address', attempts: 1 })
      expect(await db().outboxJob.count({ where: { payload: { path: ['emailId'], equals: id } } })).toBe(0)
      await control('reset', {})
    }
  })

  it('a job that was lost is made anew', async () => {
    const { id } = await promise()
    const jobs = () => db().outboxJob.count({ where: { payload: { path: ['emailId'], equals: id } } })
    await db().outboxJob.deleteMany({})
    expect(await sweepEmails()).toBe(0)
    const later = new Date(Date.now() + HOUR_MS)
    await sweepEmails(() => later)
    await sweepEmails(() => later)
    expect(await jobs()).toBe(1)
  })
})

describe('a mail server that hangs up after the content', () => {
  /** Takes mails, and says so only when told to. */
  async function server(answers: () => boolean): Promise<{ url: string; contents: string[]; close: () => void }> {
    const contents: string[] = []
    const listening: Server = createServer((socket: Socket) => {
      let content: string | null = null
      socket.write('220 here\r\n')
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => {
        const text = chunk.toString('utf8')
        if (content !== null) {
          content += text
          if (!content.endsWith('\r\n.\r\n')) return
          contents.push(content)
          content = null
          if (answers()) socket.write('250 taken\r\n')
          else socket.destroy()
        } else if (text.startsWith('DATA')) {
          content = ''
          socket.write('354 go on\r\n')
        } else socket.write('250 ok\r\n')
      })
    })
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    const { port } = listening.address() as { port: number }
    return { url: `smtp://127.0.0.1:${port}?starttls=off`, contents, close: () => listening.close() }
  }

  it('is tried a second time with the same Message-ID, and never a third', async () => {
    let isTalking = false
    const { url, contents, close } = await server(() => isTalking)
    const transport = smtpTransport({ url })
    const [unlucky, lucky] = [await promise(), await promise()]
    for (const { id } of [unlucky, lucky]) await sendEmail(id, render, { transport })
    expect(await unlucky.row()).toMatchObject({ state: 'queued', failure: 'outcome_unknown', unknownOutcomes: 1 })
    await sendEmail(unlucky.id, render, { transport })
    await sendEmail(unlucky.id, render, { transport })
    expect(await unlucky.row()).toMatchObject({ state: 'failed', failure: 'outcome_unknown', unknownOutcomes: 2 })
    isTalking = true
    await sendEmail(lucky.id, render, { transport })
    expect(await lucky.row()).toMatchObject({ state: 'sent', failure: null })
    const ids = contents.map((content) => /^Message-ID: (.*)$/im.exec(content)![1])
    expect(ids).toHaveLength(4)
    expect(new Set(ids).size).toBe(2)
    close()
  })

  it('a run that died while it was sending counts as one of the two', async () => {
    const { url, contents, close } = await server(() => false)
    const transport = smtpTransport({ url })
    const { id, row } = await promise()
    const die = () =>
      db().outgoingEmail.update({
        where: { id },
        data: { state: 'sending', triedAt: new Date(Date.now() - 6 * MINUTE_MS), firstTriedAt: new Date() },
      })
    await die()
    await sendEmail(id, render, { transport })
    expect(await row()).toMatchObject({ state: 'failed', failure: 'outcome_unknown' })
    expect(contents).toHaveLength(1)
    close()
  })
})

describe('an address', () => {
  const stop = (address: string, reason: 'hard_bounce' | 'complaint', at = new Date()) =>
    db().$transaction((tx) => suppressAddress(tx, { address, reason, emailId: null, at }))

  it('whose mailbox is not there gets nothing, and the mail says so', async () => {
    const { id, user, row, arrived } = await promise('top_up_declined')
    await Promise.all([stop(user.email, 'hard_bounce'), stop(user.email.toUpperCase(), 'hard_bounce')])
    await sendEmail(id, render)
    expect(await row()).toMatchObject({ state: 'suppressed', failure: 'address_stopped' })
    expect(await arrived()).toEqual([])
    expect(await findStops(user.email)).toHaveLength(1)
    expect(await sendMailAgain(staff, id)).toMatchObject({ refusal: { code: 'address_stopped' } })
  })

  it('lifted by staff with a reason gets mail again, once, and the service is told', async () => {
    const { id, user, row, arrived } = await promise()
    await stop(user.email, 'hard_bounce')
    await sendEmail(id, render)
    const [open] = await findStops(user.email)
    const lift = { suppressionId: open!.id, reason: 'The mailbox was full, she says' }
    const twice = await Promise.all([liftSuppression(staff, lift), liftSuppression(staff, lift)])
    expect(twice.map((each) => (each.ok ? 'lifted' : each.refusal.code)).sort()).toEqual(['already_decided', 'lifted'])
    expect(await liftSuppression(staff, { ...lift, suppressionId: newId('sup') })).toMatchObject({
      refusal: { code: 'not_found' },
    })
    const audits = await db().auditEntry.findMany({ where: { subjectId: open!.id } })
    expect(audits).toMatchObject([{ action: 'mail.address_lifted', actorId: 'usr_staff' }])
    expect(JSON.stringify(audits)).not.toContain(user.email)
    await releaseAddress({ address: user.email })
    expect(await findStops(user.email)).toEqual([])
    expect(await sendMailAgain(staff, id)).toMatchObject({ ok: true })
    await sendEmail(id, render)
    expect((await row()).state).toBe('sent')
    expect(await arrived()).toHaveLength(1)
    expect((await listStoppedAddresses({ search: user.email })).rows).toMatchObject([
      { liftedBy: 'usr_staff', liftReason: lift.reason },
    ])
  })

  it('is tried with a confirming link three times a day, and what its owner confirms is lifted', async () => {
    const first = await promise('verify_email')
    const address = first.user.email
    await stop(address, 'hard_bounce')
    const mails = [first, await promise('verify_email', address), await promise('verify_email', address)]
    for (const { id } of mails) await sendEmail(id, render)
    expect(await arrivedAt(address)).toHaveLength(3)
    const fourth = await promise('verify_email', address)
    await sendEmail(fourth.id, render)
    expect((await fourth.row()).state).toBe('suppressed')
    await db().$transaction((tx) => liftConfirmed(tx, { address, at: new Date() }))
    expect(await findStops(address)).toEqual([])
  })

  it('that complained gets what is required, and marketing never again', async () => {
    const optional = await promise('order_failed')
    const address = optional.user.email
    const required = await promise('top_up_declined', address)
    await stop(address, 'complaint')
    for (const { id } of [optional, required]) await sendEmail(id, render)
    expect(await optional.row()).toMatchObject({ state: 'suppressed', failure: 'complained' })
    expect((await required.row()).state).toBe('sent')
    // A confirmed address is a mailbox that is there; it is not a wish for mail.
    await db().$transaction((tx) => liftConfirmed(tx, { address, at: new Date() }))
    const [open] = await findStops(address)
    await liftSuppression(staff, { suppressionId: open!.id, reason: 'Pressed the wrong button' })
    expect([...(await listStopped([address], 'service')).keys()]).toEqual([])
    expect([...(await listStopped([address], 'marketing')).keys()]).toEqual([address])
  })

  it('that was lifted is not listed again by what happened before', async () => {
    const { user } = await promise()
    const yesterday = new Date(Date.now() - DAY_MS)
    await stop(user.email, 'hard_bounce', yesterday)
    const [open] = await findStops(user.email)
    await liftSuppression(staff, { suppressionId: open!.id, reason: 'It works again' })
    await stop(user.email, 'hard_bounce', yesterday)
    expect(await findStops(user.email)).toEqual([])
    await stop(user.email, 'hard_bounce', new Date(Date.now() + 1000))
    expect(await findStops(user.email)).toHaveLength(1)
  })
})

describe('what can be read', () => {
  it('own mails: subject and state, never what they said; nobody else’s', async () => {
    const { id, user } = await promise('reset_password')
    await promise()
    await sendEmail(id, render)
    const { rows } = await listOwnMails({ userId: user.id })
    expect(rows).toEqual([
      { id, subject: expect.stringContaining('reset_password'), state: 'sent', failure: null, at: expect.any(Date) },
    ])
    expect(JSON.stringify(rows)).not.toContain('secret')
  })

  it('for staff: by address and state; a link is asked for anew and not sent again', async () => {
    const { id, user } = await promise('reset_password', 'no@@example.test')
    await sendEmail(id, render)
    await db().outgoingEmail.update({ where: { id }, data: { to: user.email } })
    const { rows } = await listMails({ search: user.email.slice(0, 8).toUpperCase(), state: 'failed' })
    expect(rows).toMatchObject([{ id, failure: 'invalid_address', canSendAgain: false }])
    expect(rows[0]).not.toHaveProperty('props')
    expect((await listMails({ search: user.email, state: 'sent' })).rows).toEqual([])
    expect(await sendMailAgain(staff, id)).toMatchObject({ refusal: { code: 'mail_not_sendable' } })
    expect(await sendMailAgain(staff, newId('eml'))).toMatchObject({ refusal: { code: 'not_found' } })
  })

  it('how sending goes: counts by state, the last one taken and the last failure', async () => {
    const before = await mailFigures()
    const [good, bad] = [await promise(), await promise('order_failed', 'no@@example.test')]
    for (const { id } of [good, bad]) await sendEmail(id, render)
    const after = await mailFigures()
    expect(after.lastDay.sent - before.lastDay.sent).toBe(1)
    expect(after.lastWeek.failed - before.lastWeek.failed).toBe(1)
    expect(after.lastFailure).toMatchObject({ emailId: bad.id, failure: 'invalid_address' })
    expect(after.lastSentAt).toEqual((await good.row()).sentAt)
  })

  it('without a signing secret there is no door for what Resend tells', async () => {
    expect(await receiveMailEvent(new Headers(), Buffer.from('{}'))).toMatchObject({ refusal: { code: 'not_found' } })
  })

  it('a test mail goes the way of all mails', async () => {
    const user = await insertCustomer()
    await sendTestMail(staff, { ...user, locale: 'en' })
    const { id } = await db().outgoingEmail.findFirstOrThrow({ where: { userId: user.id, template: 'mail_test' } })
    await sendEmail(id, render)
    expect(await arrivedAt(user.email)).toHaveLength(1)
  })
})
