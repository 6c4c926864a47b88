import { parse, TYPE, type MessageFormatElement } from '@formatjs/icu-messageformat-parser'
import { expect, it } from 'vitest'
import { MESSAGES } from '@/i18n/messages'
import { REFUSALS } from '@/lib/web/errors'

type Tree = string | { [key: string]: Tree } | Tree[]

function texts(tree: Tree, path = ''): [string, string][] {
  if (typeof tree === 'string') return [[path, tree]]
  return Object.entries(tree).flatMap(([key, value]) => texts(value as Tree, path ? `${path}.${key}` : key))
}

/** Arguments and tags with their kind, wherever they are nested. */
function args(elements: MessageFormatElement[], found = new Set<string>()): Set<string> {
  for (const element of elements) {
    if (element.type === TYPE.literal || element.type === TYPE.pound) continue
    found.add(`${element.value}:${TYPE[element.type]}`)
    if (element.type === TYPE.tag) args(element.children, found)
    if (element.type === TYPE.plural || element.type === TYPE.select)
      for (const option of Object.values(element.options)) args(option.value, found)
  }
  return found
}

const en = texts(MESSAGES.en)
const ru = new Map(texts(MESSAGES.ru))

it('has the same keys in both languages', () => {
  expect([...ru.keys()].sort()).toEqual(en.map(([path]) => path).sort())
})

it('has no empty text', () => {
  for (const [path, text] of [...en, ...ru]) expect(text.trim(), path).not.toBe('')
})

it('takes the same arguments in both languages', () => {
  for (const [path, text] of en)
    expect([...args(parse(ru.get(path)!))].sort(), path).toEqual([...args(parse(text))].sort())
})

it('has a sentence for every refusal, and no sentence without one', () => {
  expect(Object.keys(MESSAGES.en.refusals).sort()).toEqual(Object.keys(REFUSALS).sort())
})
