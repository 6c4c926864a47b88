import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { ROOT } from './sources'

const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8')
const exists = (file: string) => existsSync(path.join(ROOT, file))
const modules = readdirSync(path.join(ROOT, 'lib'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
const decisions = readdirSync(path.join(ROOT, 'docs/decisions')).map((name) => `docs/decisions/${name}`)
const DOCUMENTS = [
  'README.md',
  'docs/glossary.md',
  'fakes/README.md',
  'worker/README.md',
  ...modules.map(({ name }) => `lib/${name}/README.md`),
  ...decisions,
]

/** Files of the project that a document names, in links or in backticks; patterns, placeholders and files of the data folder do not count. */
function filesNamed(text: string): string[] {
  const quoted = [...text.matchAll(/`([\w@.()[\]/-]+)`/g)].map((match) => match[1]!)
  return quoted.filter(
    (name) =>
      /^(app|components|docs|e2e|emails|fakes|i18n|lib|messages|prisma|scripts|test|worker)\//.test(name) &&
      !name.includes('…'),
  )
}

const linksOf = (text: string) =>
  [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map((match) => match[1]!).filter((link) => !/^\w+:/.test(link))
const scriptsNamed = (text: string) => [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map((match) => match[1]!)

test('every module says what it is', () => {
  expect(modules.map(({ name }) => `lib/${name}/README.md`).filter((file) => !exists(file))).toEqual([])
})

test('what the documents name is there: files, links, commands', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const missing = DOCUMENTS.filter(exists).flatMap((document) => {
    const text = read(document)
    return [
      ...filesNamed(text).filter((file) => !exists(file)),
      ...linksOf(text).filter((link) => !exists(path.join(path.dirname(document), link))),
      ...scriptsNamed(text).filter((name) => !Object.hasOwn(scripts, name)),
    ].map((name) => `${document}: ${name}`)
  })
  expect(missing).toEqual([])
})

test('the README names every command', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const readme = read('README.md')
  const unnamed = Object.keys(scripts).filter((name) => !new RegExp(`npm (run )?${name}\\b`).test(readme))
  expect(unnamed).toEqual([])
})

test('a decision is numbered in order and says context, decision, consequences, alternatives and what enforces it', () => {
  const numbers = decisions.map((file) => Number(path.basename(file).slice(0, 4))).toSorted((a, b) => a - b)
  expect(numbers).toEqual(numbers.map((_, index) => index + 1))
  for (const file of decisions)
    for (const part of ['Context', 'Decision', 'Consequences', 'Alternatives', 'Enforced by'])
      expect(read(file), `${file} has ${part}`).toContain(`**${part}`)
})

test('these checks bite', () => {
  expect(filesNamed('see `lib/none/gone.ts`')).toEqual(['lib/none/gone.ts'])
  expect(linksOf('[x](docs/gone.md) and [y](https://example.org)')).toEqual(['docs/gone.md'])
  expect(scriptsNamed('`npm run gone -- --now`')).toEqual(['gone'])
})
