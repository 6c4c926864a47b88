import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Resend } from 'resend'
import { afterEach, expect, test } from 'vitest'
import type { Fake } from './kit'
import { startMailFake } from './mail'

const open: Fake[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((fake) => fake.close()))
})

async function start(options: { stateFile?: string } = {}): Promise<{ fake: Fake; resend: Resend }> {
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
