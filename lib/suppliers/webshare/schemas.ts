import { z } from 'zod'
import { microsSchema } from '../amounts'

/** What an offer of this supplier may say: which plan of the account its proxies are from. Left out: the account's first one. */
export const webshareParamsSchema = z.object({ planId: z.number().int().positive().optional() })

const proxySchema = z.object({
  /** A text, like "d-10513". */
  id: z.string().min(1),
  username: z.string().min(1),
  password: z.string().min(1),
  /** Null for a residential plan. */
  proxy_address: z.string().min(1).nullable(),
  port: z.number().int().min(1).max(65_535),
  valid: z.boolean(),
  country_code: z.string().regex(/^[A-Z]{2}$/),
})
export type WebshareProxy = z.infer<typeof proxySchema>

export const proxyPageSchema = z.object({
  count: z.number().int().nonnegative(),
  next: z.string().nullable(),
  results: z.array(proxySchema),
})

export const replacementSchema = z.object({
  id: z.number().int(),
  dry_run: z.boolean(),
  state: z.enum(['validating', 'validated', 'processing', 'completed', 'failed']),
  error: z.string().nullish(),
  error_code: z.string().nullish(),
})
export type WebshareReplacement = z.infer<typeof replacementSchema>

export const subscriptionSchema = z.object({ free_credits: microsSchema })
