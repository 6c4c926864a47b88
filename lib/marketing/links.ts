import { createHmac, timingSafeEqual } from 'node:crypto'
import { env } from '@/lib/env'
import { DAY_MS, isId } from '@/lib/kit'

/** How long the link of a confirming mail works: a week, because nobody waits for it. */
const CONFIRM_MS = 7 * DAY_MS

type Purpose = 'preferences' | 'confirm' | 'link' | 'open'

/** Keyed by the shop's secret and bound to what the link is for: a link for one purpose or person says nothing for another. */
function sign(purpose: Purpose, text: string): string {
  return createHmac('sha256', env().AUTH_SECRET).update(`marketing ${purpose} ${text}`).digest('base64url')
}

function isSigned(purpose: Purpose, text: string, signature: string): boolean {
  const right = Buffer.from(sign(purpose, text))
  const given = Buffer.from(signature)
  return right.length === given.length && timingSafeEqual(right, given)
}

const bare = (id: string) => id.slice(4)

/**
 * The token of the links in a marketing mail: who it went to, and in which campaign. It opens that person's choices about marketing and nothing else, and does not
 * expire: the right to say no does not either.
 */
export function preferencesToken(userId: string, campaignId: string | null = null): string {
  const text = campaignId ? `${bare(userId)}-${bare(campaignId)}` : bare(userId)
  return `${text}.${sign('preferences', text)}`
}

/** Whose token this is; null when we did not make it. */
export function readPreferencesToken(token: string): { userId: string; campaignId: string | null } | null {
  const match = /^(([0-9a-f]{32})(?:-([0-9a-f]{32}))?)\.([A-Za-z0-9_-]{43})$/.exec(token)
  if (!match || !isSigned('preferences', match[1]!, match[4]!)) return null
  return { userId: `usr_${match[2]}`, campaignId: match[3] ? `cpn_${match[3]}` : null }
}

/** The token of a confirming mail: it confirms what was asked for up to then. */
export function confirmToken(userId: string, askedAt: Date): string {
  const text = `${bare(userId)}-${askedAt.getTime()}`
  return `${text}.${sign('confirm', text)}`
}

/** Whose yes this confirms, and up to when; null when we did not make it or it is older than a week. */
export function readConfirmToken(token: string, now: Date): { userId: string; askedAt: Date } | null {
  const match = /^(([0-9a-f]{32})-(\d{13}))\.([A-Za-z0-9_-]{43})$/.exec(token)
  if (!match || !isSigned('confirm', match[1]!, match[4]!)) return null
  const askedAt = new Date(Number(match[3]))
  if (now.getTime() - askedAt.getTime() > CONFIRM_MS) return null
  const userId = `usr_${match[2]}`
  return isId('usr', userId) ? { userId, askedAt } : null
}

/** The token of one link in a measured mail: whose mail, and which link of its text. Where it leads stands in the campaign alone. It does not expire. */
export function linkToken(recipientId: string, number: number): string {
  const text = `${bare(recipientId)}-${number}`
  return `${text}.${sign('link', text)}`
}

/** Whose mail and which link this is; null when we did not make it. */
export function readLinkToken(token: string): { recipientId: string; number: number } | null {
  const match = /^(([0-9a-f]{32})-([1-9]\d{0,3}))\.([A-Za-z0-9_-]{43})$/.exec(token)
  if (!match || !isSigned('link', match[1]!, match[4]!)) return null
  return { recipientId: `rcp_${match[2]}`, number: Number(match[3]) }
}

/** The token of the image in a measured mail: whose mail it is. */
export function openToken(recipientId: string): string {
  const text = bare(recipientId)
  return `${text}.${sign('open', text)}`
}

/** Whose mail this is; null when we did not make it. */
export function readOpenToken(token: string): { recipientId: string } | null {
  const match = /^([0-9a-f]{32})\.([A-Za-z0-9_-]{43})$/.exec(token)
  if (!match || !isSigned('open', match[1]!, match[2]!)) return null
  return { recipientId: `rcp_${match[1]}` }
}

const shopUrl = (path: string, token: string) => `${new URL(path, env().PUBLIC_URL)}?token=${token}`

/** Where somebody changes their choices without signing in. */
export const preferencesUrl = (token: string) => shopUrl('/preferences', token)
/** What a mail program asks by itself when its button is pressed (RFC 8058). */
export const unsubscribeUrl = (token: string) => shopUrl('/api/unsubscribe', token)
export const confirmUrl = (token: string) => shopUrl('/preferences/confirm', token)
/** Where a link of a measured mail goes first. */
export const campaignLinkUrl = (token: string) => String(new URL(`/api/campaign-links/${token}`, env().PUBLIC_URL))
/** The image of a measured mail. */
export const campaignImageUrl = (token: string) => String(new URL(`/api/campaign-opens/${token}`, env().PUBLIC_URL))

/** Whether an address leads to our own way out: nobody is counted on it. */
export function isWayOut(url: string): boolean {
  const { origin, pathname } = new URL(url)
  return origin === new URL(env().PUBLIC_URL).origin && /^\/(preferences|api\/unsubscribe)(\/|$)/.test(pathname)
}
