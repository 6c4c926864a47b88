import { createServer, request as httpRequest, type Server } from 'node:http'
import { connect } from 'node:net'
import { Readable, Writable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { db, Prisma } from '@/lib/db'
import {
  btcpayProvider,
  cryptoCloudProvider,
  cryptomusProvider,
  fakepayProvider,
  nowpaymentsProvider,
  settlePayment,
  type SettlePayload,
  stripeProvider,
  yookassaProvider,
} from '@/lib/payments'
import { log } from '@/lib/log'
import { BODY_BYTES_MAX } from '@/lib/web/routes'
import { type ShopDouble, startShopDouble } from '@/fakes/shop-double'
import { insertProvider } from '@/test/factories/provider'
import { PAYERS, PAYMENT_STANDS, type PaymentStand } from '@/test/payment-stands'
import { type OpenPayment, type PaymentsBench, startPaymentsBench } from '@/test/payments-bench'
import * as door from './route'

/**
 * Whatever anybody sends to a provider's door, over HTTP: a short answer, never a fault, never money that the stand-in does not confirm, and nothing of
 * the sender's words anywhere. Payments here are never paid, so every credit would be a lie.
 */

/** What the shop logs in this process, down to the last level, as it would be written. */
const logged = vi.hoisted(() => ({ lines: [] as string[] }))
vi.mock('pino', async (original) => {
  const real = (await original<typeof import('pino')>()).default
  const out = new Writable({
    write(chunk: Buffer, _, done) {
      logged.lines.push(chunk.toString())
      done()
    },
  })
  const toStream = (options: object) => real({ ...options, level: 'trace' }, out)
  return { default: Object.assign(toStream, real) }
})

let bench: PaymentsBench
let shop: ShopDouble
let web: Server
let webUrl: string
let drip: Promise<string>
beforeAll(async () => {
  ;[bench, shop] = await Promise.all([startPaymentsBench(), startShopDouble()])
  for (const { name, settings } of PAYMENT_STANDS)
    await insertProvider(name, { apiUrl: bench.fakes[name]!.url, ...settings })
  web = createServer((incoming, outgoing) => {
    const provider = incoming.url!.split('/').at(-1)!
    const headers = Object.entries(incoming.headers).flatMap(([name, value]) =>
      [value ?? []].flat().map((each): [string, string] => [name, each]),
    )
    const body = Readable.toWeb(incoming) as unknown as ReadableStream
    const request = new Request(`http://shop.test${incoming.url}`, {
      method: 'POST',
      headers,
      body,
      duplex: 'half',
    } as RequestInit)
    door.POST(request, { params: Promise.resolve({ provider }) }).then(
      async (answer) => {
        outgoing.writeHead(answer.status, Object.fromEntries(answer.headers))
        outgoing.end(Buffer.from(await answer.arrayBuffer()))
        incoming.resume()
      },
      (error: unknown) => outgoing.writeHead(500).end(String(error)),
    )
  })
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  webUrl = `http://127.0.0.1:${(web.address() as { port: number }).port}/api/webhooks`
  drip = sendByDrops()
})
afterAll(async () => {
  await Promise.all([bench.close(), shop.close()])
  web.closeAllConnections()
  await new Promise((resolve) => web.close(resolve))
})

type Said = { status: number; type: string; text: string }
/** Sends a body as it is. With `pieces` its length is not told before. */
function send(provider: string, body: Buffer, headers: Record<string, string> = {}, pieces?: number): Promise<Said> {
  return new Promise((resolve, reject) => {
    const length = pieces ? {} : { 'content-length': String(body.length) }
    const sent = httpRequest(
      `${webUrl}/${provider}`,
      { method: 'POST', headers: { ...length, ...headers } },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () =>
          resolve({
            status: answer.statusCode!,
            type: answer.headers['content-type'] ?? '',
            text: Buffer.concat(chunks).toString(),
          }),
        )
      },
    )
    sent.on('error', reject)
    const size = pieces ? Math.ceil(body.length / pieces) : body.length
    for (let at = 0; at < body.length; at += size) sent.write(body.subarray(at, at + size))
    sent.end()
  })
}

/** A body of which a byte comes now and then. Resolves with what the shop answers before it has all of it. */
function sendByDrops(): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port, pathname } = new URL(`${webUrl}/fakepay`)
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        `POST ${pathname} HTTP/1.1\r\nhost: shop.test\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{`,
      )
    })
    const drops = setInterval(() => socket.write(' '), 200)
    socket.on('data', (data: Buffer) => {
      clearInterval(drops)
      socket.destroy()
      resolve(data.toString())
    })
    socket.on('error', reject)
  })
}

/** A short answer that says what is wrong, or that it was taken; never a fault. */
function expectAnswer(said: Said): void {
  expect(said.text.length).toBeLessThan(500)
  if (said.status >= 200 && said.status < 300) return
  expect([400, 401, 404, 408, 413]).toContain(said.status)
  expect(said.type).toBe('application/problem+json')
  expect(JSON.parse(said.text)).toMatchObject({
    status: said.status,
    code: expect.any(String),
    title: expect.any(String),
  })
}

async function work(): Promise<void> {
  const jobs = await db().$queryRaw<{ payload: SettlePayload }[]>(
    Prisma.sql`DELETE FROM outbox_jobs WHERE name = 'payments.settle' RETURNING payload`,
  )
  for (const { payload } of jobs) await settlePayment(payload).catch(() => undefined)
}

const more = (text: string, member: string): string => text.replace(/\}\s*$/, `,${member}}`)
/** What a sender can do to a text that is otherwise the vendor's own. */
const ODD_TEXTS: [string, (text: string) => string][] = [
  ['nothing changed', (text) => text],
  ['every amount raised', (text) => text.replace(/\b20(\.0+)?\b/g, '9999.00').replace(/\b2000\b/g, '999900')],
  ['every state called paid', (text) => text.replace(/"(status|payment_status|state)":\s*"[^"]*"/g, '"$1":"paid"')],
  [
    'keys twice, the first other',
    (text) => text.replace('{', '{"status":"success","payment_status":"finished","id":"evt_other","type":"payment",'),
  ],
  [
    'keys twice, the last other',
    (text) => more(text, '"status":"paid","amount":"9999.00","payment_id":1,"data":{"object":{"object":"x"}}'),
  ],
  ['huge numbers', (text) => more(text, '"a":1e400,"amount":99999999999999999999999999,"payment_id":9007199254740993')],
  ['odd fractions', (text) => more(text, '"amount":19.990000000000002,"actually_paid":1e-7,"received":-0.0')],
  ['deep nesting', (text) => more(text, `"x":${'['.repeat(5000)}${']'.repeat(5000)}`)],
  ['deep objects', (text) => more(text, `"x":${'{"a":'.repeat(3000)}1${'}'.repeat(3000)}`)],
  [
    'prototype keys',
    (text) => more(text, '"__proto__":{"isTest":true,"uuid":"x"},"constructor":{"prototype":{"ok":true}}'),
  ],
  ['zero bytes in ids', (text) => text.replace(/pay_[0-9a-f]{8}/g, String.raw`pay_\u0000`)],
  ['half a character in ids', (text) => text.replace(/pay_[0-9a-f]{8}/g, String.raw`pay_\ud800`)],
  ['ids of endless length', (text) => text.replace(/pay_[0-9a-f]{32}/g, 'p'.repeat(20_000))],
  ['lists in place of texts', (text) => text.replace(/"pay_[0-9a-f]{32}"/g, '[["x"],{}]')],
  ['objects in place of texts', (text) => text.replace(/"pay_[0-9a-f]{32}"/g, '{"toString":"x","length":1}')],
  ['SQL in ids', (text) => text.replace(/pay_[0-9a-f]{32}/g, "'; DROP TABLE payments; --")],
  ['a mark before the text', (text) => `\ufeff${text}`],
  ['as large as may be', (text) => more(text, `"x":"${'x'.repeat(BODY_BYTES_MAX - text.length - 200)}"`)],
]

const text = (content: string): Buffer => Buffer.from(content)
const JSON_TYPE = { 'content-type': 'application/json' }
/** What anybody can send who has no secret at all. */
const RAW_BODIES: [string, Buffer, Record<string, string>][] = [
  ['nothing', text(''), JSON_TYPE],
  ['nothing, of no type', text(''), {}],
  [
    'a form',
    text('a=b&token=x&invoice_id=AAAA1111&status=success'),
    { 'content-type': 'application/x-www-form-urlencoded' },
  ],
  ['a broken form', text('%%%=%ZZ&&&=&token'), { 'content-type': 'application/x-www-form-urlencoded' }],
  ['parts', text('--x\r\n\r\nhello\r\n--x--'), { 'content-type': 'multipart/form-data; boundary=x' }],
  ['a page', text('<html>'), { 'content-type': 'text/html' }],
  ['a type that is none', text('{}'), { 'content-type': ';;;charset=' }],
  ['half of JSON', text('{"a":'), JSON_TYPE],
  ['a list', text('[]'), JSON_TYPE],
  ['null', text('null'), JSON_TYPE],
  ['a number', text('1e999'), JSON_TYPE],
  ['only brackets', text('['.repeat(60_000)), JSON_TYPE],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x00, 0x80]), JSON_TYPE],
  ['plain text called gzip', text('{"a":1}'), { ...JSON_TYPE, 'content-encoding': 'gzip' }],
  ['gzip', gzipSync('{"a":1}'), { ...JSON_TYPE, 'content-encoding': 'gzip' }],
  ['another charset', Buffer.from('{"a":1}', 'utf16le'), { 'content-type': 'application/json; charset=utf-16' }],
  [
    'strange signatures',
    text('{}'),
    {
      ...JSON_TYPE,
      'btcpay-sig': 'sha256=',
      'x-nowpayments-sig': '__proto__',
      'stripe-signature': `t=1,${'v1=00,'.repeat(200)}`,
      'webhook-id': '..',
      'webhook-timestamp': '9e9',
      'webhook-signature': `${'v1,AAAA '.repeat(50)}`,
      'x-forwarded-for': `${'1,'.repeat(500)}::ffff:999`,
    },
  ],
]

describe.each(PAYMENT_STANDS)('$name', (stand) => {
  const { name } = stand
  test('anything at all from anybody gets a short answer', async () => {
    for (const [what, body, headers] of RAW_BODIES) {
      const said = await send(name, body, headers)
      expectAnswer(said)
      expect([what, said.status >= 400]).toEqual([what, true])
    }
  })

  test('more than the cap is refused, also when its length is not told: a byte more, and ten megabytes', async () => {
    for (const size of [BODY_BYTES_MAX + 1, 10 * 1024 * 1024])
      for (const pieces of [undefined, 40]) {
        const said = await send(name, Buffer.alloc(size, ' '), JSON_TYPE, pieces)
        expectAnswer(said)
        expect(said.status).toBe(413)
      }
  })

  test('odd texts with a right signature are answered and credit nothing', async () => {
    const payment = await bench.topUp(name)
    const original = await textOf(stand, payment)
    for (const [what, change] of ODD_TEXTS) {
      const changed = change(original)
      const signed = stand.sign(changed)
      const said = await send(name, text(signed.text), signed.headers)
      expectAnswer(said)
      expect([what, said.status < 500]).toEqual([what, true])
      if (what === 'nothing changed') expect(said.status).toBeLessThan(300)
      // As the vendor signed it, but in another encoding than it is sent in.
      expectAnswer(await send(name, Buffer.from(signed.text, 'utf16le'), signed.headers))
      expectAnswer(await send(name, gzipSync(signed.text), { ...signed.headers, 'content-encoding': 'gzip' }))
      expectAnswer(await send(name, text(signed.text), { ...signed.headers, 'content-type': 'text/plain' }))
    }
    await work()
    expect(await db().ledgerTransfer.count({ where: { sourceId: payment.id } })).toBe(0)
    expect(await bench.balanceOf(payment.user.id)).toBe(0n)
    const { state } = await db().payment.findUniqueOrThrow({ where: { id: payment.id } })
    expect(state).toBe('awaiting')
  })
})

/** The vendor's own words about a payment that nobody paid, as its stand-in sends them. */
async function textOf({ name, start, opened }: PaymentStand, payment: OpenPayment): Promise<string> {
  // A stand-in of its own, whose callbacks come here and not to the shop, is told to be about this payment.
  const { fake, provider } = await start(shop.url)
  try {
    const made = await provider.createCheckout({
      paymentId: payment.id,
      amountMicros: 20_000_000n,
      currency: 'USD',
      returnUrl: 'http://shop.test/back',
      webhookUrl: shop.url,
      locale: 'en',
      expiresAt: new Date(Date.now() + 7_200_000),
    })
    const control = (path: string, wish: object) =>
      fetch(`${fake.controlUrl}/invoices/${made.providerPaymentId}${path}`, {
        method: 'POST',
        body: JSON.stringify(wish),
      })
    if (opened) await control('', { state: opened })
    const before = shop.heard.length
    await control('/pay', { webhooks: 1 })
    const heard = shop.heard[before]!.body.toString('utf8')
    const [theirs, ours] = [made.providerPaymentId, payment.providerPaymentId].map((id) =>
      id.replace(/^(INV|inv)-/, ''),
    )
    // A CryptoCloud token is for one invoice, so there the shop is told of this stranger's.
    return name === 'cryptocloud' ? heard : heard.replaceAll(theirs!, ours!)
  } finally {
    await fake.close()
  }
}

describe('CryptoCloud’s token', () => {
  const secret = new TextEncoder().encode(PAYMENT_STANDS.find((each) => each.name === 'cryptocloud')!.settings.secret)
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const soon = () => Math.floor(Date.now() / 1000) + 300
  const signed = (alg: string, claims: Record<string, unknown>, key = secret) =>
    new SignJWT(claims).setProtectedHeader({ typ: 'JWT', alg }).sign(key)

  test('only the agreed algorithm, an end that is near, and this very invoice open the door', async () => {
    const payment = await bench.topUp('cryptocloud')
    const other = await bench.topUp('cryptocloud')
    const id = payment.providerPaymentId.slice(4)
    const tokens: [string, string][] = [
      ['no algorithm', `${part({ alg: 'none' })}.${part({ id, exp: soon() })}.`],
      ['no algorithm, in capitals', `${part({ alg: 'NONE' })}.${part({ id, exp: soon() })}.x`],
      ['another algorithm', await signed('HS512', { id, exp: soon() })],
      ['no end', await signed('HS256', { id })],
      ['an end far away', await signed('HS256', { id, exp: soon() + 3600 })],
      ['an end that is past', await signed('HS256', { id, exp: soon() - 900 })],
      ['an end that is no number', await signed('HS256', { id, exp: `${soon()}` as never }).catch(() => 'a.b.c')],
      ['another invoice', await signed('HS256', { id: other.providerPaymentId.slice(4), exp: soon() })],
      ['no invoice', await signed('HS256', { exp: soon() })],
      ['another key', await signed('HS256', { id, exp: soon() }, new TextEncoder().encode('another-secret'))],
      ['no key', `${part({ alg: 'HS256' })}.${part({ id, exp: soon() })}.${part({})}`],
      ['the secret itself', new TextDecoder().decode(secret)],
    ]
    const post = (token: string) =>
      send(
        'cryptocloud',
        text(JSON.stringify({ status: 'success', invoice_id: id, order_id: payment.id, token })),
        JSON_TYPE,
      )
    for (const [what, token] of tokens) {
      const said = await post(token)
      expectAnswer(said)
      expect([what, said.status]).toEqual([what, 401])
    }
    expect(await db().webhookMessage.count({ where: { paymentId: payment.id } })).toBe(0)
    expect((await post(await signed('HS256', { id, exp: soon() }))).status).toBe(200)
  })
})

test('an adapter without a secret cannot be made', () => {
  const apiUrl = 'http://127.0.0.1:1'
  for (const make of [
    () => fakepayProvider({ apiUrl, apiKey: 'k', webhookSecret: '' }),
    () => fakepayProvider({ apiUrl, apiKey: 'k', webhookSecret: 'whsec_' }),
    () => cryptoCloudProvider({ apiUrl, apiKey: 'k', shopId: 's', secret: '' }),
    () => btcpayProvider({ apiUrl, apiKey: 'k', storeId: 's', secret: '' }),
    () => stripeProvider({ apiUrl, secretKey: 'k', webhookSecret: '' }),
    () => nowpaymentsProvider({ apiUrl, apiKey: 'k', ipnSecret: '', account: null }),
    () => cryptomusProvider({ apiUrl, merchantId: 'm', paymentKey: '' }),
    () => yookassaProvider({ apiUrl, shopId: 's', secretKey: '' }),
  ])
    expect(make).toThrow()
})

test('a body that drips is given up, while others are answered', async () => {
  const [status, head] = (await drip).split('\r\n\r\n')
  expect(status).toMatch(/^HTTP\/1\.1 408 /)
  expect(head).toContain('body_too_slow')
})

test('nothing of payers and no token is left, in the whole database and in what was logged', async () => {
  // One of each is paid, so that there are receipts, timelines and audit entries to search as well.
  for (const { name } of PAYMENT_STANDS) {
    const payment = await bench.topUp(name)
    await bench.control(name, `invoices/${payment.providerPaymentId}/pay`, { webhooks: 2 })
    await bench.work()
    expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
  }
  const secrets = PAYMENT_STANDS.flatMap(({ settings }) =>
    Object.entries(settings).flatMap(([name, value]) => (/key|secret|password/i.test(name) ? [value] : [])),
  )
  const escaped = secrets.map((each) => each.replace(/[^\w]/g, String.raw`\$&`))
  const pattern = [PAYERS, String.raw`eyJ[A-Za-z0-9_-]{8,}\.`, 'DROP TABLE', ...escaped].join('|')
  const tables = await db().$queryRaw<{ name: string }[]>(
    Prisma.sql`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`,
  )
  expect(tables.length).toBeGreaterThan(20)
  for (const { name } of tables) {
    const rows = await db().$queryRaw<{ found: string }[]>(
      Prisma.sql`SELECT t::text AS found FROM ${Prisma.raw(`"${name}"`)} t WHERE t::text ~ ${pattern} LIMIT 3`,
    )
    expect([name, rows]).toEqual([name, []])
  }
  log('test').debug('the last line')
  const written = logged.lines.join('')
  expect(written).toContain('the last line')
  expect(written).not.toMatch(new RegExp(pattern))
})
