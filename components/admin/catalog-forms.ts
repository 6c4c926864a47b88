import { policySchema } from '@/lib/catalog/policy'
import { savePlanSchema, saveOfferSchema, saveProductSchema } from '@/lib/catalog/schemas'
import { z } from 'zod'

/** A tick box is sent as "on" or not at all. */
const isTicked = (value: unknown) => value === 'on' || value === true
const asList = (value: unknown): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value.map(String) : [String(value)]
const orAbsent = (value: unknown) => (value === '' ? undefined : value)

/** "5" or "7,5" per cent in basis points; null for anything else. */
function basisPoints(text: string): number | null {
  const match = /^(\d{1,2})(?:[.,](\d{1,2}))?$/.exec(text.trim())
  return match ? Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0')) : null
}

type Form = Record<string, unknown>

export const productFormSchema = z.preprocess((form) => {
  const { productId, isActive, ...rest } = form as Form
  return { ...rest, productId: orAbsent(productId), isActive: isTicked(isActive) }
}, saveProductSchema)

/**
 * The plan's form: its lines come as parallel lists (days and price, pieces and per cent). Empty lines are left out; a line that is half filled
 * keeps its place, so that it is refused instead of vanishing.
 */
export const planFormSchema = z.preprocess((form) => {
  const { planId, revision, isActive, periodDays, periodPrice, stepFrom, stepPercent, ...rest } = form as Form
  const prices = asList(periodPrice)
  const percents = asList(stepPercent)
  return {
    ...rest,
    planId: orAbsent(planId),
    revision: orAbsent(revision),
    isActive: isTicked(isActive),
    periods: asList(periodDays)
      .map((days, index) => ({ days, unitPriceMicros: prices[index] ?? '' }))
      .filter((line) => line.days.trim() !== '' || line.unitPriceMicros.trim() !== ''),
    steps: asList(stepFrom)
      .map((fromQuantity, index) => ({ fromQuantity, percent: percents[index] ?? '' }))
      .filter((line) => line.fromQuantity.trim() !== '' || line.percent.trim() !== '')
      .map(({ fromQuantity, percent }) => ({ fromQuantity, discountBasisPoints: basisPoints(percent) })),
  }
}, savePlanSchema)

export const offerFormSchema = z.preprocess((form) => {
  const { offerId, isActive, px6Version, ...rest } = form as Form
  return { ...rest, offerId: orAbsent(offerId), px6Version: orAbsent(px6Version), isActive: isTicked(isActive) }
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
