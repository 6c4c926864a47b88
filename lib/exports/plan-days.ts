import { DAY_MS } from '@/lib/kit'

/** How far the planner looks. */
export const PLANNER_DAYS = 90

/** What falls due: some proxies of an order that end together. */
export type PlannedItem = {
  orderId: string
  planId: string
  countryCode: string
  quantity: number
  /** When they end. */
  endsAt: Date
  /** When the money is needed: before the end where the order renews itself, at the end where a person does it. */
  dueAt: Date
  periodDays: number
  /** What renewing them costs at today's price; null where they cannot be renewed. */
  totalMicros: bigint | null
  /** `by_itself` takes the money from the balance; `by_hand` only if somebody renews; `ends` cannot be renewed. */
  way: 'by_itself' | 'by_hand' | 'ends'
  /** Why it does not renew itself although it should, or cannot be renewed. */
  reason: 'dearer' | 'not_sold' | 'by_volume' | null
  placedAt: Date
}

export type PlannedDay = {
  /** As "2026-03-01", in the person's zone. */
  date: string
  items: PlannedItem[]
  byItselfMicros: bigint
  byHandMicros: bigint
  /** What is left of the balance at the end of this day, if nothing is topped up and only what renews itself is paid. Below zero: it does not suffice. */
  balanceMicros: bigint
  /** The same, if what needs a hand is renewed as well. */
  balanceOfAllMicros: bigint
}

export type PlannedDays = {
  days: PlannedDay[]
  /** The first day that the balance does not cover: what renews itself, and all of it. */
  short: PlannedDay | null
  shortOfAll: PlannedDay | null
  byItselfMicros: bigint
  byHandMicros: bigint
}

/** The day of a moment in a zone. */
export function dayOf(at: Date, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(at)
  const part = (type: string) => parts.find((each) => each.type === type)!.value
  return `${part('year')}-${part('month')}-${part('day')}`
}

/**
 * What falls due, by days on which something does, with the balance that is left. The money of a day is counted as one: within a day nobody can tell
 * which order comes first.
 */
export function planDays(
  items: readonly PlannedItem[],
  { balanceMicros, timeZone }: { balanceMicros: bigint; timeZone: string },
): PlannedDays {
  const byDate = new Map<string, PlannedItem[]>()
  for (const item of items.toSorted((a, b) => a.dueAt.getTime() - b.dueAt.getTime())) {
    const date = dayOf(item.dueAt, timeZone)
    byDate.set(date, [...(byDate.get(date) ?? []), item])
  }
  let [left, leftOfAll] = [balanceMicros, balanceMicros]
  const days = [...byDate].map(([date, ofDay]): PlannedDay => {
    const sum = (way: PlannedItem['way']) =>
      ofDay.reduce((total, item) => total + (item.way === way ? (item.totalMicros ?? 0n) : 0n), 0n)
    const [byItselfMicros, byHandMicros] = [sum('by_itself'), sum('by_hand')]
    left -= byItselfMicros
    leftOfAll -= byItselfMicros + byHandMicros
    return { date, items: ofDay, byItselfMicros, byHandMicros, balanceMicros: left, balanceOfAllMicros: leftOfAll }
  })
  return {
    days,
    short: days.find((day) => day.balanceMicros < 0n && day.byItselfMicros > 0n) ?? null,
    shortOfAll: days.find((day) => day.balanceOfAllMicros < 0n && day.byItselfMicros + day.byHandMicros > 0n) ?? null,
    byItselfMicros: days.reduce((total, day) => total + day.byItselfMicros, 0n),
    byHandMicros: days.reduce((total, day) => total + day.byHandMicros, 0n),
  }
}

/** The months that the planner shows, each as weeks from Monday to Sunday; null before the first day and after the last. */
export function monthsOf(now: Date, timeZone: string): { month: string; weeks: (string | null)[][] }[] {
  const first = new Date(`${dayOf(now, timeZone).slice(0, 7)}-01T00:00:00Z`)
  const last = dayOf(new Date(now.getTime() + PLANNER_DAYS * DAY_MS), timeZone).slice(0, 7)
  const months = []
  for (let start = first; start.toISOString().slice(0, 7) <= last;) {
    const next = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + 1, 1))
    const cells: (string | null)[] = Array.from({ length: (start.getUTCDay() + 6) % 7 }, () => null)
    for (let day = start.getTime(); day < next.getTime(); day += DAY_MS)
      cells.push(new Date(day).toISOString().slice(0, 10))
    while (cells.length % 7 > 0) cells.push(null)
    const weeks = Array.from({ length: cells.length / 7 }, (_, index) => cells.slice(index * 7, index * 7 + 7))
    months.push({ month: start.toISOString().slice(0, 7), weeks })
    start = next
  }
  return months
}
