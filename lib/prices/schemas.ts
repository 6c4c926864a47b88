import { MAX_AMOUNT_MICROS, MICROS_PER_UNIT, parseAmount } from '@/lib/kit/money'
import { savePlanSchema } from '@/lib/catalog/schemas'
import { z } from 'zod'

/** An amount as typed; with `least` 1n nothing is refused, too. */
const amount = (least: bigint, most: bigint = MAX_AMOUNT_MICROS) =>
  z.string().transform((text, context) => {
    const micros = parseAmount(text.trim() === '' && least === 0n ? '0' : text)
    if (micros === null || micros < least || micros > most) {
      context.addIssue({ code: 'custom', message: least > 0n ? 'amount_form' : 'amount_or_nothing' })
      return z.NEVER
    }
    return micros
  })

/** The prices of a plan as they are typed: the very lines of the plan's own form. */
export const pricesSchema = z
  .object({ periods: savePlanSchema.shape.periods, steps: savePlanSchema.shape.steps })
  .refine((prices) => new Set(prices.periods.map((each) => each.days)).size === prices.periods.length, {
    path: ['periods'],
    message: 'period_twice',
  })
  .refine((prices) => new Set(prices.steps.map((each) => each.fromQuantity)).size === prices.steps.length, {
    path: ['steps'],
    message: 'step_twice',
  })
export type Prices = z.infer<typeof pricesSchema>

/** A moment as a browser's own field writes it (2026-12-01T00:00), read as UTC; years of four digits only. */
export const momentSchema = z.string().transform((text, context) => {
  const moment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/.test(text) ? new Date(`${text}Z`) : new Date(Number.NaN)
  // A day that does not exist would roll over into the next month.
  if (Number.isNaN(moment.getTime()) || moment.toISOString().slice(0, 16) !== text.slice(0, 16)) {
    context.addIssue({ code: 'custom', message: 'moment_form' })
    return z.NEVER
  }
  return moment
})

export const planChangeSchema = pricesSchema.and(z.object({ planId: z.string().max(60), at: momentSchema }))
export type PlanChangeInput = z.infer<typeof planChangeSchema>

export const withdrawChangeSchema = z.object({ changeId: z.string().max(60) })

/** The form of a stored list of prices: amounts are text, because JSON knows no whole numbers of that size. */
export const storedPricesSchema = z.object({
  periods: z.array(z.object({ days: z.number().int(), unitPriceMicros: z.string().transform(BigInt) })),
  steps: z.array(z.object({ fromQuantity: z.number().int(), discountBasisPoints: z.number().int() })),
})

/** The shop's price step as typed; empty for none. A step above a hundred would make nonsense of most prices, and is a slip. */
export const roundingFormSchema = z.object({
  stepMicros: z.preprocess(
    (text) => (typeof text === 'string' && text.trim() === '' ? null : text),
    amount(1n, 100n * MICROS_PER_UNIT)
      .transform((micros) => micros.toString())
      .nullable(),
  ),
})

export { amount as amountSchema }
