/** One moment in a calendar. */
export type CalendarEvent = {
  /** The same for the same event for ever: programs change what they have by it. */
  uid: string
  /** When it was last told anew. */
  stampedAt: Date
  at: Date
  summary: string
  description: string
  url: string
}

/** How often programs are asked to look again. */
const REFRESH = 'PT6H'

/** A calendar as RFC 5545 wants it: CRLF, texts escaped, lines of at most 75 bytes. */
export function* writeCalendar(calendar: { name: string; events: readonly CalendarEvent[] }): Generator<string> {
  yield written([
    ['BEGIN', 'VCALENDAR'],
    ['VERSION', '2.0'],
    ['PRODID', `-//${escaped(calendar.name)}//Renewals//EN`],
    ['CALSCALE', 'GREGORIAN'],
    ['METHOD', 'PUBLISH'],
    ['X-WR-CALNAME', escaped(calendar.name)],
    ['REFRESH-INTERVAL;VALUE=DURATION', REFRESH],
    ['X-PUBLISHED-TTL', REFRESH],
  ])
  for (const event of calendar.events)
    yield written([
      ['BEGIN', 'VEVENT'],
      ['UID', escaped(event.uid)],
      ['DTSTAMP', moment(event.stampedAt)],
      ['DTSTART', moment(event.at)],
      ['SUMMARY', escaped(event.summary)],
      ['DESCRIPTION', escaped(event.description)],
      ['URL', event.url],
      // It takes no time of anybody's.
      ['TRANSP', 'TRANSPARENT'],
      ['END', 'VEVENT'],
    ])
  yield written([['END', 'VCALENDAR']])
}

const written = (lines: [string, string][]) => lines.map(([name, value]) => folded(`${name}:${value}`)).join('')

/** In UTC: 20260301T120000Z. */
const moment = (at: Date) => at.toISOString().replace(/[-:]|\.\d{3}/g, '')

function escaped(text: string): string {
  return (
    text
      .replace(/[\\;,]/g, (sign) => `\\${sign}`)
      .replace(/\r\n|[\r\n]/g, '\\n')
      // oxlint-disable-next-line no-control-regex
      .replace(/[\u0000-\u001f\u007f]/g, ' ')
  )
}

const LINE_BYTES = 75

/** Cuts a line so that no piece has more than 75 bytes and no character is cut; each further piece begins with a blank, which counts. */
function folded(line: string): string {
  const encoder = new TextEncoder()
  let text = ''
  let bytes = 0
  for (const character of line) {
    const size = encoder.encode(character).length
    if (bytes + size > LINE_BYTES) {
      text += '\r\n '
      bytes = 1
    }
    text += character
    bytes += size
  }
  return `${text}\r\n`
}
