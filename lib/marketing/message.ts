import type { MailLook, MailTransport } from '@/lib/notifications'
import type { Topic } from './schemas'

/**
 * What stands for the reader in a mail that was rendered once for a whole language: private characters, which no text of a campaign may hold, so that nothing
 * that staff or customers wrote is ever taken for one.
 */
export const PLACES = { name: '\uE000', preferences: '\uE001', image: '\uE002' } as const

/** What stands for a link of a measured mail, by its number. A text of ten thousand signs has fewer than eight hundred. */
export const linkPlace = (number: number) => String.fromCharCode(0xe100 + number)

export type CampaignText = { subject: string; body: string; topic: Topic }
export type CampaignMail = { subject: string; html: string; text: string }

/**
 * Turns a campaign's text into a mail with PLACES in it; a measured one has places for its links and its image too. Given by the entry point, so that this module knows no
 * React.
 */
export type CampaignRenderer = (
  text: CampaignText,
  locale: string,
  look: MailLook,
  options?: { isMeasured?: boolean },
) => Promise<CampaignMail>

/** Our own addresses for one reader's mail, where they allow it. */
export type Measured = { imageUrl: string; links: readonly { number: number; url: string }[] }

/** A way to hand a batch over: a mail transport, or the bot. */
export type BatchTransport = Pick<MailTransport, 'isIdempotent' | 'sendBatch'>

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign]!)
/** In one line, and without what stands for the reader. */
export const plainName = (text: string) => text.replace(/[\p{Cc}\p{Co}\u2028\u2029]+/gu, ' ').trim()

/** The mail for one reader. What is put in is put in once, and never read again for places or signs. */
export function personalise(
  mail: CampaignMail,
  reader: { name: string; preferencesUrl: string; measured?: Measured | undefined },
): CampaignMail {
  const values = new Map<string, string>([
    [PLACES.name, plainName(reader.name)],
    [PLACES.preferences, reader.preferencesUrl],
  ])
  if (reader.measured) {
    values.set(PLACES.image, reader.measured.imageUrl)
    for (const { number, url } of reader.measured.links) values.set(linkPlace(number), url)
  }
  const fill = (text: string, escape: (value: string) => string) =>
    text.replace(/[\uE000-\uF8FF]/g, (sign) => {
      const value = values.get(sign)
      // A sign of a font of its own in the shop's footer.
      return value === undefined ? sign : escape(value)
    })
  return {
    subject: fill(mail.subject, (value) => value),
    html: fill(mail.html, escapeHtml),
    text: fill(mail.text, (value) => value),
  }
}
