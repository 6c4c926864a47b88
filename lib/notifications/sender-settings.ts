import { env } from '@/lib/env'
import { defineSettings } from '@/lib/settings'
import { parseSender, type Sender } from './addresses'
import { senderSchema } from './schemas'

/** The accent of the shop's own screens, a little lighter, so that its button is seen on a dark card. */
export const DEFAULT_ACCENT = '#0e7977'

export const senderSettings = defineSettings('notifications.sender', senderSchema, {
  name: '',
  address: '',
  replyTo: '',
  logo: '',
  footer: '',
  accent: DEFAULT_ACCENT,
})

/** How mails look: handed to the renderer, which knows no settings. */
export type MailLook = { logo: string; accent: string; footerLines: string[] }

/** Who a mail comes from now, where answers go, and how it looks. */
export async function readSender(): Promise<{ from: Sender; replyTo: string | null; look: MailLook }> {
  const { name, address, replyTo, logo, footer, accent } = await senderSettings.read()
  const fallback = parseSender(env().MAIL_FROM)
  return {
    from: { name: name || fallback.name, address: address || fallback.address },
    replyTo: replyTo || null,
    look: { logo: logo || env().SHOP_NAME, accent, footerLines: footer === '' ? [] : footer.split('\n') },
  }
}
