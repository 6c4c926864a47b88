import { z } from 'zod'

/** What a form asks to be checked: one proxy of an order, or, with nothing chosen, all of them. */
export const requestCheckSchema = z.object({
  orderId: z.string().max(60),
  allocationId: z
    .string()
    .max(60)
    .optional()
    .transform((id) => id || undefined),
})
