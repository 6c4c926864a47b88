import { z } from 'zod'
import { microsSchema } from '../amounts'

const whole = z.union([z.string().regex(/^\d{1,9}$/), z.number().int().nonnegative()]).transform(Number)
const text = z.union([z.string(), z.number().transform(String)])

/** What an offer of this supplier may say: IPv4 (4), shared IPv4 (3) or IPv6 (6), and the protocol. */
export const px6ParamsSchema = z.object({
  version: z.enum(['3', '4', '6']).default('4'),
  type: z.enum(['http', 'socks']).default('http'),
})

const proxySchema = z.object({
  id: text.pipe(z.string().min(1)),
  host: z.string().min(1),
  port: whole.pipe(z.number().min(1).max(65_535)),
  user: z.string().min(1),
  pass: z.string().min(1),
  type: z.enum(['http', 'socks']),
  unixtime_end: whole.pipe(z.number().positive()),
  descr: z.string().optional(),
})
export type Px6Proxy = z.infer<typeof proxySchema>

/** An array with `nokey`, else an object by id; some versions answer an object (or an empty array) all the same. */
function listOf<Row>(row: z.ZodType<Row>) {
  return z.union([z.array(row), z.record(z.string(), row).transform((rows) => Object.values(rows))])
}

const envelope = { status: z.literal('yes'), balance: microsSchema, currency: z.string().regex(/^[A-Z]{3}$/) }

export const refusalSchema = z.object({ status: z.literal('no'), error_id: whole, error: z.string().default('') })
export const balanceSchema = z.object(envelope)
export const countSchema = z.object({ ...envelope, count: whole })
export const priceSchema = z.object({ ...envelope, price: microsSchema })
export const buySchema = z.object({ ...envelope, order_id: text, price: microsSchema, list: listOf(proxySchema) })
/** Whatever else the account has there (MTProto, say) is in the list, too: there is one, and nothing else is known of it. */
const rowSchema = z.union([
  proxySchema.transform((row) => ({ ...row, isOdd: false as const })),
  z
    .object({ id: text, descr: z.string().nullish().catch(null) })
    .transform((row) => ({ ...row, isOdd: true as const })),
])
export const listReplySchema = z.object({ ...envelope, list: listOf(rowSchema) })
export type Px6Row = z.infer<typeof rowSchema>
export const prolongSchema = z.object({
  ...envelope,
  price: microsSchema,
  list: listOf(z.object({ id: text, unixtime_end: whole.pipe(z.number().positive()) })),
})
