import { expect, it } from 'vitest'
import { defineTransitions, canMove, inLane, isId, newId } from './index'

it('ids carry their kind and sort by age', async () => {
  const first = newId('ord')
  await new Promise((resolve) => setTimeout(resolve, 2))
  const second = newId('ord')
  expect(first < second).toBe(true)
  expect(isId('ord', first)).toBe(true)
  expect(isId('pay', first)).toBe(false)
  expect(isId('ord', `${first}'; --`)).toBe(false)
})

it('a lane runs one at a time and in order, and one that fails does not stop the next', async () => {
  const seen: string[] = []
  const step =
    (name: string, ms: number, fail = false) =>
    async () => {
      seen.push(`${name} begins`)
      await new Promise((resolve) => setTimeout(resolve, ms))
      seen.push(`${name} ends`)
      if (fail) throw new Error(name)
      return name
    }
  const results = await Promise.allSettled([
    inLane('k', step('a', 5, true)),
    inLane('k', step('b', 1)),
    inLane('other', step('c', 1)),
  ])
  expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
  expect(seen.filter((line) => !line.startsWith('c'))).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
})

it('a table of moves knows its moves, and one with a state that nothing enters is a bug', () => {
  const table = defineTransitions('a', { a: ['b'], b: [] })
  expect([canMove(table, 'a', 'b'), canMove(table, 'b', 'a')]).toEqual([true, false])
  expect(() => defineTransitions<'a' | 'b'>('a', { a: [], b: ['a'] })).toThrow('can be reached')
})
