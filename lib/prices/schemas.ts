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

/** A margin above this is a slip of the keyboard: ten times the cost on top. */
const MARGIN_MOST = 100_000

const currencySchema = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z]{3}$/, 'currency_form')
const rateSchema = z
  .string()
  .trim()
  .transform((text) => text.replace(',', '.'))
  .refine((text) => /^\d{1,9}(\.\d{1,9})?$/.test(text) && /[1-9]/.test(text), { message: 'rate_form' })

/** A rule as it is typed: per cent already in basis points, amounts as text. */
export const priceRuleSchema = z
  .object({
    planId: z.string().max(60),
    /** The version the form was filled from; 0 for the first. */
    version: z.coerce.number().int().min(0),
    periods: z
      .array(
        z.object({
          days: z.coerce.number().int().min(1).max(3660),
          marginBasisPoints: z.number({ message: 'margin_form' }).int().min(0).max(MARGIN_MOST, 'margin_form'),
          fixedMicros: amount(0n),
          minimumMicros: amount(0n),
        }),
      )
      .min(1, 'rule_empty')
      .max(12)
      .refine((lines) => new Set(lines.map((each) => each.days)).size === lines.length, { message: 'period_twice' }),
    stepMicros: z.preprocess(
      (text) => (typeof text === 'string' && text.trim() === '' ? null : text),
      amount(1n, 100n * MICROS_PER_UNIT).nullable(),
    ),
    belowMicros: amount(0n),
    /** Prices that move by no more than this stay as they are. */
    thresholdBasisPoints: z.number({ message: 'threshold_form' }).int().min(0).max(5000, 'threshold_form'),
    isLossAllowed: z.boolean(),
    costCurrency: z.preprocess((text) => (text === '' ? null : text), currencySchema.nullable()),
    costRate: z.preprocess((text) => (text === '' ? null : text), rateSchema.nullable()),
  })
  .refine((rule) => rule.belowMicros === 0n || (rule.stepMicros !== null && rule.belowMicros < rule.stepMicros), {
    path: ['belowMicros'],
    message: 'below_step',
  })
  .refine((rule) => (rule.costCurrency === null) === (rule.costRate === null), {
    path: ['costRate'],
    message: 'rate_incomplete',
  })
export type PriceRuleInput = z.infer<typeof priceRuleSchema>
export type PriceRuleTerms = Omit<PriceRuleInput, 'planId' | 'version'>

const micros = z.string().transform(BigInt)
/** The form in which a rule is kept. */
export const storedRuleSchema = z.object({
  periods: z.array(
    z.object({
      days: z.number().int(),
      marginBasisPoints: z.number().int(),
      fixedMicros: micros,
      minimumMicros: micros,
    }),
  ),
  stepMicros: micros.nullable(),
  belowMicros: micros,
  thresholdBasisPoints: z.number().int(),
  isLossAllowed: z.boolean(),
  costCurrency: z.string().nullable(),
  costRate: z.string().nullable(),
})

export const switchRuleSchema = z.object({
  planId: z.string().max(60),
  version: z.coerce.number().int().min(1),
  isActive: z.enum(['on', 'off']).transform((text) => text === 'on'),
})

export const planIdSchema = z.object({ planId: z.string().max(60) })

/** What pieces of an offer cost, as staff typed it: all periods at once; a period left empty has no typed cost. */
export const saveCostsSchema = z.object({
  offerId: z.string().max(60),
  currency: currencySchema,
  costs: z
    .array(z.object({ days: z.coerce.number().int().min(1).max(3660), costMicros: amount(0n) }))
    .max(12)
    .refine((costs) => new Set(costs.map((each) => each.days)).size === costs.length, { message: 'period_twice' }),
})
export type SaveCostsInput = z.infer<typeof saveCostsSchema>

const planOrAll = z.preprocess(
  (text) => (text === undefined || text === '' ? null : text),
  z.string().max(60).nullable(),
)

/** Under which other prices last month is looked at; a `planId` of null is every plan. */
export const scenarioSchema = z.discriminatedUnion('by', [
  z.object({ by: z.literal('typed'), planId: z.string().max(60), prices: pricesSchema }),
  /** All prices by so much more, or less. */
  z.object({
    by: z.literal('percent'),
    planId: planOrAll,
    basisPoints: z.number({ message: 'move_form' }).int().min(-9_000, 'move_form').max(100_000, 'move_form'),
  }),
  /** So much on top of the known costs. */
  z.object({
    by: z.literal('margin'),
    planId: planOrAll,
    basisPoints: z.number({ message: 'margin_form' }).int().min(0).max(MARGIN_MOST, 'margin_form'),
  }),
  z.object({ by: z.literal('change'), changeId: z.string().min(1, 'choice_invalid').max(60) }),
  z.object({ by: z.literal('rule'), planId: planOrAll }),
])
export type Scenario = z.infer<typeof scenarioSchema>
