import { createHash, randomUUID } from 'node:crypto'
import { type Fake, type FakeReply, FakeState, startFake } from './kit'
import { escapeHtml, page } from './pages'

/**
 * A stand-in for Resend: takes mails at `POST /emails` as Resend does and shows them in an inbox page at `/`. Nothing leaves the
 * machine. Scripts read `GET /control/mails?to=…`.
 */
export type Mail = { id: string; to: string[]; from: string; subject: string; html: string; text: string; at: string }
type State = { mails: Mail[]; keys: Record<string, { id: string; digest: string }> }

/** Older mails are forgotten beyond this: a demo's storm of mails must not fill a disk. */
const KEPT_MAILS = 2000

/** Starts the mailbox on loopback. With a state file it remembers its mails over a restart; `apiKey` is the only bearer key it takes. */
export async function startMailFake(options: { port: number; stateFile?: string; apiKey: string }): Promise<Fake> {
  const state = new FakeState<State>({ mails: [], keys: {} }, options.stateFile)

  /** What Resend answers when it says no. */
  const refusal = (statusCode: number, name: string, message: string): FakeReply => ({
    status: statusCode,
    body: { statusCode, name, message },
  })

  function take(headers: Record<string, string | string[] | undefined>, body: string): FakeReply {
    if (!headers.authorization) return refusal(401, 'missing_api_key', 'Missing API key in the authorization header.')
    if (headers.authorization !== `Bearer ${options.apiKey}`)
      return refusal(403, 'invalid_api_key', 'API key is invalid.')
    let wish: Record<string, unknown>
    try {
      wish = JSON.parse(body) as Record<string, unknown>
    } catch {
      return refusal(422, 'validation_error', 'The body is not JSON.')
    }
    const to = (Array.isArray(wish.to) ? wish.to : [wish.to]).filter((each) => typeof each === 'string')
    for (const field of ['from', 'subject'] as const)
      if (typeof wish[field] !== 'string' || wish[field] === '')
        return refusal(422, 'missing_required_field', `Missing \`${field}\` field.`)
    if (to.length === 0) return refusal(422, 'missing_required_field', 'Missing `to` field.')
    if (typeof wish.html !== 'string' && typeof wish.text !== 'string')
      return refusal(422, 'missing_required_field', 'Missing `html` or `text` field.')

    const key = headers['idempotency-key']
    const digest = createHash('sha256').update(body).digest('hex')
    const earlier = typeof key === 'string' ? state.value.keys[key] : undefined
    if (earlier && earlier.digest !== digest)
      return refusal(409, 'invalid_idempotent_request', 'This idempotency key was used with another body.')
    if (earlier) return { body: { id: earlier.id } }

    const mail: Mail = {
      id: randomUUID(),
      to,
      from: String(wish.from),
      subject: String(wish.subject),
      html: typeof wish.html === 'string' ? wish.html : '',
      text: typeof wish.text === 'string' ? wish.text : '',
      at: new Date().toISOString(),
    }
    state.value.mails.unshift(mail)
    state.value.mails.length = Math.min(state.value.mails.length, KEPT_MAILS)
    if (typeof key === 'string') state.value.keys[key] = { id: mail.id, digest }
    state.save()
    return { body: { id: mail.id } }
  }

  const mailsTo = (to: string | null): Mail[] =>
    to
      ? state.value.mails.filter((mail) => mail.to.some((each) => addressOf(each) === to.toLowerCase()))
      : state.value.mails

  return startFake({
    port: options.port,
    routes: [
      { method: 'POST', path: /^\/emails$/, handle: ({ headers, body }) => take(headers, body) },
      {
        method: 'GET',
        path: /^\/control\/mails$/,
        handle: ({ url }) => ({
          body: mailsTo(url.searchParams.get('to')).map((mail) => ({
            id: mail.id,
            to: mail.to.map(addressOf).join(', '),
            subject: mail.subject,
            html: mail.html,
            text: mail.text,
            at: mail.at,
            links: linksOf(mail),
          })),
        }),
      },
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
