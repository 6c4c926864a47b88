import { z } from 'zod'
import { COUNTRY_CODES } from './countries'

/** Control characters have no place on paper; a line break has, in an address. */
const line = (max: number) =>
  z
    .string()
    .trim()
    .max(max, 'text_too_long')
    .regex(/^[^\p{Cc}]*$/u, 'value_invalid')
const lines = (max: number) =>
  z
    .string()
    .trim()
    .max(max, 'text_too_long')
    .transform((text) => text.replace(/\r\n?/g, '\n').replace(/\n{2,}/g, '\n'))
    .pipe(z.string().regex(/^(?:[^\p{Cc}]|\n)*$/u, 'value_invalid'))

/** ISO 3166-1 alpha-2 in capitals, or nothing. */
const countrySchema = z
  .string()
  .trim()
  .toUpperCase()
  .refine((code) => code === '' || COUNTRY_CODES.includes(code), 'country_form')

/** What a customer wants printed on papers; every field may stay empty. */
export const billingProfileSchema = z.object({
  name: line(120).default(''),
  company: line(160).default(''),
  address: lines(400).default(''),
  countryCode: countrySchema.default(''),
  taxId: line(40).default(''),
})

const prefix = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z0-9]{1,8}$/, 'prefix_form')

/** Who issues papers. An empty name stands for the shop's own. */
export const sellerSchema = z.object({
  name: line(160),
  address: lines(400),
  taxId: line(40),
  email: line(254),
  /** A line of small print at the foot of every paper. */
  note: line(300),
  receiptPrefix: prefix,
  invoicePrefix: prefix,
})

/** The most that a tax may be: no country's comes near it. */
const RATE_BASIS_POINTS_MAX = 5_000

export const taxSchema = z.object({
  rates: z
    .array(
      z.object({
        country: z.string().refine((code) => COUNTRY_CODES.includes(code)),
        label: line(40).min(1),
        rateBasisPoints: z.number().int().min(1).max(RATE_BASIS_POINTS_MAX),
      }),
    )
    .max(250)
    .refine((rates) => new Set(rates.map(({ country }) => country)).size === rates.length),
})

/** The table of taxes as staff type it, a line for each country: "DE 19 VAT". Says `tax_line` for a line it cannot read, `country_twice` for a second one. */
export const taxTextSchema = z.object({
  rates: z
    .string()
    .max(20_000, 'text_too_long')
    .transform((text, context) => {
      const rates: z.output<typeof taxSchema>['rates'] = []
      for (const each of text.split('\n').map((row) => row.trim())) {
        if (each === '') continue
        const match = /^([A-Za-z]{2})\s+(\d{1,2})(?:[.,](\d{1,2}))?\s*%?\s+(\S.*)$/.exec(each)
        const rateBasisPoints = match ? Number(match[2]) * 100 + Number((match[3] ?? '').padEnd(2, '0')) : 0
        const rate = { country: match?.[1]?.toUpperCase() ?? '', label: match?.[4] ?? '', rateBasisPoints }
        const isTwice = rates.some(({ country }) => country === rate.country)
        if (!match || isTwice || !taxSchema.safeParse({ rates: [rate] }).success || rates.length >= 250) {
          context.addIssue({ code: 'custom', message: match && isTwice ? 'country_twice' : 'tax_line' })
          return z.NEVER
        }
        rates.push(rate)
      }
      return rates
    }),
})

export type TaxRate = z.output<typeof taxSchema>['rates'][number]
export type BillingProfileFields = z.output<typeof billingProfileSchema>

/** The table as `taxTextSchema` reads it. */
export function taxText(rates: readonly TaxRate[]): string {
  return rates.map(({ country, label, rateBasisPoints }) => `${country} ${rateBasisPoints / 100} ${label}`).join('\n')
}
