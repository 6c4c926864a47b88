import { expect, it } from 'vitest'
import { costsFormSchema, planChangeFormSchema, priceRuleFormSchema } from './price-forms'

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

const rule = {
  planId: 'pln_1',
  version: '0',
  lineDays: ['7', '30'],
  linePercent: ['', '12,5'],
  lineFixed: ['', '0.05'],
  lineMinimum: ['', ''],
  stepMicros: '1',
  belowMicros: '0.01',
  thresholdBasisPoints: '1',
  costCurrency: 'eur',
  costRate: '1,0842',
}

it('reads a rule exactly; a period left empty has no line', () => {
  expect(priceRuleFormSchema.parse(rule)).toMatchObject({
    periods: [{ days: 30, marginBasisPoints: 1250, fixedMicros: 50_000n, minimumMicros: 0n }],
    stepMicros: 1_000_000n,
    belowMicros: 10_000n,
    thresholdBasisPoints: 100,
    isLossAllowed: false,
    costCurrency: 'EUR',
    costRate: '1.0842',
  })
})

it.each([
  ['a negative margin', { linePercent: ['', '-5'] }, 'periods.0.marginBasisPoints'],
  ['a huge margin', { linePercent: ['', '1000.01'] }, 'periods.0.marginBasisPoints'],
  ['a margin in letters', { linePercent: ['', 'many'] }, 'periods.0.marginBasisPoints'],
  ['a negative fixed part', { lineFixed: ['', '-1'] }, 'periods.0.fixedMicros'],
  ['no line at all', { linePercent: ['', ''], lineFixed: ['', ''] }, 'periods'],
  ['a step of nothing', { stepMicros: '0' }, 'stepMicros'],
  ['an ending without a step', { stepMicros: '' }, 'belowMicros'],
  ['an ending as large as its step', { belowMicros: '1' }, 'belowMicros'],
  ['a threshold above the half', { thresholdBasisPoints: '51' }, 'thresholdBasisPoints'],
  ['a rate of nothing', { costRate: '0.0' }, 'costRate'],
  ['a rate without its currency', { costCurrency: '' }, 'costRate'],
])('refuses a rule with %s', (_, wrong, path) => {
  const parsed = priceRuleFormSchema.safeParse({ ...rule, ...wrong })
  expect(parsed.success ? [] : parsed.error.issues.map((issue) => issue.path.join('.'))).toContain(path)
})

it('reads costs; what is left empty has none, and nothing is a cost, too', () => {
  const form = { offerId: 'ofr_1', currency: 'usd', costDays: ['7', '30', '90'], cost: ['', '0', '2.5'] }
  expect(costsFormSchema.parse(form)).toEqual({
    offerId: 'ofr_1',
    currency: 'USD',
    costs: [
      { days: 30, costMicros: 0n },
      { days: 90, costMicros: 2_500_000n },
    ],
  })
})
