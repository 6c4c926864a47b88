import { z } from 'zod'
import { microsSchema } from '../amounts'
import { momentSchema } from '../moments'

const id = z.number().int().positive()
const name = z.string().min(1)

/**
 * What an offer of this supplier says: the product, their plan for each of our periods, and their location for each country. A period or a country
 * that is not named cannot be bought: their ids say nothing of either, and another country must never be delivered.
 */
export const iproyalParamsSchema = z.object({
  productId: id,
  /** Days → plan id: {"30": 5}. */
  plans: z.record(z.string().regex(/^[1-9]\d{0,3}$/), id),
  /** ISO 3166 alpha-2 in lower case → location id: {"de": 12}. */
  locations: z.record(z.string().regex(/^[a-z]{2}$/), id),
})
export type IproyalParams = z.infer<typeof iproyalParamsSchema>

type Location = {
  id: number
  name: string
  out_of_stock?: boolean | undefined
  available_proxies_count?: number | null | undefined
  child_locations?: Location[] | null | undefined
}
const locationSchema: z.ZodType<Location> = z.object({
  id,
  name,
  out_of_stock: z.boolean().optional(),
  available_proxies_count: z.number().int().nonnegative().nullish(),
  get child_locations() {
    return z.array(locationSchema).nullish()
  },
})
const planSchema = z.object({ id, name, max_quantity: z.number().int().nonnegative().nullish() })
export const productSchema = z.object({ id, name, plans: z.array(planSchema), locations: z.array(locationSchema) })
// Only by their ids: what another product of theirs looks like must not stand in the way of ours.
export const productsSchema = z.object({ data: z.array(z.looseObject({ id: z.unknown() })) })
export type IproyalProduct = z.infer<typeof productSchema>
export type IproyalLocation = Location

export const pricingSchema = z.object({ price_with_vat: microsSchema })
/** A bare number. */
export const balanceSchema = microsSchema

const port = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d{1,5}$/)
      .transform(Number),
  ])
  .pipe(z.number().int().min(1).max(65_535))

/** `host:port:user:pass`, or an object without a port. */
const listedSchema = z.union([
  z
    .string()
    .regex(/^[^:]+:\d{1,5}:[^:]+:.+$/)
    .transform((text) => {
      const [host, , username, ...rest] = text.split(':')
      return { host: host!, username: username!, password: rest.join(':') }
    }),
  z
    .object({ ip: name, username: name, password: name })
    .transform(({ ip, username, password }) => ({ host: ip, username, password })),
])

export const orderSchema = z.object({
  id,
  /** unpaid, in-progress, confirmed, refunded or expired; one they add later must not make a whole list unreadable. */
  status: z.string().min(1),
  product_name: name.nullish(),
  plan_name: name.nullish(),
  location: name.nullish(),
  quantity: z.number().int().nonnegative(),
  /** "2026-12-03 13:51:40", without a zone. */
  expire_date: momentSchema.nullish(),
  extended_history: z.array(z.unknown()).nullish(),
  proxy_data: z
    .object({
      ports: z.object({ socks5: port.nullish(), 'http|https': port.nullish() }),
      proxies: z.array(listedSchema),
    })
    .nullish(),
})
export type IproyalOrder = z.infer<typeof orderSchema>

export const orderPageSchema = z.object({
  // Only what a purchase is told by: an odd proxy of another order must not stand in the way.
  data: z.array(orderSchema.omit({ proxy_data: true })),
  meta: z.object({ current_page: z.number().int(), last_page: z.number().int() }),
})
