import { expect, test } from 'vitest'
import { db } from '@/lib/db'
import { TEMPLATE_RULES } from './template-rules'

test('the rules of the code and the rows that the database goes by are the same', async () => {
  const rows = await db().noticeTemplate.findMany()
  const stored = Object.fromEntries(rows.map(({ template, ...rule }) => [template, rule]))
  expect(stored).toEqual(TEMPLATE_RULES)
})
