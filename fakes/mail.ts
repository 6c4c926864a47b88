import { createHash, randomUUID } from 'node:crypto'
import { type Callback, CallbackSender, sendMany } from './callbacks'
import { signStandardWebhook } from './fakepay'
import { type Fake, type FakeReply, FakeState, startFake } from './kit'
import { escapeHtml, page } from './pages'

/**
 * A stand-in for Resend: takes mails at `POST /emails` and `POST /emails/batch` as Resend does, shows them in an inbox page at `/`, and sends signed
 * webhooks about them, by itself or when told. Nothing leaves the machine. Scripts read `GET /control/mails?to=…`.
 */
export type Mail = {
  id: string
  to: string[]
  from: string
  replyTo: string[]
  subject: string
  html: string
  text: string
  headers: Record<string, string>
  tags: Record<string, string>
  at: string
}
type State = {
  mails: Mail[]
  keys: Record<string, { digest: string; body: unknown }>
  /** Addresses on Resend's own list: a mail to one is taken, and told of as suppressed. */
  suppressed: string[]
}

/** Older mails are forgotten beyond this: a demo's storm of mails must not fill a disk. */
const KEPT_MAILS = 2000
/** Keys that are remembered; Resend does for a day. */
const KEPT_KEYS = 20_000
const BATCH_MAX = 100
const RECIPIENTS_MAX = 50

const EVENTS = [
  'sent',
  'delivered',
  'delivery_delayed',
  'bounced',
  'complained',
  'failed',
  'suppressed',
  'opened',
  'clicked',
] as const
type EventName = (typeof EVENTS)[number]

export type MailFakeOptions = {
  port: number
  stateFile?: string
  /** The only bearer key it takes. */
  apiKey: string
  /** Where webhooks go and what signs them. `isAutomatic`: each mail is told of as sent and delivered (or suppressed) by itself. */
  webhook?: { url: string; secret: string; isAutomatic?: boolean }
}

type Wish = Record<string, unknown>
type Refused = { status: number; name: string; message: string }
type Headers = Record<string, string | string[] | undefined>

/** Starts the mailbox on loopback. With a state file it remembers its mails over a restart. */
export async function startMailFake(options: MailFakeOptions): Promise<Fake> {
  const state = new FakeState<State>({ mails: [], keys: {}, suppressed: [] }, options.stateFile)
  const sender = new CallbackSender()
  let webhookUrl = options.webhook?.url ?? ''
  let isAutomatic = options.webhook?.isAutomatic ?? false
  let limit = { times: 0, retryAfter: 1 }

  /** What Resend answers when it says no. */
  const refusal = ({ status, name, message }: Refused, headers?: Record<string, string>): FakeReply => ({
    status,
    ...(headers ? { headers } : {}),
    body: { statusCode: status, name, message },
  })

  /** What stands before every call: the key, and the limit of calls. Null when the call may go on. */
  function turnedAway(headers: Headers): FakeReply | null {
    if (!headers.authorization)
      return refusal({ status: 401, name: 'missing_api_key', message: 'Missing API key in the authorization header.' })
    if (headers.authorization !== `Bearer ${options.apiKey}`)
      return refusal({ status: 403, name: 'invalid_api_key', message: 'API key is invalid.' })
    if (limit.times <= 0) return null
    limit.times -= 1
    return refusal(
      {
        status: 429,
        name: 'rate_limit_exceeded',
        message: 'Too many requests. You can only make 2 requests per second.',
      },
      { 'retry-after': String(limit.retryAfter), 'ratelimit-limit': '2', 'ratelimit-remaining': '0' },
    )
  }

  /** Runs a call once for its idempotency key: the same key with the same body is answered as before, with another body refused. */
  function once(headers: Headers, body: string, work: (wish: unknown) => FakeReply): FakeReply {
    const away = turnedAway(headers)
    if (away) return away
    const key = headers['idempotency-key']
    if (typeof key === 'string' && (key.length < 1 || key.length > 256))
      return refusal({
        status: 400,
        name: 'invalid_idempotency_key',
        message: 'The key must be between 1-256 chars.',
      })
    let wish: unknown
    try {
      wish = JSON.parse(body)
    } catch {
      return refusal({ status: 422, name: 'validation_error', message: 'The body is not JSON.' })
    }
    const digest = createHash('sha256').update(body).digest('hex')
    const earlier = typeof key === 'string' ? state.value.keys[key] : undefined
    if (earlier && earlier.digest !== digest)
      return refusal({
        status: 409,
        name: 'invalid_idempotent_request',
        message: 'This idempotency key was used with another body.',
      })
    if (earlier) return { body: earlier.body }
    const reply = work(wish)
    if (typeof key === 'string' && (reply.status ?? 200) < 300) {
      state.value.keys[key] = { digest, body: reply.body }
      const keys = Object.keys(state.value.keys)
      for (const old of keys.slice(0, Math.max(0, keys.length - KEPT_KEYS))) delete state.value.keys[old]
    }
    state.save()
    return reply
  }

  function keep(wish: Wish): Mail {
    const mail: Mail = {
      id: randomUUID(),
      to: listOf(wish.to),
      from: String(wish.from),
      replyTo: listOf(wish.reply_to),
      subject: String(wish.subject),
      html: typeof wish.html === 'string' ? wish.html : '',
      text: typeof wish.text === 'string' ? wish.text : '',
      headers: (wish.headers ?? {}) as Record<string, string>,
      tags: Object.fromEntries(
        ((wish.tags ?? []) as { name: string; value: string }[]).map(({ name, value }) => [name, value]),
      ),
      at: new Date().toISOString(),
    }
    state.value.mails.unshift(mail)
    state.value.mails.length = Math.min(state.value.mails.length, KEPT_MAILS)
    if (isAutomatic) void tellByItself(mail)
    return mail
  }

  async function tellByItself(mail: Mail): Promise<void> {
    if (mail.to.some((each) => state.value.suppressed.includes(addressOf(each)))) {
      await sender.deliver(async () => webhook(mail, 'suppressed'))
      return
    }
    await sender.deliver(async () => webhook(mail, 'sent'))
    await sender.deliver(async () => webhook(mail, 'delivered'))
  }

  /** One webhook as Resend sends it, through Svix: signed over id, time and body. */
  function webhook(
    mail: Mail,
    event: EventName,
    how: { id?: string; forged?: boolean; expired?: boolean; bounce?: string; at?: string } = {},
  ): Callback {
    const id = how.id ?? `msg_${randomUUID().replaceAll('-', '')}`
    const at = how.at ?? new Date().toISOString()
    const timestamp = Math.floor(Date.now() / 1000) - (how.expired ? 600 : 0)
    const body = JSON.stringify({
      type: `email.${event}`,
      created_at: at,
      data: {
        created_at: mail.at,
        email_id: mail.id,
        from: mail.from,
        to: mail.to,
        subject: mail.subject,
        tags: mail.tags,
        ...(event === 'bounced'
          ? { bounce: { type: how.bounce ?? 'Permanent', subType: 'General', message: 'The mailbox does not exist.' } }
          : {}),
        ...(event === 'failed' ? { failed: { reason: 'reached_daily_quota' } } : {}),
        ...(event === 'suppressed'
          ? { suppressed: { type: 'OnAccountSuppressionList', message: 'On the list.' } }
          : {}),
        ...(event === 'clicked'
          ? { click: { ipAddress: '203.0.113.9', link: 'https://example.com/', timestamp: at, userAgent: 'Reader/1' } }
          : {}),
      },
    })
    const secret = how.forged
      ? `whsec_${Buffer.from('not the secret of this shop').toString('base64')}`
      : (options.webhook?.secret ?? '')
    return {
      url: webhookUrl,
      headers: {
        'content-type': 'application/json',
        'svix-id': id,
        'svix-timestamp': String(timestamp),
        'svix-signature': signStandardWebhook(secret, { id, timestamp, body }),
      },
      body,
    }
  }

  async function tell(mail: Mail, body: string): Promise<FakeReply> {
    const wish = JSON.parse(body || '{}') as {
      type?: string
      times?: number
      concurrently?: boolean
      id?: string
      forged?: boolean
      expired?: boolean
      bounce?: string
      at?: string
    }
    const event = EVENTS.find((each) => each === wish.type)
    if (!event || !webhookUrl) return { status: 422, body: { error: `type is one of ${EVENTS.join(', ')}` } }
    const isHard = event === 'bounced' && (wish.bounce ?? 'Permanent') === 'Permanent'
    // What came back for good, or was complained about, Resend does not send to again.
    if ((isHard || event === 'complained') && !wish.forged && !wish.expired) {
      state.value.suppressed = [...new Set([...state.value.suppressed, ...mail.to.map(addressOf)])]
      state.save()
    }
    const id = wish.id ?? `msg_${randomUUID().replaceAll('-', '')}`
    const many = { times: wish.times ?? 1, concurrently: wish.concurrently ?? false }
    return { body: { id, answers: await sendMany(async () => webhook(mail, event, { ...wish, id }), many) } }
  }

  const mailsTo = (to: string | null): Mail[] =>
    to
      ? state.value.mails.filter((mail) => mail.to.some((each) => addressOf(each) === to.toLowerCase()))
      : state.value.mails

  const fake = await startFake({
    port: options.port,
    routes: [
      {
        method: 'POST',
        path: /^\/emails$/,
        handle: ({ headers, body }) =>
          once(headers, body, (wish) => {
            const wrong = wrongIn(wish as Wish)
            return wrong ? refusal(wrong) : { body: { id: keep(wish as Wish).id } }
          }),
      },
      {
        method: 'POST',
        path: /^\/emails\/batch$/,
        handle: ({ headers, body }) =>
          once(headers, body, (wish) => {
            if (!Array.isArray(wish) || wish.length === 0 || wish.length > BATCH_MAX)
              return refusal({
                status: 422,
                name: 'validation_error',
                message: `The batch must hold 1 to ${BATCH_MAX} emails.`,
              })
            const isPermissive = headers['x-batch-validation'] === 'permissive'
            const errors = wish.flatMap((each: Wish, index) => {
              const wrong = wrongIn(each)
              return wrong ? [{ index, message: wrong.message }] : []
            })
            if (errors.length > 0 && !isPermissive)
              return refusal({ status: 422, name: 'validation_error', message: errors[0]!.message })
            const refused = new Set(errors.map(({ index }) => index))
            const data = wish.flatMap((each: Wish, index) => (refused.has(index) ? [] : [{ id: keep(each).id }]))
            return { body: { data, ...(isPermissive ? { errors } : {}) } }
          }),
      },
      {
        method: 'DELETE',
        path: /^\/suppressions\/(?<address>[^/]+)$/,
        handle: ({ headers, params }) => {
          const away = turnedAway(headers)
          if (away) return away
          const address = decodeURIComponent(params.address!).toLowerCase()
          if (!state.value.suppressed.includes(address))
            return refusal({ status: 404, name: 'not_found', message: 'Suppression not found' })
          state.value.suppressed = state.value.suppressed.filter((each) => each !== address)
          state.save()
          return { body: { object: 'suppression', id: address, deleted: true } }
        },
      },
      {
        method: 'GET',
        path: /^\/control\/mails$/,
        handle: ({ url }) => ({
          body: mailsTo(url.searchParams.get('to')).map((mail) => ({
            ...mail,
            to: mail.to.map(addressOf).join(', '),
            links: linksOf(mail),
          })),
        }),
      },
      {
        method: 'POST',
        path: /^\/control\/mails\/(?<id>[0-9a-f-]+)\/webhook$/,
        handle: ({ params, body }) => {
          const mail = state.value.mails.find((each) => each.id === params.id)
          return mail ? tell(mail, body) : { status: 404, body: { error: 'no such mail' } }
        },
      },
      {
        method: 'POST',
        path: /^\/control\/limit$/,
        handle: ({ body }) => {
          limit = { times: 1, retryAfter: 1, ...(JSON.parse(body || '{}') as Partial<typeof limit>) }
          return { body: limit }
        },
      },
      {
        method: 'POST',
        path: /^\/control\/webhooks$/,
        handle: ({ body }) => {
          const wish = JSON.parse(body || '{}') as { automatic?: boolean; url?: string }
          isAutomatic = wish.automatic ?? isAutomatic
          webhookUrl = wish.url ?? webhookUrl
          return { body: { automatic: isAutomatic, url: webhookUrl } }
        },
      },
      { method: 'GET', path: /^\/control\/suppressed$/, handle: () => ({ body: state.value.suppressed }) },
      { method: 'GET', path: /^\/$/, handle: ({ url }) => ({ body: inboxPage(mailsTo(url.searchParams.get('to'))) }) },
      {
        method: 'GET',
        path: /^\/mail\/(?<id>[0-9a-f-]+)$/,
        handle: ({ params }) => {
          const mail = state.value.mails.find((each) => each.id === params.id)
          return mail
            ? { body: mailPage(mail) }
            : { status: 404, body: page('Not here', '<h1>This mail is not here</h1><p><a href="/">Inbox</a></p>') }
        },
      },
    ],
  })
  return {
    ...fake,
    close: async () => {
      sender.stop()
      await fake.close()
    },
  }
}

const listOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((each): each is string => typeof each === 'string')

const MAILBOX = /^(?:[^<>\r\n]*<)?[^\s<>@",]+@[^\s<>@",]+\.[^\s<>@",]+>?$|^(?:[^<>\r\n]*<)?[^\s<>@",]+@localhost>?$/

/** What Resend does not like about a mail, in its words; null when it would take it. */
function wrongIn(wish: Wish): Refused | null {
  const missing = (field: string): Refused => ({
    status: 422,
    name: 'missing_required_field',
    message: `Missing \`${field}\` field.`,
  })
  const invalid = (message: string): Refused => ({ status: 422, name: 'validation_error', message })
  if (typeof wish !== 'object' || wish === null) return invalid('The email must be an object.')
  for (const field of ['from', 'subject'] as const)
    if (typeof wish[field] !== 'string' || wish[field] === '') return missing(field)
  const to = listOf(wish.to)
  if (to.length === 0) return missing('to')
  if (typeof wish.html !== 'string' && typeof wish.text !== 'string') return missing('html` or `text')
  const form = 'The email address needs to follow the `email@example.com` or `Name <email@example.com>` format.'
  if (!MAILBOX.test(String(wish.from)))
    return { status: 422, name: 'validation_error', message: `Invalid \`from\` field. ${form}` }
  if (to.length > RECIPIENTS_MAX) return invalid(`The \`to\` field takes at most ${RECIPIENTS_MAX} recipients.`)
  if (to.some((each) => !MAILBOX.test(each))) return invalid(`Invalid \`to\` field. ${form}`)
  if (listOf(wish.reply_to).some((each) => !MAILBOX.test(each))) return invalid(`Invalid \`reply_to\` field. ${form}`)
  const tags = (Array.isArray(wish.tags) ? wish.tags : []) as { name?: unknown; value?: unknown }[]
  if (tags.some(({ name, value }) => ![name, value].every((each) => /^[\w-]{1,256}$/.test(String(each)))))
    return invalid('Tags should only contain ASCII letters, numbers, underscores, or dashes.')
  return null
}

/** The bare address of "Name <address>", in lower case. */
function addressOf(recipient: string): string {
  return (/<([^>]+)>/.exec(recipient)?.[1] ?? recipient).trim().toLowerCase()
}

/** Every web address a reader could follow, from the markup first and then from the text, each once. */
function linksOf(mail: Mail): string[] {
  const hrefs = [...mail.html.matchAll(/\bhref\s*=\s*["'](https?:\/\/[^"']+)["']/gi)].map((match) =>
    match[1]!.replaceAll('&amp;', '&').replaceAll('&#38;', '&').replaceAll('&#x26;', '&').replaceAll('&#x3D;', '='),
  )
  const plain = [...mail.text.matchAll(/https?:\/\/[^\s<>"')\]]+/g)].map((match) => match[0])
  return [...new Set([...hrefs, ...plain])]
}

function inboxPage(mails: Mail[]): string {
  const items = mails
    .map(
      (mail) =>
        `<li><a href="/mail/${mail.id}"><strong>${escapeHtml(mail.subject)}</strong><br><span class="soft">${escapeHtml(
          mail.to.join(', '),
        )} · ${timeTag(mail.at)}</span></a></li>`,
    )
    .join('')
  return page(
    `Inbox (${mails.length})`,
    `<h1>Inbox</h1><p class="soft">Mails the shop sent. They stay on this machine. <a href="">Refresh</a></p>${
      items
        ? `<ul class="list">${items}</ul>`
        : '<div class="card">No mail yet. Sign up in the shop, and the first one appears here.</div>'
    }`,
  )
}

function mailPage(mail: Mail): string {
  // The frame has no scripts and no origin of its own; `base` makes a click in it move the whole window, as in a real mail program.
  const framed = `<base target="_top">${mail.html}`
  return page(
    mail.subject,
    `<p><a href="/">Inbox</a></p><h1>${escapeHtml(mail.subject)}</h1>
<div class="card"><dl><dt>From</dt><dd>${escapeHtml(mail.from)}</dd><dt>To</dt><dd>${escapeHtml(mail.to.join(', '))}</dd><dt>Sent</dt><dd>${timeTag(mail.at)}</dd></dl></div>
${mail.html ? `<iframe title="The mail" sandbox="allow-top-navigation-by-user-activation allow-popups allow-popups-to-escape-sandbox" srcdoc="${escapeHtml(framed)}"></iframe>` : ''}
<h2 style="font-size:16px">Text</h2><div class="card"><pre>${escapeHtml(mail.text)}</pre></div>`,
  )
}

function timeTag(iso: string): string {
  return `<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}
