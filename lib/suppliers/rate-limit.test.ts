import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createRateLimit, createSpacing } from './rate-limit'

const STARTED_AT = new Date('2026-11-21T10:00:00Z')

beforeEach(() => void vi.useFakeTimers({ now: STARTED_AT }))
afterEach(() => void vi.useRealTimers())

/** When each of so many calls, all asked for at once, was let through: milliseconds after the first could be. */
async function startsOf(calls: number, letThrough: () => Promise<void>): Promise<number[]> {
  const starts: number[] = []
  const all = Promise.all(
    Array.from({ length: calls }, async () => {
      await letThrough()
      starts.push(Date.now() - STARTED_AT.getTime())
    }),
  )
  await vi.runAllTimersAsync()
  await all
  return starts
}

test('the limit lets calls through in order, no more than so many in a window', async () => {
  expect(await startsOf(8, createRateLimit(3, 200))).toEqual([0, 0, 0, 200, 200, 200, 400, 400])
})

test('calls that spend start one after another, each after the gap of the one before', async () => {
  const space = createSpacing()
  expect(await startsOf(4, () => space(50))).toEqual([0, 50, 100, 150])
})
