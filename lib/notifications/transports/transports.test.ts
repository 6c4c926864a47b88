import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Fake } from '@/fakes/kit'
import { startMailFake } from '@/fakes/mail'
import { resendTransport } from './resend'
import { smtpTransport } from './smtp'
import type { MailMessage, MailTransport } from './transport'

const KEY = 're_secret_of_the_shop'
const PASSWORD = 'p@ss/word very-secret'
const open: { close: (...args: never[]) => unknown }[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
})

let tls: { key: string; cert: string }
beforeAll(() => {
  // A certificate of our own for 127.0.0.1, which nobody trusts who is not told to.
  const folder = mkdtempSync(path.join(tmpdir(), 'smtp-'))
  const file = (name: string) => path.join(folder, name)
  execFileSync(
    'openssl',
    `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout ${file('key')} -out ${file('cert')}`.split(
      ' ',
    ),
    { stdio: 'ignore' },
  )
  tls = { key: readFileSync(file('key'), 'utf8'), cert: readFileSync(file('cert'), 'utf8') }
})

let count = 0
function letter(more: Partial<MailMessage> = {}): MailMessage {
  count += 1
  return {
    id: `eml_${count}`,
    from: { name: 'Sluice, "the" shop', address: 'shop@example.com' },
    replyTo: 'help@example.com',
    to: 'ann@example.com',
    subject: 'Ваш платёж пришёл: 20,00 USD',
    html: '<p>Привет</p>',
    text: 'Привет\n.\nточка',
    ...more,
  }
}

type Received = { to: string; from: string; subject: string; raw: string }
type Bench = { transport: MailTransport; received: () => Promise<Received[]> }

async function resendBench(): Promise<Bench & { fake: Fake }> {
  const fake = await startMailFake({ port: 0, apiKey: KEY })
  open.push(fake)
  const received = async () => {
    const mails = (await (await fetch(`${fake.controlUrl}/mails`)).json()) as Omit<Received, 'raw'>[]
    return mails.map((mail) => ({ ...mail, raw: JSON.stringify(mail) })).toReversed()
  }
  return { fake, received, transport: resendTransport({ apiKey: KEY, apiUrl: fake.url }) }
}

async function smtpBench(options: SMTPServerOptions = {}, scheme = 'smtp'): Promise<Bench & { port: number }> {
  const received: Received[] = []
  const server = new SMTPServer({
    ...tls,
    secure: scheme === 'smtps',
    onAuth: (auth, _, done) =>
      auth.username === 'shop' && auth.password === PASSWORD
        ? done(null, { user: 'shop' })
        : done(new Error('Invalid username or password')),
    onRcptTo: (address, _, done) => {
      const refusal = { 'gone@example.com': '5.1.1 No such user here', 'blocked@example.com': '5.7.1 Not from you' }[
        address.address
      ]
      if (refusal) return done(Object.assign(new Error(refusal), { responseCode: 550 }))
      if (address.address === 'full@example.com')
        return done(Object.assign(new Error('4.2.2 Mailbox full'), { responseCode: 452 }))
      done()
    },
    onData: (stream, session, done) => {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        const raw = Buffer.concat(parts).toString('utf8')
        const from = /^From: (.*)$/m.exec(raw)?.[1] ?? ''
        const to = session.envelope.rcptTo.map(({ address }) => address).join(',')
        received.push({ raw, from, to, subject: /^Subject: ((?:.*\r?\n )*.*)$/m.exec(raw)?.[1] ?? '' })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push(server as never)
  const { port } = server.server.address() as { port: number }
  const url = `${scheme}://shop:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}`
  return { port, received: async () => received, transport: smtpTransport({ url, ca: tls.cert }) }
}

describe.each([
  ['resend', resendBench],
  ['smtp with STARTTLS', () => smtpBench()],
  ['smtps', () => smtpBench({}, 'smtps')],
] as const)('every transport: %s', (_, bench) => {
  it('hands a mail over, with its sender, and says under which id', async () => {
    const { transport, received } = await bench()
    const outcome = await transport.send(letter({ headers: { 'List-Unsubscribe': '<https://shop.example/u/1>' } }))
    expect(outcome).toEqual({ kind: 'taken', messageId: expect.stringMatching(/\S{20}/) })
    const [mail] = await received()
    expect(mail!.to).toBe('ann@example.com')
    expect(mail!.from).toContain('<shop@example.com>')
    expect(mail!.raw).toContain('help@example.com')
    expect(mail!.raw).toContain('https://shop.example/u/1')
  })

  it('lets no line of a header out of its line', async () => {
    const { transport, received } = await bench()
    const evil = 'x\r\nBcc: thief@example.com\r\n\r\n<script>'
    await transport.send(
      letter({ subject: evil.replace(/[\r\n]+/g, ' '), from: { name: evil, address: 'shop@example.com' } }),
    )
    const mails = await received()
    expect(mails).toHaveLength(1)
    expect(mails[0]!.to).toBe('ann@example.com')
    expect(mails[0]!.raw).not.toMatch(/^Bcc:/m)
  })

  it('gives a batch an outcome for each mail, in order; what is refused holds the others back in nothing', async () => {
    const { transport, received } = await bench()
    const bad = transport.name === 'resend' ? 'not an address' : 'gone@example.com'
    const outcomes = await transport.sendBatch(
      'batch_1',
      ['a@example.com', bad, 'b@example.com', 'c@example.com'].map((to) => letter({ to })),
    )
    expect(outcomes.map(({ kind }) => kind)).toEqual(['taken', 'refused', 'taken', 'taken'])
    expect((await received()).map(({ to }) => to)).toEqual(['a@example.com', 'b@example.com', 'c@example.com'])
    const ids = outcomes.map((outcome) => (outcome.kind === 'taken' ? outcome.messageId : null))
    expect(new Set(ids.filter(Boolean)).size).toBe(3)
  })

  it('takes no batch above the limit, and an empty one is nothing', async () => {
    const { transport, received } = await bench()
    await expect(
      transport.sendBatch(
        'batch_2',
        Array.from({ length: 101 }, () => letter()),
      ),
    ).rejects.toThrow('at most 100')
    expect(await transport.sendBatch('batch_3', [])).toEqual([])
    expect(await received()).toEqual([])
  })

  it('an address that is on no list is released without a fault', async () => {
    const { transport } = await bench()
    await expect(transport.release('nobody@example.com')).resolves.toBeUndefined()
  })
})

describe('Resend', () => {
  const control = (fake: Fake, call: string, body: object) =>
    fetch(`${fake.controlUrl}/${call}`, { method: 'POST', body: JSON.stringify(body) })

  it('sends the same mail once, also in a batch, and also when its words have changed since', async () => {
    const { transport, received } = await resendBench()
    const mail = letter()
    const first = await transport.send(mail)
    expect(await transport.send(mail)).toEqual(first)
    expect(await transport.send({ ...mail, from: { name: 'New name', address: 'shop@example.com' } })).toEqual({
      kind: 'taken',
      messageId: null,
    })
    const batch = [letter(), letter()]
    const outcomes = await transport.sendBatch('batch_9', batch)
    expect(await transport.sendBatch('batch_9', batch)).toEqual(outcomes)
    expect(await received()).toHaveLength(3)
  })

  it.each([
    [{ status: 500 }, { kind: 'later', failure: 'service_away' }],
    [
      { status: 503, after: true },
      { kind: 'later', failure: 'service_away' },
    ],
    [{ status: 404 }, { kind: 'later', failure: 'service_away' }],
  ])('what is away is asked again: %j', async (failure, outcome) => {
    const { fake, transport, received } = await resendBench()
    await control(fake, 'fail', { match: 'emails', times: 1, ...failure })
    const mail = letter()
    expect(await transport.send(mail)).toMatchObject(outcome)
    expect(await transport.send(mail)).toMatchObject({ kind: 'taken' })
    expect(await received()).toHaveLength(1)
  })

  it('nobody there is later, too, for each of a batch', async () => {
    const transport = resendTransport({ apiKey: KEY, apiUrl: 'http://127.0.0.1:2' })
    const later = { kind: 'later', failure: 'service_away' }
    expect(await transport.sendBatch('batch_4', [letter(), letter()])).toMatchObject([later, later])
    await expect(transport.release('ann@example.com')).rejects.toThrow('resend')
  })

  it('says how long it wants to be left alone', async () => {
    const { fake, transport } = await resendBench()
    await control(fake, 'limit', { times: 1, retryAfter: 7 })
    expect(await transport.send(letter())).toMatchObject({
      kind: 'later',
      failure: 'rate_limited',
      retryAfterMs: 7_000,
    })
    expect(await transport.send(letter())).toMatchObject({ kind: 'taken' })
  })

  it('an address it does not take is refused for good; a sender or a key it does not take waits for us', async () => {
    const { fake, transport } = await resendBench()
    expect(await transport.send(letter({ to: 'ann@@example.com' }))).toMatchObject({
      kind: 'refused',
      failure: 'invalid_address',
    })
    expect(await transport.send(letter({ from: { name: '', address: 'nowhere' } }))).toMatchObject({
      kind: 'later',
      failure: 'sender_refused',
    })
    const wrong = await resendTransport({ apiKey: 're_wrong_key_here', apiUrl: fake.url }).send(letter())
    expect(wrong).toMatchObject({ kind: 'later', failure: 'not_admitted' })
    expect(JSON.stringify(wrong)).not.toContain('re_wrong_key_here')
  })
})

describe('SMTP', () => {
  it.each([
    ['gone@example.com', { kind: 'refused', failure: 'no_such_mailbox' }],
    ['blocked@example.com', { kind: 'refused', failure: 'refused' }],
    ['full@example.com', { kind: 'later', failure: 'service_away' }],
  ])('a recipient that is refused: %s', async (to, outcome) => {
    const { transport, received } = await smtpBench()
    expect(await transport.send(letter({ to }))).toMatchObject(outcome)
    expect(await received()).toEqual([])
  })

  it('a login that is refused waits for us, and its password is in no outcome', async () => {
    const { port } = await smtpBench()
    const transport = smtpTransport({ url: `smtp://shop:wrong-password-xyz@127.0.0.1:${port}`, ca: tls.cert })
    const outcome = await transport.send(letter())
    expect(outcome).toMatchObject({ kind: 'later', failure: 'not_admitted' })
    expect(JSON.stringify(outcome)).not.toContain('wrong-password-xyz')
  })

  it('nothing is sent in the open, and to nobody whose certificate is not known', async () => {
    const plain = await smtpBench({ disabledCommands: ['STARTTLS'], authOptional: true })
    expect(await plain.transport.send(letter())).toMatchObject({ kind: 'later', failure: 'service_away' })
    expect(await plain.received()).toEqual([])
    const unknown = await smtpBench()
    const untrusting = smtpTransport({ url: `smtp://127.0.0.1:${unknown.port}` })
    expect(await untrusting.send(letter())).toMatchObject({ kind: 'later', failure: 'service_away' })
    expect(await unknown.received()).toEqual([])
    // Unless it is on this machine, and the settings say so.
    const local = smtpTransport({ url: `smtp://127.0.0.1:${plain.port}?starttls=off` })
    expect(await local.send(letter())).toMatchObject({ kind: 'taken' })
  })

  it('the same mail has the same Message-ID, and another one another', async () => {
    const { transport, received } = await smtpBench()
    const mail = letter()
    await transport.send(mail)
    await transport.send(mail)
    await transport.send(letter())
    const ids = (await received()).map(({ raw }) => /^Message-ID: (.*)$/im.exec(raw)![1])
    expect(ids[0]).toBe(ids[1])
    expect(ids[2]).not.toBe(ids[0])
  })

  it('content that is refused is refused', async () => {
    const { transport } = await smtpBench({
      onData: (stream, _, done) => {
        stream.on('data', () => undefined)
        stream.on('end', () => done(Object.assign(new Error('5.7.1 Looks like spam'), { responseCode: 554 })))
      },
    })
    expect(await transport.send(letter())).toMatchObject({ kind: 'refused', failure: 'refused' })
  })

  /** A mail server that hangs up at one place of the conversation. */
  async function cuttingServer(when: 'MAIL' | 'DATA' | 'end'): Promise<string> {
    const server: Server = createServer((socket: Socket) => {
      let content: string | null = null
      socket.write('220 here\r\n')
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => {
        const text = chunk.toString('utf8')
        if (content !== null) {
          content += text
          if (content.endsWith('\r\n.\r\n')) socket.destroy()
        } else if (text.startsWith('EHLO')) socket.write('250 hello\r\n')
        else if (text.startsWith('DATA') && when === 'DATA') socket.destroy()
        else if (text.startsWith('DATA')) {
          content = ''
          socket.write('354 go on\r\n')
        } else if (text.startsWith('MAIL') && when === 'MAIL') socket.destroy()
        else socket.write('250 ok\r\n')
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    open.push(server as never)
    return `smtp://127.0.0.1:${(server.address() as { port: number }).port}?starttls=off`
  }

  it.each([
    ['MAIL', 'later'],
    ['DATA', 'later'],
    ['end', 'unknown'],
  ] as const)('a connection cut at %s: %s', async (when, kind) => {
    const transport = smtpTransport({ url: await cuttingServer(when) })
    expect(await transport.send(letter())).toMatchObject({ kind })
  })

  it('nobody there is later', async () => {
    expect(await smtpTransport({ url: 'smtp://127.0.0.1:2' }).send(letter())).toMatchObject({
      kind: 'later',
      failure: 'service_away',
    })
  })
})
