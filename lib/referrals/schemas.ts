import { z } from 'zod'

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
