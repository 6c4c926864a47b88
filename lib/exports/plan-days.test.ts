import { expect, test } from 'vitest'
import { dayOf, monthsOf, planDays, type PlannedItem } from './plan-days'

const item = (dueAt: string, totalMicros: bigint | null, way: PlannedItem['way'] = 'by_itself'): PlannedItem => ({
  orderId: 'ord_1',
  planId: 'pln_1',
  countryCode: 'NL',
  quantity: 1,
  endsAt: new Date(dueAt),
  dueAt: new Date(dueAt),
  periodDays: 30,
  totalMicros,
  way,
  reason: null,
  placedAt: new Date(0),
})

test('each day has its sums and what is left, and the first day that is not covered is found', () => {
  const plan = planDays(
    [
      item('2026-03-05T10:00:00Z', 4_000_000n),
      item('2026-03-01T10:00:00Z', 5_000_000n),
      item('2026-03-01T11:00:00Z', 3_000_000n, 'by_hand'),
      item('2026-03-03T10:00:00Z', null, 'ends'),
      item('2026-03-09T10:00:00Z', 2_000_000n),
    ],
    { balanceMicros: 10_000_000n, timeZone: 'UTC' },
  )
  expect(
    plan.days.map(({ date, balanceMicros, balanceOfAllMicros }) => [date, balanceMicros, balanceOfAllMicros]),
  ).toEqual([
    ['2026-03-01', 5_000_000n, 2_000_000n],
    ['2026-03-03', 5_000_000n, 2_000_000n],
    ['2026-03-05', 1_000_000n, -2_000_000n],
    ['2026-03-09', -1_000_000n, -4_000_000n],
  ])
  expect(plan.short?.date).toBe('2026-03-09')
  expect(plan.shortOfAll?.date).toBe('2026-03-05')
  expect([plan.byItselfMicros, plan.byHandMicros]).toEqual([11_000_000n, 3_000_000n])
})

test('an exact balance suffices, and a debt is no shortage where nothing has to be paid', () => {
  expect(planDays([item('2026-03-01T10:00:00Z', 5n)], { balanceMicros: 5n, timeZone: 'UTC' }).short).toBe(null)
  const debt = planDays([item('2026-03-01T10:00:00Z', null, 'ends')], { balanceMicros: -5n, timeZone: 'UTC' })
  expect([debt.short, debt.shortOfAll]).toEqual([null, null])
})

test('days are those of the person', () => {
  const at = new Date('2026-03-01T22:30:00Z')
  expect([dayOf(at, 'UTC'), dayOf(at, 'Europe/Moscow'), dayOf(at, 'America/New_York')]).toEqual([
    '2026-03-01',
    '2026-03-02',
    '2026-03-01',
  ])
})

test('months are whole weeks from Monday, and reach to the last of 90 days', () => {
  const months = monthsOf(new Date('2026-11-30T12:00:00Z'), 'UTC')
  expect(months.map(({ month }) => month)).toEqual(['2026-11', '2026-12', '2027-01', '2027-02'])
  for (const { month, weeks } of months) {
    expect(weeks.every((week) => week.length === 7)).toBe(true)
    expect(weeks.flat().find((day) => day !== null)).toBe(`${month}-01`)
    expect(weeks[0]!.indexOf(`${month}-01`)).toBe((new Date(`${month}-01T00:00:00Z`).getUTCDay() + 6) % 7)
  }
})
