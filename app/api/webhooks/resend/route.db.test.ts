import { createServer, type Server } from 'node:http'
import fc from 'fast-check'
import { Webhook } from 'svix'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Fake } from '@/fakes/kit'
import { startMailFake } from '@/fakes/mail'
import { db } from '@/lib/db'
import { MINUTE_MS, newId } from '@/lib/kit'
import {
  type EmailTemplate,
  findStops,
  liftSuppression,
  queueEmail,
  sendEmail,
  sendMailAgain,
} from '@/lib/notifications'
import { insertCustomer } from '@/test/factories/customer'
import * as door from './route'

const SECRET = `whsec_${Buffer.from('the signing secret of a test').toString('base64')}`
let fake: Fake
let shop: Server

beforeAll(async () => {
  // The shop behind a socket, so that the stand-in calls it as Resend would.
  shop = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      void post(Buffer.concat(chunks), incoming.headers as Record<string, string>).then(async (answer) =>
        outgoing.writeHead(answer.status).end(await answer.text()),
      )
    })
  })
  await new Promise<void>((resolve) => shop.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(shop.address() as { port: number }).port}/api/webhooks/resend`
  fake = await startMailFake({ port: 0, apiKey: 'test-resend-key', webhook: { url, secret: SECRET } })
  Object.assign(process.env, { RESEND_API_URL: fake.url, RESEND_WEBHOOK_SECRET: SECRET })
})
afterAll(async () => {
  shop.closeAllConnections()
  shop.close()
  await fake.close()
})

function post(body: BodyInit, headers: Record<string, string> = {}): Promise<Response> {
  return door.POST(new Request('http://shop.test/api/webhooks/resend', { method: 'POST', body, headers }), {
    params: Promise.resolve({}),
  })
}

/** Signed as Svix does it for Resend. */
function signed(body: string, how: { id?: string; at?: Date; secret?: string } = {}): Record<string, string> {
  const id = how.id ?? `msg_${newId('req')}`
  const at = how.at ?? new Date()
  return {
    'svix-id': id,
    'svix-timestamp': String(Math.floor(at.getTime() / 1000)),
    'svix-signature': new Webhook(how.secret ?? SECRET).sign(id, at, body),
  }
}

async function sentMail(template: EmailTemplate = 'order_failed') {
  const user = await insertCustomer()
  const key = `${template}:${newId('req')}`
  const props = { orderId: 'ord_1', refundedMicros: '1', currency: 'USD', reason: 'sold_out' }
  await db().$transaction((tx) =>
    queueEmail(tx, { key, userId: user.id, to: user.email, locale: 'en', template, props: props as never }),
  )
  const { id } = await db().outgoingEmail.findUniqueOrThrow({ where: { key } })
  const row = () => db().outgoingEmail.findUniqueOrThrow({ where: { id } })
  const send = () => sendEmail(id, async () => ({ subject: 'x', html: 'x', text: 'x' }))
  await send()
  const told = () => db().mailEvent.count({ where: { emailId: id } })
  const body = async (type: string, data: object = {}) => {
    const { providerMessageId } = await row()
    const to = [user.email]
    return JSON.stringify({
      type: `email.${type}`,
      created_at: new Date().toISOString(),
      data: { email_id: providerMessageId, to, subject: 'Private words', ...data },
    })
  }
  /** Has the stand-in tell it. */
  const tell = async (type: string, how: object = {}) => {
    const { providerMessageId } = await row()
    const answer = await fetch(`${fake.controlUrl}/mails/${providerMessageId}/webhook`, {
      method: 'POST',
      body: JSON.stringify({ type, ...how }),
    })
    return (await answer.json()) as { id: string; answers: number[] }
  }
  return { id, user, row, send, told, body, tell }
}

async function problemOf(answer: Response): Promise<unknown> {
  expect(answer.headers.get('content-type')).toBe('application/problem+json')
  return answer.json()
}

test('what Resend tells becomes the state of the mail', async () => {
  for (const [type, state, failure, reason] of [
    ['delivered', 'delivered', null, undefined],
    ['delivery_delayed', 'delayed', null, undefined],
    ['bounced', 'bounced', 'no_such_mailbox', 'hard_bounce'],
    ['complained', 'complained', null, 'complaint'],
    ['failed', 'failed', 'refused', undefined],
    ['suppressed', 'suppressed', 'address_stopped', 'provider_list'],
  ] as const) {
    const mail = await sentMail()
    expect((await mail.tell(type)).answers, type).toEqual([202])
    expect(await mail.row(), type).toMatchObject({ state, failure })
    expect((await findStops(mail.user.email)).map((stop) => stop.reason)).toEqual(reason ? [reason] : [])
  }
})

test('a bounce that may pass lists no address', async () => {
  const mail = await sentMail()
  await mail.tell('bounced', { bounce: 'Transient' })
  expect(await mail.row()).toMatchObject({ state: 'bounced', failure: 'bounced_soft' })
  expect(await findStops(mail.user.email)).toEqual([])
})

test('the same message twenty times at once is one event and one listed address', async () => {
  const mail = await sentMail()
  const { answers } = await mail.tell('bounced', { times: 20, concurrently: true })
  expect(answers).toEqual(Array.from({ length: 20 }, () => 202))
  expect(await mail.told()).toBe(1)
  expect(await findStops(mail.user.email)).toHaveLength(1)
})

test('in whatever order and how often things are told, the mail ends the same', async () => {
  const order = ['sent', 'delivery_delayed', 'delivered', 'bounced', 'complained']
  const states = ['sent', 'delayed', 'delivered', 'bounced', 'complained']
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...order), { minLength: 1, maxLength: 7 }), async (types) => {
      const mail = await sentMail()
      for (const type of types) {
        const body = await mail.body(type, { bounce: { type: 'Permanent' } })
        expect((await post(body, signed(body))).status).toBe(202)
      }
      const last = Math.max(...types.map((type) => order.indexOf(type)))
      expect((await mail.row()).state).toBe(states[last])
    }),
    { numRuns: 25 },
  )
})

test('told before we have kept Resend’s id ourselves, it finds its mail by our own', async () => {
  const mail = await sentMail()
  const body = await mail.body('delivered', { tags: { sluice_mail: mail.id } })
  await db().outgoingEmail.update({
    where: { id: mail.id },
    data: { state: 'sending', providerMessageId: null, triedAt: new Date() },
  })
  expect((await post(body, signed(body))).status).toBe(202)
  expect(await mail.row()).toMatchObject({ state: 'delivered', providerMessageId: expect.any(String) })
  await mail.send()
  expect((await mail.row()).state).toBe('delivered')
})

test('what is told of a mail says nothing about the one that staff sent again since', async () => {
  const mail = await sentMail()
  const late = await mail.body('bounced', { bounce: { type: 'Permanent' }, tags: { sluice_mail: mail.id } })
  await mail.tell('failed')
  expect(await sendMailAgain({ kind: 'staff', id: 'usr_1' }, mail.id)).toMatchObject({ ok: true })
  await mail.send()
  await post(late, signed(late))
  expect((await mail.row()).state).toBe('sent')
  // The mailbox is not there all the same.
  expect(await findStops(mail.user.email)).toHaveLength(1)
  await mail.tell('delivered')
  expect((await mail.row()).state).toBe('delivered')
})

test('a bounce that is told again after staff lifted the address does not list it again', async () => {
  const mail = await sentMail()
  await mail.tell('bounced', { at: new Date(Date.now() - MINUTE_MS).toISOString() })
  const [stop] = await findStops(mail.user.email)
  await liftSuppression({ kind: 'staff', id: 'usr_1' }, { suppressionId: stop!.id, reason: 'It works again' })
  await mail.tell('bounced', { at: new Date(Date.now() - MINUTE_MS).toISOString() })
  expect(await findStops(mail.user.email)).toEqual([])
})

test('a forged, changed or old message is 401 and changes nothing', async () => {
  const mail = await sentMail()
  const body = await mail.body('bounced', { bounce: { type: 'Permanent' } })
  const right = signed(body)
  for (const [sent, headers] of [
    [body, {}],
    [body, { ...right, 'svix-signature': 'v1,AAAA' }],
    [body, { ...right, 'svix-id': 'msg_other' }],
    [`${body} `, right],
    [body, signed(body, { secret: `whsec_${Buffer.from('another secret entirely').toString('base64')}` })],
    [body, signed(body, { at: new Date(Date.now() - 6 * MINUTE_MS) })],
    [body, signed(body, { at: new Date(Date.now() + 6 * MINUTE_MS) })],
    [body, { ...right, 'svix-timestamp': 'soon' }],
  ] as [string, Record<string, string>][]) {
    const answer = await post(sent, headers)
    expect(answer.status).toBe(401)
    expect(await problemOf(answer)).toMatchObject({ code: 'bad_signature' })
  }
  expect((await mail.tell('bounced', { forged: true })).answers).toEqual([401])
  expect((await mail.tell('bounced', { expired: true })).answers).toEqual([401])
  expect(await mail.row()).toMatchObject({ state: 'sent' })
  expect(await mail.told()).toBe(0)
  expect(await findStops(mail.user.email)).toEqual([])
})

test('what is none of our business is taken and leaves nothing: unknown mails and addresses, opened, clicked, other kinds', async () => {
  const mail = await sentMail()
  const events = await db().mailEvent.count()
  const unknown = { email_id: 'd91cd9bd-1176-453e-8fc1-35364d380206', to: ['nobody@example.test'] }
  for (const body of [
    await mail.body('bounced', { ...unknown, bounce: { type: 'Permanent' } }),
    await mail.body('complained', { ...unknown, tags: { sluice_mail: newId('eml') } }),
    await mail.body('opened'),
    await mail.body('clicked', { click: { ipAddress: '203.0.113.9', link: 'https://example.com' } }),
    JSON.stringify({ type: 'contact.created', data: { email: mail.user.email } }),
    JSON.stringify({ type: '__proto__', data: {} }),
  ])
    expect((await post(body, signed(body))).status).toBe(202)
  expect((await mail.tell('opened')).answers).toEqual([202])
  expect(await db().mailEvent.count()).toBe(events)
  expect(await db().suppressedAddress.count({ where: { address: 'nobody@example.test' } })).toBe(0)
  expect((await mail.row()).state).toBe('sent')
})

test('of what was sent nothing is kept but our own fields and a digest', async () => {
  const mail = await sentMail()
  const body = await mail.body('bounced', { bounce: { type: 'Permanent', message: 'mailbox of Ann Smith' } })
  await post(body, signed(body))
  const rows = await db().mailEvent.findMany({ where: { emailId: mail.id } })
  const kept = JSON.stringify([rows, await mail.row()])
  expect(rows).toMatchObject([{ kind: 'bounced', detail: 'hard', digest: expect.stringMatching(/^[0-9a-f]{64}$/) }])
  expect(kept).not.toContain('Private words')
  expect(kept).not.toContain('Ann Smith')
})

test('whatever is sent, signed or not, is a refusal and never a fault', async () => {
  for (const body of [
    '',
    'null',
    '[]',
    '{',
    '\u0000',
    '"text"',
    '{"type":"email.sent"}',
    '{"type":"email.sent","data":null}',
    '{"type":"email.sent","data":{"email_id":1}}',
    '{"type":"email.sent","data":{"email_id":"a\\u0000b"}}',
    `{"type":"email.sent","data":{"email_id":"${'x'.repeat(5000)}"}}`,
    '{"type":7,"data":{}}',
    `${'['.repeat(30_000)}`,
  ]) {
    expect((await post(body)).status, body.slice(0, 40)).toBe(401)
    expect((await post(body, signed(body))).status, body.slice(0, 40)).toBe(400)
  }
  const mail = await sentMail()
  const odd = await mail.body('delivered', { tags: 7, bounce: 'x' })
  expect((await post(odd.replace(/"created_at":"[^"]*"/, '"created_at":"yesterday"'), {})).status).toBe(401)
  expect((await post(odd, signed(odd))).status).toBe(202)
  expect((await post('x'.repeat(65 * 1024))).status).toBe(413)
})

test('only POST is answered here', () => {
  expect(Object.keys(door).filter((name) => /^[A-Z]+$/.test(name))).toEqual(['POST'])
})
