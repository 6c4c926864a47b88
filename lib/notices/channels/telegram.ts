import { boundedText } from '@/lib/kit'
import type { Channel, Message, SendOutcome } from './channel'

/** Where Telegram's own Bot API answers. */
export const TELEGRAM_API_URL = 'https://api.telegram.org'

export type TelegramSettings = { apiUrl: string; token: string }

/** Longer than any answer seen. */
const TIMEOUT_MS = 15_000
const MAX_ANSWER_BYTES = 256_000
/** Telegram takes 4096 signs of text; ours are a few hundred. A name that fills one field must not cost the whole message. */
const MAX_PART = 1_000
/** With these the request never left this machine. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'])
const DEFAULT_RETRY_AFTER_MS = 5_000
const MAX_RETRY_AFTER_S = 3_600

type Answer =
  | { kind: 'ok'; result: unknown }
  | { kind: 'no'; status: number; description: string; retryAfterMs: number | null }
  | { kind: 'not_sent'; code: string }
  | { kind: 'silent' }

/** Messages through a bot: the chat's number is the address. */
export function telegramChannel(settings: TelegramSettings): Channel {
  return { name: 'telegram', send: (address, message) => sendHtml(settings, address, writeMessage(message)) }
}

/** Sends a text in Telegram's HTML, once. Whoever wrote it has escaped what came from outside. */
export async function sendHtml(settings: TelegramSettings, address: string, html: string): Promise<SendOutcome> {
  return outcomeOf(
    await callTelegram(settings, 'sendMessage', {
      chat_id: address,
      text: html,
      parse_mode: 'HTML',
      link_preview_options: { is_disabled: true },
    }),
  )
}

/** The message as Telegram's HTML. Everything that comes from outside is escaped; the three signs are all that Telegram asks for. */
export function writeMessage({ title, line, url }: Message): string {
  return `<b>${escape(title)}</b>\n${escape(line)}\n\n${escape(url)}`
}

function escape(text: string): string {
  const cut = text.length > MAX_PART ? `${text.slice(0, MAX_PART - 1)}…` : text
  return cut.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function outcomeOf(answer: Answer): SendOutcome {
  switch (answer.kind) {
    case 'ok':
      return { outcome: 'sent' }
    case 'silent':
      return { outcome: 'unknown' }
    case 'not_sent':
      return { outcome: 'later', why: answer.code, retryAfterMs: null }
    case 'no':
      break
  }
  const { status, description, retryAfterMs } = answer
  if (status === 429) return { outcome: 'later', why: 'too many requests', retryAfterMs }
  // The person blocked the bot or deleted their account, or the chat is no more.
  if (status === 403 || (status === 400 && /chat not found|deactivated/i.test(description)))
    return { outcome: 'refused', isGone: true }
  if (status === 400) return { outcome: 'refused', isGone: false }
  // A token that no longer holds is the operator's to mend, and a fault at Telegram passes: neither is the message's fault.
  return { outcome: 'later', why: `status ${status}`, retryAfterMs: null }
}

export type BotCheck = { ok: true; botUsername: string } | { ok: false; why: 'refused' | 'unreachable' | 'odd_answer' }

/** Asks who the bot is: a call that changes nothing. */
export async function askWhoBotIs(settings: TelegramSettings): Promise<BotCheck> {
  const answer = await callTelegram(settings, 'getMe', {})
  if (answer.kind === 'ok') {
    const username = (answer.result as { username?: unknown } | null)?.username
    return typeof username === 'string' && /^[A-Za-z0-9_]{3,40}$/.test(username)
      ? { ok: true, botUsername: username }
      : { ok: false, why: 'odd_answer' }
  }
  // Telegram answers a token of no bot with 401, and one of the wrong form with 404.
  const isTokenWrong = answer.kind === 'no' && [401, 404].includes(answer.status)
  return { ok: false, why: isTokenWrong ? 'refused' : 'unreachable' }
}

/** Tells Telegram where to report what people write to the bot, and by which secret it proves itself. Null when it was taken. */
export async function setTelegramWebhook(
  settings: TelegramSettings,
  webhook: { url: string; secret: string },
): Promise<null | 'refused' | 'unreachable'> {
  const answer = await callTelegram(settings, 'setWebhook', {
    url: webhook.url,
    secret_token: webhook.secret,
    allowed_updates: ['message', 'my_chat_member'],
    drop_pending_updates: true,
  })
  if (answer.kind === 'ok') return null
  return answer.kind === 'no' && answer.status < 500 && answer.status !== 429 ? 'refused' : 'unreachable'
}

/** Asks Telegram to report no more. Whether it heard does not matter: our door is closed then anyway. */
export async function removeTelegramWebhook(settings: TelegramSettings): Promise<void> {
  await callTelegram(settings, 'deleteWebhook', {})
}

/** One call, once. The address holds the token, so no error carries it and redirects are refused. */
async function callTelegram(settings: TelegramSettings, method: string, body: object): Promise<Answer> {
  let status: number
  let text: string
  try {
    const response = await fetch(`${settings.apiUrl}/bot${settings.token}/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    status = response.status
    text = await boundedText(response, MAX_ANSWER_BYTES)
  } catch (error) {
    const { cause, name } = error as { name?: string; cause?: { code?: string } }
    const code = cause?.code ?? name ?? 'unknown'
    return NOT_SENT.has(code) ? { kind: 'not_sent', code } : { kind: 'silent' }
  }
  const said = readJson(text) as {
    ok?: unknown
    result?: unknown
    description?: unknown
    parameters?: { retry_after?: unknown }
  } | null
  if (status === 200 && said?.ok === true) return { kind: 'ok', result: said.result }
  if (status === 200) return { kind: 'silent' }
  const seconds = Number(said?.parameters?.retry_after)
  return {
    kind: 'no',
    status,
    description: typeof said?.description === 'string' ? said.description.slice(0, 200) : '',
    retryAfterMs:
      Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_S) * 1000 : DEFAULT_RETRY_AFTER_MS,
  }
}

function readJson(text: string): unknown {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}
