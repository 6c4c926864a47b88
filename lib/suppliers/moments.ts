import { z } from 'zod'
import { DAY_MS, HOUR_MS } from '@/lib/kit'

const ZONELESS = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))?$/
const ZONED = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}.*(?:Z|[+-]\d{2}:?\d{2})$/
/** Clocks are behind UTC by no more than this. */
const FARTHEST_ZONE_MS = 12 * HOUR_MS

/** What a text may mean: the moment itself, or with UTC for a zone that it does not name; never this machine's zone. Null for what is no moment. */
function readMoment(text: string): { at: Date; latest: Date } | null {
  const zoneless = ZONELESS.exec(text)
  if (!zoneless && !ZONED.test(text)) return null
  const at = new Date(zoneless ? `${zoneless[1]}T${zoneless[2] ?? '00:00'}Z` : text.replace(' ', 'T'))
  if (Number.isNaN(at.getTime())) return null
  const offMs = zoneless ? FARTHEST_ZONE_MS + (zoneless[2] ? 0 : DAY_MS) : 0
  return { at, latest: new Date(at.getTime() + offMs) }
}

const reading = (which: 'at' | 'latest') =>
  z.string().transform((text, context) => {
    const moment = readMoment(text)
    if (moment) return moment[which]
    context.addIssue({ code: 'custom', message: 'no moment' })
    return z.NEVER
  })

/** A moment in a supplier's answer; one without a zone is taken for UTC. */
export const momentSchema = reading('at')

/** The latest moment that a supplier's text may mean: what is older than something even then is older. */
export const latestMomentSchema = reading('latest')
