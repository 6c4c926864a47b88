import { expect, it } from 'vitest'
import { readScenario, scenarioQuery } from './scenario-query'

it('asks nothing while nothing was chosen', () => {
  expect(readScenario({ plan: 'pln_1' })).toBeNull()
})

it('reads each kind of question', () => {
  expect(readScenario({ by: 'percent', plan: '', percent: '-7,5' })).toEqual({
    scenario: { by: 'percent', planId: null, basisPoints: -750 },
  })
  expect(readScenario({ by: 'margin', plan: 'pln_1', percent: '25' })).toEqual({
    scenario: { by: 'margin', planId: 'pln_1', basisPoints: 2500 },
  })
  expect(
    readScenario({
      by: 'typed',
      plan: 'pln_1',
      periodDays: ['30', ''],
      periodPrice: ['1.5', ''],
      stepFrom: '',
      stepPercent: '',
    }),
  ).toEqual({
    scenario: {
      by: 'typed',
      planId: 'pln_1',
      prices: { periods: [{ days: 30, unitPriceMicros: 1_500_000n }], steps: [] },
    },
  })
  expect(readScenario({ by: 'change', change: 'pch_1' })).toEqual({ scenario: { by: 'change', changeId: 'pch_1' } })
  expect(readScenario({ by: 'rule' })).toEqual({ scenario: { by: 'rule', planId: null } })
})

it.each([
  ['a kind that is not there', { by: 'magic' }],
  ['a fall below a tenth', { by: 'percent', percent: '-90.01' }],
  ['no number', { by: 'percent', percent: 'much' }],
  ['a negative margin', { by: 'margin', percent: '-1' }],
  ['typed prices of no plan', { by: 'typed', periodDays: '30', periodPrice: '1' }],
  ['a price of nothing', { by: 'typed', plan: 'pln_1', periodDays: '30', periodPrice: '0' }],
])('says what is wrong with %s', (_, query) => {
  expect(readScenario(query)).toHaveProperty('problems')
})

it('keeps a question whole in the address of the file', () => {
  expect(scenarioQuery({ by: 'typed', periodDays: ['7', '30'], plan: undefined })).toBe(
    'by=typed&periodDays=7&periodDays=30',
  )
})
