import { z } from 'zod'
import { MAX_AMOUNT_MICROS } from '@/lib/kit'
import { defineSettings } from '@/lib/settings'

const microsSetting = z
  .string()
  .regex(/^\d{1,16}$/)
  .transform(BigInt)
  .refine((amount) => amount <= MAX_AMOUNT_MICROS)

/** A way in which rewards leave the shop. What its destination must look like follows from its kind. */
export const payoutMethodSchema = z.object({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,30}$/),
  label: z.string().trim().min(1).max(60),
  kind: z.enum(['crypto', 'other']),
  minimumMicros: microsSetting,
})
export type PayoutMethod = z.infer<typeof payoutMethodSchema>

/** How the referral programme works. How much is earned is a table of its own (`referral_rules`), because rewards name its rows. */
export const referralProgramme = defineSettings(
  'referrals.programme',
  z.object({
    isOn: z.boolean(),
    /** For how long a visit through a link is remembered in a cookie; 0: only the address carries the code. */
    cookieDays: z.number().int().min(0).max(365),
    /** How long a reward waits before it can be used: longer than refunds and disputes take. */
    holdDays: z.number().int().min(0).max(180),
    payoutMethods: z.array(payoutMethodSchema).max(10),
  }),
  { isOn: true, cookieDays: 30, holdDays: 14, payoutMethods: [] },
)
