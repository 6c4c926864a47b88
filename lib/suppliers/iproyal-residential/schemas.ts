import { z } from 'zod'
import { gigabytesSchema } from '../amounts'

const name = z.string().min(1)

/** What an offer of this supplier may say: where its traffic goes in, and from where it comes out. */
export const residentialParamsSchema = z.object({
  host: name.default('geo.iproyal.com'),
  port: z.number().int().min(1).max(65_535).default(12_321),
  /** Their words for a place, as they stand behind the password: "_country-de". Left out: any place. */
  location: z
    .string()
    .regex(/^(_[a-z]+-[a-z0-9]+)+$/)
    .optional(),
})
export type ResidentialParams = z.infer<typeof residentialParamsSchema>

/** Their `id` is obsolete: a sub-user is known by its hash. */
export const subUserSchema = z.object({
  hash: name,
  username: name,
  password: name,
  traffic_available: gigabytesSchema,
  traffic_used: gigabytesSchema,
})
export type SubUser = z.infer<typeof subUserSchema>

/** How the list is paged is not described: its last page may be told, or not, and the list may be bare. */
export const subUserPageSchema = z.union([
  z.object({
    data: z.array(subUserSchema),
    meta: z.object({ last_page: z.number().int().nonnegative().nullish() }).nullish(),
  }),
  z.array(subUserSchema).transform((data) => ({ data, meta: null })),
])

export const accountSchema = z.object({ available_traffic: gigabytesSchema })
