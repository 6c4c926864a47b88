import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Resend } from 'resend'
import { Webhook } from 'svix'
import { afterEach, expect, test } from 'vitest'
import type { Fake } from './kit'
import { type MailFakeOptions, startMailFake } from './mail'
import { startShopDouble } from './shop-double'

const open: Fake[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((fake) => fake.close()))
})

async function start(options: Partial<MailFakeOptions> = {}): Promise<{ fake: Fake; resend: Resend }> {
  const fake = await startMailFake({ port: 0, apiKey: 're_test_key', ...options })
  open.push(fake)
  return { fake, resend: new Resend('re_test_key', { baseUrl: fake.url }) }
}

const letter = {
  from: 'Sluice <shop@localhost>',
  to: 'ann@example.com',
  subject: 'Confirm <your> address',
  html: '<p>Hello</p><a href="http://localhost:3000/verify?token=a&amp;b=1">Confirm</a>',
  text: 'Confirm: http://localhost:3000/verify?token=a&b=1',
}

async function mails(fake: Fake, to?: string): Promise<{ id: string; subject: string; links: string[]; to: string }[]> {
  const answer = await fetch(`${fake.controlUrl}/mails${to ? `?to=${encodeURIComponent(to)}` : ''}`)
  return (await answer.json()) as { id: string; subject: string; links: string[]; to: string }[]
}

test('the real Resend client delivers, and its links can be read by a script', async () => {
  const { fake, resend } = await start()
  const { data, error } = await resend.emails.send(letter)
  expect(error).toBeNull()
  const [mail] = await mails(fake, 'ann@example.com')
  expect(mail).toMatchObject({ id: data!.id, to: 'ann@example.com', subject: letter.subject })
  expect(mail!.links).toEqual(['http://localhost:3000/verify?token=a&b=1'])
  expect(await mails(fake, 'other@example.com')).toEqual([])
})

test('the same idempotency key delivers once, and with another body is refused', async () => {
  const { fake, resend } = await start()
  const first = await resend.emails.send(letter, { idempotencyKey: 'eml_1' })
  const second = await resend.emails.send(letter, { idempotencyKey: 'eml_1' })
  expect(second.data!.id).toBe(first.data!.id)
  expect(await mails(fake)).toHaveLength(1)
  const other = await resend.emails.send({ ...letter, subject: 'Other' }, { idempotencyKey: 'eml_1' })
  expect(other.error!.name).toBe('invalid_idempotent_request')
})

test('a wrong key and a mail without a body are refused in the words of Resend', async () => {
  const { fake } = await start()
  const wrong = await new Resend('re_wrong', { baseUrl: fake.url }).emails.send(letter)
  expect(wrong.error!.name).toBe('invalid_api_key')
  const answer = await fetch(`${fake.url}/emails`, {
    method: 'POST',
    headers: { authorization: 'Bearer re_test_key' },
    body: JSON.stringify({ from: 'a@b.c', to: 'a@b.c', subject: 'x' }),
  })
  expect(answer.status).toBe(422)
})

test('the inbox lists newest first and shows a mail without letting its markup out of the frame', async () => {
  const { fake, resend } = await start()
  await resend.emails.send(letter)
  await resend.emails.send({ ...letter, subject: 'Newer', html: '"><script>alert(1)</script>' })
  const list = await (await fetch(fake.url)).text()
  expect(list.indexOf('Newer')).toBeLessThan(list.indexOf('Confirm &#60;your&#62; address'))
  const [newest] = await mails(fake)
  const shown = await (await fetch(`${fake.url}/mail/${newest!.id}`)).text()
  expect(shown).not.toContain('<script>')
  expect(shown).toContain('allow-top-navigation-by-user-activation')
  expect((await fetch(`${fake.url}/mail/00000000-0000-4000-8000-000000000000`)).status).toBe(404)
})

test('a failure made by the control API reaches the client as an error and passes', async () => {
  const { fake, resend } = await start()
  await fetch(`${fake.controlUrl}/fail`, { method: 'POST', body: '{"times":1,"match":"emails","status":503}' })
  expect((await resend.emails.send(letter)).error).not.toBeNull()
  expect((await resend.emails.send(letter)).error).toBeNull()
})

test('mails and keys outlive a restart', async () => {
  const stateFile = path.join(mkdtempSync(path.join(tmpdir(), 'mail-')), 'mail.json')
  const first = await start({ stateFile })
  const sent = await first.resend.emails.send(letter, { idempotencyKey: 'eml_9' })
  await first.fake.close()
  const second = await start({ stateFile })
  expect((await second.resend.emails.send(letter, { idempotencyKey: 'eml_9' })).data!.id).toBe(sent.data!.id)
  expect(await mails(second.fake)).toHaveLength(1)
})

const control = async (fake: Fake, call: string, body: object) =>
  (await (await fetch(`${fake.controlUrl}/${call}`, { method: 'POST', body: JSON.stringify(body) })).json()) as {
    answers: number[]
  }

test('a batch of a hundred is taken once, a bigger one not at all', async () => {
  const { fake, resend } = await start()
  const batch = (size: number) => Array.from({ length: size }, (_, at) => ({ ...letter, to: `n${at}@example.com` }))
  const first = await resend.batch.send(batch(100), { idempotencyKey: 'batch_1' })
  const second = await resend.batch.send(batch(100), { idempotencyKey: 'batch_1' })
  expect(second.data!.data).toEqual(first.data!.data)
  expect(await mails(fake)).toHaveLength(100)
  const [newest] = await mails(fake)
  expect(newest).toMatchObject({ id: first.data!.data[99]!.id, to: 'n99@example.com' })
  expect((await resend.batch.send(batch(101))).error!.name).toBe('validation_error')
})

test('one wrong address refuses a strict batch whole, and itself alone in a permissive one', async () => {
  const { fake, resend } = await start()
  const batch = [letter, { ...letter, to: 'nowhere' }, letter]
  expect((await resend.batch.send(batch)).error!.name).toBe('validation_error')
  expect(await mails(fake)).toEqual([])
  const { data } = await resend.batch.send(batch, { batchValidation: 'permissive' })
  expect(data!.data).toHaveLength(2)
  expect(data!.errors).toMatchObject([{ index: 1, message: expect.stringContaining('`to`') }])
})

test('headers, tags and the answer address are kept; wrong fields are refused as Resend does', async () => {
  const { fake, resend } = await start()
  const headers = { 'List-Unsubscribe': '<https://shop.example/u/1>' }
  await resend.emails.send({ ...letter, headers, replyTo: 'help@example.com', tags: [{ name: 'kind', value: 'news' }] })
  expect((await mails(fake))[0]).toMatchObject({ headers, tags: { kind: 'news' }, replyTo: ['help@example.com'] })
  for (const wrong of [
    { to: 'a@b@example.com' },
    { to: 'one@example.com, two@example.com' },
    { from: 'nobody' },
    { replyTo: 'nobody' },
    { to: Array.from({ length: 51 }, (_, at) => `n${at}@example.com`) },
    { tags: [{ name: 'a b', value: 'x' }] },
  ])
    expect((await resend.emails.send({ ...letter, ...wrong })).error, JSON.stringify(wrong)).toMatchObject({
      statusCode: 422,
      name: 'validation_error',
    })
})

test('too many calls are answered 429 with how long to wait, as often as told', async () => {
  const { fake, resend } = await start()
  await control(fake, 'limit', { times: 2, retryAfter: 9 })
  for (let call = 0; call < 2; call += 1) {
    const { error, headers } = await resend.emails.send(letter)
    expect(error!.name).toBe('rate_limit_exceeded')
    expect(headers!['retry-after']).toBe('9')
  }
  expect((await resend.emails.send(letter)).error).toBeNull()
})

test('webhooks are signed as Svix signs them, forged and old when told; a bounce puts the address on Resend’s list', async () => {
  const shop = await startShopDouble()
  const secret = `whsec_${Buffer.from('the signing secret of a test').toString('base64')}`
  const { fake, resend } = await start({ webhook: { url: shop.url, secret } })
  const { data } = await resend.emails.send(letter)
  const about = (wish: object) => control(fake, `mails/${data!.id}/webhook`, wish)
  expect(await about({ type: 'bounced', times: 2 })).toMatchObject({ answers: [202, 202] })
  await about({ type: 'delivered', forged: true })
  await about({ type: 'delivered', expired: true })
  const [one, again, forged, expired] = shop.heard
  const verifier = new Webhook(secret)
  expect(verifier.verify(one!.body.toString(), one!.headers)).toMatchObject({
    type: 'email.bounced',
    data: { email_id: data!.id, to: ['ann@example.com'], bounce: { type: 'Permanent' } },
  })
  expect(again!.headers['svix-id']).toBe(one!.headers['svix-id'])
  for (const wrong of [forged!, expired!]) expect(() => verifier.verify(wrong.body.toString(), wrong.headers)).toThrow()

  await control(fake, 'webhooks', { automatic: true })
  const second = await resend.emails.send(letter)
  await expect.poll(() => shop.heard.length).toBe(5)
  expect(JSON.parse(shop.heard[4]!.body.toString())).toMatchObject({
    type: 'email.suppressed',
    data: { email_id: second.data!.id },
  })
  expect((await resend.suppressions.remove('ann@example.com')).error).toBeNull()
  expect((await resend.suppressions.remove('ann@example.com')).error!.name).toBe('not_found')
  await resend.emails.send(letter)
  await expect.poll(() => shop.heard.length).toBe(7)
  expect(shop.heard.slice(5).map(({ body }) => (JSON.parse(body.toString()) as { type: string }).type)).toEqual([
    'email.sent',
    'email.delivered',
  ])
  await shop.close()
})
