import { expect, test } from 'vitest'
import { billingProfileSchema, taxText, taxTextSchema } from './schemas'

const say = (text: string) => {
  const parsed = taxTextSchema.safeParse({ rates: text })
  return parsed.success ? parsed.data.rates : parsed.error.issues[0]!.message
}

test('taxes are typed a line for each country, and shown as they are typed', () => {
  const rates = [
    { country: 'DE', label: 'VAT', rateBasisPoints: 1900 },
    { country: 'RU', label: 'НДС с аванса', rateBasisPoints: 1850 },
  ]
  expect(say('de 19% VAT\r\n\n  RU 18,5 НДС с аванса ')).toEqual(rates)
  expect(say(taxText(rates))).toEqual(rates)
  expect(say('')).toEqual([])
})

test('a line that cannot be read, a country twice, a rate beyond sense are refused', () => {
  for (const text of [
    'DE',
    'DE 19',
    'Germany 19 VAT',
    'DE -5 VAT',
    'DE 0 VAT',
    'DE 51 VAT',
    'DE 19.123 VAT',
    'XX 19 VAT',
  ])
    expect(say(text), text).toBe('tax_line')
  expect(say('DE 19 VAT\nDE 7 VAT')).toBe('country_twice')
})

test('billing details are texts as typed: lines in an address only, no control characters, a country that is one', () => {
  expect(billingProfileSchema.parse({ name: ' Анна ', address: 'A 1\r\n\r\nB' })).toEqual({
    name: 'Анна',
    company: '',
    address: 'A 1\nB',
    countryCode: '',
    taxId: '',
  })
  expect(billingProfileSchema.safeParse({ name: 'a\nb' }).success).toBe(false)
  expect(billingProfileSchema.safeParse({ company: 'a\u0007' }).success).toBe(false)
  expect(billingProfileSchema.safeParse({ countryCode: 'XX' }).success).toBe(false)
  expect(billingProfileSchema.safeParse({ address: 'a'.repeat(401) }).success).toBe(false)
})
