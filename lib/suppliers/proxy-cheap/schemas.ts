import { CENT_MICROS } from '@/lib/kit'
import { z } from 'zod'
import { microsSchema } from '../amounts'
import { latestMomentSchema, momentSchema } from '../moments'

const id = z.union([z.string().min(1), z.number().int().nonnegative().transform(String)])
const port = z.number().int().min(1).max(65_535)
/** What an offer says: their service and plan, an internet provider where the plan has a choice, and the protocol that is handed over. */
export const proxyCheapParamsSchema = z.object({
  service: z.enum(['static-residential-ipv4', 'static-datacenter-ipv4']),
  planId: z.string().min(1).max(100),
  ispId: z.union([z.string().min(1).max(100), z.number().int()]).optional(),
  protocol: z.enum(['http', 'socks5']).default('http'),
})
export type ProxyCheapParams = z.infer<typeof proxyCheapParamsSchema>

export const priceSchema = z.object({
  finalPrice: microsSchema,
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/)
    .nullish()
    .transform((currency) => currency ?? 'USD'),
})

export const executeSchema = z.object({ id: z.string().min(1), totalPrice: microsSchema.nullish().catch(null) })

/** Whole cents, in contrast to their prices. Anything else is not guessed at. */
export const balanceSchema = z.object({
  balance: z
    .number()
    .int()
    .nonnegative()
    .transform((cents) => BigInt(cents) * CENT_MICROS),
})

/** Countries are told as codes or as things with one. */
export const optionsSchema = z.object({
  countries: z.array(
    z.union([
      z.string(),
      z.object({ id: z.string() }).transform((country) => country.id),
      z.object({ code: z.string() }).transform((country) => country.code),
    ]),
  ),
})

/** Until a proxy is `ACTIVE` it may have neither a place nor a login, nor an end. */
export const proxySchema = z.object({
  id,
  /** PENDING, INITIATING, ACTIVE, EXPIRED or CANCELED; one they add later must not make a whole list unreadable. */
  status: z.string().min(1),
  networkType: z.string().nullish(),
  countryCode: z.string().nullish(),
  authentication: z
    .object({
      username: z.string().nullish(),
      password: z.string().nullish(),
      whitelistedIps: z.array(z.string()).nullish(),
    })
    .nullish(),
  connection: z
    .object({
      publicIp: z.string().nullish(),
      connectIp: z.string().nullish(),
      httpPort: port.nullish(),
      socks5Port: port.nullish(),
    })
    .nullish(),
  createdAt: latestMomentSchema,
  expiresAt: momentSchema.nullish(),
})
export type ProxyCheapProxy = z.infer<typeof proxySchema>

/** A row of another product of theirs, say: there is one, and nothing else is known of it. */
const oddSchema = z
  .object({ id, createdAt: latestMomentSchema.nullish().catch(null) })
  .transform((row) => ({ ...row, isOdd: true as const }))

const rowSchema = z.union([proxySchema.transform((row) => ({ ...row, isOdd: false as const })), oddSchema])
export type ProxyCheapRow = z.infer<typeof rowSchema>

/** Their examples show a bare list, their server has been seen to wrap it. */
export const proxiesSchema = z.union([
  z.array(rowSchema),
  z.object({ proxies: z.array(rowSchema) }).transform(({ proxies }) => proxies),
])
