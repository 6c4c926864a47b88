import { typedCodeSchema } from '@/lib/promotions/schemas'
import { z } from 'zod'

/** Micros as decimal text, as forms carry them. */
export const microsText = z
  .string()
  .regex(/^\d{1,18}$/)
  .transform((text) => BigInt(text))

/**
 * What a customer chooses, with the total they were shown. The total is not a price the browser sets: it is compared, and any other price is
 * asked about again instead of charged.
 */
export const placeOrderSchema = z.object({
  planId: z.string().max(60),
  countryCode: z.string().regex(/^[A-Z]{2}$/),
  periodDays: z.coerce.number().int().min(1).max(3660),
  quantity: z.coerce.number().int().min(1).max(10_000),
  totalMicros: microsText,
  requestKey: z.string().regex(/^[A-Za-z0-9_-]{8,80}$/),
  /** A code that lowers the price; the total is the one with it. */
  promotionCode: typedCodeSchema,
})
export type PlaceOrderInput = z.infer<typeof placeOrderSchema>

/** A person's decision about an order that may have been bought with money a bank took back. */
export const decideDisputedOrderSchema = z.object({
  disputeId: z.string().regex(/^dsp_[0-9a-f]{32}$/),
  orderId: z.string().regex(/^ord_[0-9a-f]{32}$/),
  decision: z.enum(['keep', 'withdraw']),
  reason: z.string().trim().min(3).max(500),
})
