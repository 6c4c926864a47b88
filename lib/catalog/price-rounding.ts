import { z } from 'zod'
import { MAX_AMOUNT_MICROS } from '@/lib/kit'
import { defineSettings } from '@/lib/settings'

/**
 * To what prices are rounded when staff save a plan or a rule computes one: up, to whole steps; null leaves them as they are. A plan keeps the step it was
 * saved under, so that changing it here changes no price by itself.
 */
export const priceRounding = defineSettings(
  'catalog.price_rounding',
  z.object({
    stepMicros: z
      .string()
      .regex(/^\d{1,16}$/)
      .transform(BigInt)
      .refine((micros) => micros > 0n && micros <= MAX_AMOUNT_MICROS)
      .nullable(),
  }),
  { stepMicros: null },
)
