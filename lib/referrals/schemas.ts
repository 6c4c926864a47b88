import { z } from 'zod'
import { parseAmount } from '@/lib/kit'

const requestKey = z.string().regex(/^[A-Za-z0-9_-]{8,80}$/)

/** How codes are written: letters, digits and dashes, in any case. */
export const referralCode = z
  .string()
  .trim()
  .transform((text) => text.toUpperCase())
  .pipe(z.string().regex(/^[A-Z0-9][A-Z0-9-]{2,30}[A-Z0-9]$/, 'referral_code_shape'))

export const makeLinkSchema = z.object({
  label: z.string().trim().min(1).max(60),
  /** Empty: the shop draws one. */
  code: z.union([z.literal('').transform(() => null), referralCode]).default(null),
})
export const changeLinkSchema = z.object({
  linkId: z.string().regex(/^rfl_[0-9a-f]{32}$/),
  label: z.string().trim().min(1).max(60),
  isActive: z.stringbool().default(false),
})
export const moveRewardsSchema = z.object({ requestKey })
export const requestPayoutSchema = z.object({
  requestKey,
  method: z.string().max(32),
  destination: z.string().trim().min(1).max(200),
})
export const withdrawPayoutSchema = z.object({ settlementId: z.string().regex(/^rst_[0-9a-f]{32}$/) })

/** Per cent with up to two digits after the point, as hundredths of a percent; at most half of what is paid. */
const basisPoints = z
  .string()
  .trim()
  .regex(/^\d{1,2}(?:[.,]\d{1,2})?$/, 'commission_form')
  .transform((text) => Math.round(Number(text.replace(',', '.')) * 100))
  .pipe(z.number().min(0, 'commission_form').max(5000, 'commission_form'))
const daysOrNothing = z
  .string()
  .trim()
  .regex(/^\d{0,4}$/, 'whole_number')
  .transform((text) => (text === '' ? null : Number(text)))
  .pipe(z.number().int().min(1, 'days_form').max(3650, 'days_form').nullable())
const amountOrNothing = z
  .string()
  .trim()
  .transform((text) => (text === '' ? null : (parseAmount(text) ?? 0n)))
  .pipe(z.bigint().min(1n, 'amount_or_nothing').nullable())

export const commissionRuleSchema = z
  .object({
    basis: z.enum(['orders', 'first_top_up'], 'choice_invalid'),
    productId: z
      .string()
      .max(60)
      .transform((text) => (text === '' ? null : text)),
    basisPoints,
    forDays: daysOrNothing,
    personCapMicros: amountOrNothing,
    monthCapMicros: amountOrNothing,
  })
  .refine((rule) => rule.basis === 'orders' || rule.productId === null, {
    path: ['productId'],
    message: 'product_only_orders',
  })
export const endCommissionRuleSchema = z.object({
  basis: z.enum(['orders', 'first_top_up']),
  productId: z
    .string()
    .max(60)
    .transform((text) => (text === '' ? null : text)),
})

const METHOD_LINE = /^([a-z0-9][a-z0-9-]{0,30})\s*\|\s*([^|]{1,60}?)\s*\|\s*(crypto|other)\s*\|\s*([\d.,]{1,19})$/
const wholeUpTo = (most: number) =>
  z
    .string()
    .trim()
    .regex(/^\d{1,3}$/, 'whole_number')
    .transform(Number)
    .pipe(z.number().max(most, 'too_big'))

/** How the programme works; ways to pay out one a line: `name | what people read | crypto or other | least amount`. */
export const programmeSchema = z.object({
  isOn: z.stringbool().default(false),
  cookieDays: wholeUpTo(365),
  holdDays: wholeUpTo(180),
  payoutMethods: z
    .string()
    .max(2000)
    .transform((text, context) => {
      const methods = text
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean)
        .map((line) => {
          const [, id, label, kind, least] = METHOD_LINE.exec(line) ?? []
          const minimum = least === undefined ? null : parseAmount(least)
          return minimum === null
            ? null
            : { id: id!, label: label!, kind: kind as 'crypto' | 'other', minimumMicros: minimum.toString() }
        })
      const good = methods.filter((method) => method !== null)
      const isTwice = new Set(good.map(({ id }) => id)).size < good.length
      if (good.length === methods.length && !isTwice && good.length <= 10) return good
      context.addIssue({ code: 'custom', message: 'method_line' })
      return z.NEVER
    }),
})

const reason = z.string().trim().max(500).default('')
export const decidePayoutSchema = z.object({
  settlementId: z.string().regex(/^rst_[0-9a-f]{32}$/),
  amountMicros: z
    .string()
    .regex(/^\d{1,18}$/)
    .transform(BigInt),
  end: z.enum(['paid', 'declined']),
  reference: z.string().trim().max(300).default(''),
  reason,
})
export const reviewReferralSchema = z.object({
  userId: z.string().regex(/^usr_[0-9a-f]{32}$/),
  decision: z.enum(['approved', 'rejected']),
  reason,
})
