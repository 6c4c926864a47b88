import { z } from 'zod'

/** The longest address that mail can carry (RFC 5321). */
const ADDRESS_LENGTH_MAX = 254
const address = z.email().max(ADDRESS_LENGTH_MAX)
const CONTROL = /[\p{Cc}\u2028\u2029]+/gu

/** Whether a mail can be sent there at all. No line break, comma or second address passes. */
export function isMailAddress(text: string): boolean {
  return address.safeParse(text).success
}

/** The text in one line, for a header: what could end a line, or nothing at all, becomes a space. */
export function oneLine(text: string): string {
  return text.replace(CONTROL, ' ').trim()
}

export type Sender = { name: string; address: string }

/** The two parts of "Name <address>"; an address alone has no name. */
export function parseSender(text: string): Sender {
  const match = /^(.*)<([^<>]+)>$/.exec(text.trim())
  return match ? { name: match[1]!.trim(), address: match[2]!.trim() } : { name: '', address: text.trim() }
}

/** "Name" <address> as a header says it; the name is quoted, so that no sign in it means anything. */
export function formatSender({ name, address: mailbox }: Sender): string {
  const shown = oneLine(name).replace(/["\\<>]/g, '')
  return shown ? `"${shown}" <${oneLine(mailbox)}>` : oneLine(mailbox)
}
