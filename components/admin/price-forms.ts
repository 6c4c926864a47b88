import { planChangeSchema, priceRuleSchema, saveCostsSchema } from '@/lib/prices/schemas'
import { z } from 'zod'
import { asList, basisPoints, readPriceLines } from './price-lines'

type Form = Record<string, unknown>

/** The form of a planned change: its moment and the lines of its prices. */
export const planChangeFormSchema = z.preprocess((form) => {
  const { planId, at } = form as Form
  return { planId, at, ...readPriceLines(form as Form) }
}, planChangeSchema)

/** Per cent as basis points; empty is nothing, anything else that is no per cent is refused by its line. */
const percentOrZero = (text: unknown) =>
  text === undefined || String(text).trim() === '' ? 0 : (basisPoints(String(text)) ?? Number.NaN)

/**
 * The form of a price rule: a line for each period the plan sells. A line with neither per cent nor a fixed part nor a minimum is no line: that period keeps
 * its price.
 */
export const priceRuleFormSchema = z.preprocess((form) => {
  const { lineDays, linePercent, lineFixed, lineMinimum, thresholdBasisPoints, isLossAllowed, ...rest } = form as Form
  const [percents, fixed, minimums] = [asList(linePercent), asList(lineFixed), asList(lineMinimum)]
  return {
    ...rest,
    periods: asList(lineDays)
      .map((days, index) => ({
        days,
        percent: percents[index] ?? '',
        fixedMicros: fixed[index] ?? '',
        minimumMicros: minimums[index] ?? '',
      }))
      .filter((line) => `${line.percent}${line.fixedMicros}${line.minimumMicros}`.trim() !== '')
      .map(({ percent, ...line }) => ({ ...line, marginBasisPoints: percentOrZero(percent) })),
    thresholdBasisPoints: percentOrZero(thresholdBasisPoints),
    isLossAllowed: isLossAllowed === 'on',
  }
}, priceRuleSchema)

/** The form of an offer's costs: a line for each period; an empty one has no typed cost. */
export const costsFormSchema = z.preprocess((form) => {
  const { offerId, currency, costDays, cost } = form as Form
  const costs = asList(cost)
  return {
    offerId,
    currency,
    costs: asList(costDays)
      .map((days, index) => ({ days, costMicros: costs[index] ?? '' }))
      .filter((line) => line.costMicros.trim() !== ''),
  }
}, saveCostsSchema)
