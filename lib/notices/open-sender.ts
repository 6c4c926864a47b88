import type { SendOutcome } from './channels/channel'
import { sendHtml } from './channels/telegram'
import { openTelegram } from './telegram-account'

/**
 * A way to send a text in Telegram's HTML to a chat, for another module's own messages: once each, and each end has its word. Null while the bot is off. Throws OperationalError when
 * its secrets do not open.
 */
export async function openTelegramSender(): Promise<((chat: string, html: string) => Promise<SendOutcome>) | null> {
  const settings = await openTelegram()
  return settings && ((chat, html) => sendHtml(settings, chat, html))
}
