import { afterEach, describe, expect, test } from 'vitest'
import { latestMomentSchema, momentSchema } from './moments'

const zone = process.env.TZ
afterEach(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

describe.each(['UTC', 'America/New_York', 'Asia/Vladivostok'])('on a machine in %s', (machine) => {
  test.each([
    ['2026-12-03T13:51:40Z', '2026-12-03T13:51:40.000Z'],
    ['2026-12-03T13:51:40.123456Z', '2026-12-03T13:51:40.123Z'],
    ['2026-12-03T13:51:40+03:00', '2026-12-03T10:51:40.000Z'],
    ['2026-12-03 13:51:40+00:00', '2026-12-03T13:51:40.000Z'],
    ['2026-12-03 13:51:40', '2026-12-03T13:51:40.000Z'],
    ['2026-12-03T13:51:40', '2026-12-03T13:51:40.000Z'],
    ['2026-12-03T13:51:40.000000', '2026-12-03T13:51:40.000Z'],
    ['2026-12-03', '2026-12-03T00:00:00.000Z'],
  ])('%s means %s', (text, moment) => {
    process.env.TZ = machine
    expect(momentSchema.parse(text).toISOString()).toBe(moment)
  })

  test('what is no moment, or one that only a person could place, is refused', () => {
    process.env.TZ = machine
    for (const text of ['', 'soon', 'Dec 3, 2026', '03.12.2026', '2026-13-01 00:00:00', '1796305900'])
      expect(momentSchema.safeParse(text).success).toBe(false)
  })
})

test('the latest that a text may mean is far enough for every zone and time of the day it leaves out', () => {
  expect(latestMomentSchema.parse('2026-12-03T13:51:40Z').toISOString()).toBe('2026-12-03T13:51:40.000Z')
  expect(latestMomentSchema.parse('2026-12-03 13:51:40').toISOString()).toBe('2026-12-04T01:51:40.000Z')
  expect(latestMomentSchema.parse('2026-12-03').toISOString()).toBe('2026-12-04T12:00:00.000Z')
})
