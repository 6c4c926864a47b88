import { MAX_AMOUNT_MICROS, parseAmount } from '@/lib/kit/money'
import { z } from 'zod'

/** Kinds of product this shop can deliver today. */
export const PRODUCT_KINDS = ['datacenter_ipv4', 'datacenter_ipv6', 'isp', 'mobile', 'residential'] as const

/** Who may stand behind an offer: our own stock, and every supplier of lib/suppliers (a test compares them). */
export const SUPPLIERS = [
  'stock',
  'px6',
  'proxy-seller',
  'proxy-cheap',
  'iproyal',
  'iproyal-residential',
  'webshare',
] as const
/** Suppliers whose proxies lie in our own stock when they are sold: what was imported, and pools. */
export const STOCK_SUPPLIERS: readonly string[] = ['stock', 'webshare']

/** Whether an offer of this supplier is sold from our own stock: reserved when ordered, handed over without a call. */
export function sellsFromStock(supplier: string): boolean {
  return STOCK_SUPPLIERS.includes(supplier)
}
export type SupplierName = (typeof SUPPLIERS)[number]

const slug = z
  .string()
  .trim()
  .min(2)
  .max(60)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'slug_form')
const name = z.string().trim().min(2).max(80)
/** A price as typed ("1.20"), read exactly. */
const price = z.string().transform((text, context) => {
  const micros = parseAmount(text)
  if (micros === null || micros <= 0n || micros > MAX_AMOUNT_MICROS) {
    context.addIssue({ code: 'custom', message: 'amount_form' })
    return z.NEVER
  }
  return micros
})

export const saveProductSchema = z.object({
  productId: z.string().optional(),
  slug,
  kind: z.enum(PRODUCT_KINDS),
  nameEn: name,
  nameRu: name,
  descriptionEn: z.string().trim().min(10).max(1000),
  descriptionRu: z.string().trim().min(10).max(1000),
  isActive: z.boolean(),
})
export type SaveProductInput = z.infer<typeof saveProductSchema>

export const savePlanSchema = z
  .object({
    planId: z.string().optional(),
    /** The revision the form was filled from; a change by somebody else in between is refused, not overwritten. */
    revision: z.coerce.number().int().optional(),
    productId: z.string(),
    slug,
    nameEn: name,
    nameRu: name,
    minQuantity: z.coerce.number().int().min(1).max(10_000),
    maxQuantity: z.coerce.number().int().min(1).max(10_000),
    isActive: z.boolean(),
    periods: z
      .array(z.object({ days: z.coerce.number().int().min(1).max(3660), unitPriceMicros: price }))
      .min(1)
      .max(12),
    steps: z
      .array(
        z.object({
          fromQuantity: z.coerce.number().int().min(2).max(10_000),
          discountBasisPoints: z.coerce.number().int().min(1).max(9000),
        }),
      )
      .max(12),
  })
  .refine((plan) => plan.maxQuantity >= plan.minQuantity, { path: ['maxQuantity'], message: 'max_below_min' })
  .refine((plan) => new Set(plan.periods.map((period) => period.days)).size === plan.periods.length, {
    path: ['periods'],
    message: 'period_twice',
  })
  .refine((plan) => new Set(plan.steps.map((step) => step.fromQuantity)).size === plan.steps.length, {
    path: ['steps'],
    message: 'step_twice',
  })
export type SavePlanInput = z.infer<typeof savePlanSchema>

export const saveOfferSchema = z.object({
  offerId: z.string().optional(),
  planId: z.string(),
  countryCode: z
    .string()
    .trim()
    .toUpperCase()
    .regex(/^[A-Z]{2}$/, 'country_form'),
  supplier: z.enum(SUPPLIERS),
  priority: z.coerce.number().int().min(0).max(1000),
  isActive: z.boolean(),
  /** What the offer says to its supplier, as typed, by the names in lib/suppliers/definitions.ts. Left out: stays as it is. */
  params: z.record(z.string().max(40), z.string().max(2000)).optional(),
})
export type SaveOfferInput = z.infer<typeof saveOfferSchema>
