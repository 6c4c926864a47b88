import { expect, it } from 'vitest'
import { leadOf, splitText } from './split-text'

const links = (text: string) =>
  splitText(text)
    .flat(2)
    .flatMap(({ href }) => href ?? [])

it('parts paragraphs by empty lines and keeps lines', () => {
  expect(splitText('One\r\ntwo\r\n\r\n \r\nthree\n')).toEqual([
    [[{ text: 'One' }], [{ text: 'two' }]],
    [[{ text: 'three' }]],
  ])
  expect(splitText('  \n ')).toEqual([])
})

it('makes links of addresses of pages, without what ends the sentence', () => {
  expect(splitText('See https://a.test/x?y=1&z=2.')).toEqual([
    [[{ text: 'See ' }, { text: 'https://a.test/x?y=1&z=2', href: 'https://a.test/x?y=1&z=2' }, { text: '.' }]],
  ])
  expect(links('(https://a.test/b) and https://a.test/c_(d), «http://b.test»')).toEqual([
    'https://a.test/b',
    'https://a.test/c_(d)',
    'http://b.test',
  ])
})

it('makes no link of anything else', () => {
  expect(links('javascript:alert(1) data:text/html,x ftp://a.test //a.test www.a.test mailto:a@b.test')).toEqual([])
  expect(links('https://shop.test@evil.test/ https://u:p@evil.test https://')).toEqual([])
  expect(links('<a href="javascript:alert(1)">https://a.test/"onclick="x</a>')).toEqual(['https://a.test/'])
})

it('loses nothing of the text', () => {
  const text = 'a https://u@b.test https://c.test. <b>d</b> & {e}'
  expect(
    splitText(text)
      .flat(2)
      .map((part) => part.text)
      .join(''),
  ).toBe(text)
})

it('cuts between words', () => {
  expect(leadOf('one two\nthree', 40)).toBe('one two three')
  expect(leadOf('one two, three', 9)).toBe('one two…')
  expect(leadOf('abcdefghijkl', 5)).toBe('abcde…')
})
