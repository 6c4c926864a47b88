import { z } from 'zod'
import { microsSchema } from '../amounts'

const text = z.union([z.string(), z.number().transform(String)])
const whole = z.union([z.string().regex(/^\d{1,9}$/), z.number().int().nonnegative()]).transform(Number)

/** Money as a number, or as text with the sign of a currency before or behind it. */
const money = z.union([z.number(), z.string().transform((shown) => shown.replaceAll(/[\s$€]/g, ''))]).pipe(microsSchema)

/** `d.m.Y H:i:s`, or the day alone. They name no zone; we read UTC. */
const moment = z
  .string()
  .regex(/^\d{2}\.\d{2}\.\d{4}( \d{2}:\d{2}:\d{2})?$/)
  .transform((shown) => {
    const [day, month, year, time] = [shown.slice(0, 2), shown.slice(3, 5), shown.slice(6, 10), shown.slice(11)]
    return new Date(`${year}-${month}-${day}T${time || '00:00:00'}Z`)
  })
  .refine((date) => !Number.isNaN(date.getTime()))

/** What an offer says: the section of their shop, what the proxies are for (they demand it), and the protocol that is handed over. */
export const proxySellerParamsSchema = z.object({
  section: z.enum(['ipv4', 'isp']).default('ipv4'),
  purpose: z.string().trim().min(1).max(100),
  protocol: z.enum(['http', 'socks5']).default('http'),
})
export type ProxySellerParams = z.infer<typeof proxySellerParamsSchema>

/** Nearly every answer, good or bad, is this with status 200. */
export const envelopeSchema = z.object({
  status: z.enum(['success', 'error']),
  data: z.unknown(),
  errors: z
    .array(z.object({ message: z.string().nullish(), code: z.union([z.number(), z.string()]).nullish() }))
    .nullish()
    .transform((errors) => errors ?? []),
})

export const calcSchema = z.object({
  total: money,
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .default('USD'),
})
export const makeSchema = z.object({
  orderId: text.nullish(),
  total: money,
  listBaseOrderNumbers: z.array(text).default([]),
})
export const balanceSchema = z.union([money, z.object({ summ: money }).transform(({ summ }) => summ)])

const itemSchema = z.object({
  id: text.pipe(z.string().min(1)),
  order_id: text,
  /** Links an order with its renewals, which get ids and numbers of their own. */
  base_order_number: text,
  ip: z.string().min(1),
  port_http: whole,
  port_socks: whole,
  // Whoever bought by hand and bound an address has none; such an order must not make the list unreadable.
  login: z.string().nullish(),
  password: z.string().nullish(),
  /** A code of three letters, or a name beside one: what is no code says nothing about the place. */
  country: z.string().nullish(),
  country_alpha3: z.string().nullish(),
  date_start: moment,
  date_end: moment,
  comment: z.string().nullish(),
})
export type ProxySellerItem = z.infer<typeof itemSchema>

/** The list of one type. */
export const itemsSchema = z.object({ items: z.array(itemSchema) })

export const ordersSchema = z.object({
  items: z.array(z.object({ order_id: text, base_order_number: text.nullish(), total: money.nullish().catch(null) })),
})

/** By status, what became of which addresses. */
export const replaceSchema = z.record(z.string(), z.object({ ips: z.array(z.string()), msg: z.string().nullish() }))

export const authSchema = z.object({
  id: text,
  active: z.boolean(),
  login: z.string().nullish(),
  password: z.string().nullish(),
  ip: z.string().nullish(),
  orderNumber: text,
})
export const authListSchema = z.array(authSchema)

export const referenceSchema = z.object({ items: z.object({ country: z.array(z.object({ id: z.string() })) }) })
