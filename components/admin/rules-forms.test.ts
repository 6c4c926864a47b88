import { expect, it } from 'vitest'
import { roundingFormSchema } from '@/lib/prices/schemas'
import { checkRulesFormSchema, renewalRulesFormSchema } from './rules-forms'

const renewals = { leadHours: '24', graceHours: '0', retryHours: '4' }
const pathsOf = (parsed: ReturnType<typeof renewalRulesFormSchema.safeParse>) =>
  parsed.success ? [] : parsed.error.issues.map((issue) => issue.path.join('.'))

it('reads whole numbers', () => {
  expect(renewalRulesFormSchema.parse(renewals)).toEqual({ leadHours: 24, graceHours: 0, retryHours: 4 })
  expect(checkRulesFormSchema.parse({ everyHours: '6', atOnce: ' 20 ' })).toEqual({ everyHours: 6, atOnce: 20 })
})

it.each([
  ['an empty field, which is no zero', { graceHours: '' }, 'graceHours'],
  ['no lead at all', { leadHours: '0' }, 'leadHours'],
  ['a part of an hour', { retryHours: '1.5' }, 'retryHours'],
  ['a negative grace', { graceHours: '-1' }, 'graceHours'],
  ['a grace of a month', { graceHours: '720' }, 'graceHours'],
  ['a second try after everything is over', { retryHours: '48' }, 'retryHours'],
])('refuses %s', (_, wrong, path) => {
  expect(pathsOf(renewalRulesFormSchema.safeParse({ ...renewals, ...wrong }))).toContain(path)
})

it('takes a price step, or none, and nothing that would make nonsense', () => {
  expect(roundingFormSchema.parse({ stepMicros: '0.05' })).toEqual({ stepMicros: '50000' })
  expect(roundingFormSchema.parse({ stepMicros: ' ' })).toEqual({ stepMicros: null })
  for (const stepMicros of ['0', '-1', '101', '0.0000001', 'cents'])
    expect(roundingFormSchema.safeParse({ stepMicros }).success, stepMicros).toBe(false)
})
