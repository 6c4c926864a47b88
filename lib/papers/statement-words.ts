import { translator } from '@/i18n/translator'

/** Why money moved, in words; a cause that nobody has words for is a movement. */
export function sayCause(cause: string, locale: string): string {
  const say = translator(locale, 'statement')
  const key = `cause_${cause}` as 'cause_other'
  return say.has(key) ? say(key) : say('cause_other')
}

/** A moment in UTC, to the second, that sorts and that spreadsheets read: "2026-03-01 09:05:00". */
export function sayMoment(date: Date): string {
  return date.toISOString().slice(0, 19).replace('T', ' ')
}
