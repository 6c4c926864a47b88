import { DAY_MS, HOUR_MS } from '@/lib/kit'

/** The UTC day (`2027-03-04`) of the last moment at which a digest of this hour was due. */
export function dayOfLastDigest(hour: number, now: Date): string {
  const today = now.toISOString().slice(0, 10)
  const due = toDate(today).getTime() + hour * HOUR_MS
  return due <= now.getTime() ? today : new Date(toDate(today).getTime() - DAY_MS).toISOString().slice(0, 10)
}

/** A day as the database writes it: its first moment in UTC. */
export function toDate(day: string): Date {
  return new Date(`${day}T00:00:00.000Z`)
}
