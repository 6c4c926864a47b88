import { translator } from '@/i18n/translator'
import { openTelegramSender, type SendOutcome as ChatOutcome } from '@/lib/notices'
import type { SendOutcome } from '@/lib/notifications'
import { type Inline, type Line, parseBody, type Piece } from './markup'
import { type BatchTransport, plainName } from './message'
import { sayTopic } from './topics'
import type { Topic } from './schemas'

/** Telegram lets a bot send thirty messages a second; the rest is for what somebody waits for. */
export const TELEGRAM_PER_SECOND = 20

const escapeHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

type Words = { subject: string; body: string; topic: Topic }
type Reader = { name: string; preferencesUrl: string; locale: string }

/**
 * A campaign as a message to one chat, in the few signs of Telegram's HTML; whatever staff or readers wrote is text. It ends with why it came and the signed link to the way out.
 */
export function writeTelegram(words: Words, reader: Reader): string {
  const name = plainName(reader.name)
  const say = translator(reader.locale, 'marketing')
  const pieces = (parts: readonly Piece[]) =>
    parts.map((part) => escapeHtml(part.kind === 'name' ? name : part.text)).join('')
  const inline = (piece: Inline | { kind: 'name' }) => {
    if (piece.kind === 'name' || piece.kind === 'text') return pieces([piece])
    if (piece.kind === 'bold') return `<b>${pieces(piece.parts)}</b>`
    return `<a href="${escapeHtml(piece.url)}">${pieces(piece.parts)}</a>`
  }
  const line = (each: Line) => each.map(inline).join('')
  const subject = words.subject.split('{name}').map(escapeHtml).join(escapeHtml(name))
  const paragraphs = parseBody(words.body).map((lines) => lines.map(line).join('\n'))
  const why = escapeHtml(say('telegramWhy', { topic: sayTopic(words.topic, reader.locale) }))
  const out = `<a href="${escapeHtml(reader.preferencesUrl)}">${escapeHtml(say('telegramWayOut'))}</a>`
  return [`<b>${subject}</b>`, ...paragraphs, `${why}\n${out}`].join('\n\n')
}

/** A message as it is read in a chat, for the preview of staff: each link with where it leads. */
export function readTelegram(html: string): string {
  const signs: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"' }
  return html
    .replace(/<a href="([^"]*)">([^<]*)<\/a>/g, '$2 ($1)')
    .replace(/<\/?b>/g, '')
    .replace(/&(amp|lt|gt|quot);/g, (sign) => signs[sign]!)
}

/** The bot as a way to hand messages over, one at a time; null while the operator has it off. It knows no keys: what nobody answered counts as sent. */
export async function openTelegramTransport(): Promise<BatchTransport | null> {
  const send = await openTelegramSender()
  if (!send) return null
  return {
    isIdempotent: false,
    sendBatch: async (_, messages) => {
      const outcomes: SendOutcome[] = []
      for (const { to, html } of messages) outcomes.push(outcomeOf(await send(to, html)))
      return outcomes
    },
  }
}

function outcomeOf(outcome: ChatOutcome): SendOutcome {
  switch (outcome.outcome) {
    case 'sent':
      return { kind: 'taken', messageId: null }
    case 'unknown':
      return { kind: 'unknown', detail: '' }
    case 'refused':
      return { kind: 'refused', failure: outcome.isGone ? 'no_such_mailbox' : 'refused', detail: '' }
    case 'later': {
      const { why: detail, retryAfterMs } = outcome
      return { kind: 'later', failure: retryAfterMs === null ? 'service_away' : 'rate_limited', detail, retryAfterMs }
    }
  }
}
