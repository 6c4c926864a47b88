/** A day and a time as `datetime-local` fields send them. */
const TYPED = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::\d{2})?$/

/** What the clocks of a zone show at a moment, as `datetime-local` fields take it. */
export function writeLocal(at: Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  }).formatToParts(at)
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((each) => each.type === type)!.value
  return `${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`
}

/**
 * The moment at which the clocks of a zone show what was typed; null for what is no day and time, or lies outside 2020 to 2100. Of an hour that clocks show twice the
 * first is meant; one that they leave out (in spring) is read as the hour after it.
 */
export function readLocal(typed: string, timeZone: string): Date | null {
  const match = TYPED.exec(typed)
  if (!match || !isTimeZone(timeZone)) return null
  const wanted = `${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}`
  const asUtc = new Date(`${wanted}Z`)
  const year = Number(match[1])
  // A 30 February is another day once it is a date.
  if (Number.isNaN(asUtc.getTime()) || asUtc.toISOString().slice(0, 16) !== wanted || year < 2020 || year > 2100)
    return null
  // The zone's distance from UTC a day before and a day after: one of them holds at the wanted time, whichever side of a change it lies on.
  const candidates = [-1, 1].map((days) => {
    const near = new Date(asUtc.getTime() + days * 86_400_000)
    const distance = new Date(`${writeLocal(near, timeZone)}Z`).getTime() - near.getTime() + (near.getTime() % 60_000)
    return new Date(asUtc.getTime() - distance)
  })
  return candidates.find((moment) => writeLocal(moment, timeZone) === wanted) ?? candidates[0]!
}

export function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
