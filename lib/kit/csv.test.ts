import { expect, it } from 'vitest'
import { csvCell } from './csv'

it('never writes a cell that a spreadsheet would run', () => {
  for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1'])
    expect(csvCell(text).replace(/^"/, '')).toMatch(/^'/)
  expect(csvCell('plain')).toBe('plain')
})

it('keeps commas, quotes and line breaks inside their cell', () => {
  expect(csvCell('a,b')).toBe('"a,b"')
  expect(csvCell('a"b')).toBe('"a""b"')
  expect(csvCell('a\nb')).toBe('"a\nb"')
})
