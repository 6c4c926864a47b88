import { parseAmount } from '@/lib/kit'
import { z } from 'zod'

/** The channels a person may switch, in the order of the screen. */
export const NOTICE_CHANNELS = ['app', 'mail', 'telegram'] as const
export type NoticeChannel = (typeof NOTICE_CHANNELS)[number]

/** How many days before an automatic renewal somebody may be told of it; 0 is never. */
export const NEXT_CHARGE_DAYS = [0, 1, 2, 3, 5, 7, 14] as const

const switchSchema = z.string().regex(/^[a-z]{1,20}:(app|mail|telegram)$/)

/** The whole page of switches: `on` names every switch that is on, as `type:channel`; an unticked box sends nothing. */
export const saveNoticeSettingsSchema = z.object({
  on: z
    .union([switchSchema.transform((one) => [one]), z.array(switchSchema).max(100)])
    .default([])
    .transform((list) => new Set(list)),
  digestHour: z
    .string()
    .regex(/^(|\d|1\d|2[0-3])$/)
    .transform((text) => (text === '' ? null : Number(text))),
  lowBalanceMicros: z
    .string()
    .trim()
    .transform((text, context) => {
      if (text === '') return null
      const micros = parseAmount(text)
      if (micros !== null && micros > 0n) return micros
      context.addIssue({ code: 'custom', message: 'amount_not_a_number' })
      return z.NEVER
    }),
  nextChargeDays: z.coerce
    .number()
    .refine((days) => (NEXT_CHARGE_DAYS as readonly number[]).includes(days), 'value_invalid'),
  isNextChargeLoud: z
    .literal('on')
    .optional()
    .transform((value) => value === 'on'),
})

const noticeId = z.string().regex(/^ntc_[0-9a-f]{32}$/)

/** One notice by its id, or without one all that are unread. */
export const markReadSchema = z.object({ noticeId: noticeId.optional() })

export const saveTelegramSchema = z.object({
  isEnabled: z
    .literal('on')
    .optional()
    .transform((value) => value === 'on'),
  /** Empty keeps the one that is stored. */
  secretToken: z
    .string()
    .trim()
    .regex(/^(|\d{1,20}:[A-Za-z0-9_-]{20,100})$/, 'value_invalid'),
  apiUrl: z
    .url({ protocol: /^https?$/, error: 'value_invalid' })
    .max(200)
    .transform((text) => text.replace(/\/+$/, '')),
})
