import { type Fake, type FakeReply, type FakeRequest, FakeState, startFake } from './kit'
import { escapeHtml, page } from './pages'

/**
 * A stand-in for Telegram's Bot API with one bot: it takes messages as Telegram does (`/bot<token>/sendMessage`), reports what people write to the webhook that the
 * shop has set, and shows the chats as pages. People are played by the page at `/<bot>` or by the control API.
 */
export type ChatMessage = { chatId: number; from: 'bot' | 'person'; text: string; at: string }
type State = {
  webhook: { url: string; secret: string } | null
  messages: ChatMessage[]
  blocked: number[]
  nextUpdate: number
}

const KEPT_MESSAGES = 2000
const MAX_TEXT = 4096
/** The chat of whoever opens the page without naming one. */
const DEFAULT_CHAT = 7_000_001
export const FAKE_BOT = 'sluice_demo_bot'

export type TelegramFake = Fake & {
  /** What somebody writes in their chat; answers the shop's status and what the bot said to it. */
  say: (chatId: number, text: string, more?: { language?: string; secret?: string }) => Promise<Report>
}
type Report = { status: number; reply: string | null }

/** Starts it on loopback. `token` is the only bot's. `webhookUrl` wins over the address that the shop named: a shop that was moved is still found. */
export async function startTelegramFake(options: {
  port: number
  stateFile?: string
  token: string
  webhookUrl?: string
}): Promise<TelegramFake> {
  const state = new FakeState<State>({ webhook: null, messages: [], blocked: [], nextUpdate: 1 }, options.stateFile)
  let limits = { times: 0, retryAfter: 1 }

  const no = (status: number, description: string, parameters?: object): FakeReply => ({
    status,
    body: { ok: false, error_code: status, description, ...(parameters && { parameters }) },
  })
  const yes = (result: unknown): FakeReply => ({ body: { ok: true, result } })

  function keep(message: Omit<ChatMessage, 'at'>): void {
    state.value.messages.unshift({ ...message, at: new Date().toISOString() })
    state.value.messages.length = Math.min(state.value.messages.length, KEPT_MESSAGES)
    state.save()
  }

  function call({ params, body }: FakeRequest): FakeReply {
    if (params.token !== options.token) return no(/^\d+:[\w-]{20,}$/.test(params.token!) ? 401 : 404, 'Unauthorized')
    let wish: Record<string, unknown>
    try {
      wish = body ? (JSON.parse(body) as Record<string, unknown>) : {}
    } catch {
      return no(400, 'Bad Request: the body is no JSON')
    }
    switch (params.method) {
      case 'getMe':
        return yes({ id: 1_000_000_001, is_bot: true, first_name: 'Sluice demo', username: FAKE_BOT })
      case 'setWebhook': {
        if (typeof wish.url !== 'string' || !/^https?:\/\//.test(wish.url))
          return no(400, 'Bad Request: bad webhook: An HTTPS URL must be provided for webhook')
        const secret = typeof wish.secret_token === 'string' ? wish.secret_token : ''
        if (!/^[A-Za-z0-9_-]{0,256}$/.test(secret)) return no(400, 'Bad Request: secret token contains illegal symbols')
        state.value.webhook = { url: wish.url, secret }
        state.save()
        return yes(true)
      }
      case 'deleteWebhook':
        state.value.webhook = null
        state.save()
        return yes(true)
      case 'sendMessage':
        return sendMessage(wish)
      default:
        return no(404, 'Not Found: method not found')
    }
  }

  function sendMessage(wish: Record<string, unknown>): FakeReply {
    if (limits.times > 0) {
      limits.times -= 1
      return no(429, `Too Many Requests: retry after ${limits.retryAfter}`, { retry_after: limits.retryAfter })
    }
    const chatId = Number(wish.chat_id)
    if (!Number.isSafeInteger(chatId) || chatId === 0) return no(400, 'Bad Request: chat not found')
    if (state.value.blocked.includes(chatId)) return no(403, 'Forbidden: bot was blocked by the user')
    if (typeof wish.text !== 'string' || wish.text === '') return no(400, 'Bad Request: message text is empty')
    const shown = wish.parse_mode === 'HTML' ? readable(wish.text) : wish.text
    if (shown.length > MAX_TEXT) return no(400, 'Bad Request: message is too long')
    if (wish.parse_mode === 'HTML' && !isTelegramHtml(wish.text)) return no(400, "Bad Request: can't parse entities")
    keep({ chatId, from: 'bot', text: wish.text })
    return yes({ message_id: state.value.messages.length, chat: { id: chatId, type: 'private' }, text: wish.text })
  }

  /** Reports to the shop as Telegram does; a method in the shop's answer is carried out. */
  async function report(update: object, secret?: string): Promise<Report> {
    const { webhook } = state.value
    if (!webhook) return { status: 0, reply: null }
    const answer = await fetch(options.webhookUrl ?? webhook.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret ?? webhook.secret },
      body: JSON.stringify({ update_id: (state.value.nextUpdate += 1), ...update }),
    })
    const said = (await answer.json().catch(() => null)) as {
      method?: string
      chat_id?: number
      text?: string
    } | null
    const reply = answer.ok && said?.method === 'sendMessage' ? (said.text ?? null) : null
    if (reply !== null) keep({ chatId: Number(said!.chat_id), from: 'bot', text: reply })
    state.save()
    return { status: answer.status, reply }
  }

  async function say(chatId: number, text: string, more: { language?: string; secret?: string } = {}): Promise<Report> {
    keep({ chatId, from: 'person', text })
    const person = { id: chatId, is_bot: false, first_name: 'Somebody', language_code: more.language ?? 'en' }
    const message = { message_id: 1, date: 0, chat: { id: chatId, type: 'private' }, from: person, text }
    return report({ message }, more.secret)
  }

  async function block(chatId: number, isQuiet: boolean): Promise<void> {
    state.value.blocked = [...new Set([...state.value.blocked, chatId])]
    state.save()
    if (!isQuiet)
      await report({
        my_chat_member: {
          chat: { id: chatId, type: 'private' },
          new_chat_member: { status: 'kicked' },
        },
      })
  }

  type Wish = {
    chatId?: number
    token?: string
    text?: string
    language?: string
    secret?: string
    quiet?: boolean
    times?: number
    retryAfter?: number
  }
  const wishOf = ({ body }: FakeRequest) => JSON.parse(body || '{}') as Wish
  const chatOf = (wish: Wish) => wish.chatId ?? DEFAULT_CHAT

  const fake = await startFake({
    port: options.port,
    routes: [
      { method: 'POST', path: /^\/bot(?<token>[^/]+)\/(?<method>\w+)$/, handle: call },
      { method: 'GET', path: /^\/bot(?<token>[^/]+)\/(?<method>\w+)$/, handle: call },
      {
        method: 'GET',
        path: /^\/control\/messages$/,
        handle: ({ url }) => {
          const chat = url.searchParams.get('chat')
          return { body: state.value.messages.filter((each) => chat === null || each.chatId === Number(chat)) }
        },
      },
      {
        method: 'GET',
        path: /^\/control\/webhook$/,
        handle: () => ({ body: { url: state.value.webhook?.url ?? null } }),
      },
      {
        method: 'POST',
        path: /^\/control\/say$/,
        handle: async (request) => {
          const wish = wishOf(request)
          return { body: await say(chatOf(wish), wish.text ?? '/start', wish) }
        },
      },
      {
        method: 'POST',
        path: /^\/control\/start$/,
        handle: async (request) => {
          const wish = wishOf(request)
          return { body: await say(chatOf(wish), `/start ${wish.token ?? ''}`.trim(), wish) }
        },
      },
      {
        method: 'POST',
        path: /^\/control\/block$/,
        handle: async (request) => {
          const wish = wishOf(request)
          await block(chatOf(wish), wish.quiet ?? false)
          return { body: { ok: true } }
        },
      },
      {
        method: 'POST',
        path: /^\/control\/unblock$/,
        handle: (request) => {
          state.value.blocked = state.value.blocked.filter((each) => each !== chatOf(wishOf(request)))
          state.save()
          return { body: { ok: true } }
        },
      },
      {
        method: 'POST',
        path: /^\/control\/limit$/,
        handle: (request) => {
          const { times = 1, retryAfter = 1 } = wishOf(request)
          limits = { times, retryAfter }
          return { body: { ok: true } }
        },
      },
      {
        method: 'GET',
        path: new RegExp(`^/${FAKE_BOT}$`),
        handle: ({ url }) => {
          const chatId = Number(url.searchParams.get('chat') ?? DEFAULT_CHAT)
          return { body: chatPage(chatId, url.searchParams.get('start') ?? '', state.value.messages) }
        },
      },
      {
        method: 'POST',
        path: new RegExp(`^/${FAKE_BOT}$`),
        handle: async ({ body }) => {
          const form = new URLSearchParams(body)
          const chatId = Number(form.get('chat') ?? DEFAULT_CHAT)
          await say(chatId, form.get('text') ?? '')
          return { status: 303, headers: { location: `/${FAKE_BOT}?chat=${chatId}` }, body: '' }
        },
      },
    ],
  })
  return { ...fake, say }
}

/** What is read of a text in Telegram's HTML: its limit counts that, without tags and with each escaped sign as one. */
function readable(html: string): string {
  return html.replace(/<[^>]*>/g, '').replace(/&(amp|lt|gt|quot);/g, '.')
}

/** Whether Telegram could read it: the tags it knows, closed, and no other sign that wants escaping. */
function isTelegramHtml(text: string): boolean {
  const rest = text
    .replace(/<(b|i|u|s|code|pre)>([^<>]*)<\/\1>/g, '$2')
    .replace(/<a href="https?:\/\/[^"<>]+">([^<>]*)<\/a>/g, '$1')
  return !/[<>]/.test(rest) && !/&(?!(amp|lt|gt|quot);)/.test(rest)
}

function chatPage(chatId: number, token: string, messages: ChatMessage[]): string {
  const shown = messages.filter((each) => each.chatId === chatId).toReversed()
  const items = shown
    .map(
      (each) => `<li><strong>${each.from === 'bot' ? 'Bot' : 'You'}</strong><pre>${escapeHtml(each.text)}</pre></li>`,
    )
    .join('')
  const start = token ? `/start ${token}` : ''
  return page(
    FAKE_BOT,
    `<h1>@${FAKE_BOT}</h1><p class="soft">A stand-in for Telegram. Nothing leaves this machine. <a href="">Refresh</a></p>
${items ? `<ul class="list">${items}</ul>` : '<div class="card">Nothing was said in this chat yet.</div>'}
<form method="post" action="/${FAKE_BOT}" class="card">
<p><label>Number of your chat <input name="chat" value="${chatId}" inputmode="numeric"></label></p>
<p><label>What you write <input name="text" value="${escapeHtml(start)}" size="60"></label></p>
<p><button>${start ? 'Start' : 'Send'}</button></p></form>`,
  )
}
