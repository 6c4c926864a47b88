import { z } from 'zod'

const optionalForm = (form: RegExp, message: string, normal: (text: string) => string) =>
  z
    .string()
    .trim()
    .transform((text, context) => {
      if (text === '') return null
      const value = normal(text)
      if (form.test(value)) return value
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    })

/** Three letters as typed; empty is none. */
export const optionalCurrencySchema = optionalForm(/^[A-Z]{3}$/, 'currency_form', (text) => text.toUpperCase())

/** A rate as decimal text; empty is none, and nothing but zeros is no rate. */
export const optionalRateSchema = optionalForm(/^(?=.*[1-9])\d{1,9}(\.\d{1,9})?$/, 'rate_form', (text) =>
  text.replace(',', '.'),
)

/** What a form says of an account's own fields, by field name: they are named `setting.…` and `secret.…` there. Which there may be, and their forms, the command knows. */
export function readAccountValues(typed: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(typed).flatMap(([name, value]) => {
      const field = /^(?:setting|secret)\.(\w{1,40})$/.exec(name)?.[1]
      // A ticked box comes after the "no" that stands for an unticked one: the last word holds.
      const last: unknown = Array.isArray(value) ? value.at(-1) : value
      return field && typeof last === 'string' ? [[field, last.trim()]] : []
    }),
  )
}
