import { expect, it } from 'vitest'
import { readLocal, writeLocal } from './zoned-time'

const utc = (typed: string, zone: string) => readLocal(typed, zone)?.toISOString().slice(0, 16) ?? null

it('reads what is typed by the clocks of its zone, summer and winter', () => {
  expect(utc('2027-01-15T09:30', 'UTC')).toBe('2027-01-15T09:30')
  expect(utc('2027-01-15T09:30', 'Europe/Amsterdam')).toBe('2027-01-15T08:30')
  expect(utc('2027-07-15T09:30', 'Europe/Amsterdam')).toBe('2027-07-15T07:30')
  expect(utc('2027-01-15T09:30', 'Asia/Kolkata')).toBe('2027-01-15T04:00')
  expect(utc('2027-01-15T00:10', 'Pacific/Auckland')).toBe('2027-01-14T11:10')
})

it('writes back what was typed, on both sides of a change of clocks', () => {
  for (const typed of [
    '2027-03-28T01:59',
    '2027-03-28T03:00',
    '2027-10-31T01:59',
    '2027-10-31T02:30',
    '2027-10-31T03:00',
  ])
    expect(writeLocal(readLocal(typed, 'Europe/Amsterdam')!, 'Europe/Amsterdam')).toBe(typed)
})

it('takes the first of an hour that comes twice, and the hour after one that is left out', () => {
  expect(utc('2027-10-31T02:30', 'Europe/Amsterdam')).toBe('2027-10-31T00:30')
  expect(utc('2027-03-28T02:30', 'Europe/Amsterdam')).toBe('2027-03-28T01:30')
})

it('reads nothing from what is no time', () => {
  for (const typed of [
    '',
    'soon',
    '2027-02-30T10:00',
    '2027-13-01T10:00',
    '2027-01-01T25:00',
    '1999-01-01T10:00',
    '2027-01-01',
  ])
    expect(readLocal(typed, 'UTC')).toBeNull()
  expect(readLocal('2027-01-01T10:00', 'Mars/Olympus')).toBeNull()
})
