import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { parseEnv } from '@/lib/env'
import { isTest, readSources, ROOT, type Source, withoutComments } from './sources'

/** Beside lib/env.ts: what runs before or around the program and hands an environment on. */
const MAY_READ_ENVIRONMENT = /^(lib\/env\.ts|scripts\/.*|prisma\/seed\.ts|(prisma|vitest|playwright)\.config\.ts)$/

function readsEnvironment({ file, text }: Source): boolean {
  return (
    !isTest(file) && !MAY_READ_ENVIRONMENT.test(file) && /\bprocess\s*\.\s*env\b|process\[/.test(withoutComments(text))
  )
}

/** Joined here, so that this file does not find itself. */
const UNFINISHED = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`)
const SWITCHED_OFF = /\b(test|it|describe)\s*\.\s*(skip|only|todo|fixme|fails|skipIf|runIf)\b|\b(xit|xtest|xdescribe)\(/
const CHECKS_TURNED_AWAY = new RegExp(`\\bas any\\b|@ts-(${['ignore', 'nocheck'].join('|')})`)

test('nothing reads the environment but lib/env.ts', () => {
  expect(
    readSources()
      .filter(readsEnvironment)
      .map(({ file }) => file),
  ).toEqual([])
})

test('nothing is left undone, switched off or hidden from the compiler', () => {
  const self = 'test/architecture/habits.test.ts'
  const wrong = readSources().flatMap(({ file, text }) =>
    text.split('\n').flatMap((line, index) => {
      if (file === self) return []
      const isWrong = UNFINISHED.test(line) || SWITCHED_OFF.test(line) || CHECKS_TURNED_AWAY.test(line)
      return isWrong ? [`${file}:${index + 1}: ${line.trim()}`] : []
    }),
  )
  expect(wrong).toEqual([])
})

test('.env.example names every setting with a line about it, and its values hold', () => {
  const settings = [...readFileSync(path.join(ROOT, 'lib/env.ts'), 'utf8').matchAll(/^ {4}([A-Z][A-Z0-9_]+):/gm)].map(
    (match) => match[1]!,
  )
  const lines = readFileSync(path.join(ROOT, '.env.example'), 'utf8').split('\n')
  const named = lines.flatMap((line, index) => {
    const match = /^#?([A-Z][A-Z0-9_]+)=(.*)$/.exec(line)
    return match ? [{ name: match[1]!, value: match[2]!, above: lines[index - 1] ?? '' }] : []
  })
  expect(settings.length).toBeGreaterThan(15)
  expect(named.map(({ name }) => name).sort()).toEqual([...settings].sort())
  for (const { name, above } of named) expect(above, `${name} has a line that explains it`).toMatch(/^# \S.+/)
  const values = Object.fromEntries(named.filter(({ value }) => value !== '').map(({ name, value }) => [name, value]))
  expect(() => parseEnv({ AUTH_SECRET: 'a-random-value-of-some-length-0123456789', ...values })).not.toThrow()
})

test('these checks bite', () => {
  expect(readsEnvironment({ file: 'lib/orders/x.ts', text: 'const a = process.env.PORT' })).toBe(true)
  expect(readsEnvironment({ file: 'app/page.tsx', text: 'const { env } = process; process\n  .env' })).toBe(true)
  expect(readsEnvironment({ file: 'lib/orders/x.ts', text: '// process.env is read in lib/env' })).toBe(false)
  expect(UNFINISHED.test(`// ${'TO' + 'DO'}: later`)).toBe(true)
  expect(SWITCHED_OFF.test("test.skip('x')")).toBe(true)
  expect(CHECKS_TURNED_AWAY.test('value as any')).toBe(true)
})
