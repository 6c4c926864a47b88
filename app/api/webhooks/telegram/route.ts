import { chooseLocale } from '@/i18n/locales'
import { translator } from '@/i18n/translator'
import { env } from '@/lib/env'
import { accepted } from '@/lib/kit'
import { receiveTelegramUpdate } from '@/lib/notices'
import { webhookRoute } from '@/lib/web'

export const dynamic = 'force-dynamic'

/**
 * Where Telegram reports what people write to the shop's bot: a link opened, /stop, a bot that was blocked. What the bot says to it is the answer itself, as Telegram offers.
 * 404 while there is no bot, 401 for a secret that does not fit, 400 for what is no JSON; everything else is 200, because Telegram repeats all that is not.
 */
export const POST = webhookRoute(async ({ headers, body }) => {
  const received = await receiveTelegramUpdate(headers, body)
  if (!received.ok) return received
  if (received.value === null) return accepted({})
  const { chatId, says, language, username } = received.value
  const say = translator(chooseLocale(undefined, language?.slice(0, 2) ?? null), 'notices')
  const text = say(`reply_${says}`, { shop: env().SHOP_NAME, username: username ?? '' })
  return accepted({ method: 'sendMessage', chat_id: chatId, text })
})
