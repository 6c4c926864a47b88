import type { MailLook } from '@/lib/notifications'
import type { Topic } from './schemas'

/**
 * What stands for the reader in a mail that was rendered once for a whole language: private characters, which no text of a campaign may hold, so that nothing
 * that staff or customers wrote is ever taken for one.
 */
export const PLACES = { name: '\uE000', preferences: '\uE001' } as const

export type CampaignText = { subject: string; body: string; topic: Topic }
export type CampaignMail = { subject: string; html: string; text: string }

/** Turns a campaign's text into a mail with PLACES in it. Given by the entry point, so that this module knows no React. */
export type CampaignRenderer = (text: CampaignText, locale: string, look: MailLook) => Promise<CampaignMail>

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (sign) => ESCAPES[sign]!)
/** In one line, and without what stands for the reader. */
const plain = (text: string) => text.replace(/[\p{Cc}\p{Co}\u2028\u2029]+/gu, ' ').trim()

/** The mail for one reader. What is put in is put in once, and never read again for places or signs. */
export function personalise(mail: CampaignMail, reader: { name: string; preferencesUrl: string }): CampaignMail {
  const name = plain(reader.name)
  const fill = (text: string, escape: (value: string) => string) =>
    text.replace(/[\uE000\uE001]/g, (place) => escape(place === PLACES.name ? name : reader.preferencesUrl))
  return {
    subject: fill(mail.subject, (value) => value),
    html: fill(mail.html, escapeHtml),
    text: fill(mail.text, (value) => value),
  }
}
