import { expect, test } from 'vitest'
import { alpha3Of } from './alpha3'

test('every country has one code of three letters, and no two share one', () => {
  const letters = [...'abcdefghijklmnopqrstuvwxyz']
  const codes = letters.flatMap((first) => letters.flatMap((second) => alpha3Of(first + second) ?? []))
  expect(codes).toHaveLength(249)
  expect(new Set(codes).size).toBe(249)
  expect(codes.filter((code) => !/^[A-Z]{3}$/.test(code))).toEqual([])
})

test('codes that are not what their letters suggest are right, and a code that is none has none', () => {
  expect(['de', 'GB', 'us', 'ch', 'es', 'ua', 'kz'].map(alpha3Of)).toEqual([
    'DEU',
    'GBR',
    'USA',
    'CHE',
    'ESP',
    'UKR',
    'KAZ',
  ])
  expect(alpha3Of('zz')).toBeUndefined()
})
