import { isWholeCents, MICROS_PER_UNIT, parseAmount } from '@/lib/kit'
import { optionalCurrencySchema, optionalRateSchema, readAccountValues } from '@/lib/settings/schemas'
import { typedCodeSchema } from '@/lib/promotions/schemas'
import { z } from 'zod'

/** The least and the most one top-up may be, in micros of the shop's currency. A provider may narrow them. */
export const MIN_TOP_UP_MICROS = 1n * MICROS_PER_UNIT
export const MAX_TOP_UP_MICROS = 10_000n * MICROS_PER_UNIT

/** An amount as typed ("20", "12,50") into micros. Refuses anything but a plain amount in whole cents within the limits. */
export const topUpAmountSchema = z.string().transform((text, context) => {
  const micros = parseAmount(text)
  const code =
    micros === null
      ? 'amount_not_a_number'
      : !isWholeCents(micros)
        ? 'amount_not_whole_cents'
        : micros < MIN_TOP_UP_MICROS || micros > MAX_TOP_UP_MICROS
          ? 'amount_out_of_range'
          : null
  if (micros === null || code !== null) {
    context.addIssue({ code: 'custom', message: code ?? 'amount_not_a_number' })
    return z.NEVER
  }
  return micros
})

/** The top-up form at the border. `requestKey` is made once per form shown. */
export const startTopUpSchema = z.object({
  provider: z.string().regex(/^[a-z0-9_]{1,32}$/),
  amountMicros: topUpAmountSchema,
  requestKey: z.string().min(8).max(100),
  orderIntentId: z
    .string()
    .regex(/^int_[0-9a-f]{32}$/)
    .optional(),
  /** A code that adds a bonus. */
  promotionCode: typedCodeSchema,
})

/** Staff's wish to give a credited payment, or a part of it, back. */
export const refundPaymentSchema = z.object({
  paymentId: z.string().regex(/^pay_[0-9a-f]{32}$/),
  amountMicros: z.string().transform((text, context) => {
    const micros = parseAmount(text)
    if (micros !== null && micros > 0n) return micros
    context.addIssue({ code: 'custom', message: 'amount_not_a_number' })
    return z.NEVER
  }),
  reason: z.string().trim().min(3).max(500),
  requestKey: z.string().min(8).max(100),
})

/** What came of a refund that a person sent by hand. */
export const finishRefundSchema = z.object({
  refundId: z.string().regex(/^rfd_[0-9a-f]{32}$/),
  end: z.enum(['done', 'failed']),
  reason: z.string().trim().min(3).max(500),
})

/** A person's decision about a payment that waits for one. */
export const decideReviewSchema = z.object({
  paymentId: z.string().regex(/^pay_[0-9a-f]{32}$/),
  decision: z.enum(['credit_received', 'decline']),
  reason: z.string().trim().min(3).max(500),
})

/** What a person does about a difference to a provider's list. */
export const mendDifferenceSchema = z.object({
  differenceId: z.string().regex(/^dif_[0-9a-f]{32}$/),
  decision: z.enum(['ask_again', 'correct', 'dismiss']),
  reason: z.string().trim().min(3).max(500),
})

/** A provider's name as it stands in addresses. */
export const providerNameSchema = z.object({ provider: z.string().regex(/^[a-z0-9_]{1,32}$/) })

/** An amount of a limit as typed; empty is no limit. */
const limitSchema = z
  .string()
  .trim()
  .transform((text, context) => {
    if (text === '') return null
    const micros = parseAmount(text)
    if (micros !== null && micros > 0n && isWholeCents(micros)) return micros
    context.addIssue({ code: 'custom', message: 'amount_form' })
    return z.NEVER
  })

/** "0.5" per cent as 50 basis points; empty is none, ten per cent the most. */
const toleranceSchema = z
  .string()
  .trim()
  .transform((text, context) => {
    const match = /^(\d{1,2})(?:[.,](\d{1,2}))?$/.exec(text === '' ? '0' : text)
    const points = match ? Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0')) : null
    if (points !== null && points <= 1000) return points
    context.addIssue({ code: 'custom', message: 'percent_form' })
    return z.NEVER
  })

/** The form of one provider. */
export const saveProviderSchema = z
  .looseObject({
    provider: z.string().regex(/^[a-z0-9_]{1,32}$/),
    isEnabled: z.literal('on').optional(),
    minMicros: limitSchema,
    maxMicros: limitSchema,
    tolerance: toleranceSchema,
    chargeCurrency: optionalCurrencySchema,
    chargeRate: optionalRateSchema,
  })
  .transform(({ isEnabled, tolerance, ...typed }) => ({
    provider: typed.provider,
    isEnabled: isEnabled === 'on',
    minMicros: typed.minMicros,
    maxMicros: typed.maxMicros,
    toleranceBasisPoints: tolerance,
    chargeCurrency: typed.chargeCurrency,
    chargeRate: typed.chargeRate,
    values: readAccountValues(typed),
  }))

const creditOrWait = z.enum(['credit', 'wait'])

/** The form of the rules, in the form in which `paymentRules` keeps them. */
export const paymentRulesSchema = z.object({
  underpaid: creditOrWait,
  late: creditOrWait,
  redeposit: creditOrWait,
  firstTopUpMaxMicros: limitSchema.transform((micros) => micros?.toString() ?? null),
  dailyMaxMicros: limitSchema.transform((micros) => micros?.toString() ?? null),
  maxOpenPayments: z.coerce.number().int().min(1).max(100),
})
