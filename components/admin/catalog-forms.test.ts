import { expect, it } from 'vitest'
import { planFormSchema } from './catalog-forms'

const form = {
  planId: '',
  revision: '',
  productId: 'prd_1',
  slug: 'plan',
  nameEn: 'Plan',
  nameRu: 'Тариф',
  minQuantity: '1',
  maxQuantity: '10',
  isActive: 'on',
  periodDays: ['30', '', '7'],
  periodPrice: ['1.20', '', '0,4'],
  stepFrom: ['10', ''],
  stepPercent: ['7,5', ''],
}

it('reads the lines of a plan exactly and leaves empty ones out', () => {
  expect(planFormSchema.parse(form)).toMatchObject({
    planId: undefined,
    isActive: true,
    periods: [
      { days: 30, unitPriceMicros: 1_200_000n },
      { days: 7, unitPriceMicros: 400_000n },
    ],
    steps: [{ fromQuantity: 10, discountBasisPoints: 750 }],
  })
})

it.each([
  ['a price of nothing', { periodPrice: ['0', '', '1'] }, 'periods.0.unitPriceMicros'],
  ['a price without days', { periodDays: ['', '', '7'] }, 'periods.0.days'],
  ['a negative price', { periodPrice: ['-1', '', '1'] }, 'periods.0.unitPriceMicros'],
  ['no period at all', { periodDays: [], periodPrice: [] }, 'periods'],
  ['a period twice', { periodDays: ['7', '', '7'] }, 'periods'],
  ['a step without per cent', { stepPercent: ['', ''] }, 'steps.0.discountBasisPoints'],
  ['more than ninety per cent off', { stepPercent: ['91', ''] }, 'steps.0.discountBasisPoints'],
  ['the most below the least', { minQuantity: '20' }, 'maxQuantity'],
  ['an address with spaces', { slug: 'My plan' }, 'slug'],
])('refuses %s beside its field', (_, wrong, path) => {
  const parsed = planFormSchema.safeParse({ ...form, ...wrong })
  expect(parsed.success ? [] : parsed.error.issues.map((issue) => issue.path.join('.'))).toContain(path)
})
