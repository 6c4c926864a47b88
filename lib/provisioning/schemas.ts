import { optionalCurrencySchema, optionalRateSchema, readAccountValues } from '@/lib/settings/schemas'
import { z } from 'zod'

/** A supplier's name as it stands in addresses. */
export const supplierNameSchema = z.object({ supplier: z.string().regex(/^[a-z0-9-]{1,32}$/) })

/** The form of one supplier. */
export const saveSupplierSchema = z
  .looseObject({
    supplier: z.string().regex(/^[a-z0-9-]{1,32}$/),
    isEnabled: z.literal('on').optional(),
    costCurrency: optionalCurrencySchema,
    costRate: optionalRateSchema,
  })
  .transform(({ isEnabled, supplier, costCurrency, costRate, ...typed }) => ({
    supplier,
    isEnabled: isEnabled === 'on',
    costCurrency,
    /** Decimal text: units of the shop's currency for one of theirs. */
    costRate,
    /** By field name, as lib/suppliers/definitions.ts lists them. An empty secret keeps the one that is stored. */
    values: readAccountValues(typed),
  }))
export type SaveSupplierInput = z.output<typeof saveSupplierSchema>

const reason = z.string().trim().min(3).max(500)

/** A person's word about a purchase whose outcome nobody knows. */
export const decideDeliverySchema = z
  .object({
    deliveryId: z.string().regex(/^dlv_[0-9a-f]{32}$/),
    decision: z.enum(['bought', 'give_back', 'try_again']),
    supplierOrderId: z.string().trim().max(200).default(''),
    proxies: z.string().max(200_000).default(''),
    reason,
  })
  .refine(({ decision, proxies }) => decision !== 'bought' || proxies.trim() !== '', {
    path: ['proxies'],
    message: 'required',
  })
export type DecideDeliveryInput = z.output<typeof decideDeliverySchema>

export const deliveryIdSchema = z.object({ deliveryId: z.string().regex(/^dlv_[0-9a-f]{32}$/) })

/** A person's word about a renewal at a supplier whose outcome nobody knows. */
export const decideRenewalRunSchema = z.object({
  runId: z.string().regex(/^rnr_[0-9a-f]{32}$/),
  decision: z.enum(['renewed', 'not_renewed']),
  reason,
})
export type DecideRenewalRunInput = z.output<typeof decideRenewalRunSchema>

export const renewalIdSchema = z.object({ renewalId: z.string().regex(/^rnw_[0-9a-f]{32}$/) })

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max)
const ticked = z
  .literal('on')
  .optional()
  .transform((value) => value === 'on')

/** The form of the rules of supply, in the form in which `supplyRules` keeps them. */
export const supplyRulesSchema = z.object({
  allowLoss: ticked,
  needsQuote: ticked,
  unknownAfterMinutes: whole(1, 1440),
  warnDays: whole(1, 60),
})
