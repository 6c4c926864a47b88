import { z } from 'zod'
import { readCountryCodes } from '@/lib/kit/country-codes'
import { MICROS_PER_UNIT, parseAmount } from '@/lib/kit/money'

/** What a code does. `top_up_bonus` adds to a top-up; the others lower the price of an order. */
export const PROMOTION_KINDS = ['percent', 'amount', 'gigabytes', 'top_up_bonus'] as const
export type PromotionKind = (typeof PROMOTION_KINDS)[number]

/** The most that one code may take off or add, and that one voucher may be worth: above it, it is a typing mistake. */
export const GIFT_MAX_MICROS = 10_000n * MICROS_PER_UNIT
const MINIMUM_MAX_MICROS = 100_000n * MICROS_PER_UNIT
export const VOUCHERS_MAX = 10_000

/** As people type codes: spaces around and small letters do not count. */
export function normalizeCode(text: string): string {
  return text.trim().toUpperCase()
}

/** A code as somebody types it to use it: anything short; what no code looks like is simply not one. Empty is none. */
export const typedCodeSchema = z
  .string()
  .max(200)
  .transform((text) => normalizeCode(text) || undefined)
  .optional()

const CODE = /^[A-Z0-9][A-Z0-9_-]{2,31}$/
const absent = (value: unknown) => (typeof value === 'string' && value.trim() === '' ? undefined : value)
const text = (max: number) =>
  z
    .string()
    .trim()
    .min(1, 'required')
    .max(max, 'text_too_long')
    .regex(/^[^\p{Cc}]*$/u, 'value_invalid')

/** An amount as typed, in micros; nothing when left empty. */
const amount = (maxMicros: bigint) =>
  z.preprocess(
    absent,
    z
      .string()
      .transform((typed, context) => {
        const micros = parseAmount(typed)
        if (micros !== null && micros > 0n && micros <= maxMicros) return micros
        context.addIssue({ code: 'custom', message: micros === null ? 'amount_not_a_number' : 'gift_out_of_range' })
        return z.NEVER
      })
      .optional(),
  )
const whole = (max: number) => z.preprocess(absent, z.coerce.number().int().min(1).max(max).optional())

/** A moment as `datetime-local` fields send it, in UTC. */
const moment = z.preprocess(
  absent,
  z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$/, 'value_invalid')
    .transform((typed, context) => {
      const date = new Date(`${typed}Z`)
      const year = date.getUTCFullYear()
      if (year >= 2020 && year <= 2100) return date
      context.addIssue({ code: 'custom', message: 'value_invalid' })
      return z.NEVER
    })
    .optional(),
)

const isTicked = z.preprocess((value) => value === 'on' || value === true || value === 'true', z.boolean())
const list = (value: unknown) => (value === undefined || value === '' ? [] : Array.isArray(value) ? value : [value])

/** A code as staff make it. Which of the terms belong together is said by its kind; a term that does not belong to it is not read. */
export const savePromotionSchema = z
  .object({
    promotionId: z.preprocess(absent, z.string().max(60).optional()),
    revision: z.preprocess(absent, z.coerce.number().int().min(1).optional()),
    code: z.string().transform(normalizeCode).pipe(z.string().regex(CODE, 'code_form')),
    label: text(120),
    kind: z.enum(PROMOTION_KINDS),
    percent: whole(100),
    amountMicros: amount(GIFT_MAX_MICROS),
    gigabytes: whole(10_000),
    minimumMicros: amount(MINIMUM_MAX_MICROS),
    capMicros: amount(GIFT_MAX_MICROS),
    firstOnly: isTicked,
    productIds: z.preprocess(list, z.array(z.string().max(60)).max(200)),
    countries: z
      .string()
      .max(2000, 'text_too_long')
      .default('')
      .transform((typed, context) => {
        const codes = readCountryCodes(typed)
        if (codes) return codes
        context.addIssue({ code: 'custom', message: 'country_form' })
        return z.NEVER
      }),
    startsAt: moment,
    endsAt: moment,
    perPerson: whole(1000),
    maxUses: whole(1_000_000),
  })
  .superRefine((input, context) => {
    const needs = (field: 'percent' | 'amountMicros' | 'gigabytes') => {
      if (input[field] === undefined) context.addIssue({ code: 'custom', path: [field], message: 'required' })
    }
    if (input.kind === 'percent') needs('percent')
    if (input.kind === 'amount') needs('amountMicros')
    if (input.kind === 'gigabytes') needs('gigabytes')
    if (input.kind === 'top_up_bonus' && (input.percent === undefined) === (input.amountMicros === undefined))
      context.addIssue({ code: 'custom', path: ['percent'], message: 'percent_or_amount' })
    if (input.startsAt && input.endsAt && input.endsAt <= input.startsAt)
      context.addIssue({ code: 'custom', path: ['endsAt'], message: 'ends_before_start' })
  })
  .transform(({ percent, amountMicros, gigabytes, ...input }) => {
    const { kind } = input
    const isBonus = kind === 'top_up_bonus'
    return {
      ...input,
      percent: kind === 'percent' || isBonus ? (percent ?? null) : null,
      amountMicros: kind === 'amount' || isBonus ? (amountMicros ?? null) : null,
      gigabytes: kind === 'gigabytes' ? (gigabytes ?? null) : null,
      minimumMicros: input.minimumMicros ?? null,
      capMicros: input.capMicros ?? null,
      // A top-up has no product and no country.
      productIds: isBonus ? [] : input.productIds,
      countries: isBonus ? [] : input.countries,
      startsAt: input.startsAt ?? null,
      endsAt: input.endsAt ?? null,
      perPerson: input.perPerson ?? null,
      maxUses: input.maxUses ?? null,
    }
  })
export type SavePromotionInput = z.output<typeof savePromotionSchema>

export const makeBatchSchema = z.object({
  label: text(120),
  amountMicros: amount(GIFT_MAX_MICROS).pipe(z.bigint('required')),
  count: z.coerce.number().int().min(1).max(VOUCHERS_MAX),
  endsAt: moment,
})
export type MakeBatchInput = z.output<typeof makeBatchSchema>

export const redeemVoucherSchema = z.object({ voucherCode: z.string().trim().min(1, 'required').max(200) })
