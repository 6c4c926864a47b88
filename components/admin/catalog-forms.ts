import { policySchema } from '@/lib/catalog/policy'
import { savePlanSchema, saveOfferSchema, saveProductSchema } from '@/lib/catalog/schemas'
import { z } from 'zod'
import { readPriceLines } from './price-lines'

/** A tick box is sent as "on" or not at all. */
const isTicked = (value: unknown) => value === 'on' || value === true
const orAbsent = (value: unknown) => (value === '' ? undefined : value)

type Form = Record<string, unknown>

export const productFormSchema = z.preprocess((form) => {
  const { productId, isActive, ...rest } = form as Form
  return { ...rest, productId: orAbsent(productId), isActive: isTicked(isActive) }
}, saveProductSchema)

/** The plan's form, with the lines of its prices. */
export const planFormSchema = z.preprocess((form) => {
  const { planId, revision, isActive, periodDays: _days, periodPrice: _price, ...rest } = form as Form
  return {
    ...rest,
    planId: orAbsent(planId),
    revision: orAbsent(revision),
    isActive: isTicked(isActive),
    ...readPriceLines(form as Form),
  }
}, savePlanSchema)

/** The offer's form asks for the params of every supplier, named `param.<supplier>.<name>`; those of the chosen one are read. */
export const offerFormSchema = z.preprocess((form) => {
  const { offerId, isActive, ...rest } = form as Form
  const prefix = `param.${String(rest.supplier)}.`
  const params = Object.fromEntries(
    Object.entries(rest).flatMap(([name, value]) =>
      name.startsWith(prefix) ? [[name.slice(prefix.length), String(value)]] : [],
    ),
  )
  return {
    ...rest,
    offerId: orAbsent(offerId),
    isActive: isTicked(isActive),
    ...(Object.keys(params).length > 0 && { params }),
  }
}, saveOfferSchema)

const wholeOrNull = (value: unknown) => {
  const text = typeof value === 'string' ? value.trim() : ''
  return text === '' ? null : /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
}

/** The policy's form: fields `rows.<n>.<field>`; a row without a "when" is no row, the others move up. */
export const policyFormSchema = z.preprocess(
  (form) => {
    const fields = form as Form
    const rows = Array.from({ length: 10 }, (_, index) => (name: string) => fields[`rows.${index}.${name}`])
      .filter((field) => typeof field('when') === 'string' && field('when') !== '')
      .map((field) => ({
        when: field('when'),
        withinHours: wholeOrNull(field('withinHours')),
        maxTrafficPercent: wholeOrNull(field('maxTrafficPercent')),
        remedy: field('remedy'),
        refundPercent: wholeOrNull(field('refundPercent')) ?? 0,
        of: field('of'),
      }))
    return {
      productId: fields.productId,
      version: fields.version,
      rows,
      replacementsPerProxy: wholeOrNull(fields.replacementsPerProxy) ?? 0,
      downtimeHours: wholeOrNull(fields.downtimeHours),
    }
  },
  policySchema.extend({ productId: z.string().max(60), version: z.coerce.number().int().min(0).max(1_000_000) }),
)
