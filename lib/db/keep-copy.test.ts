import { afterEach, expect, test, vi } from 'vitest'
import { keepCopy } from './keep-copy'

afterEach(() => vi.useRealTimers())

test('a copy serves two seconds, everybody of its name in the process, and until it is forgotten', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  let reads = 0
  const [first, second] = [1, 2].map(() => keepCopy('test counts', () => Promise.resolve((reads += 1))))
  expect([await first!.read(), await second!.read()]).toEqual([1, 1])
  vi.setSystemTime(Date.now() + 2_000)
  expect(await first!.read()).toBe(1)
  vi.setSystemTime(Date.now() + 1)
  expect(await first!.read()).toBe(2)
  second!.forget()
  expect(await first!.read()).toBe(3)
})

test('a read that fails is told to who asked and not kept', async () => {
  const answers = [() => Promise.reject(new Error('away')), () => Promise.resolve('there')]
  const copy = keepCopy('test failures', () => answers.shift()!())
  await expect(copy.read()).rejects.toThrow('away')
  expect(await copy.read()).toBe('there')
})
