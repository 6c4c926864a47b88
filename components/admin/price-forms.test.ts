import { expect, it } from 'vitest'
import { planChangeFormSchema } from './price-forms'

const form = {
  planId: 'pln_1',
  at: '2026-12-01T00:30',
  periodDays: ['30', ''],
  periodPrice: ['1.25', ''],
  stepFrom: ['10', ''],
  stepPercent: ['7,5', ''],
}

it('reads the moment as UTC, and the lines exactly', () => {
  expect(planChangeFormSchema.parse(form)).toEqual({
    planId: 'pln_1',
    at: new Date('2026-12-01T00:30:00Z'),
    periods: [{ days: 30, unitPriceMicros: 1_250_000n }],
    steps: [{ fromQuantity: 10, discountBasisPoints: 750 }],
  })
})

it.each([
  ['no moment', { at: '' }, 'at'],
  ['a day that does not exist', { at: '2026-02-30T00:00' }, 'at'],
  ['an hour that does not exist', { at: '2026-02-03T25:00' }, 'at'],
  ['a year of six digits', { at: '+275760-09-13T00:00' }, 'at'],
  ['a price of nothing', { periodPrice: ['0', ''] }, 'periods.0.unitPriceMicros'],
  ['a huge price', { periodPrice: ['1000000001', ''] }, 'periods.0.unitPriceMicros'],
  ['no period at all', { periodDays: ['', ''], periodPrice: ['', ''] }, 'periods'],
  ['a period twice', { periodDays: ['30', '30'], periodPrice: ['1', '2'] }, 'periods'],
  ['a step twice', { stepFrom: ['10', '10'], stepPercent: ['1', '2'] }, 'steps'],
  ['more than ninety per cent off', { stepPercent: ['100', ''] }, 'steps.0.discountBasisPoints'],
])('refuses %s beside its field', (_, wrong, path) => {
  const parsed = planChangeFormSchema.safeParse({ ...form, ...wrong })
  expect(parsed.success ? [] : parsed.error.issues.map((issue) => issue.path.join('.'))).toContain(path)
})
